//! What `HttpUpstream` makes of a real HTTP server that does what a script says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod auth;
mod blobs;
mod budgets;
mod ecr;
mod endpoints;
mod kinds;
mod limits;
mod lists;
mod manifests;
mod proxies;
mod redirects;
mod refusals;
mod tls;
mod world;

//! What `HttpUpstream` makes of a real HTTP server that does what a script says.

mod addresses;
mod auth;
mod blobs;
mod limits;
mod manifests;
mod redirects;
mod refusals;
mod tls;
mod world;

//! The decisions, held against real parts: blob and metadata stores, the HTTP client of upstreams,
//! and an upstream on loopback that does what a script says. Only time is pretended.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archive;
mod budget;
mod collect;
mod damage;
mod describe;
mod explain;
mod fill_failures;
mod fills;
mod images;
mod late;
mod lifecycle;
mod links;
mod neighbours;
mod permission;
mod pulls;
mod push;
mod quota;
mod repositories;
mod resource_requests;
mod resumed_fills;
mod rule_policies;
mod rule_updates;
mod rules;
mod secret_versions;
mod secrets;
mod sources;
mod stale;
mod strict_rules;
mod templates;
mod troubles;
mod visibility;
mod warming;
mod watched;
mod world;

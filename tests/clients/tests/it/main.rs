//! Scenarios with real programs around the real binary.
//!
//! Where each client of `/v2/` is shown, with the upstream (cold: nothing of the image is here; warm)
//! and without it:
//!
//! | client | push | cold | warm | without the upstream |
//! |---|---|---|---|---|
//! | docker | `push` | `main_job`, `mirrors` | `mirrors` | `main_job`, `mirrors` |
//! | containerd (`ctr`) | `mirrors` | `mirrors` | `main_job`, `mirrors` | `mirrors` |
//! | podman | `podman`, `partial_pulls` | the same | the same | the same |
//! | buildah | `podman` | `podman` | `podman` | `podman`, `mirrors` |
//! | skopeo | `push` | `main_job` | `mirrors` | `main_job`, `mirrors` |
//!
//! Misses of a mirror, which have to be quick for a node goes on to the upstream itself, are in
//! `mirrors`: of a name without a rule, of what the upstream lacks, of an upstream that is gone, in
//! the three ways that clients name a mirror (`registry-mirrors`, `hosts.toml` with `?ns=`,
//! `registries.conf`).

mod alchemy;
mod archive;
mod boto3;
mod carried;
mod cdktf;
mod cli_reference;
mod cloud_control;
mod collection;
mod crash;
mod credential_program;
mod discovery;
mod documents;
mod full_disk;
mod harness;
mod images;
mod javascript_sdk;
mod lifecycle;
mod lying_upstreams;
mod main_job;
mod mirrors;
mod model;
mod one_transfer;
mod partial_pulls;
mod podman;
mod private_ecr;
mod pulumi;
mod push;
mod readme;
mod repositories;
mod resume;
mod revalidation;
mod rule_policies;
mod rules;
mod rust_sdk;
mod scene;
mod schemas;
mod secrets;
mod start_errors;
mod templates;
mod terraform;
mod thousand_clients;
mod tls;
mod troubled_upstreams;
mod user_guide;
mod ways;

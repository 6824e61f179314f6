//! The test house: real programs around the real `cistern` binary.
//!
//! It starts what a user would start (Debian's `docker-registry` as the upstream, `dockerd`,
//! `containerd`, `skopeo`, the AWS CLI, Terraform, …), each in its own temporary directory and on its own
//! loopback port, so that scenarios run side by side. It links no crate of the product.
//!
//! A program that is not installed is a [`Missing`]; [`or_skip!`] turns it into a recorded skip that
//! `tests/run` prints. Anything else that goes wrong panics with what the program said.

pub mod alchemy;
pub mod aws_cli;
pub mod cdktf;
pub mod certificate_authority;
pub mod cistern;
pub mod compatibility;
pub mod connect_proxy;
pub mod containerd;
pub mod containers;
pub mod docker;
pub mod headless_proxy;
pub mod image;
pub mod node;
pub mod program;
pub mod pulumi;
pub mod raw_http;
pub mod skip;
pub mod skopeo;
pub mod stalling_proxy;
pub mod terraform;
pub mod tinyproxy;
pub mod token_issuer;
pub mod upstream_registry;
pub mod wait;

pub use alchemy::Alchemy;
pub use aws_cli::AwsCli;
pub use cdktf::Cdktf;
pub use certificate_authority::CertificateAuthority;
pub use cistern::Cistern;
pub use connect_proxy::ConnectProxy;
pub use containerd::Containerd;
pub use containers::Containers;
pub use docker::Docker;
pub use headless_proxy::HeadlessProxy;
pub use image::Image;
pub use node::Node;
pub use program::{Daemon, Outcome, run};
pub use pulumi::Pulumi;
pub use skip::Missing;
pub use skopeo::Skopeo;
pub use stalling_proxy::StallingProxy;
pub use terraform::Terraform;
pub use tinyproxy::Tinyproxy;
pub use token_issuer::TokenIssuer;
pub use upstream_registry::UpstreamRegistry;

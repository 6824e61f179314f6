//! Scenarios with real programs around the real binary.

mod alchemy;
mod boto3;
mod cdktf;
mod cloud_control;
mod crash;
mod credential_program;
mod documents;
mod harness;
mod images;
mod javascript_sdk;
mod lying_upstreams;
mod main_job;
mod one_transfer;
mod pulumi;
mod readme;
mod repositories;
mod rules;
mod rust_sdk;
mod scene;
mod secrets;
mod start_errors;
mod terraform;
mod tls;
mod troubled_upstreams;

//! The words of AWS: request signatures, the JSON and query protocols, exceptions, and the shapes
//! of Amazon ECR, AWS Secrets Manager, AWS Cloud Control API, AWS IAM, AWS STS and Cistern itself.
//!
//! Pure: no I/O, no clock, no async. Shapes hold plain strings as they travel; what a string
//! means (a prefix, an ARN of ours, an upstream) is for the doors and the rooms behind them.
//! Nothing here decides anything.

pub mod arn;
pub mod cistern;
pub mod cloud_control;
pub mod ecr;
pub mod exception;
pub mod iam;
pub mod json;
pub mod query;
pub mod secrets_manager;
pub mod sigv4;
pub mod sts;

mod operation;
mod sensitive;
mod timestamp;

pub use arn::Arn;
pub use exception::Exception;
pub use json::Service;
pub use sensitive::Sensitive;
pub use timestamp::{Timestamp, TimestampError};

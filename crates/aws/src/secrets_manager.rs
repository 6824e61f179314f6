//! AWS Secrets Manager: its operations and the shapes of those that are answered here.
//!
//! Fields are those of botocore's `secretsmanager` model 2017-10-17. Values of secrets do not
//! print; see [`crate::Sensitive`].

mod list;
mod operation;
mod replica;
mod rotation;
mod secret;
mod value;

pub use list::*;
pub use operation::Operation;
pub use replica::*;
pub use rotation::*;
pub use secret::*;
pub use value::*;

#[cfg(test)]
mod tests;

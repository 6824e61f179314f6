//! AWS Secrets Manager: its operations and the shapes of those that are answered here.
//!
//! Fields are those of botocore's `secretsmanager` model 2017-10-17. Values of secrets do not
//! print; see [`crate::Sensitive`].

mod batch;
mod label;
mod list;
mod operation;
mod password;
mod replica;
mod rotation;
mod secret;
mod update;
mod value;
mod version;

pub use batch::*;
pub use label::*;
pub use list::*;
pub use operation::Operation;
pub use password::*;
pub use replica::*;
pub use rotation::*;
pub use secret::*;
pub use update::*;
pub use value::*;
pub use version::*;

#[cfg(test)]
mod tests;

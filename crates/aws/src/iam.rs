//! AWS Identity and Access Management, as far as it is about roles.
//!
//! Terraform's `aws_iam_role` makes the role that a pull through cache rule names. Shapes are
//! those of botocore's `iam` model 2010-05-08.

mod answer;
mod operation;
mod request;
mod tag;

pub use answer::*;
pub use operation::Operation;
pub use request::*;
pub use tag::Tag;

use crate::exception::{CommonException, Exception};
use crate::query::{self, Form};

/// The service part of the credential scope.
pub const SIGNING_NAME: &str = "iam";

/// The version of the API.
pub const VERSION: &str = "2010-05-08";

/// The operation of IAM that a form calls.
///
/// # Errors
/// `InvalidAction` where the action is not about roles, or the version is another.
pub fn operation(form: &Form) -> Result<Operation, Exception> {
    if form.version() != VERSION {
        return Err(crate::sts::no_such_operation(form));
    }
    Operation::parse(form.action()).ok_or_else(|| {
        let text = format!(
            "{} is not offered by this version: of IAM there are the operations on roles",
            form.action()
        );
        Exception::new(CommonException::UnknownOperation, text)
    })
}

/// A policy document as IAM answers it: percent-encoded ("GetRole", API reference: "URL-encoded
/// compliant with RFC 3986").
pub fn encoded_document(document: &str) -> String {
    let mut encoded = Vec::with_capacity(document.len() * 3);
    query::encode_into(&mut encoded, document.as_bytes());
    String::from_utf8(encoded).expect("percent encoding is ASCII")
}

#[cfg(test)]
mod tests;

//! AWS Signature Version 4: checking the signature a request presents, and making one.
//!
//! Both directions share one canonical form, so what [`Signer`] writes [`Presented::verify`]
//! accepts. Signatures in the `Authorization` header and in the query (presigned addresses) are
//! both known. Which access key exists and what it may do is not decided here: the door looks the
//! secret up between [`Presented::parse`] and [`Presented::verify`].
//!
//! Source: "Create a signed AWS API request", AWS Identity and Access Management User Guide. The
//! path rules are those of all services but S3.

mod authorization;
mod canonical;
mod presented;
mod rejection;
mod scope;
mod signer;

pub use presented::Presented;
pub use rejection::Rejection;
pub use scope::Scope;
pub use signer::{Signer, Unsignable};

/// The one algorithm known here.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// An HTTP request as its sender wrote it: what a signature covers.
///
/// HTTP/2 carries the host as `:authority`; whoever builds this puts it among the headers as
/// `host`. The body has lost its transfer encoding but not its content encoding.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in its own case.
    pub method: &'a str,
    /// The path as it travelled, percent encoding and all.
    pub path: &'a str,
    /// The query as it travelled, without `?`; empty when there is none.
    pub query: &'a str,
    /// Every header.
    pub headers: &'a http::HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

#[cfg(test)]
mod tests;

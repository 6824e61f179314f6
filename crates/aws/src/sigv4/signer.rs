//! Signing a request that is about to be sent.

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue};

use super::canonical::Coverage;
use super::scope::sha256_hex;
use super::{ALGORITHM, Request, Scope, canonical};
use crate::timestamp::Timestamp;

/// Credentials and the scope they sign for.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's public name.
    pub access_key_id: &'a str,
    /// The access key's secret.
    pub secret_access_key: &'a str,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The region that is asked.
    pub region: &'a str,
    /// The signing name of the service that is asked.
    pub service: &'a str,
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// A signature covers the host, and the request has none.
    #[error("the request has no host header")]
    NoHost,
    /// A credential that no header can carry.
    #[error("the {part} cannot be sent in a header")]
    Unsendable {
        /// Which one.
        part: &'static str,
    },
}

impl Signer<'_> {
    /// Signs `request` as of `at` and gives the headers that must be added to it:
    /// `x-amz-date`, `authorization` and, with temporary credentials, `x-amz-security-token`.
    ///
    /// It covers the host, the content type and every `x-amz-` header, those it adds included.
    ///
    /// # Errors
    /// The request has no host, or a credential holds characters a header cannot.
    pub fn sign(&self, request: &Request<'_>, at: Timestamp) -> Result<HeaderMap, Unsignable> {
        if !request.headers.contains_key(HOST) {
            return Err(Unsignable::NoHost);
        }
        let time = at.to_basic_format();
        let mut added = HeaderMap::with_capacity(3);
        added.insert("x-amz-date", value("time", &time)?);
        if let Some(token) = self.session_token {
            added.insert("x-amz-security-token", value("session token", token)?);
        }
        let mut headers = request.headers.clone();
        for (name, value) in &added {
            headers.insert(name, value.clone());
        }
        let signed_headers = covered(&headers);
        let scope = Scope {
            date: time[..8].to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        };
        let payload_hash = match headers.get("x-amz-content-sha256").map(HeaderValue::to_str) {
            Some(Ok(declared)) => declared.to_owned(),
            _ => sha256_hex(request.body),
        };
        let coverage = Coverage {
            signed_headers: &signed_headers,
            payload_hash: &payload_hash,
            presigned: false,
        };
        let complete = Request { headers: &headers, ..*request };
        let canonical = canonical::request(&complete, &coverage);
        let signature = scope.signature(self.secret_access_key, &time, &canonical);
        let authorization = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.access_key_id,
            signed_headers.join(";")
        );
        added.insert(AUTHORIZATION, value("access key id", &authorization)?);
        Ok(added)
    }
}

/// The lower-case names of the headers to cover, sorted.
fn covered(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<String> = headers
        .keys()
        .filter(|name| {
            *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")
        })
        .map(|name| name.as_str().to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn value(part: &'static str, text: &str) -> Result<HeaderValue, Unsignable> {
    HeaderValue::from_str(text).map_err(|_| Unsignable::Unsendable { part })
}

//! The signature a request presents.

use std::fmt;
use std::time::Duration;

use subtle::ConstantTimeEq;

use super::authorization::{self, Parts};
use super::canonical::Coverage;
use super::scope::sha256_hex;
use super::{Rejection, Request, Scope, canonical};
use crate::timestamp::Timestamp;

/// The value of `x-amz-content-sha256` that leaves the body out of the signature.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Headers that decide what a request means: where one is present, the signature must cover it.
const DECISIVE_HEADERS: [&str; 4] =
    ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target"];

/// A signature as presented: read, but not yet believed.
///
/// Everything it tells (whose it is, for which region) is a claim until [`Presented::verify`]
/// says otherwise.
pub struct Presented {
    parts: Parts,
}

impl fmt::Debug for Presented {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Presented")
            .field("access_key_id", &self.parts.access_key_id)
            .field("scope", &self.parts.scope)
            .field("signed_headers", &self.parts.signed_headers)
            .field("signed_at", &self.parts.signed_at)
            .finish_non_exhaustive()
    }
}

impl Presented {
    /// Reads the signature of `request` from its `Authorization` header or its query.
    ///
    /// # Errors
    /// There is none, parts are missing or unreadable, or the scope's day is not the request's.
    pub fn parse(request: &Request<'_>) -> Result<Self, Rejection> {
        authorization::read(request).map(|parts| Self { parts })
    }

    /// The access key the signature claims to be made with.
    pub fn access_key_id(&self) -> &str {
        &self.parts.access_key_id
    }

    /// The credential scope.
    pub fn scope(&self) -> &Scope {
        &self.parts.scope
    }

    /// The region of the scope.
    pub fn region(&self) -> &str {
        &self.parts.scope.region
    }

    /// The signing name of the service of the scope.
    pub fn service(&self) -> &str {
        &self.parts.scope.service
    }

    /// When the request was signed, to the second.
    pub fn signed_at(&self) -> Timestamp {
        self.parts.signed_at
    }

    /// The lower-case names of the headers that the signature covers.
    pub fn signed_headers(&self) -> &[String] {
        &self.parts.signed_headers
    }

    /// The session token of temporary credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.parts.session_token.as_deref()
    }

    /// Whether the signature travels in the query.
    pub fn is_presigned(&self) -> bool {
        self.parts.life.is_some()
    }

    /// Holds the scope's service against the one that is asked.
    ///
    /// # Errors
    /// [`Rejection::WrongService`].
    pub fn require_service(&self, signing_name: &str) -> Result<(), Rejection> {
        if self.service() == signing_name {
            return Ok(());
        }
        Err(Rejection::WrongService {
            scope: self.service().to_owned(),
            expected: signing_name.to_owned(),
        })
    }

    /// Checks that the owner of `secret` signed this very request, at most `skew_max` away from
    /// `now`. A presigned request may be as old as it says itself.
    ///
    /// # Errors
    /// The time is too far off, a header that matters is not covered, or body or signature do not
    /// match. The comparison takes the same time wherever the signatures differ.
    pub fn verify(
        &self,
        request: &Request<'_>,
        secret: &str,
        now: Timestamp,
        skew_max: Duration,
    ) -> Result<(), Rejection> {
        self.check_time(now, skew_max)?;
        self.check_coverage(request)?;
        let payload_hash = payload_hash(request)?;
        let coverage = Coverage {
            signed_headers: &self.parts.signed_headers,
            payload_hash: &payload_hash,
            presigned: self.is_presigned(),
        };
        let canonical = canonical::request(request, &coverage);
        let time = self.parts.signed_at.to_basic_format();
        let expected = self.parts.scope.signature(secret, &time, &canonical);
        if bool::from(expected.as_bytes().ct_eq(self.parts.signature.as_bytes())) {
            Ok(())
        } else {
            Err(Rejection::SignatureMismatch)
        }
    }

    fn check_time(&self, now: Timestamp, skew_max: Duration) -> Result<(), Rejection> {
        let signed_at = self.parts.signed_at;
        let allowed = self.parts.life.unwrap_or(skew_max);
        if signed_at < now.minus(allowed) {
            return Err(Rejection::Expired { signed_at, now, allowed });
        }
        if signed_at > now.plus(skew_max) {
            return Err(Rejection::NotYetValid { signed_at, now, allowed: skew_max });
        }
        Ok(())
    }

    fn check_coverage(&self, request: &Request<'_>) -> Result<(), Rejection> {
        let covered = |name: &str| self.parts.signed_headers.iter().any(|signed| signed == name);
        let mut headers = Vec::new();
        if !covered("host") {
            headers.push("host".to_owned());
        }
        for name in DECISIVE_HEADERS {
            // A presigned request tells its time in the query; the header means nothing then.
            let decisive = name != "x-amz-date" || !self.is_presigned();
            if decisive && request.headers.contains_key(name) && !covered(name) {
                headers.push(name.to_owned());
            }
        }
        if headers.is_empty() { Ok(()) } else { Err(Rejection::UnsignedHeaders { headers }) }
    }
}

/// The last line of the canonical request: the declared hash where there is one, which must be
/// true, else the body's.
fn payload_hash(request: &Request<'_>) -> Result<String, Rejection> {
    match authorization::header(request.headers, "x-amz-content-sha256")? {
        Some(UNSIGNED_PAYLOAD) => Ok(UNSIGNED_PAYLOAD.to_owned()),
        declared => {
            let actual = sha256_hex(request.body);
            match declared {
                Some(declared) if declared != actual => {
                    Err(Rejection::PayloadMismatch { declared: declared.to_owned() })
                }
                _ => Ok(actual),
            }
        }
    }
}

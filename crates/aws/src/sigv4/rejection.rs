//! Why a request's signature is refused, and how AWS says it.

use std::time::Duration;

use super::ALGORITHM;
use crate::exception::{CommonException, Exception};
use crate::timestamp::Timestamp;

/// A fact about a request that keeps it from being authenticated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Neither an `Authorization` header nor a signature in the query.
    #[error("the request carries no authentication")]
    Missing,
    /// An authentication of another kind, for instance `Basic` or `AWS4-ECDSA-P256-SHA256`.
    #[error("the signature algorithm {algorithm:?} is not known")]
    UnsupportedAlgorithm {
        /// The first word of the header, or the query's algorithm.
        algorithm: String,
    },
    /// Parts that a signature must have are not there.
    #[error("the authentication lacks {}", missing.join(", "))]
    Incomplete {
        /// The names of the parts: `Credential`, `SignedHeaders`, `Signature`, `X-Amz-Date`, or a
        /// query parameter.
        missing: Vec<&'static str>,
    },
    /// A part that cannot be read.
    #[error("the authentication is malformed: {reason}")]
    Malformed {
        /// What is wrong, in AWS's words where there are any.
        reason: String,
    },
    /// The credential is not `key/date/region/service/aws4_request`.
    #[error("the credential {credential:?} does not have five parts")]
    MalformedCredential {
        /// The credential as sent.
        credential: String,
    },
    /// The credential's scope ends in another word than `aws4_request`.
    #[error("the credential scope ends in {terminator:?}")]
    WrongTerminator {
        /// The word as sent.
        terminator: String,
    },
    /// The day of the scope is not the day of the request.
    #[error("the credential scope is of {scope} but the request of {date}")]
    ScopeDateMismatch {
        /// The day in the scope, `20150830`.
        scope: String,
        /// The day of the request's time.
        date: String,
        /// The request's time.
        time: String,
    },
    /// The scope names another service than the one asked.
    #[error("the credential scope is of {scope:?} instead of {expected:?}")]
    WrongService {
        /// The service in the scope.
        scope: String,
        /// The signing name of the service asked.
        expected: String,
    },
    /// Headers that a signature must cover are not covered.
    #[error("the signature does not cover {}", headers.join(", "))]
    UnsignedHeaders {
        /// Their names.
        headers: Vec<String>,
    },
    /// Signed too long ago.
    #[error("the signature of {signed_at} has expired: it is {now} and {allowed:?} are allowed")]
    Expired {
        /// When it was signed.
        signed_at: Timestamp,
        /// The clock here.
        now: Timestamp,
        /// How old it may be.
        allowed: Duration,
    },
    /// Signed in the future.
    #[error("the signature of {signed_at} is not yet valid: it is {now}")]
    NotYetValid {
        /// When it was signed.
        signed_at: Timestamp,
        /// The clock here.
        now: Timestamp,
        /// How far clocks may differ.
        allowed: Duration,
    },
    /// The body is not the one whose hash the request declares.
    #[error("x-amz-content-sha256 is not the hash of the body")]
    PayloadMismatch {
        /// The header's value.
        declared: String,
    },
    /// The signature is not the one this secret gives this request.
    #[error("the signature does not match")]
    SignatureMismatch,
}

impl Rejection {
    /// The exception AWS raises for this, with AWS's own text where one is known.
    pub fn to_exception(&self) -> Exception {
        match self {
            Self::Missing => CommonException::MissingAuthenticationToken.into(),
            Self::UnsupportedAlgorithm { .. }
            | Self::Incomplete { .. }
            | Self::Malformed { .. }
            | Self::MalformedCredential { .. } => {
                Exception::new(CommonException::IncompleteSignature, self.text())
            }
            Self::SignatureMismatch => CommonException::InvalidSignature.into(),
            Self::WrongTerminator { .. }
            | Self::ScopeDateMismatch { .. }
            | Self::WrongService { .. }
            | Self::UnsignedHeaders { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::PayloadMismatch { .. } => {
                Exception::new(CommonException::InvalidSignature, self.text())
            }
        }
    }

    /// AWS's sentence. Those of S3 stand in where the JSON services have none.
    fn text(&self) -> String {
        match self {
            Self::Missing | Self::SignatureMismatch => self.to_string(),
            Self::UnsupportedAlgorithm { algorithm } => {
                format!("Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM}).")
            }
            Self::Incomplete { missing } => incomplete(missing),
            Self::Malformed { reason } => reason.clone(),
            Self::MalformedCredential { credential } => format!(
                "Credential must have exactly 5 slash-delimited elements, \
                 e.g. keyid/date/region/service/term, got '{credential}'"
            ),
            Self::WrongTerminator { terminator } => format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', \
                 not '{terminator}'."
            ),
            Self::ScopeDateMismatch { scope, date, time } => format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{scope}' != '{date}', from '{time}'."
            ),
            Self::WrongService { expected, .. } => {
                format!("Credential should be scoped to correct service: '{expected}'. ")
            }
            Self::UnsignedHeaders { headers } if headers.iter().any(|name| name == "host") => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
                    .to_owned()
            }
            Self::UnsignedHeaders { headers } => format!(
                "There were headers present in the request which were not signed: {}",
                headers.join(", ")
            ),
            Self::Expired { signed_at, now, allowed } => format!(
                "Signature expired: {} is now earlier than {} ({} - {}.)",
                signed_at.to_basic_format(),
                now.minus(*allowed).to_basic_format(),
                now.to_basic_format(),
                span(*allowed)
            ),
            Self::NotYetValid { signed_at, now, allowed } => format!(
                "Signature not yet current: {} is still later than {} ({} + {}.)",
                signed_at.to_basic_format(),
                now.plus(*allowed).to_basic_format(),
                now.to_basic_format(),
                span(*allowed)
            ),
            Self::PayloadMismatch { .. } => {
                "The provided 'x-amz-content-sha256' header does not match what was computed."
                    .to_owned()
            }
        }
    }
}

impl From<Rejection> for Exception {
    fn from(rejection: Rejection) -> Self {
        rejection.to_exception()
    }
}

/// One sentence for each missing part, as AWS writes them, in the order of `missing`.
fn incomplete(missing: &[&str]) -> String {
    let sentence = |part: &&str| match *part {
        "X-Amz-Date" => "Authorization header requires existence of either a 'X-Amz-Date' or a \
                         'Date' header."
            .to_owned(),
        parameter if parameter.starts_with("X-Amz-") => {
            format!("AWS query-string parameters must include '{parameter}'.")
        }
        part => format!("Authorization header requires '{part}' parameter."),
    };
    missing.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn span(allowed: Duration) -> String {
    match allowed.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} sec"),
    }
}

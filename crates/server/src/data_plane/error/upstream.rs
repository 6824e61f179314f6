//! What is said when an upstream failed and nothing is cached: its own truth.
//!
//! 404 only for its 404; its 401 and 403 become 403, its 429 stays one, and everything else is a
//! 502, or a 504 where it was silent. A circle of registries is a 508 (RFC 5842 7.2) all the way back:
//! each of them tells by it that the next one is well, and that asking again does not help.

use std::time::Duration;

use http::{HeaderValue, header};
use oci::ErrorCode;
use serde_json::json;
use upstream::Error;

use super::{Failure, Subject};

/// An upstream that refuses the rule's credentials, or the lack of them. The text is ECR's.
pub(super) fn refused() -> Failure {
    Failure::new(
        ErrorCode::Denied,
        "The authentication to the upstream registry failed. Verify that the credentials provided \
         in the pull through cache rule are correct, and try again.",
    )
}

/// The table.
pub(super) fn failure(error: &Error, subject: Subject) -> Failure {
    match error {
        Error::NotFound { host } => {
            Failure::from(subject.unknown()).with_detail(json!({ "upstream": host }))
        }
        Error::Unauthorized { host, reason } => {
            refused().with_detail(json!({ "upstream": host, "answer": reason }))
        }
        Error::Denied { host, reason } => {
            Failure::new(ErrorCode::Denied, format!("The upstream registry {host} denied access."))
                .with_detail(json!({ "upstream": host, "answer": reason }))
        }
        Error::RateLimited { host, retry_after, .. } => {
            let failure = Failure::new(
                ErrorCode::TooManyRequests,
                format!("Rate exceeded: the upstream registry {host} limits requests."),
            )
            .with_detail(json!({ "upstream": host }));
            not_before(failure, *retry_after)
        }
        Error::Circle { host, reason } => Failure::new(
            ErrorCode::LoopDetected,
            format!("The upstream registry {host} leads in a circle: {reason}"),
        )
        .with_detail(json!({
            "upstream": host,
            "hint": "a pull through cache rule names an upstream whose own rules lead back here",
        })),
        Error::Status { host, status, retry_after } => {
            not_before(bad(host, &format!("answered {status}")), *retry_after)
        }
        Error::Invalid { host, reason } => {
            bad(host, &format!("sent an answer that cannot be used: {reason}"))
        }
        Error::DigestMismatch { host, .. } => {
            bad(host, "sent bytes that are not what their digest says")
        }
        Error::TooLarge { host, limit_bytes } => {
            bad(host, &format!("sent more than {limit_bytes} bytes"))
        }
        Error::Timeout { host, .. } => Failure::new(
            ErrorCode::GatewayTimeout,
            format!("The upstream registry {host} did not answer in time."),
        ),
        Error::Transport { host, action, .. } => {
            bad(host, &format!("cannot be reached: {action} failed"))
        }
        Error::Login { host, failure } => {
            refused().with_detail(json!({ "upstream": host, "answer": failure.to_string() }))
        }
        Error::Refused { host, reason, .. } => {
            bad(host, &format!("leads to an address that is refused: {reason}"))
        }
    }
}

/// Passes on when the upstream wants to be asked again, in whole seconds.
fn not_before(failure: Failure, retry_after: Option<Duration>) -> Failure {
    let Some(after) = retry_after else { return failure };
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    failure.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn bad(host: &str, what: &str) -> Failure {
    Failure::new(ErrorCode::BadGateway, format!("The upstream registry {host} {what}."))
}

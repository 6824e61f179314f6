//! What can go wrong with an upstream, told apart by what a caller would do about it.

use std::time::Duration;

use crate::token::repeat;

/// The part of an exchange that a deadline cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Name resolution, TCP and TLS.
    Connect,
    /// From the request to the answer's headers.
    FirstByte,
    /// Between two parts of a body.
    Idle,
    /// Waiting for one of the transfers this upstream is allowed.
    Queue,
}

/// Why there is no login for a private ECR registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginFailure {
    /// The AWS credential chain of this process has none.
    #[error("no AWS credentials were found ({tried})")]
    NoCredentials {
        /// Each source that was looked at, and what was there.
        tried: String,
    },
    /// The rule's role, or one of a profile, cannot be assumed.
    #[error("the role {role} cannot be assumed: {reason}")]
    RoleRefused {
        /// The role.
        role: String,
        /// What STS said, shortened and safe to show.
        reason: String,
    },
    /// AWS does not take the credentials, or they may not log in.
    #[error("the AWS credentials were refused: {reason}")]
    CredentialsRefused {
        /// What AWS said, shortened and safe to show.
        reason: String,
    },
}

/// A failed exchange with an upstream. `host` is always the public name the rule uses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It answered 404: it does not have this.
    #[error("upstream {host} does not have it")]
    NotFound {
        /// The upstream.
        host: String,
    },
    /// It refused the credentials, or wants some (401).
    #[error("upstream {host} refused the credentials: {reason}")]
    Unauthorized {
        /// The upstream.
        host: String,
        /// What it said, shortened and safe to show.
        reason: String,
    },
    /// It knows the caller and refuses (403).
    #[error("upstream {host} denied access: {reason}")]
    Denied {
        /// The upstream.
        host: String,
        /// What it said, shortened and safe to show.
        reason: String,
    },
    /// It asks to slow down (429).
    #[error("upstream {host} limits the rate of requests")]
    RateLimited {
        /// The upstream.
        host: String,
        /// Its `Retry-After`, or when it will have budget again, where it said.
        retry_after: Option<Duration>,
        /// Whether it was asked; else what it said before still holds.
        was_asked: bool,
    },
    /// Asking it comes back to who asks (508): registries lean on one another in a circle.
    #[error("upstream {host} leads in a circle: {reason}")]
    Circle {
        /// The upstream.
        host: String,
        /// How that was found out, shortened and safe to show.
        reason: String,
    },
    /// It answered with another status that is not success.
    #[error("upstream {host} answered {status}")]
    Status {
        /// The upstream.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Its `Retry-After`, where it sent one.
        retry_after: Option<Duration>,
    },
    /// It answered with something a registry does not answer.
    #[error("upstream {host} sent an answer that cannot be used: {reason}")]
    Invalid {
        /// The upstream.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The content is not what its digest says.
    #[error("upstream {host} sent {actual} for {expected}")]
    DigestMismatch {
        /// The upstream.
        host: String,
        /// The digest asked for.
        expected: oci::Digest,
        /// The digest of what came.
        actual: oci::Digest,
    },
    /// The answer is larger than allowed.
    #[error("upstream {host} sent more than {limit_bytes} bytes")]
    TooLarge {
        /// The upstream.
        host: String,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// A deadline passed.
    #[error("upstream {host} did not answer in time ({phase:?}, {after:?})")]
    Timeout {
        /// The upstream.
        host: String,
        /// Which wait was cut off.
        phase: Phase,
        /// The deadline.
        after: Duration,
    },
    /// Name resolution, connection or TLS failed, or the connection broke.
    #[error("upstream {host} cannot be reached: {action} failed")]
    Transport {
        /// The upstream.
        host: String,
        /// What was being done, as a noun: "name resolution", "connection", "tls", "transfer".
        action: &'static str,
        /// The cause, for the log.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is a private ECR registry, and there is no login for it. `host` is the service that was
    /// asked for one.
    #[error("there is no login from {host}: {failure}")]
    Login {
        /// The service.
        host: String,
        /// Why.
        failure: LoginFailure,
    },
    /// A redirect or a token realm leads where this registry does not go.
    #[error("upstream {host} leads to {destination}, which is refused: {reason}")]
    Refused {
        /// The upstream.
        host: String,
        /// Host of the destination.
        destination: String,
        /// Why it is refused, and which setting allows it.
        reason: &'static str,
    },
}

impl Error {
    /// Says the same once more, to another who waited for it. A cause becomes its text.
    pub fn repeated(&self) -> Self {
        repeat(self)
    }

    /// Tells whether the upstream showed that it is alive and answers on purpose: any 4xx.
    pub fn is_alive(&self) -> bool {
        match self {
            Self::NotFound { .. } | Self::Unauthorized { .. } | Self::Denied { .. } => true,
            // It did what it could, and will do so again.
            Self::Circle { .. } => true,
            Self::RateLimited { was_asked, .. } => *was_asked,
            Self::Status { status, .. } => (400..500).contains(status),
            // Without credentials nobody was asked.
            Self::Login { failure, .. } => !matches!(failure, LoginFailure::NoCredentials { .. }),
            Self::Invalid { .. }
            | Self::DigestMismatch { .. }
            | Self::TooLarge { .. }
            | Self::Timeout { .. }
            | Self::Transport { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// Returns how long not to ask, where the upstream said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Status { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// Tells whether the same request may succeed if it is made again soon.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Transport { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

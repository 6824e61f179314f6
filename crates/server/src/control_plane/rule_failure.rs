//! What `ValidatePullThroughCacheRule` says is wrong with a rule, and what to do about it.
//!
//! AWS's own sentences where it has some (`ecr` model 2015-09-21). No text holds an address, a port
//! or a credential; the log has the cause.

use aws::{Exception, exception::EcrException};
use registry::{RuleFailure, SecretError};
use upstream::{Error, LoginFailure, Phase};

/// An upstream that refuses the rule's credentials.
const REFUSED: &str = "The authentication to the upstream registry failed. Verify that the \
                       credentials provided in the pull through cache rule are correct, and try \
                       again.";

/// Writes `failure`. `has_credentials` tells whether the rule names a secret.
pub(super) fn text(failure: &RuleFailure, has_credentials: bool) -> String {
    match failure {
        RuleFailure::Secret(error) => secret(error),
        RuleFailure::Upstream(error) => upstream(error, has_credentials),
    }
}

fn secret(error: &SecretError) -> String {
    let sentence = |kind: EcrException| Exception::from(kind).message().to_owned();
    match error {
        SecretError::NotFound { .. } => sentence(EcrException::SecretNotFound),
        SecretError::VersionNotFound { .. } => {
            "The secret has no value yet. Put one with PutSecretValue and try again.".to_owned()
        }
        SecretError::ScheduledForDeletion { .. } => {
            "The secret is scheduled for deletion. Restore it, or update the pull through cache \
             rule with the ARN of another secret, and try again."
                .to_owned()
        }
        SecretError::Unusable { reason, .. } => format!(
            "The value of the secret cannot be used: {reason}. Store \
             {{\"username\":\"…\",\"accessToken\":\"…\"}} and try again."
        ),
        SecretError::Sealed { .. } => sentence(EcrException::UnableToDecryptSecretValue),
        // Nothing else comes of reading one.
        _ => sentence(EcrException::UnableToAccessSecret),
    }
}

fn upstream(error: &Error, has_credentials: bool) -> String {
    match error {
        Error::Unauthorized { .. } | Error::Denied { .. } if !has_credentials => {
            "The upstream registry wants credentials, and the pull through cache rule has none. \
             Update the rule with the ARN of a secret and try again."
                .to_owned()
        }
        Error::Unauthorized { reason, .. } | Error::Denied { reason, .. } => {
            format!("{REFUSED} The upstream registry said: {reason}.")
        }
        Error::RateLimited { retry_after: None, .. } => {
            "The upstream registry limits the rate of requests. Try again later.".to_owned()
        }
        Error::RateLimited { retry_after: Some(after), .. } => format!(
            "The upstream registry limits the rate of requests. Try again in {} seconds.",
            after.as_secs().max(1)
        ),
        Error::Status { status, .. } => format!(
            "The upstream registry answered with the HTTP status {status}. Verify the upstream \
             registry URL and that the upstream registry works, and try again."
        ),
        Error::Circle { .. } => {
            "The upstream registry leads back to this one. Verify the upstream \
                                 registry URL, and the rules of that registry, and try again."
                .to_owned()
        }
        Error::Invalid { reason, .. } => format!(
            "The answer of the upstream registry cannot be used: {reason}. Verify the upstream \
             registry URL and try again."
        ),
        Error::Timeout { phase, .. } => timeout(*phase).to_owned(),
        Error::Transport { action, .. } => unreachable_because(action),
        Error::Login { failure, .. } => login(failure),
        Error::Refused { reason, .. } => format!(
            "The upstream registry leads to an address that is refused: {reason}. Verify the \
             upstream registry URL, or change that setting of this server, and try again."
        ),
        // Nothing was asked for that could be any of these.
        Error::NotFound { .. } | Error::DigestMismatch { .. } | Error::TooLarge { .. } => {
            "The upstream registry did not answer as a registry does. Verify the upstream registry \
             URL and try again."
                .to_owned()
        }
    }
}

fn login(failure: &LoginFailure) -> String {
    match failure {
        LoginFailure::NoCredentials { tried } => format!(
            "No AWS credentials were found for the upstream registry. Looked for and found: \
             {tried}. Give this server credentials, or update the rule with the ARN of a secret, \
             and try again."
        ),
        LoginFailure::RoleRefused { role, reason } => format!(
            "The role {role} cannot be assumed: {reason}. Verify that it exists and that its trust \
             policy names the identity of this server, and try again."
        ),
        LoginFailure::CredentialsRefused { reason } => format!(
            "The AWS credentials of this server, or of the role, were refused: {reason}. Verify \
             that they are current and may call ecr:GetAuthorizationToken, and try again."
        ),
    }
}

fn timeout(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => {
            "The connection to the upstream registry was not made in time. Verify the upstream \
             registry URL and that this server can reach it, and try again."
        }
        Phase::FirstByte | Phase::Idle => {
            "The upstream registry did not answer in time. Verify that it works and try again."
        }
        Phase::Queue => {
            "As many requests to the upstream registry are under way as are allowed. Try again \
             later."
        }
    }
}

fn unreachable_because(action: &str) -> String {
    let (what, remedy) = match action {
        "name resolution" => (
            "its name was not found",
            "Verify the upstream registry URL and this server's name resolution",
        ),
        "tls" => (
            "a secure connection could not be made",
            "Verify that its certificate is valid, that this server trusts who signed it, and \
             that it speaks TLS",
        ),
        "connection" => (
            "the connection was refused or lost",
            "Verify the upstream registry URL and that this server can reach it",
        ),
        _ => ("the connection broke", "Verify that it works"),
    };
    format!("The upstream registry cannot be reached: {what}. {remedy}, and try again.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Every way an upstream can fail: the sentence says what to do, and no host.
    #[test]
    fn a_remedy_for_each_failure() {
        let host = || "10.1.2.3:5000".to_owned();
        let transport = |action| Error::Transport {
            host: host(),
            action,
            source: "connect to 10.1.2.3:5000".into(),
        };
        let timeout = |phase| Error::Timeout { host: host(), phase, after: Duration::from_secs(1) };
        let login = |failure| Error::Login { host: host(), failure };
        let private = "its address is private (upstream.allow-private-addresses permits it)";
        for (error, says) in [
            (transport("name resolution"), "its name was not found"),
            (transport("tls"), "certificate"),
            (transport("connection"), "refused or lost"),
            (transport("transfer"), "broke"),
            (timeout(Phase::Connect), "was not made in time"),
            (timeout(Phase::FirstByte), "did not answer in time"),
            (timeout(Phase::Queue), "under way"),
            (
                Error::Refused { host: host(), destination: "10.9.9.9".into(), reason: private },
                "upstream.allow-private-addresses",
            ),
            (Error::Unauthorized { host: host(), reason: "denied".into() }, "said: denied."),
            (Error::Denied { host: host(), reason: "denied".into() }, "said: denied."),
            (Error::RateLimited { host: host(), retry_after: None, was_asked: true }, "rate"),
            (login(LoginFailure::NoCredentials { tried: "profile 'x': none".into() }), "profile"),
            (
                login(LoginFailure::RoleRefused { role: "r".into(), reason: "no".into() }),
                "trust policy",
            ),
            (login(LoginFailure::CredentialsRefused { reason: "no".into() }), "refused: no."),
            (Error::Status { host: host(), status: 502, retry_after: None }, "502"),
            (Error::Invalid { host: host(), reason: "it is a page".into() }, "it is a page"),
        ] {
            let said = text(&RuleFailure::Upstream(error), true);
            assert!(said.contains(says), "{said}");
            assert!(said.to_lowercase().contains("try again"), "{said}");
            assert!(!said.contains("10.") && said.ends_with('.'), "{said}");
        }
    }
}

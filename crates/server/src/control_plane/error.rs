//! From what happened to the exception that says it. Texts follow ECR's where one is known
//! (`docs` of the errors are in the reference of ECR, Secrets Manager and STS).

mod pull;
mod push;
mod template;

use aws::{
    Exception,
    exception::{CisternException, CommonException, EcrException, SecretsManagerException},
};
use registry::{Denied, DescribeError, RuleError, SecretError, StorageError};

pub(super) use self::pull::{
    image as pull_image, layer as pull_layer, referrers as pull_referrers,
};
pub(super) use self::push::{image as push_image, layer as push_layer};
pub(super) use self::template::template;
use super::validate::violation;
use crate::body::Cause;

/// An answer that is an exception, and what the log should know of it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exception: Exception,
    pub(super) cause: Option<Cause>,
}

impl Failure {
    pub(super) fn with_cause(self, cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        Self { exception, cause: None }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let Denied { principal, action, resource } = denied;
        Exception::access_denied(&principal, action, &resource).into()
    }
}

/// An operation that AWS has and this version has not.
pub(super) fn not_offered(operation: &str) -> Failure {
    let text = format!("{operation} is not offered by this version");
    Exception::new(CommonException::UnknownOperation, text).into()
}

/// An operation that AWS has not either.
pub(super) fn no_such_operation(operation: &str) -> Failure {
    Exception::unknown_operation(operation).into()
}

/// What ECR says about rules.
pub(super) fn rule(error: RuleError, strict_ecr: bool) -> Failure {
    let exception = match &error {
        RuleError::Denied(denied) => return denied.clone().into(),
        RuleError::AlreadyExists { prefix, registry } => Exception::new(
            EcrException::PullThroughCacheRuleAlreadyExists,
            format!(
                "A pull through cache rule with the repository prefix '{prefix}' already exists \
                 in the registry with ID '{}'",
                registry.account
            ),
        ),
        RuleError::NotFound { prefix, registry } => Exception::new(
            EcrException::PullThroughCacheRuleNotFound,
            format!(
                "The pull through cache rule with the repository prefix '{prefix}' was not found \
                 in the registry with ID '{}' in {}. Specify a valid pull through cache rule and \
                 try again.",
                registry.account, registry.region
            ),
        ),
        RuleError::LimitExceeded { limit } => Exception::new(
            EcrException::LimitExceeded,
            format!(
                "The operation did not succeed because it would have exceeded a service limit \
                 for your account: {limit} pull through cache rules for each registry."
            ),
        ),
        // Captured from ECR, as its users saw it.
        RuleError::NothingToUpdate => Exception::new(
            EcrException::InvalidParameter,
            "Invalid input: Please set either credential arn or role arn to update the credentials",
        ),
        RuleError::Declared { prefix, source_name } => Exception::new(
            EcrException::Validation,
            format!(
                "The pull through cache rule with the repository prefix '{prefix}' is declared \
                 by {source_name} of this server: change or remove it there."
            ),
        ),
        RuleError::PolicyChanged { prefix } => Exception::new(
            CisternException::PolicyChanged,
            format!(
                "The policy of the rule with the repository prefix '{prefix}' is not the expected \
                 one: it was changed since it was read. Read it again, and repeat the change."
            ),
        ),
        RuleError::NoPolicies => Exception::new(
            EcrException::Validation,
            "Rules have no policies of their own here: this server runs with strict-ecr, and a \
             pull does what it does in Amazon ECR.",
        ),
        RuleError::UnsupportedUpstream { url, reason } => unsupported(url, reason, strict_ecr),
        RuleError::CredentialsRequired { .. } => Exception::new(
            EcrException::UnsupportedUpstreamRegistry,
            "The specified upstream registry requires authentication. Specify a valid Secrets \
             Manager ARN",
        ),
        RuleError::KindMismatch { url, kind } => Exception::new(
            EcrException::UnsupportedUpstreamRegistry,
            format!(
                "The upstream registry URL {url} is not valid for the upstream registry {kind}. \
                 Specify a valid upstream registry URL and try again"
            ),
        ),
        RuleError::Invalid { field, reason } => violation(field, reason),
        RuleError::Secret(error) => return rule_secret(error).with_cause(chained(&error)),
        RuleError::Storage(error) => return storage(error, EcrException::Server.into()),
    };
    Failure::from(exception).with_cause(error)
}

fn chained(error: &dyn std::error::Error) -> Cause {
    registry::chain(error).into()
}

fn unsupported(url: &str, reason: &str, strict_ecr: bool) -> Exception {
    let text = if strict_ecr {
        format!(
            "The upstream registry URL {url} is invalid. Specify a valid upstream registry URL \
             and try again"
        )
    } else {
        format!(
            "The upstream registry URL {url} is invalid: {reason}. Specify a valid upstream \
             registry URL and try again"
        )
    };
    Exception::new(EcrException::UnsupportedUpstreamRegistry, text)
}

/// What ECR says about the secret of a rule.
fn rule_secret(error: &SecretError) -> Failure {
    let kind = match error {
        SecretError::Denied(denied) => return denied.clone().into(),
        SecretError::NotFound { .. } => EcrException::SecretNotFound,
        SecretError::VersionNotFound { .. }
        | SecretError::ScheduledForDeletion { .. }
        | SecretError::Unusable { .. } => EcrException::UnableToAccessSecret,
        SecretError::Sealed { .. } => EcrException::UnableToDecryptSecretValue,
        SecretError::Invalid { reason, .. } => {
            return violation("credentialArn", reason).into();
        }
        // Nothing is changed about a secret that a rule only reads.
        SecretError::AlreadyExists { .. }
        | SecretError::TokenInUse { .. }
        | SecretError::LimitExceeded { .. }
        | SecretError::MalformedPolicy { .. }
        | SecretError::PublicPolicy
        | SecretError::Contended { .. } => EcrException::Server,
        SecretError::Storage(error) => return storage(error, EcrException::Server.into()),
    };
    Exception::from(kind).into()
}

/// What Secrets Manager says.
pub(super) fn secret(error: SecretError) -> Failure {
    use SecretsManagerException as Kind;
    let exception = match &error {
        SecretError::Denied(denied) => return denied.clone().into(),
        SecretError::NotFound { .. } => Kind::ResourceNotFound.into(),
        SecretError::VersionNotFound { selector, .. } => Exception::new(
            Kind::ResourceNotFound,
            format!("Secrets Manager can't find the specified secret value for {selector}"),
        ),
        SecretError::TokenInUse { token, arn } => Exception::new(
            Kind::ResourceExists,
            format!(
                "You can't use ClientRequestToken {token} because that value is already in use \
                 for a version of secret {arn}."
            ),
        ),
        SecretError::LimitExceeded { what, limit } => Exception::new(
            Kind::LimitExceeded,
            format!(
                "The request failed because it would exceed one of the Secrets Manager quotas: \
                 {limit} {what} for each secret."
            ),
        ),
        SecretError::MalformedPolicy { reason } => Exception::new(
            Kind::MalformedPolicyDocument,
            format!("The resource policy has syntax errors: {reason}."),
        ),
        SecretError::PublicPolicy => Kind::PublicPolicy.into(),
        SecretError::Contended { .. } => Kind::InternalServiceError.into(),
        SecretError::AlreadyExists { name } => Exception::new(
            Kind::ResourceExists,
            format!("The operation failed because the secret {name} already exists."),
        ),
        SecretError::ScheduledForDeletion { .. } => Exception::new(
            Kind::InvalidRequest,
            "You can't perform this operation on the secret because it was marked for deletion.",
        ),
        // The service's front end checks names, the service itself the rest.
        SecretError::Invalid { field: "Name", reason } => {
            Exception::new(CommonException::Validation, sentence("Name", reason))
        }
        SecretError::Invalid { field: "NextToken", .. } => Kind::InvalidNextToken.into(),
        SecretError::Invalid { field, reason } => {
            Exception::new(Kind::InvalidParameter, sentence(field, reason))
        }
        SecretError::Unusable { reason, .. } => {
            Exception::new(Kind::InvalidRequest, format!("The secret is not usable: {reason}."))
        }
        SecretError::Sealed { .. } => Kind::DecryptionFailure.into(),
        SecretError::Storage(error) => return storage(error, Kind::InternalServiceError.into()),
    };
    Failure::from(exception).with_cause(error)
}

/// A reason that is a sentence already stands for itself.
fn sentence(field: &str, reason: &str) -> String {
    if reason.starts_with(char::is_uppercase) {
        reason.to_owned()
    } else {
        format!("Invalid {field}: {reason}.")
    }
}

/// What ECR says about repositories and images.
pub(super) fn describe(error: DescribeError, account: &str) -> Failure {
    let exception = match &error {
        DescribeError::Denied(denied) => return denied.clone().into(),
        DescribeError::RepositoryNotFound { repository, registry } => Exception::new(
            EcrException::RepositoryNotFound,
            format!(
                "The repository with name '{repository}' does not exist in the registry with id \
                 '{}'",
                registry.account
            ),
        ),
        DescribeError::ImageNotFound { repository, image } => {
            let (digest, tag) = if image.contains(':') {
                (image.as_str(), "null")
            } else {
                ("null", image.as_str())
            };
            Exception::new(
                EcrException::ImageNotFound,
                format!(
                    "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not \
                     exist within the repository with name '{repository}' in the registry with \
                     id '{account}'"
                ),
            )
        }
        DescribeError::Storage(error) => return storage(error, EcrException::Server.into()),
    };
    Failure::from(exception).with_cause(error)
}

/// A store that failed: the service's own word for it, and the truth in the log.
pub(super) fn storage(error: &StorageError, exception: Exception) -> Failure {
    let exception = if error.is_full() {
        let text = "The disk of this registry is full: nothing can be changed until there is room.";
        Exception::new(exception.kind(), text)
    } else {
        exception
    };
    Failure::from(exception).with_cause(chained(error))
}

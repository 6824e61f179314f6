//! What ECR says where an operation on repositories or settings did not happen. Texts follow ECR's
//! where one is known.

use aws::{Exception, exception::EcrException};
use registry::{PolicyKind, SettingError};

use super::{
    Call,
    error::{Failure, storage},
    validate::violation,
};

/// What ECR says to a call.
pub(super) fn setting(error: SettingError, call: &Call<'_>) -> Failure {
    refused(error, call.registry().settings().strict_ecr)
}

/// What ECR says.
pub(super) fn refused(error: SettingError, strict_ecr: bool) -> Failure {
    let exception = match &error {
        SettingError::Denied(denied) => return denied.clone().into(),
        SettingError::RepositoryNotFound { repository, registry } => Exception::new(
            EcrException::RepositoryNotFound,
            format!(
                "The repository with name '{repository}' does not exist in the registry with id \
                 '{}'",
                registry.account
            ),
        ),
        SettingError::RepositoryExists { repository, registry } => Exception::new(
            EcrException::RepositoryAlreadyExists,
            format!(
                "The repository with name '{repository}' already exists in the registry with id \
                 '{}'",
                registry.account
            ),
        ),
        SettingError::RepositoryNotEmpty { repository, registry } => Exception::new(
            EcrException::RepositoryNotEmpty,
            format!(
                "The repository with name '{repository}' in registry with id '{}' cannot be \
                 deleted because it still contains images",
                registry.account
            ),
        ),
        SettingError::LimitExceeded { limit } => Exception::new(
            EcrException::LimitExceeded,
            format!(
                "The operation did not succeed because it would have exceeded a service limit \
                 for your account: {limit} repositories for each registry."
            ),
        ),
        SettingError::PolicyNotFound { kind, resource, registry } => {
            policy_not_found(*kind, resource, registry.account.as_str())
        }
        // ECR's own words for both are not known; these are the model's.
        SettingError::PreviewInProgress { .. } => Exception::new(
            EcrException::LifecyclePolicyPreviewInProgress,
            "The previous lifecycle policy preview request has not completed. Wait and try again.",
        ),
        SettingError::PreviewNotFound { repository, registry } => Exception::new(
            EcrException::LifecyclePolicyPreviewNotFound,
            format!(
                "Lifecycle policy preview does not exist for the repository with name \
                 '{repository}' in the registry with id '{}'",
                registry.account
            ),
        ),
        SettingError::MalformedPolicy { kind, reason } => malformed(*kind, reason, strict_ecr),
        SettingError::LockOut => violation(
            "PolicyText",
            "The policy would prevent you from setting another policy in the future. Set it with \
             force to do so",
        ),
        SettingError::Invalid { field, reason } => violation(field, reason),
        SettingError::InvalidTag { reason } => Exception::new(
            EcrException::InvalidTagParameter,
            format!("Invalid parameter at 'tags' failed to satisfy constraint: '{reason}'"),
        ),
        SettingError::TooManyTags { .. } => EcrException::TooManyTags.into(),
        SettingError::Contended { .. } => EcrException::Server.into(),
        SettingError::Storage(error) => return storage(error, EcrException::Server.into()),
    };
    Failure::from(exception).with_cause(error)
}

fn policy_not_found(kind: PolicyKind, resource: &str, account: &str) -> Exception {
    let (exception, what) = match kind {
        PolicyKind::Repository => (EcrException::RepositoryPolicyNotFound, "Repository policy"),
        PolicyKind::Lifecycle => (EcrException::LifecyclePolicyNotFound, "Lifecycle policy"),
        PolicyKind::Registry => {
            let text =
                format!("Registry policy does not exist in the registry with id '{account}'");
            return Exception::new(EcrException::RegistryPolicyNotFound, text);
        }
    };
    Exception::new(
        exception,
        format!(
            "{what} does not exist for the repository with name '{resource}' in the registry with \
             id '{account}'"
        ),
    )
}

/// ECR does not say what is wrong with a policy about rights.
fn malformed(kind: PolicyKind, reason: &str, strict_ecr: bool) -> Exception {
    let (member, text) = match kind {
        PolicyKind::Repository => ("PolicyText", "Invalid repository policy provided"),
        PolicyKind::Registry => ("PolicyText", "Invalid registry policy provided"),
        PolicyKind::Lifecycle => ("LifecyclePolicyText", "Lifecycle policy validation failure"),
    };
    if strict_ecr && kind != PolicyKind::Lifecycle {
        return violation(member, text);
    }
    violation(member, &format!("{text}: {reason}"))
}

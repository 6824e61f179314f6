//! What ECR says when an image or a layer could not be pulled through its API.

use aws::{
    Exception,
    exception::{CommonException, EcrException},
};
use metadata::RegistryId;
use oci::RepositoryName;
use registry::{PullError, TemplateFault};

use super::{Failure, chained, describe};
use crate::rule_policy;

/// What is wrong with a whole `BatchGetImage`.
pub(in crate::control_plane) fn image(error: &PullError) -> Failure {
    let kind = match error {
        PullError::Denied(denied) => return denied.clone().into(),
        PullError::NotLetIn { .. } | PullError::TooYoung { .. } => return not_let_in(error),
        PullError::NameUnknown { registry, repository, .. } => {
            return no_repository(registry, repository);
        }
        PullError::Template { registry, repository, prefix, fault } => {
            return no_template(registry, repository, prefix, *fault);
        }
        PullError::Credentials { .. } | PullError::Upstream(_) | PullError::BadManifest { .. } => {
            EcrException::UnableToGetUpstreamImage
        }
        PullError::ManifestUnknown { .. }
        | PullError::BlobUnknown { .. }
        | PullError::Archived { .. } => EcrException::ImageNotFound,
        PullError::Storage(_) | PullError::Fill(_) | PullError::Abandoned => EcrException::Server,
    };
    Failure::from(Exception::from(kind)).with_cause(chained(error))
}

/// What is wrong with `GetDownloadUrlForLayer`.
pub(in crate::control_plane) fn layer(error: &PullError) -> Failure {
    let exception = match error {
        PullError::Denied(denied) => return denied.clone().into(),
        PullError::NotLetIn { .. } | PullError::TooYoung { .. } => return not_let_in(error),
        PullError::NameUnknown { registry, repository, .. } => {
            return no_repository(registry, repository);
        }
        PullError::Template { registry, repository, prefix, fault } => {
            return no_template(registry, repository, prefix, *fault);
        }
        PullError::BlobUnknown { repository, digest, .. } => Exception::new(
            EcrException::LayersNotFound,
            format!(
                "The layer with digest '{digest}' does not exist in the repository with name \
                 '{repository}'"
            ),
        ),
        // As for a pull, whose 404 the User Guide states; what ECR says here is not documented.
        PullError::Archived { repository, reference } => Exception::new(
            EcrException::LayersNotFound,
            format!(
                "The layer with digest '{reference}' is archived in the repository with name \
                 '{repository}', with every image that has it"
            ),
        ),
        PullError::ManifestUnknown { .. } => EcrException::LayersNotFound.into(),
        PullError::Credentials { .. } | PullError::Upstream(_) | PullError::BadManifest { .. } => {
            EcrException::UnableToGetUpstreamLayer.into()
        }
        PullError::Storage(_) | PullError::Fill(_) | PullError::Abandoned => {
            EcrException::Server.into()
        }
    };
    Failure::from(exception).with_cause(chained(error))
}

/// A repository that did not come into being, and why: ECR itself keeps the reason back.
fn no_template(
    registry: &RegistryId,
    repository: &RepositoryName,
    prefix: &str,
    fault: TemplateFault,
) -> Failure {
    let account = &registry.account;
    let text = format!(
        "The repository with name '{repository}' does not exist in the registry with id \
         '{account}': the repository creation template '{prefix}' cannot be applied: {fault}"
    );
    Exception::new(EcrException::RepositoryNotFound, text).into()
}

/// What is wrong with `ListImageReferrers`.
pub(in crate::control_plane) fn referrers(error: &PullError) -> Failure {
    let kind = match error {
        PullError::Denied(denied) => return denied.clone().into(),
        PullError::NotLetIn { .. } | PullError::TooYoung { .. } => return not_let_in(error),
        PullError::NameUnknown { registry, repository, .. } => {
            return no_repository(registry, repository);
        }
        PullError::Template { registry, repository, prefix, fault } => {
            return no_template(registry, repository, prefix, *fault);
        }
        PullError::Credentials { .. }
        | PullError::Upstream(_)
        | PullError::BadManifest { .. }
        | PullError::ManifestUnknown { .. }
        | PullError::Archived { .. }
        | PullError::BlobUnknown { .. } => EcrException::UnableToListUpstreamImageReferrers,
        PullError::Storage(_) | PullError::Fill(_) | PullError::Abandoned => EcrException::Server,
    };
    Failure::from(Exception::from(kind)).with_cause(chained(error))
}

/// What the policy of a rule keeps out. ECR has no such policies, and so no exception for it.
fn not_let_in(error: &PullError) -> Failure {
    let text = match error {
        PullError::TooYoung { rule, repository, reference, minimum, until } => {
            rule_policy::too_young(rule, repository, reference, *minimum, *until)
        }
        error => format!("The {error}."),
    };
    Exception::new(CommonException::AccessDenied, text).into()
}

fn no_repository(registry: &RegistryId, repository: &RepositoryName) -> Failure {
    let (repository, registry) = (repository.to_string(), registry.clone());
    let account = registry.account.to_string();
    describe(registry::DescribeError::RepositoryNotFound { repository, registry }, &account)
}

//! Why an operation on templates did not happen, or one cannot be applied.

use metadata::RegistryId;

use crate::{Denied, StorageError};

/// Why an operation on templates did not happen.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// One has this prefix already.
    #[error("a repository creation template with prefix {prefix} already exists in {registry}")]
    AlreadyExists {
        /// The prefix as asked for.
        prefix: String,
        /// The registry.
        registry: RegistryId,
    },
    /// None has this prefix.
    #[error("no repository creation template has prefix {prefix} in {registry}")]
    NotFound {
        /// The prefix as asked for.
        prefix: String,
        /// The registry.
        registry: RegistryId,
    },
    /// The registry has as many as it may.
    #[error("the registry has {limit} repository creation templates already")]
    LimitExceeded {
        /// The limit.
        limit: u32,
    },
    /// Others changed it again and again while this call tried to.
    #[error("repository creation template {prefix} is changed by others at the same time")]
    Contended {
        /// The prefix as asked for.
        prefix: String,
    },
    /// A field breaks a constraint.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a template cannot be applied (strict mode; ECR user guide, "Repository creation templates":
/// without a role of its own ECR may create repositories, and no more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// It sets resource tags and names no role.
    #[error("its resourceTags need a customRoleArn")]
    TagsNeedRole,
    /// It sets encryption with KMS and names no role.
    #[error("its encryptionConfiguration with KMS needs a customRoleArn")]
    KmsNeedsRole,
}

/// Why it cannot be said what a new repository is set to.
#[derive(Debug, thiserror::Error)]
pub enum CreationError {
    /// The template that it falls under cannot be applied.
    #[error("the repository creation template {prefix} cannot be applied: {fault}")]
    Template {
        /// The template's prefix, as typed.
        prefix: String,
        /// Why not.
        fault: TemplateFault,
    },
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] metadata::Error),
}

impl From<metadata::Error> for TemplateError {
    fn from(source: metadata::Error) -> Self {
        Self::Storage(source.into())
    }
}

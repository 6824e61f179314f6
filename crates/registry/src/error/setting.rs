//! Why an operation on repositories, or on settings of the registry, did not happen.

use metadata::RegistryId;

use super::{Denied, StorageError};

/// Why an operation on repositories, or on settings of the registry, did not happen.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such repository.
    #[error("repository {repository} does not exist in {registry}")]
    RepositoryNotFound {
        /// The name as asked for.
        repository: String,
        /// The registry.
        registry: RegistryId,
    },
    /// There is one of this name already.
    #[error("repository {repository} already exists in {registry}")]
    RepositoryExists {
        /// The name.
        repository: String,
        /// The registry.
        registry: RegistryId,
    },
    /// It has images, and was not to be deleted with them.
    #[error("repository {repository} in {registry} still contains images")]
    RepositoryNotEmpty {
        /// The name.
        repository: String,
        /// The registry.
        registry: RegistryId,
    },
    /// The registry has as many as it may.
    #[error("the registry has {limit} repositories already")]
    LimitExceeded {
        /// The limit.
        limit: u32,
    },
    /// The repository, or the registry, has no policy of this kind.
    #[error("there is no {kind} for {resource} in {registry}")]
    PolicyNotFound {
        /// Which kind.
        kind: PolicyKind,
        /// The repository's name; the registry's account where it is the registry's.
        resource: String,
        /// The registry.
        registry: RegistryId,
    },
    /// A lifecycle policy preview of the repository has not ended.
    #[error("a lifecycle policy preview of {repository} in {registry} is in progress")]
    PreviewInProgress {
        /// The repository's name.
        repository: String,
        /// The registry.
        registry: RegistryId,
    },
    /// There is no lifecycle policy preview of the repository.
    #[error("there is no lifecycle policy preview of {repository} in {registry}")]
    PreviewNotFound {
        /// The repository's name.
        repository: String,
        /// The registry.
        registry: RegistryId,
    },
    /// A policy is not in its language.
    #[error("the {kind} is malformed: {reason}")]
    MalformedPolicy {
        /// Which kind.
        kind: PolicyKind,
        /// What is wrong with it.
        reason: String,
    },
    /// A repository policy would keep its setter from setting another one.
    #[error("the repository policy would prevent another one from being set")]
    LockOut,
    /// A field breaks a constraint.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A tag of the resource breaks a constraint.
    #[error("invalid tag: {reason}")]
    InvalidTag {
        /// What is wrong with it.
        reason: String,
    },
    /// The repository would have more tags than it may.
    #[error("a repository has at most {limit} tags")]
    TooManyTags {
        /// The limit.
        limit: usize,
    },
    /// Others changed the same settings again and again while this change was tried.
    #[error("the settings of {resource} are being changed by too many at once")]
    Contended {
        /// The repository, or the registry.
        resource: String,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// Who may do what in a repository.
    Repository,
    /// Which images of a repository go when.
    Lifecycle,
    /// Who may do what in the registry.
    Registry,
}

impl std::fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository policy",
            Self::Lifecycle => "lifecycle policy",
            Self::Registry => "registry policy",
        })
    }
}

//! What the decisions can end in, told apart by what a caller would do about it.

mod role;
mod setting;

use std::sync::Arc;

use metadata::{Region, RegistryId, Span, Timestamp};
use oci::{Digest, Reference, RepositoryName};

use crate::{FillError, TemplateFault};

pub use role::RoleError;
pub use setting::{PolicyKind, SettingError};

/// The principal may not do this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{principal} is not authorized to perform {action} on {resource}")]
pub struct Denied {
    /// The principal, as it is written in errors.
    pub principal: String,
    /// The IAM name of the action.
    pub action: &'static str,
    /// The resource's ARN.
    pub resource: String,
}

/// Writes an error and all that caused it, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        // A transparent wrapper says what its source says.
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

/// The stores failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The metadata store.
    #[error(transparent)]
    Metadata(#[from] metadata::Error),
    /// The blob store.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
}

impl StorageError {
    /// Tells whether the medium of a store has no room left: room is all that it takes to go on.
    pub fn is_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::Metadata(error) => matches!(error, metadata::Error::Full(_)),
            Self::Blobs(blobs::Error::Io { source, .. }) => {
                matches!(source.kind(), StorageFull | QuotaExceeded)
            }
            Self::Blobs(_) => false,
        }
    }
}

/// Why a pull found nothing to serve.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PullError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A list of the rule's policy keeps it out.
    #[error("{subject} may not be pulled through rule {rule}: {reason}")]
    NotLetIn {
        /// The prefix of the rule.
        rule: String,
        /// What may not: `repository x`, `tag y`, by its name upstream.
        subject: String,
        /// Which list, and which of its patterns.
        reason: String,
    },
    /// The rule lets in only what is older.
    #[error("{repository} {reference} is too young for rule {rule}")]
    TooYoung {
        /// The prefix of the rule.
        rule: String,
        /// The repository, by its name upstream.
        repository: String,
        /// Tag or digest.
        reference: Reference,
        /// How old it must be.
        minimum: Span,
        /// From when on it will be let in.
        until: Timestamp,
    },
    /// No such repository, and no rule that could bring it.
    #[error("repository {repository} does not exist in {registry}, and no rule matches it")]
    NameUnknown {
        /// The registry asked.
        registry: RegistryId,
        /// The repository asked for.
        repository: RepositoryName,
        /// A region of the same account where a rule would match.
        rule_in: Option<Region>,
    },
    /// The repository is there or could be, but not this manifest.
    #[error("{repository} has no manifest {reference}")]
    ManifestUnknown {
        /// The repository.
        repository: RepositoryName,
        /// Tag or digest.
        reference: Reference,
        /// The upstream that does not have it either.
        upstream: Option<String>,
    },
    /// It is archived: kept, and not served before it is restored.
    #[error("{reference} of {repository} is archived")]
    Archived {
        /// The repository.
        repository: RepositoryName,
        /// Tag or digest of the image, or the digest of a blob that only archived images name.
        reference: Reference,
    },
    /// The repository is there or could be, but not this blob.
    #[error("{repository} has no blob {digest}")]
    BlobUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The digest.
        digest: Digest,
        /// The upstream that does not have it either.
        upstream: Option<String>,
    },
    /// The upstream failed, and nothing is cached that could be served.
    #[error(transparent)]
    Upstream(Arc<upstream::Error>),
    /// The manifest that the upstream sent cannot be kept.
    #[error("upstream {host} sent a manifest that cannot be kept")]
    BadManifest {
        /// The upstream.
        host: String,
        /// What is wrong with it.
        source: Arc<oci::ManifestError>,
    },
    /// The rule's secret cannot be used.
    #[error("the credentials of rule {prefix} cannot be used: {source}")]
    Credentials {
        /// The rule's prefix.
        prefix: String,
        /// Why.
        source: Arc<SecretError>,
    },
    /// The repository is not there, and the template that it would be made by cannot be applied.
    #[error("repository creation template {prefix} cannot be applied to {repository}: {fault}")]
    Template {
        /// The registry.
        registry: RegistryId,
        /// The repository that would be made.
        repository: RepositoryName,
        /// The template's prefix.
        prefix: String,
        /// Why not.
        fault: TemplateFault,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(Arc<StorageError>),
    /// The fill ended before this reader could be served.
    #[error(transparent)]
    Fill(Arc<FillError>),
    /// The task that did the work is gone: it panicked, or the process is shutting down.
    #[error("the work was abandoned")]
    Abandoned,
}

/// Why an operation on rules did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// One has this prefix already.
    #[error("a pull through cache rule with prefix {prefix} already exists in {registry}")]
    AlreadyExists {
        /// The prefix as asked for.
        prefix: String,
        /// The registry.
        registry: RegistryId,
    },
    /// None has this prefix.
    #[error("no pull through cache rule has prefix {prefix} in {registry}")]
    NotFound {
        /// The prefix as asked for.
        prefix: String,
        /// The registry.
        registry: RegistryId,
    },
    /// The registry has as many as it may.
    #[error("the registry has {limit} pull through cache rules already")]
    LimitExceeded {
        /// The limit.
        limit: u32,
    },
    /// An update that names neither a secret nor a role.
    #[error("neither a secret nor a role is given")]
    NothingToUpdate,
    /// The rule is declared, not stored: it is changed where it is declared.
    #[error("the rule {prefix} is declared by {source_name}: change it there")]
    Declared {
        /// The prefix.
        prefix: String,
        /// Where it is declared.
        source_name: String,
    },
    /// The rule has another policy than was expected.
    #[error("the policy of the rule {prefix} is not the expected one")]
    PolicyChanged {
        /// The prefix as asked for.
        prefix: String,
    },
    /// Exactly ECR's constraints hold, and ECR has no policies of rules.
    #[error("rules have no policies of their own in strict mode")]
    NoPolicies,
    /// The address cannot be an upstream.
    #[error("the upstream registry URL {url} is invalid: {reason}")]
    UnsupportedUpstream {
        /// The address as sent.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The upstream wants credentials (strict mode).
    #[error("the upstream registry {url} requires authentication")]
    CredentialsRequired {
        /// The address as sent.
        url: String,
    },
    /// `upstreamRegistry` and the address do not fit (strict mode).
    #[error("the upstream registry URL {url} is not of kind {kind}")]
    KindMismatch {
        /// The address as sent.
        url: String,
        /// The kind as sent.
        kind: String,
    },
    /// A field breaks a constraint.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// The secret is not there, or not usable.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a secret could not be made, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is none of this name or ARN.
    #[error("secret {id} does not exist")]
    NotFound {
        /// Name or ARN as asked for.
        id: String,
    },
    /// It has no such version, or no value yet.
    #[error("secret {id} has no version with {selector}")]
    VersionNotFound {
        /// Name or ARN as asked for.
        id: String,
        /// Version id or staging label.
        selector: String,
    },
    /// There is one of this name already.
    #[error("secret {name} already exists")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// There was one of this name, and it is scheduled for deletion.
    #[error("secret {id} is scheduled for deletion")]
    ScheduledForDeletion {
        /// Name or ARN as asked for.
        id: String,
    },
    /// A field breaks a constraint.
    #[error("invalid {field}: {reason}")]
    Invalid {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong, and the way out.
        reason: String,
    },
    /// A version of this id is there already, with another value.
    #[error("version {token} of secret {arn} has another value already")]
    TokenInUse {
        /// The version id: the client's request token.
        token: String,
        /// The secret.
        arn: String,
    },
    /// The secret would have more than it may.
    #[error("a secret has at most {limit} {what}")]
    LimitExceeded {
        /// More of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The resource policy is not in the language of policies.
    #[error("the resource policy is malformed: {reason}")]
    MalformedPolicy {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The resource policy lets everybody in, and the caller asked that none should.
    #[error("the resource policy lets everybody in")]
    PublicPolicy,
    /// Others changed the secret again and again while this change was tried.
    #[error("secret {id} is being changed by too many at once")]
    Contended {
        /// Name or ARN as asked for.
        id: String,
    },
    /// The value is not `{"username": …, "accessToken": …}`.
    #[error("the value of secret {id} is not usable: {reason}")]
    Unusable {
        /// Name or ARN.
        id: String,
        /// What is wrong with it; never the value itself.
        reason: &'static str,
    },
    /// The keyring cannot open the stored value.
    #[error("secret {id} cannot be decrypted")]
    Sealed {
        /// Name or ARN.
        id: String,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a listing of repositories or images did not happen.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
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
    /// The repository has no such image.
    #[error("{repository} has no image {image}")]
    ImageNotFound {
        /// The repository.
        repository: String,
        /// Tag or digest.
        image: String,
    },
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why the registry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A declared rule and a stored one differ.
    #[error(
        "rule {prefix} of {source_name} contradicts the stored rule for {stored_url}: delete the \
         stored rule, or remove the declared one"
    )]
    ContradictingRule {
        /// The prefix.
        prefix: String,
        /// Where the rule is declared.
        source_name: String,
        /// The stored rule's upstream.
        stored_url: String,
    },
    /// Two declared rules have one prefix.
    #[error("rule {prefix} is declared twice, by {first} and by {second}")]
    DeclaredTwice {
        /// The prefix.
        prefix: String,
        /// Where first.
        first: String,
        /// Where again.
        second: String,
    },
    /// A declared rule is not valid.
    #[error("rule {prefix} of {source_name} is invalid: {reason}")]
    InvalidRule {
        /// The prefix.
        prefix: String,
        /// Where it is declared.
        source_name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The keyring is not the one that sealed what is stored.
    #[error("the keyring is not the one this data was sealed with")]
    WrongKeyring,
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

macro_rules! from_store {
    ($($error:ty => $variant:ident),+ $(,)?) => {$(
        impl From<metadata::Error> for $error {
            fn from(source: metadata::Error) -> Self {
                Self::$variant(StorageError::from(source).into())
            }
        }
        impl From<blobs::Error> for $error {
            fn from(source: blobs::Error) -> Self {
                Self::$variant(StorageError::from(source).into())
            }
        }
    )+};
}

from_store! {
    PullError => Storage,
    RuleError => Storage,
    SecretError => Storage,
    DescribeError => Storage,
    RoleError => Storage,
    SettingError => Storage,
    StartError => Storage,
}

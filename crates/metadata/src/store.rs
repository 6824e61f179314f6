//! The contract of a metadata store.

mod archive;
mod collection;
mod lifecycle;
mod links;
mod manifests;
mod registry_settings;
mod repositories;
mod resource_requests;
mod roles;
mod rules;
mod secrets;
mod sightings;
mod tags;
mod templates;
mod uploads;

use std::fmt;

use async_trait::async_trait;
use oci::Digest;

pub(crate) use self::sightings::SIGHTINGS_KEPT_MILLIS;
pub use self::{
    archive::ArchiveStore, collection::CollectionStore, lifecycle::LifecycleStore,
    links::LinkStore, manifests::ManifestStore, registry_settings::RegistrySettingsStore,
    repositories::RepositoryStore, resource_requests::ResourceRequestStore, roles::RoleStore,
    rules::RuleStore, secrets::SecretStore, sightings::SightingStore, tags::TagStore,
    templates::TemplateStore, uploads::UploadStore,
};
use crate::{Changes, Revision};

/// What can go wrong with facts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such fact.
    #[error("not found")]
    NotFound,
    /// There is one of that name already.
    #[error("already exists")]
    AlreadyExists,
    /// One more would be too many.
    #[error("the limit of {limit} is reached")]
    LimitExceeded {
        /// The limit.
        limit: u32,
    },
    /// It still has content.
    #[error("not empty")]
    NotEmpty,
    /// The repository does not let this tag move from what it names.
    #[error("the tag names {digest} and may not move")]
    TagImmutable {
        /// What it names.
        digest: Digest,
    },
    /// The tag does not name what it has to for this.
    #[error("the tag names something else")]
    TagMoved {
        /// What it names.
        digest: Option<Digest>,
    },
    /// The repository does not have a part of the manifest any more.
    #[error("the repository has no {digest}")]
    PartMissing {
        /// The blob or manifest.
        digest: Digest,
    },
    /// An index names the manifest.
    #[error("index {parent} names it")]
    Referenced {
        /// The index.
        parent: Digest,
    },
    /// The repository has the manifest in its archive.
    #[error("archived")]
    Archived,
    /// The store was written by a newer version of this program.
    #[error("the store has schema {found}, this program knows up to {known}")]
    NewerSchema {
        /// Schema version found.
        found: i64,
        /// Newest schema version known.
        known: i64,
    },
    /// A stored record cannot be read back.
    #[error("a stored {record} cannot be read")]
    Corrupt {
        /// What kind of record.
        record: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The medium has no room for another fact.
    #[error("the metadata store has no room left")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The engine failed or cannot be reached.
    #[error("the metadata store failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where facts live: a trait for each subject, and what goes across them. No method relies on the
/// state of its process: two handles on one store see each other's writes at once. Every write is
/// one transaction, and records its changes in it.
#[async_trait]
pub trait MetadataStore:
    RuleStore
    + TemplateStore
    + SecretStore
    + RoleStore
    + RepositoryStore
    + ManifestStore
    + TagStore
    + LinkStore
    + ArchiveStore
    + LifecycleStore
    + CollectionStore
    + SightingStore
    + UploadStore
    + ResourceRequestStore
    + RegistrySettingsStore
    + Send
    + Sync
    + fmt::Debug
    + 'static
{
    /// Returns a named record of the installation itself (not of a registry), such as the one that
    /// proves the keyring; `None` where it was never created.
    async fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Creates a named record of the installation. Not a change.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`].
    async fn create_marker(&self, name: &str, value: &[u8]) -> Result<(), Error>;

    /// Returns what changed after `since`.
    async fn changes_since(&self, since: Revision) -> Result<Changes, Error>;
}

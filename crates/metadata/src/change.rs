//! Revisions: how one process learns what another changed.

use oci::{Digest, RepositoryName, Tag};

use crate::RegistryId;

/// A point in the store's history; grows by one with each recorded change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Revision(pub u64);

/// How many of the newest changes a store keeps; who asks about older ones must take everything
/// as changed.
pub const CHANGES_KEPT: u64 = 10_000;

/// A fact that is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The rules of a registry.
    Rules(RegistryId),
    /// A secret: its value, its existence.
    Secret(RegistryId, String),
    /// A role: its making, any change of it, its end.
    Role(RegistryId, String),
    /// A repository came into being, or changed its settings.
    Repository(RegistryId, RepositoryName),
    /// A repository was deleted with all its tags, manifests and links, which are not told one by
    /// one.
    RepositoryDeleted(RegistryId, RepositoryName),
    /// A tag was set, moved, re-checked or removed.
    Tag(RegistryId, RepositoryName, Tag),
    /// A manifest was deleted, archived or restored.
    Manifest(RegistryId, RepositoryName, Digest),
    /// The link of a blob was removed, or the blob was archived or restored.
    Link(RegistryId, RepositoryName, Digest),
}

/// What changed after a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The newest revision; ask with it next time.
    pub revision: Revision,
    /// What changed, oldest first; `None` where the history does not reach back far enough, so
    /// that everything must be taken as changed.
    pub changes: Option<Vec<Change>>,
}

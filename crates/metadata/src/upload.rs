//! Uploads: blobs that clients are pushing, piece by piece.

use oci::RepositoryName;

use crate::{Origin, Timestamp};

/// An upload that has begun and not ended. Its bytes are in the blob store, staged under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id, unique among all registries.
    pub id: String,
    /// The repository the blob is for.
    pub repository: RepositoryName,
    /// How many bytes have come and are kept.
    pub size_bytes: u64,
    /// Who pushes.
    pub origin: Origin,
    /// When it began.
    pub started_at: Timestamp,
    /// When bytes last came.
    pub moved_at: Timestamp,
}

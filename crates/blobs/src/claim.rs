//! Claims: what keeps a blob from being collected between its commit and the fact that names it.
//!
//! Whoever is about to record that a blob is here claims its digest first, commits or looks, records,
//! and gives the claim up. Whoever collects seizes the digest, asks once more whether anybody
//! recorded it, removes the blob, and lets go. A seizure fails while anybody claims; a claim waits
//! while somebody has seized, which is never for longer than one question. Both are of the medium,
//! and die with their process.

use std::{fmt, time::SystemTime};

use async_trait::async_trait;
use oci::Digest;

use crate::Error;

/// A committed blob, as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was committed, or last committed again.
    pub committed_at: SystemTime,
}

/// A digest that is claimed, until this is dropped.
#[must_use = "a blob may be collected as soon as its claim is dropped"]
pub struct Claim {
    stored_bytes: Option<u64>,
    _held: Box<dyn Send + Sync>,
}

impl Claim {
    /// Makes a claim of what holds it; for implementations of [`BlobStore`](crate::BlobStore).
    pub fn new(stored_bytes: Option<u64>, held: Box<dyn Send + Sync>) -> Self {
        Self { stored_bytes, _held: held }
    }

    /// Returns the size of the blob where one is committed, as the medium said when it was
    /// claimed, past every cache. It stays while it is claimed.
    pub fn stored_bytes(&self) -> Option<u64> {
        self.stored_bytes
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("stored_bytes", &self.stored_bytes).finish_non_exhaustive()
    }
}

/// A digest that nobody can claim, until this is dropped.
#[async_trait]
pub trait Seizure: Send + Sync + fmt::Debug {
    /// Removes the blob, provided that it was committed before `before`, and returns how many
    /// bytes that frees; `None` where it is not there, or younger. Readers that have it open go on.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn remove(self: Box<Self>, before: SystemTime) -> Result<Option<u64>, Error>;
}

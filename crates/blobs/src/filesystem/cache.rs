//! What a store keeps in memory: small blobs whole, bigger ones open and mapped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use moka::sync::Cache;
use oci::Digest;

use super::{Limits, content::FileContent};
use crate::Blob;

/// How long a small blob is served from memory before its file is looked at again: the longest
/// that a blob deleted by another process stays open-able here.
const SMALL_BLOB_LIFETIME: Duration = Duration::from_secs(60);

/// What an entry takes besides its bytes: key, counters, and the shared blob.
const ENTRY_BYTES: u32 = 256;

/// The caches of one store, shared by its clones.
#[derive(Debug)]
pub(super) struct OpenBlobs {
    small: Cache<Digest, Blob>,
    large: Cache<Digest, Arc<FileContent>>,
    deletions: AtomicU64,
}

/// A moment in the store's history of deletions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(u64);

impl OpenBlobs {
    pub(super) fn new(limits: &Limits) -> Self {
        let weigh = |_: &Digest, blob: &Blob| {
            u32::try_from(blob.size_bytes).unwrap_or(u32::MAX).saturating_add(ENTRY_BYTES)
        };
        let small = Cache::builder()
            .max_capacity(limits.small_blobs_bytes_max)
            .weigher(weigh)
            .time_to_live(SMALL_BLOB_LIFETIME);
        let large = Cache::builder().max_capacity(limits.open_files_max);
        Self { small: small.build(), large: large.build(), deletions: AtomicU64::new(0) }
    }

    /// Returns a blob that is kept. Touches no medium: of a file that is open it asks the kernel
    /// whether it still has its name and its length.
    pub(super) fn get(&self, digest: &Digest) -> Option<Blob> {
        if let Some(blob) = self.small.get(digest) {
            return Some(blob);
        }
        let content = self.large.get(digest)?;
        match content.sound_size_bytes() {
            Some(size_bytes) => Some(Blob { size_bytes, content }),
            None => {
                self.large.invalidate(digest);
                None
            }
        }
    }

    /// Returns the moment to take before a file is opened or placed, for [`Self::keep_small`] and
    /// [`Self::keep_large`].
    pub(super) fn moment(&self) -> Moment {
        Moment(self.deletions.load(SeqCst))
    }

    /// Keeps a small blob whose file was there at `since`.
    pub(super) fn keep_small(&self, digest: &Digest, blob: Blob, since: Moment) {
        self.small.insert(digest.clone(), blob);
        self.forget_if_deleted(digest, since);
    }

    /// Keeps a file that was there at `since`.
    pub(super) fn keep_large(&self, digest: &Digest, content: Arc<FileContent>, since: Moment) {
        self.large.insert(digest.clone(), content);
        self.forget_if_deleted(digest, since);
    }

    /// Forgets a blob whose file is gone.
    pub(super) fn forget_deleted(&self, digest: &Digest) {
        // Counted before the entry goes: whoever keeps it again in between sees the count.
        self.deletions.fetch_add(1, SeqCst);
        self.small.invalidate(digest);
        self.large.invalidate(digest);
    }

    fn forget_if_deleted(&self, digest: &Digest, since: Moment) {
        if self.moment() != since {
            self.small.invalidate(digest);
            self.large.invalidate(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::InMemory;

    fn blob() -> Blob {
        Blob { size_bytes: 1, content: Arc::new(InMemory::new("x")) }
    }

    #[test]
    fn what_was_opened_before_a_deletion_is_not_kept_after_it() {
        let (open, digest) = (OpenBlobs::new(&Limits::default()), Digest::of(b"x"));
        let before = open.moment();
        open.forget_deleted(&digest);
        open.keep_small(&digest, blob(), before);
        assert!(open.get(&digest).is_none());
        open.keep_small(&digest, blob(), open.moment());
        assert!(open.get(&digest).is_some());
        open.forget_deleted(&digest);
        assert!(open.get(&digest).is_none());
    }

    #[test]
    fn small_blobs_are_bounded_by_their_bytes() {
        let limits = Limits { small_blobs_bytes_max: 10_000, ..Limits::default() };
        let open = OpenBlobs::new(&limits);
        for number in 0..1000_u32 {
            open.keep_small(&Digest::of(&number.to_le_bytes()), blob(), open.moment());
        }
        open.small.run_pending_tasks();
        assert!(open.small.weighted_size() <= 10_000, "{}", open.small.weighted_size());
    }
}

//! What happened, counted. The door renders the counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// One counted fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A manifest was served from what is stored, fresh.
    ManifestHits,
    /// A manifest was fetched from its upstream for a caller.
    ManifestMisses,
    /// A tag was confirmed or moved by its upstream before it was served.
    ManifestRevalidations,
    /// A cached tag was served although its upstream could not confirm it.
    ManifestStale,
    /// A cached tag was served at once while its upstream was asked, as the policy of its rule says.
    ManifestStaleRevalidating,
    /// Something was refused because the lists of its rule keep it out.
    PolicyDenied,
    /// Something was refused, or answered with what it was before, because it is too young for its
    /// rule.
    PolicyHeldBack,
    /// A tag was said to be missing without asking the upstream that lacked it a while ago.
    PolicyMissing,
    /// A blob was served from what is stored.
    BlobHits,
    /// A blob was served while it was being filled.
    BlobMisses,
    /// A fill was started.
    FillsStarted,
    /// A fill was committed.
    FillsCommitted,
    /// A fill failed; nothing was committed.
    FillsFailed,
    /// A fill went on where its upstream had broken off.
    FillsResumed,
    /// A reader joined a fill that another had started.
    FillsJoined,
    /// Bytes received from upstreams by fills.
    FillBytes,
    /// A stored blob was found damaged and removed.
    BlobsDamaged,
    /// A lifecycle policy was evaluated and carried out.
    LifecycleEvaluations,
    /// An image was expired by a lifecycle policy.
    ImagesExpired,
    /// A cached image was evicted to keep within the quota.
    ImagesEvicted,
    /// An image was archived by a lifecycle policy.
    ImagesArchived,
    /// A link that no manifest names was deleted.
    LinksCollected,
    /// A blob that nobody needs was deleted.
    BlobsCollected,
    /// Bytes of those.
    BytesCollected,
}

impl Counter {
    /// Every counter, in order.
    pub const ALL: [Self; 24] = [
        Self::ManifestHits,
        Self::ManifestMisses,
        Self::ManifestRevalidations,
        Self::ManifestStale,
        Self::ManifestStaleRevalidating,
        Self::PolicyDenied,
        Self::PolicyHeldBack,
        Self::PolicyMissing,
        Self::BlobHits,
        Self::BlobMisses,
        Self::FillsStarted,
        Self::FillsCommitted,
        Self::FillsFailed,
        Self::FillsResumed,
        Self::FillsJoined,
        Self::FillBytes,
        Self::BlobsDamaged,
        Self::LifecycleEvaluations,
        Self::ImagesExpired,
        Self::ImagesEvicted,
        Self::ImagesArchived,
        Self::LinksCollected,
        Self::BlobsCollected,
        Self::BytesCollected,
    ];

    /// Returns the snake-case name and what it counts.
    pub fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::ManifestHits => ("manifest_hits", "manifests served from the cache, fresh"),
            Self::ManifestMisses => ("manifest_misses", "manifests fetched from an upstream"),
            Self::ManifestRevalidations => {
                ("manifest_revalidations", "tags confirmed or moved by their upstream")
            }
            Self::ManifestStale => {
                ("manifest_stale", "cached tags served because their upstream failed")
            }
            Self::ManifestStaleRevalidating => (
                "manifest_stale_revalidating",
                "cached tags served at once while their upstream was asked",
            ),
            Self::PolicyDenied => ("policy_denied", "pulls that the lists of a rule refused"),
            Self::PolicyHeldBack => {
                ("policy_held_back", "pulls of images that were too young for their rule")
            }
            Self::PolicyMissing => {
                ("policy_missing", "tags said to be missing without asking their upstream again")
            }
            Self::BlobHits => ("blob_hits", "blobs served from the cache"),
            Self::BlobMisses => ("blob_misses", "blobs served while they were filled"),
            Self::FillsStarted => ("fills_started", "fills started"),
            Self::FillsCommitted => ("fills_committed", "fills committed"),
            Self::FillsFailed => ("fills_failed", "fills that failed and committed nothing"),
            Self::FillsResumed => {
                ("fills_resumed", "times that a fill went on where its upstream had broken off")
            }
            Self::FillsJoined => ("fills_joined", "readers that joined a running fill"),
            Self::FillBytes => ("fill_bytes", "bytes received from upstreams by fills"),
            Self::BlobsDamaged => ("blobs_damaged", "stored blobs found damaged and removed"),
            Self::LifecycleEvaluations => {
                ("lifecycle_evaluations", "lifecycle policies evaluated and carried out")
            }
            Self::ImagesExpired => ("images_expired", "images expired by lifecycle policies"),
            Self::ImagesEvicted => {
                ("images_evicted", "cached images evicted to keep within the quota")
            }
            Self::ImagesArchived => ("images_archived", "images archived by lifecycle policies"),
            Self::LinksCollected => {
                ("links_collected", "blobs taken out of repositories that no manifest names")
            }
            Self::BlobsCollected => ("blobs_collected", "stored blobs that nobody needed, deleted"),
            Self::BytesCollected => ("collected_bytes", "bytes of those blobs"),
        }
    }
}

/// The counts since the process started.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; Counter::ALL.len()]);

impl Counters {
    /// Adds one.
    pub fn increment(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `count`.
    pub fn add(&self, counter: Counter, count: u64) {
        self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Returns the count.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}

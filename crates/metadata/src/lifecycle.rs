//! Lifecycle policies: what they mark, and what one would do.

use oci::{Digest, Tag};
use serde::{Deserialize, Serialize};

use crate::{Storage, Timestamp};

/// Images that go by a policy or for want of space, as they were when they were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The text of the policy that says so; `None` where space is wanted, whatever one says.
    pub policy: Option<String>,
    /// When the images were looked at.
    pub evaluated_at: Timestamp,
    /// The images.
    pub images: Vec<MarkedImage>,
}

/// An image that goes, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedImage {
    /// Its manifest.
    pub digest: Digest,
    /// The tags that named it, in order.
    pub tags: Vec<Tag>,
    /// When it had been pushed or first cached.
    pub pushed_at: Timestamp,
    /// When it had last been pulled.
    pub last_pulled_at: Option<Timestamp>,
    /// In which storage class it was.
    pub storage: Storage,
}

/// A try of a lifecycle policy on a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecyclePreview {
    /// The text of the policy.
    pub policy: String,
    /// How far it is.
    pub status: PreviewStatus,
    /// When it began: tells it from later ones.
    pub started_at: Timestamp,
    /// How many images would be expired.
    pub expiring: u64,
    /// How many images would be moved to the archive.
    pub transitioning: u64,
}

/// How far a preview is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewStatus {
    /// The images are being evaluated.
    InProgress,
    /// Every result is there.
    Complete,
    /// It came to nothing.
    Failed,
}

/// What a policy would do to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewResult {
    /// The image's manifest.
    pub digest: Digest,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// When it was pushed or first cached.
    pub pushed_at: Timestamp,
    /// The priority of the rule that marks it.
    pub priority: u64,
    /// Whether it would be moved to the archive instead of expired.
    pub is_transition: bool,
    /// Whether it is archived.
    pub is_archived: bool,
}

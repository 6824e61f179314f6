//! The contract of what a store knows of manifests that were seen and not yet let in.

use std::fmt;

use async_trait::async_trait;
use oci::Digest;

use crate::{Error, RegistryId, Timestamp};

/// How long a sighting is kept, in milliseconds: longer than any age that an image can be wanted.
pub(crate) const SIGHTINGS_KEPT_MILLIS: i64 = 400 * 24 * 60 * 60 * 1000;

/// When manifests were first seen at an upstream.
#[async_trait]
pub trait SightingStore: Send + Sync + fmt::Debug + 'static {
    /// Returns when a manifest was first seen in a registry, which is `at` where it was never
    /// before. Forgets what was seen more than 400 days ago. Not a change.
    async fn sight_manifest(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<Timestamp, Error>;
}

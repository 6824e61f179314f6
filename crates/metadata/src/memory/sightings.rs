//! Sightings in memory.

use async_trait::async_trait;
use oci::Digest;

use super::MemoryMetadata;
use crate::{Error, RegistryId, SightingStore, Timestamp, store::SIGHTINGS_KEPT_MILLIS};

#[async_trait]
impl SightingStore for MemoryMetadata {
    async fn sight_manifest(
        &self,
        registry: &RegistryId,
        digest: &Digest,
        at: Timestamp,
    ) -> Result<Timestamp, Error> {
        let mut state = self.state();
        let sightings = &mut state.facts_mut(registry).sightings;
        let oldest = at.0.saturating_sub(SIGHTINGS_KEPT_MILLIS);
        sightings.retain(|_, seen_at| seen_at.0 >= oldest);
        Ok(*sightings.entry(digest.as_str().to_owned()).or_insert(at))
    }
}

//! One blob of an image, brought into the cache and kept there.

use std::sync::Arc;

use metadata::Timestamp;
use oci::{Descriptor, Digest, Reference, RepositoryName, Tag};

use super::job::{Job, WarmError};
use crate::{
    Caller, FillError, Progress, PullError, PulledManifest, Registry, StaleReason, blob::failed,
    circuit::Advice, refresh::ImportWork, rule_policies::Freshness,
};

impl Registry {
    /// Brings a blob where it is not here, and waits until it is kept.
    pub(super) async fn warm_blob(
        &self,
        job: &Job,
        image: usize,
        blob: &Descriptor,
    ) -> Result<(), WarmError> {
        let (inner, caller) = (&self.inner, &job.caller);
        let (repository, _) = &job.new.images[image];
        let matched = inner.admit_pull(caller, repository).await?;
        let here = |fetched: u64| {
            job.note(image, |image| {
                image.blobs_here += 1;
                image.bytes_here += blob.size_bytes - fetched.min(blob.size_bytes);
            });
        };
        if inner.is_here(&caller.registry, repository, &blob.digest).await? {
            here(0);
            return Ok(());
        }
        let Some(matched) = matched else {
            let unknown = inner.unknown_blob(&caller.registry, repository, &blob.digest).await;
            return Err(unknown.map_err(PullError::from)?.into());
        };
        let _turn = inner.warmings.requests.acquire().await;
        let source = inner.join(&caller.registry, repository, &blob.digest, &matched).await?;
        let mut progress = source.progress();
        let mut told = 0;
        loop {
            let (readable, over) = match &*progress.borrow_and_update() {
                Progress::Connecting => (0, false),
                Progress::Streaming { readable_bytes, .. } => (*readable_bytes, false),
                Progress::Verified { size_bytes } => (*size_bytes, true),
                Progress::Failed(error) => {
                    job.note(image, |image| image.bytes_here -= told);
                    return Err(failed(Arc::clone(error), repository, &blob.digest).into());
                }
            };
            let readable = readable.min(blob.size_bytes).max(told);
            job.note(image, |image| {
                image.bytes_here += readable - told;
                image.bytes_new += readable - told;
            });
            told = readable;
            if over {
                break;
            }
            if progress.changed().await.is_err() {
                return Err(PullError::Fill(Arc::new(FillError::Abandoned)).into());
            }
        }
        // Verified is not kept: the disk may be full.
        source.ended().await;
        if !inner.is_here(&caller.registry, repository, &blob.digest).await? {
            job.note(image, |image| image.bytes_here -= told);
            return Err(WarmError::NotKept { digest: blob.digest.clone() });
        }
        here(told);
        Ok(())
    }

    /// Asks the upstream of a cached tag whether it still names `known`, however fresh it is. None
    /// where there is nobody to ask, or the rule wants nobody asked.
    ///
    /// # Errors
    /// Why it did not say.
    pub(super) async fn confirm_tag(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        tag: &Tag,
        known: &Digest,
    ) -> Result<Option<PulledManifest>, StaleReason> {
        let matched = self.inner.admit_pull(caller, repository).await;
        let Some(matched) = matched.map_err(StaleReason::Failed)? else { return Ok(None) };
        let (upstream, now) = (&matched.rule().upstream_registry_url, self.inner.clock.now());
        // What the rule's policy keeps as it was cached is not asked after.
        if matched.policy().freshness(tag, Timestamp(0), now) == Freshness::Fresh {
            return Ok(None);
        }
        if self.inner.circuits.advice(upstream, now) == Advice::Leave {
            return Err(StaleReason::CircuitOpen);
        }
        let reference = Reference::Tag(tag.clone());
        let key = (caller.registry.clone(), repository.clone(), reference.clone());
        let work = ImportWork {
            inner: Arc::clone(&self.inner),
            registry: caller.registry.clone(),
            repository: repository.clone(),
            reference,
            matched,
            known: Some(known.clone()),
            servable: true,
            insists: true,
        };
        let flight = self.inner.imports.join(key, move || work.run());
        let imported = flight.landed().await.ok_or(PullError::Abandoned).flatten();
        let imported = imported.map_err(StaleReason::Failed)?;
        Ok(Some(PulledManifest {
            bytes: imported.manifest.bytes.clone(),
            digest: imported.manifest.digest.clone(),
            media_type: Arc::clone(&imported.manifest.media_type),
            served: imported.served,
        }))
    }
}

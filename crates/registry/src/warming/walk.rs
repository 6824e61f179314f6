//! From an image to everything it is made of: its manifests first, then their blobs.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use metadata::{Origin, PageRequest};
use oci::{
    Descriptor, Digest, Kind, Manifest, Platform, Reference, Tag, cosign_tags, platforms_of,
};

use super::job::{Job, WarmError, WarmingState};
use crate::{PullError, PulledManifest, Registry, Served, StaleReason, chain};

/// Manifests that one image may have, those that refer to it included.
const MANIFESTS_MAX: usize = 1000;
/// How deep indexes may nest, and how far what refers to a signature is followed.
const DEPTH_MAX: usize = 4;
/// Parts of one image that are asked for together. Requests have a limit of their own.
const PARTS_AT_ONCE: usize = 8;
/// Entries of one page of referrers.
const PAGE: usize = 100;

/// One image of a warming.
struct Walk<'a> {
    registry: &'a Registry,
    job: &'a Job,
    image: usize,
}

/// What was found of an image so far.
#[derive(Default)]
struct Found {
    /// Manifests, each once.
    manifests: HashSet<Digest>,
    /// Blobs, each once.
    digests: HashSet<Digest>,
    blobs: Vec<Descriptor>,
}

/// A manifest that is here, and how far it is from the image.
struct Step {
    pulled: PulledManifest,
    depth: usize,
}

impl Registry {
    /// Brings one image of a warming, and notes what came of it.
    pub(super) async fn warm_image(&self, job: &Job, image: usize) {
        job.note(image, |image| image.state = WarmingState::Running);
        let state = match (Walk { registry: self, job, image }).run().await {
            Ok(()) => WarmingState::Complete,
            Err(error) => {
                let (repository, reference) = &job.new.images[image];
                let cause = chain(&error);
                tracing::warn!(%repository, %reference, cause, "an image was not warmed");
                WarmingState::Failed(error)
            }
        };
        job.note(image, |image| image.state = state);
    }
}

impl Walk<'_> {
    async fn run(&self) -> Result<(), WarmError> {
        let (_, reference) = &self.job.new.images[self.image];
        let top = self.top(reference).await?;
        let mut found = Found::default();
        let mut steps = vec![Step { pulled: top, depth: 0 }];
        while !steps.is_empty() {
            let mut wanted = Vec::new();
            for step in steps {
                self.read(step, &mut found, &mut wanted).await?;
            }
            steps = self.bring_manifests(wanted, &mut found).await?;
        }
        let blobs = stream::iter(&found.blobs);
        blobs
            .map(Ok)
            .try_for_each_concurrent(PARTS_AT_ONCE, |blob| {
                self.registry.warm_blob(self.job, self.image, blob)
            })
            .await
    }

    /// Pulls the manifest that the image is named by, and has its upstream confirm the tag.
    async fn top(&self, reference: &Reference) -> Result<PulledManifest, WarmError> {
        let pulled = self.pull(reference).await?;
        let (pulled, stale) = match (reference, &pulled.served) {
            // Fresh as everybody has it is not as fresh as can be: who warms wants the latter.
            (Reference::Tag(tag), Served::Hit | Served::Stale(StaleReason::Revalidating)) => {
                self.confirm(tag, pulled).await?
            }
            (_, Served::Stale(reason)) => {
                let reason = reason.clone();
                (pulled, Some(reason))
            }
            _ => (pulled, None),
        };
        self.job.note(self.image, |image| {
            image.digest = Some(pulled.digest.clone());
            image.stale = stale;
            image.manifests = 1;
        });
        Ok(pulled)
    }

    async fn pull(&self, reference: &Reference) -> Result<PulledManifest, PullError> {
        let (repository, _) = &self.job.new.images[self.image];
        let _turn = self.registry.inner.warmings.requests.acquire().await;
        self.registry.stat_manifest(&self.job.caller, repository, reference).await
    }

    async fn confirm(
        &self,
        tag: &Tag,
        pulled: PulledManifest,
    ) -> Result<(PulledManifest, Option<StaleReason>), PullError> {
        let (inner, registry) = (&self.registry.inner, &self.job.caller.registry);
        let (repository, _) = &self.job.new.images[self.image];
        let fact = inner.tag_fact(registry, repository, tag).await?;
        let is_cached = fact.is_some_and(|fact| matches!(fact.origin, Origin::Cached { .. }));
        if !is_cached {
            return Ok((pulled, None));
        }
        let _turn = inner.warmings.requests.acquire().await;
        match self.registry.confirm_tag(&self.job.caller, repository, tag, &pulled.digest).await {
            Ok(Some(confirmed)) => Ok((confirmed, None)),
            Ok(None) => Ok((pulled, None)),
            Err(reason) => Ok((pulled, Some(reason))),
        }
    }

    /// Reads a manifest: what it names goes to `found` and `wanted`.
    async fn read(
        &self,
        step: Step,
        found: &mut Found,
        wanted: &mut Vec<(Reference, usize)>,
    ) -> Result<(), WarmError> {
        let Step { pulled, depth } = step;
        found.manifests.insert(pulled.digest.clone());
        let manifest = Manifest::read(&pulled.bytes, Some(&pulled.media_type));
        // What is stored was read before.
        let Ok(manifest) = manifest else { return Ok(()) };
        for blob in manifest.blobs().filter(|blob| !blob.is_foreign()) {
            if found.digests.insert(blob.digest.clone()) {
                found.blobs.push(blob.clone());
                self.job.note(self.image, |image| {
                    image.blobs += 1;
                    image.size_bytes += blob.size_bytes;
                });
            }
        }
        if depth >= DEPTH_MAX {
            return Ok(());
        }
        if manifest.kind == Kind::Index {
            let children = self.select(&pulled.bytes, &manifest)?;
            wanted
                .extend(children.into_iter().map(|digest| (Reference::Digest(digest), depth + 1)));
        }
        if self.job.new.referrers {
            self.referrers(&pulled.digest, depth, wanted).await?;
        }
        Ok(())
    }

    /// The manifests of an index that are wanted.
    fn select(&self, bytes: &[u8], index: &Manifest) -> Result<Vec<Digest>, WarmError> {
        let asked = &self.job.new.platforms;
        let held = platforms_of(bytes).unwrap_or_default();
        let children = || index.children.iter().map(|child| child.digest.clone());
        if asked.is_empty()
            || held.len() != index.children.len()
            || held.iter().all(Option::is_none)
        {
            return Ok(children().collect());
        }
        let covers = |asked: &&Platform, held: &Option<Platform>| {
            held.as_ref().is_some_and(|held| asked.covers(held))
        };
        let is_wanted = |held: &Option<Platform>| asked.iter().any(|asked| covers(&asked, held));
        let wanted: Vec<_> = children()
            .zip(&held)
            .filter_map(|(digest, held)| is_wanted(held).then_some(digest))
            .collect();
        if wanted.is_empty() {
            return Err(WarmError::NoPlatform { held: held.into_iter().flatten().collect() });
        }
        let missing = asked.iter().filter(|asked| !held.iter().any(|held| covers(asked, held)));
        let missing: Vec<_> = missing.cloned().collect();
        self.job.note(self.image, |image| {
            for platform in missing {
                if !image.missing_platforms.contains(&platform) {
                    image.missing_platforms.push(platform);
                }
            }
        });
        Ok(wanted)
    }

    /// Adds what refers to a manifest, by the referrers of its upstream and by cosign's tags.
    async fn referrers(
        &self,
        digest: &Digest,
        depth: usize,
        wanted: &mut Vec<(Reference, usize)>,
    ) -> Result<(), WarmError> {
        let (repository, _) = &self.job.new.images[self.image];
        let mut page = PageRequest { after: None, limit: PAGE };
        loop {
            let turn = self.registry.inner.warmings.requests.acquire().await;
            let caller = &self.job.caller;
            let found = self.registry.referrers(caller, repository, digest, &[], &page).await?;
            drop(turn);
            if let Served::Stale(reason) = found.served {
                self.job.note(self.image, |image| image.stale = Some(reason));
            }
            let digests = found.page.items.into_iter().map(|found| Reference::Digest(found.digest));
            wanted.extend(digests.map(|reference| (reference, depth + 1)));
            match found.page.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        wanted.extend(cosign_tags(digest).map(|tag| (Reference::Tag(tag), depth + 1)));
        Ok(())
    }

    /// Brings manifests that are not found yet. A tag that was only guessed may be missing.
    async fn bring_manifests(
        &self,
        wanted: Vec<(Reference, usize)>,
        found: &mut Found,
    ) -> Result<Vec<Step>, WarmError> {
        let mut asked = HashSet::new();
        let is_new = |reference: &Reference| match reference {
            Reference::Digest(digest) => !found.manifests.contains(digest),
            Reference::Tag(_) => true,
        };
        let wanted: Vec<_> = wanted
            .into_iter()
            .filter(|(reference, _)| is_new(reference) && asked.insert(reference.clone()))
            .collect();
        if found.manifests.len() + wanted.len() > MANIFESTS_MAX {
            return Err(WarmError::TooManyManifests { limit: MANIFESTS_MAX });
        }
        let bring = |(reference, depth): (Reference, usize)| async move {
            match self.pull(&reference).await {
                Ok(pulled) => {
                    self.job.note(self.image, |image| image.manifests += 1);
                    Ok(Some(Step { pulled, depth }))
                }
                Err(
                    PullError::ManifestUnknown { .. }
                    | PullError::NameUnknown { .. }
                    | PullError::Archived { .. },
                ) if matches!(reference, Reference::Tag(_)) => Ok(None),
                Err(error) => Err(WarmError::from(error)),
            }
        };
        let brought = stream::iter(wanted).map(bring).buffer_unordered(PARTS_AT_ONCE);
        brought.try_filter_map(|step| std::future::ready(Ok(step))).try_collect().await
    }
}

//! The quota: where more is stored than may be, cached images make room, the least recently used
//! first, and their bytes go at once.
//!
//! Only what comes back when it is pulled is evicted: not what was pushed, not what no rule brings
//! any more, not a tag that its rule's policy keeps as it is. An image goes as one that a lifecycle
//! policy expires, in a transaction that finds it as it was; its links and bytes go as in a
//! collection, in which safety does not rest on age (docs/adr/0014).

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use metadata::{
    CachedImage, Image, LooseLink, ManifestFact, Marked, MarkedImage, Origin, PageRequest,
    RegistryId, Timestamp,
};
use oci::{Digest, RepositoryName};
use tokio::time::Instant;

use crate::{CollectError, Counter, Registry, chain, lifecycle, registry::Inner};

/// What an eviction leaves of a quota, in tenths: the next one is not to come with the next pull.
const LEFT_TENTHS: u64 = 9;
/// What was used within this time is in use: who pulled the manifest may be pulling its layers.
const IN_USE_MS: i64 = 10 * 60 * 1000;
/// How many images, and how many blobs, are looked at at once.
const IMAGES_AT_ONCE: usize = 100;
const BLOBS_AT_ONCE: usize = 1000;

impl Registry {
    /// Compares what is stored with the quota and makes room, as the registry itself does from
    /// time to time.
    pub async fn keep_quota(&self) {
        self.inner.keep_quota().await;
    }
}

/// The images that may have to go, the least recently used first: those that the store lists, and
/// those that only stand alone since another one went.
struct Candidates {
    waiting: BTreeMap<(Timestamp, u64), Candidate>,
    /// Tells apart what was used at the same time.
    count: u64,
    /// The page to read next; `None` after the last.
    page: Option<PageRequest>,
    /// What the store lists up to this moment is among those that wait.
    read_until: Timestamp,
}

/// An image, and when it was looked at.
struct Candidate {
    cached: CachedImage,
    seen_at: Timestamp,
}

impl Inner {
    /// Keeps the quota; returns how long it took to measure what is stored.
    pub(crate) async fn keep_quota(&self) -> Duration {
        let begun = Instant::now();
        let Some(quota_bytes) = self.settings.quota_bytes else { return Duration::ZERO };
        let Ok(_turn) = self.upkeep.collection.try_lock() else { return Duration::ZERO };
        let measured = self.stored_bytes().await;
        let took = begun.elapsed();
        let kept = async {
            let stored_bytes = measured?;
            if stored_bytes > quota_bytes {
                self.make_room(stored_bytes, quota_bytes).await?;
            }
            Ok::<_, CollectError>(())
        };
        if let Err(error) = kept.await {
            let error = chain(&error);
            tracing::warn!(error, "the quota is looked at again later");
        }
        took
    }

    /// Adds up the bytes of all blobs.
    async fn stored_bytes(&self) -> Result<u64, CollectError> {
        let (mut total, mut after) = (0, None);
        loop {
            let page = self.blobs.list(after.as_ref(), BLOBS_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(total) };
            total += page.iter().map(|blob| blob.size_bytes).sum::<u64>();
            after = Some(last.digest.clone());
        }
    }

    async fn make_room(&self, stored_bytes: u64, quota_bytes: u64) -> Result<(), CollectError> {
        let excess_bytes = stored_bytes - quota_bytes / 10 * LEFT_TENTHS;
        let (mut images, mut freed_bytes) = (0_u64, 0);
        let mut candidates = Candidates::new();
        while freed_bytes < excess_bytes && !self.upkeep.is_closing() {
            let Some(candidate) = candidates.next(self).await? else { break };
            let in_use_since = self.clock.now().0 - IN_USE_MS;
            if candidate.cached.image.used_at().0 > in_use_since {
                break;
            }
            if !self.comes_back(&candidate.cached).await? {
                continue;
            }
            for gone in self.evict(&candidate).await? {
                images += 1;
                let CachedImage { registry, repository, .. } = &candidate.cached;
                freed_bytes += self.free(registry, repository, &gone.manifest).await?;
                candidates.add_parts(self, registry, repository, &gone.manifest).await?;
            }
        }
        let left_bytes = stored_bytes.saturating_sub(freed_bytes);
        if images > 0 {
            tracing::info!(
                images,
                freed_bytes,
                left_bytes,
                quota_bytes,
                "evicted {images} cached images, which freed {freed_bytes} bytes"
            );
        }
        if left_bytes > quota_bytes && !self.upkeep.is_closing() {
            tracing::warn!(
                left_bytes,
                quota_bytes,
                "{left_bytes} bytes are stored, more than limits.quota-bytes, and nothing is left \
                 that may be evicted"
            );
        }
        Ok(())
    }

    /// Tells whether a pull would bring an image again as it is.
    async fn comes_back(&self, cached: &CachedImage) -> Result<bool, metadata::Error> {
        let CachedImage { registry, repository, image } = cached;
        // No pull brings back what is archived.
        if image.manifest.storage.is_archived {
            return Ok(false);
        }
        let book = self.book(registry).await?;
        let Some((booked, _)) = book.over(repository) else { return Ok(false) };
        for tag in &image.tags {
            let pushed = match self.metadata.tag(registry, repository, tag).await {
                Ok(fact) => matches!(fact.origin, Origin::Pushed { .. }),
                Err(metadata::Error::NotFound) => false,
                Err(error) => return Err(error),
            };
            if pushed || booked.policy.keeps(tag) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes an image where it still is as it was; returns it then.
    async fn evict(&self, candidate: &Candidate) -> Result<Vec<Image>, metadata::Error> {
        let CachedImage { registry, repository, image: Image { manifest, tags } } =
            &candidate.cached;
        let images = vec![MarkedImage {
            digest: manifest.digest.clone(),
            tags: tags.clone(),
            pushed_at: manifest.pushed_at,
            last_pulled_at: manifest.last_pulled_at,
            storage: manifest.storage,
        }];
        let marked = Marked { policy: None, evaluated_at: candidate.seen_at, images };
        let gone = match self.metadata.expire_images(registry, repository, &marked).await {
            Ok(gone) => gone,
            // The repository was deleted.
            Err(metadata::Error::NotFound) => Vec::new(),
            Err(error) => return Err(error),
        };
        for image in &gone {
            self.counters.increment(Counter::ImagesEvicted);
            let digest = &image.manifest.digest;
            tracing::debug!(%registry, %repository, %digest, "evicted {repository}@{digest}");
        }
        self.hot.forget(Some(&lifecycle::changes(registry, repository, &gone)));
        Ok(gone)
    }

    /// Frees what of an evicted manifest nobody else needs; returns how many bytes that were.
    async fn free(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        manifest: &ManifestFact,
    ) -> Result<u64, CollectError> {
        let parts: Vec<_> = manifest.references().map(|part| &part.digest).collect();
        let mut loose = Vec::new();
        for digest in parts.iter().copied() {
            match self.metadata.link(registry, repository, digest).await {
                Ok(link) => loose.push(LooseLink {
                    registry: registry.clone(),
                    repository: repository.clone(),
                    digest: digest.clone(),
                    linked_at: link.linked_at,
                }),
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.delete_loose(loose).await?;
        let mut freed_bytes = 0;
        for digest in parts.into_iter().chain([&manifest.digest]) {
            let freed = self.collect_blob(digest, SystemTime::now()).await?;
            freed_bytes += freed.unwrap_or_default();
        }
        Ok(freed_bytes)
    }
}

impl Candidates {
    fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            count: 0,
            page: Some(PageRequest::first(IMAGES_AT_ONCE)),
            read_until: Timestamp(i64::MIN),
        }
    }

    /// Returns the one that was not used for longest.
    async fn next(&mut self, inner: &Inner) -> Result<Option<Candidate>, metadata::Error> {
        loop {
            let first = self.waiting.first_key_value().map(|((used_at, _), _)| *used_at);
            let is_known = |used_at| self.page.is_none() || used_at <= self.read_until;
            if first.is_some_and(is_known) {
                return Ok(self.waiting.pop_first().map(|(_, candidate)| candidate));
            }
            let Some(page) = self.page.take() else { return Ok(None) };
            // Pulls that are only remembered in memory count too.
            inner.flush_pulls().await;
            let seen_at = inner.clock.now();
            let found = inner.metadata.cached_images(&page).await?;
            if let Some(last) = found.items.last() {
                self.read_until = last.image.used_at();
            }
            self.page = found.next.map(|key| PageRequest { after: Some(key), ..page });
            for cached in found.items {
                self.add(cached, seen_at);
            }
        }
    }

    fn add(&mut self, cached: CachedImage, seen_at: Timestamp) {
        self.count += 1;
        let key = (cached.image.used_at(), self.count);
        self.waiting.insert(key, Candidate { cached, seen_at });
    }

    /// Adds what an evicted manifest named or was the subject of.
    async fn add_parts(
        &mut self,
        inner: &Inner,
        registry: &RegistryId,
        repository: &RepositoryName,
        manifest: &ManifestFact,
    ) -> Result<(), metadata::Error> {
        let seen_at = inner.clock.now();
        let page = PageRequest::first(IMAGES_AT_ONCE);
        let digest = &manifest.digest;
        let referrers = inner.metadata.referrers(registry, repository, digest, &page).await?;
        let children = manifest.children.iter().map(|child| &child.digest);
        let parts: Vec<&Digest> =
            children.chain(referrers.items.iter().map(|referrer| &referrer.digest)).collect();
        for digest in parts {
            match inner.metadata.image(registry, repository, digest).await {
                Ok(image) if matches!(image.manifest.origin, Origin::Cached { .. }) => {
                    let (registry, repository) = (registry.clone(), repository.clone());
                    self.add(CachedImage { registry, repository, image }, seen_at);
                }
                // Pushed, or a layer.
                Ok(_) | Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

//! Collecting what nobody needs any more: links that no manifest of their repository names, then
//! bytes that no registry needs.
//!
//! In steps, each of which says where the next one begins. Nothing younger than the grace period is
//! touched, so that a client finds what it pushed a while ago. Safety does not rest on that: a link
//! goes in a transaction that sees it is loose and as old as it was, a manifest that is pushed is
//! recorded on condition that its parts are still there, and bytes go while nobody claims them and
//! after the store was asked once more whether anybody needs them (docs/adr/0014).

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use blobs::StoredBlob;
use metadata::{Change, LooseLink, PageRequest, Timestamp};
use moka::sync::Cache;
use oci::Digest;

use crate::{
    Action, Caller, Counter, Denied, Registry, Resource, StorageError, chain, hot::ContentKey,
    registry::Inner,
};

/// How many links, and how many blobs, one step looks at.
const LINKS_AT_ONCE: usize = 500;
const BLOBS_AT_ONCE: usize = 500;
/// How long the last question before a removal may take: others wait to claim meanwhile.
const LAST_QUESTION: Duration = Duration::from_secs(5);
/// How long a loose link stays at the most after somebody was told that the blob is there, and how
/// many of those are remembered.
const VOUCHED_FOR: Duration = Duration::from_secs(60 * 60);
const VOUCHED_MAX: u64 = 50_000;

/// Where a collection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectFrom {
    /// At the links, after a key of the store.
    Links(Option<String>),
    /// At the blobs, after one.
    Blobs(Option<Digest>),
}

/// What a step of a collection did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Links that no manifest names.
    pub links: u64,
    /// Blobs that nobody needs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the next step begins; `None` at the end.
    pub next: Option<CollectFrom>,
}

/// Why a step of a collection did not end.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<metadata::Error> for CollectError {
    fn from(source: metadata::Error) -> Self {
        Self::Storage(source.into())
    }
}

impl From<blobs::Error> for CollectError {
    fn from(source: blobs::Error) -> Self {
        Self::Storage(source.into())
    }
}

/// Links of blobs that clients were told about a while ago: what they push next may rely on them.
#[derive(Debug)]
pub(crate) struct Vouched(Cache<ContentKey, ()>);

impl Vouched {
    /// Remembers for as long as is worth it beside the grace period.
    pub(crate) fn new(grace: Duration) -> Self {
        let life = VOUCHED_FOR.min(grace);
        Self(Cache::builder().max_capacity(VOUCHED_MAX).time_to_live(life).build())
    }

    /// Remembers that somebody was told of a blob.
    pub(crate) fn remember(&self, key: ContentKey) {
        self.0.insert(key, ());
    }

    /// Takes links out that somebody was told of.
    fn keep_out(&self, links: &mut Vec<LooseLink>) {
        links.retain(|link| {
            let LooseLink { registry, repository, digest, .. } = link;
            !self.0.contains_key(&(registry.clone(), repository.clone(), digest.clone()))
        });
    }
}

impl Registry {
    /// Takes a step of a collection; `dry_run` says what it would do and does nothing. It concerns
    /// every registry of these stores: only who may do everything in the default one may.
    ///
    /// # Errors
    /// A [`CollectError`].
    pub async fn collect(
        &self,
        caller: &Caller,
        from: CollectFrom,
        dry_run: bool,
    ) -> Result<Collected, CollectError> {
        let account = &self.inner.settings.default_registry.account;
        self.inner.authorize(caller, Action::Operation(ACTION), Resource::Registry)?;
        if caller.registry.account != *account {
            return Err(CollectError::Denied(Denied {
                principal: caller.principal.to_string(),
                action: ACTION,
                resource: format!("the stores, which belong to the account {account}"),
            }));
        }
        self.inner.collect_step(from, dry_run).await
    }

    /// Collects everything, as the registry itself does from time to time.
    pub async fn collect_all(&self) {
        self.inner.collect_all(Duration::ZERO).await;
    }
}

/// The name of what is done, as IAM would write it.
const ACTION: &str = "cistern:CollectGarbage";

impl Inner {
    /// Collects, step after step, each followed by a pause: as long as it took, at most
    /// `pause_max`.
    pub(crate) async fn collect_all(&self, pause_max: Duration) {
        let Ok(_turn) = self.upkeep.collection.try_lock() else { return };
        let mut total = Collected::default();
        let mut next = Some(CollectFrom::Links(None));
        while let Some(from) = next.filter(|_| !self.upkeep.is_closing()) {
            let begun = tokio::time::Instant::now();
            match self.collect_step(from, false).await {
                Ok(step) => {
                    total.links += step.links;
                    total.blobs += step.blobs;
                    total.bytes += step.bytes;
                    next = step.next;
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "the collection is taken up again later");
                    next = None;
                }
            }
            tokio::time::sleep(begun.elapsed().min(pause_max)).await;
        }
        let Collected { links, blobs, bytes, .. } = total;
        if links + blobs > 0 {
            tracing::info!(links, blobs, bytes, "freed {bytes} bytes that nobody needs");
        }
    }

    async fn collect_step(
        &self,
        from: CollectFrom,
        dry_run: bool,
    ) -> Result<Collected, CollectError> {
        let grace_ms = i64::try_from(self.settings.collect_grace.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock.now().0.saturating_sub(grace_ms));
        match from {
            CollectFrom::Links(after) => self.collect_links(after, before, dry_run).await,
            CollectFrom::Blobs(after) => self.collect_blobs(after, before, dry_run).await,
        }
    }

    async fn collect_links(
        &self,
        after: Option<String>,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<Collected, CollectError> {
        let page = PageRequest { after, limit: LINKS_AT_ONCE };
        let mut found = self.metadata.loose_links(&page, before).await?;
        self.vouched.keep_out(&mut found.items);
        let next = match found.next {
            Some(key) => CollectFrom::Links(Some(key)),
            None => CollectFrom::Blobs(None),
        };
        let links = if dry_run || found.items.is_empty() {
            found.items.len() as u64
        } else {
            self.delete_loose(found.items).await?
        };
        Ok(Collected { links, next: Some(next), ..Collected::default() })
    }

    /// Deletes links that still are loose; returns how many.
    pub(crate) async fn delete_loose(
        &self,
        mut links: Vec<LooseLink>,
    ) -> Result<u64, metadata::Error> {
        self.vouched.keep_out(&mut links);
        let gone = self.metadata.delete_loose_links(&links).await?;
        let change = |link: &LooseLink| {
            let LooseLink { registry, repository, digest, .. } = link.clone();
            Change::Link(registry, repository, digest)
        };
        self.hot.forget(Some(&gone.iter().map(change).collect::<Vec<_>>()));
        self.counters.add(Counter::LinksCollected, gone.len() as u64);
        Ok(gone.len() as u64)
    }

    async fn collect_blobs(
        &self,
        after: Option<Digest>,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<Collected, CollectError> {
        let page = self.blobs.list(after.as_ref(), BLOBS_AT_ONCE).await?;
        let last = page.last().map(|blob| blob.digest.clone());
        let mut collected = Collected {
            next: last.map(|last| CollectFrom::Blobs(Some(last))),
            ..Default::default()
        };
        let committed_before = moment(before);
        let old: Vec<StoredBlob> =
            page.into_iter().filter(|blob| blob.committed_at < committed_before).collect();
        let digests: Vec<Digest> = old.iter().map(|blob| blob.digest.clone()).collect();
        // A step that only looks has left the loose links where they are.
        let but_loose = dry_run.then_some(before);
        let needed = self.metadata.needed(&digests, but_loose).await?;
        let needed: HashSet<Digest> = needed.into_iter().collect();
        for blob in old.into_iter().filter(|blob| !needed.contains(&blob.digest)) {
            let freed = if dry_run {
                Some(blob.size_bytes)
            } else if self.upkeep.is_closing() {
                break;
            } else {
                self.collect_blob(&blob.digest, committed_before).await?
            };
            if let Some(bytes) = freed {
                collected.blobs += 1;
                collected.bytes += bytes;
            }
        }
        Ok(collected)
    }

    /// Removes a blob where nobody claims or needs it; returns how many bytes that freed.
    pub(crate) async fn collect_blob(
        &self,
        digest: &Digest,
        committed_before: SystemTime,
    ) -> Result<Option<u64>, CollectError> {
        let Some(seizure) = self.blobs.seize(digest).await? else { return Ok(None) };
        // Whoever claimed it before has recorded what it had to by now, and nobody can claim it
        // until the seizure ends: what the store says now holds.
        let asked = self.metadata.needed(std::slice::from_ref(digest), None);
        let Ok(needed) = tokio::time::timeout(LAST_QUESTION, asked).await else { return Ok(None) };
        if !needed?.is_empty() {
            return Ok(None);
        }
        let freed = seizure.remove(committed_before).await?;
        if let Some(bytes) = freed {
            self.counters.increment(Counter::BlobsCollected);
            self.counters.add(Counter::BytesCollected, bytes);
            tracing::debug!(%digest, bytes, "collected {digest}");
        }
        Ok(freed)
    }
}

fn moment(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

//! Opening a blob: what is stored, or a fill on its way.

use std::{ops::Range, sync::Arc};

use blobs::{Access, Blob, BlobStore};
use bytes::Bytes;
use metadata::RegistryId;
use oci::{Digest, Reference, RepositoryName};
use tokio::sync::watch;

use crate::{
    Caller, Counter, FillError, FillKey, FillSource, Joined, LinkWish, Match, Progress, PullError,
    Registry, Served, chain, fill::FillTask, hot::KeyRef, registry::Inner,
};

/// The largest piece a reader is given, in bytes.
const PIECE_BYTES_MAX: u64 = 1 << 20;

/// A blob that can be read: its headers are known.
#[derive(Debug)]
pub struct OpenBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes; unknown while it comes from an upstream that did not say.
    pub size_bytes: Option<u64>,
    /// How it came to be served.
    pub served: Served,
    source: Source,
    inner: Arc<Inner>,
}

/// What is known of a blob without its bytes.
#[derive(Clone, Debug)]
pub struct BlobSummary {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, where the upstream said.
    pub size_bytes: Option<u64>,
    /// How it was found out.
    pub served: Served,
}

/// A blob that a repository may serve, or might if it were restored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linked {
    pub(crate) size_bytes: u64,
    /// Whether archived images alone name it.
    pub(crate) is_archived: bool,
}

#[derive(Debug)]
enum Source {
    Stored(Blob),
    Filling(Arc<dyn FillSource>, watch::Receiver<Progress>),
}

/// Why a body ends before its end. The connection must be aborted: a clean end would be a lie.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] blobs::Error),
    /// The fill failed.
    #[error(transparent)]
    Fill(Arc<FillError>),
}

impl Registry {
    /// Opens a blob for a GET, starting or joining a fill where it is not here; returns as soon as
    /// headers can be sent.
    ///
    /// # Errors
    /// A [`PullError`]; an upstream's failure is never reported as something missing.
    pub async fn open_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<OpenBlob, PullError> {
        let matched = self.admit_pull(caller, repository).await?;
        let linked = self.inner.served_size(&caller.registry, repository, digest).await?;
        if let Some(size_bytes) = linked
            && let Some(blob) = self.inner.stored_blob(digest, size_bytes).await?
        {
            self.inner.counters.increment(Counter::BlobHits);
            return Ok(self.opened(
                digest,
                Some(blob.size_bytes),
                Served::Hit,
                Source::Stored(blob),
            ));
        }
        // Boxed: its state would otherwise make that of every request large.
        Box::pin(self.fill_blob(caller, repository, digest, matched)).await
    }

    /// Starts or joins a fill; returns as soon as headers can be sent.
    async fn fill_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        matched: Option<Match>,
    ) -> Result<OpenBlob, PullError> {
        let Some(matched) = matched else {
            return Err(self.inner.unknown_blob(&caller.registry, repository, digest).await?);
        };
        self.inner.counters.increment(Counter::BlobMisses);
        let source = self.inner.join(&caller.registry, repository, digest, &matched).await?;
        let mut progress = source.progress();
        let wanted = Reference::Digest(digest.clone());
        let size_bytes = tokio::select! {
            started = started(&mut progress) => {
                started.map_err(|error| failed(error, repository, digest))?
            }
            circle = self.inner.circle_found(&caller.registry, &matched, &wanted, true) => {
                return Err(circle);
            }
        };
        Ok(self.opened(digest, size_bytes, Served::Miss, Source::Filling(source, progress)))
    }

    /// Looks a blob up for a HEAD. Never starts a fill. A client that is told that the blob is
    /// here may push a manifest that relies on it: it is not collected for a while.
    ///
    /// # Errors
    /// As [`Registry::open_blob`].
    pub async fn stat_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BlobSummary, PullError> {
        let matched = self.admit_pull(caller, repository).await?;
        let linked = self.inner.served_size(&caller.registry, repository, digest).await?;
        let summary = self.find_blob(caller, repository, digest, linked, matched).await?;
        if matches!(summary.served, Served::Hit) {
            let key = (caller.registry.clone(), repository.clone(), digest.clone());
            self.inner.vouched.remember(key);
        }
        Ok(summary)
    }

    /// Looks a blob up, archived or not, as whoever pushes it needs. Never starts a fill.
    pub(crate) async fn look_up_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BlobSummary, PullError> {
        let matched = self.admit_pull(caller, repository).await?;
        let linked = self.inner.linked_size(&caller.registry, repository, digest).await?;
        self.find_blob(caller, repository, digest, linked, matched).await
    }

    async fn find_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        linked: Option<u64>,
        matched: Option<Match>,
    ) -> Result<BlobSummary, PullError> {
        let digest = digest.clone();
        if let Some(size_bytes) = linked
            && let Some(blob) = self.inner.stored_blob(&digest, size_bytes).await?
        {
            let size_bytes = Some(blob.size_bytes);
            return Ok(BlobSummary { digest, size_bytes, served: Served::Hit });
        }
        let Some(matched) = matched else {
            return Err(self.inner.unknown_blob(&caller.registry, repository, &digest).await?);
        };
        let target = self.inner.target(&caller.registry, &matched).await?;
        match self.inner.upstream.stat_blob(&target, &digest).await {
            Ok(stat) => {
                self.inner.circuits.succeeded(&target.registry_url);
                Ok(BlobSummary { digest, size_bytes: stat.size_bytes, served: Served::Miss })
            }
            Err(error) => {
                self.inner.note(&target, &error);
                Err(upstream_error(Arc::new(error), repository, &digest))
            }
        }
    }

    fn opened(
        &self,
        digest: &Digest,
        size_bytes: Option<u64>,
        served: Served,
        source: Source,
    ) -> OpenBlob {
        let inner = Arc::clone(&self.inner);
        OpenBlob { digest: digest.clone(), size_bytes, served, source, inner }
    }
}

impl Inner {
    /// Returns what is known of the link of a blob.
    pub(crate) async fn linked(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Linked>, PullError> {
        if let Some(size_bytes) = self.hot.links.get(&KeyRef(registry, repository, digest)) {
            return Ok(Some(Linked { size_bytes, is_archived: false }));
        }
        let epoch = self.hot.epoch();
        let link = match self.metadata.link(registry, repository, digest).await {
            Ok(link) => link,
            Err(metadata::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let size_bytes = link.size_bytes;
        let is_archived = self.metadata.is_link_archived(registry, repository, &link).await?;
        if !is_archived {
            let key = (registry.clone(), repository.clone(), digest.clone());
            self.hot.keep(&self.hot.links, epoch, key, size_bytes);
        }
        Ok(Some(Linked { size_bytes, is_archived }))
    }

    /// Returns the size of a blob that is linked, archived or not.
    pub(crate) async fn linked_size(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<u64>, PullError> {
        let linked = self.linked(registry, repository, digest).await?;
        Ok(linked.map(|linked| linked.size_bytes))
    }

    /// Opens what is stored of a linked blob; `None` where it is gone, or damaged so that its size
    /// is no longer the one that was linked.
    pub(crate) async fn stored_blob(
        &self,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<Option<Blob>, PullError> {
        match self.blobs.open(digest).await {
            Ok(blob) if blob.size_bytes == size_bytes => Ok(Some(blob)),
            Ok(_) => {
                self.probe(digest, size_bytes, 0).await;
                Ok(None)
            }
            Err(blobs::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells whether a repository has a blob, and its bytes are here.
    pub(crate) async fn is_here(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, PullError> {
        match self.linked_size(registry, repository, digest).await? {
            Some(size_bytes) => Ok(self.stored_blob(digest, size_bytes).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Joins the fill of a blob, and starts it where nobody has.
    pub(crate) async fn join(
        self: &Arc<Self>,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
        matched: &Match,
    ) -> Result<Arc<dyn FillSource>, PullError> {
        let target = self.target(registry, matched).await?;
        let key = FillKey {
            registry_url: self.address(&target),
            identity: target.identity.as_str().to_owned(),
            repository: target.repository.to_string(),
            digest: digest.to_string(),
        };
        let wish = LinkWish {
            registry: registry.clone(),
            repository: repository.clone(),
            origin: matched.origin(),
            settings: self.settings_for_pull(registry, repository).await?,
        };
        loop {
            match self.fills.join(&key).await {
                Joined::Started(lease) => {
                    let source = lease.source();
                    source.want_link(wish.clone());
                    let (inner, digest) = (Arc::clone(self), digest.clone());
                    let task = FillTask { inner, lease, target, digest, wish };
                    tokio::spawn(task.run());
                    return Ok(source);
                }
                Joined::Waiting(source) if source.want_link(wish.clone()) => {
                    self.counters.increment(Counter::FillsJoined);
                    return Ok(source);
                }
                // It has just ended: its lease is about to go, and the next one finds the bytes.
                Joined::Waiting(_) => tokio::task::yield_now().await,
            }
        }
    }
}

/// Waits until a fill has headers; returns the size.
async fn started(progress: &mut watch::Receiver<Progress>) -> Result<Option<u64>, Arc<FillError>> {
    let abandoned = || Arc::new(FillError::Abandoned);
    let progress = progress
        .wait_for(|progress| !matches!(progress, Progress::Connecting))
        .await
        .map_err(|_| abandoned())?;
    match &*progress {
        Progress::Connecting => Err(abandoned()),
        Progress::Streaming { size_bytes, .. } => Ok(*size_bytes),
        Progress::Verified { size_bytes } => Ok(Some(*size_bytes)),
        Progress::Failed(error) => Err(Arc::clone(error)),
    }
}

pub(crate) fn failed(
    error: Arc<FillError>,
    repository: &RepositoryName,
    digest: &Digest,
) -> PullError {
    match &*error {
        FillError::Upstream(error) => upstream_error(Arc::clone(error), repository, digest),
        FillError::Storage(_) | FillError::Abandoned => PullError::Fill(error),
    }
}

fn upstream_error(
    error: Arc<upstream::Error>,
    repository: &RepositoryName,
    digest: &Digest,
) -> PullError {
    match &*error {
        upstream::Error::NotFound { host } => PullError::BlobUnknown {
            repository: repository.clone(),
            digest: digest.clone(),
            upstream: Some(host.clone()),
        },
        _ => PullError::Upstream(error),
    }
}

impl OpenBlob {
    /// Starts to read: the whole blob, or a range that the caller has checked against
    /// `size_bytes`.
    pub fn read(self, range: Option<Range<u64>>) -> BlobReader {
        let (position, end) = match range {
            Some(range) => (range.start, Some(range.end)),
            None => (0, self.size_bytes),
        };
        let (source, digest, inner) = (self.source, self.digest, self.inner);
        BlobReader { source, digest, inner, position, end, failed: false }
    }
}

/// A reader of a blob, at its own pace.
#[derive(Debug)]
pub struct BlobReader {
    source: Source,
    digest: Digest,
    inner: Arc<Inner>,
    position: u64,
    /// Where to stop; `None` until the size is known.
    end: Option<u64>,
    /// A read failed: what is stored deserves a look.
    failed: bool,
}

impl BlobReader {
    /// Goes on with another range, which the caller has checked against the blob's size.
    pub fn turn_to(&mut self, range: Range<u64>) {
        (self.position, self.end) = (range.start, Some(range.end));
    }

    /// Returns the next piece, at most 1 MiB; `None` at the end, and only when every byte that was
    /// handed out is known to be right (a range inside a blob still being filled excepted).
    ///
    /// # Errors
    /// [`ReadError`]: abort the connection.
    pub async fn next(&mut self, access: Access) -> Option<Result<Bytes, ReadError>> {
        // Of an empty blob on its way there is no last byte to withhold: its end is, until the
        // digest is known.
        let unproven = self.position == 0 && matches!(self.source, Source::Filling(..));
        if !unproven && self.end.is_some_and(|end| self.position >= end) {
            return None;
        }
        let piece = match &mut self.source {
            Source::Stored(blob) => {
                let end = self.end.unwrap_or(blob.size_bytes);
                let max = (end - self.position).min(PIECE_BYTES_MAX);
                blob.content.read(self.position, max as usize, access).await.map_err(Into::into)
            }
            Source::Filling(source, progress) => {
                match readable(progress, self.position, &mut self.end).await {
                    Ok(0) => return None,
                    Ok(max) => {
                        source.read(self.position, max as usize, access).await.map_err(Into::into)
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match &piece {
            Ok(piece) => self.position += piece.len() as u64,
            Err(_) => self.failed = true,
        }
        Some(piece)
    }
}

/// Waits until something can be read at `position`; returns how much, zero at the end. Learns the
/// end where it was not known.
async fn readable(
    progress: &mut watch::Receiver<Progress>,
    position: u64,
    end: &mut Option<u64>,
) -> Result<u64, ReadError> {
    loop {
        let readable_bytes = match &*progress.borrow_and_update() {
            Progress::Connecting => 0,
            Progress::Streaming { readable_bytes, .. } => *readable_bytes,
            Progress::Verified { size_bytes } => {
                let end = end.get_or_insert(*size_bytes);
                *end = (*end).min(*size_bytes);
                if position >= *end {
                    return Ok(0);
                }
                *size_bytes
            }
            Progress::Failed(error) => return Err(ReadError::Fill(Arc::clone(error))),
        };
        let limit = readable_bytes.min(end.unwrap_or(u64::MAX));
        if limit > position {
            return Ok((limit - position).min(PIECE_BYTES_MAX));
        }
        if progress.changed().await.is_err() {
            return Err(ReadError::Fill(Arc::new(FillError::Abandoned)));
        }
    }
}

impl Drop for BlobReader {
    /// A body of stored bytes that ended early may have ended because the kernel could not read
    /// them: look, so that a damaged blob is fetched again. A client that left looks the same.
    fn drop(&mut self) {
        let Source::Stored(blob) = &self.source else { return };
        let unfinished = self.end.is_none_or(|end| self.position < end);
        let cut_off = unfinished && self.position > 0;
        if !(cut_off || self.failed) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (inner, digest) = (Arc::clone(&self.inner), self.digest.clone());
        let (size_bytes, offset) = (blob.size_bytes, self.position.saturating_sub(1));
        runtime.spawn(async move { inner.probe(&digest, size_bytes, offset).await });
    }
}

impl Inner {
    pub(crate) async fn probe(&self, digest: &Digest, size_bytes: u64, offset: u64) {
        let store: &dyn BlobStore = &*self.blobs;
        match store.probe(digest, size_bytes, offset).await {
            Ok(true) | Err(blobs::Error::NotFound(_)) => {}
            Ok(false) => {
                self.counters.increment(Counter::BlobsDamaged);
                tracing::error!(digest = %digest, "stored blob {digest} is damaged and was removed");
            }
            Err(error) => tracing::error!(
                digest = %digest,
                error = chain(&error),
                "stored blob {digest} cannot be probed"
            ),
        }
    }
}

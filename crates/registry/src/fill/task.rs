//! One fill, from the upstream's headers to the links.

use std::sync::Arc;

use blobs::{BlobStore, Claim, StagedBlob};
use bytes::Bytes;
use metadata::{Link, NewLink};
use oci::Digest;
use tokio::sync::mpsc;
use upstream::{BlobBody, Target};

use super::{FillError, Lease, LinkWish, download::Download, lease::Publisher};
use crate::{Counter, StorageError, chain, registry::Inner};

/// Pieces between the network and the disk; each is at most one read of the upstream's socket, some
/// 400 KiB. More would wait no less (the socket has a buffer of its own) and be out of the
/// processor's cache before they are hashed.
const PIECES_AHEAD: usize = 3;

/// A fill that is about to run.
pub(crate) struct FillTask {
    pub(crate) inner: Arc<Inner>,
    pub(crate) lease: Lease,
    pub(crate) target: Target,
    pub(crate) digest: Digest,
    /// The link that the reader who started it looked for in vain.
    pub(crate) wish: LinkWish,
}

impl FillTask {
    /// Runs to the end, whoever reads. The lease, dropped on every way out, ends it for readers.
    pub(crate) async fn run(self) {
        self.inner.counters.increment(Counter::FillsStarted);
        let outcome = self.fill().await;
        match &outcome {
            Ok(_) => self.inner.circuits.succeeded(&self.target.registry_url),
            Err(FillError::Upstream(error)) => self.inner.note(&self.target, error),
            Err(FillError::Storage(_) | FillError::Abandoned) => {}
        }
        match outcome {
            Ok((size_bytes, claim)) => self.finish(size_bytes, claim).await,
            Err(error) => self.fail(error),
        }
    }

    /// Brings the bytes to where every reader can have them all; returns how many, and what keeps
    /// them there until they are linked.
    async fn fill(&self) -> Result<(u64, Claim), FillError> {
        if let Some((blob, claim)) = self.adopt().await? {
            self.lease.start(Arc::clone(&blob.content), Some(blob.size_bytes));
            self.lease.verified(blob.size_bytes);
            return Ok((blob.size_bytes, claim));
        }
        let body = self.inner.upstream.fetch_blob(&self.target, &self.digest, 0).await;
        let body = body.map_err(|error| FillError::Upstream(Arc::new(error)))?;
        // Only bytes that come need a slot: an upstream that hangs takes none from the others.
        let _slot = self.inner.fill_slots.acquire().await.map_err(|_| FillError::Abandoned)?;
        let staged = self.blobs().stage(self.digest.algorithm()).await.map_err(stored)?;
        let size_bytes = body.size_bytes;
        self.lease.start(staged.content(), size_bytes);
        let staged = self.stream(body, staged).await?;
        let verified = staged.verify(&self.digest, size_bytes).map_err(stored)?;
        self.lease.verified(verified.size_bytes());
        // Readers have every byte from here on; a store that cannot keep them costs a later fill.
        let claim = self.blobs().claim(&self.digest).await.map_err(stored)?;
        let blob = verified.commit().await.map_err(stored)?;
        Ok((blob.size_bytes, claim))
    }

    /// Streams the body into the staged blob. While one batch of pieces is hashed and written off
    /// the runtime, the next is received.
    async fn stream(&self, body: BlobBody, staged: StagedBlob) -> Result<StagedBlob, FillError> {
        let (pieces, from_network) = mpsc::channel(PIECES_AHEAD);
        let publisher = self.lease.publisher();
        let (received, staged) =
            tokio::join!(self.receive(body, pieces), write(staged, from_network, &publisher));
        // The writer's failure is the cause where both failed: it closed the channel.
        let staged = staged?;
        received.map(|()| staged)
    }

    async fn receive(&self, body: BlobBody, pieces: mpsc::Sender<Bytes>) -> Result<(), FillError> {
        let mut download = Download::new(&self.inner, &self.target, &self.digest, body);
        let failed = |error| FillError::Upstream(Arc::new(error));
        while let Some(piece) = download.next().await.map_err(failed)? {
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Writes the links that were asked for, until nobody asks any more.
    async fn finish(self, size_bytes: u64, _claim: Claim) {
        loop {
            let wishes = self.lease.next_wishes();
            if wishes.is_empty() {
                break;
            }
            let linked_at = self.inner.clock.now();
            let links: Vec<_> = wishes
                .into_iter()
                .map(|wish| NewLink {
                    registry: wish.registry,
                    repository: wish.repository,
                    link: Link {
                        digest: self.digest.clone(),
                        size_bytes,
                        media_type: None,
                        origin: wish.origin,
                        linked_at,
                    },
                    settings: wish.settings,
                })
                .collect();
            if let Err(error) = self.inner.metadata.record_links(&links).await {
                tracing::error!(
                    digest = %self.digest,
                    error = chain(&error),
                    "links of {} cannot be recorded", self.digest
                );
                break;
            }
        }
        self.inner.counters.increment(Counter::FillsCommitted);
        tracing::debug!(digest = %self.digest, upstream = %self.target.registry_url, "filled {}", self.digest);
    }

    fn fail(self, error: FillError) {
        self.inner.counters.increment(Counter::FillsFailed);
        tracing::warn!(
            digest = %self.digest,
            upstream = %self.target.registry_url,
            repository = %self.target.repository,
            error = chain(&error),
            "fill of {} from {} failed: {error}", self.digest, self.target.registry_url
        );
        self.lease.failed(error);
    }

    pub(super) fn blobs(&self) -> &dyn BlobStore {
        &*self.inner.blobs
    }
}

pub(super) fn stored(error: blobs::Error) -> FillError {
    FillError::Storage(StorageError::Blobs(error))
}

/// Writes and hashes what comes from the network, and publishes it. A thread is held for one batch
/// only: an upstream that stalls must not keep one from everybody else.
async fn write(
    mut staged: StagedBlob,
    mut from_network: mpsc::Receiver<Bytes>,
    publisher: &Publisher,
) -> Result<StagedBlob, FillError> {
    let mut pieces = Vec::with_capacity(PIECES_AHEAD);
    while from_network.recv_many(&mut pieces, PIECES_AHEAD).await > 0 {
        let batch = std::mem::take(&mut pieces);
        let append = move || {
            batch.iter().try_for_each(|piece| staged.append(piece))?;
            Ok(staged)
        };
        let appended = tokio::task::spawn_blocking(append).await;
        staged = appended.map_err(|_| FillError::Abandoned)?.map_err(stored)?;
        publisher.advance(staged.size_bytes());
    }
    Ok(staged)
}

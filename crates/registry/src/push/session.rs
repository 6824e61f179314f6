//! One upload that a request goes on with: its row, and its kept stage.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use blobs::{Hashed, StageName, StagedBlob};
use metadata::{RegistryId, Upload};
use moka::sync::Cache;
use oci::{Algorithm, RepositoryName};

use super::{
    Chunk, PushError,
    receive::{Receiver, Step},
};
use crate::registry::Inner;

/// How long a request waits for another one on the same upload: a client that lost its connection
/// comes back before the broken request is over.
const BUSY_WAIT: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
const BUSY_LOOK: Duration = Duration::from_millis(20);

/// How many bytes may come before the row says so: what a killed process loses at most.
const CHECKPOINT_BYTES: u64 = 32 << 20;

/// How many uploads are kept the hash of, and how long.
const HASHES_MAX: u64 = 4096;
const HASHES_LIFE: Duration = Duration::from_secs(60 * 60);

/// The hashes of uploads between two requests. Only a saving: without one, the bytes are read
/// again.
#[derive(Debug)]
pub(crate) struct Hashes(Cache<String, Hashed>);

impl Default for Hashes {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(HASHES_MAX).time_to_live(HASHES_LIFE).build())
    }
}

/// An upload that this request alone goes on with.
pub(super) struct Session {
    inner: Arc<Inner>,
    registry: RegistryId,
    pub(super) upload: Upload,
    pub(super) staged: StagedBlob,
}

impl Session {
    /// Opens an upload to go on with it, hashing with `algorithm`, or with what it began with.
    pub(super) async fn open(
        inner: &Arc<Inner>,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, PushError> {
        let unknown = || PushError::UploadUnknown { id: id.to_owned() };
        let name = StageName::parse(id).ok_or_else(unknown)?;
        let until = Instant::now() + BUSY_WAIT;
        loop {
            let upload = inner.find_upload(registry, repository, id).await?;
            let kept = inner.hashes.0.get(id);
            let kept = kept.filter(|kept| algorithm.is_none_or(|a| a == kept.hasher.algorithm()));
            let hashed =
                kept.unwrap_or_else(|| Hashed::nothing(algorithm.unwrap_or(Algorithm::Sha256)));
            match inner.blobs.resume(&name, upload.size_bytes, hashed).await {
                Ok(staged) => {
                    // Somebody may have gone on between the look at the row and this.
                    if inner.find_upload(registry, repository, id).await? == upload {
                        let (inner, registry) = (Arc::clone(inner), registry.clone());
                        return Ok(Self { inner, registry, upload, staged });
                    }
                }
                Err(blobs::Error::Busy) if Instant::now() < until => {
                    tokio::time::sleep(BUSY_LOOK).await;
                }
                Err(blobs::Error::Busy) => {
                    return Err(PushError::UploadBusy { id: id.to_owned() });
                }
                // The medium lost bytes (a power failure), or the upload is ending right now.
                Err(blobs::Error::Truncated { .. }) => {
                    inner.drop_upload(registry, &upload).await?;
                    return Err(unknown());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Appends a chunk. What came counts, even where the client broke off; where the chunk is
    /// not what it was said to be, none of it does.
    pub(super) async fn receive(self, chunk: Chunk<'_>) -> Result<Self, PushError> {
        if let Some(first_byte) = chunk.first_byte
            && first_byte != self.upload.size_bytes
        {
            let received_bytes = self.upload.size_bytes;
            return Err(PushError::OutOfOrder { received_bytes, first_byte });
        }
        let is_placed = chunk.first_byte.is_some();
        let mut receiver = Receiver::new(chunk, self.inner.settings.upload_bytes_max);
        let Self { inner, registry, mut upload, mut staged } = self;
        loop {
            let step;
            (staged, step) = match receiver.batch(staged).await {
                Ok(appended) => appended,
                Err(error) => {
                    if matches!(error, PushError::TooLarge { .. }) {
                        inner.drop_upload(&registry, &upload).await?;
                    }
                    return Err(error);
                }
            };
            let pending_bytes = staged.size_bytes() - upload.size_bytes;
            match step {
                // The end may still show that a placed chunk is not what it was said to be.
                Step::More if is_placed || pending_bytes < CHECKPOINT_BYTES => {}
                Step::More => inner.advance(&registry, &mut upload, &staged).await?,
                Step::Ended => {
                    inner.advance(&registry, &mut upload, &staged).await?;
                    return Ok(Self { inner, registry, upload, staged });
                }
                Step::BrokenOff(source) => {
                    inner.advance(&registry, &mut upload, &staged).await?;
                    let received_bytes = upload.size_bytes;
                    return Err(PushError::Interrupted { received_bytes, source });
                }
            }
        }
    }
}

impl Inner {
    pub(super) async fn find_upload(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Upload, PushError> {
        match self.metadata.upload(registry, repository, id).await {
            Ok(upload) => Ok(upload),
            Err(metadata::Error::NotFound) => Err(PushError::UploadUnknown { id: id.to_owned() }),
            Err(error) => Err(error.into()),
        }
    }

    /// Records how many bytes count, and keeps their hash.
    async fn advance(
        &self,
        registry: &RegistryId,
        upload: &mut Upload,
        staged: &StagedBlob,
    ) -> Result<(), PushError> {
        let hashed = staged.hashed();
        if hashed.size_bytes == upload.size_bytes {
            return Ok(());
        }
        let (size_bytes, now) = (hashed.size_bytes, self.clock.now());
        match self.metadata.advance_upload(registry, upload, size_bytes, now).await {
            Ok(()) => {}
            Err(metadata::Error::NotFound) => {
                return Err(PushError::UploadUnknown { id: upload.id.clone() });
            }
            Err(error) => return Err(error.into()),
        }
        (upload.size_bytes, upload.moved_at) = (size_bytes, now);
        self.hashes.0.insert(upload.id.clone(), hashed);
        Ok(())
    }

    /// Ends an upload, whatever came of it: its bytes first, so that none are left without a row.
    pub(crate) async fn drop_upload(
        &self,
        registry: &RegistryId,
        upload: &Upload,
    ) -> Result<(), PushError> {
        self.hashes.0.invalidate(&upload.id);
        if let Some(name) = StageName::parse(&upload.id) {
            self.blobs.discard(&name).await?;
        }
        match self.metadata.delete_upload(registry, &upload.repository, &upload.id).await {
            Ok(()) | Err(metadata::Error::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

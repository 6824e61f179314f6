//! Uploads of blobs: begun, gone on with, finished, cancelled; and blobs that come at once.

use std::sync::Arc;

use blobs::VerifiedBlob;
use metadata::{Origin, RegistryId, Upload};
use oci::{Digest, RepositoryName};

use super::{
    Chunk, PushError,
    receive::{Receiver, Step},
    session::Session,
};
use crate::{Caller, PullError, Registry, chain, registry::Inner};

/// The IAM names of what is done.
const START: &str = "ecr:InitiateLayerUpload";
const APPEND: &str = "ecr:UploadLayerPart";
const FINISH: &str = "ecr:CompleteLayerUpload";

/// How many repositories are looked at for a blob that is to be mounted from any.
const SOURCES_MAX: usize = 16;

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadStatus {
    /// Its id.
    pub id: String,
    /// How many bytes have come.
    pub size_bytes: u64,
}

/// A blob that was pushed or mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Whether the repository had it before.
    pub was_there: bool,
}

impl Registry {
    /// Begins an upload.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn start_upload(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
    ) -> Result<UploadStatus, PushError> {
        self.inner.admit_push(caller, repository, START).await?;
        let now = self.inner.clock.now();
        let upload = Upload {
            id: new_id(),
            repository: repository.clone(),
            size_bytes: 0,
            origin: caller.origin(),
            started_at: now,
            moved_at: now,
        };
        let limit = Some(self.inner.settings.uploads_max);
        match self.inner.metadata.create_upload(&caller.registry, &upload, limit).await {
            Ok(()) => Ok(UploadStatus { id: upload.id, size_bytes: 0 }),
            Err(metadata::Error::LimitExceeded { limit }) => {
                Err(PushError::UploadsExceeded { limit })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Says where an upload stands.
    ///
    /// # Errors
    /// [`PushError::UploadUnknown`].
    pub async fn upload_status(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<UploadStatus, PushError> {
        self.inner.admit_push(caller, repository, APPEND).await?;
        let Upload { id, size_bytes, .. } =
            self.inner.find_upload(&caller.registry, repository, id).await?;
        Ok(UploadStatus { id, size_bytes })
    }

    /// Goes on with an upload.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn append_upload(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        id: &str,
        chunk: Chunk<'_>,
    ) -> Result<UploadStatus, PushError> {
        self.inner.admit_push(caller, repository, APPEND).await?;
        let session = Session::open(&self.inner, &caller.registry, repository, id, None).await?;
        let Upload { id, size_bytes, .. } = session.receive(chunk).await?.upload;
        Ok(UploadStatus { id, size_bytes })
    }

    /// Ends an upload with its last chunk, which may be empty: the bytes become a blob of the
    /// repository, where they are those of `digest`. Where they are not, the upload is over.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn finish_upload(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        id: &str,
        digest: &Digest,
        chunk: Chunk<'_>,
    ) -> Result<PushedBlob, PushError> {
        self.inner.admit_push(caller, repository, FINISH).await?;
        let algorithm = Some(digest.algorithm());
        let registry = &caller.registry;
        let session = Session::open(&self.inner, registry, repository, id, algorithm).await?;
        let Session { upload, staged, .. } = session.receive(chunk).await?;
        let verified = match staged.verify(digest, None) {
            Ok(verified) => verified,
            Err(error) => {
                self.inner.drop_upload(registry, &upload).await?;
                return Err(error.into());
            }
        };
        let (inner, registry) = (Arc::clone(&self.inner), registry.clone());
        // A client that leaves now has sent everything: what it sent is kept.
        let finish = tokio::spawn(async move {
            let pushed =
                inner.keep(verified, &registry, &upload.repository, upload.origin.clone()).await?;
            inner.drop_upload(&registry, &upload).await?;
            Ok(pushed)
        });
        finish.await.map_err(|_| PushError::Abandoned)?
    }

    /// Pushes a blob at once.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn push_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        chunk: Chunk<'_>,
    ) -> Result<PushedBlob, PushError> {
        self.inner.admit_push(caller, repository, FINISH).await?;
        let mut staged = self.inner.blobs.stage(digest.algorithm()).await?;
        let mut receiver = Receiver::new(chunk, self.inner.settings.upload_bytes_max);
        loop {
            let step;
            (staged, step) = receiver.batch(staged).await?;
            match step {
                Step::More => {}
                Step::Ended => break,
                Step::BrokenOff(source) => {
                    return Err(PushError::Interrupted { received_bytes: 0, source });
                }
            }
        }
        let verified = staged.verify(digest, None)?;
        let (inner, caller) = (Arc::clone(&self.inner), caller.clone());
        let repository = repository.clone();
        let keep = tokio::spawn(async move {
            inner.keep(verified, &caller.registry, &repository, caller.origin()).await
        });
        keep.await.map_err(|_| PushError::Abandoned)?
    }

    /// Cancels an upload.
    ///
    /// # Errors
    /// [`PushError::UploadUnknown`].
    pub async fn cancel_upload(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), PushError> {
        self.inner.admit_push(caller, repository, APPEND).await?;
        let upload = self.inner.find_upload(&caller.registry, repository, id).await?;
        self.inner.drop_upload(&caller.registry, &upload).await
    }

    /// Gives a repository a blob that another one has, which the caller may pull from: `from`, or
    /// whichever it is. `None` where that does not have it here.
    ///
    /// # Errors
    /// A [`PushError`].
    pub async fn mount_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<Option<PushedBlob>, PushError> {
        self.inner.admit_push(caller, repository, START).await?;
        let sources = match from {
            Some(from) => vec![from.clone()],
            None if self.inner.settings.strict_ecr => Vec::new(),
            None => self.inner.metadata.linked_in(&caller.registry, digest, SOURCES_MAX).await?,
        };
        for from in &sources {
            let mounted = self.mount_from(caller, repository, digest, from).await?;
            if mounted.is_some() {
                return Ok(mounted);
            }
        }
        Ok(None)
    }

    /// As [`mount_blob`](Self::mount_blob), from one repository, for a caller who may push.
    pub(crate) async fn mount_from(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        from: &RepositoryName,
    ) -> Result<Option<PushedBlob>, PushError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        match inner.admit_pull(caller, from).await {
            Ok(_) => {}
            // As good as not there: the client pushes the bytes instead.
            Err(PullError::Denied(_) | PullError::NotLetIn { .. }) => return Ok(None),
            Err(error) => return Err(PushError::Pull(error)),
        }
        let linked = inner.linked(registry, from, digest).await.map_err(PushError::Pull)?;
        // Of what is archived the client pushes the bytes too.
        let Some(linked) = linked.filter(|linked| !linked.is_archived) else { return Ok(None) };
        let size_bytes = linked.size_bytes;
        let claim = inner.blobs.claim(digest).await?;
        if claim.stored_bytes() != Some(size_bytes) {
            return Ok(None);
        }
        let was_there = inner.is_linked(registry, repository, digest).await?;
        inner.link_pushed(registry, repository, digest, size_bytes, caller.origin()).await?;
        Ok(Some(PushedBlob { digest: digest.clone(), size_bytes, was_there }))
    }
}

impl Inner {
    /// Commits a blob, then links it.
    async fn keep(
        &self,
        verified: VerifiedBlob,
        registry: &RegistryId,
        repository: &RepositoryName,
        origin: Origin,
    ) -> Result<PushedBlob, PushError> {
        let (digest, size_bytes) = (verified.digest().clone(), verified.size_bytes());
        let was_there = self.is_linked(registry, repository, &digest).await?;
        let _claim = self.blobs.claim(&digest).await?;
        verified.commit().await?;
        self.link_pushed(registry, repository, &digest, size_bytes, origin).await?;
        Ok(PushedBlob { digest, size_bytes, was_there })
    }

    /// Tells whether a repository serves a blob. One that is archived is as good as not there: who
    /// pushes it brings it back.
    async fn is_linked(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, PushError> {
        let linked = self.linked(registry, repository, digest).await.map_err(PushError::Pull)?;
        Ok(linked.is_some_and(|linked| !linked.is_archived))
    }

    /// Gives up uploads that nobody goes on with.
    pub(crate) async fn expire_uploads(&self) {
        const AT_ONCE: usize = 100;
        let life_ms = i64::try_from(self.settings.upload_life.as_millis()).unwrap_or(i64::MAX);
        let before = metadata::Timestamp(self.clock.now().0.saturating_sub(life_ms));
        let idle = match self.metadata.idle_uploads(before, AT_ONCE).await {
            Ok(idle) => idle,
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "idle uploads cannot be looked for");
                return;
            }
        };
        for (registry, upload) in idle {
            let (id, repository) = (&upload.id, &upload.repository);
            match self.drop_upload(&registry, &upload).await {
                Ok(()) => tracing::info!(%registry, %repository, id, "gave up an idle upload"),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(%registry, %repository, id, error, "an idle upload stays");
                }
            }
        }
    }
}

/// A random UUID (RFC 9562, version 4): ECR's `UploadId` has that form.
fn new_id() -> String {
    let random: u128 = rand::random();
    let bits = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_name_stages() {
        for _ in 0..100 {
            let id = new_id();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
            assert!(blobs::StageName::parse(&id).is_some());
        }
    }
}

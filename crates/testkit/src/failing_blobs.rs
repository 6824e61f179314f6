//! A blob store on a medium that fails on command.

use std::{io, sync::Arc};

use async_trait::async_trait;
use blobs::{
    Access, Blob, BlobStore, Claim, Content, Error, Hashed, Seizure, Stage, StageName, StagedBlob,
    StoredBlob,
};
use bytes::Bytes;
use oci::{Algorithm, Digest};

use crate::Faults;

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlobOperation {
    /// Opening a blob.
    Open,
    /// Asking for a blob's size.
    Stat,
    /// Starting a staged blob, or going on with a kept stage.
    Stage,
    /// Appending to a staged blob. It blocks, so it can fail but not be held.
    Append,
    /// Making a staged blob durable.
    Commit,
    /// Deleting a blob, or removing a kept stage.
    Delete,
    /// Claiming a digest.
    Claim,
    /// Seizing a digest.
    Seize,
    /// Listing blobs.
    List,
    /// Checking a blob.
    Probe,
    /// Reading a committed or staged blob.
    Read,
}

/// A blob store that does what another does, except where it fails as a full disk does.
#[derive(Clone, Debug)]
pub struct FailingBlobs {
    inner: Arc<dyn BlobStore>,
    faults: Arc<Faults<BlobOperation>>,
}

impl FailingBlobs {
    /// Puts faults in front of a store.
    pub fn new(inner: Arc<dyn BlobStore>) -> Self {
        Self { inner, faults: Arc::default() }
    }

    /// Returns what is planned for its calls.
    pub fn faults(&self) -> &Faults<BlobOperation> {
        &self.faults
    }

    async fn meet(&self, operation: BlobOperation) -> Result<(), Error> {
        verdict(self.faults.meet(operation).await)
    }
}

#[async_trait]
impl BlobStore for FailingBlobs {
    async fn open(&self, digest: &Digest) -> Result<Blob, Error> {
        self.meet(BlobOperation::Open).await?;
        Ok(self.faults.guard(self.inner.open(digest).await?))
    }

    async fn stat(&self, digest: &Digest) -> Result<u64, Error> {
        self.meet(BlobOperation::Stat).await?;
        self.inner.stat(digest).await
    }

    async fn stage(&self, algorithm: Algorithm) -> Result<StagedBlob, Error> {
        self.meet(BlobOperation::Stage).await?;
        let staged = self.inner.stage(algorithm).await?;
        let stage = FailingStage { staged, faults: Arc::clone(&self.faults) };
        Ok(StagedBlob::new(Box::new(stage), algorithm))
    }

    async fn resume(
        &self,
        name: &StageName,
        size_bytes: u64,
        hashed: Hashed,
    ) -> Result<StagedBlob, Error> {
        self.meet(BlobOperation::Stage).await?;
        let staged = self.inner.resume(name, size_bytes, hashed).await?;
        let hashed = staged.hashed();
        let stage = FailingStage { staged, faults: Arc::clone(&self.faults) };
        Ok(StagedBlob::resumed(Box::new(stage), hashed))
    }

    async fn discard(&self, name: &StageName) -> Result<(), Error> {
        self.meet(BlobOperation::Delete).await?;
        self.inner.discard(name).await
    }

    async fn claim(&self, digest: &Digest) -> Result<Claim, Error> {
        self.meet(BlobOperation::Claim).await?;
        self.inner.claim(digest).await
    }

    async fn seize(&self, digest: &Digest) -> Result<Option<Box<dyn Seizure>>, Error> {
        self.meet(BlobOperation::Seize).await?;
        self.inner.seize(digest).await
    }

    async fn list(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<StoredBlob>, Error> {
        self.meet(BlobOperation::List).await?;
        self.inner.list(after, limit).await
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        self.meet(BlobOperation::Delete).await?;
        self.inner.delete(digest).await
    }

    async fn probe(&self, digest: &Digest, size_bytes: u64, offset: u64) -> Result<bool, Error> {
        self.meet(BlobOperation::Probe).await?;
        self.inner.probe(digest, size_bytes, offset).await
    }
}

/// A staged blob of the other store. Its bytes are hashed twice: here and there.
struct FailingStage {
    staged: StagedBlob,
    faults: Arc<Faults<BlobOperation>>,
}

#[async_trait]
impl Stage for FailingStage {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        verdict(self.faults.count(BlobOperation::Append).0)?;
        self.staged.append(bytes)
    }

    fn content(&self) -> Arc<dyn Content> {
        let content = self.staged.content();
        Arc::new(FailingContent { content, faults: Arc::clone(&self.faults) })
    }

    async fn commit(self: Box<Self>, digest: &Digest, size_bytes: u64) -> Result<Blob, Error> {
        verdict(self.faults.meet(BlobOperation::Commit).await)?;
        let blob = self.staged.verify(digest, Some(size_bytes))?.commit().await?;
        Ok(self.faults.guard(blob))
    }
}

#[derive(Debug)]
struct FailingContent {
    content: Arc<dyn Content>,
    faults: Arc<Faults<BlobOperation>>,
}

#[async_trait]
impl Content for FailingContent {
    async fn read(&self, offset: u64, max: usize, access: Access) -> Result<Bytes, Error> {
        verdict(self.faults.meet(BlobOperation::Read).await)?;
        self.content.read(offset, max, access).await
    }
}

impl Faults<BlobOperation> {
    fn guard(self: &Arc<Self>, blob: Blob) -> Blob {
        let faults = Arc::clone(self);
        let content = Arc::new(FailingContent { content: blob.content, faults });
        Blob { size_bytes: blob.size_bytes, content }
    }
}

fn verdict(fails: bool) -> Result<(), Error> {
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    if fails { Err(Error::Io { action: "doing as told", source: full() }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use blobs::MemoryBlobs;

    use super::*;
    use crate::Gate;

    async fn store(blobs: &FailingBlobs) -> Result<Blob, Error> {
        let mut staged = blobs.stage(Algorithm::Sha256).await?;
        staged.append(b"a")?;
        staged.append(b"b")?;
        staged.verify(&Digest::of(b"ab"), Some(2))?.commit().await
    }

    #[tokio::test]
    async fn each_operation_fails_on_command_and_heals() {
        use BlobOperation::{
            Append, Claim, Commit, Delete, List, Open, Probe, Read, Seize, Stage, Stat,
        };
        let blobs = FailingBlobs::new(Arc::new(MemoryBlobs::default()));
        let digest = Digest::of(b"ab");
        for operation in [Stage, Append, Commit] {
            blobs.faults().fail(operation);
            assert!(matches!(store(&blobs).await, Err(Error::Io { .. })), "{operation:?}");
            assert!(matches!(blobs.open(&digest).await, Err(Error::NotFound(_))));
            blobs.faults().heal();
        }
        blobs.faults().fail_nth(Append, 2);
        assert!(store(&blobs).await.is_err());
        let blob = store(&blobs).await.unwrap();
        assert_eq!(blobs.faults().calls(Append), 7);
        blobs.faults().fail_nth(Read, 2);
        assert_eq!(blob.content.read(0, 2, Access::User).await.unwrap(), "ab");
        assert!(blob.content.read(0, 2, Access::User).await.is_err());
        for operation in [Open, Stat, Probe, Delete, Claim, Seize, List] {
            blobs.faults().fail(operation);
        }
        assert!(blobs.open(&digest).await.is_err());
        assert!(blobs.stat(&digest).await.is_err());
        assert!(blobs.probe(&digest, 2, 0).await.is_err());
        assert!(blobs.delete(&digest).await.is_err());
        assert!(blobs.claim(&digest).await.is_err());
        assert!(blobs.seize(&digest).await.is_err());
        assert!(blobs.list(None, 1).await.is_err());
    }

    #[tokio::test]
    async fn a_commit_waits_at_its_gate() {
        let blobs = FailingBlobs::new(Arc::new(MemoryBlobs::default()));
        let gate = Gate::shut();
        blobs.faults().hold(BlobOperation::Commit, &gate);
        let (stored, ()) = tokio::join!(store(&blobs), async {
            gate.arrived(1).await;
            assert!(blobs.stat(&Digest::of(b"ab")).await.is_err());
            gate.open();
        });
        stored.unwrap();
    }
}

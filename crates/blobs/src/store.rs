//! The contract of a blob store.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use oci::{Algorithm, Digest, Hasher};

use crate::{Claim, Seizure, StoredBlob};

/// What can go wrong with bytes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No blob of this digest is committed.
    #[error("blob {0} is not stored")]
    NotFound(Digest),
    /// The staged bytes are not what they should be; nothing was committed.
    #[error("staged bytes have digest {actual}, expected {expected}")]
    DigestMismatch {
        /// The digest they should have.
        expected: Digest,
        /// The digest they have.
        actual: Digest,
    },
    /// The staged bytes are too few or too many; nothing was committed.
    #[error("staged {actual} bytes, expected {expected}")]
    SizeMismatch {
        /// Expected size in bytes.
        expected: u64,
        /// Staged size in bytes.
        actual: u64,
    },
    /// A stored file ends before its size: somebody truncated it.
    #[error("stored bytes end at {available}, expected {expected}")]
    Truncated {
        /// How many bytes should be there.
        expected: u64,
        /// How many are.
        available: u64,
    },
    /// Somebody else is writing to the kept stage.
    #[error("somebody else is writing to the staged bytes")]
    Busy,
    /// All staging space is in use.
    #[error("staging space is used up ({limit_bytes} bytes)")]
    StagingFull {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The medium failed.
    #[error("blob storage failed while {action}")]
    Io {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The cause.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns what turns the cause of a failed `action` into an [`Error::Io`].
    pub(crate) fn io<C: Into<std::io::Error>>(action: &'static str) -> impl FnOnce(C) -> Self {
        move |cause| Self::Io { action, source: cause.into() }
    }
}

/// Who looks at the bytes that a [`Content::read`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the kernel, in a write to a plain socket. The bytes may be a file mapping: user space
    /// must not dereference them, for a truncated file would raise SIGBUS. A kernel that meets a
    /// missing page fails the write with EFAULT instead.
    Kernel,
    /// User space (TLS, JSON, hashing): the bytes are copied out of the file by `pread`.
    User,
}

/// Bytes that can be read at any offset, complete or still growing.
#[async_trait]
pub trait Content: Send + Sync + fmt::Debug {
    /// Reads from `offset` at least one byte and at most `max`, for a caller who knows that
    /// `offset + max` bytes are there.
    ///
    /// # Errors
    /// [`Error::Truncated`] where they are not, [`Error::Io`] where the medium fails.
    async fn read(&self, offset: u64, max: usize, access: Access) -> Result<Bytes, Error>;
}

/// A committed blob, open for reading. Cheap to clone; stays readable after deletion.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Size in bytes, as the medium has it. A caller who knows another size has found damage that
    /// [`BlobStore::probe`] will confirm.
    pub size_bytes: u64,
    /// Its bytes.
    pub content: Arc<dyn Content>,
}

/// Where blobs live. Implementations share everything through the medium: two handles on one
/// store, in one process or two, see each other's commits.
#[async_trait]
pub trait BlobStore: Send + Sync + fmt::Debug + 'static {
    /// Opens a committed blob.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    async fn open(&self, digest: &Digest) -> Result<Blob, Error>;

    /// Returns the size of a committed blob in bytes, without opening it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    async fn stat(&self, digest: &Digest) -> Result<u64, Error>;

    /// Starts a staged blob whose bytes are hashed with `algorithm` as they are appended.
    ///
    /// # Errors
    /// [`Error::Io`] where no staging file can be made.
    async fn stage(&self, algorithm: Algorithm) -> Result<StagedBlob, Error>;

    /// Goes on with a kept stage: bytes that stay when their [`StagedBlob`] is dropped, under a
    /// name, for any handle on the store to go on with, after a restart too. One at a time may.
    /// The first `size_bytes` are those that count: more are cut off, and with zero the stage
    /// begins. What `hashed` has not seen of them is read again.
    ///
    /// # Errors
    /// [`Error::Busy`] while somebody else goes on with it; [`Error::Truncated`] where it has
    /// fewer bytes; [`Error::StagingFull`]; [`Error::Io`].
    async fn resume(
        &self,
        name: &StageName,
        size_bytes: u64,
        hashed: Hashed,
    ) -> Result<StagedBlob, Error>;

    /// Removes a kept stage; removing what is not there succeeds. Who is writing to it writes to
    /// nothing from then on.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn discard(&self, name: &StageName) -> Result<(), Error>;

    /// Claims a digest, whether a blob of it is committed or not: until the claim is dropped nobody
    /// collects that. Take it before the bytes are committed or looked at, keep it until the fact
    /// that names them is recorded.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn claim(&self, digest: &Digest) -> Result<Claim, Error>;

    /// Seizes a digest, to collect its blob; `None` where somebody claims it.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn seize(&self, digest: &Digest) -> Result<Option<Box<dyn Seizure>>, Error>;

    /// Lists committed blobs in the order of their digests, after one, at most `limit`; none at
    /// the end.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn list(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<StoredBlob>, Error>;

    /// Deletes a blob, whoever claims or needs it; deleting what is not there succeeds. Readers
    /// that have it open go on.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn delete(&self, digest: &Digest) -> Result<(), Error>;

    /// Checks that the stored bytes of a blob around `offset` can be read and that its length is
    /// right, past every cache. A blob found damaged is deleted, so that the next pull fetches it
    /// again. Returns whether it was sound.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, [`Error::Io`] where deleting fails.
    async fn probe(&self, digest: &Digest, size_bytes: u64, offset: u64) -> Result<bool, Error>;
}

/// The name of a kept stage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StageName(Arc<str>);

impl StageName {
    /// Parses a name: 1 to 64 hexadecimal digits and hyphens, so that it can name a file anywhere.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
        let well_formed = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
        well_formed.then(|| Self(text.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A hash over the first bytes of something.
#[derive(Clone, Debug)]
pub struct Hashed {
    /// The hash so far.
    pub hasher: Hasher,
    /// How many bytes it has seen.
    pub size_bytes: u64,
}

impl Hashed {
    /// A hash that has seen nothing.
    pub fn nothing(algorithm: Algorithm) -> Self {
        Self { hasher: Hasher::new(algorithm), size_bytes: 0 }
    }
}

/// The store's side of a staged blob: raw bytes, a way to make them permanent, and a `Drop` that
/// removes them unless they were. Only an implementation of [`BlobStore`] has to do with it.
#[async_trait]
pub trait Stage: Send + Sync {
    /// Appends bytes. Blocks.
    ///
    /// # Errors
    /// [`Error::StagingFull`] or [`Error::Io`].
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Returns what was appended so far, readable while it grows.
    fn content(&self) -> Arc<dyn Content>;

    /// Makes the bytes durable under `digest`; where that exists already, keeps what is there.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails.
    async fn commit(self: Box<Self>, digest: &Digest, size_bytes: u64) -> Result<Blob, Error>;
}

/// A blob on its way in. Dropping it removes what was staged.
pub struct StagedBlob {
    stage: Box<dyn Stage>,
    hasher: Hasher,
    size_bytes: u64,
}

impl StagedBlob {
    /// Begins to hash what is appended to `stage`; for implementations of [`BlobStore`].
    pub fn new(stage: Box<dyn Stage>, algorithm: Algorithm) -> Self {
        Self { stage, hasher: Hasher::new(algorithm), size_bytes: 0 }
    }

    /// Goes on with a `stage` whose bytes `hashed` has seen; for implementations of
    /// [`BlobStore`].
    pub fn resumed(stage: Box<dyn Stage>, hashed: Hashed) -> Self {
        Self { stage, hasher: hashed.hasher, size_bytes: hashed.size_bytes }
    }

    /// Returns the hash of what was appended so far, to go on with later.
    pub fn hashed(&self) -> Hashed {
        Hashed { hasher: self.hasher.clone(), size_bytes: self.size_bytes }
    }

    /// Appends bytes and hashes them. Blocks on the medium: call it off the runtime.
    ///
    /// # Errors
    /// [`Error::StagingFull`] or [`Error::Io`]; the staged blob is of no use afterwards.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stage.append(bytes)?;
        self.hasher.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Returns how many bytes were appended.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Returns the bytes appended so far, readable by any number of readers while they grow, and
    /// after this staged blob is gone.
    pub fn content(&self) -> Arc<dyn Content> {
        self.stage.content()
    }

    /// Compares what was appended with what it should be. This is the only way to a
    /// [`VerifiedBlob`], and that the only way to commit.
    ///
    /// # Errors
    /// [`Error::SizeMismatch`] or [`Error::DigestMismatch`]; what was staged is removed.
    pub fn verify(self, expected: &Digest, size_bytes: Option<u64>) -> Result<VerifiedBlob, Error> {
        if let Some(expected) = size_bytes.filter(|&expected| expected != self.size_bytes) {
            return Err(Error::SizeMismatch { expected, actual: self.size_bytes });
        }
        let actual = self.hasher.finish();
        if actual != *expected {
            return Err(Error::DigestMismatch { expected: expected.clone(), actual });
        }
        Ok(VerifiedBlob { stage: self.stage, digest: actual, size_bytes: self.size_bytes })
    }
}

impl fmt::Debug for StagedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedBlob").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// A staged blob that is what it should be, and is not yet durable.
pub struct VerifiedBlob {
    stage: Box<dyn Stage>,
    digest: Digest,
    size_bytes: u64,
}

impl VerifiedBlob {
    /// Returns the digest that was checked.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Makes the blob durable and visible; where it exists already, what is there stays.
    ///
    /// # Errors
    /// [`Error::Io`] where the medium fails; nothing becomes visible then.
    pub async fn commit(self) -> Result<Blob, Error> {
        self.stage.commit(&self.digest, self.size_bytes).await
    }
}

impl fmt::Debug for VerifiedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBlob").field("digest", &self.digest).finish_non_exhaustive()
    }
}

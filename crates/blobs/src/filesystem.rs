//! Blobs as files of one directory.
//!
//! Clones share their caches, their staging space and the directory; handles opened apart share
//! the directory alone, and need no more. Invariant: a file outside `staging/` got its name after its
//! bytes were hashed, compared and made durable; nothing writes to it afterwards. What a killed
//! process leaves is a file in `staging/`, which the next [`FilesystemBlobs::open`] removes.

mod cache;
mod collection;
mod content;
mod layout;
mod staging;

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use oci::{Algorithm, Digest};

use self::{
    cache::OpenBlobs,
    content::FileContent,
    layout::{Layout, Placed},
    staging::StagedFile,
};
use crate::{
    Blob, BlobStore, Claim, Error, Hashed, Seizure, StageName, StagedBlob, StoredBlob,
    blocking::blocking, memory::InMemory, staging::StagingSpace,
};

/// Blobs up to this size (manifests, configurations) are read whole and kept in memory.
const SMALL_BLOB_BYTES: u64 = 64 << 10;

/// How much a probe reads around an offset: a reader that failed there had windows before and
/// after it on their way.
const PROBE_BYTES: u64 = 2 << 20;

/// What a [`FilesystemBlobs`] may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes staged at once, over all fills.
    pub staging_bytes_max: u64,
    /// Bytes of small blobs (at most 64 KiB each) kept in memory.
    pub small_blobs_bytes_max: u64,
    /// Files of bigger blobs kept open, one file descriptor each.
    pub open_files_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { staging_bytes_max: 64 << 30, small_blobs_bytes_max: 32 << 20, open_files_max: 256 }
    }
}

/// A blob store in a directory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FilesystemBlobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    layout: Layout,
    space: Arc<StagingSpace>,
    open: OpenBlobs,
}

impl FilesystemBlobs {
    /// Opens the store in `dir`, made where it is missing, and removes the staging files of
    /// writers that are dead. Living writers hold a lock on theirs, so that any number of handles,
    /// in one process or several, may be opened at any time.
    ///
    /// # Errors
    /// [`Error::Io`] where the directories cannot be made or read.
    pub async fn open(dir: impl Into<PathBuf>, limits: Limits) -> Result<Self, Error> {
        let dir = dir.into();
        blocking("opening the blob store", move || Self::open_blocking(&dir, &limits)).await
    }

    fn open_blocking(dir: &Path, limits: &Limits) -> Result<Self, Error> {
        let layout = Layout::make(dir)?;
        let swept = staging::sweep(layout.staging())?;
        if swept > 0 {
            tracing::info!(swept, "removed staging files of a process that died");
        }
        let space = StagingSpace::new(limits.staging_bytes_max);
        Ok(Self { shared: Arc::new(Shared { layout, space, open: OpenBlobs::new(limits) }) })
    }

    /// Returns how many bytes this handle and its clones are staging.
    pub fn staging_bytes(&self) -> u64 {
        self.shared.space.used_bytes()
    }
}

#[async_trait]
impl BlobStore for FilesystemBlobs {
    /// A blob kept in memory or open is found without touching the medium. One deleted by another
    /// process may still be found for a minute where it is small.
    async fn open(&self, digest: &Digest) -> Result<Blob, Error> {
        if let Some(blob) = self.shared.open.get(digest) {
            return Ok(blob);
        }
        let (shared, digest) = (Arc::clone(&self.shared), digest.clone());
        blocking("opening a blob", move || shared.load(&digest)).await
    }

    async fn stat(&self, digest: &Digest) -> Result<u64, Error> {
        const ACTION: &str = "asking for the size of a blob";
        if let Some(blob) = self.shared.open.get(digest) {
            return Ok(blob.size_bytes);
        }
        let (path, digest) = (self.shared.layout.blob(digest), digest.clone());
        let size = move || {
            let found = fs::metadata(path);
            found.map(|found| found.len()).map_err(not_found_or(ACTION, &digest))
        };
        blocking(ACTION, size).await
    }

    async fn stage(&self, algorithm: Algorithm) -> Result<StagedBlob, Error> {
        let shared = Arc::clone(&self.shared);
        let staged = blocking("making a staging file", move || StagedFile::make(shared)).await?;
        Ok(StagedBlob::new(Box::new(staged), algorithm))
    }

    async fn resume(
        &self,
        name: &StageName,
        size_bytes: u64,
        hashed: Hashed,
    ) -> Result<StagedBlob, Error> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        let resume = move || {
            let mut staged = StagedFile::resume(shared, &name, size_bytes)?;
            let hashed = staged.hash_on(hashed)?;
            Ok(StagedBlob::resumed(Box::new(staged), hashed))
        };
        blocking("going on with a kept stage", resume).await
    }

    async fn discard(&self, name: &StageName) -> Result<(), Error> {
        let path = self.shared.layout.kept(name);
        blocking("removing a kept stage", move || staging::discard(&path)).await
    }

    async fn claim(&self, digest: &Digest) -> Result<Claim, Error> {
        collection::claim(Arc::clone(&self.shared), digest.clone()).await
    }

    async fn seize(&self, digest: &Digest) -> Result<Option<Box<dyn Seizure>>, Error> {
        let (shared, digest) = (Arc::clone(&self.shared), digest.clone());
        let seize = move || collection::seize(shared, digest);
        let seized = blocking("seizing a blob", seize).await?;
        Ok(seized.map(|seized| Box::new(seized) as Box<dyn Seizure>))
    }

    async fn list(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<StoredBlob>, Error> {
        let (shared, after) = (Arc::clone(&self.shared), after.cloned());
        blocking("listing blobs", move || collection::list(&shared, after.as_ref(), limit)).await
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        let (shared, digest) = (Arc::clone(&self.shared), digest.clone());
        blocking("deleting a blob", move || shared.delete(&digest)).await
    }

    async fn probe(&self, digest: &Digest, size_bytes: u64, offset: u64) -> Result<bool, Error> {
        let (shared, digest) = (Arc::clone(&self.shared), digest.clone());
        blocking("probing a blob", move || shared.probe(&digest, size_bytes, offset)).await
    }
}

/// What blocks.
impl Shared {
    fn load(&self, digest: &Digest) -> Result<Blob, Error> {
        const ACTION: &str = "opening a blob";
        let since = self.open.moment();
        let file = File::open(self.layout.blob(digest)).map_err(not_found_or(ACTION, digest))?;
        let size_bytes = file.metadata().map_err(Error::io(ACTION))?.len();
        if size_bytes > SMALL_BLOB_BYTES {
            let content = Arc::new(FileContent::settled(file, size_bytes));
            self.open.keep_large(digest, Arc::clone(&content), since);
            return Ok(Blob { size_bytes, content });
        }
        let mut bytes = Vec::with_capacity(size_bytes as usize);
        (&file).take(SMALL_BLOB_BYTES).read_to_end(&mut bytes).map_err(Error::io(ACTION))?;
        // So little is hashed at no cost, and a damaged manifest never leaves.
        if Digest::of_with(digest.algorithm(), &bytes) != *digest {
            tracing::warn!(%digest, "a stored blob is damaged and is deleted");
            self.delete(digest)?;
            return Err(Error::NotFound(digest.clone()));
        }
        Ok(self.keep_small(digest, bytes, since))
    }

    fn keep_small(&self, digest: &Digest, bytes: Vec<u8>, since: cache::Moment) -> Blob {
        let size_bytes = bytes.len() as u64;
        let blob = Blob { size_bytes, content: Arc::new(InMemory::new(bytes)) };
        self.open.keep_small(digest, blob.clone(), since);
        blob
    }

    /// Gives a staged file its final name and keeps it open, or opens what was there before.
    fn place(
        &self,
        staged: &Path,
        digest: &Digest,
        size_bytes: u64,
        content: &Arc<FileContent>,
    ) -> Result<Blob, Error> {
        let since = self.open.moment();
        if self.layout.place(staged, digest, size_bytes)? == Placed::AlreadyThere {
            return self.load(digest);
        }
        content.settle(size_bytes);
        if size_bytes > SMALL_BLOB_BYTES {
            self.open.keep_large(digest, Arc::clone(content), since);
            return Ok(Blob { size_bytes, content: Arc::<FileContent>::clone(content) });
        }
        let mut bytes = vec![0; size_bytes as usize];
        let read = content.file().read_exact_at(&mut bytes, 0);
        read.map_err(Error::io("reading a committed blob"))?;
        Ok(self.keep_small(digest, bytes, since))
    }

    fn delete(&self, digest: &Digest) -> Result<(), Error> {
        let removed = match fs::remove_file(self.layout.blob(digest)) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
            _ => Ok(()),
        };
        self.open.forget_deleted(digest);
        removed.map_err(Error::io("deleting a blob"))
    }

    fn probe(&self, digest: &Digest, size_bytes: u64, offset: u64) -> Result<bool, Error> {
        const ACTION: &str = "probing a blob";
        let opened = File::open(self.layout.blob(digest)).map_err(not_found_or(ACTION, digest));
        let file = opened.inspect_err(|_| self.open.forget_deleted(digest))?;
        let length = file.metadata().map_err(Error::io(ACTION))?.len();
        // What is kept of a file that is sound may stay: where that is another file than this,
        // it has no name any more, and the next open sees that.
        if length == size_bytes && is_sound(&file, digest, size_bytes, offset) {
            return Ok(true);
        }
        tracing::warn!(%digest, length, size_bytes, "a stored blob is damaged and is deleted");
        self.delete(digest)?;
        Ok(false)
    }
}

/// Whether the bytes around `offset` can be read, and are the right ones where they are few.
fn is_sound(file: &File, digest: &Digest, size_bytes: u64, offset: u64) -> bool {
    let mut start = offset.min(size_bytes).saturating_sub(PROBE_BYTES);
    let end = offset.saturating_add(PROBE_BYTES).min(size_bytes);
    // One buffer, whatever the range: many readers may leave, and be probed after, at once.
    let mut buffer = vec![0; SMALL_BLOB_BYTES as usize];
    while start < end {
        let piece = (end - start).min(SMALL_BLOB_BYTES);
        if let Err(error) = file.read_exact_at(&mut buffer[..piece as usize], start) {
            tracing::warn!(%error, start, "stored bytes cannot be read");
            return false;
        }
        start += piece;
    }
    let is_small = size_bytes <= SMALL_BLOB_BYTES;
    !is_small || Digest::of_with(digest.algorithm(), &buffer[..size_bytes as usize]) == *digest
}

fn not_found_or(action: &'static str, digest: &Digest) -> impl FnOnce(std::io::Error) -> Error {
    let digest = digest.clone();
    move |cause| match cause.kind() {
        ErrorKind::NotFound => Error::NotFound(digest),
        _ => Error::io(action)(cause),
    }
}

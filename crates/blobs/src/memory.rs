//! Blobs in memory: for tests, and for whoever keeps nothing.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    ops::Bound,
    sync::{self, Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use oci::{Algorithm, Digest};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::{
    Access, Blob, BlobStore, Claim, Content, Error, Hashed, Seizure, StageName, StagedBlob,
    StoredBlob,
    staging::{Reservation, StagingSpace},
    store::Stage,
};

/// The size of the blocks that staged bytes are kept in.
const BLOCK_BYTES: usize = 256 << 10;

/// A blob store in memory. Clones are handles on one store.
#[derive(Clone, Debug)]
pub struct MemoryBlobs {
    committed: Arc<Mutex<Committed>>,
    kept: Arc<Mutex<HashMap<StageName, Kept>>>,
    space: Arc<StagingSpace>,
    /// Read-locked by who claims anything, write-locked by who has seized something.
    claims: Arc<RwLock<()>>,
}

/// Blobs by digest, and when each was committed.
type Committed = BTreeMap<Digest, (Blob, SystemTime)>;

/// A kept stage.
#[derive(Debug, Default)]
struct Kept {
    blocks: Arc<Blocks>,
    /// Somebody goes on with it.
    is_busy: bool,
}

impl MemoryBlobs {
    /// Makes an empty store that may stage `staging_bytes_max` bytes at once.
    pub fn new(staging_bytes_max: u64) -> Self {
        Self {
            committed: Arc::default(),
            kept: Arc::default(),
            space: StagingSpace::new(staging_bytes_max),
            claims: Arc::default(),
        }
    }

    /// Returns how many bytes are being staged.
    pub fn staging_bytes(&self) -> u64 {
        self.space.used_bytes()
    }

    /// Takes a kept stage, cut to size, for one who goes on with it.
    fn hold(&self, name: &StageName, size_bytes: u64) -> Result<(Arc<Blocks>, Held), Error> {
        let mut kept = lock(&self.kept);
        let held = match kept.get_mut(name) {
            Some(held) => held,
            None if size_bytes == 0 => kept.entry(name.clone()).or_default(),
            None => return Err(Error::Truncated { expected: size_bytes, available: 0 }),
        };
        if held.is_busy {
            return Err(Error::Busy);
        }
        let available = held.blocks.size_bytes();
        if available < size_bytes {
            return Err(Error::Truncated { expected: size_bytes, available });
        }
        held.blocks.truncate(size_bytes);
        held.is_busy = true;
        let blocks = Arc::clone(&held.blocks);
        let (name, kept) = (name.clone(), Arc::clone(&self.kept));
        Ok((Arc::clone(&blocks), Held { kept, name, blocks }))
    }

    fn find(&self, digest: &Digest) -> Result<Blob, Error> {
        let blob = lock(&self.committed).get(digest).map(|(blob, _)| blob.clone());
        blob.ok_or_else(|| Error::NotFound(digest.clone()))
    }
}

impl Default for MemoryBlobs {
    /// Makes an empty store without a limit.
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn open(&self, digest: &Digest) -> Result<Blob, Error> {
        self.find(digest)
    }

    async fn stat(&self, digest: &Digest) -> Result<u64, Error> {
        Ok(self.find(digest)?.size_bytes)
    }

    async fn stage(&self, algorithm: Algorithm) -> Result<StagedBlob, Error> {
        let stage = MemoryStage {
            blocks: Arc::default(),
            kept: None,
            reserved: self.space.reserve(),
            committed: Arc::clone(&self.committed),
        };
        Ok(StagedBlob::new(Box::new(stage), algorithm))
    }

    async fn resume(
        &self,
        name: &StageName,
        size_bytes: u64,
        mut hashed: Hashed,
    ) -> Result<StagedBlob, Error> {
        let (blocks, held) = self.hold(name, size_bytes)?;
        let mut reserved = self.space.reserve();
        reserved.grow(size_bytes)?;
        if hashed.size_bytes > size_bytes {
            hashed = Hashed::nothing(hashed.hasher.algorithm());
        }
        while hashed.size_bytes < size_bytes {
            let max = usize::try_from(size_bytes - hashed.size_bytes).unwrap_or(BLOCK_BYTES);
            let max = max.min(BLOCK_BYTES);
            let piece = blocks.read(hashed.size_bytes, max, Access::User).await?;
            hashed.hasher.update(&piece);
            hashed.size_bytes += piece.len() as u64;
        }
        let committed = Arc::clone(&self.committed);
        let stage = MemoryStage { blocks, kept: Some(held), reserved, committed };
        Ok(StagedBlob::resumed(Box::new(stage), hashed))
    }

    async fn discard(&self, name: &StageName) -> Result<(), Error> {
        lock(&self.kept).remove(name);
        Ok(())
    }

    async fn claim(&self, digest: &Digest) -> Result<Claim, Error> {
        let held = Arc::clone(&self.claims).read_owned().await;
        let stored_bytes = self.find(digest).ok().map(|blob| blob.size_bytes);
        Ok(Claim::new(stored_bytes, Box::new(held)))
    }

    async fn seize(&self, digest: &Digest) -> Result<Option<Box<dyn Seizure>>, Error> {
        let Ok(lock) = Arc::clone(&self.claims).try_write_owned() else { return Ok(None) };
        let (committed, digest) = (Arc::clone(&self.committed), digest.clone());
        Ok(Some(Box::new(Seized { committed, digest, _lock: lock })))
    }

    async fn list(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<StoredBlob>, Error> {
        let committed = lock(&self.committed);
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let blobs = committed.range::<Digest, _>((after, Bound::Unbounded)).take(limit);
        let blob = |(digest, (blob, committed_at)): (&Digest, &(Blob, SystemTime))| StoredBlob {
            digest: digest.clone(),
            size_bytes: blob.size_bytes,
            committed_at: *committed_at,
        };
        Ok(blobs.map(blob).collect())
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        lock(&self.committed).remove(digest);
        Ok(())
    }

    async fn probe(&self, digest: &Digest, size_bytes: u64, _offset: u64) -> Result<bool, Error> {
        let sound = self.find(digest)?.size_bytes == size_bytes;
        if !sound {
            self.delete(digest).await?;
        }
        Ok(sound)
    }
}

/// A digest that nobody can claim, nor any other.
#[derive(Debug)]
struct Seized {
    committed: Arc<Mutex<Committed>>,
    digest: Digest,
    _lock: OwnedRwLockWriteGuard<()>,
}

#[async_trait]
impl Seizure for Seized {
    async fn remove(self: Box<Self>, before: SystemTime) -> Result<Option<u64>, Error> {
        let mut committed = lock(&self.committed);
        match committed.get(&self.digest) {
            Some((blob, committed_at)) if *committed_at < before => {
                let size_bytes = blob.size_bytes;
                committed.remove(&self.digest);
                Ok(Some(size_bytes))
            }
            _ => Ok(None),
        }
    }
}

struct MemoryStage {
    blocks: Arc<Blocks>,
    kept: Option<Held>,
    reserved: Reservation,
    committed: Arc<Mutex<Committed>>,
}

/// A kept stage that somebody goes on with.
struct Held {
    kept: Arc<Mutex<HashMap<StageName, Kept>>>,
    name: StageName,
    blocks: Arc<Blocks>,
}

impl Held {
    /// Does something with the stage, unless it was discarded and may have begun anew.
    fn with(&self, act: impl FnOnce(&mut HashMap<StageName, Kept>)) {
        let mut kept = lock(&self.kept);
        if kept.get(&self.name).is_some_and(|held| Arc::ptr_eq(&held.blocks, &self.blocks)) {
            act(&mut kept);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.with(|kept| {
            if let Some(held) = kept.get_mut(&self.name) {
                held.is_busy = false;
            }
        });
    }
}

#[async_trait]
impl Stage for MemoryStage {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.reserved.grow(bytes.len() as u64)?;
        self.blocks.append(bytes);
        Ok(())
    }

    fn content(&self) -> Arc<dyn Content> {
        Arc::<Blocks>::clone(&self.blocks)
    }

    async fn commit(self: Box<Self>, digest: &Digest, size_bytes: u64) -> Result<Blob, Error> {
        let blob = Blob { size_bytes, content: self.content() };
        if let Some(held) = &self.kept {
            held.with(|kept| drop(kept.remove(&held.name)));
        }
        let mut committed = lock(&self.committed);
        let now = SystemTime::now();
        let (blob, committed_at) = committed.entry(digest.clone()).or_insert((blob, now));
        *committed_at = now;
        Ok(blob.clone())
    }
}

/// Bytes in blocks of one size, of which the last still grows.
#[derive(Default)]
struct Blocks(sync::RwLock<Grown>);

#[derive(Default)]
struct Grown {
    full: Vec<Bytes>,
    tail: Vec<u8>,
}

impl Blocks {
    fn size_bytes(&self) -> u64 {
        let grown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (grown.full.len() * BLOCK_BYTES + grown.tail.len()) as u64
    }

    /// Cuts off what is beyond `size_bytes`.
    fn truncate(&self, size_bytes: u64) {
        let grown = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner);
        let size = usize::try_from(size_bytes).unwrap_or(usize::MAX);
        let (full, within) = (size / BLOCK_BYTES, size % BLOCK_BYTES);
        if full < grown.full.len() {
            grown.tail = grown.full[full].to_vec();
            grown.full.truncate(full);
        }
        grown.tail.truncate(within);
    }

    fn append(&self, mut bytes: &[u8]) {
        let grown = &mut *self.0.write().unwrap_or_else(PoisonError::into_inner);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK_BYTES - grown.tail.len()));
            grown.tail.extend_from_slice(now);
            if grown.tail.len() == BLOCK_BYTES {
                grown.full.push(std::mem::take(&mut grown.tail).into());
            }
            bytes = later;
        }
    }
}

#[async_trait]
impl Content for Blocks {
    async fn read(&self, offset: u64, max: usize, _access: Access) -> Result<Bytes, Error> {
        let grown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let full_bytes = grown.full.len() * BLOCK_BYTES;
        let start = check_bounds(offset, max, full_bytes + grown.tail.len())?;
        let (block, within) = (start / BLOCK_BYTES, start % BLOCK_BYTES);
        Ok(match grown.full.get(block) {
            Some(bytes) => bytes.slice(within..bytes.len().min(within.saturating_add(max))),
            None => Bytes::copy_from_slice(&grown.tail[within..within + max]),
        })
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blocks")
    }
}

/// A whole small blob.
pub(crate) struct InMemory(Bytes);

impl InMemory {
    pub(crate) fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }
}

#[async_trait]
impl Content for InMemory {
    async fn read(&self, offset: u64, max: usize, _access: Access) -> Result<Bytes, Error> {
        let start = check_bounds(offset, max, self.0.len())?;
        Ok(self.0.slice(start..start + max))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InMemory({} bytes)", self.0.len())
    }
}

/// Returns `offset` where `max` bytes from there on are available.
fn check_bounds(offset: u64, max: usize, available: usize) -> Result<usize, Error> {
    let (expected, available) = (offset.saturating_add(max as u64), available as u64);
    if expected > available {
        return Err(Error::Truncated { expected, available });
    }
    Ok(usize::try_from(offset).expect("no more than is in memory"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

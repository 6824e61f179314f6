//! Staged files: made, appended to, given up or committed; and the sweep of dead ones.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    ops::RangeInclusive,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use oci::Digest;
use rustix::fs::{FallocateFlags, fallocate};

use super::{Shared, content::FileContent};
use crate::{
    Blob, Content, Error, Hashed, StageName,
    blocking::{DropOffRuntime, blocking},
    staging::Reservation,
    store::Stage,
};

/// Space is taken from the medium in steps as large as what was written so far, within these
/// bounds: nearly half of what it costs to write at the end of a file is the search for space.
const STEP_BYTES: RangeInclusive<u64> = (1 << 20)..=(64 << 20);

/// How much of a kept stage is read at once to be hashed again.
const HASHED_BYTES: usize = 1 << 20;

/// A staged file, locked.
pub(super) struct StagedFile {
    name: Name,
    content: Arc<FileContent>,
    written_bytes: u64,
    /// Space taken, up to this offset.
    allocated_bytes: u64,
    reserved: Reservation,
    store: Arc<Shared>,
}

/// The name of a file, and what becomes of it.
enum Name {
    /// It goes with the value.
    Own(DropOffRuntime<StagedName>),
    /// It stays, until it is discarded or committed.
    Kept(PathBuf),
}

struct StagedName(PathBuf);

impl Drop for StagedName {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            // Renamed away, or swept.
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "a staging file cannot be removed yet"),
            Ok(()) => {}
        }
    }
}

impl StagedFile {
    /// Makes an empty staging file. Blocks.
    pub(super) fn make(store: Arc<Shared>) -> Result<Self, Error> {
        let made = make_locked(store.layout.staging());
        let (name, file) = made.map_err(Error::io("making a staging file"))?;
        Ok(Self {
            name: Name::Own(DropOffRuntime::new(name)),
            content: Arc::new(FileContent::growing(file)),
            written_bytes: 0,
            allocated_bytes: 0,
            reserved: store.space.reserve(),
            store,
        })
    }

    /// Opens a kept stage, made where it is to have no bytes yet. Blocks.
    pub(super) fn resume(
        store: Arc<Shared>,
        name: &StageName,
        size_bytes: u64,
    ) -> Result<Self, Error> {
        const ACTION: &str = "opening a kept stage";
        let path = store.layout.kept(name);
        let file = open_kept(&path, size_bytes)?;
        let available = file.metadata().map_err(Error::io(ACTION))?.len();
        if available < size_bytes {
            return Err(Error::Truncated { expected: size_bytes, available });
        }
        file.set_len(size_bytes).map_err(Error::io(ACTION))?;
        let mut reserved = store.space.reserve();
        reserved.grow(size_bytes)?;
        Ok(Self {
            name: Name::Kept(path),
            content: Arc::new(FileContent::growing(file)),
            written_bytes: size_bytes,
            allocated_bytes: 0,
            reserved,
            store,
        })
    }

    /// Reads what a hash has not seen. Blocks.
    pub(super) fn hash_on(&mut self, mut hashed: Hashed) -> Result<Hashed, Error> {
        if hashed.size_bytes > self.written_bytes {
            hashed = Hashed::nothing(hashed.hasher.algorithm());
        }
        let mut buffer = vec![0; HASHED_BYTES];
        while hashed.size_bytes < self.written_bytes {
            let left = self.written_bytes - hashed.size_bytes;
            let piece = &mut buffer[..left.min(HASHED_BYTES as u64) as usize];
            let read = self.content.file().read_exact_at(piece, hashed.size_bytes);
            read.map_err(Error::io("reading a kept stage"))?;
            hashed.hasher.update(piece);
            hashed.size_bytes += piece.len() as u64;
        }
        Ok(hashed)
    }

    /// Takes space for bytes up to `end` and some more, without making the file longer. Where that
    /// is not possible, writing takes it, or says what is wrong.
    fn allocate(&mut self, end: u64) {
        if end <= self.allocated_bytes || self.written_bytes < *STEP_BYTES.start() {
            return;
        }
        let step_bytes = self.written_bytes.min(*STEP_BYTES.end());
        let end = end.saturating_add(step_bytes);
        let (from, length) = (self.written_bytes, end - self.written_bytes);
        if let Err(error) = fallocate(self.content.file(), FallocateFlags::KEEP_SIZE, from, length)
        {
            tracing::debug!(%error, "space for a staged file cannot be taken ahead");
        }
        self.allocated_bytes = end;
    }

    /// Makes what was appended durable under `digest`. Blocks.
    fn place(self, digest: &Digest, size_bytes: u64) -> Result<Blob, Error> {
        let is_kept = matches!(self.name, Name::Kept(_));
        // Unlinked here and now at the end, unless it was renamed.
        let name = match self.name {
            Name::Own(name) => name.into_inner(),
            Name::Kept(path) => StagedName(path),
        };
        let file = self.content.file();
        let available = file.metadata().map_err(Error::io("asking for a length"))?.len();
        if available != size_bytes {
            return Err(Error::Truncated { expected: size_bytes, available });
        }
        // Who had a kept stage before may have taken space ahead too.
        if is_kept || self.allocated_bytes > size_bytes {
            file.set_len(size_bytes).map_err(Error::io("giving space back"))?;
        }
        file.sync_data().map_err(Error::io("making staged bytes durable"))?;
        self.store.place(&name.0, digest, size_bytes, &self.content)
    }
}

#[async_trait]
impl Stage for StagedFile {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.reserved.grow(bytes.len() as u64)?;
        self.allocate(self.written_bytes + bytes.len() as u64);
        // At an offset of our own: what a failed append left behind is written over, or found by
        // the comparison of lengths before the commit.
        let written = self.content.file().write_all_at(bytes, self.written_bytes);
        written.map_err(Error::io("writing staged bytes"))?;
        self.written_bytes += bytes.len() as u64;
        Ok(())
    }

    fn content(&self) -> Arc<dyn Content> {
        Arc::<FileContent>::clone(&self.content)
    }

    async fn commit(self: Box<Self>, digest: &Digest, size_bytes: u64) -> Result<Blob, Error> {
        let digest = digest.clone();
        blocking("committing a blob", move || self.place(&digest, size_bytes)).await
    }
}

/// Opens the file of a kept stage and locks it.
fn open_kept(path: &Path, size_bytes: u64) -> Result<File, Error> {
    const ACTION: &str = "opening a kept stage";
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(size_bytes == 0).mode(0o600);
        let file = match options.open(path) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Err(Error::Truncated { expected: size_bytes, available: 0 });
            }
            opened => opened.map_err(Error::io(ACTION))?,
        };
        match file.try_lock() {
            // Discarded, or committed, between the two calls.
            Ok(()) if file.metadata().map_err(Error::io(ACTION))?.nlink() == 0 => {}
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => return Err(Error::Busy),
            Err(TryLockError::Error(cause)) => return Err(Error::io(ACTION)(cause)),
        }
    }
}

/// Removes the name of a kept stage. Blocks.
pub(super) fn discard(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(Error::io("removing a kept stage")(cause))
        }
        _ => Ok(()),
    }
}

fn make_locked(staging: &Path) -> io::Result<(StagedName, File)> {
    loop {
        let path = staging.join(format!("{:032x}", rand::random::<u128>()));
        let made =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = match made {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => continue,
            made => made?,
        };
        let name = StagedName(path);
        match file.try_lock() {
            // A sweep may have come between; what it removed is of no use.
            Ok(()) if file.metadata()?.nlink() > 0 => return Ok((name, file)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(cause),
        }
    }
}

/// Removes the staging files whose writer is dead: the kernel drops a lock with its process, so
/// that files of living writers, in this process or another, are told apart. Returns how many
/// there were. Blocks.
pub(super) fn sweep(staging: &Path) -> Result<usize, Error> {
    const ACTION: &str = "sweeping the staging directory";
    let mut swept = 0;
    for entry in fs::read_dir(staging).map_err(Error::io(ACTION))? {
        let path = entry.map_err(Error::io(ACTION))?.path();
        if remove_unlocked(&path).map_err(Error::io(ACTION))? {
            swept += 1;
        }
    }
    Ok(swept)
}

fn remove_unlocked(path: &Path) -> io::Result<bool> {
    let gone = |cause: &io::Error| cause.kind() == ErrorKind::NotFound;
    let file = match File::open(path) {
        Err(cause) if gone(&cause) => return Ok(false),
        opened => opened?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(cause)) => return Err(cause),
        Ok(()) => {}
    }
    match fs::remove_file(path) {
        Err(cause) if gone(&cause) => Ok(false),
        removed => removed.map(|()| true),
    }
}

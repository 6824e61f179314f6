//! Where files lie, and how one gets its final name.
//!
//! ```text
//! <dir>/sha256/ab/abcd…   a committed blob, named by its digest, never written again
//! <dir>/sha512/cd/cdef…
//! <dir>/staging/<random>        a blob on its way in, locked (flock) while its writer lives
//! <dir>/kept/<name>             a kept stage, locked while somebody goes on with it
//! <dir>/claims/ab               empty, locked by who claims or seizes a digest that begins so
//! ```
//!
//! Everything here blocks.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use oci::{Algorithm, Digest};
use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};

use crate::{Error, StageName};

/// The directories of one store.
#[derive(Debug)]
pub(super) struct Layout {
    blobs: PathBuf,
    staging: PathBuf,
    kept: PathBuf,
    claims: PathBuf,
    /// Shards whose own directory entry is known to be durable.
    durable_shards: Mutex<HashSet<PathBuf>>,
}

/// What became of a staged file that was to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It has its final name.
    Renamed,
    /// The blob was there already, and stays; the staged file is as it was.
    AlreadyThere,
}

impl Layout {
    /// Makes the directories under `dir` where they are missing.
    pub(super) fn make(dir: &Path) -> Result<Self, Error> {
        const ACTION: &str = "making the directories of the store";
        let (blobs, staging, kept) = (dir.to_owned(), dir.join("staging"), dir.join("kept"));
        let claims = dir.join("claims");
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            fs::create_dir_all(blobs.join(algorithm.as_str())).map_err(Error::io(ACTION))?;
        }
        for dir in [&staging, &kept, &claims] {
            fs::create_dir_all(dir).map_err(Error::io(ACTION))?;
        }
        sync_directory(dir).map_err(Error::io(ACTION))?;
        Ok(Self { blobs, staging, kept, claims, durable_shards: Mutex::default() })
    }

    pub(super) fn staging(&self) -> &Path {
        &self.staging
    }

    /// Returns the path of a kept stage.
    pub(super) fn kept(&self, name: &StageName) -> PathBuf {
        self.kept.join(name.as_str())
    }

    /// Returns the path of the file that claims of a digest lock.
    pub(super) fn claim(&self, digest: &Digest) -> PathBuf {
        self.claims.join(&digest.hex()[..2])
    }

    /// Returns the directory of the shards of an algorithm.
    pub(super) fn of_algorithm(&self, algorithm: Algorithm) -> PathBuf {
        self.blobs.join(algorithm.as_str())
    }

    /// Returns the path of a committed blob.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.shard(digest).join(digest.hex())
    }

    fn shard(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.algorithm().as_str()).join(&digest.hex()[..2])
    }

    /// Gives a staged file, whose bytes are durable, its final name, and makes that durable too.
    pub(super) fn place(
        &self,
        staged: &Path,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<Placed, Error> {
        const ACTION: &str = "naming a blob by its digest";
        let (shard, target) = (self.shard(digest), self.blob(digest));
        let io = Error::io(ACTION);
        self.make_shard(&shard).map_err(Error::io(ACTION))?;
        let mut placed = rename_new(staged, &target);
        if placed.as_ref().is_err_and(|cause| cause.kind() == ErrorKind::NotFound) {
            // Somebody removed the shard behind our back.
            self.shards().remove(&shard);
            self.make_shard(&shard).map_err(Error::io(ACTION))?;
            placed = rename_new(staged, &target);
        }
        if matches!(placed, Ok(Placed::AlreadyThere)) && !has_length(&target, size_bytes) {
            tracing::warn!(%digest, "a stored blob of the wrong length is replaced");
            placed = fs::rename(staged, &target).map(|()| Placed::Renamed);
        }
        if matches!(placed, Ok(Placed::AlreadyThere)) {
            // What was committed again is not old, whoever collects by age.
            let touched = File::open(&target).and_then(|file| file.set_modified(SystemTime::now()));
            if let Err(error) = touched {
                tracing::debug!(%error, %digest, "a blob that was committed again looks old");
            }
        }
        // Where the blob was there, whoever put it there may not have come to this line yet.
        placed.and_then(|placed| sync_directory(&shard).map(|()| placed)).map_err(io)
    }

    fn make_shard(&self, shard: &Path) -> io::Result<()> {
        if self.shards().contains(shard) {
            return Ok(());
        }
        fs::create_dir_all(shard)?;
        sync_directory(shard.parent().expect("a shard lies in a directory"))?;
        self.shards().insert(shard.to_owned());
        Ok(())
    }

    fn shards(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.durable_shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renames `from` to `to` unless that exists.
fn rename_new(from: &Path, to: &Path) -> io::Result<Placed> {
    let renamed = match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system knows the flag (NFS does not); a second link, whose first name the
        // owner of the staged file removes, never replaces anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => fs::hard_link(from, to),
        renamed => renamed.map_err(io::Error::from),
    };
    match renamed {
        Ok(()) => Ok(Placed::Renamed),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(Placed::AlreadyThere),
        Err(cause) => Err(cause),
    }
}

fn has_length(path: &Path, size_bytes: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size_bytes)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

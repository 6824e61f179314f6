//! Claims as locks of files, and the listing of what is committed.
//!
//! A claim is a shared lock (flock) on one of 256 files that digests are spread over, a seizure an
//! exclusive one: the kernel drops both with their process.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use oci::{Algorithm, Digest};

use super::Shared;
use crate::{Claim, Error, Seizure, StoredBlob, blocking::blocking};

/// The pause between two looks at whether a seizure has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// Claims a digest, as soon as nobody has seized it or its neighbours. No thread waits for that:
/// whoever has seized it needs one too.
pub(super) async fn claim(store: Arc<Shared>, digest: Digest) -> Result<Claim, Error> {
    loop {
        let (store, digest) = (Arc::clone(&store), digest.clone());
        let claimed = blocking("claiming a blob", move || try_claim(&store, &digest)).await?;
        match claimed {
            Some(claim) => return Ok(claim),
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Claims a digest; `None` where somebody has seized it or a neighbour. Blocks.
fn try_claim(store: &Shared, digest: &Digest) -> Result<Option<Claim>, Error> {
    const ACTION: &str = "claiming a blob";
    let lock = open(&store.layout.claim(digest)).map_err(Error::io(ACTION))?;
    match lock.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(cause)) => return Err(Error::io(ACTION)(cause)),
    }
    let stored_bytes = match fs::metadata(store.layout.blob(digest)) {
        Ok(found) => Some(found.len()),
        Err(cause) if cause.kind() == ErrorKind::NotFound => None,
        Err(cause) => return Err(Error::io(ACTION)(cause)),
    };
    Ok(Some(Claim::new(stored_bytes, Box::new(lock))))
}

/// Seizes a digest; `None` where somebody claims it or a neighbour. Blocks.
pub(super) fn seize(store: Arc<Shared>, digest: Digest) -> Result<Option<Seized>, Error> {
    const ACTION: &str = "seizing a blob";
    let lock = open(&store.layout.claim(&digest)).map_err(Error::io(ACTION))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Seized { store, digest, _lock: lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(Error::io(ACTION)(cause)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

/// A digest whose file is locked exclusively.
#[derive(Debug)]
pub(super) struct Seized {
    store: Arc<Shared>,
    digest: Digest,
    _lock: File,
}

#[async_trait]
impl Seizure for Seized {
    async fn remove(self: Box<Self>, before: SystemTime) -> Result<Option<u64>, Error> {
        blocking("collecting a blob", move || self.remove_blocking(before)).await
    }
}

impl Seized {
    fn remove_blocking(&self, before: SystemTime) -> Result<Option<u64>, Error> {
        let found = stat(&self.store.layout.blob(&self.digest), &self.digest);
        let found = found.map_err(Error::io("collecting a blob"))?;
        let Some(blob) = found.filter(|blob| blob.committed_at < before) else { return Ok(None) };
        self.store.delete(&self.digest)?;
        Ok(Some(blob.size_bytes))
    }
}

/// Lists committed blobs by digest. Blocks.
pub(super) fn list(
    store: &Shared,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<StoredBlob>, Error> {
    const ACTION: &str = "listing blobs";
    let mut listed = Vec::new();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        if after.is_some_and(|after| after.algorithm() > algorithm) {
            continue;
        }
        let after = after.filter(|after| after.algorithm() == algorithm);
        let first = after.map(|after| &after.hex()[..2]).unwrap_or_default();
        let of_algorithm = store.layout.of_algorithm(algorithm);
        for shard in names(&of_algorithm).map_err(Error::io(ACTION))? {
            if shard.as_str() < first {
                continue;
            }
            let directory = of_algorithm.join(&shard);
            for name in names(&directory).map_err(Error::io(ACTION))? {
                let Ok(digest) = Digest::parse(&format!("{}:{name}", algorithm.as_str())) else {
                    continue;
                };
                if after.is_some_and(|after| digest <= *after) {
                    continue;
                }
                let found = stat(&directory.join(&name), &digest).map_err(Error::io(ACTION))?;
                listed.extend(found);
                if listed.len() == limit {
                    return Ok(listed);
                }
            }
        }
    }
    Ok(listed)
}

/// The names in a directory, in order; none where it is not there.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        // A shard, or a file where a shard should be, that nobody of us made.
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // Names that are no text are none of ours.
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

fn stat(path: &Path, digest: &Digest) -> io::Result<Option<StoredBlob>> {
    let found = match fs::metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    let (size_bytes, committed_at) = (found.len(), found.modified()?);
    Ok(found.is_file().then(|| StoredBlob { digest: digest.clone(), size_bytes, committed_at }))
}

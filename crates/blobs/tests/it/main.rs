//! The contract, run on every store, and what is true of files only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod damage;
mod filesystem;
mod memory;
mod socket;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use blobs::{FilesystemBlobs, Limits};
use oci::Digest;
use tokio::time::{Instant, interval};

async fn open(dir: &Path) -> FilesystemBlobs {
    FilesystemBlobs::open(dir, Limits::default()).await.unwrap()
}

fn path_of(dir: &Path, digest: &Digest) -> PathBuf {
    let (algorithm, hex) = (digest.algorithm().as_str(), digest.hex());
    dir.join(algorithm).join(&hex[..2]).join(hex)
}

fn staged_files(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("staging")).unwrap().count()
}

/// Waits until the staging directory is empty: dropped files are unlinked off the runtime.
async fn staging_is_empty(dir: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut again = interval(Duration::from_millis(5));
    while staged_files(dir) > 0 {
        assert!(Instant::now() < deadline, "{} staging files are left", staged_files(dir));
        again.tick().await;
    }
}

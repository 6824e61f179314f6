//! Files that somebody truncates, changes or removes while they are served.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use blobs::{
    Access, BlobStore, Error,
    conformance::{put, read_all, sample},
};
use tempfile::tempdir;

use super::{open, path_of};

const LENGTH: usize = 3_000_000;

fn truncate(path: &Path, length: usize) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

#[tokio::test]
async fn a_truncated_blob_is_noticed_and_deleted() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let (digest, blob) = put(&store, &sample("truncated", LENGTH)).await;
    for length in [LENGTH - 1, 1_000_000, 0] {
        truncate(&path_of(dir.path(), &digest), length);
        for access in [Access::Kernel, Access::User] {
            match blob.content.read(0, LENGTH, access).await {
                Err(Error::Truncated { expected, available }) => {
                    assert_eq!((expected, available), (LENGTH as u64, length as u64));
                }
                read => panic!("{access:?}: {read:?}"),
            }
        }
    }
    assert!(!store.probe(&digest, LENGTH as u64, 10).await.unwrap());
    assert!(matches!(store.open(&digest).await, Err(Error::NotFound(_))));
    assert!(!path_of(dir.path(), &digest).try_exists().unwrap());
}

#[tokio::test]
async fn a_truncation_between_windows_is_noticed_wherever_it_cuts() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    for cut in [LENGTH - 1, LENGTH - 4096, 2_000_001, 1 << 20, 1] {
        let bytes = sample("between windows", LENGTH);
        let (digest, blob) = put(&store, &bytes).await;
        let first = blob.content.read(0, LENGTH, Access::Kernel).await.unwrap();
        assert!(first.len() < LENGTH);
        truncate(&path_of(dir.path(), &digest), cut);
        let next = first.len();
        let read = blob.content.read(next as u64, LENGTH - next, Access::Kernel).await;
        assert!(matches!(read, Err(Error::Truncated { .. })), "cut at {cut}: {read:?}");
        assert!(!store.probe(&digest, LENGTH as u64, next as u64).await.unwrap());
    }
}

/// A page cut by a truncation reads as zeros to its end, and no write fails on it. So the last
/// page of what is asked for is copied, and before it there is always a next read that notices.
#[tokio::test]
async fn the_last_page_of_a_read_is_a_copy() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let page = rustix::param::page_size();
    for end in [500_000, 500_001, 503_808] {
        let bytes = sample("last page", 600_000);
        let (digest, blob) = put(&store, &bytes).await;
        let mapped = blob.content.read(0, end, Access::Kernel).await.unwrap();
        assert_eq!(mapped.len(), (end - 1) / page * page);
        let left = end - mapped.len();
        let last = blob.content.read(mapped.len() as u64, left, Access::Kernel).await.unwrap();
        truncate(&path_of(dir.path(), &digest), 0);
        assert_eq!(last, bytes[mapped.len()..end]);
        store.delete(&digest).await.unwrap();
    }
}

#[tokio::test]
async fn an_open_blob_that_was_truncated_is_not_opened_at_its_old_size() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let (digest, _) = put(&store, &sample("old size", LENGTH)).await;
    truncate(&path_of(dir.path(), &digest), 100_000);
    assert_eq!(store.open(&digest).await.unwrap().size_bytes, 100_000);
    assert_eq!(store.stat(&digest).await.unwrap(), 100_000);
}

#[tokio::test]
async fn a_small_blob_with_other_bytes_is_deleted_when_it_is_read() {
    let dir = tempdir().unwrap();
    let bytes = sample("small", 5000);
    let (digest, _) = put(&open(dir.path()).await, &bytes).await;
    let path = path_of(dir.path(), &digest);
    let spoil = || File::options().write(true).open(&path).unwrap().write_all_at(b"?", 77);

    spoil().unwrap();
    let store = open(dir.path()).await;
    assert!(matches!(store.open(&digest).await, Err(Error::NotFound(_))));
    assert!(!path.try_exists().unwrap());

    put(&store, &bytes).await;
    spoil().unwrap();
    assert!(!store.probe(&digest, 5000, 0).await.unwrap());
    assert!(matches!(store.open(&digest).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn pages_that_left_memory_are_read_in_again() {
    let dir = tempdir().unwrap();
    let bytes = sample("left memory", 6 << 20);
    let (digest, _) = put(&open(dir.path()).await, &bytes).await;
    let store = open(dir.path()).await;
    for access in [Access::Kernel, Access::User] {
        let file = File::open(path_of(dir.path(), &digest)).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let blob = store.open(&digest).await.unwrap();
        assert!(read_all(&*blob.content, blob.size_bytes, access).await == bytes);
    }
}

#[tokio::test]
async fn an_unlinked_file_is_not_opened_again() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let bytes = sample("unlinked", LENGTH);
    let (digest, blob) = put(&store, &bytes).await;
    fs::remove_file(path_of(dir.path(), &digest)).unwrap();
    assert!(matches!(store.open(&digest).await, Err(Error::NotFound(_))));
    assert!(read_all(&*blob.content, LENGTH as u64, Access::Kernel).await == bytes);
}

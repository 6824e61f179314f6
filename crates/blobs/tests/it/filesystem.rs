//! The contract on [`FilesystemBlobs`], and how its files lie.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use blobs::{
    Access, BlobStore, Error, FilesystemBlobs, Limits,
    conformance::{self, put, read_all, sample},
};
use oci::{Algorithm, Digest};
use tempfile::tempdir;

use super::{open, path_of, staged_files, staging_is_empty};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_opened_apart_keep_the_contract() {
    let dir = tempdir().unwrap();
    let (one, other) = (open(dir.path()).await, open(dir.path()).await);
    conformance::check_all(&one, &other).await;
    assert_eq!((one.staging_bytes(), other.staging_bytes()), (0, 0));
    staging_is_empty(dir.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_keep_the_contract() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    conformance::check_all(&store, &store.clone()).await;
    staging_is_empty(dir.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_caches_it_keeps_the_contract() {
    let dir = tempdir().unwrap();
    let limits = Limits { small_blobs_bytes_max: 0, open_files_max: 0, ..Limits::default() };
    let one = FilesystemBlobs::open(dir.path(), limits.clone()).await.unwrap();
    let other = FilesystemBlobs::open(dir.path(), limits).await.unwrap();
    conformance::check_all(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_its_staging_space() {
    let dir = tempdir().unwrap();
    let limits = Limits { staging_bytes_max: 1_000_000, ..Limits::default() };
    let store = FilesystemBlobs::open(dir.path(), limits).await.unwrap();
    conformance::staging_space_is_limited(&store, 1_000_000).await;
    staging_is_empty(dir.path()).await;
}

/// However many claim at once, whoever has seized the digest gets a thread to remove it with.
#[test]
fn many_claims_do_not_keep_a_seizure_from_its_end() {
    let dir = tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = open(dir.path()).await;
        let (digest, _) = put(&store, b"wanted by many").await;
        let seizure = store.seize(&digest).await.unwrap().expect("nobody claims it");
        let claim = || {
            let (store, digest) = (store.clone(), digest.clone());
            tokio::spawn(async move { store.claim(&digest).await.unwrap().stored_bytes() })
        };
        let mut claims: Vec<_> = (0..8).map(|_| claim()).collect();
        let waiting = tokio::time::timeout(Duration::from_millis(50), &mut claims[7]).await;
        assert!(waiting.is_err(), "it is seized");
        let removed = seizure.remove(SystemTime::now() + Duration::from_secs(60));
        let removed = tokio::time::timeout(Duration::from_secs(60), removed).await;
        assert_eq!(removed.expect("it ends").unwrap(), Some(14));
        for claim in claims {
            assert_eq!(claim.await.unwrap(), None);
        }
    });
}

#[tokio::test]
async fn files_lie_where_the_layout_says() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let bytes = sample("layout", 100_000);
    let (digest, _) = put(&store, &bytes).await;
    assert_eq!(fs::read(path_of(dir.path(), &digest)).unwrap(), bytes);
    assert_eq!(staged_files(dir.path()), 0);

    let staged = store.stage(Algorithm::Sha256).await.unwrap();
    assert_eq!(staged_files(dir.path()), 1);
    drop(staged);
    staging_is_empty(dir.path()).await;
}

#[tokio::test]
async fn opening_sweeps_what_the_dead_left_and_nothing_of_the_living() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let bytes = sample("alive", 100_000);
    let mut alive = store.stage(Algorithm::Sha256).await.unwrap();
    alive.append(&bytes).unwrap();
    fs::write(dir.path().join("staging/left-by-the-dead"), b"half a blob").unwrap();
    assert_eq!(staged_files(dir.path()), 2);

    let other = open(dir.path()).await;
    assert_eq!(staged_files(dir.path()), 1);
    let digest = Digest::of(&bytes);
    alive.verify(&digest, None).unwrap().commit().await.unwrap();
    let blob = other.open(&digest).await.unwrap();
    assert_eq!(read_all(&*blob.content, blob.size_bytes, Access::User).await, bytes);
    assert_eq!(staged_files(dir.path()), 0);
}

#[tokio::test]
async fn a_file_of_the_wrong_length_is_replaced_by_the_next_commit() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    for length in [1000, 100_000] {
        let bytes = sample("replaced", length);
        let path = path_of(dir.path(), &Digest::of(&bytes));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &bytes[..length / 2]).unwrap();
        let (digest, blob) = put(&store, &bytes).await;
        assert_eq!(read_all(&*blob.content, blob.size_bytes, Access::Kernel).await, bytes);
        assert_eq!(store.stat(&digest).await.unwrap(), length as u64);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    staging_is_empty(dir.path()).await;
}

#[tokio::test]
async fn a_shard_removed_behind_its_back_is_made_again() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let bytes = sample("shard", 10);
    let (digest, _) = put(&store, &bytes).await;
    fs::remove_dir_all(path_of(dir.path(), &digest).parent().unwrap()).unwrap();
    put(&store, &bytes).await;
    assert_eq!(fs::read(path_of(dir.path(), &digest)).unwrap(), bytes);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_an_error() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let opened = FilesystemBlobs::open(file.join("below"), Limits::default()).await;
    assert!(matches!(opened, Err(Error::Io { .. })), "{opened:?}");

    let store = open(dir.path()).await;
    fs::remove_dir(dir.path().join("staging")).unwrap();
    let staged = store.stage(Algorithm::Sha256).await;
    assert!(matches!(staged, Err(Error::Io { .. })), "{staged:?}");
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    let digest = Digest::of(b"x");
    let shard = path_of(dir.path(), &digest).parent().unwrap().to_owned();
    fs::write(&shard, b"in the way").unwrap();
    let mut staged = store.stage(Algorithm::Sha256).await.unwrap();
    staged.append(b"x").unwrap();
    let committed = staged.verify(&digest, None).unwrap().commit().await;
    assert!(matches!(committed, Err(Error::Io { .. })), "{committed:?}");
    staging_is_empty(dir.path()).await;
    assert_eq!(store.staging_bytes(), 0);
}

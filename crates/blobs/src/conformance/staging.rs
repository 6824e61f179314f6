//! Checks of staging, verifying and committing.

use std::sync::Arc;

use oci::{Algorithm, Digest};
use tokio::sync::watch;

use super::{append, assert_found, assert_missing, put, read_all, sample, stage};
use crate::{Access, BlobStore, Content, Error};

/// What was appended can be read at once, and after its staged blob is gone; what was not cannot.
pub async fn staged_bytes_are_readable_as_they_grow(one: &dyn BlobStore) {
    let bytes = sample("as they grow", 3 << 20);
    let mut staged = one.stage(Algorithm::Sha256).await.expect("stages");
    let content = staged.content();
    let mut size_bytes = 0;
    for chunk in bytes.chunks(777_777) {
        staged = append(staged, chunk).await;
        size_bytes += chunk.len();
        assert_eq!(staged.size_bytes(), size_bytes as u64);
        for access in [Access::Kernel, Access::User] {
            let found = read_all(&*content, size_bytes as u64, access).await;
            assert!(found == bytes[..size_bytes], "{access:?} at {size_bytes}");
            let beyond = content.read(size_bytes as u64, 1, access).await;
            assert!(matches!(beyond, Err(Error::Truncated { .. })), "{beyond:?}");
        }
    }
    drop(staged);
    let found = read_all(&*content, size_bytes as u64, Access::User).await;
    assert!(found == bytes, "the bytes went with their staged blob");
}

/// Readers, early, late, and each at its own pace, see a growing blob's bytes across its commit.
pub async fn readers_follow_a_writer(one: &dyn BlobStore) {
    let bytes: Arc<[u8]> = sample("followed", (2 << 20) + 4321).into();
    let mut staged = one.stage(Algorithm::Sha256).await.expect("stages");
    let (published, progress) = watch::channel(0_usize);
    let readers: Vec<_> = [(0, 1 << 20), (1, 8 << 10), (70_001, 100_000), (2 << 20, 4 << 20)]
        .into_iter()
        .zip([Access::Kernel, Access::User, Access::Kernel, Access::Kernel])
        .map(|((start, max), access)| {
            let (content, bytes) = (staged.content(), Arc::clone(&bytes));
            tokio::spawn(follow(content, bytes, progress.clone(), start, max, access))
        })
        .collect();
    for chunk in bytes.chunks(65_521) {
        staged = append(staged, chunk).await;
        published.send_modify(|size| *size += chunk.len());
    }
    let verified = staged.verify(&Digest::of(&bytes), None).expect("verifies");
    verified.commit().await.expect("commits");
    for reader in readers {
        reader.await.expect("reads the right bytes");
    }
}

async fn follow(
    content: Arc<dyn Content>,
    bytes: Arc<[u8]>,
    mut progress: watch::Receiver<usize>,
    start: usize,
    max: usize,
    access: Access,
) {
    let mut offset = start;
    while offset < bytes.len() {
        let size = *progress.wait_for(|&size| size > offset).await.expect("the writer goes on");
        let max = max.min(size - offset);
        let read = content.read(offset as u64, max, access).await.expect("reads");
        assert!((1..=max).contains(&read.len()));
        assert!(read == bytes[offset..offset + read.len()], "{access:?} at {offset}");
        offset += read.len();
    }
}

/// Bytes of another digest or size are refused, and leave nothing.
pub async fn wrong_bytes_are_not_committed(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("wrong", 200_000);
    let mut wrong = bytes.clone();
    wrong[199_999] ^= 1;
    let (expected, actual) = (Digest::of(&bytes), Digest::of(&wrong));

    let (staged, _) = stage(one, &wrong).await;
    match staged.verify(&expected, Some(200_000)) {
        Err(Error::DigestMismatch { expected: e, actual: a }) => {
            assert_eq!((e, a), (expected.clone(), actual.clone()));
        }
        verified => panic!("{verified:?}"),
    }
    for (length, size_bytes) in [(199_999, 200_000), (200_000, 199_999)] {
        let (staged, _) = stage(one, &bytes[..length]).await;
        match staged.verify(&Digest::of(&bytes[..length]), Some(size_bytes)) {
            Err(Error::SizeMismatch { expected, actual }) => {
                assert_eq!((expected, actual), (size_bytes, length as u64));
            }
            verified => panic!("{verified:?}"),
        }
    }
    for store in [one, other] {
        assert_missing(store, &expected).await;
        assert_missing(store, &actual).await;
    }
    put(one, &bytes).await;
    assert_found([one, other], &expected, &bytes).await;
}

/// What is dropped before it is committed, verified or not, leaves nothing.
pub async fn what_is_dropped_leaves_nothing(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("dropped", 100_000);
    let digest = Digest::of(&bytes);
    let (staged, _) = stage(one, &bytes).await;
    drop(staged);
    let (staged, _) = stage(one, &bytes).await;
    let verified = staged.verify(&digest, None).expect("verifies");
    assert_eq!((verified.digest(), verified.size_bytes()), (&digest, 100_000));
    for store in [one, other] {
        assert_missing(store, &digest).await;
    }
    drop(verified);
    for store in [one, other] {
        assert_missing(store, &digest).await;
    }
}

/// A commit through one handle is seen through the other, small and large, also by a handle that
/// had looked before.
pub async fn committed_blobs_are_seen_by_other_handles(one: &dyn BlobStore, other: &dyn BlobStore) {
    for length in [1, 4096, 65_536, 65_537, (1 << 20) + 1] {
        let bytes = sample("committed", length);
        let digest = Digest::of(&bytes);
        assert_missing(other, &digest).await;
        let (_, blob) = put(one, &bytes).await;
        let found = read_all(&*blob.content, blob.size_bytes, Access::User).await;
        assert!(found == bytes, "the commit returns other bytes");
        assert_found([one, other], &digest, &bytes).await;
    }
}

/// Any number of commits of one digest succeed, after one another and at once, and each returns
/// the blob.
pub async fn commits_of_one_blob_agree(one: &dyn BlobStore, other: &dyn BlobStore) {
    for length in [1000, 300_000] {
        let bytes = sample("agreed", length);
        let digest = Digest::of(&bytes);
        let mut verified = Vec::new();
        for store in [one, other, one, other] {
            let (staged, _) = stage(store, &bytes).await;
            verified.push(staged.verify(&digest, None).expect("verifies"));
        }
        let commits: Vec<_> = verified.into_iter().map(|v| tokio::spawn(v.commit())).collect();
        for commit in commits {
            let blob = commit.await.expect("does not panic").expect("commits");
            let found = read_all(&*blob.content, length as u64, Access::Kernel).await;
            assert!(found == bytes && blob.size_bytes == length as u64);
        }
        put(other, &bytes).await;
        assert_found([one, other], &digest, &bytes).await;
    }
}

/// Bytes staged with SHA-512 are found by that digest, and by it alone.
pub async fn sha512_is_a_digest_too(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("sha512", 123_456);
    let digest = Digest::of_with(Algorithm::Sha512, &bytes);
    let staged = one.stage(Algorithm::Sha512).await.expect("stages");
    let staged = append(staged, &bytes).await;
    staged.verify(&digest, None).expect("verifies").commit().await.expect("commits");
    assert_found([one, other], &digest, &bytes).await;
    assert_missing(other, &Digest::of(&bytes)).await;
}

/// No more than `limit_bytes` can be staged at once; what is dropped or committed gives its share
/// back. `store` must have exactly that limit, and nothing staged.
pub async fn staging_space_is_limited(store: &dyn BlobStore, limit_bytes: u64) {
    let length = usize::try_from(limit_bytes).expect("fits in memory");
    let bytes = sample("limited", length);
    let (staged, _) = stage(store, &bytes).await;
    let rival = store.stage(Algorithm::Sha256).await.expect("stages");
    let appended = tokio::task::spawn_blocking(|| {
        let mut both = [staged, rival];
        let errors = both.each_mut().map(|staged| staged.append(b"x").expect_err("is full"));
        (both, errors)
    });
    let (both, errors) = appended.await.expect("does not panic");
    for error in errors {
        assert!(matches!(error, Error::StagingFull { limit_bytes: l } if l == limit_bytes));
    }
    drop(both);
    for _ in 0..2 {
        put(store, &bytes).await;
    }
}

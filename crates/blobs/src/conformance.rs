//! What every [`BlobStore`] must do, as checks over any two handles on one store.
//!
//! Each check brings bytes of its own, so that checks may share a store and run in any order. A
//! check that fails panics. `one` and `other` are handles on the same store, opened apart where
//! the store can be; what a store lacks (a staging limit, caches) is for its own tests.

mod collection;
mod kept;
mod reading;
mod staging;

use std::sync::Arc;

use bytes::Bytes;
use oci::{Algorithm, Digest};

pub use self::{
    collection::{
        blobs_committed_again_are_young, claims_keep_blobs, committed_blobs_are_listed,
        seized_blobs_are_removed,
    },
    kept::{
        kept_stages_are_gone_on_with, kept_stages_are_hashed_anew, kept_stages_have_one_writer,
    },
    reading::{
        an_empty_blob_is_a_blob, deleted_blobs_are_gone_and_their_readers_go_on,
        missing_blobs_are_not_found, probes_keep_sound_blobs_and_delete_others,
        reads_at_any_offset_return_the_right_bytes, reads_past_the_end_are_truncated,
    },
    staging::{
        commits_of_one_blob_agree, committed_blobs_are_seen_by_other_handles,
        readers_follow_a_writer, sha512_is_a_digest_too, staged_bytes_are_readable_as_they_grow,
        staging_space_is_limited, what_is_dropped_leaves_nothing, wrong_bytes_are_not_committed,
    },
};
use crate::{Access, Blob, BlobStore, Content, StagedBlob};

/// Runs every check that needs no more than two handles on one store without a tight staging
/// limit; [`staging_space_is_limited`] is left to the caller, who knows the limit.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn check_all(one: &dyn BlobStore, other: &dyn BlobStore) {
    staged_bytes_are_readable_as_they_grow(one).await;
    readers_follow_a_writer(one).await;
    wrong_bytes_are_not_committed(one, other).await;
    what_is_dropped_leaves_nothing(one, other).await;
    committed_blobs_are_seen_by_other_handles(one, other).await;
    commits_of_one_blob_agree(one, other).await;
    sha512_is_a_digest_too(one, other).await;
    kept_stages_are_gone_on_with(one, other).await;
    kept_stages_are_hashed_anew(one, other).await;
    kept_stages_have_one_writer(one, other).await;
    missing_blobs_are_not_found(one, other).await;
    deleted_blobs_are_gone_and_their_readers_go_on(one, other).await;
    probes_keep_sound_blobs_and_delete_others(one, other).await;
    an_empty_blob_is_a_blob(one, other).await;
    reads_at_any_offset_return_the_right_bytes(one, other).await;
    reads_past_the_end_are_truncated(one).await;
    committed_blobs_are_listed(one, other).await;
    seized_blobs_are_removed(one, other).await;
    claims_keep_blobs(one, other).await;
    blobs_committed_again_are_young(one, other).await;
}

/// Returns `length` bytes that follow from `seed` and repeat at no power of two.
pub fn sample(seed: &str, length: usize) -> Vec<u8> {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // Xorshift (Marsaglia, 2003): never zero once it is not.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Stages and commits `bytes` under their SHA-256 digest.
///
/// # Panics
/// Where the store fails.
pub async fn put(store: &dyn BlobStore, bytes: &[u8]) -> (Digest, Blob) {
    let digest = Digest::of(bytes);
    let staged = store.stage(Algorithm::Sha256).await.expect("stages");
    let staged = append(staged, bytes).await;
    let verified = staged.verify(&digest, Some(bytes.len() as u64)).expect("verifies");
    let blob = verified.commit().await.expect("commits");
    (digest, blob)
}

/// Reads `content` from its start to `size_bytes`, window by window.
///
/// # Panics
/// Where a read fails, is empty or is longer than asked for.
pub async fn read_all(content: &dyn Content, size_bytes: u64, access: Access) -> Vec<u8> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size_bytes {
        let left = usize::try_from(size_bytes).expect("fits in memory") - bytes.len();
        let read = content.read(bytes.len() as u64, left, access).await.expect("reads");
        assert!((1..=left).contains(&read.len()), "{} bytes of at most {left}", read.len());
        bytes.extend_from_slice(&read);
    }
    bytes
}

/// Appends off the runtime, as the contract asks.
async fn append(mut staged: StagedBlob, bytes: &[u8]) -> StagedBlob {
    let bytes = Bytes::copy_from_slice(bytes);
    let appended = tokio::task::spawn_blocking(move || {
        staged.append(&bytes).expect("appends");
        staged
    });
    appended.await.expect("does not panic")
}

/// Stages `bytes` with SHA-256.
async fn stage(store: &dyn BlobStore, bytes: &[u8]) -> (StagedBlob, Arc<dyn Content>) {
    let staged = store.stage(Algorithm::Sha256).await.expect("stages");
    let staged = append(staged, bytes).await;
    let content = staged.content();
    (staged, content)
}

/// Asserts that both handles find `bytes` under `digest`, whole.
async fn assert_found(stores: [&dyn BlobStore; 2], digest: &Digest, bytes: &[u8]) {
    for store in stores {
        let size_bytes = bytes.len() as u64;
        assert_eq!(store.stat(digest).await.expect("is there"), size_bytes);
        let blob = store.open(digest).await.expect("opens");
        assert_eq!(blob.size_bytes, size_bytes);
        for access in [Access::Kernel, Access::User] {
            let found = read_all(&*blob.content, size_bytes, access).await;
            assert!(found == bytes, "{access:?} reads other bytes");
        }
    }
}

/// Asserts that a handle finds nothing under `digest`.
async fn assert_missing(store: &dyn BlobStore, digest: &Digest) {
    use crate::Error::NotFound;
    assert!(matches!(store.open(digest).await, Err(NotFound(missing)) if missing == *digest));
    assert!(matches!(store.stat(digest).await, Err(NotFound(missing)) if missing == *digest));
    let probed = store.probe(digest, 1, 0).await;
    assert!(matches!(probed, Err(NotFound(missing)) if missing == *digest));
}

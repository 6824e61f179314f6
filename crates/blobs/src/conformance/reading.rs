//! Checks of opening, reading, deleting and probing.

use oci::{Algorithm, Digest};

use super::{assert_found, assert_missing, put, read_all, sample};
use crate::{Access, BlobStore, Error};

/// Offsets around the sizes that stores cut at: pages, copies, windows.
const OFFSETS: [usize; 12] = [
    0, 1, 4095, 4096, 4097, 65_535, 262_145, 1_048_575, 1_048_576, 1_048_577, 2_097_151, 3_000_000,
];

/// What was never committed is not found, and can be deleted.
pub async fn missing_blobs_are_not_found(one: &dyn BlobStore, other: &dyn BlobStore) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of_with(algorithm, b"missing");
        for store in [one, other] {
            assert_missing(store, &digest).await;
            store.delete(&digest).await.expect("deletes what is not there");
        }
    }
}

/// A deleted blob is not found through the handle that deleted it, those who have it open read on,
/// and it can be committed again. Through another handle a small one may be found, whole, for a
/// while; a large one is not.
pub async fn deleted_blobs_are_gone_and_their_readers_go_on(
    one: &dyn BlobStore,
    other: &dyn BlobStore,
) {
    for length in [100, 2_500_000] {
        let bytes = sample("deleted", length);
        let (digest, _) = put(one, &bytes).await;
        let open = [one.open(&digest).await, other.open(&digest).await];
        one.delete(&digest).await.expect("deletes");
        one.delete(&digest).await.expect("deletes again");
        assert_missing(one, &digest).await;
        if length > 65_536 {
            assert_missing(other, &digest).await;
        }
        for blob in open {
            let blob = blob.expect("opened");
            for access in [Access::Kernel, Access::User] {
                let found = read_all(&*blob.content, length as u64, access).await;
                assert!(found == bytes, "{access:?} after deletion");
            }
        }
        put(other, &bytes).await;
        assert_found([one, other], &digest, &bytes).await;
    }
}

/// A probe of a sound blob says so at any offset; one of another size than the blob should have
/// deletes it.
pub async fn probes_keep_sound_blobs_and_delete_others(one: &dyn BlobStore, other: &dyn BlobStore) {
    for length in [10, 5_000_000] {
        let bytes = sample("probed", length);
        let size_bytes = length as u64;
        let (digest, _) = put(one, &bytes).await;
        for store in [one, other] {
            for offset in [0, size_bytes / 2, size_bytes - 1, size_bytes, u64::MAX] {
                assert!(store.probe(&digest, size_bytes, offset).await.expect("probes"));
            }
        }
        assert_found([one, other], &digest, &bytes).await;
        assert!(!one.probe(&digest, size_bytes + 1, 0).await.expect("probes"));
        assert_missing(one, &digest).await;
    }
}

/// A blob of no bytes is stored and found like any other.
pub async fn an_empty_blob_is_a_blob(one: &dyn BlobStore, other: &dyn BlobStore) {
    let (digest, blob) = put(one, b"").await;
    assert_found([one, other], &digest, b"").await;
    assert_eq!(blob.size_bytes, 0);
    assert!(blob.content.read(0, 0, Access::User).await.expect("reads nothing").is_empty());
    let beyond = blob.content.read(0, 1, Access::Kernel).await;
    assert!(matches!(beyond, Err(Error::Truncated { .. })), "{beyond:?}");
    assert!(other.probe(&digest, 0, 0).await.expect("probes"));
}

/// Reads at any offset and of any size return a non-empty beginning of what was asked for.
pub async fn reads_at_any_offset_return_the_right_bytes(
    one: &dyn BlobStore,
    other: &dyn BlobStore,
) {
    let bytes = sample("windows", (3 << 20) + 17);
    let (digest, _) = put(one, &bytes).await;
    let blob = other.open(&digest).await.expect("opens");
    for offset in OFFSETS {
        for max in [1, 2, 4096, 16_385, 300_000, 1 << 20, usize::MAX] {
            let max = max.min(bytes.len() - offset);
            for access in [Access::Kernel, Access::User] {
                let read = blob.content.read(offset as u64, max, access).await.expect("reads");
                assert!((1..=max).contains(&read.len()), "{access:?} {max} at {offset}");
                let expected = &bytes[offset..offset + read.len()];
                assert!(read == expected, "{access:?} {max} at {offset}");
            }
        }
    }
}

/// A read that reaches past the end of a committed blob says so, wherever it starts.
pub async fn reads_past_the_end_are_truncated(one: &dyn BlobStore) {
    for length in [50, 1_500_000] {
        let (_, blob) = put(one, &sample("past the end", length)).await;
        let length = length as u64;
        for (offset, max) in [(length, 1), (length - 1, 2), (0, length as usize + 1), (u64::MAX, 9)]
        {
            for access in [Access::Kernel, Access::User] {
                match blob.content.read(offset, max, access).await {
                    Err(Error::Truncated { available, .. }) => assert_eq!(available, length),
                    read => panic!("{access:?} {max} at {offset}: {read:?}"),
                }
            }
        }
    }
}

//! Listing, claiming and collecting.

use std::time::{Duration, SystemTime};

use oci::{Algorithm, Digest};

use super::{append, assert_found, assert_missing, put, read_all, sample};
use crate::{Access, BlobStore};

/// Later than anything that a check commits.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

async fn listed(store: &dyn BlobStore, limit: usize) -> Vec<Digest> {
    let mut digests: Vec<Digest> = Vec::new();
    loop {
        let page = store.list(digests.last(), limit).await.expect("lists");
        assert!(page.len() <= limit);
        if page.is_empty() {
            return digests;
        }
        digests.extend(page.into_iter().map(|blob| blob.digest));
    }
}

async fn committed_at(store: &dyn BlobStore, digest: &Digest) -> SystemTime {
    let page = store.list(None, 1000).await.expect("lists");
    page.into_iter().find(|blob| blob.digest == *digest).expect("it is there").committed_at
}

/// Committed blobs are listed by digest, in pages, with their sizes; staged ones are not.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn committed_blobs_are_listed(one: &dyn BlobStore, other: &dyn BlobStore) {
    let begun = SystemTime::now() - Duration::from_secs(60);
    let mut ours = Vec::new();
    for number in 0..5 {
        ours.push(put(one, &sample("listed", 100 + number)).await.0);
    }
    let bytes = sample("listed with another hash", 99);
    let long = Digest::of_with(Algorithm::Sha512, &bytes);
    let staged = append(one.stage(Algorithm::Sha512).await.expect("stages"), &bytes).await;
    staged.verify(&long, None).expect("verifies").commit().await.expect("commits");
    ours.push(long);
    let bytes = sample("staged and not listed", 100);
    let staged = append(one.stage(Algorithm::Sha256).await.expect("stages"), &bytes).await;
    for limit in [1, 2, 1000] {
        let all = listed(other, limit).await;
        assert!(all.is_sorted(), "by digest");
        assert!(ours.iter().all(|digest| all.contains(digest)), "{limit} at a time");
        assert!(!all.contains(&Digest::of(&bytes)));
    }
    drop(staged);
    let page = other.list(None, 1000).await.expect("lists");
    let found = page.iter().find(|blob| blob.digest == ours[0]).expect("it is there");
    assert_eq!(found.size_bytes, 100);
    assert!(found.committed_at > begun && found.committed_at < later());
}

/// What is seized and old enough is removed; its readers go on.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn seized_blobs_are_removed(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("seized", 200_000);
    let (digest, blob) = put(one, &bytes).await;
    let early = SystemTime::now() - Duration::from_secs(3600);
    let seizure = other.seize(&digest).await.expect("asks").expect("nobody claims it");
    assert_eq!(seizure.remove(early).await.expect("looks"), None, "it is too young");
    assert_found([one, other], &digest, &bytes).await;
    let seizure = other.seize(&digest).await.expect("asks").expect("nobody claims it");
    assert_eq!(seizure.remove(later()).await.expect("removes"), Some(200_000));
    assert_missing(other, &digest).await;
    assert_missing(one, &digest).await;
    assert!(read_all(&*blob.content, blob.size_bytes, Access::User).await == bytes);
    let seizure = one.seize(&digest).await.expect("asks").expect("nobody claims it");
    assert_eq!(seizure.remove(later()).await.expect("looks"), None, "it is gone");
    // It may come back.
    put(other, &bytes).await;
    assert_found([one, other], &digest, &bytes).await;
}

/// What is claimed, by any number, is not seized; what is seized is claimed when that ends.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn claims_keep_blobs(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("claimed", 1000);
    let absent = one.claim(&Digest::of(&bytes)).await.expect("claims");
    assert_eq!(absent.stored_bytes(), None);
    let (digest, _) = put(one, &bytes).await;
    let present = other.claim(&digest).await.expect("claims too");
    assert_eq!(present.stored_bytes(), Some(1000));
    for store in [one, other] {
        assert!(store.seize(&digest).await.expect("asks").is_none(), "two claim it");
    }
    drop(absent);
    assert!(one.seize(&digest).await.expect("asks").is_none(), "one claims it");
    drop(present);
    let seizure = other.seize(&digest).await.expect("asks").expect("nobody claims it");
    assert!(one.seize(&digest).await.expect("asks").is_none(), "one at a time");
    // Whoever claims it now waits, and is told that it is gone.
    let (claim, removed) = tokio::join!(one.claim(&digest), async {
        tokio::task::yield_now().await;
        seizure.remove(later()).await
    });
    assert_eq!(removed.expect("removes"), Some(1000));
    assert_eq!(claim.expect("claims").stored_bytes(), None);
}

/// A blob that is committed again is as young as that.
///
/// # Panics
/// Where the store breaks the contract.
pub async fn blobs_committed_again_are_young(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("committed again", 1000);
    let (digest, _) = put(one, &bytes).await;
    let first = committed_at(one, &digest).await;
    // Clocks of file systems tick coarsely.
    let mut last = first;
    for _ in 0..10_000 {
        if last > first {
            break;
        }
        put(other, &bytes).await;
        last = committed_at(one, &digest).await;
    }
    assert!(last > first, "{first:?}");
}

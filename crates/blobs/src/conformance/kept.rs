//! Checks of kept stages.

use oci::{Algorithm, Digest};

use super::{append, assert_found, assert_missing, sample};
use crate::{BlobStore, Error, Hashed, StageName, StagedBlob};

fn name(text: &str) -> StageName {
    StageName::parse(text).expect("a name")
}

/// Goes on with a kept stage, waiting for whoever has only just let go of it.
async fn resume(
    store: &dyn BlobStore,
    name: &StageName,
    size_bytes: u64,
    hashed: Hashed,
) -> StagedBlob {
    loop {
        match store.resume(name, size_bytes, hashed.clone()).await {
            Err(Error::Busy) => tokio::task::yield_now().await,
            resumed => return resumed.expect("goes on"),
        }
    }
}

fn nothing() -> Hashed {
    Hashed::nothing(Algorithm::Sha256)
}

/// What one handle left another goes on with, with the hash it kept or by reading anew; what is
/// beyond the bytes that count is cut off.
pub async fn kept_stages_are_gone_on_with(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("kept", 3_000_000);
    let (name, digest) = (name("abc-1"), Digest::of(&bytes));
    let staged = append(resume(one, &name, 0, nothing()).await, &bytes[..1_000_000]).await;
    let early = staged.hashed();
    let staged = append(staged, b"cut off").await;
    let late = staged.hashed();
    drop(staged);
    let staged = append(resume(other, &name, 1_000_000, early).await, &bytes[1_000_000..2_000_001]);
    drop(staged.await);
    assert_missing(one, &digest).await;
    // A hash of bytes that do not count is of no use, and not used.
    let staged = append(resume(one, &name, 999_999, late).await, &bytes[999_999..]).await;
    assert_eq!(staged.size_bytes(), 3_000_000);
    staged.verify(&digest, Some(3_000_000)).expect("verifies").commit().await.expect("commits");
    assert_found([one, other], &digest, &bytes).await;
    let over = other.resume(&name, 1, nothing()).await;
    assert!(matches!(over, Err(Error::Truncated { .. })), "{over:?}");
}

/// A kept stage can be hashed by another algorithm than it was begun with.
pub async fn kept_stages_are_hashed_anew(one: &dyn BlobStore, other: &dyn BlobStore) {
    let bytes = sample("kept sha512", 100_000);
    let (name, digest) = (name("abc-2"), Digest::of_with(Algorithm::Sha512, &bytes));
    drop(append(resume(one, &name, 0, nothing()).await, &bytes).await);
    let staged = resume(other, &name, 100_000, Hashed::nothing(Algorithm::Sha512)).await;
    staged.verify(&digest, None).expect("verifies").commit().await.expect("commits");
    assert_found([one, other], &digest, &bytes).await;
}

/// One at a time goes on with a kept stage; what is discarded begins anew.
pub async fn kept_stages_have_one_writer(one: &dyn BlobStore, other: &dyn BlobStore) {
    let name = name("abc-3");
    let staged = append(resume(one, &name, 0, nothing()).await, b"first").await;
    for store in [one, other] {
        let second = store.resume(&name, 0, nothing()).await;
        assert!(matches!(second, Err(Error::Busy)), "{second:?}");
    }
    other.discard(&name).await.expect("discards");
    let anew = append(resume(other, &name, 0, nothing()).await, b"anew").await;
    drop(staged);
    assert_eq!(anew.size_bytes(), 4);
    drop(anew);
    let staged = resume(one, &name, 4, nothing()).await;
    staged.verify(&Digest::of(b"anew"), Some(4)).expect("the bytes of the second writer");
    one.discard(&name).await.expect("discards");
    one.discard(&name).await.expect("discards what is not there");
    let gone = other.resume(&name, 4, nothing()).await;
    assert!(matches!(gone, Err(Error::Truncated { available: 0, .. })), "{gone:?}");
}

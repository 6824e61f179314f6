//! The contract on [`MemoryBlobs`].

use blobs::{MemoryBlobs, conformance};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    let store = MemoryBlobs::default();
    conformance::check_all(&store, &store.clone()).await;
    assert_eq!(store.staging_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_its_staging_space() {
    let store = MemoryBlobs::new(1_000_000);
    conformance::staging_space_is_limited(&store, 1_000_000).await;
}

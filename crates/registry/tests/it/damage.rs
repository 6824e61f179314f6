//! Stored bytes that go bad: found out before they are served as good, and fetched again.

use std::fs::{self, OpenOptions};

use blobs::Access;
use oci::Digest;
use registry::{Counter, ReadError};
use testkit::{Pattern, blob_path, manifest_path};

use crate::{
    images::push_image,
    world::{Files, Setup, World, read_at_least, until, within},
};

/// More than a store reads whole when it opens a blob.
const SIZE: u64 = 3 << 20;

/// A world in files with a blob that is stored and linked.
async fn with_blob(files: &Files) -> (World, Pattern, Digest) {
    let world = Setup::new().in_files(files).await.world().await.and_hub().await;
    let pattern = Pattern::new(1, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    world.blob("hub/app", &digest).await.unwrap();
    world.fills_ended(1).await;
    (world, pattern, digest)
}

fn truncate(files: &Files, digest: &Digest, length: u64) {
    let file = OpenOptions::new().write(true).open(files.blob(digest)).unwrap();
    file.set_len(length).unwrap();
}

async fn heals(world: &World, pattern: &Pattern, files: &Files) {
    let digest = pattern.digest();
    let gets = world.upstream.gets(&blob_path("app", &digest));
    let bytes = world.blob("hub/app", &digest).await.unwrap();
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
    assert_eq!(world.upstream.gets(&blob_path("app", &digest)), gets + 1);
    until("it is stored again", || async {
        fs::metadata(files.blob(&digest)).is_ok_and(|found| found.len() == SIZE)
    })
    .await;
    assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
    assert_eq!(world.upstream.gets(&blob_path("app", &digest)), gets + 1);
}

#[tokio::test]
async fn a_blob_cut_off_while_idle_is_fetched_again_and_never_served_short() {
    for length in [0, 1, SIZE / 2, SIZE - 1] {
        for fresh_process in [false, true] {
            let files = Files::new();
            let (mut world, pattern, digest) = with_blob(&files).await;
            truncate(&files, &digest, length);
            if fresh_process {
                let blobs = files.open().await;
                world.restart(|setup| setup.blobs = std::sync::Arc::new(blobs)).await;
            }
            let stat = world.stat_blob("hub/app", &digest).await;
            assert_eq!(stat.unwrap().size_bytes, Some(SIZE), "cut at {length}");
            heals(&world, &pattern, &files).await;
        }
    }
}

/// Opened while it was whole: the reader gets an error, and the store is looked at.
#[tokio::test]
async fn a_blob_cut_off_under_a_reader_aborts_it_and_is_removed() {
    for (read_before, access) in
        [(0, Access::User), (0, Access::Kernel), (1 << 20, Access::User), (1 << 20, Access::Kernel)]
    {
        let files = Files::new();
        let (world, pattern, digest) = with_blob(&files).await;
        let mut reader = world.open("hub/app", &digest).await.unwrap();
        read_at_least(&mut reader, read_before).await;
        truncate(&files, &digest, 1000);
        let end = loop {
            match within(reader.next(access)).await {
                Some(Ok(_)) => {}
                end => break end,
            }
        };
        assert!(matches!(end, Some(Err(ReadError::Storage(_)))), "{end:?}");
        drop(reader);
        let counters = world.registry.counters();
        until("it is removed", || async { counters.get(Counter::BlobsDamaged) == 1 }).await;
        assert!(fs::metadata(files.blob(&digest)).is_err());
        heals(&world, &pattern, &files).await;
    }
}

/// A client that leaves looks like damage, and is not.
#[tokio::test]
async fn a_reader_that_leaves_costs_nothing() {
    let files = Files::new();
    let (world, pattern, digest) = with_blob(&files).await;
    for _ in 0..3 {
        let mut reader = world.open("hub/app", &digest).await.unwrap();
        read_at_least(&mut reader, 1).await;
    }
    assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
    assert_eq!(world.registry.counters().get(Counter::BlobsDamaged), 0);
    assert_eq!(world.upstream.gets(&blob_path("app", &digest)), 1);
}

#[tokio::test]
async fn a_blob_that_is_gone_is_fetched_again() {
    let files = Files::new();
    let (world, pattern, digest) = with_blob(&files).await;
    fs::remove_file(files.blob(&digest)).unwrap();
    heals(&world, &pattern, &files).await;
}

#[tokio::test]
async fn a_manifest_that_is_gone_or_altered_is_fetched_again() {
    for reference in ["v1", "digest"] {
        for altered in [false, true] {
            let files = Files::new();
            let mut world = Setup::new().in_files(&files).await.world().await.and_hub().await;
            let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
            let reference = if reference == "v1" { "v1" } else { image.digest.as_str() };
            world.pull("hub/app", reference).await.unwrap();
            let path = files.blob(&image.digest);
            if altered {
                let mut bytes = fs::read(&path).unwrap();
                bytes[0] ^= 1;
                fs::write(&path, bytes).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            // What this process has in memory is right; another has to look.
            assert_eq!(world.pull("hub/app", reference).await.unwrap().bytes, image.manifest);
            let blobs = files.open().await;
            world.restart(|setup| setup.blobs = std::sync::Arc::new(blobs)).await;
            for _ in 0..2 {
                assert_eq!(world.pull("hub/app", reference).await.unwrap().bytes, image.manifest);
            }
            assert_eq!(world.upstream.gets(&manifest_path("app", reference)), 2);
            assert_eq!(fs::read(&path).unwrap(), image.manifest);
        }
    }
}

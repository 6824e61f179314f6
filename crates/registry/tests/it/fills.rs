//! Fills that go well: one transfer, and readers of every kind.

use std::{ops::Range, sync::Arc};

use blobs::{Access, BlobStore as _, MemoryBlobs};
use bytes::Bytes;
use futures_util::{FutureExt as _, future::join_all};
use oci::Digest;
use registry::{BlobReader, Counter, Served};
use testkit::{Gate, Pattern, Script, blob_path, manifest_path};

use crate::world::{Setup, World, read_at_least, read_to_end, until, within};

const SIZE: u64 = 3 << 20;
const HALF: u64 = SIZE / 2;

/// A world whose upstream has one blob, and sends half of it until the gate opens.
async fn stalled() -> (World, Pattern, Digest, Gate) {
    let world = World::with_hub().await;
    let pattern = Pattern::new(7, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    let gate = Gate::shut();
    world.upstream.script(&blob_path("app", &digest), Script::new().stall(HALF, &gate));
    (world, pattern, digest, gate)
}

async fn range(world: &World, digest: &Digest, range: Range<u64>) -> BlobReader {
    let open = world.open_blob("hub/app", digest).await.unwrap();
    assert_eq!(open.size_bytes, Some(SIZE));
    assert!(matches!(open.served, Served::Miss));
    open.read(Some(range))
}

#[tokio::test]
async fn one_transfer_serves_readers_of_every_kind() {
    let (world, pattern, digest, gate) = stalled().await;
    let path = blob_path("app", &digest);

    let mut first = world.open("hub/app", &digest).await.unwrap();
    read_at_least(&mut first, 1).await;
    // The first leaves half way; nobody else notices.
    drop(first);
    let mut whole = world.open("hub/app", &digest).await.unwrap();
    let mut slow = world.open("hub/app", &digest).await.unwrap();
    let mut suffix = range(&world, &digest, SIZE - 1000..SIZE).await;
    let mut across = range(&world, &digest, HALF - 10..HALF + 10).await;

    assert!(pattern.matches(0, &read_at_least(&mut whole, HALF as usize).await));
    let mut late = world.open("hub/app", &digest).await.unwrap();
    // What lies before the watermark is served to its end while the rest is still to come.
    let mut inside = range(&world, &digest, 1000..HALF - 1).await;
    let bytes = read_to_end(&mut inside).await.unwrap();
    assert!(bytes.len() as u64 == HALF - 1001 && pattern.matches(1000, &bytes));
    let bytes = read_at_least(&mut across, 10).await;
    assert!(bytes.len() == 10 && pattern.matches(HALF - 10, &bytes));
    for reader in [&mut suffix, &mut across, &mut whole] {
        assert!(reader.next(Access::User).now_or_never().is_none(), "nothing is to be had yet");
    }

    gate.open();
    for (reader, offset, length) in [
        (&mut whole, HALF, SIZE - HALF),
        (&mut late, 0, SIZE),
        (&mut suffix, SIZE - 1000, 1000),
        (&mut across, HALF, 10),
        (&mut slow, 0, SIZE),
    ] {
        let bytes = read_to_end(reader).await.unwrap();
        assert_eq!(bytes.len() as u64, length, "from {offset}");
        assert!(pattern.matches(offset, &bytes), "from {offset}");
    }
    world.fills_ended(1).await;
    assert_eq!((world.upstream.gets(&path), world.upstream.heads(&path)), (1, 0));
    let counters = world.registry.counters();
    assert_eq!(counters.get(Counter::FillsStarted), 1);
    assert_eq!(counters.get(Counter::FillBytes), SIZE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_cost_one_get() {
    let world = World::with_hub().await;
    let pattern = Pattern::new(8, 300_000);
    let digest = world.upstream.add_pattern("app", &pattern);
    let (path, gate) = (blob_path("app", &digest), Gate::shut());
    world.upstream.script(&path, Script::new().hold(&gate));
    let readers = (0..64).map(|_| world.blob("hub/app", &digest));
    let opener = async {
        let joined = || async { world.registry.counters().get(Counter::FillsJoined) == 63 };
        until("all have joined", joined).await;
        gate.open();
    };
    let (bodies, ()) = tokio::join!(join_all(readers), opener);
    for body in bodies {
        let body = body.unwrap();
        assert!(body.len() == 300_000 && pattern.matches(0, &body));
    }
    assert_eq!(world.upstream.gets(&path), 1);
}

#[tokio::test]
async fn a_head_starts_no_fill() {
    let world = World::with_hub().await;
    let digest = world.upstream.add_blob("app", "layer");
    let path = blob_path("app", &digest);
    for _ in 0..2 {
        let stat = world.stat_blob("hub/app", &digest).await;
        assert_eq!(stat.unwrap().size_bytes, Some(5));
    }
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (2, 0));
    assert_eq!(world.registry.counters().get(Counter::FillsStarted), 0);
    assert!(!world.has_repository("hub/app").await);
}

/// The upstream has sent every byte, but whether it was the last one nobody knows yet.
#[tokio::test]
async fn the_last_byte_waits_for_the_digest() {
    let world = World::with_hub().await;
    let pattern = Pattern::new(9, 10_000);
    let digest = world.upstream.add_pattern("app", &pattern);
    let gate = Gate::shut();
    let script = Script::new().chunked().stall(10_000, &gate);
    world.upstream.script(&blob_path("app", &digest), script);

    let open = world.open_blob("hub/app", &digest).await.unwrap();
    assert_eq!(open.size_bytes, None);
    let mut reader = open.read(None);
    let bytes = read_at_least(&mut reader, 9_999).await;
    assert!(bytes.len() == 9_999 && pattern.matches(0, &bytes));
    assert!(reader.next(Access::User).now_or_never().is_none());
    gate.open();
    assert!(pattern.matches(9_999, &read_to_end(&mut reader).await.unwrap()));
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &digest).await);
}

#[tokio::test]
async fn a_reader_far_behind_reads_on_after_the_commit() {
    let mut setup = Setup::new();
    let files = crate::world::Files::new();
    setup = setup.in_files(&files).await;
    let world = setup.world().await.and_hub().await;
    let pattern = Pattern::new(10, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    let mut slow = world.open("hub/app", &digest).await.unwrap();
    let head = read_at_least(&mut slow, SIZE as usize / 10).await;
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &digest).await);
    // Not even its deletion matters to whoever has begun.
    world.blobs.delete(&digest).await.unwrap();
    let rest = read_to_end(&mut slow).await.unwrap();
    assert!(pattern.matches(0, &head) && pattern.matches(head.len() as u64, &rest));
    assert_eq!((head.len() + rest.len()) as u64, SIZE);
    files.staging_is_empty().await;
}

#[tokio::test]
async fn when_all_readers_leave_the_fill_goes_on() {
    let (world, _, digest, gate) = stalled().await;
    let reader = world.open("hub/app", &digest).await.unwrap();
    drop(reader);
    gate.open();
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &digest).await);
}

#[tokio::test]
async fn fills_beyond_the_limit_wait_their_turn() {
    let mut setup = Setup::new();
    setup.settings.fills_max = 1;
    let world = setup.world().await.and_hub().await;
    let [one, other] =
        [1, 2].map(|seed| world.upstream.add_pattern("app", &Pattern::new(seed, 50_000)));
    let (path, gate) = (blob_path("app", &other), Gate::shut());
    world.upstream.script(&blob_path("app", &one), Script::new().stall(10, &gate));

    let mut running = world.open("hub/app", &one).await.unwrap();
    let mut waiting = Box::pin(world.blob("hub/app", &other));
    let watching = async {
        world.upstream.got(&path, 1).await;
        // A question that goes all the way shows that there was time to receive.
        world.pull("hub/app", "v1").await.unwrap_err();
        assert_eq!(world.upstream.gets(&manifest_path("app", "v1")), 1);
    };
    tokio::select! {
        received = &mut waiting => panic!("it did not wait: {received:?}"),
        () = watching => {}
    }
    gate.open();
    assert_eq!(read_to_end(&mut running).await.unwrap().len(), 50_000);
    assert_eq!(waiting.await.unwrap().len(), 50_000);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let world = World::with_hub().await;
    let digest = world.upstream.add_blob("app", Bytes::new());
    for _ in 0..2 {
        assert_eq!(world.blob("hub/app", &digest).await.unwrap(), Bytes::new());
        world.fills_ended(1).await;
    }
    assert!(world.holds("hub/app", &digest).await);
    assert_eq!(world.upstream.gets(&blob_path("app", &digest)), 1);
}

/// What is staged is given back when it is committed, in memory as in files.
#[tokio::test]
async fn staging_space_is_given_back() {
    let blobs = MemoryBlobs::new(1 << 20);
    let mut setup = Setup::new();
    setup.blobs = Arc::new(blobs.clone());
    let world = setup.world().await.and_hub().await;
    for seed in 0..5 {
        let pattern = Pattern::new(seed, 700_000);
        let digest = world.upstream.add_pattern("app", &pattern);
        assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
        world.fills_ended(seed + 1).await;
        assert!(blobs.open(&digest).await.is_ok());
    }
    until("nothing is staged", || async { blobs.staging_bytes() == 0 }).await;
}

/// Upstreams that stall keep no thread from anybody: with two threads for blocking calls and four
/// stalled fills, a fifth blob is filled.
#[test]
fn stalled_fills_hold_no_threads() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::with_hub().await;
        let gate = Gate::shut();
        let mut stalled = Vec::new();
        for seed in 0..4 {
            let pattern = Pattern::new(seed, SIZE);
            let digest = world.upstream.add_pattern("app", &pattern);
            world.upstream.script(&blob_path("app", &digest), Script::new().stall(HALF, &gate));
            let mut reader = world.open("hub/app", &digest).await.unwrap();
            within(read_at_least(&mut reader, 1)).await;
            stalled.push(reader);
        }
        let pattern = Pattern::new(9, SIZE);
        let digest = world.upstream.add_pattern("app", &pattern);
        let bytes = within(world.blob("hub/app", &digest)).await.unwrap();
        assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
        gate.open();
        world.fills_ended(5).await;
    });
}

//! Collecting what nobody needs: what goes, and what must not whatever happens meanwhile.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metadata::{LinkStore as _, ManifestStore as _, MemoryMetadata};
use oci::Digest;
use registry::{Caller, CollectError, CollectFrom, Collected, Counter, PushError};
use testkit::{BlobOperation, FailingBlobs, FailingMetadata, Gate, MetadataOperation};

use crate::{
    images::push_image,
    push::image_of,
    world::{Files, Setup, World, re, repository, root, until, within},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NAME: &str = "team/app";

impl World {
    /// Lets the grace period of everything pass. Files are as old as the machine says.
    pub(crate) fn age(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let past = i64::try_from(now).unwrap() - self.now().0;
        self.clock.advance(past.max(0) + 2 * DAY_MS);
    }

    async fn collect(&self, dry_run: bool) -> Collected {
        let mut total = Collected::default();
        let mut from = CollectFrom::Links(None);
        loop {
            let step = within(self.registry.collect(&self.caller, from, dry_run)).await.unwrap();
            total.links += step.links;
            total.blobs += step.blobs;
            total.bytes += step.bytes;
            match step.next {
                Some(next) => from = next,
                None => return total,
            }
        }
    }

    async fn delete(&self, name: &str, reference: &str) {
        let (name, reference) = (repository(name), re(reference));
        self.registry.delete_manifest(&self.caller, &name, &reference).await.unwrap();
    }

    async fn stored(&self, digest: &Digest) -> bool {
        self.blobs.stat(digest).await.is_ok()
    }
}

fn counts(collected: &Collected) -> (u64, u64) {
    (collected.links, collected.blobs)
}

#[tokio::test]
async fn what_is_deleted_is_freed_and_the_rest_pulls_whole() {
    let files = Files::new();
    let world = Setup::new().in_files(&files).await.world().await;
    let (kept, gone) = (
        world.push_tag(NAME, "kept", "kept config").await,
        world.push_tag(NAME, "gone", "gone config").await,
    );
    let loose = world.push_blob(NAME, b"pushed for nothing").await;
    world.delete(NAME, gone.as_str()).await;
    assert_eq!(world.collect(false).await, Collected::default(), "all of it is young");
    world.age();
    let planned = world.collect(true).await;
    assert_eq!(counts(&planned), (2, 3), "two links; two blobs and a manifest");
    assert!(world.stored(&loose).await && world.stored(&gone).await);
    assert_eq!(world.collect(false).await, planned);
    for digest in [&gone, &loose, &Digest::of(b"gone config")] {
        assert!(!world.stored(digest).await, "{digest}");
        assert!(!files.blob(digest).try_exists().unwrap());
    }
    assert!(world.open_blob(NAME, &loose).await.is_err());
    world.pull(NAME, kept.as_str()).await.unwrap();
    let config = world.blob(NAME, &Digest::of(b"kept config")).await.unwrap();
    assert_eq!(config, "kept config");
    assert_eq!(world.collect(false).await, Collected::default());
    let counted = |counter| world.registry.counters().get(counter);
    assert_eq!(counted(Counter::LinksCollected), 2);
    assert_eq!(counted(Counter::BlobsCollected), 3);
    assert_eq!(counted(Counter::BytesCollected), planned.bytes);
}

#[tokio::test]
async fn what_anybody_needs_stays() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["layer"]);
    world.pull("hub/app", "1").await.unwrap();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    // The same bytes in another repository, and one under way.
    world.push_blob(NAME, b"layer").await;
    let started = world.registry.start_upload(&world.caller, &repository(NAME)).await.unwrap();
    world.registry.delete_repository(&world.caller, &repository("hub/app"), true).await.unwrap();
    let manifest = image_of(&image.layers[0]);
    world.push_manifest(NAME, "1", &manifest).await.unwrap();
    world.age();
    let collected = world.collect(false).await;
    assert_eq!(counts(&collected), (0, 1), "the manifest of the repository that is gone");
    assert_eq!(world.blob(NAME, &image.layers[0]).await.unwrap(), "layer");
    let status = world.registry.upload_status(&world.caller, &repository(NAME), &started.id).await;
    assert_eq!(status.unwrap().size_bytes, 0);
    // What a rule brings comes back.
    world.pull("hub/app", "1").await.unwrap();
    assert_eq!(world.blob("hub/app", &image.config).await.unwrap().len(), 44);
}

#[tokio::test]
async fn a_deleted_repository_is_freed() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["one", "two"]);
    world.pull("hub/app", "1").await.unwrap();
    for layer in &image.layers {
        world.blob("hub/app", layer).await.unwrap();
    }
    world.fills_ended(2).await;
    world.registry.delete_repository(&world.caller, &repository("hub/app"), true).await.unwrap();
    world.age();
    assert_eq!(counts(&world.collect(true).await), (0, 3));
    assert_eq!(counts(&world.collect(false).await), (0, 3));
    assert_eq!(world.blob("hub/app", &image.layers[0]).await.unwrap(), "one");
}

/// A client that was told a moment ago that a blob is there need not push it again.
#[tokio::test]
async fn what_a_client_was_told_of_stays_for_a_while() {
    let world = Setup::new().world().await;
    let blob = world.push_blob(NAME, b"layer").await;
    world.age();
    world.stat_blob(NAME, &blob).await.unwrap();
    assert_eq!(world.collect(false).await, Collected::default());
    assert!(world.holds(NAME, &blob).await);
    // Pushed again, it is as young as that.
    let other = world.push_blob(NAME, b"other").await;
    world.age();
    world.push_blob(NAME, b"other").await;
    assert_eq!(world.collect(false).await, Collected::default());
    assert!(world.holds(NAME, &other).await);
}

#[tokio::test]
async fn only_the_owner_of_the_stores_collects() {
    let world = Setup::new().world().await;
    let mut elsewhere = root("us-east-1");
    elsewhere.registry.account = metadata::AccountId::parse("111122223333").unwrap();
    let owner_there = Caller {
        principal: registry::Principal::Root {
            account: elsewhere.registry.account.clone(),
            access_key_id: "AKIA".to_owned(),
        },
        ..elsewhere.clone()
    };
    for caller in [&elsewhere, &owner_there] {
        let refused = world.registry.collect(caller, CollectFrom::Links(None), true).await;
        assert!(matches!(refused, Err(CollectError::Denied(_))), "{refused:?}");
    }
}

/// Stores that can be made to fail and to wait.
async fn watched(files: &Files) -> (World, Arc<FailingBlobs>, Arc<FailingMetadata>) {
    let blobs = Arc::new(FailingBlobs::new(Arc::new(files.open().await)));
    let metadata = Arc::new(FailingMetadata::new(Arc::new(MemoryMetadata::new())));
    let mut setup = Setup::new();
    setup.blobs = Arc::<FailingBlobs>::clone(&blobs);
    setup.metadata = Arc::<FailingMetadata>::clone(&metadata);
    (setup.world().await, blobs, metadata)
}

/// The bytes lie there, old and needed by nobody; a push commits them again and is held before it
/// records its link. Whatever the collection sees meanwhile, the blob stays.
#[tokio::test]
async fn a_push_under_way_keeps_its_bytes() {
    let files = Files::new();
    let (world, _, metadata) = watched(&files).await;
    let blob = world.push_blob("team/old", b"layer").await;
    world.registry.delete_repository(&world.caller, &repository("team/old"), true).await.unwrap();
    world.age();
    let gate = Gate::shut();
    metadata.faults().hold(MetadataOperation::RecordLinks, &gate);
    let push = world.push_blob(NAME, b"layer");
    let collect = async {
        gate.arrived(1).await;
        // It is as young as its commit, and claimed whatever its age.
        world.clock.advance(365 * DAY_MS);
        assert_eq!(world.collect(false).await, Collected::default());
        gate.open();
    };
    within(async { tokio::join!(push, collect) }).await;
    assert_eq!(world.blob(NAME, &blob).await.unwrap(), "layer");
    assert!(files.blob(&blob).try_exists().unwrap());
}

/// The collection has asked for the last time; the push that comes then waits, and puts its bytes
/// where they are gone.
#[tokio::test]
async fn a_push_that_comes_too_late_brings_its_bytes() {
    let files = Files::new();
    let (world, blobs, _) = watched(&files).await;
    let blob = world.push_blob("team/old", b"layer").await;
    world.registry.delete_repository(&world.caller, &repository("team/old"), true).await.unwrap();
    world.age();
    // What a collection does between its last question and the removal.
    let seizure = world.blobs.seize(&blob).await.unwrap().expect("nobody claims it");
    let remove = async {
        until("the push claims", || async { blobs.faults().calls(BlobOperation::Claim) > 1 }).await;
        assert_eq!(seizure.remove(SystemTime::now() + DAY).await.unwrap(), Some(5));
    };
    within(async { tokio::join!(world.push_blob(NAME, b"layer"), remove) }).await;
    assert_eq!(world.blob(NAME, &blob).await.unwrap(), "layer");
    assert!(files.blob(&blob).try_exists().unwrap());
    assert!(world.metadata.link(&world.caller.registry, &repository(NAME), &blob).await.is_ok());
}

/// An adoption looks at the bytes, asks the upstream, and links them: they stay in between.
#[tokio::test]
async fn bytes_that_are_adopted_stay() {
    let files = Files::new();
    let (world, _, metadata) = watched(&files).await;
    let world = world.and_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["layer"]);
    world.push_blob("team/old", b"layer").await;
    world.registry.delete_repository(&world.caller, &repository("team/old"), true).await.unwrap();
    world.age();
    let gate = Gate::shut();
    metadata.faults().hold(MetadataOperation::RecordLinks, &gate);
    assert_eq!(world.blob("hub/app", &image.layers[0]).await.unwrap(), "layer");
    gate.arrived(1).await;
    assert_eq!(world.collect(false).await, Collected::default());
    gate.open();
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &image.layers[0]).await);
    assert!(files.blob(&image.layers[0]).try_exists().unwrap());
}

/// A manifest is not recorded whose parts went between the look at them and its record.
#[tokio::test]
async fn a_manifest_whose_parts_went_is_refused() {
    let files = Files::new();
    let (world, _, metadata) = watched(&files).await;
    let config = world.push_blob(NAME, b"config").await;
    world.age();
    let gate = Gate::shut();
    metadata.faults().hold(MetadataOperation::RecordWithParts, &gate);
    let manifest = image_of(&config);
    let push = world.push_manifest(NAME, "1", &manifest);
    let delete = async {
        gate.arrived(1).await;
        world.registry.delete_blob(&world.caller, &repository(NAME), &config).await.unwrap();
        gate.open();
    };
    let (pushed, ()) = within(async { tokio::join!(push, delete) }).await;
    match pushed {
        Err(PushError::BlobsUnknown { digests }) => {
            assert_eq!(digests, std::slice::from_ref(&config));
        }
        other => panic!("{other:?}"),
    }
    let (registry, digest) = (&world.caller.registry, Digest::of(&manifest));
    let absent = world.metadata.manifest(registry, &repository(NAME), &digest).await;
    assert!(absent.is_err());
    // Pushed anew it is whole.
    world.push_blob(NAME, b"config").await;
    world.push_manifest(NAME, "1", &manifest).await.unwrap();
    world.age();
    world.collect(false).await;
    assert_eq!(world.blob(NAME, &config).await.unwrap(), "config");
}

#[tokio::test]
async fn a_collection_that_fails_is_taken_up_again() {
    let files = Files::new();
    let (world, blobs, metadata) = watched(&files).await;
    let blob = world.push_blob(NAME, b"loose").await;
    world.age();
    for fail in [
        || (Some(MetadataOperation::LooseLinks), None),
        || (Some(MetadataOperation::DeleteLooseLinks), None),
        || (Some(MetadataOperation::Needed), None),
        || (None, Some(BlobOperation::List)),
        || (None, Some(BlobOperation::Seize)),
    ] {
        let (of_facts, of_bytes) = fail();
        if let Some(operation) = of_facts {
            metadata.faults().fail(operation);
        }
        if let Some(operation) = of_bytes {
            blobs.faults().fail(operation);
        }
        world.registry.collect_all().await;
        assert!(files.blob(&blob).try_exists().unwrap(), "{of_facts:?} {of_bytes:?}");
        metadata.faults().heal();
        blobs.faults().heal();
    }
    world.registry.collect_all().await;
    assert!(!files.blob(&blob).try_exists().unwrap());
}

//! Fills that go wrong: lying and dying upstreams, failing stores, tasks that are gone.

use std::{fs, ops::Range, sync::Arc};

use async_trait::async_trait;
use blobs::MemoryBlobs;
use bytes::Bytes;
use futures_util::StreamExt as _;
use metadata::LinkStore as _;
use oci::{Digest, Reference, Referrer, Tag};
use registry::{Counter, FillError, PullError, ReadError};
use testkit::{Gate, Pattern, Script, blob_path};
use upstream::{
    Allowance, BlobBody, BlobStat, Budget, Demand, Error, FetchedManifest, HttpUpstream, Listing,
    ManifestStat, Target, Upstream,
};

use crate::world::{
    Failure, Files, Setup, World, read_at_least, read_to_end, repository, until, within,
};

const SIZE: u64 = 200_000;

/// Checks that nothing of a blob was kept and no repository came into being.
async fn nothing_is_kept(world: &World, digest: &Digest, what: &str) {
    assert!(world.blobs.open(digest).await.is_err(), "{what}");
    let link = world.metadata.link(&world.caller.registry, &repository("hub/app"), digest).await;
    assert!(link.is_err(), "{what}");
    assert!(!world.has_repository("hub/app").await, "{what}");
}

#[tokio::test]
async fn no_reader_sees_a_clean_end_of_wrong_bytes() {
    let lies: &[(&str, Script)] = &[
        ("first byte wrong", Script::new().wrong_byte(0)),
        ("last byte wrong", Script::new().wrong_byte(SIZE - 1)),
        ("wrong byte, no length", Script::new().wrong_byte(SIZE / 2).chunked()),
        ("ends early", Script::new().short(SIZE / 2)),
        ("lacks the last byte", Script::new().short(SIZE - 1)),
        ("reset half way", Script::new().reset(SIZE / 2)),
        ("reset before the last byte", Script::new().reset(SIZE - 1)),
        ("no length, ends early", Script::new().chunked().short(SIZE / 2)),
        ("ends with the connection, too early", Script::new().until_close().short(SIZE / 2)),
        ("ends with the connection, at once", Script::new().until_close().short(0)),
        ("other content of the right size", Script::new().body(&"x".repeat(SIZE as usize))),
        ("other content, shorter", Script::new().body("short")),
        ("nothing", Script::new().body("")),
        ("nothing, no length", Script::new().body("").chunked()),
    ];
    let files = Files::new();
    let mut setup = Setup::new().in_files(&files).await;
    setup.settings.fill_resumes_max = 0;
    let world = setup.world().await.and_hub().await;
    for (seed, (what, script)) in lies.iter().enumerate() {
        let pattern = Pattern::new(seed as u64, SIZE);
        let digest = world.upstream.add_pattern("app", &pattern);
        let path = blob_path("app", &digest);
        let gate = Gate::shut();
        world.upstream.script(&path, script.clone().hold(&gate));

        let readers =
            async { tokio::join!(world.blob("hub/app", &digest), world.blob("hub/app", &digest)) };
        let opener = async {
            within(gate.arrived(1)).await;
            gate.open();
        };
        let ((one, other), ()) = tokio::join!(readers, opener);
        for found in [one, other] {
            assert!(found.is_err(), "{what}: {} bytes and a clean end", found.unwrap().len());
        }
        assert_eq!(world.upstream.gets(&path), 1, "{what}");
        nothing_is_kept(&world, &digest, what).await;
        files.staging_is_empty().await;
    }
    // The next pull works, for each.
    for (seed, (what, _)) in lies.iter().enumerate() {
        let pattern = Pattern::new(seed as u64, SIZE);
        world.upstream.unscript(&blob_path("app", &pattern.digest()));
        let bytes = world.blob("hub/app", &pattern.digest()).await.unwrap();
        assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes), "{what}");
    }
}

/// What comes before the lie is found out may be read, but never the last byte.
#[tokio::test]
async fn a_lie_is_found_out_before_the_last_byte_leaves() {
    let world = World::with_hub().await;
    let pattern = Pattern::new(1, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    let (path, gate) = (blob_path("app", &digest), Gate::shut());
    world.upstream.script(&path, Script::new().wrong_byte(5).stall(SIZE - 1, &gate));
    let mut reader = world.open("hub/app", &digest).await.unwrap();
    let bytes = read_at_least(&mut reader, SIZE as usize - 1).await;
    assert_eq!(bytes.len() as u64, SIZE - 1);
    gate.open();
    let end = read_to_end(&mut reader).await;
    assert!(matches!(end, Err(ReadError::Fill(_))), "{end:?}");
}

/// A client that tries again at once must not be sent back to what has just failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_after_a_failure_starts_anew() {
    let world = World::with_hub().await;
    for seed in 0..50 {
        let pattern = Pattern::new(seed, 1000);
        let digest = world.upstream.add_pattern("app", &pattern);
        world.upstream.script(&blob_path("app", &digest), Script::new().wrong_byte(9).times(1));
        assert!(world.blob("hub/app", &digest).await.is_err());
        assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
    }
}

#[tokio::test]
async fn what_an_upstream_refuses_is_told_as_it_is() {
    let world = World::with_hub().await;
    let digest = world.upstream.add_blob("app", "layer");
    let path = blob_path("app", &digest);
    type Check = fn(&PullError) -> bool;
    let is: &[(u16, Check)] = &[
        (404, |e| matches!(e, PullError::BlobUnknown { upstream: Some(_), .. })),
        (401, |e| matches!(e, PullError::Upstream(e) if matches!(**e, Error::Unauthorized { .. }))),
        (403, |e| matches!(e, PullError::Upstream(e) if matches!(**e, Error::Denied { .. }))),
        (429, |e| matches!(e, PullError::Upstream(e) if matches!(**e, Error::RateLimited { .. }))),
        (
            503,
            |e| matches!(e, PullError::Upstream(e) if matches!(**e, Error::Status { status: 503, .. })),
        ),
    ];
    for (status, check) in is {
        world.upstream.script(&path, Script::status(*status));
        let get = world.open("hub/app", &digest).await.unwrap_err();
        assert!(check(&get), "{status}: {get:?}");
        let head = world.stat_blob("hub/app", &digest).await.unwrap_err();
        assert!(check(&head), "{status}: {head:?}");
        nothing_is_kept(&world, &digest, "refused").await;
    }
}

#[tokio::test]
async fn readers_are_told_when_staging_is_full() {
    let blobs = MemoryBlobs::new(1 << 20);
    let mut setup = Setup::new();
    setup.blobs = Arc::new(blobs.clone());
    let world = setup.world().await.and_hub().await;
    let pattern = Pattern::new(1, 2 << 20);
    let digest = world.upstream.add_pattern("app", &pattern);
    let mut reader = world.open("hub/app", &digest).await.unwrap();
    let end = read_to_end(&mut reader).await;
    assert!(matches!(end, Err(ReadError::Fill(_))), "{end:?}");
    nothing_is_kept(&world, &digest, "too large").await;
    until("nothing is staged", || async { blobs.staging_bytes() == 0 }).await;

    let smaller = world.upstream.add_blob("app", "smaller");
    assert_eq!(&world.blob("hub/app", &smaller).await.unwrap()[..], b"smaller");
}

#[tokio::test]
async fn a_store_that_cannot_stage_is_an_error_and_no_more() {
    let files = Files::new();
    let world = Setup::new().in_files(&files).await.world().await.and_hub().await;
    let digest = world.upstream.add_blob("app", "layer");
    fs::remove_dir(files.path("staging")).unwrap();
    let failed = world.open("hub/app", &digest).await.unwrap_err();
    let PullError::Fill(error) = &failed else { panic!("{failed:?}") };
    assert!(matches!(**error, FillError::Storage(_)), "{error:?}");
    nothing_is_kept(&world, &digest, "no staging").await;

    fs::create_dir(files.path("staging")).unwrap();
    assert_eq!(&world.blob("hub/app", &digest).await.unwrap()[..], b"layer");
}

/// Readers had every byte verified: that it cannot be kept costs a later fill, not them.
#[tokio::test]
async fn a_store_that_cannot_commit_does_not_cost_the_readers() {
    let files = Files::new();
    let world = Setup::new().in_files(&files).await.world().await.and_hub().await;
    let pattern = Pattern::new(1, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    // A name that leads nowhere is in the way of the directory the blob belongs into.
    let shard = files.path(&format!("sha256/{}", &digest.hex()[..2]));
    std::os::unix::fs::symlink("nowhere", &shard).unwrap();
    let bytes = world.blob("hub/app", &digest).await.unwrap();
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
    world.fills_ended(1).await;
    assert_eq!(world.registry.counters().get(Counter::FillsFailed), 1);
    assert!(!world.has_repository("hub/app").await);
    files.staging_is_empty().await;

    fs::remove_file(shard).unwrap();
    assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
    world.fills_ended(2).await;
    assert!(world.holds("hub/app", &digest).await);
}

/// Panics where a test wants it: before a blob's headers, or in the middle of its bytes.
#[derive(Debug)]
struct Panicking(HttpUpstream);

const PANICS_AT_ONCE: &str = "at-once";

#[async_trait]
impl Upstream for Panicking {
    async fn stat_manifest(&self, t: &Target, r: &Reference) -> Result<ManifestStat, Error> {
        self.0.stat_manifest(t, r).await
    }

    async fn fetch_manifest(&self, _: &Target, _: &Reference) -> Result<FetchedManifest, Error> {
        panic!("as the test wants")
    }

    async fn fetch_manifest_unless(
        &self,
        t: &Target,
        tag: &Tag,
        held: &Digest,
    ) -> Result<Option<FetchedManifest>, Error> {
        self.0.fetch_manifest_unless(t, tag, held).await
    }

    async fn stat_blob(&self, target: &Target, digest: &Digest) -> Result<BlobStat, Error> {
        self.0.stat_blob(target, digest).await
    }

    async fn fetch_blob(
        &self,
        target: &Target,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error> {
        assert!(&*target.repository != PANICS_AT_ONCE, "as the test wants");
        let mut body = self.0.fetch_blob(target, digest, offset).await?;
        let first = body.bytes.next().await.expect("there are bytes")?;
        let then = futures_util::stream::once(async { panic!("as the test wants") });
        body.bytes = futures_util::stream::iter([Ok::<Bytes, Error>(first)]).chain(then).boxed();
        Ok(body)
    }

    async fn sample_blob(
        &self,
        target: &Target,
        digest: &Digest,
        part: Range<u64>,
        size_bytes: u64,
    ) -> Result<Option<Bytes>, Error> {
        self.0.sample_blob(target, digest, part, size_bytes).await
    }

    async fn tags(&self, target: &Target) -> Result<Listing<Tag>, Error> {
        self.0.tags(target).await
    }

    async fn referrers(&self, t: &Target, subject: &Digest) -> Result<Listing<Referrer>, Error> {
        self.0.referrers(t, subject).await
    }

    async fn authenticate(&self, target: &Target) -> Result<(), Error> {
        self.0.authenticate(target).await
    }

    fn allowance(&self, target: &Target, demand: Demand) -> Allowance {
        self.0.allowance(target, demand)
    }

    fn budgets(&self) -> Vec<Budget> {
        self.0.budgets()
    }
}

#[tokio::test]
async fn readers_of_a_fill_that_is_gone_are_told() {
    let mut setup = Setup::new();
    setup.wrap = |client| Arc::new(Panicking(client));
    let mut world = setup.world().await.and_hub().await;
    let pattern = Pattern::new(1, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    world.upstream.add_pattern(PANICS_AT_ONCE, &pattern);

    let at_once = world.open(&format!("hub/{PANICS_AT_ONCE}"), &digest).await.unwrap_err();
    let PullError::Fill(error) = &at_once else { panic!("{at_once:?}") };
    assert!(matches!(**error, FillError::Abandoned), "{error:?}");
    let half_way = world.blob("hub/app", &digest).await.unwrap_err();
    let (Failure::Read(ReadError::Fill(error)) | Failure::Open(PullError::Fill(error))) = &half_way
    else {
        panic!("{half_way:?}")
    };
    assert!(matches!(**error, FillError::Abandoned), "{error:?}");
    let manifest = world.pull("hub/app", "v1").await;
    assert!(matches!(manifest, Err(PullError::Abandoned)), "{manifest:?}");
    nothing_is_kept(&world, &digest, "abandoned").await;

    world.restart(|setup| setup.wrap = |client| Arc::new(client)).await;
    assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
}

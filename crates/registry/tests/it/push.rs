//! Pushing: what survives a client, a process and a disk that fail.

use std::sync::Arc;

use blobs::{Access, FilesystemBlobs, Hashed, MemoryBlobs, StageName};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use metadata::{PageRequest, Timestamp, UploadStore as _};
use oci::{Algorithm, Digest, Reference, media_type};
use registry::{
    BodyError, Chunk, NewImage, PullError, PushError, PushedManifest, Registry, Served,
    UploadStatus,
};
use serde_json::json;
use testkit::{BlobOperation, FailingBlobs, FailingMetadata, MetadataOperation, manifest_path};

use crate::{
    images::push_image,
    world::{Files, Setup, World, re, repository},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn chunk(bytes: &[u8]) -> Chunk<'static> {
    Chunk::of(Bytes::copy_from_slice(bytes))
}

/// Bytes whose client breaks off.
fn broken(bytes: &'static [u8]) -> Chunk<'static> {
    let cut: BodyError = "cut off".into();
    let pieces = [Ok(Bytes::from_static(bytes)), Err(cut)];
    Chunk { first_byte: None, size_bytes: None, bytes: stream::iter(pieces).boxed() }
}

impl World {
    async fn begin_upload(&self, name: &str) -> String {
        let begun = self.registry.start_upload(&self.caller, &repository(name)).await;
        let UploadStatus { id, size_bytes } = begun.unwrap();
        assert_eq!(size_bytes, 0);
        id
    }

    async fn append(&self, name: &str, id: &str, chunk: Chunk<'_>) -> Result<u64, PushError> {
        let name = repository(name);
        let appended = self.registry.append_upload(&self.caller, &name, id, chunk).await;
        appended.map(|status| status.size_bytes)
    }

    async fn finish(&self, name: &str, id: &str, digest: &Digest) -> Result<u64, PushError> {
        let (name, last) = (repository(name), Chunk::empty());
        let finished = self.registry.finish_upload(&self.caller, &name, id, digest, last);
        finished.await.map(|blob| blob.size_bytes)
    }

    pub(crate) async fn push_blob(&self, name: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let (name, bytes) = (repository(name), chunk(bytes));
        self.registry.push_blob(&self.caller, &name, &digest, bytes).await.unwrap();
        digest
    }

    pub(crate) async fn push_manifest(
        &self,
        name: &str,
        reference: &str,
        bytes: &Bytes,
    ) -> Result<PushedManifest, PushError> {
        let kind = Some(media_type::OCI_MANIFEST.to_owned());
        let new = NewImage::by_reference(re(reference), kind, bytes.clone());
        self.registry.push_manifest(&self.caller, &repository(name), new).await
    }

    /// Pushes an image of one config.
    pub(crate) async fn push_tag(&self, name: &str, tag: &str, config: &str) -> Digest {
        let bytes = image_of(&self.push_blob(name, config.as_bytes()).await);
        self.push_manifest(name, tag, &bytes).await.unwrap().digest
    }

    /// The bytes that an upload has.
    async fn blobs_of(&self, id: &str, size_bytes: u64) -> Vec<u8> {
        let (name, nothing) = (StageName::parse(id).unwrap(), Hashed::nothing(Algorithm::Sha256));
        let staged = self.blobs.resume(&name, size_bytes, nothing).await.unwrap();
        let (content, mut bytes) = (staged.content(), Vec::new());
        while (bytes.len() as u64) < size_bytes {
            let (at, left) = (bytes.len() as u64, size_bytes as usize - bytes.len());
            bytes.extend_from_slice(&content.read(at, left, Access::User).await.unwrap());
        }
        bytes
    }

    /// What waits to be gone on with.
    async fn uploads(&self) -> usize {
        let late = Timestamp(i64::MAX);
        self.metadata.idle_uploads(late, 1000).await.unwrap().len()
    }
}

pub(crate) fn image_of(config: &Digest) -> Bytes {
    let config = json!({
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": config.as_str(),
        "size": 1,
    });
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config,
        "layers": [],
    })
    .to_string()
    .into()
}

fn kept_files(files: &Files) -> usize {
    std::fs::read_dir(files.path("kept")).unwrap().count()
}

#[tokio::test]
async fn an_upload_goes_on_in_another_process() {
    let files = Files::new();
    let mut world = Setup::new().in_files(&files).await.world().await;
    let id = world.begin_upload("team/app").await;
    assert_eq!(world.append("team/app", &id, chunk(b"one ")).await.unwrap(), 4);
    // The next process knows neither the hash nor the open file of the first.
    let first = world.registry.clone();
    let other = Arc::new(files.open().await);
    world.restart(|setup| setup.blobs = other).await;
    assert_eq!(world.append("team/app", &id, chunk(b"two ")).await.unwrap(), 8);
    // And the first may go on again, although the hash it kept is too short by now.
    let name = repository("team/app");
    let status = first.append_upload(&world.caller, &name, &id, chunk(b"three")).await.unwrap();
    assert_eq!(status.size_bytes, 13);
    let digest = Digest::of_with(Algorithm::Sha512, b"one two three");
    assert_eq!(world.finish("team/app", &id, &digest).await.unwrap(), 13);
    assert_eq!(world.blob("team/app", &digest).await.unwrap(), "one two three");
    assert_eq!((world.uploads().await, kept_files(&files)), (0, 0));
}

#[tokio::test]
async fn what_came_before_a_client_broke_off_counts() {
    let world = Setup::new().world().await;
    let id = world.begin_upload("app").await;
    let cut = world.append("app", &id, broken(b"some")).await;
    assert!(matches!(cut, Err(PushError::Interrupted { received_bytes: 4, .. })), "{cut:?}");
    let name = repository("app");
    let status = world.registry.upload_status(&world.caller, &name, &id).await.unwrap();
    assert_eq!(status.size_bytes, 4);
    // A chunk that says its place goes on exactly there.
    let misplaced = Chunk { first_byte: Some(0), ..chunk(b"thing") };
    let refused = world.append("app", &id, misplaced).await;
    let expected = PushError::OutOfOrder { received_bytes: 4, first_byte: 0 }.to_string();
    assert_eq!(refused.unwrap_err().to_string(), expected);
    let placed = Chunk { first_byte: Some(4), size_bytes: Some(5), ..chunk(b"thing") };
    assert_eq!(world.append("app", &id, placed).await.unwrap(), 9);
    let digest = Digest::of(b"something");
    assert_eq!(world.finish("app", &id, &digest).await.unwrap(), 9);
}

#[tokio::test]
async fn a_chunk_that_is_not_what_it_said_leaves_nothing() {
    let world = Setup::new().world().await;
    let id = world.begin_upload("app").await;
    for (announced, bytes) in [(3, &b"four"[..]), (5, b"four")] {
        let wrong = Chunk { first_byte: Some(0), size_bytes: Some(announced), ..chunk(bytes) };
        let refused = world.append("app", &id, wrong).await;
        assert!(matches!(refused, Err(PushError::LengthMismatch { .. })), "{refused:?}");
    }
    assert_eq!(world.append("app", &id, chunk(b"right")).await.unwrap(), 5);
    assert_eq!(world.finish("app", &id, &Digest::of(b"right")).await.unwrap(), 5);
}

#[tokio::test]
async fn wrong_bytes_leave_nothing_behind() {
    let files = Files::new();
    let world = Setup::new().in_files(&files).await.world().await;
    let id = world.begin_upload("app").await;
    world.append("app", &id, chunk(b"wrong")).await.unwrap();
    let right = Digest::of(b"right");
    let refused = world.finish("app", &id, &right).await;
    assert!(matches!(refused, Err(PushError::DigestMismatch { .. })), "{refused:?}");
    let name = repository("app");
    let refused = world.registry.push_blob(&world.caller, &name, &right, chunk(b"wrong")).await;
    assert!(matches!(refused, Err(PushError::DigestMismatch { .. })), "{refused:?}");
    assert!(!world.has_repository("app").await);
    assert_eq!((world.uploads().await, kept_files(&files)), (0, 0));
    files.staging_is_empty().await;
}

#[tokio::test]
async fn limits_hold() {
    let mut setup = Setup::new();
    (setup.settings.uploads_max, setup.settings.upload_bytes_max) = (2, 10);
    let world = setup.world().await;
    let (id, _) = (world.begin_upload("app").await, world.begin_upload("app").await);
    let third = world.registry.start_upload(&world.caller, &repository("app")).await;
    assert!(matches!(third, Err(PushError::UploadsExceeded { limit: 2 })), "{third:?}");
    assert_eq!(world.append("app", &id, chunk(b"0123456789")).await.unwrap(), 10);
    let over = world.append("app", &id, chunk(b"x")).await;
    assert!(matches!(over, Err(PushError::TooLarge { limit_bytes: 10 })), "{over:?}");
    let gone = world.append("app", &id, chunk(b"x")).await;
    assert!(matches!(gone, Err(PushError::UploadUnknown { .. })), "{gone:?}");
    world.begin_upload("app").await;
}

#[tokio::test]
async fn idle_uploads_are_given_up() {
    let files = Files::new();
    let mut world = Setup::new().in_files(&files).await.world().await;
    let (idle, busy) = (world.begin_upload("app").await, world.begin_upload("app").await);
    world.append("app", &idle, chunk(b"x")).await.unwrap();
    world.clock.advance(DAY_MS - 1000);
    world.append("app", &busy, chunk(b"x")).await.unwrap();
    world.clock.advance(2000);
    // The first look after a start finds them.
    world.restart(|_| {}).await;
    crate::world::until("one is given up", || async { world.uploads().await == 1 }).await;
    assert_eq!(kept_files(&files), 1);
    let gone = world.append("app", &idle, chunk(b"x")).await;
    assert!(matches!(gone, Err(PushError::UploadUnknown { .. })), "{gone:?}");
    assert_eq!(world.append("app", &busy, chunk(b"y")).await.unwrap(), 2);
}

#[tokio::test]
async fn no_fact_without_bytes() {
    let failing = Arc::new(FailingBlobs::new(Arc::new(MemoryBlobs::default())));
    let mut setup = Setup::new();
    setup.blobs = Arc::<FailingBlobs>::clone(&failing);
    let world = setup.world().await;
    let digest = Digest::of(b"x");
    let name = repository("app");
    for operation in [BlobOperation::Stage, BlobOperation::Append, BlobOperation::Commit] {
        failing.faults().fail(operation);
        let pushed = world.registry.push_blob(&world.caller, &name, &digest, chunk(b"x")).await;
        assert!(matches!(pushed, Err(PushError::Storage(_))), "{operation:?}: {pushed:?}");
        failing.faults().heal();
        assert!(!world.has_repository("app").await, "{operation:?}");
    }
    let config = world.push_blob("app", b"{}").await;
    failing.faults().fail(BlobOperation::Commit);
    let pushed = world.push_manifest("app", "v1", &image_of(&config)).await;
    assert!(pushed.is_err(), "{pushed:?}");
    failing.faults().heal();
    assert_eq!(world.images("app").await, []);
    assert!(world.push_manifest("app", "v1", &image_of(&config)).await.is_ok());
}

#[tokio::test]
async fn an_upload_whose_facts_fail_goes_on_later() {
    let memory: Arc<dyn metadata::MetadataStore> = Arc::new(metadata::MemoryMetadata::new());
    let failing = Arc::new(FailingMetadata::new(memory));
    let mut setup = Setup::new();
    setup.metadata = Arc::<FailingMetadata>::clone(&failing);
    let world = setup.world().await;
    let id = world.begin_upload("app").await;
    world.append("app", &id, chunk(b"one")).await.unwrap();
    failing.faults().fail(MetadataOperation::AdvanceUpload);
    let failed = world.append("app", &id, chunk(b"lost")).await;
    assert!(matches!(failed, Err(PushError::Storage(_))), "{failed:?}");
    failing.faults().heal();
    assert_eq!(world.append("app", &id, chunk(b"two")).await.unwrap(), 6);
    assert_eq!(world.finish("app", &id, &Digest::of(b"onetwo")).await.unwrap(), 6);
}

#[tokio::test]
async fn a_pushed_tag_is_never_revalidated_and_a_cached_one_may_be_pushed_over() {
    let world = World::with_hub().await;
    let cached = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, cached.digest);
    let pushed = world.push_tag("hub/app", "v1", "{\"mine\":1}").await;
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, pushed);
    let gets = world.upstream.gets(&manifest_path("app", "v1"));
    world.clock.advance(10 * DAY_MS);
    let pulled = world.pull("hub/app", "v1").await.unwrap();
    assert!(matches!(pulled.served, Served::Hit) && pulled.digest == pushed);
    assert_eq!(world.upstream.gets(&manifest_path("app", "v1")), gets);
    // What was cached under the tag is still there by its digest.
    let old = world.pull("hub/app", cached.digest.as_str()).await.unwrap();
    assert_eq!(old.bytes, cached.manifest);
}

#[tokio::test]
async fn a_cached_image_gets_a_tag_without_its_blobs_being_pushed() {
    let world = World::with_hub().await;
    let cached = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    world.pull("hub/app", "v1").await.unwrap();
    // None of its blobs is here: the rule can bring them.
    let pushed = world.push_manifest("hub/app", "mine", &cached.manifest).await.unwrap();
    assert_eq!((&pushed.digest, pushed.was_there), (&cached.digest, false));
    let again = world.push_manifest("hub/app", "mine", &cached.manifest).await.unwrap();
    assert!(again.was_there);
    assert_eq!(world.blob("hub/app", &cached.layers[0]).await.unwrap(), "layer");
    let elsewhere = world.push_manifest("app", "mine", &cached.manifest).await;
    match elsewhere {
        Err(PushError::BlobsUnknown { digests }) => assert_eq!(digests.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_here_and_in_other_processes() {
    let world = World::with_hub().await;
    let cached = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    world.pull("hub/app", "v1").await.unwrap();
    let pushed = world.push_tag("team/app", "v1", "{}").await;
    world.pull("team/app", "v1").await.unwrap();
    let replica: Registry = world.setup.start(&world.metadata, &world.clock).await.unwrap();
    let (name, v1) = (repository("team/app"), re("v1"));
    replica.pull_manifest(&world.caller, &name, &v1).await.unwrap();

    let digest = Reference::Digest(pushed.clone());
    world.registry.delete_manifest(&world.caller, &name, &digest).await.unwrap();
    let gone = |error: &PullError| matches!(error, PullError::ManifestUnknown { .. });
    assert!(gone(&world.pull("team/app", "v1").await.unwrap_err()));
    assert!(gone(&world.pull("team/app", pushed.as_str()).await.unwrap_err()));
    crate::world::until("the replica knows", || async {
        replica.pull_manifest(&world.caller, &name, &v1).await.is_err_and(|error| gone(&error))
    })
    .await;
    // What a rule brought comes back.
    let digest = Reference::Digest(cached.digest.clone());
    let hub = repository("hub/app");
    world.registry.delete_manifest(&world.caller, &hub, &digest).await.unwrap();
    assert_eq!(world.images("hub/app").await, []);
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, cached.digest);
}

#[tokio::test]
async fn two_requests_on_one_upload_do_not_mix() {
    let world = Setup::new().world().await;
    let id = world.begin_upload("app").await;
    let (one, other) = tokio::join!(
        world.append("app", &id, chunk(&[b'a'; 3_000_000])),
        world.append("app", &id, chunk(&[b'b'; 3_000_000])),
    );
    let mut sizes = [one.unwrap(), other.unwrap()];
    sizes.sort_unstable();
    assert_eq!(sizes, [3_000_000, 6_000_000]);
    let orders = [[b'a', b'b'], [b'b', b'a']];
    let orders = orders.map(|order| order.map(|letter| vec![letter; 3_000_000]).concat());
    let bytes = world.blobs_of(&id, 6_000_000).await;
    assert!(orders.contains(&bytes), "the bytes of two requests are mixed");
}

#[tokio::test]
async fn an_upload_that_lost_its_bytes_is_over() {
    let files = Files::new();
    let world = Setup::new().in_files(&files).await.world().await;
    let id = world.begin_upload("app").await;
    world.append("app", &id, chunk(b"0123456789")).await.unwrap();
    let path = files.path(&format!("kept/{id}"));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(5).unwrap();
    let lost = world.append("app", &id, chunk(b"x")).await;
    assert!(matches!(lost, Err(PushError::UploadUnknown { .. })), "{lost:?}");
    assert_eq!((world.uploads().await, kept_files(&files)), (0, 0));
    // Of a process that was killed in the middle of a chunk, more bytes are left than count.
    let id = world.begin_upload("app").await;
    world.append("app", &id, chunk(b"counted")).await.unwrap();
    let path = files.path(&format!("kept/{id}"));
    std::fs::write(&path, b"counted, and more").unwrap();
    let _reopened: FilesystemBlobs = files.open().await;
    assert_eq!(world.finish("app", &id, &Digest::of(b"counted")).await.unwrap(), 7);
}

#[tokio::test]
async fn tags_and_referrers_are_listed_where_they_are() {
    let world = Setup::new().world().await;
    for tag in ["b", "A"] {
        world.push_tag("app", tag, "{}").await;
    }
    let (name, page) = (repository("app"), PageRequest::first(10));
    let tags = world.registry.tags(&world.caller, &name, &page).await.unwrap().page.items;
    assert_eq!(tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["A", "b"]);
    let names = world.registry.catalog(&world.caller, &page).await.unwrap().items;
    assert_eq!(names, [name]);
    let missing = world.registry.tags(&world.caller, &repository("none"), &page).await;
    assert!(matches!(missing, Err(PullError::NameUnknown { .. })), "{missing:?}");
}

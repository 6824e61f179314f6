//! The archive: what is kept and not served, and what brings it back.

use metadata::{ArchiveStore as _, ManifestStore as _, PageRequest, StorageClass, TagStore as _};
use oci::{Digest, Reference, media_type};
use registry::{
    Counter, Decision, DescribeError, ImageFilter, ListFilter, NewImage, PullError, Served,
    StorageClassError, WantedImage,
};
use serde_json::json;

use crate::{
    images::{push_image, push_index},
    world::{Pulled, Setup, World, re, repository, root},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const NAME: &str = "team/app";

impl World {
    async fn move_to(
        &self,
        class: StorageClass,
        name: &str,
        reference: &str,
    ) -> Result<Digest, StorageClassError> {
        let wanted = match re(reference) {
            Reference::Tag(tag) => WantedImage { tag: Some(tag.to_string()), digest: None },
            Reference::Digest(digest) => {
                WantedImage { tag: None, digest: Some(digest.to_string()) }
            }
        };
        let moved = self.registry.update_storage_class(&self.caller, name, &wanted, class).await;
        moved.map(|id| id.digest)
    }

    pub(crate) async fn archive(&self, name: &str, reference: &str) -> Digest {
        self.move_to(StorageClass::Archive, name, reference).await.unwrap()
    }

    pub(crate) async fn restore(&self, name: &str, reference: &str) -> Digest {
        self.move_to(StorageClass::Standard, name, reference).await.unwrap()
    }

    /// The tags of the images that are archived, or of those that are not.
    pub(crate) async fn tags_like(&self, name: &str, archived: bool) -> Vec<String> {
        let like = ListFilter { tagged: None, archived: Some(archived) };
        let filter = ImageFilter { images: Vec::new(), like };
        let page = PageRequest::first(100);
        let found = self.registry.describe_images(&self.caller, name, &filter, &page).await;
        let tags = found.unwrap().items.into_iter().flat_map(|image| image.tags);
        let mut tags: Vec<_> = tags.map(|tag| tag.to_string()).collect();
        tags.sort();
        tags
    }
}

fn is_archived(pulled: &Pulled) -> bool {
    matches!(pulled, Err(PullError::Archived { .. }))
}

#[tokio::test]
async fn an_archived_image_is_held_back_until_it_is_restored() {
    let world = Setup::new().world().await;
    let digest = world.push_tag(NAME, "v1", "one").await;
    let other = world.push_tag(NAME, "v2", "two").await;
    let config = Digest::of(b"one");
    // Warm: what is kept in memory must not outlive the move.
    world.pull(NAME, "v1").await.unwrap();
    world.blob(NAME, &config).await.unwrap();
    assert_eq!(world.archive(NAME, "v1").await, digest);
    for reference in ["v1", digest.as_str()] {
        for pulled in [world.pull(NAME, reference).await, world.stat(NAME, reference).await] {
            assert!(is_archived(&pulled), "{reference}: {pulled:?}");
        }
    }
    let blob = world.open_blob(NAME, &config).await.map(drop);
    assert!(matches!(blob, Err(PullError::Archived { .. })), "{blob:?}");
    let blob = world.stat_blob(NAME, &config).await;
    assert!(matches!(blob, Err(PullError::Archived { .. })), "{blob:?}");
    world.pull(NAME, "v2").await.unwrap();
    world.pull(NAME, other.as_str()).await.unwrap();
    assert_eq!(world.tags_like(NAME, true).await, ["v1"]);
    assert_eq!(world.tags_like(NAME, false).await, ["v2"]);
    let asked = world.registry.explain(&world.caller, &repository(NAME), &re("v1"), false).await;
    let verdict = asked.unwrap().verdict;
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.reason.contains("archived"), "{}", verdict.reason);

    assert_eq!(world.restore(NAME, digest.as_str()).await, digest);
    assert_eq!(world.pull(NAME, "v1").await.unwrap().digest, digest);
    assert_eq!(world.blob(NAME, &config).await.unwrap(), "one");
    let before = world.metadata.questions();
    world.pull(NAME, "v1").await.unwrap();
    world.blob(NAME, &config).await.unwrap();
    assert_eq!(world.metadata.questions(), before, "warm again");
}

#[tokio::test]
async fn what_another_replica_archives_is_held_back_here() {
    let world = Setup::new().world().await;
    let digest = world.push_tag(NAME, "v1", "one").await;
    world.pull(NAME, "v1").await.unwrap();
    world.blob(NAME, &Digest::of(b"one")).await.unwrap();
    let (registry, name, at) = (&world.caller.registry, repository(NAME), world.now());
    let move_image = async |class| {
        world.metadata.move_image(registry, &name, &digest, class, at).await.unwrap();
        world.metadata.followed().await;
    };
    move_image(StorageClass::Archive).await;
    assert!(is_archived(&world.pull(NAME, "v1").await));
    assert!(world.open_blob(NAME, &Digest::of(b"one")).await.is_err());
    move_image(StorageClass::Standard).await;
    world.pull(NAME, "v1").await.unwrap();
    world.blob(NAME, &Digest::of(b"one")).await.unwrap();
}

#[tokio::test]
async fn who_may_not_or_asks_for_nothing_is_told_so() {
    let world = Setup::new().world().await;
    world.push_tag(NAME, "v1", "one").await;
    let archive = StorageClass::Archive;
    for (name, reference) in [(NAME, "v2"), (NAME, Digest::of(b"x").as_str())] {
        let refused = world.move_to(archive, name, reference).await;
        let absent = StorageClassError::Describe(DescribeError::ImageNotFound {
            repository: name.to_owned(),
            image: reference.to_owned(),
        });
        assert_eq!(refused.unwrap_err().to_string(), absent.to_string());
    }
    let nowhere = world.move_to(archive, "no/where", "v1").await;
    let is_absent = |error| {
        matches!(error, StorageClassError::Describe(DescribeError::RepositoryNotFound { .. }))
    };
    assert!(is_absent(nowhere.unwrap_err()));
    let stranger = registry::Caller {
        principal: registry::Principal::Anonymous,
        ..root(crate::world::REGION)
    };
    let wanted = WantedImage { tag: Some("v1".to_owned()), digest: None };
    let denied = world.registry.update_storage_class(&stranger, NAME, &wanted, archive).await;
    let denied = denied.unwrap_err();
    assert!(matches!(denied, StorageClassError::Describe(DescribeError::Denied(_))), "{denied}");
    world.pull(NAME, "v1").await.unwrap();
}

#[tokio::test]
async fn a_push_brings_an_image_back_with_its_bytes() {
    let world = Setup::new().world().await;
    let digest = world.push_tag(NAME, "v1", "one").await;
    world.archive(NAME, "v1").await;
    world.clock.advance(DAY_MS);
    // A client that was told that the config is not there sends it again, and may see it then.
    let config = Digest::of(b"one");
    let name = repository(NAME);
    let chunk = registry::Chunk::of("one".into());
    let pushed = world.registry.push_blob(&world.caller, &name, &config, chunk).await.unwrap();
    assert!(!pushed.was_there);
    world.stat_blob(NAME, &config).await.unwrap();
    assert!(is_archived(&world.pull(NAME, "v1").await), "the manifest brings it back");
    let image = crate::push::image_of(&config);
    let pushed = world.push_manifest(NAME, "v1", &image).await.unwrap();
    assert_eq!((pushed.digest, pushed.was_there), (digest.clone(), false));
    world.pull(NAME, "v1").await.unwrap();
    let held = world.metadata.manifest(&world.caller.registry, &name, &digest).await.unwrap();
    assert_eq!(held.storage.activated_at, Some(world.now()));
    // A push that relies on what is there does as well.
    world.archive(NAME, "v1").await;
    world.push_manifest(NAME, "v1", &image).await.unwrap();
    world.pull(NAME, "v1").await.unwrap();
    world.blob(NAME, &config).await.unwrap();
}

#[tokio::test]
async fn an_index_moves_with_its_parts_and_what_refers_to_it() {
    let world = World::with_hub().await;
    let images = ["amd64", "arm64"].map(|layer| push_image(&world.upstream, "app", None, &[layer]));
    let (index, bytes) = push_index(&world.upstream, "app", "1", &images);
    world.pull("hub/app", "1").await.unwrap();
    for image in &images {
        world.pull("hub/app", image.digest.as_str()).await.unwrap();
    }
    let signature = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [],
        "subject": {
            "mediaType": media_type::OCI_INDEX, "digest": index.as_str(), "size": bytes.len(),
        },
    })
    .to_string();
    let kind = Some(media_type::OCI_INDEX.to_owned());
    let digest = Digest::of(signature.as_bytes());
    let reference = Reference::Digest(digest.clone());
    let new = NewImage::by_reference(reference, kind, signature.into());
    let name = repository("hub/app");
    world.registry.push_manifest(&world.caller, &name, new).await.unwrap();
    let referrers = async || {
        let page = PageRequest::first(9);
        let found = world.registry.referrers(&world.caller, &name, &index, &[], &page).await;
        found.unwrap().page.items.into_iter().map(|item| item.digest).collect::<Vec<_>>()
    };
    assert_eq!(referrers().await, std::slice::from_ref(&digest));

    let part = world.move_to(StorageClass::Archive, "hub/app", images[0].digest.as_str()).await;
    assert!(matches!(part, Err(StorageClassError::Referenced { parent }) if parent == index));
    world.archive("hub/app", "1").await;
    let all = [&index, &images[0].digest, &images[1].digest, &digest];
    for held in all {
        assert!(is_archived(&world.pull("hub/app", held.as_str()).await), "{held}");
    }
    assert!(referrers().await.is_empty());
    let listed = world
        .registry
        .list_referrers(&world.caller, &name, &index, &[], None, &PageRequest::first(9))
        .await
        .unwrap();
    assert_eq!(listed.page.items.len(), 1);
    assert!(listed.page.items[0].is_archived);
    world.restore("hub/app", "1").await;
    for held in all {
        world.pull("hub/app", held.as_str()).await.unwrap();
    }
    assert_eq!(referrers().await, [digest]);
}

#[tokio::test]
async fn a_pull_through_a_rule_neither_brings_back_nor_replaces() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["layer"]);
    world.pull("hub/app", "1").await.unwrap();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    world.fills_ended(1).await;
    world.archive("hub/app", "1").await;
    let asked = world.upstream.requests().len();
    // Neither while the tag is fresh nor later, and whatever it names upstream by now.
    push_image(&world.upstream, "app", Some("1"), &["moved"]);
    for days in [0, 2] {
        world.clock.advance(days * DAY_MS);
        for reference in ["1", image.digest.as_str()] {
            assert!(is_archived(&world.pull("hub/app", reference).await), "{reference}");
        }
        let blob = world.open_blob("hub/app", &image.layers[0]).await.map(drop);
        assert!(matches!(blob, Err(PullError::Archived { .. })), "{blob:?}");
    }
    assert_eq!(world.upstream.requests().len(), asked, "no upstream is asked");
    world.restore("hub/app", image.digest.as_str()).await;
    let pulled = world.pull("hub/app", "1").await.unwrap();
    assert_ne!(pulled.digest, image.digest, "the tag is as stale as any other");
    world.pull("hub/app", image.digest.as_str()).await.unwrap();
}

#[tokio::test]
async fn a_tag_that_moves_upstream_to_what_is_archived_stays() {
    let world = World::with_hub().await;
    let old = push_image(&world.upstream, "app", Some("old"), &["old"]);
    let new = push_image(&world.upstream, "app", Some("latest"), &["new"]);
    for tag in ["old", "latest"] {
        world.pull("hub/app", tag).await.unwrap();
    }
    world.archive("hub/app", "old").await;
    let manifest = old.manifest.clone();
    world.upstream.add_manifest("app", Some("latest"), media_type::OCI_MANIFEST, manifest);
    world.clock.advance(2 * DAY_MS);
    let pulled = world.pull("hub/app", "latest").await.unwrap();
    assert_eq!(pulled.digest, new.digest);
    assert!(matches!(pulled.served, Served::Stale(_)), "{:?}", pulled.served);
    // By a tag that is not here there is nothing to serve instead.
    let manifest = old.manifest.clone();
    world.upstream.add_manifest("app", Some("again"), media_type::OCI_MANIFEST, manifest);
    assert!(is_archived(&world.pull("hub/app", "again").await));
    let name = repository("hub/app");
    let again = oci::Tag::parse("again").unwrap();
    world.metadata.tag(&world.caller.registry, &name, &again).await.unwrap_err();
    let asked = world.upstream.requests().len();
    assert!(is_archived(&world.pull("hub/app", "again").await));
    assert_eq!(world.upstream.requests().len(), asked, "it is remembered for a while");
    world.restore("hub/app", "old").await;
    world.clock.advance(10_000);
    assert_eq!(world.pull("hub/app", "again").await.unwrap().digest, old.digest);
}

#[tokio::test]
async fn layers_that_active_images_share_are_served() {
    let world = World::with_hub().await;
    let images = [("1", "one"), ("2", "two")]
        .map(|(tag, own)| push_image(&world.upstream, "app", Some(tag), &["shared", own]));
    for (image, tag) in images.iter().zip(["1", "2"]) {
        world.pull("hub/app", tag).await.unwrap();
        for layer in &image.layers {
            world.blob("hub/app", layer).await.unwrap();
        }
    }
    world.fills_ended(3).await;
    world.archive("hub/app", "1").await;
    world.blob("hub/app", &images[0].layers[0]).await.unwrap();
    assert!(world.open_blob("hub/app", &images[0].layers[1]).await.is_err());
    // Nor can it be had by way of another repository.
    let (from, to) = (repository("hub/app"), repository(NAME));
    let mounted = world
        .registry
        .mount_blob(&world.caller, &to, &images[0].layers[1], Some(&from))
        .await
        .unwrap();
    assert!(mounted.is_none(), "{mounted:?}");
}

#[tokio::test]
async fn archived_bytes_are_kept_and_deleted_ones_are_not() {
    let world = Setup::new().world().await;
    let (kept, gone) =
        (world.push_tag(NAME, "v1", "one").await, world.push_tag(NAME, "v2", "two").await);
    world.archive(NAME, "v1").await;
    world.archive(NAME, "v2").await;
    let wanted = WantedImage { tag: None, digest: Some(gone.to_string()) };
    let deleted = world.registry.batch_delete_image(&world.caller, NAME, &[wanted]).await.unwrap();
    deleted[0].as_ref().unwrap();
    world.age();
    world.registry.collect_all().await;
    for (digest, is_there) in [
        (kept.clone(), true),
        (Digest::of(b"one"), true),
        (gone, false),
        (Digest::of(b"two"), false),
    ] {
        assert_eq!(world.blobs.stat(&digest).await.is_ok(), is_there, "{digest}");
    }
    world.restore(NAME, "v1").await;
    assert_eq!(world.pull(NAME, "v1").await.unwrap().digest, kept);
    world.blob(NAME, &Digest::of(b"one")).await.unwrap();
}

#[tokio::test]
async fn a_policy_archives_and_later_expires() {
    let world = Setup::new().world().await;
    world.push_tag(NAME, "v1", "one").await;
    world.clock.advance(DAY_MS);
    world.push_tag(NAME, "v2", "two").await;
    let policy = json!({"rules": [
        {
            "rulePriority": 1, "description": "as long as a policy has to be",
            "selection": {
                "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1,
            },
            "action": {"type": "transition", "targetStorageClass": "archive"},
        },
        {
            "rulePriority": 2,
            "selection": {
                "tagStatus": "any", "storageClass": "archive", "countUnit": "days",
                "countType": "sinceImageTransitioned", "countNumber": 90,
            },
            "action": {"type": "expire"},
        },
    ]});
    let (name, text) = (repository(NAME), policy.to_string());
    world.registry.set_lifecycle_policy(&world.caller, &name, &text).await.unwrap();
    world.pull(NAME, "v1").await.unwrap();
    world.clock.advance(1);
    world.registry.evaluate_lifecycle_policies().await;
    assert!(is_archived(&world.pull(NAME, "v1").await));
    assert_eq!(world.tags_like(NAME, true).await, ["v1"]);
    let counted = |counter| world.registry.counters().get(counter);
    assert_eq!((counted(Counter::ImagesArchived), counted(Counter::ImagesExpired)), (1, 0));
    // Restored, it is the newest, and the other one goes.
    world.clock.advance(2 * DAY_MS);
    world.restore(NAME, "v1").await;
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_like(NAME, true).await, ["v2"]);
    world.clock.advance(90 * DAY_MS);
    world.registry.evaluate_lifecycle_policies().await;
    assert_eq!(world.tags_like(NAME, true).await, ["v2"], "90 days to the day");
    world.clock.advance(2 * DAY_MS);
    world.registry.evaluate_lifecycle_policies().await;
    assert!(world.tags_like(NAME, true).await.is_empty());
    assert_eq!(world.tags_like(NAME, false).await, ["v1"]);
    assert_eq!((counted(Counter::ImagesArchived), counted(Counter::ImagesExpired)), (2, 1));
}

#[tokio::test]
async fn few_of_many_are_found_in_whole_pages() {
    let world = Setup::new().world().await;
    for number in 0..12 {
        world.push_tag(NAME, &format!("v{number}"), &number.to_string()).await;
    }
    for tag in ["v3", "v7", "v11"] {
        world.archive(NAME, tag).await;
    }
    let like = ListFilter { tagged: None, archived: Some(true) };
    let filter = ImageFilter { images: Vec::new(), like };
    let (mut after, mut sizes) = (None, Vec::new());
    loop {
        let page = PageRequest { after, limit: 2 };
        let found = world.registry.describe_images(&world.caller, NAME, &filter, &page).await;
        let found = found.unwrap();
        sizes.push(found.items.len());
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(sizes.iter().sum::<usize>(), 3);
    assert_eq!(sizes[0], 2, "{sizes:?}");
}

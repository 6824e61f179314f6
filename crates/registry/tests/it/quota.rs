//! The quota: what makes room, in which order, and what never does.

use metadata::{ManifestStore as _, RulePolicy};
use oci::Digest;
use registry::Counter;
use serde_json::json;

use crate::{
    images::{Image, push_image_with, push_index},
    push::image_of,
    world::{Setup, World, repository, until, within},
};

const MINUTE_MS: i64 = 60 * 1000;
/// As long as layers are: everything else is small beside it.
const LAYER_BYTES: usize = 60_000;

/// A layer that begins with a word of its own.
fn layer(word: &str) -> String {
    format!("{word:LAYER_BYTES$}")
}

/// Gives the upstream an image of these layers, with a config of its own.
fn put_image(world: &World, name: &str, tag: Option<&str>, words: &[&str]) -> Image {
    let layers: Vec<_> = words.iter().map(|word| layer(word)).collect();
    let layers: Vec<_> = layers.iter().map(String::as_str).collect();
    push_image_with(&world.upstream, name, tag, &layers, &json!({ "of": words }))
}

async fn world_of(layers: u64) -> World {
    let mut setup = Setup::new();
    setup.settings.quota_bytes = Some(layers * LAYER_BYTES as u64);
    setup.world().await.and_hub().await
}

impl World {
    /// Pulls an image of one layer through the rule, an hour after whatever came before.
    async fn use_image(&self, name: &str, tag: &str) -> Digest {
        self.clock.advance(60 * MINUTE_MS);
        let pulled = self.pull(name, tag).await.unwrap();
        pulled.digest
    }

    /// Makes an image of one layer at the upstream, and pulls all of it.
    async fn bring(&self, upstream_name: &str, word: &str) -> Digest {
        let image = put_image(self, upstream_name, Some("1"), &[word]);
        let name = format!("hub/{upstream_name}");
        self.use_image(&name, "1").await;
        for digest in [&image.config, &image.layers[0]] {
            self.fill(&name, digest).await;
        }
        image.layers[0].clone()
    }

    /// Reads a blob, and waits until it is stored and linked.
    async fn fill(&self, name: &str, digest: &Digest) {
        self.blob(name, digest).await.unwrap();
        until("the blob is linked", || self.holds(name, digest)).await;
    }

    async fn keep(&self) {
        within(self.registry.keep_quota()).await;
    }

    async fn has_bytes(&self, digest: &Digest) -> bool {
        self.blobs.stat(digest).await.is_ok()
    }

    async fn used_bytes(&self) -> u64 {
        let blobs = self.blobs.list(None, 1000).await.unwrap();
        blobs.iter().map(|blob| blob.size_bytes).sum()
    }
}

#[tokio::test]
async fn the_least_recently_used_makes_room_and_comes_back() {
    let world = world_of(3).await;
    let [first, second, third] =
        [world.bring("a", "a").await, world.bring("b", "b").await, world.bring("c", "c").await];
    world.use_image("hub/a", "1").await;
    world.clock.advance(60 * MINUTE_MS);
    // Three layers are more than three layers' worth with their manifests.
    world.keep().await;
    assert!(world.has_bytes(&first).await && world.has_bytes(&third).await);
    assert!(!world.has_bytes(&second).await, "nobody used it since it came");
    assert!(world.used_bytes().await < 3 * LAYER_BYTES as u64);
    let counted = |counter| world.registry.counters().get(counter);
    assert_eq!(counted(Counter::ImagesEvicted), 1);
    assert_eq!(counted(Counter::BlobsCollected), 3, "the manifest, the config, the layer");
    // Below it nothing happens.
    world.keep().await;
    assert_eq!(counted(Counter::ImagesEvicted), 1);
    world.use_image("hub/b", "1").await;
    assert_eq!(world.blob("hub/b", &second).await.unwrap(), layer("b"));
}

#[tokio::test]
async fn an_index_goes_with_its_images_and_shared_layers_stay() {
    let world = world_of(3).await;
    let images = [
        put_image(&world, "multi", None, &["one", "shared"]),
        put_image(&world, "multi", None, &["two"]),
    ];
    push_index(&world.upstream, "multi", "1", &images);
    world.use_image("hub/multi", "1").await;
    for image in &images {
        // A little after the index, as clients do.
        world.clock.advance(100);
        world.pull("hub/multi", image.digest.as_str()).await.unwrap();
        for digest in &image.layers {
            world.fill("hub/multi", digest).await;
        }
    }
    let shared = world.bring("app", "shared").await;
    assert_eq!(shared, images[0].layers[1]);
    world.clock.advance(60 * MINUTE_MS);
    world.keep().await;
    let name = repository("hub/multi");
    let registry = &world.caller.registry;
    let one = world.metadata.image(registry, &name, &images[0].digest).await;
    assert!(one.is_err(), "the first image went with its index");
    assert!(!world.has_bytes(&images[0].layers[0]).await);
    assert!(world.has_bytes(&shared).await, "another repository has it too");
    assert_eq!(world.blob("hub/app", &shared).await.unwrap(), layer("shared"));
}

#[tokio::test]
async fn what_would_not_come_back_as_it_was_stays() {
    let world = world_of(1).await;
    let pinned = world.bring("pinned", "pinned").await;
    let policy = RulePolicy { pinned_tags: Some(vec!["1".into()]), ..RulePolicy::default() };
    world.registry.put_rule_policy(&world.caller, "hub", None, policy).await.unwrap();
    // Pushed, into a repository of the rule too, and as another name of what came from upstream.
    let pushed = world.push_blob("hub/pushed", layer("pushed").as_bytes()).await;
    world.push_manifest("hub/pushed", "1", &image_of(&pushed)).await.unwrap();
    let image = put_image(&world, "named", Some("2"), &["named"]);
    let cached = world.use_image("hub/named", "2").await;
    for digest in [&image.config, &image.layers[0]] {
        world.fill("hub/named", digest).await;
    }
    world.push_manifest("hub/named", "mine", &image.manifest).await.unwrap();
    // A rule that is gone brings nothing back.
    world.rule("gone", |_| {}).await;
    let image = put_image(&world, "orphan", Some("2"), &["orphan"]);
    world.use_image("gone/orphan", "2").await;
    let orphan = image.layers[0].clone();
    world.fill("gone/orphan", &orphan).await;
    world.registry.delete_rule(&world.caller, "gone").await.unwrap();
    world.clock.advance(60 * MINUTE_MS);
    world.keep().await;
    for digest in [&pinned, &pushed, &cached, &orphan] {
        assert!(world.has_bytes(digest).await, "{digest}");
    }
    assert_eq!(world.registry.counters().get(Counter::ImagesEvicted), 0);
}

#[tokio::test]
async fn what_is_in_use_stays() {
    let world = world_of(1).await;
    let [old, young] = [world.bring("a", "a").await, world.bring("b", "b").await];
    world.clock.advance(5 * MINUTE_MS);
    world.keep().await;
    assert!(!world.has_bytes(&old).await);
    assert!(world.has_bytes(&young).await, "pulled five minutes ago");
    // A pull that is only remembered in memory counts.
    world.use_image("hub/b", "1").await;
    world.clock.advance(MINUTE_MS);
    world.keep().await;
    assert!(world.has_bytes(&young).await);
    world.clock.advance(60 * MINUTE_MS);
    world.keep().await;
    assert!(!world.has_bytes(&young).await);
    let nothing = world.registry.open_blob(&world.caller, &repository("hub/b"), &young).await;
    assert!(nothing.is_ok(), "the rule brings it again");
}

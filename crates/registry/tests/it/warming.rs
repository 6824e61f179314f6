//! Warming: everything an image is made of is brought, once, and kept; what went wrong is told.

use oci::{Digest, Platform, media_type};
use registry::{
    Counter, NewWarming, PullError, StaleReason, WarmError, WarmedImage, WarmingError,
    WarmingFailure, WarmingState, WarmingView,
};
use serde_json::json;
use testkit::{Gate, Script, blob_path, manifest_path};

use crate::{
    images::{Image, push_image, push_index},
    world::{World, re, repository, root, until},
};

fn wanted(images: &[(&str, &str)]) -> NewWarming {
    let images = images.iter().map(|(name, reference)| (repository(name), re(reference)));
    NewWarming { images: images.collect(), ..NewWarming::default() }
}

impl World {
    fn warm(&self, new: NewWarming) -> WarmingView {
        self.registry.start_warming(&self.caller, new).unwrap()
    }

    async fn warmed(&self, new: NewWarming) -> Vec<WarmedImage> {
        let id = self.warm(new).id;
        let look = || self.registry.warming(&self.caller, &id).unwrap();
        until("the warming has ended", || async { look().ended_at.is_some() }).await;
        look().images
    }

    async fn assert_held(&self, name: &str, image: &Image) {
        for digest in image.layers.iter().chain([&image.config]) {
            assert!(self.holds(name, digest).await, "{digest}");
        }
    }
}

#[tokio::test]
async fn everything_of_an_index_is_brought_once_and_again_costs_a_question() {
    let world = World::with_hub().await;
    let images = [
        push_image(&world.upstream, "app", None, &["one", "both"]),
        push_image(&world.upstream, "app", None, &["another", "both"]),
    ];
    let (index, _) = push_index(&world.upstream, "app", "1", &images);
    let warmed = &world.warmed(wanted(&[("hub/app", "1")])).await[0];
    assert!(matches!(warmed.state, WarmingState::Complete), "{warmed:?}");
    assert_eq!(warmed.digest, Some(index.clone()));
    assert_eq!((warmed.manifests, warmed.blobs, warmed.blobs_here), (3, 5, 5));
    assert_eq!((warmed.bytes_here, warmed.bytes_new), (warmed.size_bytes, warmed.size_bytes));
    for image in &images {
        world.assert_held("hub/app", image).await;
        for digest in image.layers.iter().chain([&image.config]) {
            assert_eq!(world.upstream.gets(&blob_path("app", digest)), 1);
        }
    }
    // It was no pull of somebody.
    assert_eq!(world.registry.counters().get(Counter::BlobHits), 0);

    world.upstream.forget_requests();
    let again = &world.warmed(wanted(&[("hub/app", "1")])).await[0];
    assert!(matches!(again.state, WarmingState::Complete), "{again:?}");
    assert_eq!((again.bytes_here, again.bytes_new), (warmed.size_bytes, 0));
    assert!(again.stale.is_none());
    assert_eq!(world.upstream.requests().len(), 1, "{:?}", world.upstream.requests());
    assert_eq!(world.upstream.heads(&manifest_path("app", "1")), 1);
}

#[tokio::test]
async fn a_fresh_tag_is_asked_after_all_the_same() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("1"), &["old"]);
    world.warmed(wanted(&[("hub/app", "1")])).await;
    let new = push_image(&world.upstream, "app", Some("1"), &["new"]);
    let warmed = &world.warmed(wanted(&[("hub/app", "1")])).await[0];
    assert_eq!(warmed.digest, Some(new.digest.clone()));
    world.assert_held("hub/app", &new).await;
    assert_eq!(world.pull("hub/app", "1").await.unwrap().digest, new.digest);
}

#[tokio::test]
async fn only_the_platforms_that_are_wanted() {
    let world = World::with_hub().await;
    let images = [
        push_image(&world.upstream, "app", None, &["one"]),
        push_image(&world.upstream, "app", None, &["another"]),
    ];
    push_index(&world.upstream, "app", "1", &images);
    let platform = |text: &str| Platform::parse(text).unwrap();
    let of = |platforms: &[&str]| NewWarming {
        platforms: platforms.iter().map(|text| platform(text)).collect(),
        ..wanted(&[("hub/app", "1")])
    };
    let none = &world.warmed(of(&["linux/s390x"])).await[0];
    let WarmingState::Failed(WarmError::NoPlatform { held }) = &none.state else {
        panic!("{none:?}")
    };
    assert_eq!(held, &[platform("linux/arch0"), platform("linux/arch1")]);

    let some = &world.warmed(of(&["linux/arch1", "linux/s390x"])).await[0];
    assert!(matches!(some.state, WarmingState::Complete), "{some:?}");
    assert_eq!(some.missing_platforms, [platform("linux/s390x")]);
    world.assert_held("hub/app", &images[1]).await;
    assert_eq!(world.upstream.gets(&blob_path("app", &images[0].layers[0])), 0);
}

#[tokio::test]
async fn what_fails_is_told_and_stops_nothing_else() {
    let world = World::with_hub().await;
    let good = push_image(&world.upstream, "app", Some("1"), &["good"]);
    let bad = push_image(&world.upstream, "broken", Some("1"), &["lost"]);
    world.upstream.remove(&blob_path("broken", &bad.layers[0]));
    let warmed = world
        .warmed(wanted(&[
            ("hub/app", "2"),
            ("hub/broken", "1"),
            ("nowhere/app", "1"),
            ("hub/app", "1"),
            ("hub/app", good.digest.as_str()),
        ]))
        .await;
    let failed = |image: &WarmedImage| match &image.state {
        WarmingState::Failed(WarmError::Pull(error)) => error.clone(),
        state => panic!("{state:?}"),
    };
    assert!(matches!(failed(&warmed[0]), PullError::ManifestUnknown { .. }));
    assert!(matches!(failed(&warmed[1]), PullError::BlobUnknown { .. }));
    assert!(matches!(failed(&warmed[2]), PullError::NameUnknown { .. }));
    for image in &warmed[3..] {
        assert!(matches!(image.state, WarmingState::Complete), "{image:?}");
    }
    world.assert_held("hub/app", &good).await;
}

#[tokio::test]
async fn what_is_cached_is_kept_where_the_upstream_fails() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("1"), &["layer"]);
    world.warmed(wanted(&[("hub/app", "1")])).await;
    world.upstream.script(&manifest_path("app", "1"), Script::status(503));
    let warmed = &world.warmed(wanted(&[("hub/app", "1")])).await[0];
    assert!(matches!(warmed.state, WarmingState::Complete), "{warmed:?}");
    assert!(matches!(warmed.stale, Some(StaleReason::Failed(_))), "{warmed:?}");
}

#[tokio::test]
async fn a_warming_that_is_canceled_leaves_whole_blobs() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["0123456789"]);
    let gate = Gate::shut();
    let path = blob_path("app", &image.layers[0]);
    world.upstream.script(&path, Script::new().stall(5, &gate));
    let started = world.warm(wanted(&[("hub/app", "1"), ("hub/app", "1")]));
    until("the layer is on its way", || async { world.upstream.gets(&path) == 1 }).await;
    world.registry.cancel_warming(&world.caller, &started.id).unwrap();
    let look = || world.registry.warming(&world.caller, &started.id).unwrap();
    until("the warming has ended", || async { look().ended_at.is_some() }).await;
    assert!(look().images.iter().all(|image| matches!(image.state, WarmingState::Canceled)));

    // The fill belongs to the registry: it goes on.
    gate.open();
    until("the layer is here", || world.holds("hub/app", &image.layers[0])).await;
}

#[tokio::test]
async fn signatures_come_with_their_images_where_they_are_wanted() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("1"), &["layer"]);
    let signature = refer(&world, &image.digest, "signed");
    let cosign = format!("sha256-{}.sig", image.digest.hex());
    let cosigned = push_image(&world.upstream, "app", Some(&cosign), &["cosigned"]);
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": media_type::OCI_MANIFEST, "digest": signature.as_str(), "size": 1,
    }]});
    let fallback = format!("sha256-{}", image.digest.hex());
    let index = index.to_string();
    world.upstream.add_manifest("app", Some(&fallback), media_type::OCI_INDEX, index);

    let plain = &world.warmed(wanted(&[("hub/app", "1")])).await[0];
    assert_eq!(plain.manifests, 1);
    let new = NewWarming { referrers: true, ..wanted(&[("hub/app", "1")]) };
    let warmed = &world.warmed(new).await[0];
    assert!(matches!(warmed.state, WarmingState::Complete), "{warmed:?}");
    assert_eq!((warmed.manifests, warmed.blobs_here), (3, 6), "{warmed:?}");
    world.assert_held("hub/app", &cosigned).await;
    assert!(world.pull("hub/app", signature.as_str()).await.is_ok());
}

/// Adds a manifest that refers to another.
fn refer(world: &World, subject: &Digest, text: &str) -> Digest {
    let blob = |text: &str| {
        let digest = world.upstream.add_blob("app", text.to_owned());
        json!({"mediaType": "text/plain", "digest": digest.as_str(), "size": text.len()})
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::OCI_MANIFEST,
        "artifactType": "application/example", "config": blob("{}"), "layers": [blob(text)],
        "subject": {"mediaType": media_type::OCI_MANIFEST, "digest": subject.as_str(), "size": 1},
    });
    world.upstream.add_manifest("app", None, media_type::OCI_MANIFEST, manifest.to_string())
}

#[tokio::test]
async fn warmings_are_asked_after_by_who_may() {
    let world = World::with_hub().await;
    let start = |new| world.registry.start_warming(&world.caller, new);
    let failure = |error: WarmingError| match error {
        WarmingError::Failure(failure) => failure,
        WarmingError::Denied(denied) => panic!("{denied}"),
    };
    let limit = 1000;
    assert_eq!(failure(start(wanted(&[])).unwrap_err()), WarmingFailure::Images { limit });
    let many = wanted(&vec![("hub/app", "1"); limit + 1]);
    assert_eq!(failure(start(many).unwrap_err()), WarmingFailure::Images { limit });

    let id = start(wanted(&[("hub/app", "1")])).unwrap().id;
    let elsewhere = world.registry.warming(&root("eu-west-1"), &id).unwrap_err();
    assert_eq!(failure(elsewhere), WarmingFailure::NotFound { id: id.clone() });
    let ended = || async { world.registry.warming(&world.caller, &id).unwrap().ended_at.is_some() };
    until("the warming has ended", ended).await;
    world.clock.advance(60 * 60 * 1000);
    start(wanted(&[("hub/app", "1")])).unwrap();
    let late = world.registry.warming(&world.caller, &id).unwrap_err();
    assert_eq!(failure(late), WarmingFailure::NotFound { id });
}

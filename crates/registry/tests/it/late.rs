//! Who looked too early and came too late: what was not there is, by the time they ask for it.

use std::future::Future;

use testkit::{Gate, blob_path, manifest_path};

use crate::{
    images::push_image,
    world::{World, within},
};

/// Starts `late`, whose first look at the facts is answered only when `early` is through.
async fn overtake<L, E>(
    world: &World,
    late: impl Future<Output = L>,
    early: impl AsyncFnOnce() -> E,
) -> (L, E) {
    let gate = Gate::shut();
    world.metadata.hold_next(&gate);
    let overtaking = async {
        within(gate.arrived(1)).await;
        let early = early().await;
        gate.open();
        early
    };
    tokio::join!(late, overtaking)
}

/// A world in which the next look at the facts is for content, for everything else is known.
async fn settled() -> World {
    let world = World::with_hub().await;
    world.metadata.followed().await;
    world.pull("hub/other", "v1").await.unwrap_err();
    world
}

#[tokio::test]
async fn a_manifest_that_came_meanwhile_is_not_fetched_again() {
    let world = settled().await;
    let [one, other] = ["one", "other"].map(|n| push_image(&world.upstream, "app", Some(n), &[n]));
    for reference in ["one", other.digest.as_str()] {
        let pull = || world.pull("hub/app", reference);
        let (late, early) = overtake(&world, pull(), pull).await;
        assert_eq!(late.unwrap().bytes, early.unwrap().bytes);
        assert_eq!(world.upstream.gets(&manifest_path("app", reference)), 1, "{reference}");
    }
    assert_eq!(world.images("hub/app").await.len(), 2);
    assert_eq!(world.upstream.gets(&manifest_path("app", one.digest.as_str())), 0);
}

#[tokio::test]
async fn a_tag_that_was_confirmed_meanwhile_is_not_confirmed_again() {
    let world = settled().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(2 * 24 * 60 * 60 * 1000);
    world.metadata.followed().await;
    world.pull("hub/other", "v1").await.unwrap_err();
    let pull = || world.pull("hub/app", "v1");
    let (late, early) = overtake(&world, pull(), pull).await;
    assert_eq!(late.unwrap().digest, early.unwrap().digest);
    assert_eq!(world.upstream.heads(&manifest_path("app", "v1")), 1);
}

#[tokio::test]
async fn a_blob_that_came_meanwhile_is_not_asked_for_again() {
    let world = settled().await;
    let digest = world.upstream.add_blob("app", "layer");
    let path = blob_path("app", &digest);
    let early = async || {
        world.blob("hub/app", &digest).await.unwrap();
        world.fills_ended(1).await;
        world.upstream.stop().await;
    };
    let (late, ()) = overtake(&world, world.blob("hub/app", &digest), early).await;
    assert_eq!(&late.unwrap()[..], b"layer");
    assert_eq!((world.upstream.gets(&path), world.upstream.heads(&path)), (1, 0));
}

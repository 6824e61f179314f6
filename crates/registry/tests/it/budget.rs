//! An upstream's budget: what is cached is served without asking while it is short, what is not
//! gets what is left, and a 429 with a time is heeded for every tag.

use http::Method;
use registry::{PullError, Served, StaleReason};
use testkit::{Script, manifest_path};

use crate::{
    images::push_image,
    world::{Setup, World},
};

const TWO_DAYS: i64 = 48 * 60 * 60 * 1000;

/// A world with cached tags `v1` and `v2`, both old by now, and a tag `new` that is not cached.
async fn cached() -> World {
    let world = World::with_hub().await;
    for tag in ["v1", "v2", "new"] {
        push_image(&world.upstream, "app", Some(tag), &[tag]);
    }
    for tag in ["v1", "v2"] {
        world.pull("hub/app", tag).await.unwrap();
    }
    world.clock.advance(TWO_DAYS);
    world.upstream.forget_requests();
    world
}

async fn serve(world: &World, tag: &str) -> &'static str {
    match world.pull("hub/app", tag).await.map(|pulled| pulled.served) {
        Ok(Served::Hit) => "hit",
        Ok(Served::Miss) => "miss",
        Ok(Served::Revalidated) => "revalidated",
        Ok(Served::Stale(StaleReason::Budget)) => "spared",
        Ok(Served::Stale(StaleReason::Backoff)) => "backoff",
        Ok(Served::Stale(_)) => "stale",
        Err(PullError::Upstream(error)) => match &*error {
            upstream::Error::RateLimited { retry_after: Some(after), was_asked: false, .. } => {
                assert!(after.as_secs() > 0);
                "429 unasked"
            }
            upstream::Error::RateLimited { .. } => "429",
            other => panic!("{other}"),
        },
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_429_with_a_time_holds_for_every_tag_and_never_opens_the_circuit() {
    for (retry_after, seconds) in [("120", 120), ("100000", 3600)] {
        let world = cached().await;
        let refusal = Script::status(429).retry_after(retry_after).times(1);
        world.upstream.script(&manifest_path("app", "v1"), refusal);
        assert_eq!(serve(&world, "v1").await, "stale");
        assert_eq!(serve(&world, "v1").await, "backoff");
        assert_eq!(serve(&world, "v2").await, "spared");
        assert_eq!(serve(&world, "new").await, "429 unasked");
        world.clock.advance(seconds * 1000 - 1);
        assert_eq!(serve(&world, "v2").await, "spared");
        assert_eq!(world.upstream.requests().len(), 1);
        world.clock.advance(1);
        for (tag, served) in [("v1", "revalidated"), ("v2", "revalidated"), ("new", "miss")] {
            assert_eq!(serve(&world, tag).await, served);
        }
    }
}

#[tokio::test]
async fn a_429_without_a_time_spares_what_is_cached_only() {
    let world = cached().await;
    world.upstream.script(&manifest_path("app", "v1"), Script::status(429).times(1));
    assert_eq!(serve(&world, "v1").await, "stale");
    assert_eq!(serve(&world, "v2").await, "spared");
    assert_eq!(serve(&world, "new").await, "miss");
    world.clock.advance(30_000);
    assert_eq!(serve(&world, "v2").await, "revalidated");
    assert_eq!(serve(&world, "v1").await, "revalidated");
}

fn remaining(count: &str) -> Script {
    Script::new().header("ratelimit-limit", "100;w=21600").header("ratelimit-remaining", count)
}

#[tokio::test]
async fn the_rest_of_a_short_budget_is_for_what_is_not_cached() {
    let world = cached().await;
    world.upstream.script(&manifest_path("app", "v1"), remaining("10;w=21600"));
    assert_eq!(serve(&world, "v1").await, "revalidated");
    assert_eq!(serve(&world, "v2").await, "spared");
    assert_eq!(serve(&world, "new").await, "miss");
    assert_eq!(world.upstream.heads(&manifest_path("app", "v2")), 0);
    world.clock.advance(216_000);
    assert_eq!(serve(&world, "v2").await, "revalidated");
}

/// Docker Hub counts no HEAD: a tag is confirmed all the same, and only one that has moved waits.
#[tokio::test]
async fn where_a_head_is_free_a_tag_is_confirmed_and_not_fetched() {
    let upstream = testkit::ScriptedUpstream::start().await;
    let mut setup = Setup::new();
    let endpoint = upstream.url().parse().unwrap();
    setup.client.endpoints.insert("registry-1.docker.io".to_owned(), vec![endpoint]);
    let world = setup.world_on(upstream).await;
    world.rule("hub", |rule| rule.upstream_registry_url = "registry-1.docker.io".to_owned()).await;
    for tag in ["v1", "v2", "new"] {
        push_image(&world.upstream, "app", Some(tag), &[tag]);
        world.upstream.script(&manifest_path("app", tag), remaining("3;w=21600"));
    }
    for tag in ["v1", "v2"] {
        world.pull("hub/app", tag).await.unwrap();
    }
    world.clock.advance(TWO_DAYS);
    push_image(&world.upstream, "app", Some("v2"), &["moved"]);
    world.upstream.forget_requests();
    assert_eq!(serve(&world, "v1").await, "revalidated");
    assert_eq!(serve(&world, "v2").await, "spared");
    assert_eq!(serve(&world, "new").await, "miss");
    let seen = world.upstream.requests();
    let methods: Vec<_> = seen.iter().map(|seen| seen.method.clone()).collect();
    assert_eq!(methods, [Method::HEAD, Method::HEAD, Method::GET]);
}

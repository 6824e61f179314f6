//! Several endpoints of one upstream: which is asked, which one next, and whose word counts.

use std::time::Duration;

use http::Method;
use testkit::{Gate, Script, ScriptedUpstream, manifest_path};
use upstream::{Error, HttpUpstream, Settings, Upstream as _};
use url::Url;

use crate::world::{
    MANIFEST, REPOSITORY, blob, client, kind, read, settings, tag, target, target_as,
};

const UPSTREAM: &str = "registry.test";

/// Two endpoints with the same manifest and the same blob, and a client that knows them in order.
struct World {
    first: ScriptedUpstream,
    second: ScriptedUpstream,
    client: HttpUpstream,
    path: String,
    digest: oci::Digest,
}

impl World {
    async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let [first, second] = [ScriptedUpstream::start().await, ScriptedUpstream::start().await];
        let mut digest = None;
        for upstream in [&first, &second] {
            let media_type = oci::media_type::OCI_MANIFEST;
            upstream.add_manifest(REPOSITORY, Some("3.20"), media_type, MANIFEST);
            digest = Some(upstream.add_blob(REPOSITORY, blob()));
        }
        let urls = [&first, &second].map(|upstream| Url::parse(&upstream.url()).unwrap());
        let mut settings = settings();
        settings.endpoints.insert(UPSTREAM.to_owned(), urls.to_vec());
        change(&mut settings);
        let path = manifest_path(REPOSITORY, "3.20");
        Self { first, second, client: client(settings), path, digest: digest.unwrap() }
    }

    async fn ask(&self) -> String {
        kind(&self.client.fetch_manifest(&target(UPSTREAM), &tag("3.20")).await)
    }

    /// How often each was asked since the last look.
    fn asked(&self) -> (usize, usize) {
        let counts = (self.first.requests().len(), self.second.requests().len());
        self.first.forget_requests();
        self.second.forget_requests();
        counts
    }
}

#[tokio::test]
async fn the_next_is_asked_where_it_could_do_better() {
    for script in [
        Script::hang_up(),
        Script::status(500),
        Script::status(503).retry_after("1"),
        Script::status(429).retry_after("60"),
        Script::status(429),
        Script::new().body("<html>").header("content-type", "text/html"),
        Script::new().body("{\"not\":\"it\"}"),
        Script::redirect(302, "http://169.254.169.254/"),
    ] {
        let world = World::new(|_| {}).await;
        world.first.script(&world.path, script.clone());
        assert_eq!(world.ask().await, "ok", "{script:?}");
        let (first, second) = world.asked();
        assert!((1..=2).contains(&first) && second == 1, "{script:?}: {first} {second}");
    }
    let world = World::new(|_| {}).await;
    world.first.stop().await;
    assert_eq!(world.ask().await, "ok");
    assert_eq!(world.asked(), (0, 1));
}

#[tokio::test]
async fn the_first_ones_refusal_is_the_upstreams() {
    for (script, expected) in [
        (Script::status(404), "not found"),
        (Script::status(401), "unauthorized: unauthorized"),
        (Script::status(403), "denied: forbidden"),
        (Script::status(405), "status 405"),
    ] {
        let world = World::new(|_| {}).await;
        world.first.script(&world.path, script);
        assert_eq!(world.ask().await, expected);
        assert_eq!(world.asked(), (1, 0));
    }
}

/// A mirror may lack what the upstream has: that is no 404 of the upstream.
#[tokio::test]
async fn what_a_stand_in_refuses_counts_for_nothing_while_the_first_is_not_heard() {
    for script in [Script::status(404), Script::status(401), Script::status(403)] {
        let world = World::new(|_| {}).await;
        world.second.script(&world.path, script);
        world.first.script(&world.path, Script::status(500));
        for _ in 0..2 {
            assert_eq!(world.ask().await, "status 500");
            // Rested or not, the first is heard before its stand-in's word is taken.
            assert_eq!(world.asked(), (1, 1));
        }
        world.first.unscript(&world.path);
        assert_eq!(world.ask().await, "ok");
        assert_eq!(world.asked(), (1, 1));
        // It is healthy again, and asked alone.
        assert_eq!(world.ask().await, "ok");
        assert_eq!(world.asked(), (1, 0));
    }
}

#[tokio::test]
async fn one_that_failed_rests_and_is_asked_last() {
    let rest = Duration::from_secs(3600);
    let world = World::new(|settings| settings.limits.endpoint_rest = rest).await;
    world.first.script(&world.path, Script::status(502).times(1));
    assert_eq!(world.ask().await, "ok");
    assert_eq!(world.asked(), (1, 1));
    for _ in 0..3 {
        assert_eq!(world.ask().await, "ok");
        assert_eq!(world.asked(), (0, 1));
    }
    world.second.stop().await;
    assert_eq!(world.ask().await, "ok");
    assert_eq!(world.asked(), (1, 0));
    assert_eq!(world.ask().await, "ok");

    let world = World::new(|settings| settings.limits.endpoint_rest = Duration::ZERO).await;
    world.first.script(&world.path, Script::status(502).times(1));
    for expected in [(1, 1), (1, 0)] {
        assert_eq!(world.ask().await, "ok");
        assert_eq!(world.asked(), expected);
    }
}

/// A circle leads through one endpoint, which is well; the next may lead out of it.
#[tokio::test]
async fn a_circle_is_left_by_the_next_endpoint() {
    let world = World::new(|_| {}).await;
    world.first.script(&world.path, Script::status(508).times(1));
    for expected in [(1, 1), (1, 0)] {
        assert_eq!(world.ask().await, "ok");
        assert_eq!(world.asked(), expected);
    }
}

/// Each has a budget of its own; only where all are held nobody is asked.
#[tokio::test]
async fn a_429_holds_one_endpoint() {
    let world = World::new(|_| {}).await;
    world.first.script(&world.path, Script::status(429).retry_after("60"));
    assert_eq!(world.ask().await, "ok");
    assert_eq!(world.asked(), (1, 1));
    assert_eq!(world.ask().await, "ok");
    assert_eq!(world.asked(), (0, 1));
    world.second.script(&world.path, Script::status(429).retry_after("30"));
    for asked in [(0, 1), (0, 0)] {
        let error = world.client.fetch_manifest(&target(UPSTREAM), &tag("3.20")).await;
        assert!(matches!(error, Err(Error::RateLimited { retry_after: Some(_), .. })));
        assert_eq!(world.asked(), asked);
    }
}

/// All of them together take no longer than one alone may.
#[tokio::test]
async fn silence_of_the_first_leaves_time_for_the_second() {
    let wait = Duration::from_millis(400);
    let world = World::new(|settings| settings.timeouts.first_byte = wait).await;
    world.first.script(&world.path, Script::black_hole());
    assert_eq!(world.ask().await, "ok");
    world.second.script(&world.path, Script::black_hole());
    let began = std::time::Instant::now();
    assert_eq!(world.ask().await, "timeout: FirstByte");
    assert!(began.elapsed() < 10 * wait);
}

/// A transfer that breaks is no failed request, and makes its endpoint rest all the same.
#[tokio::test]
async fn a_broken_transfer_goes_on_at_the_next_endpoint() {
    let world = World::new(|_| {}).await;
    let path = testkit::blob_path(REPOSITORY, &world.digest);
    let gate = Gate::shut();
    world.first.script(&path, Script::new().stall(100, &gate).short(400));
    let target = target(UPSTREAM);
    let broken = world.client.fetch_blob(&target, &world.digest, 0).await.unwrap();
    gate.open();
    assert_eq!(kind(&read(broken).await), "transport: transfer");
    let rest = world.client.fetch_blob(&target, &world.digest, 400).await.unwrap();
    assert_eq!((rest.offset, rest.size_bytes), (400, Some(1000)));
    assert_eq!(read(rest).await.unwrap(), &blob()[400..]);
    let seen = world.second.requests();
    assert_eq!((&seen[0].method, seen[0].header("range")), (&Method::GET, Some("bytes=400-")));
}

#[tokio::test]
async fn every_endpoint_is_authenticated_for_itself() {
    let world = World::new(|_| {}).await;
    world.first.require_basic("alice", "wonder");
    world.second.require_basic("alice", "wonder");
    let alice = target_as(UPSTREAM, "alice", "wonder");
    world.client.authenticate(&alice).await.unwrap();
    world.first.stop().await;
    world.client.authenticate(&alice).await.unwrap();
    world.client.fetch_manifest(&alice, &tag("3.20")).await.unwrap();
    world.second.stop().await;
    assert_eq!(kind(&world.client.authenticate(&alice).await), "transport: connection");
}

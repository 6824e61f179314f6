//! What upstreams say about their budgets, and how a 429 is heeded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use testkit::{Script, ScriptedUpstream, Tokens};
use upstream::{Allowance, Clock, Demand, HttpUpstream, SharedClock, Upstream as _};

use crate::world::{
    MANIFEST, REPOSITORY, blob, client, fetch, kind, settings, tag, target, target_as,
    with_manifest,
};

/// Seconds since 1970, moved by the test.
#[derive(Debug)]
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

fn timed() -> (HttpUpstream, Arc<Seconds>) {
    let seconds = Arc::new(Seconds(AtomicU64::new(1_000)));
    let clock = SharedClock::new(Arc::<Seconds>::clone(&seconds));
    (client(upstream::Settings { clock, ..settings() }), seconds)
}

#[tokio::test]
async fn a_budget_is_kept_by_upstream_and_identity() {
    let (upstream, _, path) = with_manifest().await;
    let other = ScriptedUpstream::start().await;
    other.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, MANIFEST);
    let budget = |remaining: &str| {
        Script::new()
            .header("ratelimit-limit", "100;w=21600")
            .header("ratelimit-remaining", &format!("{remaining};w=21600"))
            .header("docker-ratelimit-source", "192.0.2.7")
    };
    let (client, clock) = timed();
    let (anonymous, alice) =
        (target(&upstream.url()), target_as(&upstream.url(), "alice", "wonder"));
    upstream.script(&path, budget("76"));
    client.stat_manifest(&anonymous, &tag("3.20")).await.unwrap();
    upstream.script(&path, budget("10"));
    client.fetch_manifest(&alice, &tag("3.20")).await.unwrap();
    client.stat_manifest(&target(&other.url()), &tag("3.20")).await.unwrap();

    let budgets = client.budgets();
    let numbers: Vec<_> = budgets.iter().map(|b| (b.limit, b.remaining)).collect();
    assert_eq!(numbers, [(Some(100), Some(10)), (Some(100), Some(76))]);
    assert_eq!(budgets[1].identity, anonymous.identity);
    assert_eq!(budgets[1].source.as_deref(), Some("192.0.2.7"));
    assert_eq!(client.allowance(&anonymous, Demand::Manifests), Allowance::Free);
    // A tenth is kept; a request's share of the window later the news are old.
    let until = UNIX_EPOCH + Duration::from_secs(1_000 + 216);
    let short = Allowance::Short { until, head_is_free: false };
    assert_eq!(client.allowance(&alice, Demand::Manifests), short);
    client.fetch_manifest(&alice, &tag("3.20")).await.unwrap();
    clock.0.fetch_add(216, Ordering::SeqCst);
    assert_eq!(client.allowance(&alice, Demand::Manifests), Allowance::Free);
}

#[tokio::test]
async fn nothing_is_asked_while_a_429_holds() {
    let (upstream, _, path) = with_manifest().await;
    let digest = upstream.add_blob(REPOSITORY, blob());
    let (client, clock) = timed();
    let target = target(&upstream.url());
    for (retry_after, seconds) in [("120", 120), ("100000", 3600), ("1", 1)] {
        upstream.script(&path, Script::status(429).retry_after(retry_after).times(1));
        let refused = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&refused), format!("rate limited: Some({retry_after}s)"));
        upstream.forget_requests();
        for _ in 0..2 {
            let held = client.stat_manifest(&target, &tag("3.20")).await;
            assert_eq!(kind(&held), format!("rate limited: Some({seconds}s)"));
        }
        assert_eq!(upstream.requests().len(), 0);
        // Others are not held: blobs, other eyes, and who wants to know whether the rule works.
        assert_eq!(fetch(&client, &target, &digest).await.unwrap(), blob());
        let alice = target_as(&upstream.url(), "alice", "wonder");
        client.stat_manifest(&alice, &tag("3.20")).await.unwrap();
        client.authenticate(&target).await.unwrap();
        clock.0.fetch_add(seconds, Ordering::SeqCst);
        client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    }
    upstream.script(
        &testkit::blob_path(REPOSITORY, &digest),
        Script::status(429).retry_after("9").times(1),
    );
    assert_eq!(kind(&fetch(&client, &target, &digest).await), "rate limited: Some(9s)");
    assert_eq!(kind(&fetch(&client, &target, &digest).await), "rate limited: Some(9s)");
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
}

/// Where it does not say how long, a miss may still be asked for: its answer is the truth.
#[tokio::test]
async fn a_429_without_a_time_holds_nothing() {
    let (upstream, _, path) = with_manifest().await;
    let (client, _) = timed();
    let target = target(&upstream.url());
    upstream.script(&path, Script::status(429).times(1));
    let refused = client.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&refused), "rate limited: None");
    let until = UNIX_EPOCH + Duration::from_secs(1_030);
    let short = Allowance::Short { until, head_is_free: false };
    assert_eq!(client.allowance(&target, Demand::Manifests), short);
    client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
}

/// Docker Hub's own way: nothing remains, and no `Retry-After`.
#[tokio::test]
async fn a_429_with_an_empty_budget_says_how_long() {
    let (upstream, _, path) = with_manifest().await;
    let (client, _) = timed();
    let target = target(&upstream.url());
    let empty = Script::status(429)
        .header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", "0;w=21600");
    upstream.script(&path, empty.times(1));
    for _ in 0..2 {
        let refused = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&refused), "rate limited: Some(216s)");
    }
    assert_eq!(upstream.gets(&path), 1);
}

#[tokio::test]
async fn a_token_endpoint_that_limits_is_heeded_too() {
    let (upstream, _, path) = with_manifest().await;
    upstream.require_token(&Arc::new(Tokens::anonymous()));
    upstream.script("/token", Script::status(429).retry_after("60").times(1));
    let (client, _) = timed();
    for _ in 0..2 {
        let refused = client.stat_manifest(&target(&upstream.url()), &tag("3.20")).await;
        assert_eq!(kind(&refused), "rate limited: Some(60s)");
    }
    assert_eq!((upstream.heads(&path), upstream.gets("/token")), (1, 1));
}

//! What is said of a pull, held against what the pull then does.

use oci::{Reference, Tag};
use registry::{CircuitState, Decision, Explanation, PullError};
use testkit::{Script, manifest_path};
use upstream::Allowance;

use crate::{
    images::push_image,
    world::{Setup, World, repository, root},
};

const TWO_DAYS: i64 = 48 * 60 * 60 * 1000;

async fn explain(world: &World, name: &str, tag: &str) -> Explanation {
    let reference = Reference::Tag(Tag::parse(tag).unwrap());
    let name = repository(name);
    world.registry.explain(&world.caller, &name, &reference, false).await.unwrap()
}

async fn decided(world: &World, tag: &str) -> (Decision, String) {
    let verdict = explain(world, "hub/app", tag).await.verdict;
    (verdict.decision, verdict.reason)
}

/// A world with a cached tag `v1`, old by now, and nothing asked of its upstream since.
async fn cached() -> World {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(TWO_DAYS);
    world.upstream.forget_requests();
    world
}

#[tokio::test]
async fn asking_changes_nothing_and_asks_nobody() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x", "y"]);
    let found = explain(&world, "hub/app", "v1").await;
    assert_eq!(found.verdict.decision, Decision::Fetch);
    assert!(!found.repository_exists && found.tag.is_none() && found.manifest.is_none());
    let rule = found.rule.unwrap();
    assert_eq!((rule.ecr_repository_prefix.as_str(), &*rule.upstream_repository), ("hub", "app"));
    assert_eq!(world.upstream.requests().len(), 0);

    world.pull("hub/app", "v1").await.unwrap();
    let found = explain(&world, "hub/app", "v1").await;
    assert_eq!(found.verdict.decision, Decision::Serve);
    let manifest = found.manifest.unwrap();
    // The config and two layers, none of them pulled yet.
    assert_eq!((manifest.children, manifest.children_here, manifest.bytes_here), (3, 0, 0));
    let last = found.upstream.unwrap().last.unwrap();
    assert_eq!((last.said.as_str(), last.digest), ("sent it", Some(manifest.digest)));
}

#[tokio::test]
async fn a_tag_that_is_old_is_confirmed_unless_its_upstream_is_spared() {
    let world = cached().await;
    assert_eq!(decided(&world, "v1").await.0, Decision::Confirm);
    world.upstream.script(&manifest_path("app", "v1"), Script::status(500).times(1));
    world.pull("hub/app", "v1").await.unwrap();
    let found = explain(&world, "hub/app", "v1").await;
    assert_eq!(found.verdict.decision, Decision::ServeStale);
    let state = found.upstream.unwrap();
    assert!(matches!(state.circuit, CircuitState::Open { .. }), "{state:?}");
    assert!(state.last.unwrap().said.ends_with("answered 500"));

    let world = cached().await;
    world.upstream.script(&manifest_path("app", "v1"), Script::status(404));
    world.pull("hub/app", "v1").await.unwrap();
    let (decision, reason) = decided(&world, "v1").await;
    assert_eq!(decision, Decision::ServeStale);
    assert!(reason.contains("refused it"), "{reason}");

    let world = cached().await;
    push_image(&world.upstream, "app", Some("v2"), &["y"]);
    let held = Script::status(429).retry_after("60").times(1);
    world.upstream.script(&manifest_path("app", "v2"), held);
    world.pull("hub/app", "v2").await.unwrap_err();
    let state = explain(&world, "hub/app", "v1").await.upstream.unwrap();
    assert!(matches!(state.allowance, Allowance::Held { .. }) && state.budgets.len() == 1);
    assert_eq!(decided(&world, "v1").await.0, Decision::ServeStale);
    assert_eq!(decided(&world, "v2").await.0, Decision::Refuse);
    assert!(matches!(world.pull("hub/app", "v2").await, Err(PullError::Upstream(_))));
}

#[tokio::test]
async fn the_upstream_is_asked_by_one_head_where_that_is_wanted() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
    for (tag, said, digest) in
        [("v1", "has it", Some(image.digest)), ("v2", "does not have it", None)]
    {
        let reference = Reference::Tag(Tag::parse(tag).unwrap());
        let name = repository("hub/app");
        let asked = world.registry.explain(&world.caller, &name, &reference, true).await;
        let now = asked.unwrap().upstream.unwrap().now.unwrap();
        assert!(now.said.ends_with(said) && now.digest == digest, "{now:?}");
        let path = manifest_path("app", tag);
        assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 0));
    }
    assert!(!explain(&world, "hub/app", "v1").await.repository_exists);
}

#[tokio::test]
async fn where_no_rule_matches_it_says_what_is_near() {
    let mut setup = Setup::new();
    setup.declare("eu-west-1", "elsewhere", "quay.io");
    let world = setup.world().await.and_hub().await;
    let found = explain(&world, "elsewhere/app", "v1").await;
    assert_eq!(found.verdict.decision, Decision::Refuse);
    assert_eq!(found.rule_in.unwrap().as_str(), "eu-west-1");
    assert_eq!(found.passed_over[0].ecr_repository_prefix, "hub");
    let found = explain(&world, "hubs/app", "v1").await;
    assert_eq!(found.verdict.reason, "it is not here, and no rule matches");
    assert!(found.passed_over[0].reason.contains("whole path components"));
    // Somebody else's registry is not explained.
    let mut stranger = root("us-east-1");
    stranger.registry.account = metadata::AccountId::parse("111122223333").unwrap();
    let reference = Reference::Tag(Tag::parse("v1").unwrap());
    let refused =
        world.registry.explain(&stranger, &repository("hub/app"), &reference, false).await;
    assert!(matches!(refused, Err(PullError::Denied(_))), "{refused:?}");
}

#[tokio::test]
async fn a_tag_is_confirmed_on_condition_where_a_head_says_nothing() {
    let world = cached().await;
    let path = manifest_path("app", "v1");
    let confirmed = "it is here and no longer fresh: the upstream is asked";
    assert_eq!(decided(&world, "v1").await, (Decision::Confirm, confirmed.to_owned()));
    let bare = Script::new().without_header("docker-content-digest");
    let short = bare.header("ratelimit-limit", "100;w=21600").header("ratelimit-remaining", "50");
    world.upstream.script(&path, short.clone());
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(TWO_DAYS);
    let (decision, reason) = decided(&world, "v1").await;
    assert_eq!(decision, Decision::Confirm);
    assert!(reason.ends_with("unless it still is what is here, for it says nothing to a HEAD"));
    let found = explain(&world, "hub/app", "v1").await.upstream.unwrap();
    assert!(found.is_mute && found.last.unwrap().said == "confirmed it");

    let name = repository("hub/app");
    let reference = Reference::Tag(Tag::parse("v1").unwrap());
    let asked = world.registry.explain(&world.caller, &name, &reference, true).await.unwrap();
    let now = asked.upstream.unwrap().now.unwrap();
    assert_eq!((now.said.as_str(), now.digest), ("has it, and says no digest to a HEAD", None));
}

/// Where a HEAD is free but says nothing, a short budget spares the GET that would.
#[tokio::test]
async fn a_free_head_that_says_nothing_does_not_count() {
    let upstream = testkit::ScriptedUpstream::start().await;
    let mut setup = Setup::new();
    let endpoint = upstream.url().parse().unwrap();
    setup.client.endpoints.insert("registry-1.docker.io".to_owned(), vec![endpoint]);
    let world = setup.world_on(upstream).await;
    world.rule("hub", |rule| rule.upstream_registry_url = "registry-1.docker.io".to_owned()).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(TWO_DAYS);
    let short = Script::new()
        .without_header("docker-content-digest")
        .header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", "3;w=21600");
    world.upstream.script(&manifest_path("app", "v1"), short);
    assert_eq!(decided(&world, "v1").await.0, Decision::Confirm);
    // The HEAD tells that little is left, and nothing else.
    world.upstream.forget_requests();
    world.pull("hub/app", "v1").await.unwrap();
    assert_eq!(world.upstream.requests().len(), 1);
    assert_eq!(decided(&world, "v1").await.0, Decision::ServeStale);
    world.pull("hub/app", "v1").await.unwrap();
    assert_eq!(world.upstream.requests().len(), 1);
}

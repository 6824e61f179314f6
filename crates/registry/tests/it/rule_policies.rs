//! What the policy of a rule does to its pulls.

use std::time::Duration;

use http::Method;
use metadata::{AgeFrom, RulePolicy, Span, TagFreshness};
use oci::media_type;
use registry::{NewImage, PullError, RuleError, Served, StaleReason};
use serde_json::json;
use testkit::{Gate, Script, manifest_path};

use crate::{
    images::{Image, push_image, push_image_with, push_index},
    world::{BEGINNING, Setup, World, re, repository, until},
};

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;

fn millis(millis: i64) -> Option<Span> {
    Some(Span::Millis(u64::try_from(millis).unwrap()))
}

fn list(patterns: &[&str]) -> Option<Vec<String>> {
    Some(patterns.iter().map(|pattern| (*pattern).to_owned()).collect())
}

async fn set(world: &World, policy: RulePolicy) {
    world.registry.put_rule_policy(&world.caller, "hub", None, policy).await.unwrap();
}

/// Pulls and shows in a word what came of it.
async fn serve(world: &World, name: &str, reference: &str) -> String {
    match world.pull(name, reference).await {
        Ok(pulled) => match pulled.served {
            Served::Hit => "hit".to_owned(),
            Served::Miss => "miss".to_owned(),
            Served::Revalidated => "revalidated".to_owned(),
            Served::Stale(StaleReason::Revalidating) => "revalidating".to_owned(),
            Served::Stale(reason) => format!("stale: {reason}"),
        },
        Err(PullError::ManifestUnknown { upstream: Some(_), .. }) => "unknown upstream".to_owned(),
        Err(PullError::NotLetIn { reason, .. }) => reason,
        Err(PullError::TooYoung { until, .. }) => format!("young until {}", until.0 - BEGINNING),
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn freshness_by_rule_and_by_tag() {
    let nothing = RulePolicy::default();
    let zero = RulePolicy { fresh_for: Some(Span::ZERO), ..nothing.clone() };
    let pinned = RulePolicy { pinned_tags: list(&["v*"]), ..zero.clone() };
    let by_tag = TagFreshness { tag: "v1".to_owned(), fresh_for: Span::Millis(1_000) };
    let by_tag = RulePolicy { fresh_for_tags: Some(vec![by_tag]), ..zero.clone() };
    // Each: the policy, how much later, how the old one is served, what a moved tag comes to.
    for (policy, later, unmoved, moved) in [
        (&nothing, 0, "hit", "hit"),
        (&nothing, DAY, "revalidated", "miss"),
        (&zero, 0, "revalidated", "miss"),
        (&pinned, 1000 * DAY, "hit", "hit"),
        (&by_tag, 999, "hit", "hit"),
        (&by_tag, 1_000, "revalidated", "miss"),
    ] {
        for (is_moved, expected) in [(false, unmoved), (true, moved)] {
            let world = World::with_hub().await;
            push_image(&world.upstream, "app", Some("v1"), &["old"]);
            world.pull("hub/app", "v1").await.unwrap();
            set(&world, policy.clone()).await;
            if is_moved {
                push_image(&world.upstream, "app", Some("v1"), &["new"]);
            }
            world.clock.advance(later);
            let served = serve(&world, "hub/app", "v1").await;
            assert_eq!(served, expected, "{policy:?} {later} {is_moved}");
        }
    }
}

#[tokio::test]
async fn a_policy_holds_at_once_here_and_soon_on_another_process() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    let other = world.setup.start(&world.metadata, &world.clock).await.unwrap();
    let name = repository("hub/app");
    let pull = || async { other.pull_manifest(&world.caller, &name, &re("v1")).await };
    pull().await.unwrap();
    assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
    set(&world, RulePolicy { denied_tags: list(&["v1"]), ..RulePolicy::default() }).await;
    assert_eq!(serve(&world, "hub/app", "v1").await, "its list of denied tags has v1");
    until("the other process knows", || async {
        matches!(pull().await, Err(PullError::NotLetIn { .. }))
    })
    .await;
    world.registry.delete_rule_policy(&world.caller, "hub", None).await.unwrap();
    assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
}

#[tokio::test]
async fn a_warm_pull_under_a_policy_asks_no_database() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    let policy = RulePolicy {
        fresh_for_tags: Some(vec![TagFreshness { tag: "v*".into(), fresh_for: Span::Forever }]),
        allowed_repositories: list(&["app*"]),
        denied_tags: list(&["latest"]),
        missing_for: millis(HOUR),
        minimum_age: millis(0),
        ..RulePolicy::default()
    };
    set(&world, policy).await;
    world.pull("hub/app", "v1").await.unwrap();
    world.pull("hub/app", "v1").await.unwrap();
    let before = world.metadata.questions();
    for _ in 0..10 {
        assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
    }
    assert_eq!(world.metadata.questions(), before);
}

#[tokio::test]
async fn stale_is_served_at_once_while_the_upstream_is_asked() {
    let world = World::with_hub().await;
    let path = manifest_path("app", "v1");
    push_image(&world.upstream, "app", Some("v1"), &["old"]);
    world.pull("hub/app", "v1").await.unwrap();
    let policy = RulePolicy { stale_while_revalidate: millis(DAY), ..RulePolicy::default() };
    set(&world, policy).await;
    let new = push_image(&world.upstream, "app", Some("v1"), &["new"]);
    world.upstream.forget_requests();
    let gate = Gate::shut();
    world.upstream.script(&path, Script::new().only(&Method::HEAD).hold(&gate));
    world.clock.advance(DAY);
    // The upstream does not answer, and nobody waits for it.
    for _ in 0..3 {
        assert_eq!(serve(&world, "hub/app", "v1").await, "revalidating");
    }
    gate.open();
    until("the new one is here", || async {
        world.pull("hub/app", "v1").await.unwrap().digest == new.digest
    })
    .await;
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 1));
    assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
}

#[tokio::test]
async fn stale_on_error_ends_and_then_the_upstreams_truth_counts() {
    let path = manifest_path("app", "v1");
    for (window, later, status, expected) in [
        (None, 1000 * DAY, 503, "stale: "),
        (Some(Span::ZERO), DAY, 503, "error: "),
        (Some(Span::ZERO), DAY, 404, "unknown upstream"),
        (millis(DAY), 2 * DAY - 1, 503, "stale: "),
        (millis(DAY), 2 * DAY, 429, "error: "),
        (Some(Span::ZERO), DAY - 1, 503, "hit"),
    ] {
        let world = World::with_hub().await;
        push_image(&world.upstream, "app", Some("v1"), &["x"]);
        world.pull("hub/app", "v1").await.unwrap();
        set(&world, RulePolicy { stale_on_error: window, ..RulePolicy::default() }).await;
        world.upstream.script(&path, Script::status(status));
        world.clock.advance(later);
        let served = serve(&world, "hub/app", "v1").await;
        assert!(served.starts_with(expected), "{window:?} {later} {status}: {served}");
        // The image itself is there by its digest, whatever its tag comes to, and the tag is
        // served again as soon as the upstream answers.
        world.upstream.unscript(&path);
        world.clock.advance(HOUR);
        let served = serve(&world, "hub/app", "v1").await;
        assert!(!served.starts_with("error"), "{window:?} {later} {status}: {served}");
    }
}

#[tokio::test]
async fn the_deadline_is_the_rules() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    let policy = RulePolicy { stale_deadline: millis(50), ..RulePolicy::default() };
    set(&world, policy).await;
    world.upstream.script(&manifest_path("app", "v1"), Script::black_hole());
    world.clock.advance(DAY);
    let asked = std::time::Instant::now();
    assert_eq!(serve(&world, "hub/app", "v1").await, "stale: the upstream did not answer in time");
    // The registry's own deadline is a minute in these tests.
    assert!(asked.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn what_is_missing_is_remembered_until_a_push_or_a_rule_says_otherwise() {
    let world = World::with_hub().await;
    let path = manifest_path("app", "v1");
    push_image(&world.upstream, "app", Some("other"), &["x"]);
    let asked = || world.upstream.gets(&path) + world.upstream.heads(&path);
    // Nothing is remembered unless the rule says so.
    for _ in 0..2 {
        assert_eq!(serve(&world, "hub/app", "v1").await, "unknown upstream");
    }
    assert_eq!(asked(), 2);
    let policy = RulePolicy { missing_for: millis(HOUR), ..RulePolicy::default() };
    set(&world, policy.clone()).await;
    for _ in 0..3 {
        assert_eq!(serve(&world, "hub/app", "v1").await, "unknown upstream");
    }
    assert_eq!(asked(), 3);
    // Other tags are not held up, nor is what is there for a digest.
    assert_eq!(serve(&world, "hub/app", "other").await, "miss");
    // Its time is over.
    world.clock.advance(HOUR);
    assert_eq!(serve(&world, "hub/app", "v1").await, "unknown upstream");
    assert_eq!(asked(), 4);
    // A change of the rule ends it, one of another does not.
    world.rule("other", |_| {}).await;
    set(&world, policy.clone()).await;
    assert_eq!(serve(&world, "hub/app", "v1").await, "unknown upstream");
    assert_eq!(asked(), 4);
    set(&world, RulePolicy { missing_for: millis(HOUR / 2), ..policy.clone() }).await;
    set(&world, policy).await;
    assert_eq!(serve(&world, "hub/app", "v1").await, "unknown upstream");
    assert_eq!(asked(), 5);
    // A push wins at once; when it is deleted again the upstream is asked anew.
    let here = world.pull("hub/app", "other").await.unwrap();
    let kind = Some(media_type::OCI_MANIFEST.to_owned());
    let new = NewImage::by_reference(re("v1"), kind, here.bytes.clone());
    push(&world, new).await;
    assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
    world.registry.delete_manifest(&world.caller, &repository("hub/app"), &re("v1")).await.unwrap();
    push_image(&world.upstream, "app", Some("v1"), &["appeared"]);
    assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
    assert_eq!(asked(), 6);
}

/// Pushes a manifest whose blobs are there.
async fn push(world: &World, new: NewImage) {
    let name = repository("hub/app");
    world.registry.push_manifest(&world.caller, &name, new).await.unwrap();
}

#[tokio::test]
async fn failures_are_not_remembered_as_missing() {
    let world = World::with_hub().await;
    let path = manifest_path("app", "v1");
    set(&world, RulePolicy { missing_for: millis(HOUR), ..RulePolicy::default() }).await;
    for status in [401, 403, 429, 503] {
        world.upstream.script(&path, Script::status(status));
        assert!(serve(&world, "hub/app", "v1").await.starts_with("error: "), "{status}");
    }
    world.upstream.unscript(&path);
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
}

#[tokio::test]
async fn lists_decide_by_the_names_upstream() {
    let world = World::with_hub().await;
    for name in ["team/app", "team/evil", "other/app"] {
        push_image(&world.upstream, name, Some("v1"), &[name]);
    }
    let (repositories, tags) = (Some("team/*"), Some("v*"));
    for (allowed, denied, allowed_tag, denied_tag, name, expected) in [
        (None, None, None, None, "other/app", "miss"),
        (repositories, None, None, None, "team/app", "miss"),
        (repositories, None, None, None, "other/app", "its list of allowed repositories"),
        (repositories, Some("*/evil"), None, None, "team/evil", "its list of denied repositories"),
        (None, Some("team/evil"), None, None, "team/app", "hit"),
        (None, None, tags, None, "team/app", "hit"),
        (None, None, Some("latest"), None, "team/app", "its list of allowed tags"),
        (None, None, tags, Some("v1"), "team/app", "its list of denied tags has v1"),
    ] {
        let list = |pattern: Option<&str>| pattern.map(|pattern| vec![pattern.to_owned()]);
        let policy = RulePolicy {
            allowed_repositories: list(allowed),
            denied_repositories: list(denied),
            allowed_tags: list(allowed_tag),
            denied_tags: list(denied_tag),
            ..RulePolicy::default()
        };
        set(&world, policy.clone()).await;
        let served = serve(&world, &format!("hub/{name}"), "v1").await;
        assert!(served.starts_with(expected), "{policy:?} {name}: {served}");
    }
    // Nothing at all is allowed.
    set(&world, RulePolicy { allowed_tags: list(&[]), ..RulePolicy::default() }).await;
    let pulled = serve(&world, "hub/team/app", "v1").await;
    assert!(pulled.starts_with("its list of allowed tags"), "{pulled}");
    // Blobs and digests are of the repository.
    set(&world, RulePolicy { denied_repositories: list(&["team/*"]), ..RulePolicy::default() })
        .await;
    let image = push_image(&world.upstream, "team/app", None, &["layer"]);
    let refused = world.open_blob("hub/team/app", &image.layers[0]).await;
    assert!(matches!(refused, Err(PullError::NotLetIn { .. })));
    let refused = world.pull("hub/team/app", image.digest.as_str()).await;
    assert!(matches!(refused, Err(PullError::NotLetIn { .. })));
}

/// An image that says when it was created.
fn born(world: &World, tag: Option<&str>, created: &str, layer: &str) -> Image {
    let config = json!({ "created": created, "rootfs": { "layers": [layer] } });
    push_image_with(&world.upstream, "app", tag, &[layer], &config)
}

async fn only_a_week_old(world: &World) {
    set(world, RulePolicy { minimum_age: millis(7 * DAY), ..RulePolicy::default() }).await;
}

// The beginning is 2023-11-14T22:13:20Z.

#[tokio::test]
async fn only_what_is_old_enough_is_let_in() {
    for (created, expected) in [
        ("2023-11-07T22:13:20Z", "miss"),
        ("2023-11-07T23:13:20+01:00", "miss"),
        ("2023-11-07T22:13:21Z", "young until 1000"),
        ("2023-11-14T22:13:20Z", "young until 604800000"),
        // What cannot be says nothing: then it counts from when it was first seen.
        ("1970-01-01T00:00:00Z", "young until 604800000"),
        ("0001-01-01T00:00:00Z", "young until 604800000"),
        ("2099-01-01T00:00:00Z", "young until 604800000"),
        ("yesterday", "young until 604800000"),
    ] {
        let world = World::with_hub().await;
        only_a_week_old(&world).await;
        let image = born(&world, Some("v1"), created, "x");
        assert_eq!(serve(&world, "hub/app", "v1").await, expected, "{created}");
        let by_digest = serve(&world, "hub/app", image.digest.as_str()).await;
        let expected = if expected == "miss" { "hit" } else { expected };
        assert_eq!(by_digest, expected, "{created}");
        assert_eq!(world.has_repository("hub/app").await, expected == "hit", "{created}");
        world.clock.advance(7 * DAY);
        let later = serve(&world, "hub/app", image.digest.as_str()).await;
        assert!(matches!(&*later, "miss" | "hit"), "{created}: {later}");
    }
}

#[tokio::test]
async fn first_seen_is_nobody_elses_word_and_survives_a_restart() {
    let mut world = World::with_hub().await;
    let policy = RulePolicy {
        minimum_age: millis(7 * DAY),
        age_from: Some(AgeFrom::FirstSeen),
        ..RulePolicy::default()
    };
    set(&world, policy).await;
    born(&world, Some("v1"), "2020-01-01T00:00:00Z", "x");
    assert_eq!(serve(&world, "hub/app", "v1").await, format!("young until {}", 7 * DAY));
    world.clock.advance(3 * DAY);
    world.restart(|_| {}).await;
    assert_eq!(serve(&world, "hub/app", "v1").await, format!("young until {}", 7 * DAY));
    world.clock.advance(4 * DAY);
    assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
}

#[tokio::test]
async fn a_tag_that_moved_to_a_young_image_is_served_as_it_was() {
    for stale_on_error in [None, Some(Span::ZERO)] {
        let world = World::with_hub().await;
        let old = born(&world, Some("v1"), "2023-01-01T00:00:00Z", "old");
        let policy = RulePolicy {
            minimum_age: millis(7 * DAY),
            fresh_for: Some(Span::ZERO),
            stale_on_error,
            ..RulePolicy::default()
        };
        set(&world, policy.clone()).await;
        assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
        let new = born(&world, Some("v1"), "2023-11-14T22:13:20Z", "new");
        world.upstream.forget_requests();
        for _ in 0..3 {
            let pulled = world.pull("hub/app", "v1").await.unwrap();
            assert_eq!(pulled.digest, old.digest);
            assert!(matches!(
                pulled.served,
                Served::Stale(StaleReason::Failed(PullError::TooYoung { .. }))
            ));
        }
        // It is not looked at each time, but at once where the rule no longer minds.
        assert_eq!(world.upstream.gets(&manifest_path("app", "v1")), 1);
        set(&world, RulePolicy { minimum_age: None, ..policy }).await;
        assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, new.digest);
    }
}

#[tokio::test]
async fn an_index_waits_for_its_first_image_and_each_image_is_judged_itself() {
    let world = World::with_hub().await;
    only_a_week_old(&world).await;
    let old = "2023-01-01T00:00:00Z";
    let young = "2023-11-14T00:00:00Z";
    let images = || [born(&world, None, old, "a"), born(&world, None, young, "b")];
    let [_, second] = images();
    push_index(&world.upstream, "app", "good", &images());
    let [first, other] = images();
    push_index(&world.upstream, "app", "bad", &[other, first]);
    assert_eq!(serve(&world, "hub/app", "good").await, "miss");
    let second = serve(&world, "hub/app", second.digest.as_str()).await;
    assert!(second.starts_with("young"), "{second}");
    let bad = serve(&world, "hub/app", "bad").await;
    assert!(bad.starts_with("young"), "{bad}");
    // The upstream does not have the first one: the next one counts.
    let [gone, held] = ["gone", "held"].map(|layer| born(&world, None, old, layer));
    world.upstream.remove(&manifest_path("app", gone.digest.as_str()));
    push_index(&world.upstream, "app", "sparse", &[gone, held]);
    assert_eq!(serve(&world, "hub/app", "sparse").await, "miss");
}

#[tokio::test]
async fn artifacts_may_be_young_unless_they_could_be_unpacked() {
    // Each: the config's type, the layer's type, its bytes, whether it is let in.
    let image_config = "application/vnd.oci.image.config.v1+json";
    for (config_type, layer_type, layer, is_let_in) in [
        ("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart", "x", true),
        (image_config, "application/vnd.dev.cosign.simplesigning.v1+json", "{\"a\":1}", true),
        // It says that it is a document, and is none.
        (image_config, "application/vnd.dev.cosign.simplesigning.v1+json", "\u{1f}archive", false),
        ("application/vnd.example", "application/vnd.oci.image.layer.v1.tar", "{}", false),
    ] {
        let world = World::with_hub().await;
        only_a_week_old(&world).await;
        let blob = |bytes: &str, media_type: &str| {
            let digest = world.upstream.add_blob("app", bytes.to_owned());
            json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() })
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": blob("{}", config_type),
            "layers": [blob(layer, layer_type)],
        });
        let manifest = manifest.to_string();
        world.upstream.add_manifest("app", Some("v1"), media_type::OCI_MANIFEST, manifest);
        let served = serve(&world, "hub/app", "v1").await;
        assert_eq!(served == "miss", is_let_in, "{config_type} {layer_type}: {served}");
    }
}

#[tokio::test]
async fn an_age_that_cannot_be_learned_lets_nothing_in() {
    let world = World::with_hub().await;
    only_a_week_old(&world).await;
    let image = born(&world, Some("v1"), "2023-01-01T00:00:00Z", "x");
    let path = testkit::blob_path("app", &image.config);
    world.upstream.script(&path, Script::status(503));
    assert!(serve(&world, "hub/app", "v1").await.starts_with("error: "));
    world.upstream.unscript(&path);
    assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
}

#[tokio::test]
async fn policies_of_declared_rules_are_changed_where_they_are_declared() {
    let mut setup = Setup::new();
    setup.settings.default_policy.fresh_for = Some(Span::ZERO);
    let upstream = testkit::ScriptedUpstream::start().await;
    let declared = setup.declare("us-east-1", "hub", &upstream.url());
    declared.rule.policy = Some(RulePolicy { pinned_tags: list(&["v1"]), ..RulePolicy::default() });
    let world = setup.world_on(upstream).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    push_image(&world.upstream, "app", Some("v2"), &["x"]);
    for (tag, expected) in [("v1", "hit"), ("v2", "revalidated")] {
        assert_eq!(serve(&world, "hub/app", tag).await, "miss");
        assert_eq!(serve(&world, "hub/app", tag).await, expected);
    }
    let nothing = RulePolicy::default();
    let refused = world.registry.put_rule_policy(&world.caller, "hub", None, nothing).await;
    assert!(matches!(refused, Err(RuleError::Declared { .. })));
    let refused = world.registry.delete_rule_policy(&world.caller, "hub", None).await;
    assert!(matches!(refused, Err(RuleError::Declared { .. })));
}

#[tokio::test]
async fn strict_mode_ignores_policies_that_were_set_before() {
    let mut setup = Setup::new();
    setup.settings.strict_ecr = true;
    let upstream = testkit::ScriptedUpstream::start().await;
    let denies = RulePolicy {
        denied_tags: list(&["*"]),
        fresh_for: Some(Span::ZERO),
        ..RulePolicy::default()
    };
    setup.declare("us-east-1", "hub", &upstream.url()).rule.policy = Some(denies.clone());
    let world = setup.world_on(upstream).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    assert_eq!(serve(&world, "hub/app", "v1").await, "miss");
    assert_eq!(serve(&world, "hub/app", "v1").await, "hit");
    let refused = world.registry.put_rule_policy(&world.caller, "hub", None, denies).await;
    assert!(matches!(refused, Err(RuleError::NoPolicies)));
}

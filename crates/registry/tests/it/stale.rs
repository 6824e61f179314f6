//! Freshness: when a tag is confirmed, how, and what is served when it cannot be.

use std::time::Duration;

use http::Method;
use metadata::{RuleCredentials, TagStore as _};
use registry::{
    Counter, DeleteSecret, PullError, PutSecretValue, SecretError, SecretValue, Served, StaleReason,
};
use testkit::{Gate, Script, manifest_path};

use crate::{
    images::{Image, push_image},
    world::{Setup, World, repository, until},
};

const HOUR: i64 = 60 * 60 * 1000;
const TWO_DAYS: i64 = 48 * HOUR;

/// A world with a cached tag `v1`, and its path at the upstream.
async fn cached() -> (World, Image, String) {
    cached_in(Setup::new()).await
}

async fn cached_in(setup: Setup) -> (World, Image, String) {
    let world = setup.world().await.and_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.upstream.forget_requests();
    (world, image, manifest_path("app", "v1"))
}

/// Pulls `v1` and shows how it was served.
async fn serve(world: &World) -> String {
    match world.pull("hub/app", "v1").await {
        Ok(pulled) => match pulled.served {
            Served::Hit => "hit".to_owned(),
            Served::Miss => "miss".to_owned(),
            Served::Revalidated => "revalidated".to_owned(),
            Served::Stale(reason) => format!("stale: {reason}"),
        },
        Err(error) => format!("error: {error}"),
    }
}

const CIRCUIT_OPEN: &str = "stale: the upstream failed a moment ago";
const BACKOFF: &str = "stale: the upstream refused a moment ago";

#[tokio::test]
async fn a_tag_is_fresh_for_a_day_and_then_confirmed_by_one_head() {
    let (world, _, path) = cached().await;
    world.clock.advance(24 * HOUR - 1);
    assert_eq!(serve(&world).await, "hit");
    assert_eq!(world.upstream.requests().len(), 0);
    world.clock.advance(1);
    assert_eq!(serve(&world).await, "revalidated");
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 0));
    let registry = &world.caller.registry;
    let tag = world.metadata.tag(registry, &repository("hub/app"), &"v1".parse().unwrap()).await;
    let tag = tag.unwrap();
    assert_eq!((tag.checked_at, tag.updated_at.0), (world.now(), world.now().0 - 24 * HOUR));
    // A day again.
    world.clock.advance(24 * HOUR - 1);
    assert_eq!(serve(&world).await, "hit");
    assert_eq!(world.upstream.requests().len(), 1);
    assert_eq!(world.registry.counters().get(Counter::ManifestRevalidations), 1);
}

#[tokio::test]
async fn a_digest_never_grows_old() {
    let (world, image, _) = cached().await;
    world.clock.advance(1000 * TWO_DAYS);
    let pulled = world.pull("hub/app", image.digest.as_str()).await.unwrap();
    assert!(matches!(pulled.served, Served::Hit));
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_moved_tag_is_fetched_and_one_moved_back_is_not() {
    let (world, old, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    let new = push_image(&world.upstream, "app", Some("v1"), &["changed"]);
    assert_eq!(serve(&world).await, "miss");
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().bytes, new.manifest);
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 1));
    let mut images =
        vec![(old.digest.clone(), vec![]), (new.digest.clone(), vec!["v1".to_owned()])];
    images.sort();
    assert_eq!(world.images("hub/app").await, images);

    world.clock.advance(TWO_DAYS);
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    assert_eq!(serve(&world).await, "revalidated");
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, old.digest);
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (2, 1));
    let mut images = vec![(old.digest, vec!["v1".to_owned()]), (new.digest, vec![])];
    images.sort();
    assert_eq!(world.images("hub/app").await, images);
}

/// What an upstream without a HEAD that helps is asked, revalidation by revalidation.
#[tokio::test]
async fn an_upstream_that_says_nothing_to_a_head_is_asked_on_condition() {
    let head = |script: Script| script.only(&Method::HEAD);
    let no_digest = || Script::new().without_header("docker-content-digest");
    for (what, script) in [
        ("no HEAD", head(Script::status(405))),
        ("not implemented", head(Script::status(501))),
        ("404 to a HEAD", head(Script::status(404))),
        ("no digest", head(no_digest())),
        ("no digest to read", head(Script::new().header("docker-content-digest", "md5:1"))),
        ("no digest ever", no_digest()),
    ] {
        let (world, image, path) = cached().await;
        world.upstream.script(&path, script);
        let asked = || (world.upstream.heads(&path), world.upstream.gets(&path));
        for (round, expected) in [(1, 1), (1, 2), (1, 3)].into_iter().enumerate() {
            world.clock.advance(TWO_DAYS);
            assert_eq!(serve(&world).await, "revalidated", "{what} {round}");
            assert_eq!(serve(&world).await, "hit", "{what} {round}");
            assert_eq!(asked(), expected, "{what} {round}");
            let last = world.upstream.requests().pop().unwrap();
            let digest = format!("\"{}\"", image.digest);
            assert_eq!(last.header("if-none-match"), Some(&*digest), "{what}");
        }
        // What has moved comes with the answer: it is not asked for twice.
        world.clock.advance(TWO_DAYS);
        let moved = push_image(&world.upstream, "app", Some("v1"), &["moved"]);
        assert_eq!(serve(&world).await, "miss", "{what}");
        assert_eq!(world.pull("hub/app", "v1").await.unwrap().bytes, moved.manifest, "{what}");
        assert_eq!(asked(), (1, 4), "{what}");
        // And a tag that is gone is gone.
        world.clock.advance(TWO_DAYS);
        world.upstream.script(&path, Script::status(404));
        assert!(serve(&world).await.starts_with("stale: "), "{what}");
        assert_eq!(asked(), (1, 5), "{what}");
    }
}

/// An upstream that knows no conditions, or has an ETag of its own.
#[tokio::test]
async fn what_comes_although_it_is_held_confirms_it() {
    let (world, image, path) = cached().await;
    let script = Script::new().without_header("docker-content-digest");
    world.upstream.script(&path, script.clone().ignore_conditions());
    for gets in 1..3 {
        world.clock.advance(TWO_DAYS);
        assert_eq!(serve(&world).await, "revalidated");
        assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, gets));
    }
    assert_eq!(world.images("hub/app").await, [(image.digest, vec!["v1".to_owned()])]);

    // One that was fetched with its own ETag is known by it: a HEAD is enough.
    let (world, _, path) = cached().await;
    world.upstream.script(&path, script.header("etag", "\"5f3-1\""));
    world.clock.advance(TWO_DAYS);
    push_image(&world.upstream, "app", Some("v1"), &["moved"]);
    assert_eq!(serve(&world).await, "miss");
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 1));
}

/// A 404 to the first HEAD may be all that an upstream knows of HEAD; it is believed of one that
/// has shown that it speaks it.
#[tokio::test]
async fn a_404_to_a_head_is_looked_into_once() {
    let (world, _, path) = cached().await;
    push_image(&world.upstream, "app", Some("v2"), &["y"]);
    world.pull("hub/app", "v2").await.unwrap();
    world.clock.advance(TWO_DAYS);
    let other = manifest_path("app", "v2");
    for path in [&path, &other] {
        world.upstream.script(path, Script::status(404));
    }
    world.upstream.forget_requests();
    assert!(serve(&world).await.starts_with("stale: "));
    assert!(matches!(world.pull("hub/app", "v2").await.unwrap().served, Served::Stale(_)));
    assert_eq!((world.upstream.heads(&path), world.upstream.gets(&path)), (1, 1));
    assert_eq!((world.upstream.heads(&other), world.upstream.gets(&other)), (1, 0));
}

/// One odd answer of an upstream that speaks HEAD, a proxy's perhaps, changes nothing for later.
#[tokio::test]
async fn one_odd_answer_to_a_head_is_forgiven() {
    let (world, _, path) = cached().await;
    let mut asked = Vec::new();
    for odd in [false, true, false] {
        world.clock.advance(TWO_DAYS);
        if odd {
            world.upstream.script(&path, Script::status(405).only(&Method::HEAD).times(1));
        }
        assert_eq!(serve(&world).await, "revalidated");
        asked.push((world.upstream.heads(&path), world.upstream.gets(&path)));
    }
    assert_eq!(asked, [(1, 0), (2, 1), (3, 1)]);
}

#[tokio::test]
async fn many_who_want_a_tag_confirmed_cost_one_head() {
    let (world, _, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    let gate = Gate::shut();
    world.upstream.script(&path, Script::new().hold(&gate));
    let pulls = futures_util::future::join_all((0..20).map(|_| serve(&world)));
    let opener = async {
        gate.arrived(1).await;
        gate.open();
    };
    let (served, ()) = tokio::join!(pulls, opener);
    assert_eq!(served, vec!["revalidated"; 20]);
    assert_eq!(world.upstream.heads(&path), 1);
}

/// Nobody waits twice for a black hole, whichever tag it is.
#[tokio::test]
async fn a_black_hole_costs_the_deadline_once() {
    let mut setup = Setup::new();
    setup.settings.stale_deadline = Duration::from_millis(50);
    let (world, _, path) = cached_in(setup).await;
    push_image(&world.upstream, "app", Some("v2"), &["y"]);
    world.pull("hub/app", "v2").await.unwrap();
    world.clock.advance(TWO_DAYS);
    world.upstream.script(&path, Script::black_hole());

    assert_eq!(serve(&world).await, "stale: the upstream did not answer in time");
    for _ in 0..3 {
        assert_eq!(serve(&world).await, CIRCUIT_OPEN);
        let other = world.pull("hub/app", "v2").await.unwrap();
        assert!(matches!(other.served, Served::Stale(StaleReason::CircuitOpen)));
    }
    until("the question arrives", || async { world.upstream.heads(&path) == 1 }).await;
    assert_eq!(world.upstream.heads(&manifest_path("app", "v2")), 0);
    assert_eq!(world.registry.counters().get(Counter::ManifestStale), 7);
}

/// One probe per cooldown, and nobody waits for it.
#[tokio::test]
async fn an_open_circuit_serves_at_once_until_a_probe_closes_it() {
    let (world, _, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    let cooldown = world.registry.settings().circuit_cooldown.as_millis() as i64;
    world.upstream.script(&path, Script::status(500));
    assert!(serve(&world).await.ends_with("answered 500"));
    let gate = Gate::shut();
    world.upstream.script(&path, Script::new().hold(&gate));
    world.clock.advance(cooldown - 1);
    assert_eq!(serve(&world).await, CIRCUIT_OPEN);
    assert_eq!(world.upstream.heads(&path), 1);
    world.clock.advance(1);
    for _ in 0..3 {
        assert_eq!(serve(&world).await, CIRCUIT_OPEN);
    }
    gate.arrived(1).await;
    gate.open();
    until("the probe has closed the circuit", || async { serve(&world).await == "hit" }).await;
    assert_eq!(world.upstream.heads(&path), 2);
}

#[tokio::test]
async fn a_miss_always_tries_and_its_success_closes_the_circuit() {
    let (world, _, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    push_image(&world.upstream, "app", Some("v2"), &["y"]);
    world.upstream.script(&path, Script::status(500).times(1));
    assert!(serve(&world).await.ends_with("answered 500"));
    assert_eq!(serve(&world).await, CIRCUIT_OPEN);
    assert!(matches!(world.pull("hub/app", "v2").await.unwrap().served, Served::Miss));
    assert_eq!(serve(&world).await, "revalidated");
}

/// An upstream that refuses is alive: it is spared for this tag, and asked for others.
#[tokio::test]
async fn a_refused_tag_backs_off_as_long_as_the_upstream_says() {
    for (script, seconds) in
        [(Script::status(401), 30), (Script::status(403), 30), (Script::status(404), 30)]
    {
        let (world, _, path) = cached().await;
        world.clock.advance(TWO_DAYS);
        assert_eq!(serve(&world).await, "revalidated");
        push_image(&world.upstream, "app", Some("v2"), &["y"]);
        world.pull("hub/app", "v2").await.unwrap();
        world.clock.advance(TWO_DAYS);
        world.upstream.script(&path, script.clone().times(1));
        let first = serve(&world).await;
        assert!(first.starts_with("stale: ") && first != BACKOFF, "{script:?}: {first}");
        assert!(matches!(world.pull("hub/app", "v2").await.unwrap().served, Served::Revalidated));
        world.clock.advance(seconds * 1000 - 1);
        assert_eq!(serve(&world).await, BACKOFF, "{script:?}");
        assert_eq!(world.upstream.heads(&path), 2, "{script:?}");
        world.clock.advance(1);
        assert_eq!(serve(&world).await, "revalidated", "{script:?}");
    }
}

/// Nobody waits longer than the deadline, and who comes later finds what the wait was for.
#[tokio::test]
async fn a_late_answer_is_not_lost() {
    let mut setup = Setup::new();
    setup.settings.stale_deadline = Duration::from_millis(50);
    let (world, _, path) = cached_in(setup).await;
    world.clock.advance(TWO_DAYS);
    let gate = Gate::shut();
    world.upstream.script(&path, Script::new().hold(&gate));
    assert_eq!(serve(&world).await, "stale: the upstream did not answer in time");
    gate.open();
    until("the answer is taken in", || async { serve(&world).await == "hit" }).await;
    assert_eq!(world.upstream.heads(&path), 1);
}

#[tokio::test]
async fn a_cached_tag_outlives_the_secret_of_its_rule() {
    let world = Setup::new().world().await;
    let arn = world.credentials("hub-secret", "alice", "wonder").await;
    world.upstream.require_basic("alice", "wonder");
    world.rule("hub", |rule| rule.credential_arn = Some(arn.clone())).await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    world.fills_ended(1).await;
    let forced = DeleteSecret { force: true, recovery_window_days: None };
    world.registry.delete_secret(&world.caller, &arn, forced).await.unwrap();
    world.clock.advance(TWO_DAYS);
    world.upstream.forget_requests();

    let pulled = world.pull("hub/app", "v1").await.unwrap();
    let Served::Stale(reason) = &pulled.served else { panic!("{:?}", pulled.served) };
    assert!(matches!(reason.credentials(), Some(SecretError::NotFound { .. })), "{reason:?}");
    assert_eq!(&world.blob("hub/app", &image.layers[0]).await.unwrap()[..], b"layer");
    for error in [
        world.pull("hub/app", "v2").await.unwrap_err(),
        world.pull("hub/app", image.config.as_str()).await.unwrap_err(),
        world.open("hub/app", &image.config).await.unwrap_err(),
        world.stat_blob("hub/app", &image.config).await.unwrap_err(),
    ] {
        let PullError::Credentials { prefix, source } = error else { panic!("{error:?}") };
        assert_eq!(prefix, "hub");
        assert!(matches!(*source, SecretError::NotFound { .. }), "{source:?}");
    }
    assert!(world.upstream.requests().is_empty());
}

/// What a secret holds is read when it is used.
#[tokio::test]
async fn a_secret_of_the_wrong_shape_is_found_out_by_the_pull() {
    let world = Setup::new().world().await;
    for (number, value) in
        [r#"{"username":"u"}"#, r#"["u","t"]"#, "u:t", "", r#"{"username":1,"accessToken":"t"}"#]
            .iter()
            .enumerate()
    {
        let create = crate::world::new_secret(&format!("s{number}"), Some(value));
        let arn = world.registry.create_secret(&world.caller, create).await.unwrap().arn;
        let prefix = format!("hub{number}");
        world.rule(&prefix, |rule| rule.credential_arn = Some(arn)).await;
        let error = world.pull(&format!("{prefix}/app"), "v1").await.unwrap_err();
        let PullError::Credentials { source, .. } = error else { panic!("{value}: {error:?}") };
        assert!(matches!(*source, SecretError::Unusable { .. }), "{value}: {source:?}");
        assert!(!source.to_string().contains(value) || value.is_empty(), "{source}");
    }
    assert!(world.upstream.requests().is_empty());
}

/// Whoever corrects a secret or a rule sees at once what comes of it.
#[tokio::test]
async fn a_refusal_ends_with_what_was_refused() {
    let world = Setup::new().world().await;
    let arn = world.credentials("hub-secret", "alice", "wrong").await;
    let rule = world.rule("hub", |rule| rule.credential_arn = Some(arn.clone())).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.clock.advance(TWO_DAYS);
    world.upstream.require_basic("alice", "wonder");
    let stale = serve(&world).await;
    assert!(stale.starts_with("stale: ") && stale != BACKOFF, "{stale}");
    assert_eq!(serve(&world).await, BACKOFF);
    let put = |token: &str| {
        let value = format!(r#"{{"username":"alice","accessToken":"{token}"}}"#);
        let value = SecretValue::Text(value.as_str().into());
        let put = PutSecretValue { client_request_token: None, value, stages: None };
        world.registry.put_secret_value(&world.caller, "hub-secret", put)
    };
    put("still wrong").await.unwrap();
    let stale = serve(&world).await;
    assert!(stale.starts_with("stale: ") && stale != BACKOFF, "{stale}");
    assert_eq!(serve(&world).await, BACKOFF);
    put("wonder").await.unwrap();
    assert_eq!(serve(&world).await, "revalidated");

    // A rule that is given another secret.
    world.clock.advance(TWO_DAYS);
    let other = world.credentials("other-secret", "bob", "builder").await;
    let update =
        |arn: &str| RuleCredentials { credential_arn: Some(arn.to_owned()), custom_role_arn: None };
    let prefix = &rule.rule.ecr_repository_prefix.to_string();
    world.registry.update_rule(&world.caller, prefix, update(&other)).await.unwrap();
    assert!(serve(&world).await.starts_with("stale: "));
    assert_eq!(serve(&world).await, BACKOFF);
    world.registry.update_rule(&world.caller, prefix, update(&arn)).await.unwrap();
    assert_eq!(serve(&world).await, "revalidated");
}

/// A 503 that says when to come back is believed.
#[tokio::test]
async fn an_upstream_that_wants_to_be_left_alone_is() {
    let (world, _, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    world.upstream.script(&path, Script::status(503).retry_after("120").times(1));
    assert!(serve(&world).await.ends_with("answered 503"));
    world.clock.advance(119_999);
    assert_eq!(serve(&world).await, CIRCUIT_OPEN);
    assert_eq!(world.upstream.heads(&path), 1);
    world.clock.advance(1);
    assert_eq!(serve(&world).await, CIRCUIT_OPEN);
    until("the probe has closed the circuit", || async { serve(&world).await == "hit" }).await;
}

/// A circle is about who asks: the next one asks for himself, and nobody is taken for dead.
#[tokio::test]
async fn a_circle_is_not_held_against_a_tag() {
    let (world, _, path) = cached().await;
    world.clock.advance(TWO_DAYS);
    world.upstream.script(&path, Script::status(508).times(2));
    for heads in 1..3 {
        assert!(serve(&world).await.contains("leads in a circle"));
        assert_eq!(world.upstream.heads(&path), heads);
    }
    assert_eq!(serve(&world).await, "revalidated");
}

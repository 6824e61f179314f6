//! Rules as people change and try them.

use std::sync::Arc;

use metadata::{AccountId, RuleCredentials};
use registry::{
    Caller, DeleteSecret, Principal, RuleError, RuleFailure, SecretError, Served, StaleReason,
};
use testkit::{Script, ScriptedUpstream, Tokens};
use upstream::Error;

use crate::{
    images::push_image,
    world::{BEGINNING, REGION, Setup, World, new_secret, registry_id, root, within},
};

/// Long enough to be past every freshness window.
const TWO_DAYS: i64 = 2 * 24 * 60 * 60 * 1000;
const ROLE: &str = "arn:aws:iam::000000000000:role/pull";

fn secret(arn: &str) -> RuleCredentials {
    RuleCredentials { credential_arn: Some(arn.to_owned()), custom_role_arn: None }
}

fn role(arn: &str) -> RuleCredentials {
    RuleCredentials { credential_arn: None, custom_role_arn: Some(arn.to_owned()) }
}

async fn update_error(world: &World, prefix: &str, credentials: RuleCredentials) -> RuleError {
    world.registry.update_rule(&world.caller, prefix, credentials).await.unwrap_err()
}

async fn failure(world: &World, prefix: &str) -> Option<RuleFailure> {
    within(world.registry.validate_rule(&world.caller, prefix)).await.unwrap().failure
}

async fn is_valid(world: &World, prefix: &str) -> bool {
    failure(world, prefix).await.is_none()
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_takes_effect_at_once() {
    let world = Setup::new().world().await;
    world.upstream.require_basic("u", "new");
    let old = world.credentials("old", "u", "old").await;
    let new = world.credentials("new", "u", "new").await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    let prefix = Some("ROOT".to_owned());
    let made = world
        .rule("hub/", |rule| {
            rule.credential_arn = Some(old.clone());
            rule.upstream_repository_prefix = prefix;
            rule.upstream_registry = Some("My Own".to_owned());
        })
        .await;
    assert!(world.pull("hub/app", "v1").await.is_err());

    world.clock.advance(5000);
    let with_role = world.registry.update_rule(&world.caller, "hub", role(ROLE)).await.unwrap();
    world.clock.advance(5000);
    let updated = world.registry.update_rule(&world.caller, "hub/", secret(&new)).await.unwrap();

    assert_eq!(with_role.rule.credentials.credential_arn, Some(old));
    let mut expected = made;
    expected.rule.credentials =
        RuleCredentials { credential_arn: Some(new), custom_role_arn: Some(ROLE.to_owned()) };
    expected.rule.updated_at.0 = BEGINNING + 10_000;
    assert_eq!(updated, expected);
    let page = metadata::PageRequest::first(10);
    let listed = world.registry.rules(&world.caller, &[], &page).await.unwrap().items;
    assert_eq!(listed, [expected]);
    world.pull("hub/app", "v1").await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_an_update_is_named_and_changes_nothing() {
    let mut setup = Setup::new();
    setup.declare(REGION, "declared", "quay.io");
    let world = setup.world().await.and_hub().await;
    let arn = world.credentials("here", "u", "t").await;
    let elsewhere = world
        .registry
        .create_secret(&root("eu-west-1"), new_secret("there", Some("x")))
        .await
        .unwrap()
        .arn;
    for prefix in ["hub", "declared", "none"] {
        let error = update_error(&world, prefix, RuleCredentials::default()).await;
        assert!(matches!(error, RuleError::NothingToUpdate), "{error:?}");
    }
    let error = update_error(&world, "none", secret(&arn)).await;
    assert!(matches!(&error, RuleError::NotFound { prefix, .. } if prefix == "none"), "{error:?}");
    let error = update_error(&world, "declared/", secret(&arn)).await;
    let RuleError::Declared { source_name, .. } = &error else { panic!("{error:?}") };
    assert_eq!(source_name, "--rule");
    let missing = arn.replace("here", "gone");
    for absent in [&missing, &elsewhere] {
        let error = update_error(&world, "hub", secret(absent)).await;
        let is_absent = matches!(error, RuleError::Secret(SecretError::NotFound { .. }));
        assert!(is_absent, "{error:?}");
    }
    for (prefix, credentials, wrong) in [
        ("Hub", secret(&arn), "ecrRepositoryPrefix"),
        ("hub", secret("no-arn"), "credentialArn"),
        ("hub", secret(""), "credentialArn"),
        ("hub", role("no-arn"), "customRoleArn"),
        ("hub", role(&format!("arn:{}", "x".repeat(2045))), "customRoleArn"),
        // One that is wrong keeps the other from being set.
        (
            "hub",
            RuleCredentials { custom_role_arn: Some("x".into()), ..secret(&arn) },
            "customRoleArn",
        ),
    ] {
        let error = update_error(&world, prefix, credentials).await;
        let RuleError::Invalid { field, .. } = error else { panic!("{error:?}") };
        assert_eq!(field, wrong);
    }
    let page = metadata::PageRequest::first(10);
    let hub = ["hub".to_owned()];
    let kept = world.registry.rules(&world.caller, &hub, &page).await.unwrap().items.remove(0);
    assert_eq!(kept.rule.credentials, RuleCredentials::default());
    assert_eq!(kept.rule.updated_at, kept.rule.created_at);
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn strict_updates_are_held_to_ecrs_constraints() {
    let mut setup = Setup::new();
    setup.settings.strict_ecr = true;
    let world = setup.world().await;
    let arn = world.credentials("ecr-pullthroughcache/x", "u", "t").await;
    let other = world.credentials("other", "u", "t").await;
    let new = registry::NewRule {
        ecr_repository_prefix: "hub".to_owned(),
        upstream_registry_url: "registry-1.docker.io".to_owned(),
        credential_arn: Some(arn.clone()),
        ..registry::NewRule::default()
    };
    world.registry.create_rule(&world.caller, new).await.unwrap();
    for (credentials, wrong) in [
        (secret(&other), "credentialArn"),
        (role("arn:aws:iam::999999999999:role/x"), "customRoleArn"),
    ] {
        let error = update_error(&world, "hub", credentials).await;
        let RuleError::Invalid { field, .. } = error else { panic!("{error:?}") };
        assert_eq!(field, wrong);
    }
    let updated = world.registry.update_rule(&world.caller, "hub", role(ROLE)).await.unwrap();
    assert_eq!(updated.rule.credentials.custom_role_arn.as_deref(), Some(ROLE));
}

#[tokio::test]
async fn strangers_neither_update_nor_validate() {
    let mut setup = Setup::new();
    setup.settings.anonymous_pull = true;
    let world = setup.world().await.and_hub().await;
    let account = AccountId::parse("111122223333").unwrap();
    let stranger = Principal::Root { account, access_key_id: "AKIA".to_owned() };
    for principal in [stranger, Principal::Anonymous] {
        let caller = Caller { registry: registry_id(REGION), principal };
        let updated = world.registry.update_rule(&caller, "hub", role(ROLE)).await;
        assert!(matches!(updated, Err(RuleError::Denied(_))), "{updated:?}");
        let validated = world.registry.validate_rule(&caller, "hub").await;
        assert!(matches!(validated, Err(RuleError::Denied(_))), "{validated:?}");
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_rule_without_credentials_is_valid_where_its_upstream_is_open() {
    let upstream = ScriptedUpstream::start().await;
    let mut setup = Setup::new();
    setup.declare(REGION, "declared", &upstream.url());
    let world = setup.world_on(upstream).await.and_hub().await;
    assert!(is_valid(&world, "hub/").await);
    assert!(is_valid(&world, "declared").await);
    assert_eq!(world.upstream.gets("/v2/"), 2);
    let missing = world.registry.validate_rule(&world.caller, "none").await;
    assert!(matches!(missing, Err(RuleError::NotFound { .. })), "{missing:?}");
    let invalid = world.registry.validate_rule(&world.caller, "No").await;
    assert!(matches!(invalid, Err(RuleError::Invalid { .. })), "{invalid:?}");

    world.upstream.require_basic("u", "t");
    let found = failure(&world, "hub").await;
    let wants = matches!(found, Some(RuleFailure::Upstream(Error::Unauthorized { .. })));
    assert!(wants, "{found:?}");
}

#[tokio::test]
async fn credentials_are_tried_each_time() {
    let world = Setup::new().world().await;
    let good = world.credentials("good", "u", "t").await;
    let wrong = world.credentials("wrong", "u", "not-t").await;
    world.rule("good", |rule| rule.credential_arn = Some(good)).await;
    world.rule("wrong", |rule| rule.credential_arn = Some(wrong)).await;
    let tokens = Arc::new(Tokens::only("u", "t"));
    for with_tokens in [false, true] {
        if with_tokens {
            world.upstream.require_token(&tokens);
        } else {
            world.upstream.require_basic("u", "t");
        }
        assert!(is_valid(&world, "good").await);
        let found = failure(&world, "wrong").await;
        let refused = matches!(found, Some(RuleFailure::Upstream(Error::Unauthorized { .. })));
        assert!(refused, "{found:?}");
    }
    // A token of earlier would hide that a password is not good any more.
    assert_eq!(tokens.issued(), 1);
    assert!(is_valid(&world, "good").await);
    assert_eq!(tokens.issued(), 2);
}

#[tokio::test]
async fn a_secret_that_cannot_be_used_is_told_and_its_upstream_left_alone() {
    let world = Setup::new().world().await;
    let create = |name: &str, value: Option<&str>| {
        let create = new_secret(name, value);
        async { world.registry.create_secret(&world.caller, create).await.unwrap().arn }
    };
    let rule = |prefix: &'static str, arn: String| {
        let world = &world;
        async move {
            world.rule(prefix, |rule| rule.credential_arn = Some(arn)).await;
        }
    };
    rule("not-json", create("not-json", Some("test")).await).await;
    rule("no-token", create("no-token", Some(r#"{"username":"u"}"#)).await).await;
    rule("number", create("number", Some(r#"{"username":"u","accessToken":1}"#)).await).await;
    rule("empty", create("empty", None).await).await;
    for prefix in ["gone", "marked"] {
        rule(prefix, world.credentials(prefix, "u", "t").await).await;
        let delete = DeleteSecret { force: prefix == "gone", recovery_window_days: None };
        world.registry.delete_secret(&world.caller, prefix, delete).await.unwrap();
    }
    for prefix in ["not-json", "no-token", "number", "empty", "gone", "marked"] {
        let found = failure(&world, prefix).await;
        let Some(RuleFailure::Secret(error)) = found else { panic!("{prefix}: {found:?}") };
        let told = match prefix {
            "empty" => matches!(error, SecretError::VersionNotFound { .. }),
            "gone" => matches!(error, SecretError::NotFound { .. }),
            "marked" => matches!(error, SecretError::ScheduledForDeletion { .. }),
            _ => matches!(error, SecretError::Unusable { .. }),
        };
        assert!(told, "{prefix}: {error:?}");
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn an_upstream_in_trouble_is_told_and_its_circuit_learns_of_it() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();

    world.clock.advance(TWO_DAYS);
    world.upstream.stop().await;
    let found = failure(&world, "hub").await;
    let unreachable = matches!(found, Some(RuleFailure::Upstream(Error::Transport { .. })));
    assert!(unreachable, "{found:?}");
    let served = world.pull("hub/app", "v1").await.unwrap().served;
    assert!(matches!(served, Served::Stale(StaleReason::CircuitOpen)), "{served:?}");

    world.upstream.restart().await;
    assert!(is_valid(&world, "hub").await);
    let served = world.pull("hub/app", "v1").await.unwrap().served;
    assert!(!matches!(served, Served::Stale(_)), "{served:?}");

    // A refusal shows that the upstream is alive.
    world.clock.advance(TWO_DAYS);
    for (script, status) in [(Script::status(429), 429), (Script::status(403), 403)] {
        world.upstream.script("/v2/", script);
        let found = failure(&world, "hub").await;
        let told = match &found {
            Some(RuleFailure::Upstream(Error::RateLimited { .. })) => 429,
            Some(RuleFailure::Upstream(Error::Denied { .. })) => 403,
            _ => panic!("{found:?}"),
        };
        assert_eq!(told, status);
    }
    let served = world.pull("hub/app", "v1").await.unwrap().served;
    assert!(!matches!(served, Served::Stale(_)), "{served:?}");
}

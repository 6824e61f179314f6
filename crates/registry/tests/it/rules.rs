//! Rules as people make, list and remove them, in the extended mode.

use std::sync::Arc;

use metadata::PageRequest;
use registry::{DeleteSecret, NewRule, PullError, RuleError, RuleSource, SecretError, StartError};

use crate::{
    images::push_image,
    world::{REGION, Setup, World, new_secret, registry_id, root},
};

fn rule(prefix: &str, url: &str) -> NewRule {
    NewRule {
        ecr_repository_prefix: prefix.to_owned(),
        upstream_registry_url: url.to_owned(),
        ..NewRule::default()
    }
}

/// Lists rules: prefixes as typed, and whether more follow.
async fn list(
    world: &World,
    prefixes: &[&str],
    page: PageRequest,
) -> (Vec<String>, Option<String>) {
    let prefixes: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
    let found = world.registry.rules(&world.caller, &prefixes, &page).await.unwrap();
    let typed = |view: registry::RuleView| view.rule.ecr_repository_prefix.to_string();
    (found.items.into_iter().map(typed).collect(), found.next)
}

#[tokio::test]
async fn a_rule_is_echoed_as_typed_and_what_is_absent_stays_absent() {
    let world = Setup::new().world().await;
    let arn = world.credentials("any-name", "u", "t").await;
    let partial = arn.rsplit_once('-').unwrap().0.to_owned();
    for (new, kind) in [
        (rule("plain", "registry.example.com:5000"), None),
        (rule("slash/", "https://Registry-1.docker.io/"), Some("docker-hub")),
        (rule("alias", "docker.io"), Some("docker-hub")),
        (rule("team/ecr", "111122223333.dkr.ecr.eu-west-1.amazonaws.com"), Some("ecr")),
        (rule("ROOT", "quay.io"), Some("quay")),
        (
            NewRule { upstream_registry: Some("My Own".into()), ..rule("own", "ghcr.io") },
            Some("My Own"),
        ),
        (
            NewRule {
                upstream_repository_prefix: Some("lib/".into()),
                credential_arn: Some(partial.clone()),
                custom_role_arn: Some("arn:aws:iam::999999999999:role/x".into()),
                ..rule("full", "cgr.dev")
            },
            Some("chainguard"),
        ),
    ] {
        let created = world.registry.create_rule(&world.caller, new.clone()).await.unwrap();
        let name = [new.ecr_repository_prefix.clone()];
        let page = PageRequest::first(10);
        let listed = world.registry.rules(&world.caller, &name, &page).await.unwrap().items;
        assert_eq!(listed, std::slice::from_ref(&created));
        let deleted = world.registry.delete_rule(&world.caller, &name[0]).await.unwrap();
        assert_eq!(deleted, created);
        assert_eq!(created.upstream_registry.as_deref(), kind, "{}", name[0]);
        assert_eq!(created.source, RuleSource::Stored);
        let echoed = created.rule;
        assert_eq!(echoed.ecr_repository_prefix.as_str(), new.ecr_repository_prefix);
        assert_eq!(echoed.upstream_registry_url, new.upstream_registry_url);
        assert_eq!(echoed.upstream_registry, new.upstream_registry);
        let prefix = echoed.upstream_repository_prefix.map(|prefix| prefix.to_string());
        assert_eq!(prefix, new.upstream_repository_prefix);
        assert_eq!(echoed.credentials.credential_arn, new.credential_arn);
        assert_eq!(echoed.credentials.custom_role_arn, new.custom_role_arn);
        assert_eq!((echoed.created_at, echoed.updated_at), (world.now(), world.now()));
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn with_and_without_a_slash_it_is_one_prefix() {
    let world = Setup::new().world().await;
    for (first, second) in [("quay", "quay/"), ("quay/", "quay"), ("quay", "quay")] {
        world.registry.create_rule(&world.caller, rule(first, "quay.io")).await.unwrap();
        let again = world.registry.create_rule(&world.caller, rule(second, "ghcr.io")).await;
        let Err(RuleError::AlreadyExists { prefix, .. }) = &again else { panic!("{again:?}") };
        assert_eq!(prefix, second);
        assert_eq!(list(&world, &[second], PageRequest::first(9)).await.0, [first]);
        let deleted = world.registry.delete_rule(&world.caller, second).await.unwrap();
        assert_eq!(deleted.rule.ecr_repository_prefix.as_str(), first);
        let gone = world.registry.delete_rule(&world.caller, first).await;
        assert!(matches!(gone, Err(RuleError::NotFound { .. })), "{gone:?}");
    }
}

#[tokio::test]
async fn rules_are_listed_by_prefix_in_pages() {
    let mut setup = Setup::new();
    setup.declare(REGION, "c-declared", "quay.io");
    let world = setup.world().await;
    for prefix in ["e", "b/x", "a", "d/"].map(|name| format!("a{name}")) {
        world.registry.create_rule(&world.caller, rule(&prefix, "quay.io")).await.unwrap();
    }
    world.registry.create_rule(&root("eu-west-1"), rule("elsewhere", "quay.io")).await.unwrap();

    let all = ["aa", "ab/x", "ad/", "ae", "c-declared"];
    let page = |after: Option<String>, limit| PageRequest { after, limit };
    assert_eq!(list(&world, &[], page(None, 5)).await, (all.map(String::from).to_vec(), None));
    let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let (items, next) = list(&world, &[], page(after.take(), 2)).await;
        seen.extend(items);
        pages += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (all.map(String::from).to_vec(), 3));
    let named = ["ae", "c-declared/", "aa"];
    let (items, next) = list(&world, &named, page(None, 2)).await;
    assert_eq!(items, ["aa", "ae"]);
    assert_eq!(list(&world, &named, page(next, 2)).await, (vec!["c-declared".to_owned()], None));

    let unknown = ["aa", "elsewhere"].map(String::from);
    let found = world.registry.rules(&world.caller, &unknown, &page(None, 9)).await;
    let Err(RuleError::NotFound { prefix, registry }) = found else { panic!("{found:?}") };
    assert_eq!((prefix.as_str(), registry), ("elsewhere", registry_id(REGION)));
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_is_named() {
    let world = Setup::new().world().await;
    let with = |change: fn(&mut NewRule)| {
        let mut new = rule("good", "registry.example.com");
        change(&mut new);
        new
    };
    for (new, field) in [
        (rule("a", "quay.io"), "ecrRepositoryPrefix"),
        (rule("UPPER", "quay.io"), "ecrRepositoryPrefix"),
        (rule("ROOT/", "quay.io"), "ecrRepositoryPrefix"),
        (rule(&"a".repeat(31), "quay.io"), "ecrRepositoryPrefix"),
        (
            with(|new| new.upstream_repository_prefix = Some("x//y".into())),
            "upstreamRepositoryPrefix",
        ),
        (
            with(|new| new.upstream_repository_prefix = Some(String::new())),
            "upstreamRepositoryPrefix",
        ),
        (with(|new| new.credential_arn = Some("not-an-arn".into())), "credentialArn"),
        (with(|new| new.credential_arn = Some("arn:aws:iam::0:role/x".into())), "credentialArn"),
        (with(|new| new.custom_role_arn = Some("role/x".into())), "customRoleArn"),
        (with(|new| new.custom_role_arn = Some("arn:".repeat(600))), "customRoleArn"),
    ] {
        let made = world.registry.create_rule(&world.caller, new).await;
        let Err(RuleError::Invalid { field: named, .. }) = &made else { panic!("{made:?}") };
        assert_eq!(*named, field);
    }
    for url in ["", "quay.io/path", "ftp://quay.io", "http://quay.io", "https://u:p@quay.io", "a b"]
    {
        let made = world.registry.create_rule(&world.caller, rule("good", url)).await;
        assert!(matches!(made, Err(RuleError::UnsupportedUpstream { .. })), "{url}: {made:?}");
    }
    assert_eq!(list(&world, &[], PageRequest::first(9)).await.0, [""; 0]);
}

#[tokio::test]
async fn the_secret_of_a_rule_has_to_be_there() {
    let world = Setup::new().world().await;
    let arn = world.credentials("here", "u", "t").await;
    let partial = arn.rsplit_once('-').unwrap().0;
    let create = new_secret("empty", None);
    let empty = world.registry.create_secret(&world.caller, create).await.unwrap().arn;
    let elsewhere = root("eu-west-1");
    let create = new_secret("there", Some("x"));
    let there = world.registry.create_secret(&elsewhere, create).await.unwrap().arn;
    let doomed = world.credentials("doomed", "u", "t").await;
    world.registry.delete_secret(&world.caller, &doomed, DeleteSecret::default()).await.unwrap();

    for (arn, problem) in [
        (arn.as_str(), ""),
        (partial, ""),
        (&empty, ""),
        (&there, "not found"),
        (&arn.replace("000000000000", "111122223333"), "not found"),
        (&arn.replace(REGION, "eu-west-1"), "not found"),
        (&format!("{partial}-AAAAAA"), "not found"),
        (&format!("{partial}x"), "not found"),
        (&doomed, "scheduled"),
    ] {
        let new = NewRule { credential_arn: Some(arn.to_owned()), ..rule("hub", "ghcr.io") };
        let made = world.registry.create_rule(&world.caller, new).await;
        let found = match &made {
            Ok(_) => "",
            Err(RuleError::Secret(SecretError::NotFound { .. })) => "not found",
            Err(RuleError::Secret(SecretError::ScheduledForDeletion { .. })) => "scheduled",
            Err(_) => "other",
        };
        assert_eq!(found, problem, "{arn}: {made:?}");
        if made.is_ok() {
            world.registry.delete_rule(&world.caller, "hub").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_registry_has_as_many_rules_as_it_may() {
    let mut setup = Setup::new();
    setup.settings.rules_max = Some(2);
    let world = setup.world().await;
    let elsewhere = root("eu-west-1");
    let create = async |caller, prefix: &str| {
        world.registry.create_rule(caller, rule(prefix, "quay.io")).await.map(drop)
    };
    create(&world.caller, "one").await.unwrap();
    create(&world.caller, "two").await.unwrap();
    let third = create(&world.caller, "three").await;
    assert!(matches!(third, Err(RuleError::LimitExceeded { limit: 2 })), "{third:?}");
    create(&elsewhere, "three").await.unwrap();
    world.registry.delete_rule(&world.caller, "one").await.unwrap();
    create(&world.caller, "three").await.unwrap();
}

#[tokio::test]
async fn no_rule_leads_back_to_its_own_registry() {
    let mut setup = Setup::new();
    setup.settings.own_hosts = vec!["cistern.example".into(), "localhost:5000".into()];
    let world = setup.world().await;
    for (url, refused) in [
        ("cistern.example", true),
        ("https://Cistern.example:443/", true),
        ("cistern.example:5000", false),
        ("http://localhost:5000", true),
        ("http://localhost:5001", false),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com", true),
        ("dkr.ecr.us-east-1.amazonaws.com", true),
        ("000000000000.dkr.ecr.eu-west-1.amazonaws.com", false),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com", false),
    ] {
        let made = world.registry.create_rule(&world.caller, rule("loop", url)).await;
        assert_eq!(made.is_err(), refused, "{url}: {made:?}");
        match made {
            Ok(_) => drop(world.registry.delete_rule(&world.caller, "loop").await.unwrap()),
            Err(RuleError::UnsupportedUpstream { .. }) => {}
            Err(other) => panic!("{url}: {other}"),
        }
    }
}

#[tokio::test]
async fn a_removed_rule_brings_nothing_more() {
    let world = World::with_hub().await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.registry.delete_rule(&world.caller, "hub").await.unwrap();
    let pulled = world.pull("hub/app", "v1").await;
    assert!(matches!(pulled, Err(PullError::NameUnknown { .. })), "{pulled:?}");
    world.rule("hub/", |_| {}).await;
    world.pull("hub/app", "v1").await.unwrap();
}

#[tokio::test]
async fn a_declared_rule_works_and_is_changed_only_where_it_is_declared() {
    let upstream = testkit::ScriptedUpstream::start().await;
    let mut setup = Setup::new();
    setup.declare(REGION, "hub/", &upstream.url());
    let world = setup.world_on(upstream).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    world.pull("hub/app", "v1").await.unwrap();

    let page = PageRequest::first(9);
    let listed = world.registry.rules(&world.caller, &[], &page).await.unwrap().items;
    assert_eq!(listed[0].source, RuleSource::Declared("--rule".to_owned()));
    assert_eq!(listed[0].rule.ecr_repository_prefix.as_str(), "hub/");
    for prefix in ["hub", "hub/"] {
        let deleted = world.registry.delete_rule(&world.caller, prefix).await;
        let Err(RuleError::Declared { source_name, .. }) = &deleted else { panic!("{deleted:?}") };
        assert_eq!(source_name, "--rule");
        let made = world.registry.create_rule(&world.caller, rule(prefix, "quay.io")).await;
        assert!(matches!(made, Err(RuleError::AlreadyExists { .. })), "{made:?}");
    }
    // In another region it says nothing.
    world.registry.create_rule(&root("eu-west-1"), rule("hub", "quay.io")).await.unwrap();
}

#[tokio::test]
async fn declared_rules_are_checked_at_the_start() {
    let stored = Setup::new().world().await;
    stored.registry.create_rule(&stored.caller, rule("hub", "quay.io")).await.unwrap();
    let start = async |declared: &[(&str, &str, &str)]| {
        let mut setup = Setup::new();
        setup.metadata = Arc::clone(&stored.setup.metadata);
        setup.keyring = Arc::clone(&stored.setup.keyring);
        setup.settings.own_hosts = vec!["cistern.example".into()];
        for (region, prefix, url) in declared {
            setup.declare(region, prefix, url);
        }
        setup.try_start().await.map(drop).map_err(|error| match &error {
            StartError::ContradictingRule { .. } => "contradicts",
            StartError::DeclaredTwice { .. } => "twice",
            StartError::InvalidRule { .. } => "invalid",
            _ => "other",
        })
    };
    type Declared<'a> = (&'a str, &'a str, &'a str);
    let cases: &[(&[Declared<'_>], _)] = &[
        (&[(REGION, "hub", "quay.io")], Ok(())),
        (&[(REGION, "hub/", "quay.io")], Ok(())),
        (&[("eu-west-1", "hub", "ghcr.io")], Ok(())),
        (&[(REGION, "hub", "ghcr.io")], Err("contradicts")),
        (&[(REGION, "new", "ghcr.io"), (REGION, "new/", "ghcr.io")], Err("twice")),
        (&[(REGION, "new", "ghcr.io"), ("eu-west-1", "new", "ghcr.io")], Ok(())),
        (&[(REGION, "new", "ghcr.io/path")], Err("invalid")),
        (&[(REGION, "new", "http://ghcr.io")], Err("invalid")),
        (&[(REGION, "new", "cistern.example")], Err("invalid")),
        (&[(REGION, "new", "dkr.ecr.us-east-1.amazonaws.com")], Err("invalid")),
    ];
    for (declared, expected) in cases {
        assert_eq!(start(declared).await, *expected, "{declared:?}");
    }
}

//! Rules in strict mode: exactly ECR's constraints.

use registry::{NewRule, RuleError};

use crate::world::{Setup, World};

fn rule(url: &str) -> NewRule {
    NewRule {
        ecr_repository_prefix: "prefix".to_owned(),
        upstream_registry_url: url.to_owned(),
        ..NewRule::default()
    }
}

/// Makes a rule, removes it again, and shows in a word what came of it.
async fn outcome(world: &World, new: NewRule) -> &'static str {
    match world.registry.create_rule(&world.caller, new.clone()).await {
        Ok(_) => {
            let prefix = &new.ecr_repository_prefix;
            world.registry.delete_rule(&world.caller, prefix).await.unwrap();
            "made"
        }
        Err(RuleError::UnsupportedUpstream { .. }) => "unsupported",
        Err(RuleError::CredentialsRequired { .. }) => "credentials required",
        Err(RuleError::KindMismatch { .. }) => "another kind",
        Err(RuleError::Invalid { field, .. }) => field,
        Err(_) => "other",
    }
}

async fn strict() -> World {
    let mut setup = Setup::new();
    setup.settings.strict_ecr = true;
    setup.world().await
}

/// ECR user guide, "Upstream registries": which there are, and which want credentials.
#[tokio::test]
async fn the_table_of_upstreams() {
    let (world, extended) = (strict().await, Setup::new().world().await);
    let arn = world.credentials("ecr-pullthroughcache/any", "u", "t").await;
    for (url, without, with) in [
        ("public.ecr.aws", "made", "made"),
        ("registry.k8s.io", "made", "made"),
        ("quay.io", "made", "made"),
        ("000000000000.dkr.ecr.eu-west-1.amazonaws.com", "made", "made"),
        ("dkr.ecr.eu-west-1.amazonaws.com", "made", "made"),
        ("registry-1.docker.io", "credentials required", "made"),
        ("ghcr.io", "credentials required", "made"),
        ("registry.gitlab.com", "credentials required", "made"),
        ("cgr.dev", "credentials required", "made"),
        ("team.azurecr.io", "credentials required", "made"),
        ("docker.io", "unsupported", "unsupported"),
        ("index.docker.io", "unsupported", "unsupported"),
        ("https://quay.io", "unsupported", "unsupported"),
        ("quay.io/", "unsupported", "unsupported"),
        ("quay.io:443", "unsupported", "unsupported"),
        ("Quay.io", "unsupported", "unsupported"),
        ("cgr.dev/chainguard", "unsupported", "unsupported"),
        ("azurecr.io", "unsupported", "unsupported"),
        ("harbor.example.com", "unsupported", "unsupported"),
        ("gitlab.example.com", "unsupported", "unsupported"),
        ("000000000000.dkr.ecr.us-east-1.amazonaws.com", "unsupported", "unsupported"),
    ] {
        assert_eq!(outcome(&world, rule(url)).await, without, "{url}");
        let new = NewRule { credential_arn: Some(arn.clone()), ..rule(url) };
        assert_eq!(outcome(&world, new).await, with, "{url} with credentials");
        let reachable = url != "cgr.dev/chainguard" && !url.contains("us-east-1");
        let expected = if reachable { "made" } else { "unsupported" };
        assert_eq!(outcome(&extended, rule(url)).await, expected, "{url}, extended");
    }
}

#[tokio::test]
async fn the_kind_has_to_fit_the_address() {
    let (world, extended) = (strict().await, Setup::new().world().await);
    for (kind, expected) in [
        ("quay", "made"),
        ("docker-hub", "another kind"),
        ("Quay", "upstreamRegistry"),
        ("my-upstream-registry", "upstreamRegistry"),
        ("", "upstreamRegistry"),
    ] {
        let new = NewRule { upstream_registry: Some(kind.to_owned()), ..rule("quay.io") };
        assert_eq!(outcome(&world, new.clone()).await, expected, "{kind}");
        assert_eq!(outcome(&extended, new).await, "made", "{kind}, extended");
    }
}

#[tokio::test]
async fn secrets_are_named_as_ecr_wants() {
    let (world, extended) = (strict().await, Setup::new().world().await);
    for (name, expected) in [
        ("ecr-pullthroughcache/hub", "made"),
        ("ecr-pullthroughcache/a/b_c+d=e.f@g-h", "made"),
        ("ecr-pullthroughcache", "credentialArn"),
        ("ecr-pullthroughcache-hub", "credentialArn"),
        ("hub", "credentialArn"),
        ("team/ecr-pullthroughcache/hub", "credentialArn"),
    ] {
        for (world, expected) in [(&world, expected), (&extended, "made")] {
            let arn = world.credentials(name, "u", "t").await;
            let new = NewRule { credential_arn: Some(arn), ..rule("ghcr.io") };
            assert_eq!(outcome(world, new).await, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_role_is_of_the_registrys_account_and_needed_across_accounts() {
    let (world, extended) = (strict().await, Setup::new().world().await);
    let (own, other) = ("arn:aws:iam::000000000000:role/r", "arn:aws:iam::111122223333:role/r");
    let (here, there) = (
        "000000000000.dkr.ecr.eu-west-1.amazonaws.com",
        "111122223333.dkr.ecr.us-east-1.amazonaws.com",
    );
    for (url, role, expected) in [
        (here, None, "made"),
        (here, Some(own), "made"),
        (here, Some(other), "customRoleArn"),
        (there, None, "customRoleArn"),
        (there, Some(own), "made"),
        (there, Some(other), "customRoleArn"),
        ("quay.io", Some(other), "customRoleArn"),
    ] {
        let new = NewRule { custom_role_arn: role.map(str::to_owned), ..rule(url) };
        assert_eq!(outcome(&world, new.clone()).await, expected, "{url} with {role:?}");
        assert_eq!(outcome(&extended, new).await, "made", "{url} with {role:?}, extended");
    }
}

#[tokio::test]
async fn root_is_not_narrowed() {
    let (world, extended) = (strict().await, Setup::new().world().await);
    for (prefix, upstream_prefix, expected) in [
        ("ROOT", "ROOT", "made"),
        ("ROOT", "lib", "upstreamRepositoryPrefix"),
        ("prefix", "lib", "made"),
        ("prefix", "ROOT", "made"),
    ] {
        let new = NewRule {
            ecr_repository_prefix: prefix.to_owned(),
            upstream_repository_prefix: Some(upstream_prefix.to_owned()),
            ..rule("quay.io")
        };
        assert_eq!(outcome(&world, new.clone()).await, expected, "{prefix} {upstream_prefix}");
        assert_eq!(outcome(&extended, new).await, "made", "{prefix} {upstream_prefix}");
    }
}

#[tokio::test]
async fn fifty_rules_and_not_one_more() {
    let world = strict().await;
    for number in 0..50 {
        let prefix = format!("prefix-{number}");
        let new = NewRule { ecr_repository_prefix: prefix, ..rule("quay.io") };
        world.registry.create_rule(&world.caller, new).await.unwrap();
    }
    let more = world.registry.create_rule(&world.caller, rule("quay.io")).await;
    assert!(matches!(more, Err(RuleError::LimitExceeded { limit: 50 })), "{more:?}");
}

//! Registries of one process as upstreams of one another.

use http::Method;
use metadata::{AccountId, PageRequest, RegistryId};
use registry::{Caller, NewRole, NewRule, Principal, PullError, RuleFailure, Served, UpdateRole};
use serde_json::json;
use testkit::{Gate, Script, ScriptedUpstream, blob_path, manifest_path};
use upstream::{Error, LoginFailure, Trail};

use crate::{
    images::{Image, push_image},
    world::{REGION, Setup, World, re, repository, root, within},
};

const OTHER: &str = "111122223333";
const WEST: &str = "eu-west-1";
const OTHER_HOST: &str = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const ROLE: &str = "arn:aws:iam::000000000000:role/cache";

fn other_root() -> Caller {
    let account = AccountId::parse(OTHER).unwrap();
    let registry = RegistryId { account: account.clone(), region: root(REGION).registry.region };
    Caller { registry, principal: Principal::Root { account, access_key_id: "AKIB".to_owned() } }
}

/// A world that serves two accounts; `rules` are the rules of each caller: prefix, upstream, and
/// prefix there.
async fn world(rules: &[(&Caller, &str, &str, Option<&str>)]) -> (World, Image) {
    let mut setup = Setup::new();
    setup.settings.accounts.push(AccountId::parse(OTHER).unwrap());
    let world = setup.world_on(ScriptedUpstream::start().await).await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    for (caller, prefix, url, there) in rules {
        let url = if url.is_empty() { world.upstream.url() } else { (*url).to_owned() };
        create(&world, caller, prefix, &url, *there, None).await;
    }
    (world, image)
}

async fn create(
    world: &World,
    caller: &Caller,
    prefix: &str,
    url: &str,
    there: Option<&str>,
    role: Option<&str>,
) {
    let new = NewRule {
        ecr_repository_prefix: prefix.to_owned(),
        upstream_registry_url: url.to_owned(),
        upstream_repository_prefix: there.map(str::to_owned),
        custom_role_arn: role.map(str::to_owned),
        ..NewRule::default()
    };
    world.registry.create_rule(caller, new).await.unwrap();
}

/// What came of asking the upstream for an image.
async fn refusal(world: &World, name: &str) -> String {
    match world.pull(name, "v1").await {
        Err(PullError::Upstream(error)) => match &*error {
            Error::Denied { reason, .. } => format!("denied: {reason}"),
            Error::Login { failure: LoginFailure::RoleRefused { reason, .. }, .. } => {
                format!("role: {reason}")
            }
            error => error.to_string(),
        },
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn another_region_is_reached_inside_the_process() {
    let west = root(WEST);
    let host = "dkr.ecr.eu-west-1.amazonaws.com";
    let rules = [(&west, "hub", "", None), (&root(REGION), "west", host, None)];
    let (world, image) = world(&rules).await;
    for _ in 0..2 {
        let pulled = world.pull("west/hub/app", "v1").await.unwrap();
        assert_eq!(pulled.bytes, image.manifest);
        let layer = world.blob("west/hub/app", &image.layers[0]).await.unwrap();
        assert_eq!(&layer[..], b"layer");
    }
    let manifest = manifest_path("app", "v1");
    let layer = blob_path("app", &image.layers[0]);
    assert_eq!((world.upstream.gets(&manifest), world.upstream.gets(&layer)), (1, 1));
    // Both have it, each as its own.
    assert!(world.has_repository("west/hub/app").await);
    let (name, tag) = (repository("hub/app"), re("v1"));
    let here = within(world.registry.pull_manifest(&west, &name, &tag)).await;
    assert!(matches!(here.unwrap().served, Served::Hit));
    // By digest, from a blob alone, and what is not there at all.
    let config = world.stat_blob("west/hub/app", &image.config).await.unwrap();
    assert!(config.size_bytes.is_some());
    let missing = world.pull("west/hub/app", "v2").await.unwrap_err();
    assert!(matches!(missing, PullError::ManifestUnknown { .. }), "{missing:?}");
    let missing = world.pull("west/none/app", "v1").await.unwrap_err();
    assert!(matches!(missing, PullError::ManifestUnknown { .. }), "{missing:?}");
    let (name, page) = (repository("west/hub/app"), PageRequest::first(10));
    let tags = world.registry.tags(&world.caller, &name, &page);
    assert_eq!(within(tags).await.unwrap().page.items.len(), 1);
    let validation = world.registry.validate_rule(&world.caller, "west").await.unwrap();
    assert!(validation.failure.is_none(), "{:?}", validation.failure);

    world.upstream.stop().await;
    let cached = world.blob("west/hub/app", &image.layers[0]).await.unwrap();
    assert_eq!(&cached[..], b"layer");
}

#[tokio::test]
async fn another_account_decides_who_pulls_from_it() {
    let other = other_root();
    let rules = [(&other, "hub", "", None), (&root(REGION), "theirs", OTHER_HOST, None)];
    let (world, image) = world(&rules).await;
    let own_role = "assumed-role/AWSServiceRoleForECRPullThroughCache/ecr-pull-through-cache";
    let told = refusal(&world, "theirs/hub/app").await;
    assert!(told.starts_with("denied: ") && told.contains(own_role), "{told}");
    assert!(told.contains(&format!("arn:aws:ecr:us-east-1:{OTHER}:repository/hub/app")), "{told}");

    let policy = |account: &str| {
        json!({"Statement": {
            "Effect": "Allow", "Principal": {"AWS": account}, "Action": "ecr:BatchGetImage",
            "Resource": format!("arn:aws:ecr:us-east-1:{OTHER}:repository/hub/*"),
        }})
        .to_string()
    };
    world.registry.set_registry_policy(&other, &policy("999999999999")).await.unwrap();
    assert_eq!(refusal(&world, "theirs/hub/app").await, told);
    world.registry.set_registry_policy(&other, &policy("000000000000")).await.unwrap();
    assert_eq!(world.pull("theirs/hub/app", "v1").await.unwrap().digest, image.digest);
    // And so for its root, over the other's own door.
    let stranger = Caller { registry: other.registry.clone(), ..root(REGION) };
    let name = repository("hub/app");
    assert!(within(world.registry.pull_manifest(&stranger, &name, &re("v1"))).await.is_ok());
    world.registry.delete_registry_policy(&other).await.unwrap();
    let denied = within(world.registry.pull_manifest(&stranger, &name, &re("v1"))).await;
    assert!(matches!(denied, Err(PullError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn a_rules_role_is_who_asks() {
    let (world, image) = world(&[(&root(WEST), "hub", "", None)]).await;
    let host = "000000000000.dkr.ecr.eu-west-1.amazonaws.com";
    create(&world, &world.caller, "west", host, None, Some(ROLE)).await;
    let foreign = "arn:aws:iam::111122223333:role/cache";
    create(&world, &world.caller, "foreign", host, None, Some(foreign)).await;
    let told = refusal(&world, "foreign/hub/app").await;
    assert_eq!(told, "role: it is of another account than the rule");
    assert_eq!(refusal(&world, "west/hub/app").await, "role: it does not exist");
    let validation = world.registry.validate_rule(&world.caller, "west").await.unwrap();
    assert!(matches!(validation.failure, Some(RuleFailure::Upstream(Error::Login { .. }))));

    let trust = |product: &str| {
        json!({"Statement": {
            "Effect": "Allow", "Principal": {"Service": product}, "Action": "sts:AssumeRole",
        }})
        .to_string()
    };
    let new = NewRole {
        name: "cache".to_owned(),
        assume_role_policy: trust("ecr.amazonaws.com"),
        ..NewRole::default()
    };
    world.registry.create_role(&world.caller, new).await.unwrap();
    let told = refusal(&world, "west/hub/app").await;
    assert!(told.ends_with("does not name pullthroughcache.ecr.amazonaws.com"), "{told}");
    let trusts = UpdateRole::AssumeRolePolicy(trust("pullthroughcache.ecr.amazonaws.com"));
    world.registry.update_role(&world.caller, "cache", trusts).await.unwrap();
    let told = refusal(&world, "west/hub/app").await;
    assert!(told.contains("assumed-role/cache/ecr-pull-through-cache"), "{told}");

    let may = json!({"Statement": {"Effect": "Allow", "Resource": "*", "Action": [
        "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken",
    ]}});
    let may = may.to_string();
    world.registry.put_role_policy(&world.caller, "cache", "may", &may).await.unwrap();
    assert_eq!(world.pull("west/hub/app", "v1").await.unwrap().digest, image.digest);
    let validation = world.registry.validate_rule(&world.caller, "west").await.unwrap();
    assert!(validation.failure.is_none(), "{:?}", validation.failure);
}

#[tokio::test]
async fn rules_that_lead_in_a_circle_are_named() {
    let (east, west) = (root(REGION), root(WEST));
    let [to_east, to_west] =
        [REGION, WEST].map(|region| format!("000000000000.dkr.ecr.{region}.amazonaws.com"));
    let (world, _) = world(&[
        (&east, "round", &to_west, Some("round")),
        (&west, "round", &to_east, Some("round")),
    ])
    .await;
    let told = refusal(&world, "round/app").await;
    assert!(
        told.ends_with(
            "leads in a circle: the rules of this server come back to where they were: round/app in 000000000000/eu-west-1, then round/app in \
             000000000000/us-east-1, then round/app in 000000000000/eu-west-1"
        ),
        "{told}"
    );
}

#[tokio::test]
async fn what_the_operator_sends_elsewhere_is_no_neighbour() {
    let upstream = ScriptedUpstream::start().await;
    let image = push_image(&upstream, "app", Some("v1"), &["layer"]);
    let mut setup = Setup::new();
    setup.settings.accounts.push(AccountId::parse(OTHER).unwrap());
    setup.settings.replaced_hosts.push(OTHER_HOST.to_owned());
    let url = upstream.url().parse().unwrap();
    setup.client.endpoints.insert(OTHER_HOST.to_owned(), vec![url]);
    let world = setup.world_on(upstream).await;
    create(&world, &world.caller, "theirs", OTHER_HOST, None, None).await;
    assert_eq!(world.pull("theirs/app", "v1").await.unwrap().digest, image.digest);
}

/// Whoever joins what another began does not wait for himself: his own question tells.
#[tokio::test]
async fn who_waits_behind_another_looks_whether_he_waits_for_himself() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    let (manifest, layer) = (manifest_path("app", "v1"), blob_path("app", &image.layers[0]));
    let gate = Gate::shut();
    for path in [&manifest, &layer] {
        world.upstream.script(path, Script::new().hold(&gate).only(&Method::GET));
    }
    let behind = world.registry.asked_by(Trail::default().then("somebody"));
    let name = repository("hub/app");
    let tag = re("v1");
    let first = world.pull("hub/app", "v1");
    let first_blob = world.open("hub/app", &image.layers[0]);
    let joined = async {
        gate.arrived(2).await;
        for path in [&manifest, &layer] {
            let refusal = Script::status(508).only(&Method::HEAD);
            world.upstream.script(path, refusal);
        }
        let (pulled, opened) = tokio::join!(
            within(behind.pull_manifest(&world.caller, &name, &tag)),
            within(behind.open_blob(&world.caller, &name, &image.layers[0])),
        );
        gate.open();
        [pulled.unwrap_err(), opened.unwrap_err()]
    };
    let (first, first_blob, refused) = tokio::join!(first, first_blob, joined);
    for error in refused {
        let is_circle = matches!(&error, PullError::Upstream(error)
            if matches!(**error, Error::Circle { .. }));
        assert!(is_circle, "{error:?}");
    }
    // Whoever came himself waits for what comes.
    assert_eq!(first.unwrap().digest, image.digest);
    assert!(first_blob.is_ok());
    let asked = world.upstream.requests();
    let named: Vec<_> = asked.iter().filter(|seen| seen.method == Method::HEAD).collect();
    assert_eq!(named.len(), 2);
    let via = named[0].header("via").unwrap();
    assert!(via.starts_with("1.1 cistern-somebody, 1.1 cistern-"), "{via}");
}

//! Who may do what: root in its own account, and whoever comes where the doors stand open.

use metadata::AccountId;
use oci::Digest;
use registry::{Caller, DeleteSecret, NewRule, Principal, PullError, RepositoryFilter, RuleError};
use testkit::ScriptedUpstream;

use crate::{
    images::push_image,
    world::{REGION, Setup, new_secret, re, registry_id, repository, root, within},
};

fn anonymous(region: &str) -> Caller {
    Caller { registry: registry_id(region), principal: Principal::Anonymous }
}

#[tokio::test]
async fn anonymous_pulls_reach_only_what_needs_no_credentials() {
    let upstream = ScriptedUpstream::start().await;
    let mut setup = Setup::new();
    setup.settings.anonymous_pull = true;
    let arn = format!("arn:aws:secretsmanager:{REGION}:000000000000:secret:s");
    let role = "arn:aws:iam::000000000000:role/pull".to_owned();
    let url = upstream.url();
    setup.declare(REGION, "open", &url);
    setup.declare(REGION, "private", &url).rule.credentials.credential_arn = Some(arn.clone());
    setup.declare(REGION, "role", &url).rule.credentials.custom_role_arn = Some(role);
    setup.declare(REGION, "ecr", "111122223333.dkr.ecr.eu-west-1.amazonaws.com");
    let opted_in = setup.declare(REGION, "opted-in", &url);
    opted_in.rule.credentials.credential_arn = Some(arn);
    opted_in.anonymous_pull = true;
    setup.declare("eu-west-1", "open", &url);
    let world = setup.world_on(upstream).await;
    world.credentials("s", "user", "token").await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);

    for (region, name, allowed) in [
        (REGION, "open/app", true),
        (REGION, "opted-in/app", true),
        (REGION, "private/app", false),
        (REGION, "role/app", false),
        (REGION, "ecr/app", false),
        (REGION, "none/app", false),
        ("eu-west-1", "open/app", false),
    ] {
        let (caller, name) = (anonymous(region), repository(name));
        // Root pulls first: what is cached is no more public than what is not.
        if name.as_str() != "ecr/app" && name.as_str() != "none/app" {
            within(world.registry.pull_manifest(&root(region), &name, &re("v1"))).await.unwrap();
        }
        let layer = &image.layers[0];
        let denied = [
            within(world.registry.pull_manifest(&caller, &name, &re("v1"))).await.err(),
            within(world.registry.stat_manifest(&caller, &name, &re("v1"))).await.err(),
            within(world.registry.open_blob(&caller, &name, layer)).await.err(),
            within(world.registry.stat_blob(&caller, &name, layer)).await.err(),
        ];
        for error in denied {
            let is_denied = matches!(error, Some(PullError::Denied(_)));
            assert!(error.is_none() == allowed && is_denied != allowed, "{name}: {error:?}");
        }
    }
    assert!(world.registry.connect(&anonymous(REGION)).is_ok());
    assert!(world.registry.connect(&anonymous("eu-west-1")).is_err());
}

#[tokio::test]
async fn nobody_is_let_in_where_the_doors_are_shut() {
    let world = Setup::new().world().await.and_hub().await;
    let caller = anonymous(REGION);
    assert!(world.registry.connect(&caller).is_err());
    let pull = world.registry.pull_manifest(&caller, &repository("hub/app"), &re("v1")).await;
    assert!(matches!(pull, Err(PullError::Denied(_))), "{pull:?}");
    assert!(world.upstream.requests().is_empty());
}

/// Root of one account in the registry of another, and anonymous with the doors open.
#[tokio::test]
async fn every_call_is_denied_to_strangers() {
    let mut setup = Setup::new();
    setup.settings.anonymous_pull = true;
    let world = setup.world().await.and_hub().await;
    world.credentials("s", "user", "token").await;
    let stranger = Principal::Root {
        account: AccountId::parse("111122223333").unwrap(),
        access_key_id: "AKIA".to_owned(),
    };
    let page = metadata::PageRequest::first(10);
    let (registry, upstream_url) = (&world.registry, world.upstream.url());
    for principal in [stranger.clone(), Principal::Anonymous] {
        let caller = Caller { registry: registry_id(REGION), principal };
        let new = NewRule {
            ecr_repository_prefix: "mine".to_owned(),
            upstream_registry_url: upstream_url.clone(),
            ..NewRule::default()
        };
        let create = new_secret("mine", Some("x"));
        let forced = DeleteSecret { force: true, recovery_window_days: None };
        let (selector, all) = (registry::SecretSelector::default(), RepositoryFilter::default());
        let images = registry::ImageFilter::default();
        let value = registry::SecretValue::Text("x".into());
        let put = registry::PutSecretValue { client_request_token: None, value, stages: None };
        let update = registry::UpdateSecret::default();
        let listed = registry::ListSecrets::default();
        let denials = [
            registry.create_rule(&caller, new).await.err().map(|e| e.to_string()),
            registry.rules(&caller, &[], &page).await.err().map(|e| e.to_string()),
            registry.delete_rule(&caller, "hub").await.err().map(|e| e.to_string()),
            registry.create_secret(&caller, create).await.err().map(|e| e.to_string()),
            registry.secret_value(&caller, "s", &selector).await.err().map(|e| e.to_string()),
            registry.describe_secret(&caller, "s").await.err().map(|e| e.to_string()),
            registry.delete_secret(&caller, "s", forced).await.err().map(|e| e.to_string()),
            registry.put_secret_value(&caller, "s", put).await.err().map(|e| e.to_string()),
            registry.update_secret(&caller, "s", update).await.err().map(|e| e.to_string()),
            registry.secrets(&caller, &listed, &page).await.err().map(|e| e.to_string()),
            registry.restore_secret(&caller, "s").await.err().map(|e| e.to_string()),
            registry.secret_versions(&caller, "s", true, &page).await.err().map(|e| e.to_string()),
            registry
                .move_secret_stage(&caller, "s", &registry::MoveStage::default())
                .await
                .err()
                .map(|e| e.to_string()),
            registry.tag_secret(&caller, "s", &[]).await.err().map(|e| e.to_string()),
            registry.untag_secret(&caller, "s", &[]).await.err().map(|e| e.to_string()),
            registry.secret_policy(&caller, "s").await.err().map(|e| e.to_string()),
            registry
                .set_secret_policy(&caller, "s", None, false)
                .await
                .err()
                .map(|e| e.to_string()),
            registry.describe_repositories(&caller, &all, &page).await.err().map(|e| e.to_string()),
            registry
                .describe_images(&caller, "hub/app", &images, &page)
                .await
                .err()
                .map(|e| e.to_string()),
        ];
        for denial in denials {
            let text = denial.expect("it is denied");
            assert!(text.starts_with(&format!("{} is not authorized", caller.principal)), "{text}");
        }
    }
    let caller = Caller { registry: registry_id(REGION), principal: stranger };
    let digest = Digest::of(b"x");
    let name = repository("hub/app");
    // Credentials are good or not, whichever registry they are shown to.
    assert!(registry.connect(&caller).is_ok());
    let pull = registry.pull_manifest(&caller, &name, &re("v1")).await;
    assert!(matches!(pull, Err(PullError::Denied(_))), "{pull:?}");
    let open = registry.open_blob(&caller, &name, &digest).await;
    assert!(matches!(open, Err(PullError::Denied(_))), "{open:?}");
    assert!(world.upstream.requests().is_empty());
    let still = registry.delete_rule(&world.caller, "hub").await;
    assert!(!matches!(still, Err(RuleError::Denied(_))), "{still:?}");
}

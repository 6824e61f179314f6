//! Making, setting and deleting repositories.

use std::sync::Arc;

use metadata::{MemoryMetadata, RepositorySettings, SqliteMetadata, TagMutability};
use registry::{
    AccountSetting, Caller, PolicyKind, Principal, PullError, Registry, Served, SettingError,
};
use testkit::manifest_path;

use crate::{
    images::push_image,
    watched::Watched,
    world::{Setup, World, re, registry_id, repository, root, within},
};

const TWO_DAYS: i64 = 2 * 24 * 60 * 60 * 1000;

/// Two cached repositories, all that is in them served from memory.
async fn warm(world: &World) {
    let mut images = Vec::new();
    for (name, fills) in [("a", 1), ("b", 2)] {
        let image = push_image(&world.upstream, name, Some("v1"), &[name]);
        let name = format!("hub/{name}");
        world.pull(&name, "v1").await.unwrap();
        world.blob(&name, &image.layers[0]).await.unwrap();
        world.fills_ended(fills).await;
        images.push((name, image));
    }
    // What this one changed itself comes back to it as changes, once.
    world.metadata.followed().await;
    for (name, image) in images {
        assert!(is_hit(world, &name).await);
        world.blob(&name, &image.layers[0]).await.unwrap();
    }
}

/// Pulls a tag; tells whether it was served from what is stored.
async fn is_hit(world: &World, name: &str) -> bool {
    matches!(world.pull(name, "v1").await.unwrap().served, Served::Hit)
}

async fn delete(world: &World, name: &str, force: bool) -> Result<(), SettingError> {
    let deleted = world.registry.delete_repository(&world.caller, &repository(name), force).await;
    deleted.map(drop)
}

#[tokio::test]
async fn a_deleted_repository_is_gone_at_once_and_no_other() {
    let world = World::with_hub().await;
    warm(&world).await;
    let image = push_image(&world.upstream, "a", Some("v1"), &["a"]);
    let refused = delete(&world, "hub/a", false).await;
    assert!(matches!(refused, Err(SettingError::RepositoryNotEmpty { .. })), "{refused:?}");
    assert!(is_hit(&world, "hub/a").await, "what was refused changed nothing");

    delete(&world, "hub/a", true).await.unwrap();
    let questions = world.metadata.questions();
    assert!(is_hit(&world, "hub/b").await);
    assert_eq!(world.metadata.questions(), questions, "the other one is still warm");
    // The rule brings it again, as if for the first time.
    assert!(!is_hit(&world, "hub/a").await);
    assert!(!world.holds("hub/a", &image.layers[0]).await, "its links went with it");

    world.registry.delete_rule(&world.caller, "hub").await.unwrap();
    delete(&world, "hub/a", true).await.unwrap();
    let gone = world.pull("hub/a", "v1").await;
    assert!(matches!(gone, Err(PullError::NameUnknown { .. })), "{gone:?}");
    let gone = world.pull("hub/a", image.digest.as_str()).await;
    assert!(matches!(gone, Err(PullError::NameUnknown { .. })), "{gone:?}");
    let gone = world.open_blob("hub/a", &image.layers[0]).await;
    assert!(matches!(gone, Err(PullError::NameUnknown { .. })), "{gone:?}");
    assert!(is_hit(&world, "hub/b").await);
    let again = delete(&world, "hub/a", true).await;
    assert!(matches!(again, Err(SettingError::RepositoryNotFound { .. })), "{again:?}");
}

#[tokio::test]
async fn a_repository_deleted_elsewhere_is_gone_here_too() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteMetadata::open(directory.path().join("facts.db")).await.unwrap();
    let stores: [Arc<dyn metadata::MetadataStore>; 2] =
        [Arc::new(MemoryMetadata::new()), Arc::new(sqlite)];
    for store in stores {
        let mut setup = Setup::new();
        setup.metadata = store;
        let world = setup.world().await.and_hub().await;
        warm(&world).await;
        let metadata = Arc::new(Watched::new(Arc::clone(&world.setup.metadata)));
        let other = world.setup.start(&metadata, &world.clock).await.unwrap();
        world.registry.delete_rule(&world.caller, "hub").await.unwrap();
        let pull = |name: &str| {
            let (name, other, caller) = (repository(name), other.clone(), world.caller.clone());
            async move { within(other.pull_manifest(&caller, &name, &re("v1"))).await }
        };
        // What is read while changes come in is not kept.
        metadata.followed().await;
        for name in ["hub/a", "hub/b"] {
            pull(name).await.unwrap();
        }
        delete(&world, "hub/a", true).await.unwrap();
        metadata.followed().await;
        let gone = pull("hub/a").await;
        assert!(matches!(gone, Err(PullError::NameUnknown { .. })), "{gone:?}");
        let questions = metadata.questions();
        pull("hub/b").await.unwrap();
        assert_eq!(metadata.questions(), questions, "the other one is still warm");
    }
}

#[tokio::test]
async fn a_new_repository_leaves_the_others_warm() {
    let world = World::with_hub().await;
    warm(&world).await;
    push_image(&world.upstream, "c", Some("v1"), &["c"]);
    world.pull("hub/c", "v1").await.unwrap();
    world.metadata.followed().await;
    let questions = world.metadata.questions();
    assert!(is_hit(&world, "hub/a").await && is_hit(&world, "hub/b").await);
    assert_eq!(world.metadata.questions(), questions);
}

#[tokio::test]
async fn an_immutable_tag_is_not_moved_by_its_upstream() {
    let world = World::with_hub().await;
    let (name, path) = (repository("hub/app"), manifest_path("app", "v1"));
    let old = push_image(&world.upstream, "app", Some("v1"), &["old"]);
    world.pull("hub/app", "v1").await.unwrap();
    let set = |mutability| world.registry.set_tag_mutability(&world.caller, &name, mutability);
    let immutable = TagMutability::ImmutableWithExclusion(vec!["dev-*".to_owned()]);
    set(immutable).await.unwrap();
    let new = push_image(&world.upstream, "app", Some("v1"), &["new"]);
    world.clock.advance(TWO_DAYS);
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, old.digest);
    world.upstream.forget_requests();
    let held = world.pull("hub/app", "v1").await.unwrap();
    assert_eq!(held.digest, old.digest);
    assert_eq!(world.upstream.gets(&path), 0, "it is not asked again for a day");
    let images = world.images("hub/app").await;
    assert_eq!(images, [(old.digest, vec!["v1".to_owned()])], "the new one was not recorded");

    // A tag that is excluded moves as ever.
    push_image(&world.upstream, "app", Some("dev-1"), &["old"]);
    world.pull("hub/app", "dev-1").await.unwrap();
    push_image(&world.upstream, "app", Some("dev-1"), &["new"]);
    world.clock.advance(TWO_DAYS);
    assert_eq!(world.pull("hub/app", "dev-1").await.unwrap().digest, new.digest);
    set(TagMutability::Mutable).await.unwrap();
    world.clock.advance(TWO_DAYS);
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, new.digest);
}

#[tokio::test]
async fn an_immutable_tag_whose_bytes_are_gone_is_fetched_by_its_digest() {
    let world = World::with_hub().await;
    let old = push_image(&world.upstream, "app", Some("v1"), &["old"]);
    world.pull("hub/app", "v1").await.unwrap();
    let name = repository("hub/app");
    let set = world.registry.set_tag_mutability(&world.caller, &name, TagMutability::Immutable);
    set.await.unwrap();
    push_image(&world.upstream, "app", Some("v1"), &["new"]);
    world.blobs.delete(&old.digest).await.unwrap();
    let other = world.setup.start(&world.metadata, &world.clock).await.unwrap();
    let pulled = within(other.pull_manifest(&world.caller, &name, &re("v1"))).await.unwrap();
    assert_eq!((pulled.digest, pulled.bytes), (old.digest, old.manifest));
}

#[tokio::test]
async fn what_two_change_at_once_is_not_lost() {
    let world = World::with_hub().await;
    let name = repository("team/app");
    let settings = RepositorySettings::default();
    world.registry.create_repository(&world.caller, &name, settings).await.unwrap();
    let metadata = Arc::new(Watched::new(Arc::clone(&world.setup.metadata)));
    let other = world.setup.start(&metadata, &world.clock).await.unwrap();
    let tag = |label: &'static str, registry: Registry| {
        let (name, caller) = (name.clone(), world.caller.clone());
        async move {
            for round in 0..20 {
                let tags = [(format!("{label}-{round}"), String::new())];
                registry.tag_repository(&caller, &name, &tags).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::join!(tag("one", world.registry.clone()), tag("other", other));
    let tags = world.registry.repository_tags(&world.caller, &name).await.unwrap();
    assert_eq!(tags.len(), 40);
    let more: Vec<_> = (0..11).map(|at| (format!("more-{at}"), String::new())).collect();
    let refused = world.registry.tag_repository(&world.caller, &name, &more).await;
    assert!(matches!(refused, Err(SettingError::TooManyTags { limit: 50 })), "{refused:?}");
    let tags = world.registry.repository_tags(&world.caller, &name).await.unwrap();
    assert_eq!(tags.len(), 40, "what was refused changed nothing");
}

/// Settings are those of one registry: another region of the account has its own.
#[tokio::test]
async fn settings_are_kept_per_registry() {
    let world = World::with_hub().await;
    let (here, elsewhere) = (&world.caller, root("eu-west-1"));
    let (name, registry) = (repository("team/app"), &world.registry);
    let settings = RepositorySettings::default();
    registry.create_repository(here, &name, settings.clone()).await.unwrap();
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}"#;
    registry.set_repository_policy(here, &name, policy, false).await.unwrap();
    let none = registry.repository_policy(&elsewhere, &name).await;
    assert!(matches!(none, Err(SettingError::RepositoryNotFound { .. })), "{none:?}");
    registry.create_repository(&elsewhere, &name, settings).await.unwrap();
    let none = registry.repository_policy(&elsewhere, &name).await;
    let kind = PolicyKind::Repository;
    assert!(matches!(none, Err(SettingError::PolicyNotFound { kind: k, .. }) if k == kind));
    let setting = AccountSetting::BlobMounting;
    registry.set_account_setting(here, setting, "ENABLED").await.unwrap();
    assert_eq!(registry.account_setting(here, setting).await.unwrap(), "ENABLED");
    assert_eq!(registry.account_setting(&elsewhere, setting).await.unwrap(), "DISABLED");
}

#[tokio::test]
async fn nobody_else_may_set_anything() {
    let mut setup = Setup::new();
    setup.settings.anonymous_pull = true;
    let world = setup.world().await;
    let (name, registry) = (repository("team/app"), &world.registry);
    registry.create_repository(&world.caller, &name, RepositorySettings::default()).await.unwrap();
    let stranger = Caller { registry: registry_id("us-east-1"), principal: Principal::Anonymous };
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}"#;
    let settings = RepositorySettings::default();
    let outcomes = [
        registry.create_repository(&stranger, &repository("x/y"), settings).await.map(drop),
        registry.delete_repository(&stranger, &name, true).await.map(drop),
        registry.set_tag_mutability(&stranger, &name, TagMutability::Immutable).await.map(drop),
        registry.set_scan_on_push(&stranger, &name, true).await.map(drop),
        registry.repository_tags(&stranger, &name).await.map(drop),
        registry.tag_repository(&stranger, &name, &[]).await,
        registry.untag_repository(&stranger, &name, &[]).await,
        registry.repository_policy(&stranger, &name).await.map(drop),
        registry.set_repository_policy(&stranger, &name, policy, false).await,
        registry.delete_repository_policy(&stranger, &name).await.map(drop),
        registry.lifecycle_policy(&stranger, &name).await.map(drop),
        registry.set_lifecycle_policy(&stranger, &name, "{}").await,
        registry.delete_lifecycle_policy(&stranger, &name).await.map(drop),
        registry.registry_policy(&stranger).await.map(drop),
        registry.set_registry_policy(&stranger, policy).await,
        registry.delete_registry_policy(&stranger).await.map(drop),
        registry.replication(&stranger).await.map(drop),
        registry.set_replication(&stranger, Vec::new()).await,
        registry.scanning(&stranger).await.map(drop),
        registry.set_scanning(&stranger, metadata::RegistryScanning::default()).await,
        registry.repository_scanning(&stranger, std::slice::from_ref(&name)).await.map(drop),
        registry.account_setting(&stranger, AccountSetting::BlobMounting).await.map(drop),
        registry.set_account_setting(&stranger, AccountSetting::BlobMounting, "ENABLED").await,
    ];
    for (position, outcome) in outcomes.into_iter().enumerate() {
        assert!(matches!(outcome, Err(SettingError::Denied(_))), "{position}: {outcome:?}");
    }
    let held = world.setup.metadata.repository(&world.caller.registry, &name).await.unwrap();
    assert_eq!(held.settings, RepositorySettings::default());
}

//! Several registries on one store, and one after another on the same files.

use std::sync::Arc;

use metadata::{ManifestStore as _, MemoryMetadata, MetadataStore, SqliteMetadata};
use registry::{Counter, DeleteSecret, PullError, Registry, Served};

use crate::{
    images::push_image,
    watched::Watched,
    world::{Files, Pulled, Setup, World, re, repository, within},
};

/// Another process on the stores of a world.
struct Replica {
    registry: Registry,
    metadata: Arc<Watched>,
}

impl Replica {
    async fn of(world: &World) -> Self {
        let metadata = Arc::new(Watched::new(Arc::clone(&world.setup.metadata)));
        let registry = world.setup.start(&metadata, &world.clock).await.unwrap();
        Self { registry, metadata }
    }

    async fn pull(&self, world: &World, name: &str) -> Pulled {
        let (name, reference) = (repository(name), re("v1"));
        within(self.registry.pull_manifest(&world.caller, &name, &reference)).await
    }
}

/// A store of every kind; the directory has to outlive them.
async fn stores(directory: &tempfile::TempDir) -> [Arc<dyn MetadataStore>; 2] {
    let sqlite = SqliteMetadata::open(directory.path().join("facts.db")).await.unwrap();
    [Arc::new(MemoryMetadata::new()), Arc::new(sqlite)]
}

#[tokio::test]
async fn what_one_replica_changes_the_others_follow() {
    let directory = tempfile::tempdir().unwrap();
    let [memory, sqlite] = stores(&directory).await;
    tokio::join!(others_follow(memory), others_follow(sqlite));
}

async fn others_follow(store: Arc<dyn MetadataStore>) {
    let mut setup = Setup::new();
    setup.metadata = store;
    let world = setup.world().await;
    let other = Replica::of(&world).await;
    push_image(&world.upstream, "app", Some("v1"), &["x"]);
    // That there is no rule is remembered as well.
    assert!(matches!(other.pull(&world, "hub/app").await, Err(PullError::NameUnknown { .. })));

    let arn = world.credentials("s", "alice", "wonder").await;
    world.upstream.require_basic("alice", "wonder");
    world.rule("hub", |rule| rule.credential_arn = Some(arn.clone())).await;
    other.metadata.followed().await;
    other.pull(&world, "hub/app").await.unwrap();

    world.clock.advance(2 * 24 * 60 * 60 * 1000);
    let moved = push_image(&world.upstream, "app", Some("v1"), &["moved"]);
    assert_eq!(world.pull("hub/app", "v1").await.unwrap().digest, moved.digest);
    other.metadata.followed().await;
    let seen = other.pull(&world, "hub/app").await.unwrap();
    assert_eq!(seen.digest, moved.digest);
    assert!(matches!(seen.served, Served::Hit));

    let forced = DeleteSecret { force: true, recovery_window_days: None };
    world.registry.delete_secret(&world.caller, &arn, forced).await.unwrap();
    other.metadata.followed().await;
    push_image(&world.upstream, "other", Some("v1"), &["x"]);
    let pulled = other.pull(&world, "hub/other").await;
    assert!(matches!(pulled, Err(PullError::Credentials { .. })), "{pulled:?}");

    world.registry.delete_rule(&world.caller, "hub").await.unwrap();
    other.metadata.followed().await;
    let pulled = other.pull(&world, "hub/other").await;
    assert!(matches!(pulled, Err(PullError::NameUnknown { .. })), "{pulled:?}");
    other.pull(&world, "hub/app").await.unwrap();
}

/// What a change says here is seen here at once, followed or not.
#[tokio::test]
async fn ones_own_changes_are_seen_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for store in stores(&directory).await {
        let mut setup = Setup::new();
        setup.metadata = store;
        let world = setup.world().await;
        push_image(&world.upstream, "app", Some("v1"), &["x"]);
        for _ in 0..20 {
            let pulled = world.pull("hub/app", "v2").await;
            assert!(matches!(
                pulled,
                Err(PullError::NameUnknown { .. } | PullError::ManifestUnknown { .. })
            ));
            world.rule("hub", |_| {}).await;
            world.pull("hub/app", "v1").await.unwrap();
            world.registry.delete_rule(&world.caller, "hub").await.unwrap();
        }
    }
}

/// Everything in files: what was pulled once is there after a restart, without the upstream.
#[tokio::test]
async fn a_restart_on_the_same_files_loses_nothing() {
    let files = Files::new();
    let database = files.path("facts.db");
    let mut setup = Setup::new().in_files(&files).await;
    let store = SqliteMetadata::open(&database).await.unwrap();
    setup.metadata = Arc::new(store.clone());
    let world = setup.world().await.and_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    world.blob("hub/app", &image.config).await.unwrap();
    world.fills_ended(2).await;
    world.clock.advance(1);
    world.pull("hub/app", "v1").await.unwrap();
    world.upstream.stop().await;
    world.registry.stop().await;
    let (keyring, pulled_at) = (Arc::clone(&world.setup.keyring), world.now());
    let upstream = world.upstream;
    drop((world.registry, world.metadata));
    store.close().await;

    let mut setup = Setup::new().in_files(&files).await;
    setup.metadata = Arc::new(SqliteMetadata::open(&database).await.unwrap());
    setup.keyring = keyring;
    let world = setup.world_on(upstream).await;
    let pulled = world.pull("hub/app", "v1").await.unwrap();
    assert_eq!((pulled.bytes, pulled.digest), (image.manifest, image.digest.clone()));
    assert_eq!(&world.blob("hub/app", &image.layers[0]).await.unwrap()[..], b"layer");
    assert!(world.holds("hub/app", &image.config).await);
    assert_eq!(world.registry.counters().get(Counter::BlobHits), 1);
    let name = repository("hub/app");
    let fact = world.metadata.manifest(&world.caller.registry, &name, &image.digest).await;
    assert_eq!(fact.unwrap().last_pulled_at, Some(pulled_at));
}

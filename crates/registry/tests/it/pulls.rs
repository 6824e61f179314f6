//! Pulls: what is brought, what is recorded, and when nobody is asked.

use metadata::{
    LinkStore as _, ManifestStore as _, Origin, PageRequest, RegistryId, RepositoryStore as _,
    TagStore as _,
};
use oci::{Digest, media_type};
use registry::{Caller, Counter, PullError, PulledManifest, Served};
use testkit::{Gate, Script, ScriptedUpstream, blob_path, manifest_path};

use crate::{
    images::{push_image, push_index},
    world::{Pulled, Setup, World, re, registry_id, repository, root, until, within},
};

/// Shows how a pull went, in a word.
fn served(pulled: &Pulled) -> &'static str {
    match pulled {
        Ok(PulledManifest { served: Served::Hit, .. }) => "hit",
        Ok(PulledManifest { served: Served::Miss, .. }) => "miss",
        Ok(PulledManifest { served: Served::Revalidated, .. }) => "revalidated",
        Ok(PulledManifest { served: Served::Stale(_), .. }) => "stale",
        Err(_) => "error",
    }
}

fn origin_of(upstream: &ScriptedUpstream, upstream_repository: &str) -> Origin {
    Origin::Cached {
        rule: "hub".to_owned(),
        upstream_registry_url: upstream.url(),
        upstream_repository: upstream_repository.to_owned(),
    }
}

#[tokio::test]
async fn a_cold_tag_brings_the_very_bytes_and_records_all_there_is_to_know() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "team/app", Some("v1"), &["one", "another"]);
    world.clock.advance(5);

    let pulled = world.pull("hub/team/app", "v1").await.unwrap();
    assert_eq!(pulled.bytes, image.manifest);
    assert_eq!(pulled.digest, image.digest);
    assert_eq!(&*pulled.media_type, media_type::OCI_MANIFEST);
    assert!(matches!(pulled.served, Served::Miss));

    let (registry, name) = (&world.caller.registry, repository("hub/team/app"));
    let origin = origin_of(&world.upstream, "team/app");
    let found = world.metadata.repository(registry, &name).await.unwrap();
    assert_eq!((found.created_at, found.origin), (world.now(), origin.clone()));
    let manifest = world.metadata.manifest(registry, &name, &image.digest).await.unwrap();
    assert_eq!(manifest.media_type, media_type::OCI_MANIFEST);
    assert_eq!(manifest.size_bytes, image.manifest.len() as u64);
    assert_eq!(manifest.config.unwrap().digest, image.config);
    let layers: Vec<_> =
        manifest.children.into_iter().map(|layer| (layer.digest, layer.size_bytes)).collect();
    assert_eq!(layers, [(image.layers[0].clone(), 3), (image.layers[1].clone(), 7)]);
    assert_eq!((manifest.origin, manifest.pushed_at), (origin.clone(), world.now()));
    let tag = world.metadata.tag(registry, &name, &"v1".parse().unwrap()).await.unwrap();
    assert_eq!((tag.digest, tag.checked_at), (image.digest.clone(), world.now()));
    assert_eq!(tag.origin, origin);

    assert_eq!(&world.blob("hub/team/app", &image.layers[1]).await.unwrap()[..], b"another");
    world.fills_ended(1).await;
    let link = world.metadata.link(registry, &name, &image.layers[1]).await.unwrap();
    assert_eq!((link.size_bytes, link.origin), (7, origin));
    assert_eq!(world.upstream.gets(&manifest_path("team/app", "v1")), 1);
    assert_eq!(world.upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_digest_may_come_before_any_tag() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);

    let pulled = world.pull("hub/app", image.digest.as_str()).await.unwrap();
    assert_eq!(
        (pulled.bytes, served(&Ok(world.pull("hub/app", image.digest.as_str()).await.unwrap()))),
        (image.manifest, "hit")
    );
    // The tag is still to be asked for; that its manifest is here already, nobody can know.
    assert_eq!(served(&world.pull("hub/app", "v1").await), "miss");
    let images = world.images("hub/app").await;
    assert_eq!(images, [(image.digest, vec!["v1".to_owned()])]);
}

#[tokio::test]
async fn a_head_imports_but_is_no_pull() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
    let pulled_at = async || {
        let registry = &world.caller.registry;
        let found = world.metadata.manifest(registry, &repository("hub/app"), &image.digest).await;
        found.unwrap().last_pulled_at
    };

    assert_eq!(world.stat("hub/app", "v1").await.unwrap().digest, image.digest);
    world.registry.stop().await;
    assert_eq!(pulled_at().await, None);

    world.clock.advance(1);
    assert_eq!(served(&world.pull("hub/app", "v1").await), "hit");
    world.registry.stop().await;
    assert_eq!(pulled_at().await, Some(world.now()));
    assert_eq!(world.upstream.requests().len(), 1);
}

#[tokio::test]
async fn an_index_is_served_whole_and_every_child_by_digest() {
    let world = World::with_hub().await;
    let images =
        ["amd64", "arm64", "s390x"].map(|a| push_image(&world.upstream, "app", None, &[a]));
    let (digest, index) = push_index(&world.upstream, "app", "v1", &images);

    let pulled = world.pull("hub/app", "v1").await.unwrap();
    assert_eq!((pulled.bytes, pulled.digest), (index, digest.clone()));
    assert_eq!(&*pulled.media_type, media_type::OCI_INDEX);
    let registry = &world.caller.registry;
    let fact = world.metadata.manifest(registry, &repository("hub/app"), &digest).await.unwrap();
    let children: Vec<_> = fact.children.iter().map(|child| &child.digest).collect();
    assert_eq!(children, images.iter().map(|image| &image.digest).collect::<Vec<_>>());
    for image in images {
        let child = world.pull("hub/app", image.digest.as_str()).await.unwrap();
        assert_eq!((child.bytes, child.digest), (image.manifest, image.digest));
    }
}

#[tokio::test]
async fn a_blob_may_come_before_its_manifest() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    assert_eq!(&world.blob("hub/app", &image.layers[0]).await.unwrap()[..], b"layer");
    world.fills_ended(1).await;
    let found = world.metadata.repository(&world.caller.registry, &repository("hub/app")).await;
    assert_eq!(found.unwrap().origin, origin_of(&world.upstream, "app"));
    assert_eq!(served(&world.pull("hub/app", "v1").await), "miss");
    let counters = world.registry.counters();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    assert_eq!((counters.get(Counter::BlobMisses), counters.get(Counter::BlobHits)), (1, 1));
}

#[tokio::test]
async fn a_warm_pull_asks_neither_the_upstream_nor_the_database() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer"]);
    let (digest, layer) = (image.digest.as_str(), &image.layers[0]);
    world.pull("hub/app", "v1").await.unwrap();
    world.blob("hub/app", layer).await.unwrap();
    world.fills_ended(1).await;
    world.upstream.stop().await;
    world.metadata.followed().await;

    for round in ["what was taken out is read once more", "nothing is read"] {
        let before = world.metadata.questions();
        for reference in ["v1", digest] {
            let pulled = world.pull("hub/app", reference).await;
            assert_eq!((served(&pulled), pulled.unwrap().bytes), ("hit", image.manifest.clone()));
            assert_eq!(served(&world.stat("hub/app", reference).await), "hit");
        }
        assert_eq!(&world.blob("hub/app", layer).await.unwrap()[..], b"layer");
        let stat = world.stat_blob("hub/app", layer).await;
        assert_eq!(stat.unwrap().size_bytes, Some(5));
        let asked = world.metadata.questions() - before;
        assert!(asked == 0 || round != "nothing is read", "{asked} questions");
    }
}

#[tokio::test]
async fn a_failed_pull_creates_no_repository() {
    let world = World::with_hub().await;
    let absent = Digest::of(b"absent");
    let paths = [manifest_path("app", "v1"), blob_path("app", &absent)];
    for script in [
        None,
        Some(Script::status(500)),
        Some(Script::error(403, "DENIED", "no")),
        Some(Script::hang_up()),
        Some(Script::new().body("not what it should be")),
        Some(Script::new().body(r#"{"schemaVersion":1,"fsLayers":[]}"#)),
    ] {
        for path in &paths {
            script.iter().for_each(|script| world.upstream.script(path, script.clone()));
        }
        assert!(world.pull("hub/app", "v1").await.is_err(), "{script:?}");
        assert!(world.blob("hub/app", &absent).await.is_err(), "{script:?}");
        assert!(!world.has_repository("hub/app").await, "{script:?}");
    }
    let page = PageRequest::first(10);
    let repositories = world.metadata.repositories(&world.caller.registry, &page).await.unwrap();
    assert_eq!(repositories.items, []);
}

#[tokio::test]
async fn a_name_leads_through_its_rule_to_the_upstreams_name() {
    let world = Setup::new().world().await;
    world.rule("hub", |_| {}).await;
    world.rule("hub/team/", |rule| rule.upstream_repository_prefix = Some("lib".into())).await;
    world.rule("all", |rule| rule.upstream_repository_prefix = Some("ROOT".into())).await;
    world.rule("ROOT", |_| {}).await;
    for (name, upstream_name) in [
        ("hub/app", "app"),
        ("hub/teams/app", "teams/app"),
        ("hub/team/app", "lib/app"),
        ("hub/team/a/b/c", "lib/a/b/c"),
        ("all/app", "app"),
        ("hub", "hub"),
        ("other/app", "other/app"),
    ] {
        let image = push_image(
            &world.upstream,
            upstream_name,
            Some(name.split('/').next().unwrap()),
            &[name],
        );
        let tag = name.split('/').next().unwrap();
        assert_eq!(world.pull(name, tag).await.unwrap().digest, image.digest, "{name}");
        assert_eq!(&world.blob(name, &image.layers[0]).await.unwrap()[..], name.as_bytes());
    }
}

#[tokio::test]
async fn one_prefix_in_two_regions_stays_apart() {
    let world = World::with_hub().await;
    let elsewhere = ScriptedUpstream::start().await;
    let there = root("eu-west-1");
    let new = registry::NewRule {
        ecr_repository_prefix: "hub".to_owned(),
        upstream_registry_url: elsewhere.url(),
        ..registry::NewRule::default()
    };
    world.registry.create_rule(&there, new).await.unwrap();
    let here_image = push_image(&world.upstream, "app", Some("v1"), &["here"]);
    let there_image = push_image(&elsewhere, "app", Some("v1"), &["there"]);
    let name = repository("hub/app");
    let pull = async |caller: &Caller, digest: &Digest| {
        let pulled = within(world.registry.pull_manifest(caller, &name, &re("v1"))).await;
        assert_eq!(pulled.unwrap().digest, *digest);
    };
    for _ in 0..2 {
        pull(&world.caller, &here_image.digest).await;
        pull(&there, &there_image.digest).await;
    }
    let digest = re(there_image.digest.as_str());
    let crossed = within(world.registry.pull_manifest(&world.caller, &name, &digest)).await;
    assert!(matches!(crossed, Err(PullError::ManifestUnknown { .. })), "{crossed:?}");
    let only = |registry: RegistryId| {
        let (world, name) = (&world, &name);
        async move {
            let found = world.metadata.images(&registry, name, &PageRequest::first(10)).await;
            let found = found.unwrap().items;
            found.into_iter().map(|image| image.manifest.digest).collect::<Vec<_>>()
        }
    };
    assert_eq!(only(registry_id("us-east-1")).await, [here_image.digest]);
    assert_eq!(only(registry_id("eu-west-1")).await, [there_image.digest]);
}

#[tokio::test]
async fn an_unknown_name_is_told_with_the_region_where_a_rule_would_match() {
    let mut setup = Setup::new();
    setup.declare("eu-north-1", "declared", "quay.io");
    let world = setup.world().await.and_hub().await;
    let elsewhere = root("ap-south-1");
    for (caller, name, region) in [
        (&elsewhere, "hub/app", Some("us-east-1")),
        (&elsewhere, "declared/app", Some("eu-north-1")),
        (&elsewhere, "none/app", None),
        (&world.caller, "hub", None),
        (&world.caller, "hubs/app", None),
    ] {
        let name = repository(name);
        let digest = Digest::of(b"x");
        let manifest = world.registry.pull_manifest(caller, &name, &re("v1")).await.unwrap_err();
        let pinned = re(digest.as_str());
        let pinned = world.registry.pull_manifest(caller, &name, &pinned).await.unwrap_err();
        let blob = world.registry.open_blob(caller, &name, &digest).await.unwrap_err();
        let stat = world.registry.stat_blob(caller, &name, &digest).await.unwrap_err();
        for error in [manifest, pinned, blob, stat] {
            let PullError::NameUnknown { rule_in, .. } = error else { panic!("{name}: {error}") };
            assert_eq!(rule_in.as_ref().map(|region| region.as_str()), region, "{name}");
        }
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn what_is_cached_outlives_its_rule() {
    let world = World::with_hub().await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["layer", "later"]);
    world.pull("hub/app", "v1").await.unwrap();
    world.blob("hub/app", &image.layers[0]).await.unwrap();
    world.fills_ended(1).await;
    world.registry.delete_rule(&world.caller, "hub").await.unwrap();
    world.clock.advance(7 * 24 * 60 * 60 * 1000);

    assert_eq!(served(&world.pull("hub/app", "v1").await), "hit");
    assert_eq!(&world.blob("hub/app", &image.layers[0]).await.unwrap()[..], b"layer");
    let other = world.pull("hub/app", "v2").await;
    assert!(matches!(other, Err(PullError::ManifestUnknown { upstream: None, .. })), "{other:?}");
    let later = world.open("hub/app", &image.layers[1]).await;
    assert!(matches!(later, Err(PullError::BlobUnknown { upstream: None, .. })), "{later:?}");
}

#[tokio::test]
async fn one_fetch_serves_everybody_who_wants_a_manifest() {
    let world = World::with_hub().await;
    world.rule("mirror", |_| {}).await;
    let image = push_image(&world.upstream, "app", Some("v1"), &["x"]);
    let (path, gate) = (manifest_path("app", "v1"), Gate::shut());
    world.upstream.script(&path, Script::new().hold(&gate));

    let pulls = ["hub/app", "mirror/app"].iter().cycle().take(20).map(|name| {
        let (registry, caller) = (world.registry.clone(), world.caller.clone());
        let name = repository(name);
        tokio::spawn(async move { registry.pull_manifest(&caller, &name, &re("v1")).await })
    });
    let pulls: Vec<_> = pulls.collect();
    within(gate.arrived(1)).await;
    // One who leaves takes nothing along.
    pulls[0].abort();
    // A question that goes all the way shows that there was time for a second fetch.
    world.pull("hub/app", "v2").await.unwrap_err();
    assert_eq!(world.upstream.gets(&path), 1);
    gate.open();
    for pull in pulls.into_iter().skip(1) {
        assert_eq!(pull.await.unwrap().unwrap().digest, image.digest);
    }
    assert_eq!(world.upstream.gets(&path), 1);
    until("both are recorded", || async {
        world.has_repository("hub/app").await && world.has_repository("mirror/app").await
    })
    .await;
}

//! Links: bytes are shared, permission is not.

use bytes::Bytes;
use http::Method;
use oci::Digest;
use registry::{Counter, PullError, Served};
use testkit::{Gate, Pattern, Script, blob_path};
use upstream::Error;

use crate::world::{World, read_at_least, read_to_end, until};

const BLOB: &[u8] = b"the bytes of a blob";

/// A world with the rules `hub` and `mirror` for one upstream, which has a blob in `app`.
async fn with_two_rules() -> (World, Digest, String) {
    let world = World::with_hub().await;
    // The same address in another spelling.
    let url = format!("HTTP://{}/", world.upstream.authority());
    world.rule("mirror", |rule| rule.upstream_registry_url = url).await;
    let digest = world.upstream.add_blob("app", BLOB);
    let path = blob_path("app", &digest);
    (world, digest, path)
}

#[tokio::test]
async fn repositories_of_one_upstream_repository_share_the_transfer() {
    let (world, _, _) = with_two_rules().await;
    let pattern = Pattern::new(1, 1 << 20);
    let digest = world.upstream.add_pattern("app", &pattern);
    let (path, gate) = (blob_path("app", &digest), Gate::shut());
    world.upstream.script(&path, Script::new().stall(1 << 19, &gate));

    let mut first = world.open("hub/app", &digest).await.unwrap();
    let mut second = world.open("mirror/app", &digest).await.unwrap();
    for reader in [&mut first, &mut second] {
        assert!(pattern.matches(0, &read_at_least(reader, 1 << 19).await));
    }
    gate.open();
    for reader in [&mut first, &mut second] {
        assert!(pattern.matches(1 << 19, &read_to_end(reader).await.unwrap()));
    }
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &digest).await && world.holds("mirror/app", &digest).await);
    assert_eq!((world.upstream.gets(&path), world.upstream.heads(&path)), (1, 0));
    assert_eq!(world.registry.counters().get(Counter::FillsJoined), 1);
}

#[tokio::test]
async fn bytes_that_are_here_cost_another_repository_one_head() {
    let (world, digest, path) = with_two_rules().await;
    assert_eq!(&world.blob("hub/app", &digest).await.unwrap()[..], BLOB);
    world.fills_ended(1).await;
    assert!(!world.holds("mirror/app", &digest).await);

    let open = world.open_blob("mirror/app", &digest).await.unwrap();
    assert_eq!(open.size_bytes, Some(BLOB.len() as u64));
    assert_eq!(&read_to_end(&mut open.read(None)).await.unwrap()[..], BLOB);
    world.fills_ended(2).await;
    assert!(world.holds("mirror/app", &digest).await);
    for _ in 0..2 {
        assert_eq!(&world.blob("mirror/app", &digest).await.unwrap()[..], BLOB);
    }
    assert_eq!((world.upstream.gets(&path), world.upstream.heads(&path)), (1, 1));
}

/// An upstream that has forgotten the blob, or speaks no HEAD, or says something odd.
#[tokio::test]
async fn only_a_head_with_the_right_size_shares_the_bytes() {
    let head = |script: Script| Some(script.only(&Method::HEAD));
    for (what, script, served, gets) in [
        ("announces the size", None, true, 1),
        ("speaks no HEAD", head(Script::status(405)), true, 2),
        ("announces no size", head(Script::new().without_header("content-length")), true, 2),
        ("announces another size", head(Script::new().header("content-length", "7")), true, 2),
        ("has it no more", head(Script::status(404)), false, 1),
        ("denies it", head(Script::error(403, "DENIED", "no")), false, 1),
        ("is out of order", head(Script::status(500)), false, 1),
    ] {
        let (world, digest, path) = with_two_rules().await;
        world.blob("hub/app", &digest).await.unwrap();
        world.fills_ended(1).await;
        script.into_iter().for_each(|script| world.upstream.script(&path, script));

        let found = world.blob("mirror/app", &digest).await;
        assert_eq!(found.is_ok(), served, "{what}: {found:?}");
        assert!(found.is_err() || found.unwrap() == BLOB, "{what}");
        world.fills_ended(2).await;
        assert_eq!(world.holds("mirror/app", &digest).await, served, "{what}");
        assert_eq!(world.upstream.gets(&path), gets, "{what}");
        // Whatever an upstream says, what others are served stays.
        assert!(world.holds("hub/app", &digest).await, "{what}");
        assert_eq!(&world.blob("hub/app", &digest).await.unwrap()[..], BLOB, "{what}");
    }
}

#[tokio::test]
async fn another_identity_has_to_ask_for_itself() {
    let (world, digest, path) = with_two_rules().await;
    world.upstream.require_basic("alice", "wonder");
    let alice = world.credentials("alice", "alice", "wonder").await;
    let bob = world.credentials("bob", "bob", "builder").await;
    world.rule("private", |rule| rule.credential_arn = Some(alice.clone())).await;
    world.rule("again", |rule| rule.credential_arn = Some(alice)).await;
    world.rule("stranger", |rule| rule.credential_arn = Some(bob)).await;
    assert_eq!(&world.blob("private/app", &digest).await.unwrap()[..], BLOB);
    world.fills_ended(1).await;

    for name in ["stranger/app", "hub/app"] {
        let refused = world.open(name, &digest).await.unwrap_err();
        let PullError::Upstream(error) = refused else { panic!("{name}: {refused}") };
        assert!(matches!(&*error, Error::Unauthorized { .. }), "{name}: {error}");
        assert!(!world.has_repository(name).await, "{name}");
        let stat = world.stat_blob(name, &digest).await;
        assert!(matches!(stat, Err(PullError::Upstream(_))), "{name}: {stat:?}");
    }
    let get_count = world.upstream.gets(&path);
    assert_eq!(&world.blob("again/app", &digest).await.unwrap()[..], BLOB);
    assert_eq!(world.upstream.gets(&path), get_count);
}

/// While Alice's transfer runs, Bob's eyes need their own.
#[tokio::test]
async fn identities_do_not_join_one_transfer() {
    let (world, _, _) = with_two_rules().await;
    let arn = world.credentials("alice", "alice", "wonder").await;
    world.rule("private", |rule| rule.credential_arn = Some(arn)).await;
    let pattern = Pattern::new(2, 100_000);
    let digest = world.upstream.add_pattern("app", &pattern);
    let (path, gate) = (blob_path("app", &digest), Gate::shut());
    world.upstream.script(&path, Script::new().stall(1000, &gate));

    let mut readers = Vec::new();
    for name in ["private/app", "hub/app"] {
        readers.push(world.open(name, &digest).await.unwrap());
    }
    assert_eq!(world.upstream.gets(&path), 2);
    gate.open();
    for mut reader in readers {
        assert!(pattern.matches(0, &read_to_end(&mut reader).await.unwrap()));
    }
    until("both are linked", || async {
        world.holds("private/app", &digest).await && world.holds("hub/app", &digest).await
    })
    .await;
}

#[tokio::test]
async fn a_link_is_served_as_a_hit_without_a_question() {
    let (world, digest, _) = with_two_rules().await;
    world.blob("hub/app", &digest).await.unwrap();
    world.fills_ended(1).await;
    world.upstream.stop().await;
    let open = world.open_blob("hub/app", &digest).await.unwrap();
    assert!(matches!(open.served, Served::Hit));
    let part = read_to_end(&mut open.read(Some(4..9))).await.unwrap();
    assert_eq!(part, Bytes::from_static(&BLOB[4..9]));
}

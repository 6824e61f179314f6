//! Links: bytes are shared, permission is not.

use bytes::Bytes;
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

/// Random bytes, too many to come whole for a proof.
fn large() -> Pattern {
    Pattern::new(3, 300_000)
}

#[tokio::test]
async fn bytes_that_are_here_cost_another_repository_one_part() {
    let (world, _, _) = with_two_rules().await;
    let pattern = large();
    let digest = world.upstream.add_pattern("app", &pattern);
    let path = blob_path("app", &digest);
    assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()));
    world.fills_ended(1).await;
    assert!(!world.holds("mirror/app", &digest).await);

    world.upstream.forget_requests();
    let open = world.open_blob("mirror/app", &digest).await.unwrap();
    assert_eq!(open.size_bytes, Some(pattern.size_bytes()));
    assert!(pattern.matches(0, &read_to_end(&mut open.read(None)).await.unwrap()));
    world.fills_ended(2).await;
    assert!(world.holds("mirror/app", &digest).await);
    for _ in 0..2 {
        assert!(pattern.matches(0, &world.blob("mirror/app", &digest).await.unwrap()));
    }
    let asked = world.upstream.requests();
    assert_eq!((asked.len(), world.upstream.gets(&path)), (1, 1));
    let range = asked[0].header("range").and_then(|range| range.strip_prefix("bytes=")).unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let [first, last] = [first, last].map(|offset| offset.parse::<u64>().unwrap());
    assert_eq!(last - first + 1, 64 << 10);
    assert_eq!(world.registry.counters().get(Counter::FillBytes), pattern.size_bytes());
}

/// What is small proves itself by coming whole; so does what anybody could guess.
#[tokio::test]
async fn what_proves_nothing_in_part_comes_whole() {
    for bytes in [BLOB.to_vec(), vec![0; 300_000], b"abc".repeat(100_000)] {
        let (world, _, _) = with_two_rules().await;
        let digest = world.upstream.add_blob("app", bytes.clone());
        world.blob("hub/app", &digest).await.unwrap();
        world.fills_ended(1).await;
        world.upstream.forget_requests();
        assert!(world.blob("mirror/app", &digest).await.unwrap() == bytes);
        let asked = world.upstream.requests();
        assert_eq!((asked.len(), asked[0].header("range")), (1, None));
    }
}

/// An upstream that has forgotten the blob, or sends no parts, or only says that it has it.
#[tokio::test]
async fn only_the_right_part_shares_the_bytes() {
    let (length, other) = (64 << 10, |size: u64| format!("bytes 0-65535/{size}"));
    let lie =
        Script::status(206).body(&"x".repeat(length)).header("content-range", &other(300_000));
    for (what, script, served, gets) in [
        ("sends the part", None, true, 2),
        ("sends no parts", Some(Script::new().ignore_range()), true, 3),
        ("has a wrong byte", Some(Script::new().wrong_byte(77).times(1)), true, 3),
        ("has another part", Some(lie.times(1)), true, 3),
        ("has it shorter", Some(Script::status(416).times(1)), true, 3),
        ("has it no more", Some(Script::status(404)), false, 2),
        ("denies it", Some(Script::error(403, "DENIED", "no")), false, 2),
        ("is out of order", Some(Script::status(500)), false, 2),
    ] {
        let (world, _, _) = with_two_rules().await;
        let pattern = large();
        let digest = world.upstream.add_pattern("app", &pattern);
        let path = blob_path("app", &digest);
        world.blob("hub/app", &digest).await.unwrap();
        world.fills_ended(1).await;
        script.into_iter().for_each(|script| world.upstream.script(&path, script));

        let found = world.blob("mirror/app", &digest).await;
        assert_eq!(found.is_ok(), served, "{what}");
        assert!(found.is_err() || pattern.matches(0, &found.unwrap()), "{what}");
        world.fills_ended(2).await;
        assert_eq!(world.holds("mirror/app", &digest).await, served, "{what}");
        assert_eq!(world.upstream.gets(&path), gets, "{what}");
        // Whatever an upstream says, what others are served stays.
        assert!(world.holds("hub/app", &digest).await, "{what}");
        assert!(pattern.matches(0, &world.blob("hub/app", &digest).await.unwrap()), "{what}");
    }
}

/// Whoever may make rules names an upstream of his own that says it has what he knows the digest of.
#[tokio::test]
async fn who_only_knows_a_digest_gets_nothing() {
    let (world, _, _) = with_two_rules().await;
    let pattern = large();
    let digest = world.upstream.add_pattern("app", &pattern);
    world.blob("hub/app", &digest).await.unwrap();
    world.fills_ended(1).await;

    let liar = testkit::ScriptedUpstream::start().await;
    let size = pattern.size_bytes();
    let zeros = "\0".repeat(usize::try_from(size).unwrap());
    liar.script(&blob_path("app", &digest), Script::new().body(&zeros));
    world.rule("mine", |rule| rule.upstream_registry_url = liar.url()).await;
    assert!(world.blob("mine/app", &digest).await.is_err());
    world.fills_ended(2).await;
    assert!(!world.holds("mine/app", &digest).await);
    assert!(world.holds("hub/app", &digest).await);
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
    // What is as small proves itself by coming whole.
    assert_eq!(world.upstream.gets(&path), get_count + 1);
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

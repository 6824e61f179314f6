//! Manifests: byte exact, bounded, checked.

use http::Method;
use oci::{Algorithm, Digest, Reference, Tag, media_type};
use testkit::{Script, ScriptedUpstream, manifest_path};
use upstream::Upstream as _;

use crate::world::{
    MANIFEST, REPOSITORY, client, kind, settings, tag, target, target_as, with_manifest,
};

#[tokio::test]
async fn a_manifest_comes_byte_for_byte_by_tag_and_by_digest() {
    let (upstream, digest, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    for reference in [tag("3.20"), Reference::Digest(digest.clone())] {
        let manifest = client.fetch_manifest(&target, &reference).await.unwrap();
        assert_eq!(manifest.bytes, MANIFEST);
        assert_eq!(manifest.digest, digest);
        assert_eq!(manifest.media_type.as_deref(), Some(media_type::OCI_MANIFEST));
    }
    let stat = client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!(stat.digest, Some(digest));
    assert_eq!(stat.media_type.as_deref(), Some(media_type::OCI_MANIFEST));
    assert_eq!(stat.size_bytes, Some(MANIFEST.len() as u64));
    assert_eq!((upstream.gets(&path), upstream.heads(&path)), (1, 1));

    let seen = &upstream.requests()[0];
    let accept = seen.header("accept").unwrap();
    assert!(media_type::MANIFESTS.iter().all(|media_type| accept.contains(media_type)), "{accept}");
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert!(seen.header("user-agent").unwrap().starts_with("cistern/"));
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn a_digest_of_another_algorithm_is_checked_with_it() {
    let upstream = ScriptedUpstream::start().await;
    let digest = Digest::of_with(Algorithm::Sha512, MANIFEST.as_bytes());
    let path = manifest_path(REPOSITORY, digest.as_str());
    upstream.add_file(&path, MANIFEST);
    let (client, target) = (client(settings()), target(&upstream.url()));
    let reference = Reference::Digest(digest.clone());
    assert_eq!(client.fetch_manifest(&target, &reference).await.unwrap().digest, digest);
    upstream.add_file(&path, "{}");
    assert_eq!(kind(&client.fetch_manifest(&target, &reference).await), "digest mismatch");
}

#[tokio::test]
async fn what_is_no_manifest_is_told_apart() {
    let (upstream, digest, path) = with_manifest().await;
    let mut settings = settings();
    settings.limits.manifest_bytes_max = 100;
    let (client, target) = (client(settings), target(&upstream.url()));
    let other = Digest::of(b"other").to_string();
    let header = "docker-content-digest";
    for (script, expected) in [
        (Script::new(), "ok"),
        (Script::new().without_header(header), "ok"),
        (Script::new().header(header, "nonsense"), "ok"),
        (Script::new().without_header("content-type"), "ok"),
        (Script::new().chunked(), "ok"),
        (Script::new().until_close(), "ok"),
        (Script::new().header("content-encoding", "identity"), "ok"),
        (Script::new().header(header, &other), "digest mismatch"),
        (Script::new().wrong_byte(5), "digest mismatch"),
        (Script::new().body("{\"a\": 1}"), "digest mismatch"),
        (
            Script::new().header("content-type", "text/html; charset=utf-8"),
            "invalid: a web page came where a registry answers",
        ),
        (
            Script::new().header("content-encoding", "gzip"),
            "invalid: content coding gzip was not asked for",
        ),
        (
            Script::new().body("<html>").without_header(header),
            "invalid: a manifest is not a JSON object",
        ),
        (
            Script::new().body("[]").without_header(header),
            "invalid: a manifest is not a JSON object",
        ),
        (Script::new().body(&"x".repeat(101)), "larger than 100"),
        (Script::new().body(&"x".repeat(101)).chunked(), "larger than 100"),
        (Script::status(206).body("{}"), "invalid: a part came where the whole was asked for"),
        (Script::new().short(10), "transport: transfer"),
        (Script::new().reset(10), "transport: transfer"),
    ] {
        upstream.script(&path, script.clone());
        let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{script:?}");
        if let Ok(manifest) = outcome {
            assert_eq!(
                (manifest.digest, &manifest.bytes[..]),
                (digest.clone(), MANIFEST.as_bytes())
            );
        }
    }
}

#[tokio::test]
async fn a_stat_takes_what_the_headers_say() {
    let (upstream, _, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let bare = Script::new().without_header("docker-content-digest").without_header("content-type");
    upstream.script(&path, bare);
    let stat = client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!((stat.digest, stat.media_type), (None, None));
    let typed = "application/vnd.oci.image.manifest.v1+json; charset=utf-8";
    upstream.script(&path, Script::new().header("content-type", typed));
    let stat = client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    assert_eq!(stat.media_type.as_deref(), Some(media_type::OCI_MANIFEST));
    upstream.script(&path, Script::new().header("content-type", "text/html"));
    let page = client.stat_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&page), "invalid: a web page came where a registry answers");
    assert_eq!(upstream.gets(&path), 0);
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_is_no_failure() {
    let (upstream, _, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    upstream.stop().await;
    upstream.restart().await;
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    // The server takes the request and hangs up: seen once more, and only once.
    upstream.script(&path, Script::hang_up().times(1));
    client.stat_manifest(&target, &tag("3.20")).await.unwrap();
    upstream.forget_requests();
    upstream.script(&path, Script::hang_up().only(&Method::GET));
    let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "transport: transfer");
    assert_eq!(upstream.gets(&path), 2);
}

const ETAG: &str = "etag";
const DIGEST: &str = "docker-content-digest";

/// What lines of `If-None-Match` the last request had.
fn condition(upstream: &ScriptedUpstream) -> Vec<String> {
    let seen = upstream.requests().pop().unwrap();
    let lines = seen.headers.get_all("if-none-match").iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_held_is_not_sent_again() {
    let (upstream, digest, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let tag = Tag::parse("3.20").unwrap();
    let unless = |held| client.fetch_manifest_unless(&target, &tag, held);
    // Most make the digest their ETag: nothing has to be known of them.
    assert_eq!(unless(&digest).await.unwrap(), None);
    assert_eq!(condition(&upstream), [format!("\"{digest}\"")]);
    let accept = upstream.requests()[0].header("accept").unwrap().to_owned();
    assert!(accept.contains(media_type::OCI_INDEX), "{accept}");
    let other = Digest::of(b"other");
    let moved = unless(&other).await.unwrap().unwrap();
    assert_eq!((moved.digest, &moved.bytes[..]), (digest.clone(), MANIFEST.as_bytes()));

    // Others have one of their own, which counts once it came with the manifest.
    upstream.script(&path, Script::new().header(ETAG, "\"5f3-1\"").without_header(DIGEST));
    assert!(unless(&digest).await.unwrap().is_some());
    assert_eq!(unless(&digest).await.unwrap(), None);
    assert_eq!(condition(&upstream), ["\"5f3-1\"".to_owned(), format!("\"{digest}\"")]);
    // To somebody else it is not shown, nor for anything else.
    assert!(
        client
            .fetch_manifest_unless(&target_as(&upstream.url(), "a", "b"), &tag, &digest)
            .await
            .unwrap()
            .is_some()
    );
    assert!(unless(&other).await.unwrap().is_some());
    assert_eq!(condition(&upstream), [format!("\"{other}\"")]);

    upstream.script(&path, Script::new().ignore_conditions());
    assert_eq!(unless(&digest).await.unwrap().unwrap().bytes, MANIFEST);
    for (status, expected) in [(404, "not found"), (405, "status 405"), (503, "status 503")] {
        upstream.script(&path, Script::status(status));
        assert_eq!(kind(&unless(&digest).await), expected);
    }
}

/// Something between us and the upstream keeps answers, and gives one that is about another image.
#[tokio::test]
async fn a_304_that_names_another_digest_is_not_believed() {
    let (upstream, digest, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let held = Digest::of(b"held");
    let lie = Script::status(304).header(DIGEST, digest.as_str()).times(1);
    upstream.script(&path, lie);
    let tag = Tag::parse("3.20").unwrap();
    let fetched = client.fetch_manifest_unless(&target, &tag, &held).await.unwrap();
    assert_eq!(fetched.unwrap().digest, digest);
    assert_eq!(upstream.gets(&path), 2);
    assert_eq!(condition(&upstream), Vec::<String>::new());
    // Without having been asked for one, a 304 is no answer.
    upstream.script(&path, Script::status(304));
    let plain = client.fetch_manifest(&target, &Reference::Tag(tag)).await;
    assert_eq!(kind(&plain), "status 304");
}

/// A registry of files says no digest; what it says of its file is as good.
#[tokio::test]
async fn a_stat_without_digest_is_known_by_its_etag() {
    let (upstream, digest, path) = with_manifest().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let stat = || async { client.stat_manifest(&target, &tag("3.20")).await.unwrap().digest };
    for (etag, is_known) in [("\"5f3-1\"", true), ("W/\"5f3-1\"", false), ("5f3-1", false)] {
        upstream.script(&path, Script::new().header(ETAG, etag).without_header(DIGEST));
        client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
        assert_eq!(stat().await, is_known.then(|| digest.clone()), "{etag}");
        upstream.script(&path, Script::new().header(ETAG, "\"2\"").without_header(DIGEST));
        assert_eq!(stat().await, None, "{etag}");
    }
}

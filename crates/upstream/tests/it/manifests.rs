//! Manifests: byte exact, bounded, checked.

use http::Method;
use oci::{Algorithm, Digest, Reference, media_type};
use testkit::{Script, ScriptedUpstream, manifest_path};
use upstream::Upstream as _;

use crate::world::{MANIFEST, REPOSITORY, client, kind, settings, tag, target, with_manifest};

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

//! One test for each endpoint and each error code of the data plane.

mod lists;
mod push;
mod short_names;
mod specification;

use std::time::Duration;

use ::blobs::Error as BlobsError;
use bytes::Bytes;
use metadata::Error as MetadataError;
use oci::{Reference, RepositoryName, media_type};
use registry::{Denied, FillError, PullError, SecretError, StorageError};
use serde_json::json;
use testkit::{Gate, Script, blob_path, manifest_path};

use super::{
    error::{self, Subject},
    *,
};
use crate::doors::tests::{ACCOUNT, Answer, HOST, World, registry_id};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[tokio::test]
async fn manifests_by_tag_and_by_digest() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, _) = world.image("team/app", "1", b"layer");
    for (reference, status) in [
        ("1".to_owned(), "cistern; fwd=uri-miss; stored"),
        ("1".to_owned(), "cistern; hit"),
        (digest.to_string(), "cistern; hit"),
    ] {
        let path = format!("/v2/hub/team/app/manifests/{reference}");
        // A client that would rather have something else gets what is stored.
        let answer = world.ask("GET", &path, &[("accept", "application/json")]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-status"), status);
        assert_eq!(answer.header("content-type"), media_type::OCI_MANIFEST);
        assert_eq!(answer.header("docker-content-digest"), digest.as_str());
        assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert_eq!(answer.headers.contains_key("cache-control"), reference.contains(':'));
        let bytes = answer.body.unwrap();
        assert_eq!(Digest::of(&bytes), digest);
        assert_eq!(answer.announced, Some(bytes.len() as u64));

        let head = world.ask("HEAD", &path, &[]).await;
        assert_eq!((head.status, head.text().as_str()), (200, ""));
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        assert_eq!(head.header("docker-content-digest"), digest.as_str());

        let tag = format!("\"{digest}\"");
        let known = world.ask("GET", &path, &[("if-none-match", &tag)]).await;
        assert_eq!((known.status, known.text().as_str()), (304, ""));
        assert_eq!(known.header("etag"), tag);
    }
    assert_eq!(world.upstream.gets(&manifest_path("team/app", "1")), 1);
}

/// A node that uses the registry as a mirror asks by the upstream's own name.
#[tokio::test]
async fn a_mirror_is_asked_by_the_upstreams_name() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("team/app", "1", b"layer");
    let ns = world.upstream.authority();
    for path in [
        format!("/v2/team/app/manifests/1?ns={ns}"),
        format!("/v2/team/app/manifests/{digest}?ns={}", ns.replace(':', "%3A")),
        format!("/v2/team/app/blobs/{layer}?ns={ns}"),
        "/v2/hub/team/app/manifests/1".to_owned(),
    ] {
        assert_eq!(world.get(&path).await.status, 200, "{path}");
    }
    assert_eq!(world.upstream.gets(&manifest_path("team/app", "1")), 1);
    world.upstream.forget_requests();
    let other = world.get("/v2/team/app/manifests/1?ns=registry.example").await;
    assert_eq!(other.status, 404);
    assert!(other.text().contains("NAME_UNKNOWN"), "{}", other.text());
    assert!(world.upstream.requests().is_empty(), "it was asked elsewhere");
}

#[tokio::test]
async fn every_answer_under_a_rule_names_it() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"layer");
    let manifest = "/v2/hub/app/manifests/1";
    world.upstream.script(&manifest_path("app", "1"), Script::status(500));
    for (path, status, rule) in [
        (manifest, 502, "hub"),
        ("/v2/hub/app/manifests/absent", 404, "hub"),
        ("/v2/other/app/manifests/1", 404, ""),
        ("/v2/", 200, ""),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.header("cistern-rule")), (status, rule), "{path}");
    }
    world.upstream.unscript(&manifest_path("app", "1"));
    for path in [manifest, manifest, &format!("/v2/hub/app/blobs/{layer}"), "/v2/hub/app/tags/list"]
    {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.header("cistern-rule")), (200, "hub"), "{path}");
    }
}

#[tokio::test]
async fn a_stale_tag_says_so() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    world.clock.advance(25 * 60 * 60 * 1000);
    world.upstream.script(&manifest_path("app", "1"), Script::status(503));
    let answer = world.get("/v2/hub/app/manifests/1").await;
    assert_eq!(answer.status, 200);
    let status = answer.header("cache-status");
    assert!(status.starts_with("cistern; fwd=stale; detail=\""), "{status}");
    assert!(status.contains("503") && status.ends_with('"'), "{status}");
}

#[tokio::test]
async fn blobs_whole_and_in_parts() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"0123456789");
    let path = format!("/v2/hub/app/blobs/{layer}");
    // The blob before its manifest, its HEAD before its GET: neither is known yet.
    let head = world.ask("HEAD", &path, &[]).await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 0, "a HEAD starts no fill");
    for cache_status in ["cistern; fwd=uri-miss; stored", "cistern; hit"] {
        let answer = world.get(&path).await;
        assert_eq!((answer.status, answer.announced), (200, Some(10)));
        assert_eq!(answer.text(), "0123456789");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("docker-content-digest"), layer.as_str());
        assert_eq!(answer.header("etag"), format!("\"{layer}\""));
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
        assert_eq!(answer.header("cache-status"), cache_status);
        committed(&world, &path).await;
    }
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 1);
    for (range, status, content_range, text) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-3", 206, "bytes 7-9/10", "789"),
        ("bytes=0-99", 206, "bytes 0-9/10", "0123456789"),
        ("bytes=x", 200, "", "0123456789"),
    ] {
        let answer = world.ask("GET", &path, &[("range", range)]).await;
        assert_eq!((answer.status, answer.text().as_str()), (status, text), "{range}");
        assert_eq!(answer.header("content-range"), content_range, "{range}");
        assert_eq!(answer.announced, Some(text.len() as u64));
    }
    let beyond = world.ask("GET", &path, &[("range", "bytes=10-")]).await;
    assert_eq!((beyond.status, beyond.code().as_str()), (416, "SIZE_INVALID"));
    assert_eq!(beyond.header("content-range"), "bytes */10");
    let other = world.ask("GET", &path, &[("range", "bytes=1-2"), ("if-range", "\"x\"")]).await;
    assert_eq!(other.status, 200);
    let tag = format!("\"{layer}\"");
    let same = world.ask("GET", &path, &[("range", "bytes=1-2"), ("if-range", &tag)]).await;
    assert_eq!((same.status, same.text().as_str()), (206, "12"));
    let known = world.ask("GET", &path, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.text().as_str()), (304, ""));
    let ranged_head = world.ask("HEAD", &path, &[("range", "bytes=1-2")]).await;
    assert_eq!((ranged_head.status, ranged_head.header("content-length")), (200, "10"));
}

/// Returns the parts of a `multipart/byteranges` answer: `Content-Range` and bytes of each.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let content_type = answer.header("content-type");
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let body = answer.body.as_ref().unwrap();
    assert_eq!(answer.announced, Some(body.len() as u64));
    let mut rest: &[u8] = body;
    let mut parts = Vec::new();
    loop {
        let delimiter = format!("--{boundary}");
        rest = rest.strip_prefix(delimiter.as_bytes()).unwrap();
        if rest == b"--\r\n" {
            return parts;
        }
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        assert!(head.starts_with("\r\nContent-Type: application/octet-stream\r\n"), "{head}");
        let (_, range) = head.split_once("Content-Range: ").unwrap();
        let (span, _) = range["bytes ".len()..].split_once('/').unwrap();
        let (first, last) = span.split_once('-').unwrap();
        let length = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        let bytes = &rest[end + 4..][..length];
        parts.push((range.to_owned(), bytes.to_vec()));
        rest = rest[end + 4 + length..].strip_prefix(b"\r\n").unwrap();
    }
}

#[tokio::test]
async fn several_ranges_come_in_one_answer() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"0123456789");
    let path = format!("/v2/hub/app/blobs/{layer}");
    for cache_status in ["cistern; fwd=uri-miss; stored", "cistern; hit"] {
        let ranges = "bytes=6-7,0-1, -1,40-";
        let answer = world.ask("GET", &path, &[("range", ranges)]).await;
        assert_eq!((answer.status, answer.header("content-range")), (206, ""));
        assert_eq!(answer.header("cache-status"), cache_status);
        assert_eq!(answer.header("docker-content-digest"), layer.as_str());
        let expected = [("6-7", "67"), ("0-1", "01"), ("9-9", "9")];
        let expected =
            expected.map(|(range, bytes)| (format!("bytes {range}/10"), bytes.as_bytes().to_vec()));
        assert_eq!(parts(&answer), expected);
        committed(&world, &path).await;
    }
    let tag = format!("\"{layer}\"");
    for (range, if_range, status, content_range) in [
        ("bytes=0-1,20-", tag.as_str(), 206, "bytes 0-1/10"),
        ("bytes=10-,20-", tag.as_str(), 416, "bytes */10"),
        ("bytes=0-1,1-0", tag.as_str(), 416, "bytes */10"),
        ("bytes=0-1,0-1,0-1", tag.as_str(), 200, ""),
        ("bytes=0-1,3-4", "\"other\"", 200, ""),
    ] {
        let headers = [("range", range), ("if-range", if_range)];
        let answer = world.ask("GET", &path, &headers).await;
        assert_eq!((answer.status, answer.header("content-range")), (status, content_range));
    }
    let same = world.ask("GET", &path, &[("range", "bytes=0-1,3-4"), ("if-range", &tag)]).await;
    assert_eq!(parts(&same).len(), 2);
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 1);
}

#[tokio::test]
async fn several_ranges_of_a_blob_still_coming_follow_it() {
    let world = World::start().await;
    world.rule("hub").await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let (_, layer) = world.image("app", "1", &bytes);
    let gate = Gate::shut();
    world.upstream.script(&blob_path("app", &layer), Script::new().stall(300_000, &gate));
    let path = format!("/v2/hub/app/blobs/{layer}");
    let there = world.ask("GET", &path, &[("range", "bytes=1000-1999,0-0,5-299000")]).await;
    let expected = [&bytes[1000..2000], &bytes[..1], &bytes[5..299_001]];
    assert!(parts(&there).iter().map(|(_, part)| part.as_slice()).eq(expected));
    // The end comes first here, and the end is withheld until it is proven.
    let (later, ()) =
        tokio::join!(world.ask("GET", &path, &[("range", "bytes=-1,0-1999")]), async {
            gate.open();
        });
    let expected = [&bytes[599_999..], &bytes[..2000]];
    assert!(parts(&later).iter().map(|(_, part)| part.as_slice()).eq(expected));
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 1);
}

#[tokio::test]
async fn a_wrong_byte_ends_several_ranges_with_an_error() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", &[7; 1000]);
    world.upstream.script(&blob_path("app", &layer), Script::new().wrong_byte(10));
    let path = format!("/v2/hub/app/blobs/{layer}");
    let answer = world.ask("GET", &path, &[("range", "bytes=0-20,990-")]).await;
    assert!(answer.status == 502 || answer.body.is_err(), "{answer:?}");
}

/// Waits until the blob at `path` is served from what is stored.
async fn committed(world: &World, path: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while world.ask("HEAD", path, &[]).await.header("cache-status") != "cistern; hit" {
        assert!(tokio::time::Instant::now() < deadline, "the blob was never committed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_range_of_a_blob_still_coming_is_answered_as_soon_as_its_bytes_are_there() {
    let world = World::start().await;
    world.rule("hub").await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let (_, layer) = world.image("app", "1", &bytes);
    let gate = Gate::shut();
    world.upstream.script(&blob_path("app", &layer), Script::new().stall(300_000, &gate));
    let path = format!("/v2/hub/app/blobs/{layer}");
    let part = world.ask("GET", &path, &[("range", "bytes=1000-1999")]).await;
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 1000-1999/600000"));
    assert_eq!(part.body.unwrap(), bytes[1000..2000]);
    let (whole, ()) = tokio::join!(world.get(&path), async { gate.open() });
    assert_eq!(whole.body.unwrap(), bytes);
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 1);
}

#[tokio::test]
async fn no_clean_end_of_wrong_bytes() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", &[7; 1000]);
    let (upstream_path, path) = (blob_path("app", &layer), format!("/v2/hub/app/blobs/{layer}"));
    for script in [
        Script::new().wrong_byte(10),
        Script::new().wrong_byte(999),
        Script::new().wrong_byte(10).chunked(),
        Script::new().short(400).chunked(),
    ] {
        world.upstream.script(&upstream_path, script);
        let answer = world.get(&path).await;
        // What breaks off is gone on with, so that an end may come that is clean and right.
        let is_right = answer.body.as_ref().is_ok_and(|body| *body == vec![7; 1000]);
        let is_told = answer.status == 502 || answer.body.is_err();
        assert!(is_right || is_told, "{answer:?}");
    }
    world.upstream.unscript(&upstream_path);
    assert_eq!(world.get(&path).await.body.unwrap(), vec![7; 1000]);
}

#[tokio::test]
async fn an_empty_answer_is_proven_before_it_leaves() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"x");
    let empty = world.upstream.add_blob("app", Bytes::new());
    let script = Script::status(200).body("");
    world.upstream.script(&blob_path("app", &layer), script);
    let lie = world.get(&format!("/v2/hub/app/blobs/{layer}")).await;
    assert_eq!((lie.status, lie.code().as_str()), (502, "UNAVAILABLE"));
    for _ in 0..2 {
        let truth = world.get(&format!("/v2/hub/app/blobs/{empty}")).await;
        assert_eq!((truth.status, truth.announced), (200, Some(0)));
    }
}

#[tokio::test]
async fn without_chunks_a_length_is_needed() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"0123456789");
    // Before the end has come nobody knows the length.
    let gate = Gate::shut();
    world.upstream.script(&blob_path("app", &layer), Script::new().chunked().stall(5, &gate));
    let path = format!("/v2/hub/app/blobs/{layer}");
    let authorization = doors::tests::basic("AWS", &world.token());
    let ask = || {
        http::Request::builder()
            .version(http::Version::HTTP_10)
            .uri(&path)
            .header("host", HOST)
            .header("authorization", &authorization)
            .body(http_body_util::Full::default())
            .unwrap()
    };
    let refused = world.send(ask()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    gate.open();
    committed(&world, &path).await;
    assert_eq!(world.send(ask()).await.text(), "0123456789");
}

#[tokio::test]
async fn a_registry_without_room_says_so() {
    let world = World::start_staging(1 << 10, |_| {}).await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", &[7; 1 << 20]);
    let answer = world.get(&format!("/v2/hub/app/blobs/{layer}")).await;
    // The head may have left before the room ran out; then the connection is aborted.
    assert!(answer.status == 503 || answer.body.is_err(), "{answer:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_path_is_named() {
    let world = World::start().await;
    for (path, status, code, words) in [
        ("/v2/Bad/manifests/1", 400, "NAME_INVALID", "invalid repository name"),
        ("/v2/a//b/tags/list", 400, "NAME_INVALID", "path components"),
        ("/v2/a/manifests/.x", 404, "MANIFEST_UNKNOWN", "a tag has 1 to 128"),
        ("/v2/a/manifests/sha256:1", 400, "DIGEST_INVALID", "64 lower-case"),
        ("/v2/a/blobs/sha256:1", 400, "DIGEST_INVALID", "64 lower-case"),
        ("/v2/a/blobs/latest", 400, "DIGEST_INVALID", "algorithm:hex"),
        ("/v2/a/unknown", 404, "UNSUPPORTED", "no such endpoint"),
        ("/v2/a", 404, "UNSUPPORTED", "no such endpoint"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
        assert!(answer.message().contains(words), "{path}: {}", answer.message());
    }
    for (method, path, status) in [
        ("HEAD", "/v2/Bad/manifests/1", 400),
        ("HEAD", "/v2/a/manifests/.INVALID", 404),
        ("PUT", "/v2/a/manifests/.INVALID", 400),
    ] {
        let answer = world.ask(method, path, &[]).await;
        assert_eq!((answer.status, answer.text().is_empty()), (status, method == "HEAD"), "{path}");
    }
}

#[tokio::test]
async fn nothing_there_is_told_apart() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    let unknown = world.get("/v2/nowhere/x/manifests/1").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "NAME_UNKNOWN"));
    assert_eq!(
        unknown.message(),
        format!(
            "The repository with name 'nowhere/x' does not exist in the registry with id \
             '{ACCOUNT}'"
        )
    );
    let untagged = world.get("/v2/hub/app/manifests/2").await;
    assert_eq!((untagged.status, untagged.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    assert_eq!(untagged.message(), "Requested image not found");
    let blob = world.get(&format!("/v2/hub/app/blobs/{DIGEST}")).await;
    assert_eq!((blob.status, blob.code().as_str()), (404, "BLOB_UNKNOWN"));
    assert_eq!(world.ask("HEAD", "/v2/hub/app/manifests/2", &[]).await.status, 404);
    let repositories = world.ecr("DescribeRepositories", json!({})).await.json();
    assert_eq!(repositories["repositories"], json!([]), "a failed pull creates none");
}

#[tokio::test]
async fn the_upstreams_truth_on_a_miss() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"layer");
    let paths = [
        (manifest_path("app", "1"), "/v2/hub/app/manifests/1".to_owned(), "MANIFEST_UNKNOWN"),
        (blob_path("app", &layer), format!("/v2/hub/app/blobs/{layer}"), "BLOB_UNKNOWN"),
    ];
    for (upstream_path, path, unknown) in paths {
        for (script, status, code) in [
            (Script::status(401), 403, "DENIED"),
            (Script::error(403, "DENIED", "no"), 403, "DENIED"),
            (Script::status(404), 404, unknown),
            (Script::status(500), 502, "UNAVAILABLE"),
            (Script::hang_up(), 502, "UNAVAILABLE"),
            (Script::black_hole(), 504, "UNAVAILABLE"),
            // The last one: it holds for a while.
            (Script::status(429).retry_after("7"), 429, "TOOMANYREQUESTS"),
        ] {
            let told = format!("{script:?}");
            world.upstream.script(&upstream_path, script);
            let answer = world.get(&path).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{told}");
            assert_eq!(answer.header("retry-after"), if status == 429 { "7" } else { "" });
            if told.contains("401") {
                assert!(answer.message().starts_with("The authentication to the upstream"));
            }
        }
        world.upstream.unscript(&upstream_path);
    }
}

#[test]
fn every_failure_has_its_answer() {
    let host = || "up.example.com".to_owned();
    let upstream = |error| PullError::Upstream(Arc::new(error));
    let storage = |error| PullError::Storage(Arc::new(error));
    let credentials =
        |source| PullError::Credentials { prefix: "hub".to_owned(), source: Arc::new(source) };
    let io = |kind| BlobsError::Io { action: "writing", source: std::io::Error::from(kind) };
    let blobs = |error| StorageError::Blobs(error);
    let metadata = |error| StorageError::Metadata(error);
    let id = || "arn:aws:secretsmanager:us-east-1:111122223333:secret:x".to_owned();
    let digest = || Digest::parse(DIGEST).unwrap();
    let cases = [
        (
            PullError::Denied(Denied {
                principal: "arn:aws:iam::1:root".to_owned(),
                action: "ecr:BatchGetImage",
                resource: "r".to_owned(),
            }),
            403,
        ),
        (
            PullError::Denied(Denied {
                principal: "anonymous".to_owned(),
                action: "ecr:BatchGetImage",
                resource: "r".to_owned(),
            }),
            401,
        ),
        (
            PullError::NameUnknown {
                registry: registry_id(ACCOUNT, "us-east-1"),
                repository: RepositoryName::parse("a").unwrap(),
                rule_in: None,
            },
            404,
        ),
        (
            PullError::ManifestUnknown {
                repository: RepositoryName::parse("a").unwrap(),
                reference: Reference::parse("1").unwrap(),
                upstream: Some(host()),
            },
            404,
        ),
        (
            PullError::BlobUnknown {
                repository: RepositoryName::parse("a").unwrap(),
                digest: digest(),
                upstream: None,
            },
            404,
        ),
        (upstream(upstream::Error::Invalid { host: host(), reason: "x".to_owned() }), 502),
        (
            upstream(upstream::Error::DigestMismatch {
                host: host(),
                expected: digest(),
                actual: Digest::of(b"x"),
            }),
            502,
        ),
        (upstream(upstream::Error::TooLarge { host: host(), limit_bytes: 1 }), 502),
        (upstream(upstream::Error::Circle { host: host(), reason: "x".to_owned() }), 508),
        (
            upstream(upstream::Error::Refused {
                host: host(),
                destination: "169.254.169.254".to_owned(),
                reason: "it is link-local",
            }),
            502,
        ),
        (
            upstream(upstream::Error::RateLimited {
                host: host(),
                retry_after: None,
                was_asked: true,
            }),
            429,
        ),
        (PullError::BadManifest { host: host(), source: Arc::new(oci::ManifestError::Shape) }, 502),
        (credentials(SecretError::NotFound { id: id() }), 403),
        (credentials(SecretError::Unusable { id: id(), reason: "it is not JSON" }), 403),
        (credentials(SecretError::Sealed { id: id() }), 403),
        (
            credentials(SecretError::Storage(metadata(MetadataError::Unavailable("sql".into())))),
            503,
        ),
        (storage(metadata(MetadataError::Unavailable("SELECT 1".into()))), 503),
        (storage(metadata(MetadataError::Full("SELECT 1".into()))), 503),
        (storage(metadata(MetadataError::Corrupt { record: "tag", source: "x".into() })), 500),
        (storage(blobs(BlobsError::StagingFull { limit_bytes: 1 })), 503),
        (storage(blobs(io(std::io::ErrorKind::StorageFull))), 503),
        (storage(blobs(io(std::io::ErrorKind::PermissionDenied))), 500),
        (storage(blobs(BlobsError::NotFound(digest()))), 500),
        (storage(blobs(BlobsError::SizeMismatch { expected: 1, actual: 2 })), 502),
        (PullError::Fill(Arc::new(FillError::Abandoned)), 503),
        (
            PullError::Fill(Arc::new(FillError::Storage(blobs(BlobsError::StagingFull {
                limit_bytes: 1,
            })))),
            503,
        ),
        (PullError::Abandoned, 503),
    ];
    for (error, status) in cases {
        let told = error.to_string();
        let failure = error::pull(error, Subject::Blob);
        assert_eq!(failure.status().as_u16(), status, "{told}");
        let said = failure.said();
        for secret in ["169.254", "SELECT", "arn:aws:secretsmanager"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn details_of_the_cache_are_well_formed() {
    assert_eq!(quoted("a \"b\" \\ c\u{e4}\n"), "a \\\"b\\\" \\\\ c");
}

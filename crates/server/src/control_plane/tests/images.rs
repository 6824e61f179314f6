//! Images and layers through ECR's API: listed, pulled, looked up, downloaded.

use oci::{Digest, media_type};
use testkit::{Script, blob_path, manifest_path};

use super::*;
use crate::doors::tests::DOCKER_HUB;

const LIST: &str = "ListImages";
const GET: &str = "BatchGetImage";
const CHECK: &str = "BatchCheckLayerAvailability";
const URL: &str = "GetDownloadUrlForLayer";
const INVALID: &str = "InvalidParameterException";
const NO_REPOSITORY: &str = "RepositoryNotFoundException";

/// A world with a rule `hub` and images at its upstream; returns their digests.
async fn world() -> (World, Digest, Digest) {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("app", "1", b"0123456789");
    (world, digest, layer)
}

fn ids(answer: &Value) -> Vec<(String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let ids = answer["imageIds"].as_array().unwrap().iter();
    ids.map(|id| (text(&id["imageDigest"]).unwrap(), text(&id["imageTag"]))).collect()
}

#[tokio::test]
async fn a_batch_is_pulled_as_clients_pull() {
    let (world, digest, _) = world().await;
    let pull = json!({"repositoryName": "hub/app", "imageIds": [{"imageTag": "1"}]});
    let answer = world.ecr(GET, pull.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["failures"], json!([]));
    let image = &answer["images"][0];
    assert_eq!(image["registryId"], ACCOUNT);
    assert_eq!(image["repositoryName"], "hub/app");
    assert_eq!(image["imageId"], json!({"imageDigest": digest.as_str(), "imageTag": "1"}));
    assert_eq!(image["imageManifestMediaType"], media_type::OCI_MANIFEST);
    assert_eq!(Digest::of(image["imageManifest"].as_str().unwrap().as_bytes()), digest);
    // It filled the cache: without the upstream it is still there, by digest and by both.
    world.upstream.script(&manifest_path("app", "1"), Script::status(503));
    let both = json!({"imageTag": "1", "imageDigest": digest.as_str()});
    let ids = json!([{"imageDigest": digest.as_str()}, both]);
    let again = world.ecr(GET, json!({"repositoryName": "hub/app", "imageIds": ids})).await.json();
    assert_eq!(again["images"].as_array().unwrap().len(), 2);
    assert_eq!(again["images"][0]["imageId"], json!({"imageDigest": digest.as_str()}));
    assert_eq!(world.upstream.gets(&manifest_path("app", "1")), 1);

    let mut accepting = pull;
    accepting["acceptedMediaTypes"] = json!([media_type::OCI_INDEX, media_type::OCI_MANIFEST]);
    assert_eq!(world.ecr(GET, accepting.clone()).await.json()["failures"], json!([]));
    accepting["acceptedMediaTypes"] = json!([media_type::DOCKER_MANIFEST]);
    let refused = world.ecr(GET, accepting).await.json();
    assert_eq!(refused["failures"][0]["failureCode"], "ImageNotFound");
    let reason = refused["failures"][0]["failureReason"].as_str().unwrap();
    assert!(reason.contains(media_type::OCI_MANIFEST), "{reason}");
}

#[tokio::test]
async fn what_a_batch_leaves_out_says_why() {
    let (world, digest, _) = world().await;
    let other = Digest::of(b"other");
    for (tag, status) in [("401", 401), ("403", 403), ("429", 429), ("503", 503)] {
        world.upstream.script(&manifest_path("app", tag), Script::status(status));
    }
    for (id, code) in [
        (json!({"imageDigest": "sha256:1"}), "InvalidImageDigest"),
        (json!({"imageTag": "-x"}), "InvalidImageTag"),
        (json!({}), "MissingDigestAndTag"),
        (json!({"imageTag": "1", "imageDigest": other.as_str()}), "ImageTagDoesNotMatchDigest"),
        (json!({"imageTag": "absent"}), "ImageNotFound"),
        (json!({"imageDigest": other.as_str()}), "ImageNotFound"),
        (json!({"imageTag": "401"}), "UpstreamAccessDenied"),
        (json!({"imageTag": "403"}), "UpstreamAccessDenied"),
        (json!({"imageTag": "429"}), "UpstreamTooManyRequests"),
        (json!({"imageTag": "503"}), "UpstreamUnavailable"),
    ] {
        let asked = json!([id, {"imageTag": "1"}]);
        let answer = world.ecr(GET, json!({"repositoryName": "hub/app", "imageIds": asked})).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.text());
        let answer = answer.json();
        assert_eq!(answer["images"][0]["imageId"]["imageDigest"], digest.as_str(), "{id}");
        let failures = answer["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 1, "{id}");
        assert_eq!(failures[0]["failureCode"], code, "{id}");
        assert_eq!(failures[0]["imageId"], id);
        assert_ne!(failures[0]["failureReason"].as_str().unwrap(), "", "{id}");
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_answered_is_an_exception() {
    let (world, ..) = world().await;
    let one = json!([{"imageTag": "1"}]);
    let many: Vec<_> = (0..101).map(|tag| json!({"imageTag": tag.to_string()})).collect();
    for (body, exception) in [
        (json!({"repositoryName": "no/rule", "imageIds": one}), NO_REPOSITORY),
        (json!({"repositoryName": "Hub", "imageIds": one}), INVALID),
        (json!({"repositoryName": "hub/app"}), INVALID),
        (json!({"repositoryName": "hub/app", "imageIds": []}), INVALID),
        (json!({"repositoryName": "hub/app", "imageIds": many}), INVALID),
        (json!({"repositoryName": "hub/app", "imageIds": one, "acceptedMediaTypes": []}), INVALID),
        (
            json!({"repositoryName": "hub/app", "imageIds": one, "registryId": OTHER_ACCOUNT}),
            "AccessDeniedException",
        ),
    ] {
        refused(&world, GET, body, exception).await;
    }
}

#[tokio::test]
async fn images_are_listed_by_id_and_page() {
    let (world, first, _) = world().await;
    let (second, _) = world.image("app", "2", b"other");
    for id in [json!({"imageTag": "1"}), json!({"imageTag": "2"})] {
        let body = json!({"repositoryName": "hub/app", "imageIds": [id]});
        assert_eq!(world.ecr(GET, body).await.json()["failures"], json!([]));
    }
    // The tag moves: the first image stays without one; and the second has two.
    world.image("app", "3", b"other");
    world.image("app", "1", b"third");
    let day = 25 * 60 * 60 * 1000;
    world.clock.advance(day);
    let third = world.get("/v2/hub/app/manifests/1").await;
    let third = third.header("docker-content-digest").to_owned();
    assert_eq!(world.get("/v2/hub/app/manifests/3").await.status, 200);
    world.clock.advance(-day);

    let tag = |tag: &str| Some(tag.to_owned());
    let mut tagged =
        vec![(second.to_string(), tag("2")), (second.to_string(), tag("3")), (third, tag("1"))];
    tagged.sort();
    let untagged = vec![(first.to_string(), None)];
    let mut all = [tagged.clone(), untagged.clone()].concat();
    all.sort();
    for (filter, expected) in [
        (json!({}), &all),
        (json!({"tagStatus": "ANY", "imageStatus": "ACTIVE"}), &all),
        (json!({"tagStatus": "TAGGED"}), &tagged),
        (json!({"tagStatus": "UNTAGGED"}), &untagged),
        (json!({"imageStatus": "ARCHIVED"}), &Vec::new()),
    ] {
        for size in [1, 2, 3, 1000] {
            let (mut seen, mut token) = (Vec::new(), Value::Null);
            loop {
                let body = json!({
                    "repositoryName": "hub/app", "filter": filter, "maxResults": size,
                    "nextToken": token,
                });
                let page = world.ecr(LIST, body).await;
                assert_eq!(page.status, 200, "{}", page.text());
                let page = page.json();
                assert!(ids(&page).len() <= size);
                seen.extend(ids(&page));
                match page.get("nextToken") {
                    Some(next) => token = next.clone(),
                    None => break,
                }
            }
            assert_eq!(&seen, expected, "{filter} by {size}");
        }
    }
    for (body, exception) in [
        (json!({"repositoryName": "hub/none"}), NO_REPOSITORY),
        (json!({"repositoryName": "x"}), INVALID),
        (json!({"repositoryName": "hub/app", "maxResults": 0}), INVALID),
        (json!({"repositoryName": "hub/app", "nextToken": "?"}), INVALID),
        (json!({"repositoryName": "hub/app", "filter": {"tagStatus": "SOME"}}), INVALID),
        (json!({"repositoryName": "hub/app", "registryId": "1"}), INVALID),
    ] {
        refused(&world, LIST, body, exception).await;
    }
}

#[tokio::test]
async fn layers_are_looked_up_without_the_upstream() {
    let (world, _, layer) = world().await;
    let none = json!({"repositoryName": "hub/app", "layerDigests": [layer.as_str()]});
    refused(&world, CHECK, none.clone(), NO_REPOSITORY).await;
    let pull = json!({"repositoryName": "hub/app", "imageIds": [{"imageTag": "1"}]});
    world.ecr(GET, pull).await;
    let before = world.ecr(CHECK, none).await.json();
    let unavailable = json!({"layerDigest": layer.as_str(), "layerAvailability": "UNAVAILABLE"});
    assert_eq!(before["layers"], json!([unavailable]));
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 0);

    world.get(&format!("/v2/hub/app/blobs/{layer}")).await;
    world.fills_ended(1).await;
    let asked = json!([layer.as_str(), "sha256:1", "", Digest::of(b"x").as_str()]);
    let body = json!({"repositoryName": "hub/app", "layerDigests": asked});
    let after = world.ecr(CHECK, body).await.json();
    assert_eq!(
        after["layers"][0],
        json!({"layerDigest": layer.as_str(), "layerAvailability": "AVAILABLE", "layerSize": 10})
    );
    assert_eq!(after["layers"][1]["layerAvailability"], "UNAVAILABLE");
    let codes: Vec<_> = after["failures"].as_array().unwrap().iter().collect();
    assert_eq!(codes[0]["failureCode"], "InvalidLayerDigest");
    assert_eq!(codes[1]["failureCode"], "MissingLayerDigest");
    for body in [
        json!({"repositoryName": "hub/app", "layerDigests": []}),
        json!({"repositoryName": "hub/app", "layerDigests": ["x".repeat(1001)]}),
        json!({"repositoryName": "hub/app"}),
    ] {
        refused(&world, CHECK, body, INVALID).await;
    }
}

#[tokio::test]
async fn a_layer_is_downloaded_by_its_address_alone() {
    let (world, _, layer) = world().await;
    let body = json!({"repositoryName": "hub/app", "layerDigest": layer.as_str()});
    let answer = world.ecr(URL, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["layerDigest"], layer.as_str());
    let url = answer["downloadUrl"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{HOST}")).unwrap();
    assert_eq!(world.upstream.gets(&blob_path("app", &layer)), 0, "an address moves no bytes");

    // Cold and warm, whole and in parts, whatever else is sent along.
    let whole = world.ask_as("GET", path, &[]).await;
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    world.fills_ended(1).await;
    for authorization in ["Basic eDp5", "AWS4-HMAC-SHA256 x"] {
        let range = [("range", "bytes=2-4"), ("authorization", authorization)];
        let part = world.ask_as("GET", path, &range).await;
        assert_eq!((part.status, part.text().as_str()), (206, "234"));
    }
    let head = world.ask_as("HEAD", path, &[]).await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));

    // Nothing else opens with it.
    let (_, query) = path.split_once('?').unwrap();
    let other = world.upstream.add_blob("app", &b"other"[..]);
    let elsewhere = [
        ("GET", format!("/v2/hub/app/blobs/{other}?{query}"), 403),
        ("GET", format!("/v2/hub/other/blobs/{layer}?{query}"), 403),
        ("GET", format!("/v2/hub/app/blobs/{layer}?{}", query.replace("ticket=", "ticket=A")), 403),
        ("GET", format!("/v2/hub/app/manifests/1?{query}"), 401),
        ("GET", format!("/v2/?{query}"), 401),
        ("DELETE", path.to_owned(), 403),
        ("GET", format!("/v2/hub/app/blobs/{layer}"), 401),
    ];
    for (method, path, status) in elsewhere {
        let answer = world.ask_as(method, &path, &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
    // A ticket is no password.
    let ticket = query.strip_prefix("ticket=").unwrap();
    let authorization = basic("AWS", ticket);
    let login = world.ask_as("GET", "/v2/", &[("authorization", &authorization)]).await;
    assert_eq!(login.status, 401);

    world.clock.advance(60 * 60 * 1000);
    let late = world.ask_as("GET", path, &[]).await;
    assert_eq!((late.status, late.code().as_str()), (403, "DENIED"));
    assert!(late.message().contains("expired"), "{}", late.message());
}

#[tokio::test]
async fn an_address_of_nothing_is_refused() {
    let (world, _, layer) = world().await;
    let absent = Digest::of(b"absent");
    world.upstream.script(&blob_path("app", &absent), Script::status(404));
    let refusing = Digest::of(b"refusing");
    world.upstream.script(&blob_path("app", &refusing), Script::status(403));
    for (repository, digest, exception) in [
        ("none", layer.as_str(), NO_REPOSITORY),
        ("hub/app", absent.as_str(), "LayersNotFoundException"),
        ("hub/app", refusing.as_str(), "UnableToGetUpstreamLayerException"),
        ("hub/app", "sha256:1", INVALID),
        ("Hub/app", layer.as_str(), INVALID),
    ] {
        let body = json!({"repositoryName": repository, "layerDigest": digest});
        refused(&world, URL, body, exception).await;
    }
}

#[tokio::test]
async fn official_images_are_read_by_their_short_names_too() {
    let world = World::start().await;
    world.rule_for("docker-hub", DOCKER_HUB).await;
    let (digest, layer) = world.image("library/nginx", "1", b"layer");
    // What an upstream that plays Docker Hub has only there.
    world.image("mine", "1", b"mine");
    let images = |name: &str| json!({"repositoryName": name, "imageIds": [{"imageTag": "1"}]});
    let kept = "docker-hub/library/nginx";
    for name in ["docker-hub/nginx", kept] {
        let pulled = world.ecr("BatchGetImage", images(name)).await.json();
        assert_eq!(pulled["images"][0]["repositoryName"], kept, "{pulled}");
        assert_eq!(pulled["images"][0]["imageId"]["imageDigest"], digest.as_str());
        let listed = world.ecr("ListImages", json!({"repositoryName": name})).await.json();
        assert_eq!(listed["imageIds"][0]["imageDigest"], digest.as_str(), "{listed}");
        let described = world.ecr("DescribeImages", images(name)).await.json();
        assert_eq!(described["imageDetails"][0]["repositoryName"], kept, "{described}");
        let body = json!({"repositoryName": name, "layerDigest": layer.as_str()});
        let url = world.ecr("GetDownloadUrlForLayer", body).await.json();
        let url = url["downloadUrl"].as_str().unwrap_or_default();
        assert!(url.contains("/v2/docker-hub/library/nginx/blobs/"), "{url}");
        let subject = json!({"imageDigest": digest.as_str()});
        let body = json!({"repositoryName": name, "subjectId": subject});
        let referrers = world.ecr("ListImageReferrers", body).await;
        assert_eq!(referrers.json()["referrers"], json!([]), "{}", referrers.text());
    }
    let pulled = world.ecr("BatchGetImage", images("docker-hub/mine")).await.json();
    assert_eq!(pulled["images"][0]["repositoryName"], "docker-hub/mine", "{pulled}");
    let absent = world.ecr("BatchGetImage", images("docker-hub/absent")).await.json();
    assert_eq!(absent["failures"][0]["failureCode"], "ImageNotFound", "{absent}");
    // What is changed, and what a repository is, goes by the very name.
    let named = json!({"repositoryNames": ["docker-hub/nginx"]});
    for (operation, body) in
        [("DescribeRepositories", named), ("BatchDeleteImage", images("docker-hub/nginx"))]
    {
        let answer = world.ecr(operation, body).await;
        assert_eq!(answer.exception(), "RepositoryNotFoundException", "{operation}");
    }
}

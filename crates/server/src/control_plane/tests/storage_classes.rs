//! Storage classes through ECR's API, and what a client is told of what is archived.

use oci::{Digest, media_type};

use super::*;

const PUT: &str = "PutImage";
const MOVE: &str = "UpdateImageStorageClass";
const DESCRIBE_IMAGES: &str = "DescribeImages";
const INVALID: &str = "InvalidParameterException";
const NAME: &str = "team/app";

fn of(members: Value) -> Value {
    let mut body = members;
    body["repositoryName"] = NAME.into();
    body
}

/// Pushes an index, which is an image that needs no bytes of its own.
async fn push(world: &World, tag: Option<&str>, members: Value) -> Digest {
    let mut index = json!({"schemaVersion": 2, "manifests": []});
    for (member, value) in members.as_object().unwrap() {
        index[member] = value.clone();
    }
    let digest = Digest::of(index.to_string().as_bytes());
    let mut body = of(json!({
        "imageManifest": index.to_string(), "imageManifestMediaType": media_type::OCI_INDEX,
    }));
    if let Some(tag) = tag {
        body["imageTag"] = tag.into();
    }
    done(world, PUT, body).await;
    digest
}

fn descriptor(digest: &Digest) -> Value {
    json!({"mediaType": media_type::OCI_INDEX, "digest": digest.as_str(), "size": 1})
}

async fn statuses(world: &World, filter: Value) -> Vec<(Value, Value)> {
    let found = done(world, DESCRIBE_IMAGES, of(json!({ "filter": filter }))).await;
    let details = found["imageDetails"].as_array().unwrap();
    details.iter().map(|it| (it["imageTags"][0].clone(), it["imageStatus"].clone())).collect()
}

#[tokio::test]
async fn an_image_is_archived_and_restored_as_ecr_tells_it() {
    let world = World::start().await;
    let digest = push(&world, Some("v1"), json!({"annotations": {"of": "v1"}})).await;
    push(&world, Some("v2"), json!({"annotations": {"of": "v2"}})).await;
    let to = |class: &str, id: Value| of(json!({"targetStorageClass": class, "imageId": id}));
    let tag = json!({"imageTag": "v1"});
    let moved = |id: Value, status: &str| {
        json!({
            "registryId": ACCOUNT, "repositoryName": NAME, "imageId": id, "imageStatus": status,
        })
    };
    let whole = json!({"imageDigest": digest.as_str(), "imageTag": "v1"});
    let expected = moved(whole.clone(), "ARCHIVED");
    assert_eq!(done(&world, MOVE, to("ARCHIVE", tag.clone())).await, expected);
    assert_eq!(done(&world, MOVE, to("ARCHIVE", whole)).await, expected, "it is there already");

    let archived = (json!("v1"), json!("ARCHIVED"));
    let active = (json!("v2"), json!("ACTIVE"));
    assert_eq!(statuses(&world, json!({})).await, std::slice::from_ref(&active));
    assert_eq!(statuses(&world, json!({"imageStatus": "ACTIVE"})).await, [active]);
    assert_eq!(statuses(&world, json!({"imageStatus": "ARCHIVED"})).await, [archived]);
    assert!(statuses(&world, json!({"imageStatus": "ACTIVATING"})).await.is_empty());
    assert_eq!(statuses(&world, json!({"imageStatus": "ANY"})).await.len(), 2);
    let named = of(json!({"imageIds": [tag]}));
    let detail = done(&world, DESCRIBE_IMAGES, named.clone()).await["imageDetails"][0].clone();
    assert_eq!(detail["imageStatus"], "ARCHIVED");
    assert_eq!(detail["lastArchivedAt"], SECONDS);
    assert_eq!(detail.get("lastActivatedAt"), None);
    let ids = done(&world, "ListImages", of(json!({}))).await;
    assert_eq!(ids["imageIds"].as_array().unwrap().len(), 1);
    let filter = json!({"filter": {"imageStatus": "ARCHIVED"}});
    let ids = done(&world, "ListImages", of(filter)).await;
    assert_eq!(ids["imageIds"], json!([{"imageDigest": digest.as_str(), "imageTag": "v1"}]));

    for reference in ["v1", digest.as_str()] {
        let pulled = world.get(&format!("/v2/{NAME}/manifests/{reference}")).await;
        assert_eq!((pulled.status, pulled.code().as_str()), (404, "MANIFEST_UNKNOWN"));
        let text =
            format!("The image '{reference}' in the repository with name '{NAME}' is archived.");
        assert_eq!(pulled.message(), text);
        let hint = &pulled.json()["errors"][0]["detail"]["hint"];
        assert!(hint.as_str().unwrap().contains("UpdateImageStorageClass"), "{hint}");
    }
    let tags = world.get(&format!("/v2/{NAME}/tags/list")).await.json();
    assert_eq!(tags["tags"], json!(["v2"]));
    let got = done(&world, "BatchGetImage", named.clone()).await;
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
    assert!(got["failures"][0]["failureReason"].as_str().unwrap().contains("archived"), "{got}");

    let pinned = json!({"imageDigest": digest.as_str()});
    let expected = moved(pinned.clone(), "ACTIVE");
    assert_eq!(done(&world, MOVE, to("STANDARD", pinned.clone())).await, expected);
    assert_eq!(done(&world, MOVE, to("STANDARD", pinned)).await, expected);
    let detail = done(&world, DESCRIBE_IMAGES, named).await["imageDetails"][0].clone();
    assert_eq!(detail["imageStatus"], "ACTIVE");
    assert_eq!(detail["lastActivatedAt"], SECONDS);
    assert_eq!(world.get(&format!("/v2/{NAME}/manifests/v1")).await.status, 200);
}

#[tokio::test]
async fn what_is_pushed_again_is_active_and_no_image_that_exists() {
    let world = World::start().await;
    let members = json!({"annotations": {"of": "v1"}});
    push(&world, Some("v1"), members.clone()).await;
    let move_it = of(json!({"targetStorageClass": "ARCHIVE", "imageId": {"imageTag": "v1"}}));
    done(&world, MOVE, move_it).await;
    push(&world, Some("v1"), members).await;
    assert_eq!(statuses(&world, json!({})).await, [(json!("v1"), json!("ACTIVE"))]);
}

#[tokio::test]
async fn layers_of_archived_images_are_archived() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"0123456789");
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    assert_eq!(world.get(&format!("/v2/hub/app/blobs/{layer}")).await.status, 200);
    world.fills_ended(1).await;
    let name = "hub/app";
    let image = json!({"imageTag": "1"});
    let move_it =
        json!({"repositoryName": name, "imageId": image, "targetStorageClass": "ARCHIVE"});
    done(&world, MOVE, move_it).await;
    let check = json!({"repositoryName": name, "layerDigests": [layer.as_str()]});
    let found = done(&world, "BatchCheckLayerAvailability", check).await;
    assert_eq!(
        found["layers"],
        json!([{
            "layerDigest": layer.as_str(), "layerAvailability": "ARCHIVED", "layerSize": 10,
        }])
    );
    let download = json!({"repositoryName": name, "layerDigest": layer.as_str()});
    let text = refused(&world, "GetDownloadUrlForLayer", download, "LayersNotFoundException").await;
    assert!(text.contains("archived"), "{text}");
    for method in ["GET", "HEAD"] {
        let answer = world.ask(method, &format!("/v2/hub/app/blobs/{layer}"), &[]).await;
        assert_eq!(answer.status, 404, "{method}");
    }
    let blob = world.get(&format!("/v2/hub/app/blobs/{layer}")).await;
    assert_eq!(blob.code(), "BLOB_UNKNOWN");
    assert!(blob.message().contains("is archived"), "{}", blob.message());
}

#[tokio::test]
async fn an_index_keeps_its_parts_and_takes_its_referrers_along() {
    let world = World::start().await;
    let part = push(&world, None, json!({"annotations": {"of": "part"}})).await;
    let index = push(&world, Some("v1"), json!({"manifests": [descriptor(&part)]})).await;
    let signature = push(&world, None, json!({"subject": descriptor(&index)})).await;
    let id = json!({"imageDigest": part.as_str()});
    let body = of(json!({"targetStorageClass": "ARCHIVE", "imageId": id}));
    let exception = "ImageStorageClassUpdateNotSupportedException";
    let text = refused(&world, MOVE, body, exception).await;
    assert!(text.contains(index.as_str()), "{text}");
    let body = of(json!({"targetStorageClass": "ARCHIVE", "imageId": {"imageTag": "v1"}}));
    done(&world, MOVE, body).await;
    assert_eq!(statuses(&world, json!({"imageStatus": "ARCHIVED"})).await.len(), 3);
    let subject = json!({"imageDigest": index.as_str()});
    for (filter, count) in [
        (json!({}), 0),
        (json!({"artifactStatus": "ACTIVE"}), 0),
        (json!({"artifactStatus": "ARCHIVED"}), 1),
        (json!({"artifactStatus": "ACTIVATING"}), 0),
        (json!({"artifactStatus": "ANY"}), 1),
    ] {
        let body = of(json!({"subjectId": subject, "filter": filter}));
        let found = done(&world, "ListImageReferrers", body).await;
        let found = found["referrers"].as_array().unwrap();
        assert_eq!(found.len(), count, "{filter}");
        for referrer in found {
            assert_eq!(referrer["digest"], signature.as_str());
            assert_eq!(referrer["artifactStatus"], "ARCHIVED");
        }
    }
    let path = format!("/v2/{NAME}/referrers/{index}");
    assert_eq!(world.get(&path).await.json()["manifests"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_moved_says_why() {
    let world = World::start().await;
    push(&world, Some("v1"), json!({})).await;
    let tag = json!({"imageTag": "v1"});
    for (body, exception) in [
        (of(json!({"imageId": tag})), INVALID),
        (of(json!({"targetStorageClass": "ARCHIVE"})), INVALID),
        (of(json!({"imageId": tag, "targetStorageClass": "GLACIER"})), INVALID),
        (of(json!({"imageId": {}, "targetStorageClass": "ARCHIVE"})), INVALID),
        (
            of(json!({"imageId": {"imageTag": "v2"}, "targetStorageClass": "ARCHIVE"})),
            "ImageNotFoundException",
        ),
        (
            of(json!({"imageId": {"imageDigest": "x"}, "targetStorageClass": "ARCHIVE"})),
            "ImageNotFoundException",
        ),
        (
            json!({
                "repositoryName": "no/where", "imageId": tag, "targetStorageClass": "ARCHIVE",
            }),
            "RepositoryNotFoundException",
        ),
        (json!({"repositoryName": "No", "imageId": tag, "targetStorageClass": "ARCHIVE"}), INVALID),
        (
            of(json!({
                "imageId": tag, "targetStorageClass": "ARCHIVE", "registryId": OTHER_ACCOUNT,
            })),
            "AccessDeniedException",
        ),
    ] {
        refused(&world, MOVE, body, exception).await;
    }
    assert_eq!(world.get(&format!("/v2/{NAME}/manifests/v1")).await.status, 200);
}

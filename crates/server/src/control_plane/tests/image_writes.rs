//! Images and layers kept, deleted and referred to through ECR's API.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci::{Digest, media_type};

use super::*;

const INITIATE: &str = "InitiateLayerUpload";
const PART: &str = "UploadLayerPart";
const COMPLETE: &str = "CompleteLayerUpload";
const PUT: &str = "PutImage";
const DELETE: &str = "BatchDeleteImage";
const REFERRERS: &str = "ListImageReferrers";
const INVALID: &str = "InvalidParameterException";
const NO_REPOSITORY: &str = "RepositoryNotFoundException";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const NAME: &str = "team/app";

async fn initiate(world: &World) -> String {
    let begun = done(world, INITIATE, json!({"repositoryName": NAME})).await;
    begun["uploadId"].as_str().unwrap().to_owned()
}

fn part(id: &str, first: i64, last: i64, bytes: &[u8]) -> Value {
    json!({
        "repositoryName": NAME, "uploadId": id, "partFirstByte": first, "partLastByte": last,
        "layerPartBlob": STANDARD.encode(bytes),
    })
}

/// Uploads a layer in two parts.
async fn layer(world: &World, bytes: &[u8]) -> Digest {
    layer_in(world, bytes, 1).await
}

/// Uploads a layer in two parts, of which the first may be empty and is then left out.
async fn layer_in(world: &World, bytes: &[u8], first: i64) -> Digest {
    let (id, digest) = (initiate(world).await, Digest::of(bytes));
    let end = i64::try_from(bytes.len()).unwrap() - 1;
    let (head, tail) = bytes.split_at(usize::try_from(first).unwrap());
    if first > 0 {
        done(world, PART, part(&id, 0, first - 1, head)).await;
    }
    let sent = done(world, PART, part(&id, first, end, tail)).await;
    assert_eq!(sent["lastByteReceived"], end);
    let complete =
        json!({"repositoryName": NAME, "uploadId": id, "layerDigests": [digest.as_str()]});
    assert_eq!(done(world, COMPLETE, complete).await["layerDigest"], digest.as_str());
    digest
}

fn manifest(config: &Digest) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.as_str(), "size": 2},
        "layers": [],
    })
}

fn put(manifest: &Value, tag: &str) -> Value {
    json!({"repositoryName": NAME, "imageManifest": manifest.to_string(), "imageTag": tag})
}

#[tokio::test]
async fn an_image_is_put_without_a_registry_client() {
    let world = World::start().await;
    let config = layer(&world, b"{}").await;
    let manifest = manifest(&config);
    let digest = Digest::of(manifest.to_string().as_bytes());
    let kept = done(&world, PUT, put(&manifest, "v1")).await;
    let image = &kept["image"];
    assert_eq!(image["imageId"], json!({"imageDigest": digest.as_str(), "imageTag": "v1"}));
    assert_eq!(image["imageManifest"], manifest.to_string());
    assert_eq!(image["imageManifestMediaType"], media_type::OCI_MANIFEST);
    assert_eq!((&image["repositoryName"], &image["registryId"]), (&json!(NAME), &json!(ACCOUNT)));
    // Clients pull it.
    let pulled = world.get("/v2/team/app/manifests/v1").await;
    assert_eq!((pulled.status, pulled.text()), (200, manifest.to_string()));
    assert_eq!(world.get(&format!("/v2/team/app/blobs/{config}")).await.text(), "{}");

    let text = refused(&world, PUT, put(&manifest, "v1"), "ImageAlreadyExistsException").await;
    assert!(text.contains(digest.as_str()) && text.contains("'v1'"), "{text}");
    // Another tag is a change.
    done(&world, PUT, put(&manifest, "v2")).await;
}

#[tokio::test]
async fn what_cannot_be_put_says_why() {
    let world = World::start().await;
    let config = layer(&world, b"{}").await;
    let (good, absent) = (manifest(&config), Digest::of(b"absent"));
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": media_type::OCI_MANIFEST, "digest": absent.as_str(), "size": 1,
    }]});
    let with = |member: &str, value: Value| {
        let mut body = put(&good, "v1");
        body[member] = value;
        body
    };
    for (body, exception) in [
        (put(&manifest(&absent), "v1"), "LayersNotFoundException"),
        (put(&index, "v1"), "ReferencedImagesNotFoundException"),
        (with("imageDigest", json!(absent.as_str())), "ImageDigestDoesNotMatchException"),
        (with("imageDigest", json!("sha256:1")), INVALID),
        (with("imageManifest", json!("{")), INVALID),
        (with("imageManifest", json!("")), INVALID),
        (with("imageManifestMediaType", json!(media_type::DOCKER_MANIFEST)), INVALID),
        (with("imageTag", json!("-x")), INVALID),
        (with("imageTag", json!("")), INVALID),
        (with("repositoryName", json!("X")), INVALID),
        (with("registryId", json!(OTHER_ACCOUNT)), "AccessDeniedException"),
    ] {
        refused(&world, PUT, body, exception).await;
    }
    assert_eq!(world.get("/v2/team/app/manifests/v1").await.status, 404);
}

#[tokio::test]
async fn immutable_tags_stay() {
    let world = World::start().await;
    let create = json!({"repositoryName": NAME, "imageTagMutability": "IMMUTABLE"});
    done(&world, "CreateRepository", create).await;
    let (one, two) = (layer(&world, b"{}").await, layer(&world, b"[]").await);
    done(&world, PUT, put(&manifest(&one), "v1")).await;
    let exception = "ImageTagAlreadyExistsException";
    let text = refused(&world, PUT, put(&manifest(&two), "v1"), exception).await;
    assert!(text.contains("'v1'") && text.contains("'team/app'"), "{text}");
    let path = "/v2/team/app/manifests/v1";
    let kind = [("content-type", media_type::OCI_MANIFEST)];
    let pushed = world.push("PUT", path, &kind, &manifest(&two).to_string()).await;
    assert_eq!((pushed.status, pushed.code().as_str()), (400, "TAG_INVALID"));
    assert!(pushed.message().contains("cannot be overwritten"), "{}", pushed.message());
    // The same again is no change, and what was refused left nothing.
    let same = world.push("PUT", path, &kind, &manifest(&one).to_string()).await;
    assert_eq!(same.status, 201, "{}", same.text());
    assert_eq!(world.get(path).await.text(), manifest(&one).to_string());
    let digest = Digest::of(manifest(&two).to_string().as_bytes());
    assert_eq!(world.get(&format!("/v2/team/app/manifests/{digest}")).await.status, 404);
}

#[tokio::test]
async fn uploads_that_go_wrong_say_how() {
    let world = World::start_with(|settings| settings.layer_part_bytes_max = 100).await;
    let begun = done(&world, INITIATE, json!({"repositoryName": NAME})).await;
    assert_eq!(begun["partSize"], 100);
    let id = begun["uploadId"].as_str().unwrap().to_owned();
    let complete = |id: &str, digests: Value| json!({"repositoryName": NAME, "uploadId": id, "layerDigests": digests});
    let right = json!([Digest::of(b"0123").as_str()]);
    refused(&world, COMPLETE, complete(&id, right.clone()), "EmptyUploadException").await;
    done(&world, PART, part(&id, 0, 3, b"0123")).await;
    let other = "00000000-0000-4000-8000-000000000000";
    let mut spoilt = part(&id, 4, 4, b"x");
    spoilt["layerPartBlob"] = json!("?");
    for (body, exception) in [
        (part(&id, 0, 3, b"0123"), "InvalidLayerPartException"),
        (part(&id, 5, 5, b"x"), "InvalidLayerPartException"),
        (part(&id, 4, 5, b"x"), "InvalidLayerPartException"),
        (part(&id, 4, 3, b"x"), "InvalidLayerPartException"),
        (part(&id, -1, 3, b"x"), INVALID),
        (part(&id, 4, 104, &[0; 101]), INVALID),
        (part(other, 4, 4, b"x"), "UploadNotFoundException"),
        (part("x", 4, 4, b"x"), INVALID),
        (spoilt, INVALID),
    ] {
        refused(&world, PART, body, exception).await;
    }
    let refusal = world.ecr(PART, part(&id, 9, 9, b"x")).await.json();
    assert_eq!(
        (&refusal["registryId"], &refusal["repositoryName"], &refusal["uploadId"]),
        (&json!(ACCOUNT), &json!(NAME), &json!(id))
    );
    assert_eq!(refusal["lastValidByteReceived"], 3, "{refusal}");
    for (body, exception) in [
        (complete(&id, json!([])), INVALID),
        (complete(&id, json!(["sha256:1"])), INVALID),
        (complete(other, right.clone()), "UploadNotFoundException"),
        (complete(&id, json!([Digest::of(b"wrong").as_str()])), "InvalidLayerException"),
        (complete(&id, right.clone()), "UploadNotFoundException"),
    ] {
        refused(&world, COMPLETE, body, exception).await;
    }
    let digest = layer(&world, b"0123").await;
    let again = initiate(&world).await;
    done(&world, PART, part(&again, 0, 3, b"0123")).await;
    let twice = complete(&again, json!([digest.as_str()]));
    refused(&world, COMPLETE, twice, "LayerAlreadyExistsException").await;
}

#[tokio::test]
async fn by_ecrs_rules_only_the_last_part_may_be_small() {
    let mut world = World::start().await;
    done(&world, "CreateRepository", json!({"repositoryName": NAME})).await;
    for (strict_ecr, first, exception) in
        [(false, 4_i64, None), (true, 4, Some("LayerPartTooSmallException")), (true, 5 << 20, None)]
    {
        world.restart_with(|settings| settings.strict_ecr = strict_ecr).await;
        let id = initiate(&world).await;
        let bytes = vec![7; usize::try_from(first).unwrap()];
        done(&world, PART, part(&id, 0, first - 1, &bytes)).await;
        done(&world, PART, part(&id, first, first, b"x")).await;
        let digest = Digest::of(&[bytes.as_slice(), b"x"].concat());
        let digests = json!([digest.as_str()]);
        let body = json!({"repositoryName": NAME, "uploadId": id, "layerDigests": digests});
        match exception {
            Some(exception) => drop(refused(&world, COMPLETE, body, exception).await),
            None => drop(done(&world, COMPLETE, body).await),
        }
    }
}

#[tokio::test]
async fn a_part_may_be_as_large_as_ecrs() {
    let world = World::start_with(|settings| settings.body_bytes_max = 1 << 16).await;
    let begun = done(&world, INITIATE, json!({"repositoryName": NAME})).await;
    assert_eq!(begun["partSize"], 10 << 20);
    let id = begun["uploadId"].as_str().unwrap().to_owned();
    let bytes = vec![7; 20 << 20];
    done(&world, PART, part(&id, 0, (20 << 20) - 1, &bytes)).await;
    // Nobody else fills the memory.
    let body = part(&id, 0, 0, &[0; 1 << 16]).to_string();
    let mut call = Signed::new("AmazonEC2ContainerRegistry_V20150921.UploadLayerPart", "ecr", body);
    call.key = "AKIAUNKNOWN".to_owned();
    assert_eq!(world.send(call.request()).await.status, 413);
}

#[tokio::test]
async fn strict_repositories_are_not_made_by_a_push() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    let body = json!({"repositoryName": NAME});
    refused(&world, INITIATE, body, NO_REPOSITORY).await;
    let body = put(&manifest(&Digest::of(b"{}")), "v1");
    refused(&world, PUT, body, NO_REPOSITORY).await;
    // But by a template for pushes, with what it sets.
    let template = json!({
        "prefix": "team", "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": "IMMUTABLE",
    });
    done(&world, "CreateRepositoryCreationTemplate", template).await;
    let (one, two) = (layer_in(&world, b"{}", 0).await, layer_in(&world, b"[]", 0).await);
    done(&world, PUT, put(&manifest(&one), "v1")).await;
    let immutable = "ImageTagAlreadyExistsException";
    refused(&world, PUT, put(&manifest(&two), "v1"), immutable).await;
}

#[tokio::test]
async fn images_are_deleted_as_ecr_does() {
    let world = World::start().await;
    let config = layer(&world, b"{}").await;
    let image = manifest(&config);
    let digest = Digest::of(image.to_string().as_bytes());
    for tag in ["1", "2", "3"] {
        done(&world, PUT, put(&image, tag)).await;
    }
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [{
        "mediaType": media_type::OCI_MANIFEST, "digest": digest.as_str(), "size": 1,
    }]});
    let index_digest = Digest::of(index.to_string().as_bytes());
    done(&world, PUT, put(&index, "all")).await;
    let delete = |ids: Value| json!({"repositoryName": NAME, "imageIds": ids});
    let other = Digest::of(b"other");
    let by_digest = json!([{"imageDigest": digest.as_str()}]);
    for (id, code) in [
        (by_digest[0].clone(), "ImageReferencedByManifestList"),
        (json!({"imageDigest": other.as_str()}), "ImageNotFound"),
        (json!({"imageTag": "none"}), "ImageNotFound"),
        (json!({}), "MissingDigestAndTag"),
        (json!({"imageDigest": "x"}), "InvalidImageDigest"),
        (json!({"imageTag": "-"}), "InvalidImageTag"),
        (json!({"imageTag": "1", "imageDigest": other.as_str()}), "ImageTagDoesNotMatchDigest"),
    ] {
        let answer = done(&world, DELETE, delete(json!([id]))).await;
        assert_eq!(answer["failures"][0]["failureCode"], code, "{answer}");
        assert_eq!((&answer["failures"][0]["imageId"], &answer["imageIds"]), (&id, &json!([])));
    }
    // A tag goes alone while the image has others.
    let one = json!({"imageDigest": digest.as_str(), "imageTag": "1"});
    let answer = done(&world, DELETE, delete(json!([{"imageTag": "1"}]))).await;
    assert_eq!(answer, json!({"imageIds": [one], "failures": []}));
    assert_eq!(world.get(&format!("/v2/team/app/manifests/{digest}")).await.status, 200);
    let index_id = json!([{"imageDigest": index_digest.as_str(), "imageTag": "all"}]);
    assert_eq!(done(&world, DELETE, delete(index_id.clone())).await["imageIds"], index_id);
    let answer = done(&world, DELETE, delete(by_digest)).await;
    let expected = json!([
        {"imageDigest": digest.as_str(), "imageTag": "2"},
        {"imageDigest": digest.as_str(), "imageTag": "3"},
    ]);
    assert_eq!(answer["imageIds"], expected);
    assert_eq!(world.get("/v2/team/app/manifests/2").await.status, 404);
    // The last tag takes its image with it.
    done(&world, PUT, put(&image, "last")).await;
    done(&world, DELETE, delete(json!([{"imageTag": "last"}]))).await;
    assert_eq!(world.get(&format!("/v2/team/app/manifests/{digest}")).await.status, 404);
    for (body, exception) in [
        (delete(json!([])), INVALID),
        (json!({"repositoryName": NAME}), INVALID),
        (json!({"repositoryName": "none", "imageIds": [{}]}), NO_REPOSITORY),
    ] {
        refused(&world, DELETE, body, exception).await;
    }
}

#[tokio::test]
async fn referrers_are_listed_through_ecrs_api() {
    let world = World::start().await;
    let config = layer(&world, b"{}").await;
    let subject = Digest::of(b"subject");
    for (kind, tag) in [("a/sbom", "1"), ("a/signature", "2")] {
        let mut manifest = manifest(&config);
        manifest["artifactType"] = json!(kind);
        manifest["annotations"] = json!({"tag": tag});
        manifest["subject"] =
            json!({"mediaType": media_type::OCI_MANIFEST, "digest": subject.as_str(), "size": 1});
        done(&world, PUT, put(&manifest, tag)).await;
    }
    let list = |more: Value| {
        let mut body = json!({
            "repositoryName": NAME, "subjectId": {"imageDigest": subject.as_str()},
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let all = done(&world, REFERRERS, list(json!({}))).await;
    assert_eq!(all["referrers"].as_array().unwrap().len(), 2);
    let wanted = json!({"filter": {"artifactTypes": ["a/sbom"], "artifactStatus": "ANY"}});
    let found = done(&world, REFERRERS, list(wanted)).await;
    let referrer = &found["referrers"][0];
    assert_eq!(referrer["artifactType"], "a/sbom");
    assert_eq!(referrer["mediaType"], media_type::OCI_MANIFEST);
    assert_eq!(referrer["annotations"], json!({"tag": "1"}));
    assert_eq!(referrer["artifactStatus"], "ACTIVE");
    assert!(referrer["size"].as_i64().unwrap() > 100);
    let first = done(&world, REFERRERS, list(json!({"maxResults": 1}))).await;
    let rest = json!({"maxResults": 1, "nextToken": first["nextToken"]});
    let rest = done(&world, REFERRERS, list(rest)).await;
    assert_ne!(first["referrers"], rest["referrers"]);
    assert_eq!(rest.get("nextToken"), None);
    for (more, exception) in [
        (json!({"repositoryName": "none"}), NO_REPOSITORY),
        (json!({"subjectId": {"imageDigest": "x"}}), INVALID),
        (json!({"subjectId": {}}), INVALID),
        (json!({"maxResults": 51}), INVALID),
        (json!({"filter": {"artifactStatus": "X"}}), INVALID),
        (json!({"filter": {"artifactTypes": ["1", "2", "3", "4", "5", "6"]}}), INVALID),
        (json!({"filter": {"artifactTypes": [""]}}), INVALID),
    ] {
        refused(&world, REFERRERS, list(more), exception).await;
    }
}

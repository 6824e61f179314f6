//! Warmings and imports by the operations of Cistern: members that are wrong are named, and what
//! comes of the others is seen through the data plane.

use oci::Digest;
use serde_json::{Value, json};

use crate::doors::tests::{Answer, World};

const INVALID: &str = "InvalidParameterException";

async fn done(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Asserts a refusal and returns its text.
async fn refused(world: &World, operation: &str, body: Value, exception: &str) -> String {
    let answer = world.cistern(operation, body.clone()).await;
    assert_eq!(answer.status, 400, "{operation} {body}: {}", answer.text());
    assert_eq!(answer.exception(), exception, "{operation} {body}: {}", answer.text());
    answer.exception_message()
}

/// Asks until the warming has ended.
async fn ended(world: &World, id: &Value) -> Value {
    let looking = async {
        loop {
            let body = json!({"warmingId": id});
            let found = done(world.cistern("DescribeCacheWarming", body).await).await;
            if found["status"] != "IN_PROGRESS" {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, looking).await.expect("it ends")
}

#[tokio::test]
async fn a_warming_is_started_and_asked_after() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("team/app", "1", b"layer");
    let image = |tag: &str| json!({"repositoryName": "hub/team/app", "imageTag": tag});
    let body = json!({"images": [image("1"), image("2")], "platforms": ["linux/amd64"]});
    let started = done(world.cistern("StartCacheWarming", body).await).await;
    assert_eq!(started["status"], "IN_PROGRESS");
    let found = ended(&world, &started["warmingId"]).await;
    assert_eq!(found["status"], "FAILED", "{found}");
    let [whole, absent] = found["images"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(whole["status"], "COMPLETE");
    assert_eq!((&whole["imageTag"], &whole["imageDigest"]), (&json!("1"), &json!(digest.as_str())));
    assert_eq!(whole["cachedSizeInBytes"], whole["sizeInBytes"]);
    assert_eq!(absent["status"], "FAILED");
    let reason = absent["failureReason"].as_str().unwrap();
    assert!(reason.contains("has no manifest 2, and neither has "), "{reason}");
    let answer = world.get(&format!("/v2/hub/team/app/blobs/{layer}")).await;
    assert_eq!(answer.header("cache-status"), "cistern; hit");
}

#[tokio::test]
async fn what_is_wrong_with_a_warming_is_named() {
    let world = World::start().await;
    let image = json!({"repositoryName": "hub/app", "imageTag": "1"});
    for (body, member) in [
        (json!({"images": []}), "images"),
        (json!({"images": [{"repositoryName": "hub/app"}]}), "images[0].imageTag"),
        (
            json!({"images": [image.clone(), {"repositoryName": "Hub", "imageTag": "1"}]}),
            "images[1].repositoryName",
        ),
        (
            json!({"images": [{"repositoryName": "hub/app", "imageDigest": "sha256:0"}]}),
            "images[0].imageDigest",
        ),
        (json!({"images": [image.clone()], "platforms": ["linux"]}), "platforms"),
    ] {
        let text = refused(&world, "StartCacheWarming", body, INVALID).await;
        assert!(text.contains(&format!("'{member}'")), "{text}");
    }
    let misspelt = json!({"images": [{"repositoryName": "hub/app", "tag": "1"}]});
    assert_eq!(world.cistern("StartCacheWarming", misspelt).await.status, 400);
    for operation in ["DescribeCacheWarming", "CancelCacheWarming"] {
        let text = refused(&world, operation, json!({"warmingId": "1"}), INVALID).await;
        assert!(text.contains("start it again"), "{text}");
    }
}

/// Uploads bytes and makes them a layer of a cache repository.
async fn import_layer(world: &World, name: &str, bytes: &str) -> Answer {
    let begun = world.push("POST", &format!("/v2/{name}/blobs/uploads/"), &[], "").await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let address = begun.header("location");
    let path = &address[address.find("/v2/").unwrap()..];
    let sent = world.push("PATCH", path, &[], bytes).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let id = path.rsplit('/').next().unwrap();
    let digest = Digest::of(bytes.as_bytes());
    let body = json!({"repositoryName": name, "uploadId": id, "layerDigest": digest.as_str()});
    world.cistern("ImportCacheLayer", body).await
}

#[tokio::test]
async fn a_carried_image_is_of_its_rule_and_asked_after_upstream() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("team/app", "1", b"layer");
    let manifest = {
        let other = World::start().await;
        other.rule("hub").await;
        let (same, _) = other.image("team/app", "1", b"layer");
        assert_eq!(same, digest);
        other.get("/v2/hub/team/app/manifests/1").await.text()
    };
    let name = "hub/team/app";
    let import = json!({
        "repositoryName": name, "imageManifest": manifest, "imageDigest": digest.as_str(),
        "imageTag": "1",
    });
    let text = refused(&world, "ImportCacheImage", import.clone(), "LayersNotFoundException").await;
    assert!(text.contains(layer.as_str()), "{text}");

    done(import_layer(&world, name, "layer").await).await;
    done(import_layer(&world, name, "{}").await).await;
    let imported = done(world.cistern("ImportCacheImage", import.clone()).await).await;
    assert_eq!(imported["taggedDigest"], digest.as_str());
    // Again changes nothing.
    done(world.cistern("ImportCacheImage", import).await).await;

    world.upstream.forget_requests();
    let answer = world.get("/v2/hub/team/app/manifests/1").await;
    assert_eq!((answer.status, answer.text()), (200, manifest));
    assert_eq!(answer.header("cache-status"), "cistern; fwd=stale", "it was confirmed");
    let answer = world.get(&format!("/v2/hub/team/app/blobs/{layer}")).await;
    assert_eq!(answer.header("cache-status"), "cistern; hit");
    assert_eq!(world.upstream.requests().len(), 1, "one HEAD");
}

#[tokio::test]
async fn what_cannot_be_imported_is_told() {
    let world = World::start().await;
    let body = json!({
        "repositoryName": "team/app", "uploadId": "1", "layerDigest": Digest::of(b"x").as_str(),
    });
    let exception = "PullThroughCacheRuleNotFoundException";
    let text = refused(&world, "ImportCacheLayer", body, exception).await;
    assert!(text.contains("team/app") && text.contains("create one"), "{text}");
    world.rule("hub").await;
    let gone = import_layer(&world, "hub/app", "bytes").await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let unknown = json!({
        "repositoryName": "hub/app", "uploadId": "1", "layerDigest": Digest::of(b"x").as_str(),
    });
    refused(&world, "ImportCacheLayer", unknown, "UploadNotFoundException").await;
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": Digest::of(b"absent").as_str(), "size": 1,
    }]})
    .to_string();
    let wrong = json!({
        "repositoryName": "hub/app", "imageManifest": index,
        "imageDigest": Digest::of(b"other").as_str(),
    });
    refused(&world, "ImportCacheImage", wrong, "ImageDigestDoesNotMatchException").await;
    let empty = json!({
        "repositoryName": "hub/app", "imageManifest": index,
        "imageDigest": Digest::of(index.as_bytes()).as_str(),
    });
    refused(&world, "ImportCacheImage", empty, "ReferencedImagesNotFoundException").await;
}

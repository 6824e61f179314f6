//! Previews of lifecycle policies through ECR's API.

use super::*;

const PUT: &str = "PutImage";
const START: &str = "StartLifecyclePolicyPreview";
const GET: &str = "GetLifecyclePolicyPreview";
const INVALID: &str = "InvalidParameterException";
const NAME: &str = "team/app";

/// Asks until the preview has ended.
async fn previewed(world: &World, mut body: Value) -> Value {
    body["repositoryName"] = NAME.into();
    loop {
        let answer = done(world, GET, body.clone()).await;
        if answer["status"] != "IN_PROGRESS" {
            return answer;
        }
        assert_eq!(answer["previewResults"], json!([]));
        assert_eq!(answer.get("summary"), None);
        tokio::task::yield_now().await;
    }
}

fn policy(action: &Value) -> String {
    json!({"rules": [{
        "rulePriority": 3,
        "description": "all but one",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
        "action": action,
    }]})
    .to_string()
}

/// A world with as many images, which need no bytes of their own.
async fn world(tags: &[&str]) -> World {
    let world = World::start().await;
    for tag in tags {
        let index = json!({"schemaVersion": 2, "manifests": [], "annotations": {"tag": tag}});
        let body = json!({
            "repositoryName": NAME, "imageManifest": index.to_string(), "imageTag": tag,
            "imageManifestMediaType": oci::media_type::OCI_INDEX,
        });
        done(&world, PUT, body).await;
    }
    world
}

#[tokio::test]
async fn a_preview_is_shaped_as_ecr_shapes_it() {
    let world = world(&["v1", "v2", "v3"]).await;
    let text = policy(&json!({"type": "expire"}));
    let start = json!({"repositoryName": NAME, "lifecyclePolicyText": text});
    let expected = json!({
        "registryId": ACCOUNT, "repositoryName": NAME, "lifecyclePolicyText": text,
        "status": "IN_PROGRESS",
    });
    assert_eq!(done(&world, START, start).await, expected);
    let whole = previewed(&world, json!({})).await;
    assert_eq!(whole["status"], "COMPLETE");
    assert_eq!(whole["lifecyclePolicyText"], text);
    assert_eq!(whole["summary"], json!({"expiringImageTotalCount": 2}));
    let results = whole["previewResults"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let mut first = results[0].clone();
    let digest = first.as_object_mut().unwrap().remove("imageDigest").unwrap();
    let tags = first.as_object_mut().unwrap().remove("imageTags").unwrap();
    assert_eq!(
        first,
        json!({
            "imagePushedAt": SECONDS, "action": {"type": "EXPIRE"}, "appliedRulePriority": 3,
            "storageClass": "STANDARD",
        })
    );
    let one = previewed(&world, json!({"imageIds": [{"imageDigest": digest}]})).await;
    assert_eq!(one["previewResults"][0]["imageTags"], tags);
    let page = previewed(&world, json!({"maxResults": 1})).await;
    let rest = json!({"maxResults": 1, "nextToken": page["nextToken"]});
    let rest = previewed(&world, rest).await;
    assert_eq!(rest["previewResults"], json!([results[1]]));
    assert_eq!(rest.get("nextToken"), None);
    let none = previewed(&world, json!({"filter": {"tagStatus": "UNTAGGED"}})).await;
    assert_eq!(none["previewResults"], json!([]));

    let text = policy(&json!({"type": "transition", "targetStorageClass": "archive"}));
    done(&world, START, json!({"repositoryName": NAME, "lifecyclePolicyText": text})).await;
    let whole = previewed(&world, json!({})).await;
    assert_eq!(
        whole["summary"],
        json!({
            "expiringImageTotalCount": 0,
            "transitioningImageTotalCounts": [
                {"targetStorageClass": "ARCHIVE", "imageTotalCount": 2},
            ],
        })
    );
    let action = json!({"type": "TRANSITION", "targetStorageClass": "ARCHIVE"});
    assert_eq!(whole["previewResults"][0]["action"], action);
}

#[tokio::test]
async fn what_cannot_be_previewed_says_why() {
    let world = world(&["v1"]).await;
    let text = policy(&json!({"type": "expire"}));
    let of = |name: &str, text: Option<&str>| match text {
        Some(text) => json!({"repositoryName": name, "lifecyclePolicyText": text}),
        None => json!({"repositoryName": name}),
    };
    let absent = "RepositoryNotFoundException";
    refused(&world, START, of("no/where", Some(&text)), absent).await;
    refused(&world, GET, of("no/where", None), absent).await;
    refused(&world, START, of(NAME, None), "LifecyclePolicyNotFoundException").await;
    let text_of = refused(&world, GET, of(NAME, None), "LifecyclePolicyPreviewNotFoundException");
    assert!(text_of.await.contains("'team/app'"));
    refused(&world, START, of(NAME, Some("{}")), INVALID).await;
    refused(&world, START, of(NAME, Some(&"x".repeat(100))), INVALID).await;
    for members in [
        json!({"maxResults": 101}),
        json!({"maxResults": 0}),
        json!({"nextToken": "x"}),
        json!({"filter": {"tagStatus": "SOME"}}),
        json!({"imageIds": []}),
        json!({"imageIds": [{}]}),
        json!({"imageIds": [{"imageTag": "v1"}], "maxResults": 1}),
    ] {
        let mut body = members;
        body["repositoryName"] = NAME.into();
        refused(&world, GET, body, INVALID).await;
    }
}

//! Lifecycle policies by the AWS CLI: tried, set, and carried out on what real clients pushed.

use std::fs;

use clients::{Cistern, Image, Skopeo, or_skip, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scene::aws_cli;

fn keep_one() -> String {
    json!({"rules": [{
        "rulePriority": 1,
        "description": "keep the newest",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
        "action": {"type": "expire"},
    }]})
    .to_string()
}

#[test]
fn a_policy_is_previewed_and_carried_out() {
    let directory = TempDir::new().expect("a temporary directory");
    let config = directory.path().join("cistern.toml");
    fs::write(&config, "[limits]\nlifecycle-interval = \"300ms\"\n").expect("a file");
    let cistern = Cistern::start(&["--config", config.to_str().expect("a plain path")]);
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let images: Vec<Image> = (1..=3).map(|kib| Image::one_layer(kib << 10)).collect();
    let reference = |tag: usize| format!("{}/team/app:v{tag}", cistern.host());
    for (image, tag) in images.iter().zip(1..) {
        skopeo.push(image, &reference(tag), &[]).success();
    }
    let of = ["--repository-name", "team/app"];
    let ecr = |words: &[&str]| aws.json(&[&["ecr"], words, &of[..]].concat());
    let policy = keep_one();

    let none = aws.run(&[&["ecr", "get-lifecycle-policy-preview"], &of[..]].concat()).failure();
    assert!(none.contains("(LifecyclePolicyPreviewNotFoundException)"), "{none}");
    let started = ecr(&["start-lifecycle-policy-preview", "--lifecycle-policy-text", &policy]);
    assert_eq!(started["status"], "IN_PROGRESS");
    aws.run(&[&["ecr", "wait", "lifecycle-policy-preview-complete"], &of[..]].concat()).success();
    // The CLI puts the pages together itself.
    let found = ecr(&["get-lifecycle-policy-preview", "--page-size", "1"]);
    assert_eq!(found["summary"]["expiringImageTotalCount"], 2);
    let digests: Vec<&Value> = found["previewResults"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| &result["imageDigest"])
        .collect();
    assert_eq!(digests, [&images[0].digest[..], &images[1].digest[..]]);
    let one = ecr(&["get-lifecycle-policy-preview", "--image-ids", "imageTag=v2"]);
    assert_eq!(one["previewResults"][0]["imageDigest"], images[1].digest);
    let none = ecr(&["get-lifecycle-policy-preview", "--filter", "tagStatus=UNTAGGED"]);
    assert_eq!(none["previewResults"], json!([]));
    fs::write(directory.path().join("policy.json"), &policy).expect("a file");
    let file = directory.path().join("policy.json");
    let file = file.to_str().expect("a plain path");
    let table = cistern
        .command(&["repository", "preview", "team/app", "--lifecycle-policy-file", file])
        .success();
    assert!(table.contains("v1") && table.contains("v2") && !table.contains("v3"), "{table}");
    skopeo.pull(&reference(1)).assert_whole(&images[0]);

    ecr(&["put-lifecycle-policy", "--lifecycle-policy-text", &policy]);
    let evaluated = wait::until("the policy to be evaluated", || {
        ecr(&["get-lifecycle-policy"]).get("lastEvaluatedAt").cloned()
    });
    assert!(!evaluated.is_null());
    let listed = ecr(&["list-images"]);
    let expected = json!([{"imageDigest": images[2].digest, "imageTag": "v3"}]);
    assert_eq!(listed["imageIds"], expected);
    skopeo.pull(&reference(3)).assert_whole(&images[2]);
    let gone = skopeo.copy(&reference(1), &[]).expect_err("it expired").failure();
    assert!(gone.contains("manifest unknown"), "{gone}");
}

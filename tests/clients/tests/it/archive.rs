//! The archive by the AWS CLI and by `cistern`: what skopeo cannot pull, and what brings it back.

use std::fs;

use clients::{Cistern, Image, Skopeo, or_skip, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scene::aws_cli;

const NAME: &str = "team/app";

fn digests(found: &Value) -> Vec<&str> {
    let details = found["imageDetails"].as_array().expect("details");
    details.iter().filter_map(|detail| detail["imageDigest"].as_str()).collect()
}

#[test]
fn an_archived_image_is_refused_until_it_is_restored_or_pushed() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let (image, index) = (Image::one_layer(4 << 10), Image::multi_arch());
    let reference = |tag: &str| format!("{}/{NAME}:{tag}", cistern.host());
    skopeo.push(&image, &reference("v1"), &[]).success();
    skopeo.push(&index, &reference("multi"), &["--all"]).success();
    let ecr = |words: &[&str]| aws.json(&[&["ecr"], words, &["--repository-name", NAME]].concat());
    let described = |filter: &str| ecr(&["describe-images", "--filter", filter]);
    let move_to = |class: &str, id: &str| {
        let class = ["--target-storage-class", class];
        ecr(&[&["update-image-storage-class", "--image-id", id], &class[..]].concat())
    };
    let refused = |tag: &str| {
        let words = skopeo.copy(&reference(tag), &[]).expect_err("it is archived").failure();
        assert!(words.contains("manifest unknown") && words.contains("archived"), "{words}");
    };

    let moved = move_to("ARCHIVE", "imageTag=v1");
    assert_eq!(moved["imageStatus"], "ARCHIVED");
    assert_eq!(moved["imageId"]["imageDigest"], image.digest);
    assert_eq!(digests(&described("imageStatus=ARCHIVED")), [&image.digest]);
    assert!(!digests(&ecr(&["describe-images"])).contains(&image.digest.as_str()));
    refused("v1");
    let pinned = format!("{}/{NAME}@{}", cistern.host(), image.digest);
    let words = skopeo.copy(&pinned, &[]).expect_err("it is archived").failure();
    assert!(words.contains("archived"), "{words}");
    let tags = skopeo.list_tags(&format!("{}/{NAME}", cistern.host())).success();
    assert!(tags.contains("multi") && !tags.contains("v1"), "{tags}");
    let layers = ["--layer-digests", image.largest_blob()];
    let checked = ecr(&[&["batch-check-layer-availability"], &layers[..]].concat());
    assert_eq!(checked["layers"][0]["layerAvailability"], "ARCHIVED");

    // Each way back.
    assert_eq!(move_to("STANDARD", "imageTag=v1")["imageStatus"], "ACTIVE");
    skopeo.pull(&reference("v1")).assert_whole(&image);
    let archived = cistern.command(&["image", "archive", "team/app:v1"]).success();
    assert!(archived.contains("is archived"), "{archived}");
    refused("v1");
    let shown = cistern.command(&["image", "show", "team/app:v1"]).success();
    assert!(shown.contains("archived") && shown.contains("Archived (UTC)"), "{shown}");
    let listed = cistern.command(&["image", "list", NAME, "--archived"]).success();
    assert!(listed.contains("v1") && !listed.contains("multi"), "{listed}");
    let restored = cistern.command(&["image", "restore", "team/app:v1"]).success();
    assert!(restored.contains("is active"), "{restored}");
    skopeo.pull(&reference("v1")).assert_whole(&image);
    move_to("ARCHIVE", "imageTag=v1");
    skopeo.push(&image, &reference("v1"), &[]).success();
    skopeo.pull(&reference("v1")).assert_whole(&image);

    // An index is one image.
    move_to("ARCHIVE", "imageTag=multi");
    refused("multi");
    assert!(digests(&described("imageStatus=ARCHIVED")).len() > 1);
    move_to("STANDARD", "imageTag=multi");
    skopeo.pull_all(&reference("multi")).assert_whole(&index);
    let gone = ["--image-id", "imageTag=none", "--target-storage-class", "ARCHIVE"];
    let of = ["--repository-name", NAME];
    let words = aws.run(&[&["ecr", "update-image-storage-class"], &of[..], &gone[..]].concat());
    let words = words.failure();
    assert!(words.contains("(ImageNotFoundException)"), "{words}");
}

#[test]
fn a_policy_archives_what_it_previews() {
    let directory = TempDir::new().expect("a temporary directory");
    let config = directory.path().join("cistern.toml");
    fs::write(&config, "[limits]\nlifecycle-interval = \"300ms\"\n").expect("a file");
    let cistern = Cistern::start(&["--config", config.to_str().expect("a plain path")]);
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let images: Vec<Image> = (1..=2).map(|kib| Image::one_layer(kib << 10)).collect();
    let reference = |tag: usize| format!("{}/{NAME}:v{tag}", cistern.host());
    for (image, tag) in images.iter().zip(1..) {
        skopeo.push(image, &reference(tag), &[]).success();
    }
    let of = ["--repository-name", NAME];
    let ecr = |words: &[&str]| aws.json(&[&["ecr"], words, &of[..]].concat());
    let policy = json!({"rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1,
            },
            "action": {"type": "transition", "targetStorageClass": "archive"},
        },
        {
            "rulePriority": 2,
            "selection": {
                "tagStatus": "any", "storageClass": "archive", "countUnit": "days",
                "countType": "sinceImageTransitioned", "countNumber": 90,
            },
            "action": {"type": "expire"},
        },
    ]})
    .to_string();
    ecr(&["start-lifecycle-policy-preview", "--lifecycle-policy-text", &policy]);
    aws.run(&[&["ecr", "wait", "lifecycle-policy-preview-complete"], &of[..]].concat()).success();
    let found = ecr(&["get-lifecycle-policy-preview"]);
    let counts = &found["summary"]["transitioningImageTotalCounts"];
    assert_eq!(*counts, json!([{"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}]));
    assert_eq!(found["previewResults"][0]["imageDigest"], images[0].digest);
    skopeo.pull(&reference(1)).assert_whole(&images[0]);

    ecr(&["put-lifecycle-policy", "--lifecycle-policy-text", &policy]);
    let archived = wait::until("the policy to be carried out", || {
        let found = ecr(&["describe-images", "--filter", "imageStatus=ARCHIVED"]);
        (!digests(&found).is_empty()).then_some(found)
    });
    assert_eq!(digests(&archived), [&images[0].digest]);
    let words = skopeo.copy(&reference(1), &[]).expect_err("it is archived").failure();
    assert!(words.contains("archived"), "{words}");
    skopeo.pull(&reference(2)).assert_whole(&images[1]);
    // What was restored is the newest of all, and the other one goes.
    let back = ["--image-id", "imageTag=v1", "--target-storage-class", "STANDARD"];
    ecr(&[&["update-image-storage-class"], &back[..]].concat());
    skopeo.pull(&reference(1)).assert_whole(&images[0]);
    wait::until("the policy to be carried out again", || {
        let found = ecr(&["describe-images", "--filter", "imageStatus=ARCHIVED"]);
        (digests(&found) == [images[1].digest.as_str()]).then_some(())
    });
    skopeo.pull(&reference(1)).assert_whole(&images[0]);
}

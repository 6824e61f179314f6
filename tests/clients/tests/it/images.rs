//! Images through ECR's API alone, by the AWS CLI and boto3: a batch is a pull, and a layer is
//! downloaded by an address that needs no credentials.

use clients::cistern::workspace;
use clients::image::sha256;
use clients::{Image, UpstreamRegistry, or_skip};
use serde_json::json;

use crate::scene::{aws_cli, cache_of_docker_hub, create_docker_hub_rule};

#[test]
fn an_image_is_listed_and_downloaded_without_a_registry_client() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let alpine = Image::multi_arch();
    upstream.push(&alpine, "library/alpine", "3.20");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let repository = ["--repository-name", "docker-hub/library/alpine"];

    let pull = [&["ecr", "batch-get-image"], &repository[..], &["--image-ids", "imageTag=3.20"]];
    let pulled = aws.json(&pull.concat());
    assert_eq!(pulled["failures"], json!([]));
    let manifest = pulled["images"][0]["imageManifest"].as_str().expect("a manifest");
    assert_eq!(sha256(manifest.as_bytes()), alpine.digest);

    // Each layer once from upstream, however often it is asked for.
    let python = || aws.run_python(&workspace().join("tests/clients/scripts/boto3_images.py"));
    python().success();
    upstream.stop();
    python().success();

    let blob = alpine.largest_blob();
    let check = [
        &["ecr", "batch-check-layer-availability"],
        &repository[..],
        &["--layer-digests", blob, "sha256:none"],
    ];
    let checked = aws.json(&check.concat());
    assert_eq!(checked["failures"][0]["failureCode"], "InvalidLayerDigest", "{checked}");
    let list = [&["ecr", "list-images"], &repository[..], &["--filter", "tagStatus=TAGGED"]];
    let listed = aws.json(&list.concat());
    let expected = json!([{"imageDigest": alpine.digest, "imageTag": "3.20"}]);
    assert_eq!(listed["imageIds"], expected);
}

//! podman and buildah: images pulled through a rule, built upon and pushed, then all of it again
//! without the upstream.

use std::path::Path;

use clients::program::write;
use clients::{Containers, Image, UpstreamRegistry, or_skip};

use crate::scene::{aws_cli, cache_of_docker_hub, create_docker_hub_rule};

#[test]
fn podman_and_buildah_pull_build_and_push_with_and_without_the_upstream() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let alpine = Image::multi_arch();
    upstream.push(&alpine, "library/alpine", "3.20");
    // What nobody but buildah pulls.
    let tools = Image::one_layer(1 << 20);
    upstream.push(&tools, "team/tools", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let host = cistern.host();
    let mine = or_skip!(Containers::new(&Containers::plain_http(&host)));
    mine.login(&host, "AWS", &aws.login_password()).success();
    let at = |name: &str| format!("{host}/{name}");
    let base = at("docker-hub/library/alpine:3.20");
    let tools_reference = at("docker-hub/team/tools:1");

    // Cold, and warm.
    for _ in 0..2 {
        mine.forget_images();
        mine.podman(&["pull", &base]).success();
        mine.buildah(&["pull", &tools_reference]).success();
    }
    let context = mine.directory().join("context");
    std::fs::create_dir(&context).expect("a directory of ours");
    write(&context.join("Containerfile"), format!("FROM {base}\nCOPY built /built\n"));
    write(&context.join("built"), "built\n");
    let build =
        |name: &str| mine.buildah(&["bud", "--tag", &at(name), &context.display().to_string()]);
    build("team/app:1").success();
    mine.buildah(&["push", &at("team/app:1")]).success();
    // A layer of the cache is mounted or uploaded anew: either way the image is whole.
    mine.podman(&["tag", &base, &at("team/alpine:mine")]).success();
    mine.podman(&["push", "--format", "v2s2", &at("team/alpine:mine")]).success();
    let absent = mine.podman(&["pull", &at("docker-hub/library/absent:1")]).failure();
    assert!(absent.contains("manifest unknown"), "{absent}");

    upstream.stop();
    let blobs = alpine.blobs.iter().chain(&tools.blobs);
    let transfers = blobs.map(|blob| upstream.blob_gets(blob));
    assert_eq!(transfers.max(), Some(1), "no blob was transferred twice");
    mine.forget_images();
    build("team/app:2").success();
    mine.buildah(&["pull", &tools_reference]).success();
    mine.forget_images();
    let by_digest = format!("{}@{}", at("docker-hub/library/alpine"), alpine.digest);
    for reference in [&base, &by_digest, &at("team/app:1"), &at("team/alpine:mine")] {
        mine.podman(&["pull", reference]).success();
    }
    let built = mine.buildah(&["from", &at("team/app:1")]).success();
    let mounted = mine.buildah(&["mount", built.trim()]).success();
    let read = std::fs::read_to_string(Path::new(mounted.trim()).join("built"));
    assert_eq!(read.expect("the build put it there"), "built\n");
    let unreachable = mine.podman(&["pull", &at("docker-hub/library/other:1")]).failure();
    assert!(unreachable.contains("502"), "{unreachable}");
}

//! Images pushed by real clients, then pulled by others: whole, moved, deleted, over a cache.

use clients::{Docker, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::json;

use crate::scene::{aws_cli, cache_of_docker_hub, create_docker_hub_rule};

#[test]
fn what_skopeo_and_docker_push_is_pulled_to_the_byte() {
    let mut cistern = clients::Cistern::start(&[]);
    let aws = or_skip!(aws_cli(&cistern));
    let (skopeo, docker) = (or_skip!(Skopeo::new()), or_skip!(Docker::start()));
    let (debian, alpine) = (or_skip!(Image::debian()), Image::multi_arch());
    let password = aws.login_password();
    skopeo.login(&cistern.host(), "AWS", &password).success();
    docker.login(&cistern.host(), "AWS", &password).success();
    let host = cistern.host();
    let at = |name: &str| format!("{host}/{name}");

    skopeo.push(&debian, &at("team/debian:12"), &[]).success();
    skopeo.pull(&at("team/debian:12")).assert_whole(&debian);
    skopeo.push(&alpine, &at("team/alpine:3.20"), &["--all"]).success();
    skopeo.pull_all(&at("team/alpine:3.20")).assert_whole(&alpine);

    // Docker pulls it, and pushes it elsewhere: its layers are mounted or uploaded anew.
    docker.pull(&at("team/debian:12")).success();
    docker.run(&["tag", &at("team/debian:12"), &at("other/debian:mine")]).success();
    let said = docker.run(&["push", &at("other/debian:mine")]).success();
    assert!(said.contains("digest: sha256:"), "{said}");
    docker.forget_images();
    docker.run(&["rmi", "--force", &at("other/debian:mine"), &at("team/debian:12")]).success();
    docker.pull(&at("other/debian:mine")).success();

    let listed = aws.json(&["ecr", "list-images", "--repository-name", "team/debian"]);
    let expected = json!([{"imageDigest": debian.digest, "imageTag": "12"}]);
    assert_eq!(listed["imageIds"], expected);
    let tags = skopeo.list_tags(&at("team/alpine")).success();
    assert!(tags.contains("3.20"), "{tags}");

    // All of it is still there for the process after one that was killed.
    cistern.kill();
    cistern.restart();
    skopeo.pull(&at("team/debian:12")).assert_whole(&debian);
    skopeo.delete(&at("team/debian:12")).success();
    let gone = skopeo.copy(&at("team/debian:12"), &[]).expect_err("it was deleted").failure();
    assert!(gone.contains("not found") || gone.contains("unknown"), "{gone}");
}

#[test]
fn a_pushed_tag_stays_in_a_cache() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let (cached, mine) = (Image::one_layer(1 << 20), Image::one_layer(1 << 20));
    upstream.push(&cached, "team/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/docker-hub/team/app:1", cistern.host());
    skopeo.pull(&reference).assert_whole(&cached);
    skopeo.push(&mine, &reference, &[]).success();
    skopeo.pull(&reference).assert_whole(&mine);
    upstream.stop();
    let by_digest = format!("{}/docker-hub/team/app@{}", cistern.host(), cached.digest);
    skopeo.pull(&by_digest).assert_whole(&cached);
}

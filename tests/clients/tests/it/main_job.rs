//! The main job: a rule made with the AWS CLI, real images pulled through it, cold and warm, by the
//! clients that people use, while the upstream counts.

use std::collections::BTreeSet;
use std::thread;

use clients::upstream_registry::USER;
use clients::{AwsCli, Containerd, Docker, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub, create_docker_hub_rule};

#[test]
fn a_docker_hub_with_a_password_is_pulled_cold_and_warm() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    or_skip!(pull_with_every_client(&mut upstream));
}

#[test]
fn a_docker_hub_with_a_token_service_is_pulled_cold_and_warm() {
    let mut upstream = or_skip!(UpstreamRegistry::with_token_service());
    or_skip!(pull_with_every_client(&mut upstream));
    let requests = upstream.issuer().expect("it has one").requests();
    for repository in ["library/debian", "library/alpine"] {
        let scope = format!("repository:{repository}:pull");
        let asked = requests.iter().filter(|request| request.scopes.contains(&scope));
        let users: Vec<_> = asked.map(|request| request.user.as_deref()).collect();
        assert_eq!(users, [Some(USER)], "one token serves every request for {repository}");
    }
}

/// Pulls a Debian and a multi-arch index through a rule with `skopeo`, `docker` and `ctr`; then again
/// without the upstream.
fn pull_with_every_client(upstream: &mut UpstreamRegistry) -> Result<(), clients::Missing> {
    let (debian, alpine) = (Image::debian()?, Image::multi_arch());
    upstream.push(&debian, "library/debian", "12");
    upstream.push(&alpine, "library/alpine", "3.20");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = aws_cli(&cistern)?;
    let (skopeo, docker, containerd) = (Skopeo::new()?, Docker::start()?, Containerd::start()?);
    let rule = create_docker_hub_rule(&aws);
    assert_eq!(rule["upstreamRegistry"], "docker-hub");
    assert_eq!(rule["upstreamRegistryUrl"], DOCKER_HUB);
    let password = aws.login_password();
    skopeo.login(&cistern.host(), "AWS", &password).success();
    docker.login(&cistern.host(), "AWS", &password).success();
    let debian_reference = format!("{}/docker-hub/library/debian:12", cistern.host());
    let alpine_reference = format!("{}/docker-hub/library/alpine:3.20", cistern.host());

    skopeo.pull(&debian_reference).assert_whole(&debian);
    let said = docker.pull(&alpine_reference).success();
    assert!(said.contains(&alpine.digest), "{said}");
    containerd.pull(&alpine_reference, "AWS", &password).success();
    skopeo.pull_all(&alpine_reference).assert_whole(&alpine);

    upstream.stop();
    for blob in debian.blobs.iter().chain(&alpine.blobs) {
        assert_eq!(upstream.blob_gets(blob), 1, "transfers of {blob}");
    }
    skopeo.pull(&debian_reference).assert_whole(&debian);
    skopeo.pull_all(&alpine_reference).assert_whole(&alpine);
    docker.forget_images();
    docker.pull(&alpine_reference).success();
    docker.pull(&debian_reference).success();

    assert_listed(&aws, "docker-hub/library/debian", "12", &debian);
    assert_listed(&aws, "docker-hub/library/alpine", "3.20", &alpine);
    Ok(())
}

/// Asserts that `DescribeRepositories` and `DescribeImages` know the tagged image.
#[track_caller]
fn assert_listed(aws: &AwsCli, repository: &str, tag: &str, image: &Image) {
    let found = aws.json(&["ecr", "describe-repositories", "--repository-names", repository]);
    assert_eq!(found["repositories"][0]["repositoryName"], repository, "{found}");
    let found = aws.json(&["ecr", "describe-images", "--repository-name", repository]);
    let images = found["imageDetails"].as_array().expect("a list");
    let tagged = images.iter().find(|listed| listed["imageDigest"] == *image.digest);
    assert_eq!(tagged.expect("the image is listed")["imageTags"], json!([tag]), "{found}");
}

#[test]
fn rules_are_listed_page_by_page_and_deleted() {
    let cistern = cache_of_docker_hub("http://127.0.0.1:9");
    let aws = or_skip!(aws_cli(&cistern));
    let rules = [("quay", "quay.io"), ("k8s", "registry.k8s.io"), ("ROOT", "public.ecr.aws")];
    for (prefix, url) in rules {
        let rule = create_rule(&aws, prefix, url).success();
        let rule: Value = serde_json::from_str(&rule).expect("the CLI prints JSON");
        assert_eq!(rule["ecrRepositoryPrefix"], prefix);
        assert_eq!(rule.get("credentialArn"), None, "what was not sent is not echoed");
    }
    let again = create_rule(&aws, "quay", "quay.io").failure();
    assert!(again.contains("(PullThroughCacheRuleAlreadyExistsException)"), "{again}");

    let describe = ["ecr", "describe-pull-through-cache-rules"];
    let all = aws.json(&[&describe[..], &["--page-size", "1"]].concat());
    assert_eq!(prefixes(&all), BTreeSet::from(["quay", "k8s", "ROOT"]));
    let first = aws.json(&[&describe[..], &["--max-items", "2"]].concat());
    assert_eq!(prefixes(&first).len(), 2);
    let token = first["NextToken"].as_str().expect("one is left");
    let rest = aws.json(&[&describe[..], &["--starting-token", token]].concat());
    assert_eq!(&prefixes(&first) | &prefixes(&rest), prefixes(&all));

    let delete = ["ecr", "delete-pull-through-cache-rule", "--ecr-repository-prefix", "quay"];
    assert_eq!(aws.json(&delete)["upstreamRegistryUrl"], "quay.io");
    let gone = aws.run(&delete).failure();
    assert!(gone.contains("(PullThroughCacheRuleNotFoundException)"), "{gone}");
    assert_eq!(prefixes(&aws.json(&describe)), BTreeSet::from(["k8s", "ROOT"]));
}

#[track_caller]
fn create_rule(aws: &AwsCli, prefix: &str, url: &str) -> clients::Outcome {
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", prefix];
    aws.run(&[&create[..], &["--upstream-registry-url", url]].concat())
}

fn prefixes(answer: &Value) -> BTreeSet<&str> {
    let rules = answer["pullThroughCacheRules"].as_array().expect("a list");
    rules.iter().filter_map(|rule| rule["ecrRepositoryPrefix"].as_str()).collect()
}

#[test]
fn eight_clients_at_once_cost_one_transfer() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let image = Image::one_layer(24 << 20);
    upstream.push(&image, "team/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/docker-hub/team/app:1", cistern.host());

    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| skopeo.pull(&reference).assert_whole(&image));
        }
    });

    upstream.stop();
    for blob in &image.blobs {
        assert_eq!(upstream.blob_gets(blob), 1, "transfers of {blob}");
    }
}

#[test]
fn a_failed_pull_says_what_the_upstream_said_and_creates_nothing() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    upstream.push(&Image::one_layer(1 << 10), "team/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let refused = |name: &str| {
        let reference = format!("{}/docker-hub/{name}", cistern.host());
        skopeo.copy(&reference, &[]).expect_err("there is nothing to pull").failure()
    };

    let said = refused("team/absent:1");
    assert!(said.contains("unknown") || said.contains("not found"), "{said}");
    upstream.stop();
    let said = refused("team/app:1");
    assert!(said.contains("502") || said.contains("504"), "{said}");

    let listed = aws.json(&["ecr", "describe-repositories"]);
    assert_eq!(listed["repositories"], json!([]));
}

//! Repository creation templates kept with the AWS CLI, and applied by the first pull of a real
//! image.

use clients::{AwsCli, Cistern, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub};

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"description":"keep three","selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"pull","Effect":"Allow","Principal":"*","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}"#;
const ROLE: &str = "arn:aws:iam::000000000000:role/templates";

/// `aws ecr create-repository-creation-template` with these words more.
#[track_caller]
fn create(aws: &AwsCli, prefix: &str, more: &[&str]) -> Value {
    let create = [
        "ecr",
        "create-repository-creation-template",
        "--prefix",
        prefix,
        "--applied-for",
        "PULL_THROUGH_CACHE",
    ];
    aws.json(&[&create[..], more].concat())["repositoryCreationTemplate"].clone()
}

#[track_caller]
fn update(aws: &AwsCli, prefix: &str, more: &[&str]) -> Value {
    let update = ["ecr", "update-repository-creation-template", "--prefix", prefix];
    aws.json(&[&update[..], more].concat())["repositoryCreationTemplate"].clone()
}

#[track_caller]
fn create_rule(aws: &AwsCli, prefix: &str, url: &str) {
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", prefix];
    aws.json(&[&create[..], &["--upstream-registry-url", url]].concat());
}

#[track_caller]
fn repository(aws: &AwsCli, name: &str) -> Value {
    let describe = ["ecr", "describe-repositories", "--repository-names", name];
    aws.json(&describe)["repositories"][0].clone()
}

/// The tags of a repository that is there.
#[track_caller]
fn tags(aws: &AwsCli, name: &str) -> Value {
    let arn = repository(aws, name)["repositoryArn"].as_str().expect("an ARN").to_owned();
    aws.json(&["ecr", "list-tags-for-resource", "--resource-arn", &arn])["tags"].clone()
}

/// A Skopeo that is logged in.
#[track_caller]
fn logged_in(cistern: &Cistern, aws: &AwsCli) -> Result<Skopeo, clients::Missing> {
    let skopeo = Skopeo::new()?;
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    Ok(skopeo)
}

#[test]
fn a_first_pull_makes_what_the_template_describes() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::one_layer(1 << 12);
    for name in ["library/debian", "team/app", "other"] {
        upstream.push(&image, name, "1");
    }
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(logged_in(&cistern, &aws));
    create_rule(&aws, "docker-hub", DOCKER_HUB);
    create_rule(&aws, "mirror", DOCKER_HUB);
    let created = create(
        &aws,
        "docker-hub/library",
        &[
            "--description",
            "official images",
            "--image-tag-mutability",
            "IMMUTABLE_WITH_EXCLUSION",
            "--image-tag-mutability-exclusion-filters",
            "filterType=WILDCARD,filter=latest*",
            "--encryption-configuration",
            "encryptionType=KMS",
            "--resource-tags",
            "Key=team,Value=library",
            "--repository-policy",
            POLICY,
            "--lifecycle-policy",
            LIFECYCLE,
            "--custom-role-arn",
            ROLE,
        ],
    );
    assert_eq!(created["description"], "official images");
    assert_eq!(created["appliedFor"], json!(["PULL_THROUGH_CACHE"]));
    assert_eq!(created["customRoleArn"], ROLE);
    create(&aws, "ROOT", &["--resource-tags", "Key=team,Value=root"]);
    let pull = |name: &str| {
        skopeo.pull(&format!("{}/{name}:1", cistern.host())).assert_whole(&image);
    };

    pull("docker-hub/library/debian");
    let made = repository(&aws, "docker-hub/library/debian");
    assert_eq!(made["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(
        made["imageTagMutabilityExclusionFilters"],
        json!([{"filterType": "WILDCARD", "filter": "latest*"}])
    );
    assert_eq!(made["encryptionConfiguration"], json!({"encryptionType": "KMS"}));
    let of_repository = ["--repository-name", "docker-hub/library/debian"];
    let get = |operation| aws.json(&[&["ecr", operation][..], &of_repository].concat());
    assert_eq!(get("get-lifecycle-policy")["lifecyclePolicyText"], LIFECYCLE);
    assert_eq!(get("get-repository-policy")["policyText"], POLICY);
    let expected = |team: &str| json!([{"Key": "team", "Value": team}]);
    assert_eq!(tags(&aws, "docker-hub/library/debian"), expected("library"));

    pull("docker-hub/team/app");
    assert_eq!(tags(&aws, "docker-hub/team/app"), expected("root"));
    assert_eq!(repository(&aws, "docker-hub/team/app")["imageTagMutability"], "MUTABLE");

    // A change is for what comes into being later.
    update(&aws, "ROOT", &["--resource-tags", "Key=team,Value=changed"]);
    pull("docker-hub/other");
    assert_eq!(tags(&aws, "docker-hub/other"), expected("changed"));
    assert_eq!(tags(&aws, "docker-hub/team/app"), expected("root"));
    let delete = ["ecr", "delete-repository-creation-template", "--prefix", "ROOT"];
    let deleted = aws.json(&delete);
    assert_eq!(deleted["repositoryCreationTemplate"]["resourceTags"], expected("changed"));
    let gone = aws.run(&delete).failure();
    assert!(gone.contains("(TemplateNotFoundException)"), "{gone}");
    pull("mirror/other");
    assert_eq!(tags(&aws, "mirror/other"), json!([]));
}

#[test]
fn templates_are_listed_page_by_page() {
    let cistern = cache_of_docker_hub("http://127.0.0.1:9");
    let aws = or_skip!(aws_cli(&cistern));
    for prefix in ["prod", "prod/team", "ROOT"] {
        create(&aws, prefix, &[]);
    }
    let describe = ["ecr", "describe-repository-creation-templates"];
    let prefixes = |more: &[&str]| -> Vec<String> {
        let found = aws.json(&[&describe[..], more].concat());
        let templates = found["repositoryCreationTemplates"].as_array().expect("a list");
        let prefix = |template: &Value| template["prefix"].as_str().expect("one").to_owned();
        templates.iter().map(prefix).collect()
    };
    assert_eq!(prefixes(&["--page-size", "1"]), ["ROOT", "prod", "prod/team"]);
    assert_eq!(prefixes(&["--prefixes", "prod/team", "none"]), ["prod/team"]);
    assert_eq!(prefixes(&["--max-items", "2"]), ["ROOT", "prod"]);
    let again = ["ecr", "create-repository-creation-template", "--prefix", "prod"];
    let again = aws.run(&[&again[..], &["--applied-for", "REPLICATION"]].concat()).failure();
    assert!(again.contains("(TemplateAlreadyExistsException)"), "{again}");
}

#[test]
fn in_strict_mode_tags_need_a_role_and_the_pull_says_so() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::one_layer(1 << 12);
    upstream.push(&image, "team/app", "1");
    let endpoint = format!("quay.io={}", upstream.url());
    let cistern = Cistern::start(&["--strict-ecr", "--upstream-endpoint", &endpoint]);
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(logged_in(&cistern, &aws));
    create_rule(&aws, "quay", "quay.io");
    create(&aws, "quay", &["--resource-tags", "Key=team,Value=a"]);
    let reference = format!("{}/quay/team/app:1", cistern.host());

    let said = skopeo.copy(&reference, &[]).expect_err("it has no role").failure();
    assert!(said.contains("name unknown") || said.contains("does not exist"), "{said}");
    let listed = aws.json(&["ecr", "describe-repositories"]);
    assert_eq!(listed["repositories"], json!([]));
    update(&aws, "quay", &["--custom-role-arn", ROLE]);
    skopeo.pull(&reference).assert_whole(&image);
    assert_eq!(tags(&aws, "quay/team/app"), json!([{"Key": "team", "Value": "a"}]));
}

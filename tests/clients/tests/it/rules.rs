//! Rules changed and tried with the AWS CLI, and kept by Terraform.

use clients::upstream_registry::{PASSWORD, USER};
use clients::{AwsCli, Cistern, Terraform, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub, create_docker_hub_rule};

/// Creates a secret and returns its ARN.
#[track_caller]
fn create_secret(aws: &AwsCli, name: &str, value: &str) -> String {
    let name = format!("ecr-pullthroughcache/{name}");
    let create = ["secretsmanager", "create-secret", "--name", &name, "--secret-string", value];
    aws.json(&create)["ARN"].as_str().expect("CreateSecret answers an ARN").to_owned()
}

fn account(password: &str) -> String {
    json!({"username": USER, "accessToken": password}).to_string()
}

#[track_caller]
fn validate(aws: &AwsCli, prefix: &str) -> Value {
    aws.json(&["ecr", "validate-pull-through-cache-rule", "--ecr-repository-prefix", prefix])
}

#[test]
fn a_wrong_password_is_told_and_an_update_mends_it() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    let created = create_docker_hub_rule(&aws);
    let right = created["credentialArn"].as_str().expect("it was sent");
    let wrong = create_secret(&aws, "wrong", &account("no"));
    let update = |more: &[&str]| {
        let update = ["ecr", "update-pull-through-cache-rule", "--ecr-repository-prefix"];
        aws.run(&[&update[..], &["docker-hub"], more].concat())
    };

    let valid = validate(&aws, "docker-hub");
    assert_eq!(
        (&valid["isValid"], &valid["upstreamRegistryUrl"]),
        (&json!(true), &json!(DOCKER_HUB))
    );
    let updated: Value = serde_json::from_str(&update(&["--credential-arn", &wrong]).success())
        .expect("the CLI prints JSON");
    assert_eq!(updated["credentialArn"], wrong);
    assert_eq!(updated.get("upstreamRegistryUrl"), None);
    let refused = validate(&aws, "docker-hub");
    let failure = refused["failure"].as_str().expect("it says why");
    assert_eq!(refused["isValid"], json!(false));
    assert!(
        failure.starts_with("The authentication to the upstream registry failed."),
        "{failure}"
    );

    let _ = update(&["--credential-arn", right]).success();
    assert_eq!(validate(&aws, "docker-hub")["isValid"], json!(true));
    let said = update(&[]).failure();
    assert!(
        said.contains("Please set either credential arn or role arn to update the credentials"),
        "{said}"
    );
    let gone = right.replace("docker-hub", "gone");
    let said = update(&["--credential-arn", &gone]).failure();
    assert!(said.contains("(SecretNotFoundException)"), "{said}");
    upstream.stop();
    let refused = validate(&aws, "docker-hub");
    assert_eq!(refused["isValid"], json!(false));
    let failure = refused["failure"].as_str().expect("it says why");
    assert!(failure.starts_with("The upstream registry cannot be reached"), "{failure}");
}

/// Rules as people write them; `credential` is a line of the one for Docker Hub.
fn module(credential: &str) -> String {
    format!(
        r#"
resource "aws_ecr_pull_through_cache_rule" "public" {{
  ecr_repository_prefix = "ecr-public"
  upstream_registry_url = "public.ecr.aws"
}}
resource "aws_ecr_pull_through_cache_rule" "hub" {{
  ecr_repository_prefix = "team/docker-hub"
  upstream_registry_url = "{DOCKER_HUB}"
  {credential}
}}
resource "aws_ecr_pull_through_cache_rule" "root" {{
  ecr_repository_prefix = "ROOT"
  upstream_registry_url = "quay.io"
}}
resource "aws_ecr_pull_through_cache_rule" "slash" {{
  ecr_repository_prefix = "my-app/"
  upstream_registry_url = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
  custom_role_arn       = "arn:aws:iam::000000000000:role/ptc"
}}
resource "aws_ecr_pull_through_cache_rule" "narrowed" {{
  ecr_repository_prefix      = "k8s"
  upstream_registry_url      = "registry.k8s.io"
  upstream_repository_prefix = "kube"
}}
"#
    )
}

fn credential(arn: &str) -> String {
    format!("credential_arn = {arn:?}")
}

#[test]
fn terraform_keeps_rules() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(aws_cli(&cistern));
    let one = create_secret(&aws, "one", &account(PASSWORD));
    let two = create_secret(&aws, "two", &account(PASSWORD));
    let terraform = or_skip!(Terraform::new(cistern.environment(), &module(&credential(&one))));
    let _ = terraform.apply().success();
    terraform.assert_settled();
    assert_eq!(terraform.resources().len(), 5);

    terraform.write(&module(&credential(&two)));
    let plan = terraform.changes();
    assert!(plan.contains("0 to add, 1 to change, 0 to destroy"), "{plan}");
    let _ = terraform.apply().success();
    terraform.assert_settled();
    let described = aws.json(&[
        "ecr",
        "describe-pull-through-cache-rules",
        "--ecr-repository-prefixes",
        "team/docker-hub",
    ]);
    assert_eq!(described["pullThroughCacheRules"][0]["credentialArn"], two);

    terraform.write(&module(""));
    // Terraform draws a frame around what ECR says.
    let said = terraform.apply().failure().replace('│', " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("Please set either credential arn or role arn to update the credentials"),
        "{said}"
    );
    terraform.write(&module(&credential(&two)));

    let delete = ["ecr", "delete-pull-through-cache-rule", "--ecr-repository-prefix", "ROOT"];
    aws.json(&delete);
    let plan = terraform.changes();
    assert!(plan.contains("1 to add, 0 to change, 0 to destroy"), "{plan}");
    let _ = terraform.apply().success();

    let address = "aws_ecr_pull_through_cache_rule.narrowed";
    let _ = terraform.run(&["state", "rm", address]).success();
    let _ = terraform.run(&["import", "-input=false", "-no-color", address, "k8s"]).success();
    terraform.assert_settled();

    let _ = terraform.run(&["destroy", "-auto-approve", "-input=false", "-no-color"]).success();
    let left = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    assert_eq!(left["pullThroughCacheRules"], json!([]));
}

//! Rules changed and tried with the AWS CLI.

use clients::upstream_registry::USER;
use clients::{AwsCli, UpstreamRegistry, or_skip};
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

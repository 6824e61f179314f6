//! The beginning that most scenarios share: a cache in front of one upstream, and a caller of its API.

use clients::upstream_registry::{PASSWORD, USER};
use clients::{AwsCli, Cistern, Missing};
use serde_json::{Value, json};

/// The public name that the upstream of a scenario goes by.
pub(crate) const DOCKER_HUB: &str = "registry-1.docker.io";

/// Starts a cache that finds Docker Hub at `upstream_url`.
#[track_caller]
pub(crate) fn cache_of_docker_hub(upstream_url: &str) -> Cistern {
    Cistern::start(&["--upstream-endpoint", &format!("{DOCKER_HUB}={upstream_url}")])
}

/// The AWS CLI as after `eval "$(cistern env)"`.
#[track_caller]
pub(crate) fn aws_cli(cistern: &Cistern) -> Result<AwsCli, Missing> {
    AwsCli::new(cistern.environment())
}

/// Creates the secret and the rule of a private Docker Hub account, as a user would.
#[track_caller]
pub(crate) fn create_docker_hub_rule(aws: &AwsCli) -> Value {
    let account = json!({"username": USER, "accessToken": PASSWORD}).to_string();
    let secret = aws.json(&[
        "secretsmanager",
        "create-secret",
        "--name",
        "ecr-pullthroughcache/docker-hub",
        "--secret-string",
        &account,
    ]);
    let arn = secret["ARN"].as_str().expect("CreateSecret answers an ARN");
    let rule = aws.json(&[
        "ecr",
        "create-pull-through-cache-rule",
        "--ecr-repository-prefix",
        "docker-hub",
        "--upstream-registry-url",
        DOCKER_HUB,
        "--credential-arn",
        arn,
    ]);
    assert_eq!(rule["credentialArn"], arn);
    rule
}

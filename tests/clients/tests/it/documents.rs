//! What the samples of the documents have in common: one account, one secret, one rule.

use clients::AwsCli;
use clients::upstream_registry::{PASSWORD, USER};
use serde_json::{Value, json};

/// The account of the samples with as many digits as an account has.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The sample with [`ACCOUNT`] in place of its account of nine digits, which Terraform's AWS provider
/// refuses before it asks anything.
pub(crate) fn with_an_account(sample: &str) -> String {
    let edited = sample.replace(":123456789:", &format!(":{ACCOUNT}:"));
    assert_ne!(edited, sample, "the sample names an account");
    edited
}

/// Creates the secret that the samples name, and returns its ARN.
#[track_caller]
pub(crate) fn create_credentials(aws: &AwsCli) -> String {
    let account = json!({"username": USER, "accessToken": PASSWORD}).to_string();
    let name = "ecr-pullthroughcache/ecrpublic";
    let create = ["secretsmanager", "create-secret", "--name", name, "--secret-string", &account];
    aws.json(&create)["ARN"].as_str().expect("CreateSecret answers an ARN").to_owned()
}

/// The rules there are.
#[track_caller]
pub(crate) fn described_rules(aws: &AwsCli) -> Vec<Value> {
    let described = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    described["pullThroughCacheRules"].as_array().cloned().expect("it is always there")
}

//! Secrets from their making to their end, by boto3 and by Terraform.

use clients::cistern::workspace;
use clients::{AwsCli, Cistern, Terraform, or_skip};
use serde_json::json;

#[test]
fn boto3_changes_lists_and_restores_secrets() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_secrets.py")).success();
}

/// A secret with this description, whose value is `token`, and its policy.
fn module(description: &str, token: &str) -> String {
    format!(
        r#"
resource "aws_secretsmanager_secret" "hub" {{
  name                    = "ecr-pullthroughcache/hub"
  description             = "{description}"
  recovery_window_in_days = 0
  tags                    = {{ team = "web" }}
}}
resource "aws_secretsmanager_secret_version" "hub" {{
  secret_id     = aws_secretsmanager_secret.hub.id
  secret_string = jsonencode({{ username = "alice", accessToken = "{token}" }})
}}
resource "aws_secretsmanager_secret_policy" "hub" {{
  secret_arn = aws_secretsmanager_secret.hub.arn
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ AWS = "arn:aws:iam::000000000000:root" }}
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
    }}]
  }})
}}
data "aws_secretsmanager_secret_version" "hub" {{
  secret_id  = aws_secretsmanager_secret.hub.id
  depends_on = [aws_secretsmanager_secret_version.hub]
}}
"#
    )
}

#[test]
fn terraform_keeps_a_secret_its_version_and_its_policy() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    let terraform = or_skip!(Terraform::new(cistern.environment(), &module("hub", "one")));
    let _ = terraform.apply().success();
    terraform.assert_settled();

    terraform.write(&module("", "two"));
    let _ = terraform.apply().success();
    terraform.assert_settled();
    let id = ["--secret-id", "ecr-pullthroughcache/hub"];
    let secret = aws.json(&[&["secretsmanager", "get-secret-value"], &id[..]].concat());
    let value = secret["SecretString"].as_str().expect("it is text");
    assert!(value.contains("two"), "{value}");
    assert_eq!(secret["VersionStages"], json!(["AWSCURRENT"]));

    let _ = terraform.run(&["destroy", "-auto-approve", "-no-color"]).success();
    let listed = aws.json(&["secretsmanager", "list-secrets", "--include-planned-deletion"]);
    assert_eq!(listed["SecretList"], json!([]));
}

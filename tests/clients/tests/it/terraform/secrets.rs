//! Secrets, their versions and their policies.

use clients::or_skip;
use serde_json::json;

use super::{Workplace, import_block};

/// A secret with this description, whose value is `token`, and its policy.
fn module(name: &str, description: &str, token: &str) -> String {
    format!(
        r#"
resource "aws_secretsmanager_secret" "hub" {{
  name                    = "ecr-pullthroughcache/{name}"
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
data "aws_secretsmanager_secret" "hub" {{
  name       = "ecr-pullthroughcache/{name}"
  depends_on = [aws_secretsmanager_secret_version.hub]
}}
data "aws_secretsmanager_secret_version" "hub" {{
  secret_id  = aws_secretsmanager_secret.hub.id
  depends_on = [aws_secretsmanager_secret_version.hub]
}}
output "version" {{
  value = aws_secretsmanager_secret_version.hub.id
}}
output "stages" {{
  value = data.aws_secretsmanager_secret_version.hub.version_stages
}}
"#
    )
}

#[test]
fn secrets_live_and_end() {
    let place = or_skip!(Workplace::new(&module("hub", "hub", "one")));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();
    assert_eq!(terraform.output("stages"), json!(["AWSCURRENT"]));

    let second = module("hub", "", "two");
    terraform.write(&second);
    place.apply();
    let id = ["--secret-id", "ecr-pullthroughcache/hub"];
    let secret = aws.json(&[&["secretsmanager", "get-secret-value"], &id[..]].concat());
    let value = secret["SecretString"].as_str().expect("it is text");
    assert!(value.contains("two"), "{value}");
    assert_eq!(secret["VersionStages"], json!(["AWSCURRENT"]));

    // A version goes by `<ARN>|<version id>`; the ARN alone is the secret.
    let version = terraform.output("version");
    let version = version.as_str().expect("an id is text");
    let arn = version.split('|').next().expect("an ARN");
    terraform.import_again("aws_secretsmanager_secret_version.hub", version);
    terraform.assert_settled();
    let address = "aws_secretsmanager_secret.hub";
    let _ = terraform.run(&["state", "rm", address]).success();
    terraform.write(&(second.clone() + &import_block(address, arn)));
    // What no API tells, the window of recovery, is set in the state again.
    let plan = terraform.changes();
    assert!(plan.contains("1 to import, 0 to add"), "{plan}");
    place.apply();
    terraform.write(&second);
    terraform.assert_settled();

    let third = module("renamed", "", "two");
    terraform.write(&third);
    terraform.assert_plans("3 to add, 0 to change, 3 to destroy");
    place.apply();
    let delete = ["secretsmanager", "delete-secret", "--force-delete-without-recovery"];
    place.meddle(&[&delete[..], &["--secret-id", "ecr-pullthroughcache/renamed"]].concat());
    terraform.write(&third);
    let plan = terraform.changes();
    assert!(plan.contains("aws_secretsmanager_secret.hub will be created"), "{plan}");
    place.apply();

    let _ = terraform.destroy().success();
    let listed = aws.json(&["secretsmanager", "list-secrets", "--include-planned-deletion"]);
    assert_eq!(listed["SecretList"], json!([]));
}

/// A password that Terraform has drawn for it.
#[test]
fn a_password_is_drawn() {
    let module = r#"
data "aws_secretsmanager_random_password" "drawn" {
  password_length            = 50
  exclude_punctuation        = true
  require_each_included_type = true
}
output "length" {
  value = nonsensitive(length(data.aws_secretsmanager_random_password.drawn.random_password))
}
"#;
    let place = or_skip!(Workplace::new(module));
    let _ = place.terraform.apply().success();
    assert_eq!(place.terraform.output("length"), 50);
}

//! Repositories, their policies and their lifecycle policies.

use clients::or_skip;
use serde_json::{Value, json};

use super::{Workplace, import_block};

/// What differs from step to step.
struct Repository {
    name: &'static str,
    mutability: &'static str,
    scan_on_push: bool,
    /// The tags, in Terraform's own words.
    tags: &'static str,
    /// What the repository policy allows.
    action: &'static str,
    /// After how many days the lifecycle policy lets images go.
    days: u32,
}

const FIRST: Repository = Repository {
    name: "team/app",
    mutability: "MUTABLE",
    scan_on_push: false,
    tags: r#"team = "web", stage = "test""#,
    action: "ecr:BatchGetImage",
    days: 14,
};

fn module(repository: &Repository) -> String {
    let Repository { name, mutability, scan_on_push, tags, action, days } = repository;
    format!(
        r#"
resource "aws_ecr_repository" "app" {{
  name                 = "{name}"
  image_tag_mutability = "{mutability}"
  force_delete         = true
  image_scanning_configuration {{
    scan_on_push = {scan_on_push}
  }}
  encryption_configuration {{
    encryption_type = "AES256"
  }}
  tags = {{ {tags} }}
}}
resource "aws_ecr_repository" "bare" {{
  name = "bare"
}}
resource "aws_ecr_repository_policy" "app" {{
  repository = aws_ecr_repository.app.name
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = {{ AWS = "arn:aws:iam::444455556666:root" }}
      Action    = ["{action}"]
    }}]
  }})
}}
resource "aws_ecr_lifecycle_policy" "app" {{
  repository = aws_ecr_repository.app.name
  policy = jsonencode({{
    rules = [{{
      rulePriority = 1
      description  = "old images go"
      selection = {{
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = {days}
      }}
      action = {{ type = "expire" }}
    }}]
  }})
}}
data "aws_ecr_repository" "app" {{
  name = aws_ecr_repository.app.name
}}
data "aws_ecr_repositories" "all" {{
  depends_on = [aws_ecr_repository.app, aws_ecr_repository.bare]
}}
output "app" {{
  value = data.aws_ecr_repository.app
}}
output "all" {{
  value = data.aws_ecr_repositories.all.names
}}
"#
    )
}

#[test]
fn repositories_live_and_end() {
    let place = or_skip!(Workplace::new(&module(&FIRST)));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();
    let app = terraform.output("app");
    assert_eq!(app["arn"], "arn:aws:ecr:us-east-1:000000000000:repository/team/app");
    assert_eq!(app["tags"], json!({"team": "web", "stage": "test"}));
    assert_eq!(terraform.output("all"), json!(["bare", "team/app"]));

    let second = Repository {
        mutability: "IMMUTABLE",
        scan_on_push: true,
        tags: r#"team = "ops""#,
        action: "ecr:GetDownloadUrlForLayer",
        days: 30,
        ..FIRST
    };
    terraform.write(&module(&second));
    let plan = terraform.changes();
    assert!(plan.contains("aws_ecr_repository.app will be updated in-place"), "{plan}");
    assert!(plan.contains("aws_ecr_repository_policy.app will be updated in-place"), "{plan}");
    place.apply();
    let named = ["--repository-names", "team/app"];
    let held = aws.json(&[&["ecr", "describe-repositories"], &named[..]].concat());
    let held = &held["repositories"][0];
    assert_eq!(
        (&held["imageTagMutability"], &held["imageScanningConfiguration"]["scanOnPush"]),
        (&json!("IMMUTABLE"), &json!(true))
    );
    let named = ["--repository-name", "team/app"];
    let policy = aws.json(&[&["ecr", "get-repository-policy"], &named[..]].concat());
    let policy = policy["policyText"].as_str().expect("a policy is text");
    assert!(policy.contains("GetDownloadUrlForLayer"), "{policy}");

    for resource in ["aws_ecr_repository", "aws_ecr_repository_policy", "aws_ecr_lifecycle_policy"]
    {
        terraform.import_again(&format!("{resource}.app"), "team/app");
    }
    // What no API tells, whether to delete images with the repository, is set in the state again.
    place.apply();
    let address = "aws_ecr_repository.bare";
    let _ = terraform.run(&["state", "rm", address]).success();
    let with_import = module(&second) + &import_block(address, "bare");
    place.change(&with_import, "1 to import, 0 to add, 0 to change, 0 to destroy");

    place.meddle(&[&["ecr", "delete-repository-policy"], &named[..]].concat());
    place.meddle(&[&["ecr", "delete-lifecycle-policy"], &named[..]].concat());
    place.meddle(&["ecr", "delete-repository", "--repository-name", "bare"]);
    place.change(&module(&second), "3 to add, 0 to change, 0 to destroy");

    let renamed = Repository { name: "team/renamed", ..second };
    place.change(&module(&renamed), "3 to add, 0 to change, 3 to destroy");

    let _ = terraform.destroy().success();
    assert_eq!(aws.json(&["ecr", "describe-repositories"])["repositories"], json!([]));
}

/// What `docker login` needs, for a provider of Docker or Helm.
#[test]
fn a_password_is_handed_to_other_providers() {
    let module = r#"
data "aws_ecr_authorization_token" "here" {}
data "aws_caller_identity" "me" {}
output "token" {
  value = {
    user     = nonsensitive(data.aws_ecr_authorization_token.here.user_name)
    password = nonsensitive(data.aws_ecr_authorization_token.here.password)
    endpoint = nonsensitive(data.aws_ecr_authorization_token.here.proxy_endpoint)
    account  = data.aws_caller_identity.me.account_id
  }
}
"#;
    let place = or_skip!(Workplace::new(module));
    let _ = place.terraform.apply().success();
    let token: Value = place.terraform.output("token");
    assert_eq!((&token["user"], &token["account"]), (&json!("AWS"), &json!("000000000000")));
    assert_eq!(token["endpoint"], place.cistern.url());
    assert!(token["password"].as_str().is_some_and(|password| password.len() > 100), "{token}");
}

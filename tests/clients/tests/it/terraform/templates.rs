//! Repository creation templates.

use clients::or_skip;
use serde_json::json;

use super::{Workplace, import_block};

/// What differs from step to step.
struct Template {
    prefix: &'static str,
    description: &'static str,
    mutability: &'static str,
    applied_for: &'static str,
}

const FIRST: Template = Template {
    prefix: "docker-hub",
    description: "what pulls make",
    mutability: "IMMUTABLE",
    applied_for: r#"["PULL_THROUGH_CACHE"]"#,
};

fn module(template: &Template) -> String {
    let Template { prefix, description, mutability, applied_for } = template;
    format!(
        r#"
resource "aws_ecr_repository_creation_template" "full" {{
  prefix               = "{prefix}"
  description          = "{description}"
  image_tag_mutability = "{mutability}"
  custom_role_arn      = "arn:aws:iam::000000000000:role/templates"
  applied_for          = {applied_for}
  encryption_configuration {{
    encryption_type = "AES256"
  }}
  repository_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = {{ AWS = "arn:aws:iam::444455556666:root" }}
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }}]
  }})
  lifecycle_policy = jsonencode({{
    rules = [{{
      rulePriority = 1
      selection = {{
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 14
      }}
      action = {{ type = "expire" }}
    }}]
  }})
  resource_tags = {{ team = "web" }}
}}
resource "aws_ecr_repository_creation_template" "root" {{
  prefix      = "ROOT"
  applied_for = ["PULL_THROUGH_CACHE", "REPLICATION"]
}}
data "aws_ecr_repository_creation_template" "full" {{
  prefix = aws_ecr_repository_creation_template.full.prefix
}}
output "full" {{
  value = data.aws_ecr_repository_creation_template.full
}}
"#
    )
}

#[test]
fn templates_live_and_end() {
    let place = or_skip!(Workplace::new(&module(&FIRST)));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();
    let full = terraform.output("full");
    assert_eq!(full["registry_id"], "000000000000");
    assert_eq!(full["resource_tags"], json!({"team": "web"}));

    let second = Template {
        description: "",
        mutability: "MUTABLE",
        applied_for: r#"["PULL_THROUGH_CACHE", "REPLICATION"]"#,
        ..FIRST
    };
    place.change(&module(&second), "0 to add, 1 to change, 0 to destroy");
    let listed = aws.json(&["ecr", "describe-repository-creation-templates"]);
    let listed = listed["repositoryCreationTemplates"].as_array().expect("a list").clone();
    let held = listed.iter().find(|template| template["prefix"] == "docker-hub");
    assert_eq!(held.expect("the template")["imageTagMutability"], "MUTABLE");

    terraform.import_again("aws_ecr_repository_creation_template.full", "docker-hub");
    terraform.assert_settled();
    let address = "aws_ecr_repository_creation_template.root";
    let _ = terraform.run(&["state", "rm", address]).success();
    let with_import = module(&second) + &import_block(address, "ROOT");
    place.change(&with_import, "1 to import, 0 to add, 0 to change, 0 to destroy");

    place.meddle(&["ecr", "delete-repository-creation-template", "--prefix", "ROOT"]);
    place.change(&module(&second), "1 to add, 0 to change, 0 to destroy");
    let moved = Template { prefix: "quay", ..second };
    place.change(&module(&moved), "1 to add, 0 to change, 1 to destroy");

    let _ = terraform.destroy().success();
    let left = aws.json(&["ecr", "describe-repository-creation-templates"]);
    assert_eq!(left["repositoryCreationTemplates"], json!([]));
}

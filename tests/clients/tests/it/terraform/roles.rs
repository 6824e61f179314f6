//! Roles, for the rules that need one.

use clients::or_skip;
use serde_json::json;

use super::{Workplace, import_block};

/// What differs from step to step.
struct Role {
    name: &'static str,
    description: &'static str,
    team: &'static str,
    /// What the role may do.
    action: &'static str,
    /// More lines of the role.
    more: &'static str,
}

const FIRST: Role = Role {
    name: "ptc",
    description: "pulls from the build account",
    team: "web",
    action: "ecr:BatchGetImage",
    more: "",
};

/// A role as the user guide has it, with its policies, and the rule that names it.
fn module(role: &Role) -> String {
    let Role { name, description, team, action, more } = role;
    format!(
        r#"
data "aws_iam_policy_document" "trust" {{
  statement {{
    actions = ["sts:AssumeRole"]
    principals {{
      type        = "Service"
      identifiers = ["pullthroughcache.ecr.amazonaws.com"]
    }}
  }}
}}
resource "aws_iam_role" "ptc" {{
  name               = "{name}"
  path               = "/team/"
  description        = "{description}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = {{ team = "{team}" }}
  {more}
}}
resource "aws_iam_role_policy" "pull" {{
  name = "pull"
  role = aws_iam_role.ptc.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["{action}"], Resource = "*" }}]
  }})
}}
resource "aws_iam_role_policy_attachment" "read" {{
  role       = aws_iam_role.ptc.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
}}
data "aws_iam_role" "ptc" {{
  name = aws_iam_role.ptc.name
}}
output "role" {{
  value = data.aws_iam_role.ptc
}}
resource "aws_ecr_pull_through_cache_rule" "build" {{
  ecr_repository_prefix = "build"
  upstream_registry_url = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
  custom_role_arn       = aws_iam_role.ptc.arn
}}
"#
    )
}

#[test]
fn a_role_lives_and_ends() {
    let place = or_skip!(Workplace::new(&module(&FIRST)));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();
    let role = terraform.output("role");
    assert_eq!(role["arn"], "arn:aws:iam::000000000000:role/team/ptc");
    assert_eq!(role["tags"], json!({"team": "web"}));

    let more = r#"max_session_duration = 7200
  permissions_boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess""#;
    let second = Role { description: "", team: "ops", action: "ecr:*", more, ..FIRST };
    place.change(&module(&second), "0 to add, 2 to change, 0 to destroy");
    let held = &aws.json(&["iam", "get-role", "--role-name", "ptc"])["Role"];
    assert_eq!((&held["MaxSessionDuration"], held.get("Description")), (&json!(7200), None));
    assert_eq!(held["Tags"], json!([{"Key": "team", "Value": "ops"}]));
    place.change(&module(&FIRST), "0 to add, 2 to change, 0 to destroy");

    terraform.import_again("aws_iam_role.ptc", "ptc");
    terraform.import_again("aws_iam_role_policy.pull", "ptc:pull");
    let address = "aws_iam_role_policy_attachment.read";
    let _ = terraform.run(&["state", "rm", address]).success();
    let id = "ptc/arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    let with_import = module(&FIRST) + &import_block(address, id);
    terraform.write(&with_import);
    let plan = terraform.changes();
    assert!(plan.contains("1 to import, 0 to add"), "{plan}");
    place.apply();

    // Its policies go first: IAM deletes no role that has some.
    let named = ["--role-name", "ptc"];
    let delete = [&["iam", "delete-role"], &named[..]].concat();
    let said = aws.run(&delete).failure();
    assert!(said.contains("(DeleteConflict)"), "{said}");
    let policy = [&["iam", "delete-role-policy", "--policy-name", "pull"], &named[..]].concat();
    place.meddle(&policy);
    let arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly";
    let policy = [&["iam", "detach-role-policy", "--policy-arn", arn], &named[..]].concat();
    place.meddle(&policy);
    place.meddle(&delete);
    terraform.write(&module(&FIRST));
    let plan = terraform.changes();
    assert!(plan.contains("aws_iam_role.ptc will be created"), "{plan}");
    place.apply();

    let renamed = Role { name: "renamed", ..FIRST };
    terraform.write(&module(&renamed));
    let plan = terraform.changes();
    assert!(plan.contains("aws_iam_role.ptc must be replaced"), "{plan}");
    place.apply();
    let rule = &aws.json(&["ecr", "describe-pull-through-cache-rules"])["pullThroughCacheRules"][0];
    assert_eq!(rule["customRoleArn"], "arn:aws:iam::000000000000:role/team/renamed");

    let _ = terraform.destroy().success();
    assert_eq!(aws.json(&["iam", "list-roles"])["Roles"], json!([]));
}

/// Policies that a role itself lists, old style, and a role that is destroyed with what others put
/// inside it.
#[test]
fn a_role_with_policies_of_its_own_ends_with_them() {
    let module = r#"
resource "aws_iam_role" "own" {
  name_prefix           = "ptc-"
  force_detach_policies = true
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecr.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
  managed_policy_arns = ["arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"]
  inline_policy {
    name = "pull"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "ecr:*", Resource = "*" }]
    })
  }
}
output "name" {
  value = aws_iam_role.own.name
}
"#;
    let place = or_skip!(Workplace::new(module));
    place.apply();
    let name = place.terraform.output("name");
    let named = ["--role-name", name.as_str().expect("a name is text")];
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    place.meddle(&[&["iam", "attach-role-policy", "--policy-arn", arn], &named[..]].concat());
    place.terraform.assert_plans("0 to add, 1 to change, 0 to destroy");
    let _ = place.terraform.destroy().success();
    assert_eq!(place.aws.json(&["iam", "list-roles"])["Roles"], json!([]));
}

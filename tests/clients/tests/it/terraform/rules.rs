//! Pull through cache rules.

use clients::or_skip;
use serde_json::json;

use super::{Workplace, import_block};

/// What a module says of its rules where they differ from test step to test step.
struct Rules {
    /// A line of the rule for Docker Hub.
    credential: &'static str,
    /// The role of the rule for a private registry.
    role: &'static str,
    /// The upstream of the rule for everything else.
    root: &'static str,
}

const FIRST: Rules = Rules {
    credential: "credential_arn = aws_secretsmanager_secret.one.arn",
    role: "ptc",
    root: "quay.io",
};

/// Rules as people write them, with the secrets of one of them.
fn module(rules: &Rules) -> String {
    let Rules { credential, role, root } = rules;
    format!(
        r#"
resource "aws_secretsmanager_secret" "one" {{
  name                    = "ecr-pullthroughcache/one"
  recovery_window_in_days = 0
}}
resource "aws_secretsmanager_secret" "two" {{
  name                    = "ecr-pullthroughcache/two"
  recovery_window_in_days = 0
}}
resource "aws_ecr_pull_through_cache_rule" "public" {{
  ecr_repository_prefix = "ecr-public"
  upstream_registry_url = "public.ecr.aws"
}}
resource "aws_ecr_pull_through_cache_rule" "hub" {{
  ecr_repository_prefix = "team/docker-hub"
  upstream_registry_url = "registry-1.docker.io"
  {credential}
}}
resource "aws_ecr_pull_through_cache_rule" "root" {{
  ecr_repository_prefix = "ROOT"
  upstream_registry_url = "{root}"
}}
resource "aws_ecr_pull_through_cache_rule" "slash" {{
  ecr_repository_prefix = "my-app/"
  upstream_registry_url = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
  custom_role_arn       = "arn:aws:iam::000000000000:role/{role}"
}}
resource "aws_ecr_pull_through_cache_rule" "narrowed" {{
  ecr_repository_prefix      = "k8s"
  upstream_registry_url      = "registry.k8s.io"
  upstream_repository_prefix = "kube"
}}
data "aws_ecr_pull_through_cache_rule" "hub" {{
  ecr_repository_prefix = aws_ecr_pull_through_cache_rule.hub.ecr_repository_prefix
}}
output "hub" {{
  value = data.aws_ecr_pull_through_cache_rule.hub
}}
"#
    )
}

#[test]
fn rules_live_and_end() {
    let place = or_skip!(Workplace::new(&module(&FIRST)));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();
    let hub = terraform.output("hub");
    assert_eq!(hub["upstream_registry_url"], "registry-1.docker.io");
    assert_eq!(hub["registry_id"], "000000000000");

    let credential = "credential_arn = aws_secretsmanager_secret.two.arn";
    let second = Rules { credential, role: "other", ..FIRST };
    place.change(&module(&second), "0 to add, 2 to change, 0 to destroy");
    let described = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    let arns: String = described["pullThroughCacheRules"].to_string();
    assert!(arns.contains("ecr-pullthroughcache/two") && arns.contains("role/other"), "{arns}");

    // ECR knows no way to take a credential away.
    terraform.write(&module(&Rules { credential: "", ..second }));
    let said = terraform.refusal();
    assert!(
        said.contains("Please set either credential arn or role arn to update the credentials"),
        "{said}"
    );
    terraform.write(&module(&second));
    place.apply();

    let moved = Rules { root: "ghcr.io", ..second };
    place.change(&module(&moved), "1 to add, 0 to change, 1 to destroy");
    place.meddle(&["ecr", "delete-pull-through-cache-rule", "--ecr-repository-prefix", "ROOT"]);
    terraform.assert_plans("1 to add, 0 to change, 0 to destroy");
    place.apply();

    terraform.import_again("aws_ecr_pull_through_cache_rule.narrowed", "k8s");
    terraform.assert_settled();
    let address = "aws_ecr_pull_through_cache_rule.slash";
    let _ = terraform.run(&["state", "rm", address]).success();
    let with_import = module(&moved) + &import_block(address, "my-app/");
    place.change(&with_import, "1 to import, 0 to add, 0 to change, 0 to destroy");

    let _ = terraform.destroy().success();
    let left = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    assert_eq!(left["pullThroughCacheRules"], json!([]));
}

/// What somebody else made already is refused by the name that the provider looks for.
#[test]
fn a_rule_that_is_there_already_is_refused() {
    let module = r#"
resource "aws_ecr_pull_through_cache_rule" "quay" {
  ecr_repository_prefix = "quay"
  upstream_registry_url = "quay.io"
}
"#;
    let place = or_skip!(Workplace::new(module));
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "quay/"];
    place.meddle(&[&create[..], &["--upstream-registry-url", "quay.io"]].concat());
    let said = place.terraform.refusal();
    assert!(said.contains("PullThroughCacheRuleAlreadyExistsException"), "{said}");
}

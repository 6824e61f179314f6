//! Ways to tell Terraform where the server is, beside the one variable for everything.

use clients::{AwsCli, Cistern, Terraform, or_skip};

const MODULE: &str = r#"
resource "aws_iam_role" "ptc" {
  name = "ptc"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pullthroughcache.ecr.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}
resource "aws_secretsmanager_secret" "hub" {
  name                    = "ecr-pullthroughcache/hub"
  recovery_window_in_days = 0
}
resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = aws_secretsmanager_secret.hub.arn
  custom_role_arn       = aws_iam_role.ptc.arn
}
"#;

/// What `cistern env` exports, without the endpoint.
fn without_endpoint(cistern: &Cistern) -> Vec<(String, String)> {
    let all = cistern.environment().into_iter();
    all.filter(|(name, _)| name != "AWS_ENDPOINT_URL").collect()
}

#[test]
fn each_product_may_have_a_variable_of_its_own() {
    let cistern = Cistern::start(&[]);
    let mut environment = without_endpoint(&cistern);
    for product in ["ECR", "IAM", "STS", "SECRETS_MANAGER"] {
        environment.push((format!("AWS_ENDPOINT_URL_{product}"), cistern.url().to_owned()));
    }
    let aws = or_skip!(AwsCli::new(environment.clone()));
    let terraform = or_skip!(Terraform::new(environment, MODULE));
    let _ = terraform.apply().success();
    terraform.assert_settled();
    let roles = aws.json(&["iam", "list-roles"]);
    assert_eq!(roles["Roles"][0]["RoleName"], "ptc");
    let _ = terraform.destroy().success();
}

#[test]
fn the_provider_block_may_say_it_all() {
    let cistern = Cistern::start(&[]);
    let terraform = or_skip!(Terraform::new(without_endpoint(&cistern), ""));
    let url = cistern.url();
    let provider = format!(
        "  skip_credentials_validation = true\n  skip_requesting_account_id = true\n  endpoints {{\n    \
         ecr = \"{url}\"\n    iam = \"{url}\"\n    secretsmanager = \"{url}\"\n  }}"
    );
    terraform.write_with_provider(&provider, MODULE);
    let _ = terraform.apply().success();
    terraform.assert_settled();
    let _ = terraform.destroy().success();
}

//! What a registry as a whole is set to do.

use clients::or_skip;
use serde_json::json;

use super::{Workplace, import_block};

/// What differs from step to step.
struct Registry {
    /// What the registry policy allows.
    action: &'static str,
    /// How often images are scanned.
    frequency: &'static str,
    /// Where images are replicated to.
    region: &'static str,
    /// How basic scans are made.
    scanner: &'static str,
}

const FIRST: Registry = Registry {
    action: "ecr:ReplicateImage",
    frequency: "SCAN_ON_PUSH",
    region: "eu-central-1",
    scanner: "AWS_NATIVE",
};

fn module(registry: &Registry) -> String {
    let Registry { action, frequency, region, scanner } = registry;
    format!(
        r#"
resource "aws_ecr_registry_policy" "here" {{
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "elsewhere"
      Effect    = "Allow"
      Principal = {{ AWS = "arn:aws:iam::444455556666:root" }}
      Action    = ["{action}"]
      Resource  = ["arn:aws:ecr:us-east-1:000000000000:repository/*"]
    }}]
  }})
}}
resource "aws_ecr_registry_scanning_configuration" "here" {{
  scan_type = "BASIC"
  rule {{
    scan_frequency = "{frequency}"
    repository_filter {{
      filter      = "team-*"
      filter_type = "WILDCARD"
    }}
  }}
}}
resource "aws_ecr_replication_configuration" "here" {{
  replication_configuration {{
    rule {{
      destination {{
        region      = "{region}"
        registry_id = "000000000000"
      }}
      repository_filter {{
        filter      = "team"
        filter_type = "PREFIX_MATCH"
      }}
    }}
  }}
}}
resource "aws_ecr_account_setting" "scanner" {{
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = "{scanner}"
}}
"#
    )
}

#[test]
fn settings_of_the_registry_live_and_end() {
    let place = or_skip!(Workplace::new(&module(&FIRST)));
    let Workplace { aws, terraform, .. } = &place;
    place.apply();

    let second = Registry {
        action: "ecr:BatchImportUpstreamImage",
        frequency: "MANUAL",
        region: "eu-west-1",
        scanner: "CLAIR",
    };
    place.change(&module(&second), "0 to add, 4 to change, 0 to destroy");
    let described = aws.json(&["ecr", "describe-registry"]);
    let rule = &described["replicationConfiguration"]["rules"][0];
    assert_eq!(rule["destinations"][0]["region"], "eu-west-1");
    let setting = aws.json(&["ecr", "get-account-setting", "--name", "BASIC_SCAN_TYPE_VERSION"]);
    assert_eq!(setting["value"], "CLAIR");

    let account = "000000000000";
    terraform.import_again("aws_ecr_registry_policy.here", account);
    terraform.import_again("aws_ecr_registry_scanning_configuration.here", account);
    terraform.import_again("aws_ecr_account_setting.scanner", "BASIC_SCAN_TYPE_VERSION");
    terraform.assert_settled();
    let address = "aws_ecr_replication_configuration.here";
    let _ = terraform.run(&["state", "rm", address]).success();
    let with_import = module(&second) + &import_block(address, account);
    place.change(&with_import, "1 to import, 0 to add, 0 to change, 0 to destroy");

    place.meddle(&["ecr", "delete-registry-policy"]);
    place.change(&module(&second), "1 to add, 0 to change, 0 to destroy");

    let _ = terraform.destroy().success();
    let described = aws.json(&["ecr", "describe-registry"]);
    assert_eq!(described["replicationConfiguration"]["rules"], json!([]));
    let said = aws.run(&["ecr", "get-registry-policy"]).failure();
    assert!(said.contains("(RegistryPolicyNotFoundException)"), "{said}");
}

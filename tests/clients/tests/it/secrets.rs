//! Secrets from their making to their end, by boto3.

use clients::cistern::workspace;
use clients::{AwsCli, Cistern, or_skip};

#[test]
fn boto3_changes_lists_and_restores_secrets() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_secrets.py")).success();
}

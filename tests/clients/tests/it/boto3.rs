//! boto3, which gives AWS's errors classes of their own and AWS's times a type.

use clients::cistern::workspace;
use clients::{AwsCli, Cistern, or_skip};

#[test]
fn exceptions_times_and_pages_are_typed() {
    // Nobody is there, and nobody outside is asked.
    let nowhere = "registry-1.docker.io=http://127.0.0.1:9";
    let cistern = Cistern::start(&["--upstream-endpoint", nowhere]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_rules.py")).success();
}

#[test]
fn roles_are_read_by_the_model_of_iam() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_roles.py")).success();
}

#[test]
fn repositories_their_settings_and_the_registrys_are_kept() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_repositories.py")).success();
}

#[test]
fn templates_are_made_listed_changed_and_deleted() {
    let cistern = Cistern::start(&[]);
    let aws = or_skip!(AwsCli::new(cistern.environment()));
    aws.run_python(&workspace().join("tests/clients/scripts/boto3_templates.py")).success();
}

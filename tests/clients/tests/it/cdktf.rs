//! The two CDKTF programs of Terraform's documentation, as they stand there.

use clients::compatibility::Client;
use clients::{Cdktf, Cistern, Terraform, or_skip};
use serde_json::json;

use crate::documents::{ACCOUNT, create_credentials, described_rules, with_an_account};
use crate::scene::aws_cli;

#[test]
fn the_rule_of_a_stack_is_made_kept_and_destroyed() {
    let cistern = Cistern::start(&["--account-id", ACCOUNT]);
    cistern.calls_are_of(Client::Cdktf);
    let aws = or_skip!(aws_cli(&cistern));
    let secret = create_credentials(&aws);
    let stack = with_an_account(include_str!("../../documents/cdktf_rule.py"));
    or_skip!(Terraform::is_installed());
    let module = or_skip!(Cdktf::new(&stack)).synthesize();
    let terraform = or_skip!(Terraform::of_json(cistern.environment(), &module));

    let _ = terraform.apply().success();
    terraform.assert_settled();
    let resources = terraform.resources();
    let (address, made) = resources.first().expect("one resource");
    assert_eq!((resources.len(), address.as_str()), (1, "aws_ecr_pull_through_cache_rule.example"));
    assert_eq!((&made["registry_id"], &made["id"]), (&json!(ACCOUNT), &json!("ecr-public")));
    let rules = described_rules(&aws);
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["ecrRepositoryPrefix"], "ecr-public");
    assert_eq!(rules[0]["upstreamRegistryUrl"], "public.ecr.aws");
    // The document's ARN has no random suffix; it is found, and kept as it was written.
    assert_eq!(rules[0]["credentialArn"], json!(made["credential_arn"]));
    assert!(secret.starts_with(rules[0]["credentialArn"].as_str().expect("it was sent")));

    let _ = terraform.run(&["destroy", "-auto-approve", "-input=false", "-no-color"]).success();
    assert_eq!(described_rules(&aws), Vec::<serde_json::Value>::new());
}

#[test]
fn a_rule_is_imported_by_a_stack_that_writes_its_own_configuration() {
    let cistern = Cistern::start(&["--account-id", ACCOUNT]);
    cistern.calls_are_of(Client::Cdktf);
    let aws = or_skip!(aws_cli(&cistern));
    let credential = create_credentials(&aws);
    aws.json(&[
        "ecr",
        "create-pull-through-cache-rule",
        "--ecr-repository-prefix",
        "ecr-public",
        "--upstream-registry-url",
        "public.ecr.aws",
        "--credential-arn",
        &credential,
    ]);
    let before = described_rules(&aws);
    let stack = include_str!("../../documents/cdktf_import.py");
    or_skip!(Terraform::is_installed());
    let module = or_skip!(Cdktf::new(stack)).synthesize();
    let terraform = or_skip!(Terraform::of_json(cistern.environment(), &module));

    // How CDKTF's documentation goes on: Terraform writes the resource that it found.
    let generate = ["plan", "-generate-config-out=generated.tf", "-input=false", "-no-color"];
    let plan = terraform.run(&generate).success();
    assert!(plan.contains("1 to import, 0 to add, 0 to change, 0 to destroy"), "{plan}");
    let _ = terraform.apply().success();
    terraform.assert_settled();
    let resources = terraform.resources();
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0].1["credential_arn"], credential);
    assert_eq!(described_rules(&aws), before);

    let _ = terraform.run(&["destroy", "-auto-approve", "-input=false", "-no-color"]).success();
    assert_eq!(described_rules(&aws), Vec::<serde_json::Value>::new());
}

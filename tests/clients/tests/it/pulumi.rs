//! The program of Pulumi's registry in its first two languages, as it stands there, and a look-up by
//! prefix. The other languages of the document and `pulumi import` make the same calls.

use clients::compatibility::Client;
use clients::pulumi::{Language, Pulumi};
use clients::{Cistern, Missing, or_skip};
use serde_json::{Value, json};

use crate::documents::{ACCOUNT, create_credentials, described_rules, with_an_account};
use crate::scene::aws_cli;

#[test]
fn a_python_program_makes_finds_and_destroys_a_rule() {
    let rule = include_str!("../../documents/pulumi_rule.py");
    let look_up = r#"
import pulumi
import pulumi_aws as aws

found = aws.ecr.PullThroughCacheRule.get("found", "ecr-public")
pulumi.export("registry", found.registry_id)
pulumi.export("upstream", found.upstream_registry_url)
"#;
    or_skip!(rule_of_a_program(Language::Python, rule, look_up));
}

#[test]
fn a_typescript_program_makes_finds_and_destroys_a_rule() {
    let rule = include_str!("../../documents/pulumi_rule.ts");
    let look_up = r#"
import * as aws from "@pulumi/aws";

const found = aws.ecr.PullThroughCacheRule.get("found", "ecr-public");
export const registry = found.registryId;
export const upstream = found.upstreamRegistryUrl;
"#;
    or_skip!(rule_of_a_program(Language::TypeScript, rule, look_up));
}

fn rule_of_a_program(language: Language, rule: &str, look_up: &str) -> Result<(), Missing> {
    let cistern = Cistern::start(&["--account-id", ACCOUNT]);
    cistern.calls_are_of(match language {
        Language::Python => Client::PulumiPython,
        Language::TypeScript => Client::PulumiTypeScript,
    });
    let aws = aws_cli(&cistern)?;
    create_credentials(&aws);
    let stack = Pulumi::new(cistern.environment(), language, &with_an_account(rule))?;
    let other_stack = Pulumi::new(cistern.environment(), language, look_up)?;

    assert_eq!(stack.preview()["changes"], true);
    let made = stack.up();
    assert_eq!(made["changes"], false, "nothing was left to remove");
    let resource = &made["resources"][0];
    assert_eq!(resource["id"], "ecr-public");
    let outputs = &resource["outputs"];
    assert_eq!(outputs["registryId"], ACCOUNT);
    let arn =
        format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-pullthroughcache/ecrpublic");
    assert_eq!(outputs["credentialArn"], arn);
    let rules = described_rules(&aws);
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["ecrRepositoryPrefix"], "ecr-public");
    assert_eq!(rules[0]["credentialArn"], arn);
    assert_eq!(stack.preview()["changes"], false);

    let found = other_stack.up();
    assert_eq!(found["resources"][0]["outputs"], *outputs);
    let seen = json!({"registry": ACCOUNT, "upstream": "public.ecr.aws"});
    assert_eq!(found["outputs"], seen);

    stack.run("destroy").success();
    assert_eq!(described_rules(&aws), Vec::<Value>::new());
    let said = other_stack.run("up").failure();
    assert!(said.contains("Cannot import non-existent remote object"), "{said}");
    Ok(())
}

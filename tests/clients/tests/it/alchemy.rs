//! Alchemy, whose documentation of the rule this project began with: its samples as they stand there,
//! in the account and region that they name.

use clients::cistern::Cistern;
use clients::program::write;
use clients::{Alchemy, AwsCli, Image, Skopeo, Terraform, UpstreamRegistry, or_skip};
use serde_json::{Value, json};
use tempfile::TempDir;

const MINIMAL: &str = include_str!("../../documents/alchemy_minimal.ts");
const ADVANCED: &str = include_str!("../../documents/alchemy_advanced.ts");
const CREDENTIALS: &str = include_str!("../../documents/alchemy_credentials.ts");
const ADOPTION: &str = include_str!("../../documents/alchemy_adoption.ts");
/// Where the ARNs of the samples are.
const REGION: &str = "us-west-2";
const PLACE: [&str; 4] = ["--account-id", "123456789012", "--region", REGION];
/// The upstream of the samples.
const UPSTREAM: &str = "registry.example.com";

/// What a client sees: the sample's region, which `cistern env` cannot know.
fn environment(cistern: &Cistern) -> Vec<(String, String)> {
    let mut environment = cistern.environment();
    for (name, value) in &mut environment {
        if ["AWS_REGION", "AWS_DEFAULT_REGION"].contains(&&**name) {
            *value = REGION.to_owned();
        }
    }
    environment
}

/// The rules that the ECR API tells, without when they were made.
#[track_caller]
fn rules(aws: &AwsCli) -> Vec<Value> {
    let told = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    let mut rules = told["pullThroughCacheRules"].as_array().expect("a list").clone();
    for rule in rules.iter_mut().filter_map(Value::as_object_mut) {
        rule.retain(|member, _| !["createdAt", "updatedAt", "registryId"].contains(&&**member));
    }
    rules
}

/// How often an operation was asked for.
fn calls(cistern: &Cistern, operation: &str) -> usize {
    cistern.log().matches(&format!("\"operation\":\"{operation}\"")).count()
}

fn minimal_rule() -> Value {
    json!({
        "ecrRepositoryPrefix": "my-app/",
        "upstreamRegistryUrl": "https://registry.example.com",
    })
}

#[test]
fn the_minimal_example_is_made_kept_pulled_through_and_destroyed() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::multi_arch();
    upstream.push(&image, "team/web", "1.0");
    let endpoint = format!("{UPSTREAM}={}", upstream.url());
    let cistern = Cistern::start(&[&PLACE[..], &["--upstream-endpoint", &endpoint]].concat());
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let skopeo = or_skip!(Skopeo::new());
    let alchemy = or_skip!(Alchemy::new(environment(&cistern), MINIMAL));

    let _ = alchemy.run(&[]).success();
    assert_eq!(rules(&aws), [minimal_rule()]);
    assert_eq!(calls(&cistern, "CreateResource"), 1);
    // The same again asks nothing; --force asks, finds nothing to change and changes nothing.
    let _ = alchemy.run(&[]).success();
    assert_eq!((calls(&cistern, "GetResource"), calls(&cistern, "UpdateResource")), (1, 0));
    let _ = alchemy.run(&["--force"]).success();
    assert_eq!((calls(&cistern, "CreateResource"), calls(&cistern, "UpdateResource")), (1, 1));
    assert_eq!(rules(&aws), [minimal_rule()]);

    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/my-app/team/web:1.0", cistern.host());
    skopeo.pull_all(&reference).assert_whole(&image);

    let _ = alchemy.run(&["--destroy"]).success();
    assert_eq!(rules(&aws), [json!(null); 0]);
    let _ = alchemy.run(&["--destroy"]).success();
}

#[test]
fn the_adoption_example_takes_over_what_is_there() {
    let cistern = Cistern::start(&PLACE);
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let minimal = or_skip!(Alchemy::new(environment(&cistern), MINIMAL));
    let _ = minimal.run(&[]).success();
    // Another program that would make the same rule is told that it is there.
    let stranger = or_skip!(Alchemy::new(environment(&cistern), MINIMAL));
    let said = stranger.run(&[]).failure();
    assert!(said.contains("identifier 'my-app/' already exists"), "{said}");

    let adopting = or_skip!(Alchemy::new(environment(&cistern), ADOPTION));
    let _ = adopting.run(&[]).success();
    assert_eq!(rules(&aws), [minimal_rule()]);
    assert_eq!(calls(&cistern, "UpdateResource"), 1);
    let _ = adopting.run(&["--force"]).success();
    let _ = adopting.run(&["--destroy"]).success();
    assert_eq!(rules(&aws), [json!(null); 0]);
    // The rule that the first program believes in is gone: that is what it wants too.
    let _ = minimal.run(&["--destroy"]).success();
}

#[test]
fn the_advanced_example_keeps_everything_that_it_sets() {
    let cistern = Cistern::start(&PLACE);
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let alchemy = or_skip!(Alchemy::new(environment(&cistern), ADVANCED));
    let _ = alchemy.run(&[]).success();
    let mut rule = minimal_rule();
    rule["upstreamRegistry"] = json!("my-upstream-registry");
    rule["customRoleArn"] = json!("arn:aws:iam::123456789012:role/MyECRPullRole");
    assert_eq!(rules(&aws), [rule.clone()]);
    let _ = alchemy.run(&["--force"]).success();
    assert_eq!(rules(&aws), [rule]);
    assert_eq!(calls(&cistern, "CreateResource"), 1, "nothing was replaced");
    let _ = alchemy.run(&["--destroy"]).success();
    assert_eq!(rules(&aws), [json!(null); 0]);
}

#[test]
fn the_example_with_credentials_finds_its_secret() {
    let cistern = Cistern::start(&PLACE);
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let alchemy = or_skip!(Alchemy::new(environment(&cistern), CREDENTIALS));
    let said = alchemy.run(&[]).failure();
    assert!(
        said.contains("The ARN of the secret specified in the pull through cache rule"),
        "{said}"
    );
    let account = json!({"username": "alice", "accessToken": "token"}).to_string();
    let create = ["secretsmanager", "create-secret", "--name", "my-credentials", "--secret-string"];
    let secret = aws.json(&[&create[..], &[&account]].concat());

    let _ = alchemy.run(&[]).success();
    // The sample's ARN has no random suffix: it is found, and kept as it was written.
    let [rule] = &rules(&aws)[..] else { panic!("one rule") };
    let written = "arn:aws:secretsmanager:us-west-2:123456789012:secret:my-credentials";
    assert_eq!(rule["credentialArn"], written);
    assert!(secret["ARN"].as_str().expect("an ARN").starts_with(written));
    assert_eq!(rule["ecrRepositoryPrefix"], "my-secure-app/");
    let _ = alchemy.run(&["--force"]).success();
    assert_eq!(rules(&aws)[0]["credentialArn"], written);
    let _ = alchemy.run(&["--destroy"]).success();
    assert_eq!(rules(&aws), [json!(null); 0]);
}

#[test]
fn a_secret_is_made_changed_and_destroyed() {
    let cistern = Cistern::start(&PLACE);
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let module = |value: &str, description: &str| {
        format!(
            r#"import AWS from "alchemy/aws/control";

await AWS.SecretsManager.Secret("Token", {{
  Name: "ecr-pullthroughcache/token",
  Description: "{description}",
  SecretString: "{value}",
}});
"#
        )
    };
    let alchemy = or_skip!(Alchemy::new(environment(&cistern), &module("one", "first")));
    let _ = alchemy.run(&[]).success();
    let id = ["--secret-id", "ecr-pullthroughcache/token"];
    let value = || {
        let value = aws.json(&[&["secretsmanager", "get-secret-value"], &id[..]].concat());
        value["SecretString"].clone()
    };
    assert_eq!(value(), "one");
    alchemy.write(&module("two", "second"));
    let _ = alchemy.run(&[]).success();
    assert_eq!(value(), "two");
    let told = aws.json(&[&["secretsmanager", "describe-secret"], &id[..]].concat());
    assert_eq!(told["Description"], "second");
    let _ = alchemy.run(&["--destroy"]).success();
    let listed = aws.json(&["secretsmanager", "list-secrets", "--include-planned-deletion"]);
    assert_eq!(listed["SecretList"], json!([]));
}

#[test]
fn a_rule_of_terraform_is_adopted_and_ends() {
    let cistern = Cistern::start(&PLACE);
    let aws = or_skip!(AwsCli::new(environment(&cistern)));
    let adopting = or_skip!(Alchemy::new(environment(&cistern), ADOPTION));
    let module = r#"
resource "aws_ecr_pull_through_cache_rule" "app" {
  ecr_repository_prefix = "my-app/"
  upstream_registry_url = "https://registry.example.com"
}
"#;
    let terraform = or_skip!(Terraform::new(environment(&cistern), module));
    let _ = terraform.apply().success();
    let _ = adopting.run(&[]).success();
    terraform.assert_settled();
    let delete = ["cloudcontrol", "delete-resource", "--identifier", "my-app/", "--type-name"];
    let event = aws.json(&[&delete[..], &["AWS::ECR::PullThroughCacheRule"]].concat());
    assert_eq!(event["ProgressEvent"]["OperationStatus"], "SUCCESS");
    let plan = terraform.changes();
    assert!(plan.contains("1 to add, 0 to change, 0 to destroy"), "{plan}");
    let _ = adopting.run(&["--destroy"]).success();
}

#[test]
fn the_last_version_without_endpoints_comes_by_host_name() {
    let certificates = TempDir::new().expect("a temporary directory");
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let name = "cloudcontrolapi.us-west-2.amazonaws.com".to_owned();
    let own = rcgen::generate_simple_self_signed(vec![name, "127.0.0.1".to_owned()]);
    let own = own.expect("a certificate");
    write(at("server.crt").as_ref(), own.cert.pem());
    write(at("server.pem").as_ref(), own.signing_key.serialize_pem());
    let tls = ["--tls-cert", &at("server.crt"), "--tls-key", &at("server.pem")];
    let cistern = Cistern::start(&[&PLACE[..], &tls[..]].concat());
    let mut environment = environment(&cistern);
    environment.push(("AWS_CA_BUNDLE".to_owned(), at("server.crt")));
    environment.push(("NODE_EXTRA_CA_CERTS".to_owned(), at("server.crt")));
    let aws = or_skip!(AwsCli::new(environment.clone()));
    let old = Alchemy::without_endpoints(environment, MINIMAL, &cistern.host());
    let alchemy = or_skip!(old);
    let _ = alchemy.run(&[]).success();
    assert_eq!(rules(&aws), [minimal_rule()]);
    let _ = alchemy.run(&["--force"]).success();
    let _ = alchemy.run(&["--destroy"]).success();
    assert_eq!(rules(&aws), [json!(null); 0]);
}

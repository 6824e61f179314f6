//! Every command of the ECR User Guide's page on creating rules, as a reader pastes it into a shell.
//!
//! The only edit is what the guide asks its reader for: `aws_account_id` and `region` become an
//! account and a region. Both examples of a private ECR use one prefix, so the first rule is deleted
//! before the second is made.

use clients::cistern::workspace;
use clients::upstream_registry::{PASSWORD, USER};
use clients::{AwsCli, Cistern, Missing, or_skip};
use serde_json::{Value, json};

/// The account of the guide's secret, and of its reader.
const ACCOUNT: &str = "111122223333";
/// Another account, whose registry is the upstream of the last but one example.
const OTHER_ACCOUNT: &str = "444455556666";
const REGION: &str = "us-east-2";

/// One example: its heading, and its lines.
struct Example {
    heading: String,
    lines: String,
}

/// The examples in the order of the guide.
fn examples() -> Vec<Example> {
    let guide = workspace().join("tests/clients/documents/user_guide.md");
    let text = std::fs::read_to_string(guide).expect("the guide lies in the source tree");
    let examples: Vec<_> = text
        .split("\n## ")
        .skip(1)
        .map(|section| {
            let (heading, rest) = section.split_once('\n').expect("a heading is a line");
            let lines = rest.split("```\n").nth(1).expect("an example is fenced").to_owned();
            Example { heading: heading.to_owned(), lines }
        })
        .collect();
    assert_eq!(examples.len(), 10);
    examples
}

/// What the guide asks its reader to fill in. A private upstream lies in another region of the
/// account, or in another account.
fn filled_in(example: &Example) -> String {
    let upstream = if example.heading.contains("another AWS account") {
        format!("{OTHER_ACCOUNT}.dkr.ecr.us-west-2.")
    } else {
        format!("{ACCOUNT}.dkr.ecr.us-west-2.")
    };
    example
        .lines
        .replace("aws_account_id.dkr.ecr.region.", &upstream)
        .replace("iam::aws_account_id:", &format!("iam::{ACCOUNT}:"))
}

/// The value of an option of an example.
fn option<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    let mut words = lines.split_whitespace();
    words.find(|word| *word == name)?;
    words.next()
}

/// The kind that is inferred from the URL.
fn kind(heading: &str) -> &'static str {
    match heading {
        "For Amazon ECR Public" => "ecr-public",
        "For Kubernetes Container Registry" => "k8s",
        "For Quay" => "quay",
        "For Docker Hub" => "docker-hub",
        "For GitHub Container Registry" => "github-container-registry",
        "For Microsoft Azure Container Registry" => "azure-container-registry",
        "For GitLab Container Registry" => "gitlab-container-registry",
        "For Chainguard Registry" => "chainguard",
        heading if heading.contains("Amazon ECR private registry") => "ecr",
        other => panic!("an example that nobody expects: {other}"),
    }
}

/// Makes one version of the CLI.
type Cli = fn(Vec<(String, String)>) -> Result<AwsCli, Missing>;

fn run_every_example(flags: &[&str], cli: Cli) -> Result<(), Missing> {
    let cistern = Cistern::start(&[&["--account-id", ACCOUNT], flags].concat());
    let aws = cli(cistern.environment())?;
    let account = json!({"username": USER, "accessToken": PASSWORD}).to_string();
    let name = "ecr-pullthroughcache/example1234";
    let create = ["secretsmanager", "create-secret", "--region", REGION, "--name", name];
    aws.json(&[&create[..], &["--secret-string", &account]].concat());
    let prefixes: Vec<_> = examples().iter().map(|example| run_one(&aws, example)).collect();

    let describe = ["ecr", "describe-pull-through-cache-rules", "--region", REGION];
    let told = aws.json(&describe);
    let rules = told["pullThroughCacheRules"].as_array().expect("a list");
    assert_eq!(rules.len(), prefixes.len() - 1, "the second rule took the place of the first");
    let elsewhere = aws.json(&["ecr", "describe-pull-through-cache-rules"]);
    assert_eq!(elsewhere["pullThroughCacheRules"], json!([]), "rules are of a region");
    Ok(())
}

/// Runs an example and returns its prefix.
#[track_caller]
fn run_one(aws: &AwsCli, example: &Example) -> String {
    let lines = filled_in(example);
    let prefix = option(&lines, "--ecr-repository-prefix").expect("every example has one");
    let region = ["--region", REGION];
    if example.heading.contains("another AWS account") {
        let delete = ["ecr", "delete-pull-through-cache-rule", "--ecr-repository-prefix", prefix];
        aws.json(&[&delete[..], &region].concat());
    }
    let rule = aws.shell(&lines).json();
    for (name, member) in [
        ("--ecr-repository-prefix", "ecrRepositoryPrefix"),
        ("--upstream-registry-url", "upstreamRegistryUrl"),
        ("--credential-arn", "credentialArn"),
        ("--custom-role-arn", "customRoleArn"),
    ] {
        let sent = option(&lines, name).map(Value::from);
        assert_eq!(rule.get(member), sent.as_ref(), "{}: {rule}", example.heading);
    }
    assert_eq!(rule["upstreamRegistry"], kind(&example.heading), "{rule}");
    assert_eq!(rule["registryId"], ACCOUNT);
    prefix.to_owned()
}

#[test]
fn every_example_runs_with_version_1() {
    or_skip!(run_every_example(&[], AwsCli::new));
}

#[test]
fn every_example_runs_with_version_2() {
    or_skip!(run_every_example(&[], AwsCli::version_2));
}

/// The examples are AWS's own: what holds exactly ECR's constraints must take them all.
#[test]
fn every_example_is_taken_by_strict_mode() {
    or_skip!(run_every_example(&["--strict-ecr"], AwsCli::new));
}

//! Private ECR registries: one Cistern plays AWS (registry, ECR's API, STS, IAM), another one caches
//! it as a role. And sessions of a role in the hands of the AWS CLI.

use clients::program::write;
use clients::{AwsCli, Cistern, Image, Skopeo, or_skip};
use serde_json::{Value, json};

use crate::scene::aws_cli;

const ACCOUNT: &str = "111122223333";
const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/puller";

/// A Cistern in the place of AWS.
#[track_caller]
fn start_cloud() -> Cistern {
    Cistern::start(&["--account-id", ACCOUNT, "--region", "eu-west-1"])
}

/// A cache that finds AWS at `cloud`, in an environment that has these variables.
#[track_caller]
fn start_cache(cloud: &Cistern, environment: Vec<(String, String)>) -> Cistern {
    let endpoints = [HOST, "api.ecr.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"]
        .map(|host| format!("--upstream-endpoint={host}={}", cloud.url()));
    let flags: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    Cistern::start_in(&flags, environment)
}

/// What a machine has that is to act in AWS: keys, and no endpoint. Metadata of clouds is left out:
/// nobody is there.
fn keys_of(cloud: &Cistern) -> Vec<(String, String)> {
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let mut environment = cloud.environment();
    environment.retain(|(name, _)| keys.contains(&name.as_str()));
    environment.push(("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()));
    environment
}

/// Makes the role, which the cloud's own account may assume and which may pull below `team/`.
#[track_caller]
fn create_role(aws: &AwsCli) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
    }]});
    let may = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": format!("arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/*"),
        },
    ]});
    let file = |name: &str, document: &Value| {
        let path = aws.home().join(name);
        write(&path, document.to_string());
        format!("file://{}", path.display())
    };
    let (trust, may) = (file("trust.json", &trust), file("may.json", &may));
    let create = ["iam", "create-role", "--role-name", "puller"];
    aws.json(&[&create[..], &["--assume-role-policy-document", &trust]].concat());
    let put = ["iam", "put-role-policy", "--role-name", "puller", "--policy-name", "pull"];
    aws.run(&[&put[..], &["--policy-document", &may]].concat()).success();
}

/// `aws ecr validate-pull-through-cache-rule`: what is wrong with the rule, where something is.
#[track_caller]
fn validate(aws: &AwsCli) -> Option<String> {
    let validate = ["ecr", "validate-pull-through-cache-rule", "--ecr-repository-prefix", "ecr"];
    let answer = aws.json(&validate);
    assert_eq!(answer["isValid"], answer["failure"].is_null(), "{answer}");
    answer["failure"].as_str().map(str::to_owned)
}

#[test]
fn a_private_registry_is_cached_as_a_role() {
    let mut cloud = start_cloud();
    let in_cloud = or_skip!(aws_cli(&cloud));
    let skopeo = or_skip!(Skopeo::new());
    let image = Image::one_layer(1 << 20);
    skopeo.login(&cloud.host(), "AWS", &in_cloud.login_password()).success();
    for name in ["team/app:1", "other/app:1"] {
        skopeo.push(&image, &format!("{}/{name}", cloud.host()), &[]).success();
    }

    let cache = start_cache(&cloud, keys_of(&cloud));
    let aws = or_skip!(aws_cli(&cache));
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "ecr"];
    let upstream = ["--upstream-registry-url", HOST, "--custom-role-arn", ROLE];
    let rule = aws.json(&[&create[..], &upstream[..]].concat());
    assert_eq!((&rule["customRoleArn"], &rule["upstreamRegistry"]), (&json!(ROLE), &json!("ecr")));
    skopeo.login(&cache.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/ecr/team/app:1", cache.host());

    // Without the role, both the check and the pull say what is missing.
    let failure = validate(&aws).expect("there is no such role");
    assert!(failure.contains(&format!("The role {ROLE} cannot be assumed")), "{failure}");
    let denied = skopeo.copy(&reference, &[]).expect_err("there is no such role").failure();
    assert!(denied.contains("authentication to the upstream registry failed"), "{denied}");

    create_role(&in_cloud);
    assert_eq!(validate(&aws), None);
    skopeo.pull(&reference).assert_whole(&image);
    let other = format!("{}/ecr/other/app:1", cache.host());
    let denied = skopeo.copy(&other, &[]).expect_err("the role may not").failure();
    assert!(denied.contains("denied"), "{denied}");

    cloud.kill();
    skopeo.pull(&reference).assert_whole(&image);
}

#[test]
fn a_cache_without_credentials_says_where_it_looked() {
    let cloud = start_cloud();
    let nothing = vec![("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())];
    let cache = start_cache(&cloud, nothing);
    let aws = or_skip!(aws_cli(&cache));
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", "ecr"];
    aws.json(&[&create[..], &["--upstream-registry-url", HOST]].concat());
    let failure = validate(&aws).expect("there are no credentials");
    for words in [
        "No AWS credentials were found",
        "AWS_ACCESS_KEY_ID and its companions: none",
        "profile 'default': none",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(failure.contains(words), "{failure}");
    }
}

#[test]
fn the_aws_cli_works_as_a_session_of_a_role() {
    let cloud = start_cloud();
    let aws = or_skip!(aws_cli(&cloud));
    let skopeo = or_skip!(Skopeo::new());
    let image = Image::one_layer(1 << 16);
    skopeo.login(&cloud.host(), "AWS", &aws.login_password()).success();
    let reference = format!("{}/team/app:1", cloud.host());
    skopeo.push(&image, &reference, &[]).success();
    create_role(&aws);

    // As a person does it: assume, export, go on.
    let assume = format!(
        "export $(aws sts assume-role --role-arn {ROLE} --role-session-name ci --query \
         'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text | awk '{{print \
         \"AWS_ACCESS_KEY_ID=\"$1, \"AWS_SECRET_ACCESS_KEY=\"$2, \"AWS_SESSION_TOKEN=\"$3}}')"
    );
    let as_session = |line: &str| aws.shell(&format!("{assume}; {line}"));
    let who = as_session("aws sts get-caller-identity").json();
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/puller/ci"));
    assert_eq!(who["Account"], ACCOUNT);
    let denied = as_session("aws ecr describe-repositories").failure();
    assert!(
        denied.contains("AccessDenied") && denied.contains("assumed-role/puller/ci"),
        "{denied}"
    );
    let password = as_session("aws ecr get-login-password").success();

    let session = or_skip!(Skopeo::new());
    session.login(&cloud.host(), "AWS", password.trim_end()).success();
    session.pull(&reference).assert_whole(&image);
    let pushed = session.push(&image, &format!("{}/team/mine:1", cloud.host()), &[]);
    assert!(pushed.failure().contains("denied"), "a role that may pull may not push");
}

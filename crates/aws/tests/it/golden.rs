//! Requests captured from real clients: the AWS CLI, botocore, the AWS SDK for JavaScript,
//! Terraform's provider (the AWS SDK for Go), and aws4fetch as Alchemy uses it.
//!
//! Each must verify, name an operation of ours, and parse into its shape; and what the shape
//! writes must hold all that the client sent. Only unsigned `User-Agent` values were shortened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aws::json::{self, BodyError, Service, Target};
use aws::query::Form;
use aws::sigv4::{Presented, Rejection};
use aws::{Timestamp, ecr, secrets_manager, sts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::captured::{ACCESS_KEY_ID, Captured, SECRET};

const SKEW_MAX: Duration = Duration::from_secs(15 * 60);
const SIGNED_BY_CLI: &str = "content-type host x-amz-date x-amz-target";

type Reread = fn(&[u8]) -> Result<Value, BodyError>;

/// Reads a body into a shape and writes it again.
fn reread<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<Value, BodyError> {
    json::parse::<T>(body).map(|shape| serde_json::to_value(shape).unwrap())
}

fn ecr_shape(operation: ecr::Operation) -> Reread {
    use ecr::Operation::*;
    match operation {
        CreatePullThroughCacheRule => reread::<ecr::CreatePullThroughCacheRuleRequest>,
        DescribePullThroughCacheRules => reread::<ecr::DescribePullThroughCacheRulesRequest>,
        UpdatePullThroughCacheRule => reread::<ecr::UpdatePullThroughCacheRuleRequest>,
        DeletePullThroughCacheRule => reread::<ecr::DeletePullThroughCacheRuleRequest>,
        ValidatePullThroughCacheRule => reread::<ecr::ValidatePullThroughCacheRuleRequest>,
        GetAuthorizationToken => reread::<ecr::GetAuthorizationTokenRequest>,
        DescribeRepositories => reread::<ecr::DescribeRepositoriesRequest>,
        DescribeImages => reread::<ecr::DescribeImagesRequest>,
        ListImages => reread::<ecr::ListImagesRequest>,
        CreateRepository => reread::<ecr::CreateRepositoryRequest>,
        DeleteRepository => reread::<ecr::DeleteRepositoryRequest>,
        CreateRepositoryCreationTemplate => reread::<ecr::CreateRepositoryCreationTemplateRequest>,
        other => panic!("no shape for {other}"),
    }
}

fn secrets_manager_shape(operation: secrets_manager::Operation) -> Reread {
    use secrets_manager::Operation::*;
    match operation {
        CreateSecret => reread::<secrets_manager::CreateSecretRequest>,
        GetSecretValue => reread::<secrets_manager::GetSecretValueRequest>,
        DescribeSecret => reread::<secrets_manager::DescribeSecretRequest>,
        PutSecretValue => reread::<secrets_manager::PutSecretValueRequest>,
        ListSecrets => reread::<secrets_manager::ListSecretsRequest>,
        DeleteSecret => reread::<secrets_manager::DeleteSecretRequest>,
        other => panic!("no shape for {other}"),
    }
}

fn files() -> BTreeMap<String, Captured> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files: BTreeMap<_, _> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, Captured::parse(&std::fs::read(path).unwrap()))
        })
        .collect();
    assert!(files.len() >= 32, "golden files are missing");
    files
}

fn file(name: &str) -> Captured {
    files().remove(name).unwrap_or_else(|| panic!("no golden file {name}"))
}

fn verify(captured: &Captured, secret: &str, late: i64) -> Result<Presented, Rejection> {
    let request = captured.request();
    let presented = Presented::parse(&request)?;
    let now = Timestamp::from_seconds(presented.signed_at().as_seconds() + late);
    presented.verify(&request, secret, now, SKEW_MAX)?;
    Ok(presented)
}

#[test]
fn every_signature_verifies_with_its_secret_only() {
    for (name, captured) in files() {
        let presented = verify(&captured, SECRET, 5).unwrap_or_else(|error| {
            panic!("{name}: {error}");
        });
        assert_eq!(presented.access_key_id(), ACCESS_KEY_ID, "{name}");
        let expected = name.ends_with("-session");
        assert_eq!(presented.session_token().is_some(), expected, "{name}");
        let wrong = verify(&captured, "another secret", 5).unwrap_err();
        assert_eq!(wrong, Rejection::SignatureMismatch, "{name}");
    }
}

#[test]
fn every_request_has_a_shape_that_holds_all_of_it() {
    for (name, captured) in files() {
        let presented = verify(&captured, SECRET, 0).unwrap();
        let Some(target) = captured.header("x-amz-target") else {
            let form = Form::parse(&captured.query, &captured.body).unwrap();
            assert_eq!(sts::operation(&form), Ok(sts::Operation::GetCallerIdentity), "{name}");
            assert_eq!(presented.require_service(sts::SIGNING_NAME), Ok(()), "{name}");
            continue;
        };
        let target = Target::parse(target).unwrap();
        assert_eq!(presented.require_service(target.service.signing_name()), Ok(()), "{name}");
        assert_eq!(captured.header("content-type"), Some(target.service.content_type()), "{name}");
        let reread = match target.service {
            Service::Ecr => ecr_shape(ecr::Operation::parse(target.operation).unwrap()),
            Service::SecretsManager => {
                secrets_manager_shape(secrets_manager::Operation::parse(target.operation).unwrap())
            }
            Service::CloudControl => continue,
            Service::Cistern => panic!("{name}: no client of AWS knows Cistern"),
        };
        let sent: Value = serde_json::from_slice(&captured.body).unwrap();
        assert_eq!(reread(&captured.body).unwrap(), sent, "{name}");
    }
}

#[test]
fn each_client_signs_headers_of_its_own() {
    let signed = |name: &str| verify(&file(name), SECRET, 0).unwrap().signed_headers().join(" ");
    assert_eq!(signed("aws-cli-create-pull-through-cache-rule"), SIGNED_BY_CLI);
    assert_eq!(signed("aws4fetch-create-resource"), "host x-amz-date x-amz-target");
    assert_eq!(
        signed("aws4fetch-create-resource-session"),
        "host x-amz-date x-amz-security-token x-amz-target"
    );
    assert_eq!(
        signed("terraform-create-pull-through-cache-rule"),
        format!("amz-sdk-invocation-id amz-sdk-request content-length {SIGNED_BY_CLI}")
    );
    assert_eq!(
        signed("aws-sdk-js-describe-images"),
        "amz-sdk-invocation-id amz-sdk-request content-length content-type host \
         x-amz-content-sha256 x-amz-date x-amz-target x-amz-user-agent"
    );
    assert_eq!(signed("botocore-presigned-get-caller-identity"), "host");
}

#[test]
fn the_scope_tells_region_and_service() {
    let presented = verify(&file("aws4fetch-create-resource"), SECRET, 0).unwrap();
    assert_eq!((presented.region(), presented.service()), ("us-west-2", "cloudcontrolapi"));
    assert_eq!(
        presented.require_service("ecr"),
        Err(Rejection::WrongService {
            scope: "cloudcontrolapi".to_owned(),
            expected: "ecr".to_owned()
        })
    );
}

#[test]
fn the_query_is_covered() {
    let mut captured = file("aws4fetch-create-resource");
    captured.query = captured.query.replace("CreateResource", "DeleteResource");
    assert_eq!(verify(&captured, SECRET, 0).unwrap_err(), Rejection::SignatureMismatch);
}

#[test]
fn another_target_or_host_is_noticed() {
    for (name, value) in [
        ("x-amz-target", "AmazonEC2ContainerRegistry_V20150921.DeleteRepository"),
        ("host", "127.0.0.1:4572"),
        ("content-type", "application/x-amz-json-1.0"),
    ] {
        let mut captured = file("aws-cli-describe-images");
        captured.headers.insert(name, value.parse().unwrap());
        assert_eq!(verify(&captured, SECRET, 0).unwrap_err(), Rejection::SignatureMismatch);
    }
    // What a client leaves uncovered may change on the way.
    let mut captured = file("aws-cli-describe-images");
    captured.headers.insert("amz-sdk-request", "attempt=2".parse().unwrap());
    assert!(verify(&captured, SECRET, 0).is_ok());
}

#[test]
fn a_request_lives_for_a_quarter_of_an_hour() {
    let captured = file("aws-cli-describe-images");
    assert!(verify(&captured, SECRET, 900).is_ok());
    assert!(verify(&captured, SECRET, -900).is_ok());
    assert!(matches!(verify(&captured, SECRET, 901), Err(Rejection::Expired { .. })));
    assert!(matches!(verify(&captured, SECRET, -901), Err(Rejection::NotYetValid { .. })));
}

//! Shapes of AWS Secrets Manager against JSON that real clients send.

use serde_json::json;

use super::*;
use crate::Timestamp;
use crate::json::{parse, render};

#[test]
fn a_secret_travels_but_does_not_print() {
    let request: CreateSecretRequest = parse(
        br#"{"Name":"ecr-pullthroughcache/hub",
            "ClientRequestToken":"terraform-20260101000000000000000001","Description":"","SecretString":"{\"username\":\"u\",\"accessToken\":\"hunter2\"}",
            "Tags":[{"Key":"team","Value":"web"}]}"#,
    )
    .unwrap();
    assert_eq!(request.description.as_deref(), Some(""));
    assert!(!format!("{request:?}").contains("hunter2"));
    let written: serde_json::Value = serde_json::from_slice(&render(&request)).unwrap();
    assert_eq!(written["SecretString"], r#"{"username":"u","accessToken":"hunter2"}"#);
    assert_eq!(written["Tags"], json!([{ "Key": "team", "Value": "web" }]));
}

#[test]
fn initials_keep_their_case() {
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-Ab12Cd";
    let version = "a".repeat(32);
    let response = DescribeSecretResponse {
        arn: Some(arn.to_owned()),
        name: Some("a".to_owned()),
        kind: Some("x".to_owned()),
        rotation_lambda_arn: Some("f".to_owned()),
        created_date: Some(Timestamp::from_seconds(1)),
        version_ids_to_stages: Some(
            [(version.clone(), vec!["AWSCURRENT".to_owned()])].into_iter().collect(),
        ),
        ..Default::default()
    };
    let written: serde_json::Value = serde_json::from_slice(&render(&response)).unwrap();
    assert_eq!(
        written,
        json!({
            "ARN": arn,
            "Name": "a",
            "Type": "x",
            "RotationLambdaARN": "f",
            "CreatedDate": 1,
            "VersionIdsToStages": { version: ["AWSCURRENT"] },
        })
    );
}

#[test]
fn deletion_and_filters() {
    let request: DeleteSecretRequest =
        parse(br#"{"SecretId":"a","ForceDeleteWithoutRecovery":true}"#).unwrap();
    assert_eq!(request.force_delete_without_recovery, Some(true));
    let request: DeleteSecretRequest =
        parse(br#"{"SecretId":"a","RecoveryWindowInDays":7}"#).unwrap();
    assert_eq!(request.recovery_window_in_days, Some(7));
    let request: ListSecretsRequest =
        parse(br#"{"Filters":[{"Key":"name","Values":["ecr-pullthroughcache/"]}]}"#).unwrap();
    let filter = &request.filters.unwrap()[0];
    assert_eq!(filter.key.as_deref(), Some("name"));
    assert_eq!(filter.values.as_deref(), Some(&["ecr-pullthroughcache/".to_owned()][..]));
}

#[test]
fn operations_are_found_by_name() {
    assert_eq!(Operation::parse("GetSecretValue"), Some(Operation::GetSecretValue));
    assert_eq!(Operation::parse(""), None);
    assert!(Operation::ALL.is_sorted_by_key(|known| known.name()));
}

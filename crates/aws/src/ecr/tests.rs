//! Shapes of Amazon ECR against JSON that real clients send.

use serde_json::json;

use super::*;
use crate::json::{parse, render};
use crate::{Sensitive, Timestamp};

fn written<T: serde::Serialize>(shape: &T) -> serde_json::Value {
    serde_json::from_slice(&render(shape)).unwrap()
}

#[test]
fn a_rule_travels_as_terraform_sends_it() {
    let body = br#"{"ecrRepositoryPrefix":"ecr-public","upstreamRegistryUrl":"public.ecr.aws"}"#;
    let request: CreatePullThroughCacheRuleRequest = parse(body).unwrap();
    assert_eq!(
        request,
        CreatePullThroughCacheRuleRequest {
            ecr_repository_prefix: "ecr-public".to_owned(),
            upstream_registry_url: "public.ecr.aws".to_owned(),
            ..Default::default()
        }
    );
    assert_eq!(render(&request), body);
}

#[test]
fn absent_members_stay_absent() {
    let response = CreatePullThroughCacheRuleResponse {
        ecr_repository_prefix: Some("ecr-public".to_owned()),
        upstream_registry_url: Some("public.ecr.aws".to_owned()),
        created_at: Some(Timestamp::from_milliseconds(1_795_206_389_168)),
        registry_id: Some("123456789012".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        String::from_utf8(render(&response)).unwrap(),
        concat!(
            r#"{"ecrRepositoryPrefix":"ecr-public","upstreamRegistryUrl":"public.ecr.aws","#,
            r#""createdAt":1795206389.168,"registryId":"123456789012"}"#
        )
    );
}

#[test]
fn lists_of_answers_are_there_when_empty() {
    assert_eq!(
        written(&DescribePullThroughCacheRulesResponse::default()),
        json!({ "pullThroughCacheRules": [] })
    );
    assert_eq!(written(&DescribeRepositoriesResponse::default()), json!({ "repositories": [] }));
    assert_eq!(written(&DescribeImagesResponse::default()), json!({ "imageDetails": [] }));
    assert_eq!(written(&ListImagesResponse::default()), json!({ "imageIds": [] }));
}

#[test]
fn tokens_do_not_print() {
    let token = AuthorizationData {
        authorization_token: Some(Sensitive::from("QVdTOnNlY3JldA==")),
        ..Default::default()
    };
    assert!(!format!("{token:?}").contains("QVdT"));
    assert_eq!(written(&token), json!({ "authorizationToken": "QVdTOnNlY3JldA==" }));
}

#[test]
fn tags_are_capitalised_among_camel_case() {
    let request: CreateRepositoryRequest = parse(
        br#"{"repositoryName":"a/b","tags":[{"Key":"k","Value":"v"}],"imageTagMutability":"MUTABLE",
            "imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"v*"}],
            "imageScanningConfiguration":{"scanOnPush":false},
            "encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"k"}}"#,
    )
    .unwrap();
    let tag = Tag { key: "k".to_owned(), value: "v".to_owned() };
    assert_eq!(request.tags, Some(vec![tag]));
    assert_eq!(
        written(&request)["encryptionConfiguration"],
        json!({ "encryptionType": "KMS", "kmsKey": "k" })
    );
}

#[test]
fn operations_are_found_by_name() {
    assert_eq!(
        Operation::parse("CreatePullThroughCacheRule"),
        Some(Operation::CreatePullThroughCacheRule)
    );
    assert_eq!(Operation::parse("createPullThroughCacheRule"), None);
    assert!(Operation::ALL.iter().all(|known| Operation::parse(known.name()) == Some(*known)));
    assert!(Operation::ALL.is_sorted_by_key(|known| known.name()));
}

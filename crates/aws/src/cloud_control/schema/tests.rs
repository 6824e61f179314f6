//! Models against the tables: what is told, and that the tables are whole.

use regex_lite::Regex;
use serde_json::json;

use super::*;

#[track_caller]
fn violations(type_name: &str, model: Value, is_strict: bool) -> Vec<String> {
    let kind = ResourceType::parse(type_name).expect("a type of the tables");
    let Value::Object(model) = model else { panic!("a model is an object") };
    let found = kind.check(&model, is_strict).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

const RULE: &str = "AWS::ECR::PullThroughCacheRule";

#[test]
fn the_documents_own_rules_hold_in_extended_mode_only() {
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:my-credentials";
    let rule = json!({
        "UpstreamRegistryUrl": "https://registry.example.com",
        "EcrRepositoryPrefix": "my-app/",
        "UpstreamRegistry": "my-upstream-registry",
        "CredentialArn": arn,
        "CustomRoleArn": "arn:aws:iam::123456789012:role/MyECRPullRole",
    });
    assert_eq!(violations(RULE, rule.clone(), false), [""; 0]);
    let [credential, registry] = &violations(RULE, rule, true)[..] else { panic!("two") };
    assert_eq!(
        *credential,
        format!(
            "#/CredentialArn: string [{arn}] does not match pattern ^arn:aws:secretsmanager:\
             [a-zA-Z0-9-:]+:secret:ecr\\-pullthroughcache\\/[a-zA-Z0-9\\/_+=.@-]+$"
        )
    );
    assert!(registry.starts_with("#/UpstreamRegistry: my-upstream-registry is not a valid enum"));
    let published = arn.replace("my-", "ecr-pullthroughcache/my-");
    assert_eq!(violations(RULE, json!({ "CredentialArn": published }), true), [""; 0]);
}

#[test]
fn violations_name_the_place_and_what_is_wrong_there() {
    for (type_name, model, expected) in [
        (
            RULE,
            json!({"EcrRepositoryPrefix": 7}),
            "#/EcrRepositoryPrefix: expected type: String, found: Integer",
        ),
        (
            RULE,
            json!({"EcrRepositoryPrefix": "a"}),
            "#/EcrRepositoryPrefix: expected minLength: 2, actual: 1",
        ),
        (RULE, json!({"RegistryId": "1"}), "#: extraneous key [RegistryId] is not permitted"),
        (
            "AWS::ECR::RepositoryCreationTemplate",
            json!({"Prefix": "prod"}),
            "#: required key [AppliedFor] not found",
        ),
        (
            "AWS::ECR::RepositoryCreationTemplate",
            json!({"Prefix": "prod", "AppliedFor": ["REPLICATION", "REPLICATION"]}),
            "#/AppliedFor: array items are not unique",
        ),
        (
            "AWS::ECR::RepositoryCreationTemplate",
            json!({"Prefix": "prod", "AppliedFor": ["PULL"]}),
            "#/AppliedFor/0: PULL is not a valid enum value of [REPLICATION, PULL_THROUGH_CACHE, \
             CREATE_ON_PUSH]",
        ),
        (
            "AWS::ECR::Repository",
            json!({"ImageTagMutabilityExclusionFilters": []}),
            "#/ImageTagMutabilityExclusionFilters: expected minItems: 1, actual: 0",
        ),
        (
            "AWS::ECR::Repository",
            json!({"EncryptionConfiguration": {"KmsKey": "k"}}),
            "#/EncryptionConfiguration: required key [EncryptionType] not found",
        ),
        (
            "AWS::ECR::Repository",
            json!({"RepositoryPolicyText": []}),
            "#/RepositoryPolicyText: expected type: JSONObject or String, found: JSONArray",
        ),
        (
            "AWS::SecretsManager::Secret",
            json!({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": 1.5}]}),
            "#/Tags/1/Value: expected type: String, found: Number",
        ),
        (
            "AWS::SecretsManager::Secret",
            json!({"GenerateSecretString": {"PasswordLength": "8"}}),
            "#/GenerateSecretString/PasswordLength: expected type: Integer, found: String",
        ),
    ] {
        assert_eq!(violations(type_name, model, false), [expected]);
    }
}

#[test]
fn values_of_secrets_are_not_told() {
    let found = violations("AWS::SecretsManager::Secret", json!({"SecretString": ""}), true);
    assert_eq!(found, ["#/SecretString: expected minLength: 1, actual: 0"]);
    let long = "x".repeat(65_537);
    let found = violations("AWS::SecretsManager::Secret", json!({"SecretString": long}), true);
    assert_eq!(found, ["#/SecretString: expected maxLength: 65536, actual: 65537"]);
}

#[test]
fn a_document_is_an_object_or_its_text() {
    for policy in [json!({"Statement": []}), json!("{}")] {
        let model = json!({ "PolicyText": policy });
        assert_eq!(violations("AWS::ECR::RegistryPolicy", model, true), [""; 0]);
    }
}

/// Walks every shape of the tables.
fn texts(shape: &Shape, found: &mut Vec<&'static str>) {
    match shape {
        Shape::Text(text) | Shape::Document(text) => found.extend(text.pattern),
        Shape::Object(object) => object.members.iter().for_each(|(_, shape)| texts(shape, found)),
        Shape::List(list) => texts(&list.items, found),
        Shape::Boolean | Shape::Integer => {}
    }
}

#[test]
fn tables_are_whole() {
    for kind in ResourceType::ALL {
        assert_eq!(ResourceType::parse(kind.name).map(|found| found.name), Some(kind.name));
        let known = |name: &str| kind.object.members.iter().any(|(member, _)| *member == name);
        let named = [&[kind.identifier], kind.read_only, kind.write_only, kind.create_only];
        for name in named.into_iter().flatten().chain(kind.object.required) {
            assert!(known(name), "{}: {name}", kind.name);
        }
        let mut patterns = Vec::new();
        kind.object.members.iter().for_each(|(_, shape)| texts(shape, &mut patterns));
        for pattern in patterns {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
    }
    assert_eq!(ResourceType::parse("AWS::ECR::Nothing").map(|kind| kind.name), None);
}

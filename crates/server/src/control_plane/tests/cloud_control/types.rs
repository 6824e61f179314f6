//! Repositories, templates and the registry policy as resources.

use serde_json::{Value, json};

use super::{
    ACCOUNT, HOST, NOT_FOUND, NOT_UPDATABLE, World, assert_refused, create, delete, event, get,
    properties, update,
};

const REPOSITORY: &str = "AWS::ECR::Repository";
const TEMPLATE: &str = "AWS::ECR::RepositoryCreationTemplate";
const REGISTRY_POLICY: &str = "AWS::ECR::RegistryPolicy";

fn policy(action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "all",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
            "Action": action,
            "Resource": "*",
        }],
    })
}

/// A repository policy names no resource.
fn repository_policy() -> Value {
    let mut policy = policy("ecr:*");
    policy["Statement"][0].as_object_mut().unwrap().remove("Resource");
    policy
}

fn lifecycle() -> String {
    json!({"rules": [{
        "rulePriority": 1,
        "description": "old ones go",
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
        "action": {"type": "expire"},
    }]})
    .to_string()
}

async fn changed(world: &World, kind: &str, identifier: &str, patch: Value) -> Value {
    let updated = event(&update(world, kind, identifier, &patch).await);
    assert_eq!(updated["OperationStatus"], "SUCCESS", "{updated}");
    properties(world, kind, identifier).await
}

#[tokio::test]
async fn a_repository_is_made_whole_changed_and_removed() {
    let world = World::start().await;
    let desired = json!({
        "RepositoryName": "team/app",
        "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "ImageTagMutabilityExclusionFilters": [{
            "ImageTagMutabilityExclusionFilterType": "WILDCARD",
            "ImageTagMutabilityExclusionFilterValue": "dev-*",
        }],
        "ImageScanningConfiguration": {"ScanOnPush": true},
        "EncryptionConfiguration": {"EncryptionType": "AES256"},
        "LifecyclePolicy": {"LifecyclePolicyText": lifecycle()},
        "RepositoryPolicyText": repository_policy(),
        "EmptyOnDelete": true,
        "Tags": [{"Key": "team", "Value": "web"}],
    });
    let made = create(&world, REPOSITORY, &desired).await;
    assert_eq!(
        (&made["OperationStatus"], &made["Identifier"]),
        (&json!("SUCCESS"), &json!("team/app")),
        "{made}"
    );
    let mut told = desired.clone();
    told["Arn"] = json!(format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"));
    told["RepositoryUri"] = json!(format!("{HOST}/team/app"));
    assert_eq!(properties(&world, REPOSITORY, "team/app").await, told);
    let again = create(&world, REPOSITORY, &desired).await;
    assert_eq!(
        (&again["ErrorCode"], &again["Identifier"]),
        (&json!("AlreadyExists"), &json!("team/app"))
    );

    let patch = json!([
        {"op": "replace", "path": "/ImageTagMutability", "value": "MUTABLE"},
        {"op": "remove", "path": "/ImageTagMutabilityExclusionFilters"},
        {"op": "replace", "path": "/ImageScanningConfiguration/ScanOnPush", "value": false},
        {"op": "remove", "path": "/LifecyclePolicy"},
        {"op": "remove", "path": "/RepositoryPolicyText"},
        {"op": "replace", "path": "/Tags/0/Value", "value": "api"},
        {"op": "remove", "path": "/EmptyOnDelete"},
    ]);
    let after = changed(&world, REPOSITORY, "team/app", patch).await;
    for gone in [
        "ImageTagMutabilityExclusionFilters",
        "LifecyclePolicy",
        "RepositoryPolicyText",
        "EmptyOnDelete",
    ] {
        assert_eq!(after.get(gone), None, "{gone}");
    }
    assert_eq!(after["ImageTagMutability"], "MUTABLE");
    assert_eq!(after["ImageScanningConfiguration"], json!({"ScanOnPush": false}));
    assert_eq!(after["Tags"], json!([{"Key": "team", "Value": "api"}]));
    let key = json!([{"op": "replace", "path": "/EncryptionConfiguration/EncryptionType", "value": "KMS"}]);
    let refused = update(&world, REPOSITORY, "team/app", &key).await;
    assert_refused(&refused, NOT_UPDATABLE, "[/properties/EncryptionConfiguration]");

    assert_eq!(delete(&world, REPOSITORY, "team/app").await["OperationStatus"], "SUCCESS");
    assert_refused(
        &get(&world, REPOSITORY, "team/app").await,
        NOT_FOUND,
        "'team/app' was not found",
    );
    assert_eq!(delete(&world, REPOSITORY, "team/app").await["ErrorCode"], "NotFound");
    assert_refused(&get(&world, REPOSITORY, "No!").await, NOT_FOUND, "'No!'");
}

#[tokio::test]
async fn a_repository_is_not_told_to_be_what_nobody_said() {
    let world = World::start().await;
    create(&world, REPOSITORY, &json!({"RepositoryName": "bare"})).await;
    let told = properties(&world, REPOSITORY, "bare").await;
    assert_eq!(told.get("EncryptionConfiguration"), None, "{told}");
    let same = json!([{"op": "add", "path": "/EncryptionConfiguration", "value": {"EncryptionType": "AES256"}}]);
    changed(&world, REPOSITORY, "bare", same).await;
    // Nothing comes into being where one part is wrong.
    let wrong = json!({"RepositoryName": "wrong", "RepositoryPolicyText": {"Statement": []}});
    let failed = create(&world, REPOSITORY, &wrong).await;
    assert_eq!(failed["ErrorCode"], "InvalidRequest", "{failed}");
    assert_refused(&get(&world, REPOSITORY, "wrong").await, NOT_FOUND, "'wrong'");
    let named = create(&world, REPOSITORY, &json!({})).await;
    assert!(named["Identifier"].as_str().unwrap().starts_with("repository-"), "{named}");
}

#[tokio::test]
async fn a_repository_with_images_goes_only_where_that_was_said() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "v1", b"layer");
    assert_eq!(world.get("/v2/hub/app/manifests/v1").await.status, 200);
    let kept = delete(&world, REPOSITORY, "hub/app").await;
    assert_eq!(kept["ErrorCode"], "GeneralServiceException", "{kept}");
    let patch = json!([{"op": "add", "path": "/EmptyOnDelete", "value": true}]);
    changed(&world, REPOSITORY, "hub/app", patch).await;
    assert_eq!(delete(&world, REPOSITORY, "hub/app").await["OperationStatus"], "SUCCESS");
}

#[tokio::test]
async fn a_template_is_made_changed_and_removed() {
    let world = World::start().await;
    let desired = json!({
        "Prefix": "prod/",
        "AppliedFor": ["PULL_THROUGH_CACHE"],
        "Description": "for production",
        "ImageTagMutability": "IMMUTABLE",
        "EncryptionConfiguration": {"EncryptionType": "AES256"},
        "RepositoryPolicy": repository_policy().to_string(),
        "LifecyclePolicy": lifecycle(),
        "CustomRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/creation"),
        "ResourceTags": [{"Key": "stage", "Value": "prod"}],
    });
    let made = create(&world, TEMPLATE, &desired).await;
    assert_eq!(
        (&made["OperationStatus"], &made["Identifier"]),
        (&json!("SUCCESS"), &json!("prod/")),
        "{made}"
    );
    let mut told = properties(&world, TEMPLATE, "prod").await;
    for moment in ["CreatedAt", "UpdatedAt"] {
        let moment = told.as_object_mut().unwrap().remove(moment).expect("a moment");
        assert_eq!(moment, "2023-11-14T22:13:20.000Z");
    }
    assert_eq!(told, desired);
    let again = create(&world, TEMPLATE, &desired).await;
    assert_eq!(
        (&again["ErrorCode"], &again["Identifier"]),
        (&json!("AlreadyExists"), &json!("prod/"))
    );

    let patch = json!([
        {"op": "remove", "path": "/Description"},
        {"op": "remove", "path": "/ResourceTags"},
        {"op": "remove", "path": "/RepositoryPolicy"},
        {"op": "remove", "path": "/CustomRoleArn"},
        {"op": "add", "path": "/AppliedFor/-", "value": "CREATE_ON_PUSH"},
        {"op": "replace", "path": "/ImageTagMutability", "value": "MUTABLE"},
    ]);
    let after = changed(&world, TEMPLATE, "prod/", patch).await;
    assert_eq!(after["AppliedFor"], json!(["PULL_THROUGH_CACHE", "CREATE_ON_PUSH"]));
    assert_eq!(after["ImageTagMutability"], "MUTABLE");
    for gone in ["Description", "ResourceTags", "RepositoryPolicy", "CustomRoleArn"] {
        assert_eq!(after.get(gone), None, "{gone}");
    }
    let prefix = json!([{"op": "replace", "path": "/Prefix", "value": "other"}]);
    let refused = update(&world, TEMPLATE, "prod", &prefix).await;
    assert_refused(&refused, NOT_UPDATABLE, "[/properties/Prefix]");
    assert_eq!(delete(&world, TEMPLATE, "prod").await["Identifier"], "prod/");
    assert_refused(&get(&world, TEMPLATE, "prod").await, NOT_FOUND, "'prod'");
    assert_eq!(delete(&world, TEMPLATE, "prod").await["ErrorCode"], "NotFound");
}

#[tokio::test]
async fn the_registry_policy_is_one() {
    let world = World::start().await;
    let desired = json!({"PolicyText": policy("ecr:ReplicateImage")});
    assert_refused(&get(&world, REGISTRY_POLICY, ACCOUNT).await, NOT_FOUND, ACCOUNT);
    let made = create(&world, REGISTRY_POLICY, &desired).await;
    assert_eq!(
        (&made["OperationStatus"], &made["Identifier"]),
        (&json!("SUCCESS"), &json!(ACCOUNT)),
        "{made}"
    );
    let told = json!({"PolicyText": desired["PolicyText"], "RegistryId": ACCOUNT});
    assert_eq!(properties(&world, REGISTRY_POLICY, ACCOUNT).await, told);
    let again = create(&world, REGISTRY_POLICY, &desired).await;
    assert_eq!(
        (&again["ErrorCode"], &again["Identifier"]),
        (&json!("AlreadyExists"), &json!(ACCOUNT))
    );
    let value = policy("ecr:*").to_string();
    let patch = json!([{"op": "replace", "path": "/PolicyText", "value": value}]);
    let after = changed(&world, REGISTRY_POLICY, ACCOUNT, patch).await;
    assert_eq!(after["PolicyText"], policy("ecr:*"), "an object, however it was sent");
    let wrong = json!([{"op": "replace", "path": "/PolicyText", "value": {"Statement": 7}}]);
    let failed = event(&update(&world, REGISTRY_POLICY, ACCOUNT, &wrong).await);
    assert_eq!(failed["ErrorCode"], "InvalidRequest", "{failed}");
    let listed = world.cloud("ListResources", json!({"TypeName": REGISTRY_POLICY})).await.json();
    assert_eq!(listed["ResourceDescriptions"][0]["Identifier"], ACCOUNT);
    assert_refused(&get(&world, REGISTRY_POLICY, "444455556666").await, NOT_FOUND, "444455556666");
    assert_eq!(delete(&world, REGISTRY_POLICY, ACCOUNT).await["OperationStatus"], "SUCCESS");
    assert_eq!(delete(&world, REGISTRY_POLICY, ACCOUNT).await["ErrorCode"], "NotFound");
}

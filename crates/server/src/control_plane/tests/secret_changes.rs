//! Secrets as they change: versions, labels, tags, policies, lists, and the way back.

use serde_json::{Value, json};

use super::SECONDS;
use crate::doors::tests::World;

/// Asserts that Secrets Manager answers, and returns the answer.
async fn secret(world: &World, operation: &str, body: Value) -> Value {
    let told = format!("{operation} {body}");
    let answer = world.secrets(operation, body).await;
    assert_eq!(answer.status, 200, "{told}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn secrets_get_new_versions() {
    let world = World::start().await;
    let token = |n: usize| format!("terraform-{n:026}");
    let create = json!({"Name": "a", "SecretString": "1", "ClientRequestToken": token(1)});
    let arn = secret(&world, "CreateSecret", create).await["ARN"].clone();
    let put = json!({"SecretId": "a", "SecretString": "2", "ClientRequestToken": token(2)});
    for _ in 0..2 {
        let answer = secret(&world, "PutSecretValue", put.clone()).await;
        assert_eq!(
            answer,
            json!({
                "ARN": arn, "Name": "a", "VersionId": token(2), "VersionStages": ["AWSCURRENT"],
            })
        );
    }
    let other = json!({"SecretId": "a", "SecretString": "3", "ClientRequestToken": token(2)});
    let refused = world.secrets("PutSecretValue", other).await;
    assert_eq!(refused.exception(), "ResourceExistsException");
    assert_eq!(
        refused.exception_message(),
        format!(
            "You can't use ClientRequestToken {} because that value is already in use for a \
             version of secret {}.",
            token(2),
            arn.as_str().unwrap()
        )
    );
    let update = json!({"SecretId": arn, "Description": "new"});
    assert_eq!(
        secret(&world, "UpdateSecret", update).await,
        json!({"ARN": arn, "Name": "a"}),
        "no value, no version"
    );
    let update = json!({"SecretId": "a", "SecretString": "3", "ClientRequestToken": token(3)});
    assert_eq!(secret(&world, "UpdateSecret", update).await["VersionId"], token(3));

    // A version without a label is deprecated, and listed only where it is asked for.
    let described = secret(&world, "DescribeSecret", json!({"SecretId": "a"})).await;
    let stages = json!({token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]});
    assert_eq!(
        (&described["VersionIdsToStages"], &described["Description"]),
        (&stages, &json!("new"))
    );
    let list = json!({"SecretId": "a", "MaxResults": 2, "IncludeDeprecated": true});
    let listed = secret(&world, "ListSecretVersionIds", list).await;
    assert_eq!(listed["Versions"][0], json!({"VersionId": token(1), "CreatedDate": SECONDS}));
    let next = json!({
        "SecretId": "a", "IncludeDeprecated": true, "NextToken": listed["NextToken"],
    });
    let rest = secret(&world, "ListSecretVersionIds", next).await;
    assert_eq!(rest["Versions"][0]["VersionStages"], json!(["AWSCURRENT"]));
    assert_eq!((rest["Versions"].as_array().unwrap().len(), rest.get("NextToken")), (1, None));

    let back = json!({
        "SecretId": "a", "VersionStage": "AWSCURRENT",
        "MoveToVersionId": token(2), "RemoveFromVersionId": token(3),
    });
    let moved = secret(&world, "UpdateSecretVersionStage", back).await;
    assert_eq!(moved, json!({"ARN": arn, "Name": "a"}));
    let found = secret(&world, "GetSecretValue", json!({"SecretId": "a"})).await;
    assert_eq!(found["SecretString"], "2");
    let blind = json!({"SecretId": "a", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(3)});
    let refused = world.secrets("UpdateSecretVersionStage", blind).await;
    assert_eq!(refused.exception(), "InvalidParameterException");
    let told = refused.exception_message();
    assert!(told.starts_with("The parameter RemoveFromVersionId can't be empty."), "{told}");
}

#[tokio::test]
async fn secrets_are_tagged_guarded_listed_and_restored() {
    let world = World::start().await;
    for name in ["ecr/a", "ecr/b", "other"] {
        secret(&world, "CreateSecret", json!({"Name": name, "SecretString": "x"})).await;
    }
    let tags = json!({"SecretId": "ecr/a", "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}]});
    assert_eq!(secret(&world, "TagResource", tags).await, json!({}));
    let keys = json!({"SecretId": "ecr/a", "TagKeys": ["l"]});
    assert_eq!(secret(&world, "UntagResource", keys).await, json!({}));

    let id = json!({"SecretId": "ecr/a"});
    let none = secret(&world, "GetResourcePolicy", id.clone()).await;
    assert_eq!((&none["Name"], none.get("ResourcePolicy")), (&json!("ecr/a"), None));
    let policy = r#"{"Statement": {"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#;
    let put = json!({"SecretId": "ecr/a", "ResourcePolicy": policy, "BlockPublicPolicy": true});
    assert_eq!(secret(&world, "PutResourcePolicy", put).await["Name"], "ecr/a");
    let held = secret(&world, "GetResourcePolicy", id.clone()).await;
    assert_eq!(held["ResourcePolicy"], policy, "as sent");
    assert_eq!(secret(&world, "DeleteResourcePolicy", id.clone()).await["Name"], "ecr/a");
    let none = secret(&world, "GetResourcePolicy", id.clone()).await;
    assert_eq!(none.get("ResourcePolicy"), None);

    secret(&world, "DeleteSecret", id.clone()).await;
    let names = async |body: Value| -> (Vec<String>, Value) {
        let listed = secret(&world, "ListSecrets", body).await;
        let names = listed["SecretList"].as_array().unwrap().iter();
        let names = names.map(|secret| secret["Name"].as_str().unwrap().to_owned());
        (names.collect(), listed["NextToken"].clone())
    };
    let filters = json!([{"Key": "name", "Values": ["ecr/"]}]);
    assert_eq!(names(json!({"Filters": filters})).await.0, ["ecr/b"]);
    let planned = json!({"Filters": filters, "IncludePlannedDeletion": true});
    assert_eq!(names(planned.clone()).await.0, ["ecr/a", "ecr/b"]);
    let listed = secret(&world, "ListSecrets", planned).await;
    let entry = &listed["SecretList"][0];
    assert_eq!(entry["Tags"], json!([{"Key": "k", "Value": "v"}]));
    assert_eq!(entry["DeletedDate"], SECONDS);
    assert_eq!(entry["SecretVersionsToStages"].as_object().unwrap().len(), 1);
    let (first, next) = names(json!({"MaxResults": 1, "SortOrder": "desc"})).await;
    let rest = json!({"MaxResults": 1, "SortOrder": "desc", "NextToken": next});
    assert_eq!(
        (first, names(rest).await),
        (vec!["other".into()], (vec!["ecr/b".into()], Value::Null))
    );

    assert_eq!(secret(&world, "RestoreSecret", id.clone()).await["Name"], "ecr/a");
    assert_eq!(secret(&world, "GetSecretValue", id.clone()).await["SecretString"], "x");
    let described = secret(&world, "DescribeSecret", id).await;
    assert_eq!(described.get("DeletedDate"), None);
}

#[tokio::test]
async fn secrets_are_read_in_batches() {
    let world = World::start().await;
    for name in ["ecr/a", "ecr/b", "other"] {
        secret(&world, "CreateSecret", json!({"Name": name, "SecretString": name})).await;
    }
    secret(&world, "CreateSecret", json!({"Name": "ecr/empty"})).await;
    let ids = json!({"SecretIdList": ["other", "none", "ecr/empty"]});
    let batch = secret(&world, "BatchGetSecretValue", ids).await;
    assert_eq!(batch["SecretValues"].as_array().unwrap().len(), 1);
    let alone = secret(&world, "GetSecretValue", json!({"SecretId": "other"})).await;
    assert_eq!(batch["SecretValues"][0], alone);
    let told = |at: usize| (&batch["Errors"][at]["SecretId"], &batch["Errors"][at]["ErrorCode"]);
    let gone = json!("ResourceNotFoundException");
    assert_eq!(told(0), (&json!("none"), &gone));
    assert_eq!(told(1), (&json!("ecr/empty"), &gone));

    let filters = json!([{"Key": "name", "Values": ["ecr/"]}]);
    let names = |batch: &Value| -> Vec<String> {
        let values = batch["SecretValues"].as_array().unwrap().iter();
        values.map(|value| value["SecretString"].as_str().unwrap().to_owned()).collect()
    };
    let first = json!({"Filters": filters, "MaxResults": 1});
    let first = secret(&world, "BatchGetSecretValue", first).await;
    assert_eq!(names(&first), ["ecr/a"]);
    let rest = json!({"Filters": filters, "NextToken": first["NextToken"]});
    let rest = secret(&world, "BatchGetSecretValue", rest).await;
    assert_eq!((names(&rest), rest.get("NextToken")), (vec!["ecr/b".to_owned()], None));
    assert_eq!(rest["Errors"].as_array().unwrap().len(), 1, "the one without a value");
}

#[tokio::test]
async fn passwords_follow_their_rules() {
    let world = World::start().await;
    let drawn = async |body: Value| -> String {
        let answer = secret(&world, "GetRandomPassword", body).await;
        answer["RandomPassword"].as_str().unwrap().to_owned()
    };
    let plain = drawn(json!({})).await;
    assert_eq!(plain.chars().count(), 32);
    assert_ne!(plain, drawn(json!({})).await);
    let each = drawn(json!({"PasswordLength": 4})).await;
    for kind in [char::is_uppercase, char::is_lowercase, char::is_numeric] {
        assert_eq!(each.chars().filter(|c| kind(*c)).count(), 1, "{each}");
    }
    let digits = json!({
        "PasswordLength": 300, "ExcludePunctuation": true, "ExcludeUppercase": true,
        "ExcludeLowercase": true, "ExcludeCharacters": "01", "IncludeSpace": true,
    });
    let digits = drawn(digits).await;
    assert!(digits.chars().all(|c| " 23456789".contains(c)), "{digits}");
    assert!(digits.contains(' ') && digits.contains('9'), "{digits}");
    let one = drawn(json!({"PasswordLength": 1, "RequireEachIncludedType": false})).await;
    assert_eq!(one.len(), 1);
}

#[tokio::test]
async fn policies_are_tried_before_they_are_put() {
    let world = World::start().await;
    secret(&world, "CreateSecret", json!({"Name": "a"})).await;
    let policy = |principal: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":"{principal}","Action":"*","Resource":"*"}}}}"#
        )
    };
    let own = json!({"SecretId": "a", "ResourcePolicy": policy("111122223333")});
    let passed = secret(&world, "ValidateResourcePolicy", own).await;
    assert_eq!(passed, json!({"PolicyValidationPassed": true, "ValidationErrors": []}));
    let open =
        secret(&world, "ValidateResourcePolicy", json!({"ResourcePolicy": policy("*")})).await;
    assert_eq!(open["PolicyValidationPassed"], false);
    let told = open["ValidationErrors"][0]["ErrorMessage"].as_str().unwrap();
    assert!(told.contains("every principal"), "{told}");
    let held = secret(&world, "GetResourcePolicy", json!({"SecretId": "a"})).await;
    assert_eq!(held.get("ResourcePolicy"), None, "nothing is put");
}

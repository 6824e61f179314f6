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

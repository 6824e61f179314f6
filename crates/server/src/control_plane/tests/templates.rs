//! The operations on repository creation templates, and what a pull says of one.

use serde_json::{Value, json};

use super::{SECONDS, done, refused};
use crate::doors::tests::{ACCOUNT, World};

const CREATE: &str = "CreateRepositoryCreationTemplate";
const DESCRIBE: &str = "DescribeRepositoryCreationTemplates";
const UPDATE: &str = "UpdateRepositoryCreationTemplate";
const DELETE: &str = "DeleteRepositoryCreationTemplate";
const INVALID: &str = "InvalidParameterException";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}"#;
const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}"#;

fn full(prefix: &str) -> Value {
    json!({
        "prefix": prefix,
        "description": "for all of us",
        "encryptionConfiguration": {
            "encryptionType": "KMS",
            "kmsKey": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab",
        },
        "resourceTags": [{"Key": "team", "Value": "a"}, {"Key": "empty", "Value": ""}],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [
            {"filterType": "WILDCARD", "filter": "latest*"},
            {"filterType": "WILDCARD", "filter": "dev-*"},
        ],
        "repositoryPolicy": POLICY,
        "lifecyclePolicy": LIFECYCLE,
        "appliedFor": ["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"],
        "customRoleArn": "arn:aws:iam::111122223333:role/templates",
    })
}

/// What an operation answers about one template, with the moments it adds.
fn answered(mut template: Value, updated_at: i64) -> Value {
    template["createdAt"] = json!(SECONDS);
    template["updatedAt"] = json!(updated_at);
    json!({"registryId": ACCOUNT, "repositoryCreationTemplate": template})
}

#[tokio::test]
async fn templates_are_made_changed_and_removed() {
    let world = World::start().await;
    assert_eq!(done(&world, CREATE, full("prod/")).await, answered(full("prod/"), SECONDS));
    // What was not sent is absent, but for what ECR sets itself.
    let least = json!({"prefix": "ROOT", "appliedFor": []});
    let mut expected = least.clone();
    expected["imageTagMutability"] = json!("MUTABLE");
    expected["encryptionConfiguration"] = json!({"encryptionType": "AES256"});
    assert_eq!(done(&world, CREATE, least).await, answered(expected.clone(), SECONDS));

    world.clock.advance(5000);
    let changes = json!({
        "prefix": "prod", "description": "", "repositoryPolicy": "", "lifecyclePolicy": "",
        "customRoleArn": "", "resourceTags": [], "appliedFor": ["PULL_THROUGH_CACHE"],
        "encryptionConfiguration": {"encryptionType": "KMS_DSSE", "kmsKey": ""},
        "imageTagMutability": "IMMUTABLE",
    });
    let changed = json!({
        "prefix": "prod/",
        "encryptionConfiguration": {"encryptionType": "KMS_DSSE"},
        "imageTagMutability": "IMMUTABLE",
        "appliedFor": ["PULL_THROUGH_CACHE"],
    });
    let changed = answered(changed, SECONDS + 5);
    assert_eq!(done(&world, UPDATE, changes).await, changed);
    let touched = done(&world, UPDATE, json!({"prefix": "prod/"})).await;
    assert_eq!(touched, changed, "what is not named stays");
    assert_eq!(done(&world, DELETE, json!({"prefix": "prod"})).await, changed);

    let listed = done(&world, DESCRIBE, json!({})).await;
    let root = answered(expected, SECONDS)["repositoryCreationTemplate"].clone();
    assert_eq!(listed, json!({"registryId": ACCOUNT, "repositoryCreationTemplates": [root]}));
}

#[tokio::test]
async fn templates_come_in_pages_and_an_unknown_prefix_is_no_error() {
    let world = World::start().await;
    for prefix in ["a", "b/", "b/c", "d", "ROOT"] {
        done(&world, CREATE, json!({"prefix": prefix, "appliedFor": ["REPLICATION"]})).await;
    }
    let prefixes = |page: &Value| -> Vec<Value> {
        let templates = page["repositoryCreationTemplates"].as_array().unwrap();
        templates.iter().map(|template| template["prefix"].clone()).collect()
    };
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = done(&world, DESCRIBE, json!({"maxResults": 2, "nextToken": token})).await;
        seen.extend(prefixes(&page));
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(seen, ["ROOT", "a", "b/", "b/c", "d"]);
    let named = done(&world, DESCRIBE, json!({"prefixes": ["none", "b", "d/"]})).await;
    assert_eq!(prefixes(&named), ["b/", "d"]);
    let none = done(&world, DESCRIBE, json!({"prefixes": ["none"]})).await;
    assert_eq!(none, json!({"registryId": ACCOUNT, "repositoryCreationTemplates": []}));
}

#[tokio::test]
async fn constraints_of_templates() {
    let world = World::start().await;
    let with = |member: &str, value: Value| {
        let mut body = json!({"prefix": "ok", "appliedFor": ["PULL_THROUGH_CACHE"]});
        body[member] = value;
        body
    };
    let filter = |filter: &str| json!({"filterType": "WILDCARD", "filter": filter});
    let excluded = |word: &str, filters: Value| {
        let mut body = with("imageTagMutability", json!(word));
        body["imageTagMutabilityExclusionFilters"] = filters;
        body
    };
    let encrypted = |word: &str, key: &str| {
        let sent = json!({"encryptionType": word, "kmsKey": key});
        with("encryptionConfiguration", sent)
    };
    for (body, member) in [
        (with("prefix", json!("")), "prefix"),
        (with("prefix", json!("a".repeat(257))), "prefix"),
        (with("prefix", json!("Prod")), "prefix"),
        (with("prefix", json!("ROOT/")), "prefix"),
        (with("description", json!("x".repeat(257))), "description"),
        (encrypted("SSE", ""), "encryptionConfiguration"),
        (encrypted("KMS", "alias/mine"), "encryptionConfiguration.kmsKey"),
        (with("encryptionConfiguration", json!({})), "encryptionConfiguration"),
        (with("resourceTags", json!([{"Key": "", "Value": "x"}])), "resourceTags"),
        (with("resourceTags", json!([{"Key": "x"}])), "resourceTags"),
        (with("imageTagMutability", json!("SOMETIMES")), "imageTagMutability"),
        (excluded("MUTABLE_WITH_EXCLUSION", json!([])), "imageTagMutabilityExclusionFilters"),
        (
            excluded("MUTABLE_WITH_EXCLUSION", json!(vec![filter("a"); 6])),
            "imageTagMutabilityExclusionFilters",
        ),
        (
            excluded("IMMUTABLE_WITH_EXCLUSION", json!([filter("a b")])),
            "imageTagMutabilityExclusionFilters",
        ),
        (with("repositoryPolicy", json!("{")), "repositoryPolicy"),
        (with("lifecyclePolicy", json!("{}")), "lifecyclePolicy"),
        (with("appliedFor", json!(["PULL"])), "appliedFor"),
        (with("customRoleArn", json!("role")), "customRoleArn"),
        (with("customRoleArn", json!(format!("arn:{}", "x".repeat(2048)))), "customRoleArn"),
    ] {
        // The update of a template that is not there, too: what is wrong is said first.
        for operation in [CREATE, UPDATE] {
            let text = refused(&world, operation, body.clone(), INVALID).await;
            assert!(text.starts_with(&format!("Invalid parameter at '{member}")), "{text}");
        }
    }
    for body in [json!({}), json!({"prefix": "ok"}), json!({"appliedFor": []})] {
        let text = refused(&world, CREATE, body, INVALID).await;
        assert!(text.ends_with("'must not be null'"), "{text}");
    }
    for body in [
        json!({"prefixes": ["ok", "Prod"]}),
        json!({"maxResults": 0}),
        json!({"maxResults": 1001}),
        json!({"nextToken": "x"}),
    ] {
        refused(&world, DESCRIBE, body, INVALID).await;
    }
    for operation in [UPDATE, DELETE] {
        refused(&world, operation, json!({}), INVALID).await;
        refused(&world, operation, json!({"prefix": "a..b"}), INVALID).await;
        assert_eq!(
            refused(&world, operation, json!({"prefix": "ok"}), "TemplateNotFoundException").await,
            "The specified repository creation template can't be found. Verify the registry ID \
             and prefix and try again."
        );
    }
    done(&world, CREATE, json!({"prefix": "ok", "appliedFor": []})).await;
    let again = json!({"prefix": "ok/", "appliedFor": []});
    assert_eq!(
        refused(&world, CREATE, again, "TemplateAlreadyExistsException").await,
        "The repository creation template already exists. Specify a unique prefix and try again."
    );
    refused(&world, CREATE, with("prefix", json!(7)), "SerializationException").await;
}

#[tokio::test]
async fn a_first_pull_makes_the_repository_that_the_template_describes() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    done(&world, CREATE, full("hub")).await;
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    let found = done(&world, "DescribeRepositories", json!({})).await;
    let made = &found["repositories"][0];
    for member in
        ["imageTagMutability", "imageTagMutabilityExclusionFilters", "encryptionConfiguration"]
    {
        assert_eq!(made[member], full("hub")[member], "{member}");
    }
    let name = json!({"repositoryName": "hub/app"});
    let policy = done(&world, "GetRepositoryPolicy", name.clone()).await;
    assert_eq!(policy["policyText"], POLICY);
    let lifecycle = done(&world, "GetLifecyclePolicy", name).await;
    assert_eq!(lifecycle["lifecyclePolicyText"], LIFECYCLE);
    let tags =
        done(&world, "ListTagsForResource", json!({"resourceArn": made["repositoryArn"]})).await;
    assert_eq!(tags["tags"], full("hub")["resourceTags"]);
}

#[tokio::test]
async fn in_strict_mode_a_template_without_its_role_is_said_in_the_envelope() {
    // A rule of strict mode could not name the upstream of a test.
    let mut world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    world.restart_with(|settings| settings.strict_ecr = true).await;
    let tagged = json!({
        "prefix": "hub", "appliedFor": ["PULL_THROUGH_CACHE"],
        "resourceTags": [{"Key": "team", "Value": "a"}],
    });
    done(&world, CREATE, tagged).await;
    let answer = world.get("/v2/hub/app/manifests/1").await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "NAME_UNKNOWN"));
    assert_eq!(
        answer.message(),
        format!(
            "The repository with name 'hub/app' does not exist in the registry with id '{ACCOUNT}'"
        )
    );
    let detail = &answer.json()["errors"][0]["detail"];
    assert_eq!(detail["repositoryCreationTemplate"], "hub");
    let hint = detail["hint"].as_str().unwrap();
    assert!(hint.contains("resourceTags need a customRoleArn"), "{hint}");
    let wanted = json!({"repositoryName": "hub/app", "imageIds": [{"imageTag": "1"}]});
    let text = refused(&world, "BatchGetImage", wanted, "RepositoryNotFoundException").await;
    assert!(text.contains("'hub/app'") && text.ends_with("need a customRoleArn"), "{text}");
    let role =
        json!({"prefix": "hub", "customRoleArn": "arn:aws:iam::111122223333:role/templates"});
    done(&world, UPDATE, role).await;
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
}

//! Cloud Control: what its clients rely on, in the words they compare.

mod types;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::doors::tests::{ACCOUNT, Answer, HOST, NOW, Signed, World};

const RULE: &str = "AWS::ECR::PullThroughCacheRule";
const SECRET: &str = "AWS::SecretsManager::Secret";
const NOT_FOUND: &str = "com.amazon.cloudapiservice#ResourceNotFoundException";
const NOT_UPDATABLE: &str = "com.amazon.cloudapiservice#NotUpdatableException";
const VALIDATION: &str = "com.amazon.coral.validate#ValidationException";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The progress event of an answer.
#[track_caller]
fn event(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["ProgressEvent"].clone()
}

async fn create(world: &World, type_name: &str, desired: &Value) -> Value {
    let body = json!({"TypeName": type_name, "DesiredState": desired.to_string()});
    event(&world.cloud("CreateResource", body).await)
}

async fn update(world: &World, type_name: &str, identifier: &str, patch: &Value) -> Answer {
    let patch = patch.to_string();
    let body = json!({"TypeName": type_name, "Identifier": identifier, "PatchDocument": patch});
    world.cloud("UpdateResource", body).await
}

async fn delete(world: &World, type_name: &str, identifier: &str) -> Value {
    let body = json!({"TypeName": type_name, "Identifier": identifier});
    event(&world.cloud("DeleteResource", body).await)
}

async fn get(world: &World, type_name: &str, identifier: &str) -> Answer {
    world.cloud("GetResource", json!({"TypeName": type_name, "Identifier": identifier})).await
}

/// The properties of a resource.
async fn properties(world: &World, type_name: &str, identifier: &str) -> Value {
    let answer = get(world, type_name, identifier).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let properties = answer.json()["ResourceDescription"]["Properties"].clone();
    serde_json::from_str(properties.as_str().expect("JSON inside a string")).expect("JSON")
}

#[track_caller]
fn assert_refused(answer: &Answer, exception: &str, text: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.exception(), exception, "{}", answer.text());
    assert!(answer.exception_message().contains(text), "{}", answer.text());
}

fn example() -> Value {
    json!({
        "UpstreamRegistryUrl": "https://registry.example.com",
        "EcrRepositoryPrefix": "my-app/",
    })
}

/// Everything about the rule that can be set.
fn whole() -> Value {
    json!({
        "EcrRepositoryPrefix": "whole",
        "UpstreamRegistryUrl": "https://registry.example.com",
        "UpstreamRegistry": "my-upstream-registry",
        "UpstreamRepositoryPrefix": "ROOT",
        "CredentialArn": format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:one"),
        "CustomRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/MyECRPullRole"),
    })
}

async fn world_with_secrets() -> World {
    let world = World::start().await;
    for name in ["one", "two"] {
        let answer =
            world.secrets("CreateSecret", json!({"Name": name, "SecretString": "s"})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    world
}

#[tokio::test]
async fn a_rule_comes_back_as_it_was_set() {
    let world = world_with_secrets().await;
    for (desired, identifier) in [(example(), "my-app/"), (whole(), "whole")] {
        let created = create(&world, RULE, &desired).await;
        assert_eq!(created["OperationStatus"], "SUCCESS", "{created}");
        assert_eq!(created["Identifier"], identifier);
        assert_eq!(created["EventTime"], NOW / 1000);
        let model: Value =
            serde_json::from_str(created["ResourceModel"].as_str().unwrap()).unwrap();
        assert_eq!(model, desired);
        assert_eq!(properties(&world, RULE, identifier).await, desired);
        let token = json!({"RequestToken": created["RequestToken"]});
        assert_eq!(event(&world.cloud("GetResourceRequestStatus", token).await), created);
    }
    // One key, with and without the slash, and as an object.
    for identifier in ["my-app", r#"{"EcrRepositoryPrefix":"my-app/"}"#] {
        let answer = get(&world, RULE, identifier).await.json();
        assert_eq!(answer["ResourceDescription"]["Identifier"], "my-app/", "{answer}");
    }
    assert_refused(&get(&world, RULE, r#"{"UpstreamRegistryUrl":"x"}"#).await, VALIDATION, "Ecr");
    let gone = delete(&world, RULE, "my-app").await;
    assert_eq!(
        (&gone["OperationStatus"], &gone["Identifier"]),
        (&json!("SUCCESS"), &json!("my-app/"))
    );
    assert_eq!(gone.get("ResourceModel"), None);
    assert_refused(&get(&world, RULE, "my-app/").await, NOT_FOUND, "identifier 'my-app/' was not");
}

#[tokio::test]
async fn a_rule_of_the_ecr_door_is_the_same_rule() {
    let world = World::start().await;
    let rule = json!({"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"});
    assert_eq!(world.ecr("CreatePullThroughCacheRule", rule).await.status, 200);
    // The kind that the ECR door infers was not set.
    let set = json!({"EcrRepositoryPrefix": "public", "UpstreamRegistryUrl": "public.ecr.aws"});
    assert_eq!(properties(&world, RULE, "public").await, set);
    let there = create(&world, RULE, &set).await;
    assert_eq!(there["OperationStatus"], "FAILED");
    assert_eq!(there["ErrorCode"], "AlreadyExists");
    assert_eq!(there["Identifier"], "public");
    let named = json!({"ecrRepositoryPrefixes": ["public"]});
    assert_eq!(delete(&world, RULE, "public").await["OperationStatus"], "SUCCESS");
    assert_eq!(world.ecr("DescribePullThroughCacheRules", named).await.status, 400);
}

#[tokio::test]
async fn what_is_there_and_what_is_not_are_failed_events() {
    let world = World::start().await;
    create(&world, RULE, &example()).await;
    let mut same = example();
    same["EcrRepositoryPrefix"] = json!("my-app");
    let there = create(&world, RULE, &same).await;
    assert_eq!(
        (&there["OperationStatus"], &there["ErrorCode"], &there["Identifier"]),
        (&json!("FAILED"), &json!("AlreadyExists"), &json!("my-app/")),
        "as it is stored"
    );
    assert_eq!(
        there["StatusMessage"],
        format!("Resource of type '{RULE}' with identifier 'my-app/' already exists.")
    );
    let token = json!({"RequestToken": there["RequestToken"]});
    assert_eq!(event(&world.cloud("GetResourceRequestStatus", token).await), there);
    let absent = delete(&world, RULE, "absent").await;
    assert_eq!(
        (&absent["OperationStatus"], &absent["ErrorCode"], &absent["Identifier"]),
        (&json!("FAILED"), &json!("NotFound"), &json!("absent"))
    );
    let patch = json!([{"op": "add", "path": "/CustomRoleArn", "value": "x"}]);
    assert_refused(&update(&world, RULE, "absent", &patch).await, NOT_FOUND, "'absent'");
}

#[tokio::test]
async fn failures_of_the_service_are_codes() {
    let world = World::start().await;
    let missing = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:missing");
    for (property, value, text) in [
        ("UpstreamRegistryUrl", json!("ftp://registry.example.com"), "upstream registry URL"),
        ("CredentialArn", json!(missing), "The ARN of the secret specified"),
        ("CustomRoleArn", json!("role"), "customRoleArn"),
    ] {
        let mut desired = example();
        desired[property] = value;
        let failed = create(&world, RULE, &desired).await;
        assert_eq!(failed["OperationStatus"], "FAILED", "{failed}");
        assert_eq!(failed["ErrorCode"], "InvalidRequest", "{failed}");
        let message = failed["StatusMessage"].as_str().unwrap();
        assert!(message.contains(text), "{message}");
    }
    for absent in ["UpstreamRegistryUrl", "EcrRepositoryPrefix"] {
        let mut desired = example();
        desired.as_object_mut().unwrap().remove(absent);
        let failed = create(&world, RULE, &desired).await;
        assert_eq!(failed["ErrorCode"], "InvalidRequest", "{failed}");
        assert!(failed["StatusMessage"].as_str().unwrap().contains("must not be null"), "{failed}");
    }
}

#[tokio::test]
async fn a_patch_that_changes_nothing_succeeds() {
    let world = world_with_secrets().await;
    create(&world, RULE, &whole()).await;
    let desired = whole();
    let add = desired
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| json!({"op": "add", "path": format!("/{name}"), "value": value}));
    for patch in [json!([]), add.collect()] {
        let updated = event(&update(&world, RULE, "whole/", &patch).await);
        assert_eq!(updated["OperationStatus"], "SUCCESS", "{updated}");
        assert_eq!(
            (&updated["Operation"], &updated["Identifier"]),
            (&json!("UPDATE"), &json!("whole"))
        );
        assert_eq!(properties(&world, RULE, "whole").await, whole());
    }
}

#[tokio::test]
async fn only_credentials_and_role_of_a_rule_change_in_place() {
    let mut world = world_with_secrets().await;
    create(&world, RULE, &whole()).await;
    let replace = |name: &str, value: &str| json!({"op": "replace", "path": format!("/{name}"), "value": value});
    for (name, value) in [
        ("EcrRepositoryPrefix", "other"),
        ("UpstreamRegistryUrl", "quay.io"),
        ("UpstreamRegistry", "quay"),
        ("UpstreamRepositoryPrefix", "team"),
    ] {
        let refused = update(&world, RULE, "whole", &json!([replace(name, value)])).await;
        let text = format!(
            "Invalid patch update: createOnlyProperties [/properties/{name}] cannot be updated"
        );
        assert_refused(&refused, NOT_UPDATABLE, &text);
    }
    for name in ["CredentialArn", "CustomRoleArn"] {
        let removal = json!([{"op": "remove", "path": format!("/{name}")}]);
        assert_refused(&update(&world, RULE, "whole", &removal).await, NOT_UPDATABLE, name);
    }
    let mut changed = whole();
    changed["CredentialArn"] =
        json!(format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:two"));
    changed["CustomRoleArn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/Other"));
    let patch = json!(
        ["CredentialArn", "CustomRoleArn"]
            .map(|name| replace(name, changed[name].as_str().unwrap()))
    );
    let updated = event(&update(&world, RULE, "whole", &patch).await);
    assert_eq!(updated["OperationStatus"], "SUCCESS", "{updated}");
    assert_eq!(properties(&world, RULE, "whole").await, changed);
    let described = world.ecr("DescribePullThroughCacheRules", json!({})).await.json();
    assert_eq!(described["pullThroughCacheRules"][0]["credentialArn"], changed["CredentialArn"]);

    // Under --strict-ecr the schema's word is the last.
    world.restart_with(|settings| settings.strict_ecr = true).await;
    let role = json!([replace("CustomRoleArn", &format!("arn:aws:iam::{ACCOUNT}:role/Third"))]);
    let refused = update(&world, RULE, "whole", &role).await;
    assert_refused(&refused, NOT_UPDATABLE, "[/properties/CustomRoleArn]");
    assert_eq!(
        event(&update(&world, RULE, "whole", &json!([])).await)["OperationStatus"],
        "SUCCESS"
    );
}

#[tokio::test]
async fn strict_mode_takes_what_ecr_takes() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    let create_refused = |desired: Value| {
        let body = json!({"TypeName": RULE, "DesiredState": desired.to_string()});
        world.cloud("CreateResource", body)
    };
    let quay = json!({"EcrRepositoryPrefix": "quay", "UpstreamRegistryUrl": "quay.io"});
    for (name, value) in [
        ("UpstreamRegistry", json!("my-upstream-registry")),
        ("CredentialArn", json!(format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:my"))),
    ] {
        let mut desired = quay.clone();
        desired[name] = value;
        let text = format!("Model validation failed (#/{name}: ");
        assert_refused(&create_refused(desired).await, VALIDATION, &text);
    }
    let unknown = create(&world, RULE, &example()).await;
    assert_eq!(unknown["ErrorCode"], "InvalidRequest", "{unknown}");
    let text = unknown["StatusMessage"].as_str().unwrap();
    assert!(
        text.starts_with("The upstream registry URL https://registry.example.com is"),
        "{text}"
    );
    assert_eq!(create(&world, RULE, &quay).await["OperationStatus"], "SUCCESS");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/r");
    let patch = json!([{"op": "add", "path": "/CustomRoleArn", "value": role}]);
    let refused = update(&world, RULE, "quay", &patch).await;
    assert_refused(&refused, NOT_UPDATABLE, "[/properties/CustomRoleArn]");
}

#[tokio::test]
async fn members_and_models_are_checked_at_once() {
    let world = World::start().await;
    for (operation, body, exception, text) in [
        ("CreateResource", json!({}), VALIDATION, "TypeName"),
        ("CreateResource", json!({"TypeName": RULE}), VALIDATION, "DesiredState"),
        (
            "CreateResource",
            json!({"TypeName": "AWS::ECR::Nothing", "DesiredState": "{}"}),
            "com.amazon.cloudapiservice#TypeNotFoundException",
            "The type 'AWS::ECR::Nothing' cannot be found.",
        ),
        (
            "GetResource",
            json!({"TypeName": "Nothing!!!", "Identifier": "x"}),
            VALIDATION,
            "typeName",
        ),
        ("GetResource", json!({"TypeName": RULE, "Identifier": ""}), VALIDATION, "identifier"),
        (
            "CreateResource",
            json!({"TypeName": RULE, "DesiredState": "{"}),
            VALIDATION,
            "must be valid JSON: it is not at line 1",
        ),
        (
            "CreateResource",
            json!({"TypeName": RULE, "DesiredState": "[]"}),
            VALIDATION,
            "must be a JSON object",
        ),
        (
            "CreateResource",
            json!({"TypeName": RULE, "DesiredState": r#"{"EcrRepositoryPrefix":"Q","RegistryId":"1"}"#}),
            VALIDATION,
            "Model validation failed (#: extraneous key [RegistryId] is not permitted\n\
             #/EcrRepositoryPrefix: expected minLength: 2, actual: 1\n\
             #/EcrRepositoryPrefix: string [Q] does not match pattern ",
        ),
        (
            "CreateResource",
            json!({"TypeName": SECRET, "DesiredState": r#"{"Id":"x"}"#}),
            VALIDATION,
            "readOnlyProperties [/properties/Id] cannot be specified",
        ),
        (
            "CreateResource",
            json!({"TypeName": RULE, "DesiredState": "{}", "ClientToken": "a b"}),
            VALIDATION,
            "clientToken",
        ),
        (
            "DeleteResource",
            json!({"TypeName": RULE, "Identifier": "x", "RoleArn": "arn:aws:iam::1:role/a"}),
            VALIDATION,
            "roleArn",
        ),
        ("ListResources", json!({"TypeName": RULE, "MaxResults": 101}), VALIDATION, "maxResults"),
        ("ListResourceRequests", json!({"NextToken": "?"}), VALIDATION, "nextToken"),
        (
            "ListResourceRequests",
            json!({"ResourceRequestStatusFilter": {"Operations": ["READ"]}}),
            VALIDATION,
            "must satisfy enum value set: [CREATE, UPDATE, DELETE]",
        ),
        (
            "GetResourceRequestStatus",
            json!({"RequestToken": "d16c0000"}),
            "com.amazon.cloudapiservice#RequestTokenNotFoundException",
            "d16c0000",
        ),
    ] {
        assert_refused(&world.cloud(operation, body).await, exception, text);
    }
    let unknown = world.cloud("ListTypes", json!({})).await;
    assert_refused(&unknown, "com.amazon.coral.service#UnknownOperationException", "ListTypes");
    create(&world, RULE, &example()).await;
    let patch = json!([{"op": "add", "path": "/RegistryId", "value": "1"}]);
    let refused = update(&world, RULE, "my-app/", &patch).await;
    assert_refused(&refused, VALIDATION, "extraneous key [RegistryId] is not permitted");
}

#[tokio::test]
async fn a_client_token_makes_one_request() {
    let world = World::start().await;
    let ask = |operation: &'static str, identifier: &str, token: &str| {
        let mut body = json!({"TypeName": RULE, "ClientToken": token});
        match operation {
            "CreateResource" => body["DesiredState"] = json!(example().to_string()),
            _ => body["Identifier"] = json!(identifier),
        }
        if operation == "UpdateResource" {
            let value = format!("arn:aws:iam::{ACCOUNT}:role/r");
            let patch = json!([{"op": "test", "path": "/UpstreamRegistryUrl", "value": "https://registry.example.com"},
                               {"op": "add", "path": "/CustomRoleArn", "value": value}]);
            body["PatchDocument"] = json!(patch.to_string());
        }
        world.cloud(operation, body)
    };
    // A delete is repeated although nothing is there any more.
    for operation in ["CreateResource", "UpdateResource", "DeleteResource"] {
        let first = event(&ask(operation, "my-app", operation).await);
        assert_eq!(first["OperationStatus"], "SUCCESS", "{first}");
        assert_eq!(event(&ask(operation, "my-app", operation).await), first);
        let conflict = "com.amazon.cloudapiservice#ClientTokenConflictException";
        let other = match operation {
            "CreateResource" => ask("DeleteResource", "my-app", operation).await,
            _ => ask(operation, "other", operation).await,
        };
        assert_refused(&other, conflict, operation);
    }
    // After 36 hours a token is free.
    world.clock.advance(2 * DAY_MS);
    let mut call = Signed::new(
        "CloudApiService.DeleteResource",
        "cloudcontrolapi",
        json!({"TypeName": RULE, "Identifier": "other", "ClientToken": "DeleteResource"})
            .to_string(),
    );
    call.at = NOW + 2 * DAY_MS;
    assert_eq!(event(&world.send(call.request()).await)["ErrorCode"], "NotFound");
}

#[tokio::test]
async fn requests_are_listed_for_seven_days() {
    let world = World::start().await;
    create(&world, RULE, &example()).await;
    world.clock.advance(1000);
    create(&world, RULE, &example()).await;
    world.clock.advance(1000);
    let last = delete(&world, RULE, "my-app/").await;
    let listed = |body: Value| async {
        let answer = world.cloud("ListResourceRequests", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let said = |page: &Value| -> Vec<String> {
        let events = page["ResourceRequestStatusSummaries"].as_array().unwrap().iter();
        events
            .map(|it| format!("{} {}", it["Operation"], it["OperationStatus"]).replace('"', ""))
            .collect()
    };
    let all = listed(json!({})).await;
    assert_eq!(said(&all), ["DELETE SUCCESS", "CREATE FAILED", "CREATE SUCCESS"]);
    let filter = json!({"Operations": ["CREATE"], "OperationStatuses": ["SUCCESS", "PENDING"]});
    let some = listed(json!({"ResourceRequestStatusFilter": filter})).await;
    assert_eq!(said(&some), ["CREATE SUCCESS"]);
    let first = listed(json!({"MaxResults": 2})).await;
    assert_eq!(said(&first).len(), 2);
    let second = listed(json!({"MaxResults": 2, "NextToken": first["NextToken"]})).await;
    assert_eq!(said(&second), ["CREATE SUCCESS"]);
    assert_eq!(second.get("NextToken"), None);
    let refused =
        world.cloud("CancelResourceRequest", json!({"RequestToken": last["RequestToken"]})).await;
    assert_refused(&refused, VALIDATION, "has the status SUCCESS");

    world.clock.advance(8 * DAY_MS);
    let signed = |operation: &str, body: Value| {
        let target = format!("CloudApiService.{operation}");
        let mut call = Signed::new(&target, "cloudcontrolapi", body.to_string());
        call.at = NOW + 8 * DAY_MS;
        world.send(call.request())
    };
    let token = json!({"RequestToken": last["RequestToken"]});
    let gone = signed("GetResourceRequestStatus", token).await;
    assert_refused(&gone, "com.amazon.cloudapiservice#RequestTokenNotFoundException", "token");
    let none = signed("ListResourceRequests", json!({})).await.json();
    assert_eq!(none, json!({"ResourceRequestStatusSummaries": []}));
}

#[tokio::test]
async fn resources_are_listed_in_pages_with_what_was_set() {
    let world = World::start().await;
    for prefix in ["aa", "bb", "cc"] {
        let mut desired = example();
        desired["EcrRepositoryPrefix"] = json!(prefix);
        create(&world, RULE, &desired).await;
    }
    let list = |body: Value| async {
        let answer = world.cloud("ListResources", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        assert_eq!(page["TypeName"], RULE);
        let found = page["ResourceDescriptions"].as_array().unwrap().iter();
        let names: Vec<_> = found.map(|it| it["Identifier"].as_str().unwrap().to_owned()).collect();
        (names, page)
    };
    let (names, page) = list(json!({"TypeName": RULE, "MaxResults": 2})).await;
    assert_eq!(names, ["aa", "bb"]);
    let properties = page["ResourceDescriptions"][0]["Properties"].as_str().unwrap();
    let url = "https://registry.example.com";
    assert_eq!(
        serde_json::from_str::<Value>(properties).unwrap(),
        json!({"EcrRepositoryPrefix": "aa", "UpstreamRegistryUrl": url})
    );
    let (names, page) = list(json!({"TypeName": RULE, "NextToken": page["NextToken"]})).await;
    assert_eq!(names, ["cc"]);
    assert_eq!(page.get("NextToken"), None);
    let model = json!({"EcrRepositoryPrefix": "bb"}).to_string();
    assert_eq!(list(json!({"TypeName": RULE, "ResourceModel": model})).await.0, ["bb"]);
}

#[tokio::test]
async fn a_secret_is_made_told_without_its_value_and_removed() {
    let world = World::start().await;
    let desired = json!({
        "Name": "ecr-pullthroughcache/hub",
        "Description": "of the hub",
        "SecretString": "first",
        "Tags": [{"Key": "team", "Value": "web"}, {"Key": "stage", "Value": ""}],
    });
    let created = create(&world, SECRET, &desired).await;
    assert_eq!(created["OperationStatus"], "SUCCESS", "{created}");
    let arn = created["Identifier"].as_str().unwrap().to_owned();
    assert!(
        arn.starts_with(&format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-")),
        "{arn}"
    );
    assert!(!created.to_string().contains("first"), "{created}");
    let mut told = desired.clone();
    told.as_object_mut().unwrap().remove("SecretString");
    told["Id"] = json!(arn);
    for identifier in [arn.as_str(), "ecr-pullthroughcache/hub"] {
        assert_eq!(properties(&world, SECRET, identifier).await, told);
    }
    let again = create(&world, SECRET, &desired).await;
    assert_eq!((&again["ErrorCode"], &again["Identifier"]), (&json!("AlreadyExists"), &json!(arn)));
    let listed = world.cloud("ListResources", json!({"TypeName": SECRET})).await.json();
    assert_eq!(listed["ResourceDescriptions"][0]["Identifier"], arn.as_str());

    assert_eq!(delete(&world, SECRET, &arn).await["OperationStatus"], "SUCCESS");
    assert_refused(&get(&world, SECRET, &arn).await, NOT_FOUND, "was not found");
    assert_eq!(delete(&world, SECRET, &arn).await["ErrorCode"], "NotFound");
    // Its name is free at once.
    assert_eq!(create(&world, SECRET, &desired).await["OperationStatus"], "SUCCESS");
}

async fn current_value(world: &World, id: &str) -> (Value, Value) {
    let value = world.secrets("GetSecretValue", json!({"SecretId": id})).await.json();
    (value["SecretString"].clone(), value["VersionId"].clone())
}

#[tokio::test]
async fn a_secret_becomes_what_a_patch_says() {
    let world = World::start().await;
    let desired = json!({
        "Name": "token",
        "Description": "old",
        "SecretString": "first",
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
    });
    let arn = create(&world, SECRET, &desired).await["Identifier"].as_str().unwrap().to_owned();
    let (_, version) = current_value(&world, &arn).await;
    // As Alchemy sends it: the value is replaced although it is never told.
    let same = json!([
        {"op": "add", "path": "/Name", "value": "token"},
        {"op": "replace", "path": "/SecretString", "value": "first"},
    ]);
    assert_eq!(event(&update(&world, SECRET, &arn, &same).await)["OperationStatus"], "SUCCESS");
    assert_eq!(current_value(&world, &arn).await, (json!("first"), version));

    let patch = json!([
        {"op": "replace", "path": "/SecretString", "value": "second"},
        {"op": "remove", "path": "/Description"},
        {"op": "replace", "path": "/Tags", "value": [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]},
    ]);
    let updated = event(&update(&world, SECRET, &arn, &patch).await);
    assert_eq!(updated["OperationStatus"], "SUCCESS", "{updated}");
    assert_eq!(current_value(&world, &arn).await.0, "second");
    let told = properties(&world, SECRET, &arn).await;
    assert_eq!(told["Tags"], json!([{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]));
    assert_eq!(told["Description"], "");
    let name = json!([{"op": "replace", "path": "/Name", "value": "other"}]);
    assert_refused(&update(&world, SECRET, &arn, &name).await, NOT_UPDATABLE, "[/properties/Name]");
    let id = json!([{"op": "replace", "path": "/Id", "value": "other"}]);
    let refused = update(&world, SECRET, &arn, &id).await;
    assert_refused(&refused, VALIDATION, "readOnlyProperties [/properties/Id] cannot be updated");
}

#[tokio::test]
async fn a_secret_without_a_name_gets_one_and_what_is_not_kept_is_refused() {
    let world = World::start().await;
    let created = create(&world, SECRET, &json!({"SecretString": "s"})).await;
    assert_eq!(created["OperationStatus"], "SUCCESS", "{created}");
    let told = properties(&world, SECRET, created["Identifier"].as_str().unwrap()).await;
    assert!(told["Name"].as_str().unwrap().starts_with("Secret-"), "{told}");
    let replicas = json!({"Name": "x", "ReplicaRegions": [{"Region": "eu-west-1"}]});
    let failed = create(&world, SECRET, &replicas).await;
    assert_eq!(failed["ErrorCode"], "InvalidRequest");
    assert_eq!(failed["StatusMessage"], "ReplicaRegions is not offered by this version");
    assert_eq!(world.secrets("DescribeSecret", json!({"SecretId": "x"})).await.status, 400);
    // One that is scheduled for deletion is no resource, but its name is taken.
    let arn = created["Identifier"].clone();
    assert_eq!(world.secrets("DeleteSecret", json!({"SecretId": arn})).await.status, 200);
    assert_refused(&get(&world, SECRET, arn.as_str().unwrap()).await, NOT_FOUND, "was not found");
    let again = create(&world, SECRET, &json!({"Name": told["Name"]})).await;
    assert_eq!(again["ErrorCode"], "InvalidRequest", "{again}");
    assert!(again["StatusMessage"].as_str().unwrap().contains("marked for deletion"), "{again}");
}

#[tokio::test]
async fn the_query_string_is_signed_and_the_answer_is_json_1_0() {
    let world = World::start().await;
    let body = json!({"TypeName": RULE}).to_string();
    let mut call = Signed::new("CloudApiService.ListResources", "cloudcontrolapi", body);
    call.uri = "/?Action=ListResources&Version=2021-09-30".to_owned();
    call.content_type = "application/x-amz-json-1.0";
    let answer = world.send(call.request()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.0");
    let mut spoilt = call.request();
    *spoilt.uri_mut() = "/?Action=ListResources&Version=2021-09-31".parse().unwrap();
    let refused = world.send(spoilt).await;
    assert_eq!(refused.exception(), "com.amazon.coral.service#InvalidSignatureException");
    // Another service's signature opens nothing here.
    call.service = "ecr".to_owned();
    assert_eq!(world.send(call.request()).await.status, 400, "{HOST}");
}

/// Documents that resemble models and patches, and others that do not.
fn hostile() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!("my-app/")),
        Just(json!("quay.io")),
        Just(json!("/Tags/0")),
        Just(json!("/SecretString")),
        prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"])
            .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "op",
        "path",
        "from",
        "value",
        "EcrRepositoryPrefix",
        "UpstreamRegistryUrl",
        "CredentialArn",
        "CustomRoleArn",
        "Name",
        "SecretString",
        "Tags",
        "Key",
        "Value",
        "Id",
        "Description",
        "KmsKeyId",
        "GenerateSecretString",
        "ReplicaRegions",
        "Prefix",
        "AppliedFor",
        "RepositoryName",
        "PolicyText",
        "LifecyclePolicy",
        "ResourceTags",
        "EncryptionConfiguration",
        "RepositoryPolicyText",
        "ImageTagMutability",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_document_is_the_servers_fault(documents in prop::collection::vec(hostile(), 8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let world = World::start().await;
            create(&world, RULE, &example()).await;
            create(&world, SECRET, &json!({"Name": "token", "SecretString": "s"})).await;
            for document in documents {
                let document = document.to_string();
                for (kind, identifier) in [(RULE, "my-app"), (SECRET, "token")] {
                    for (operation, member) in [
                        ("CreateResource", "DesiredState"),
                        ("UpdateResource", "PatchDocument"),
                        ("ListResources", "ResourceModel"),
                        ("GetResource", "Identifier"),
                    ] {
                        let mut body = json!({"TypeName": kind, "Identifier": identifier});
                        body[member] = json!(document);
                        let answer = world.cloud(operation, body).await;
                        prop_assert!(
                            matches!(answer.status, 200 | 400),
                            "{operation}: {}", answer.text()
                        );
                    }
                }
            }
            Ok(())
        });
        outcome?;
    }
}

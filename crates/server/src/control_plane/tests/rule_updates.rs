//! `UpdatePullThroughCacheRule` and `ValidatePullThroughCacheRule`.

use serde_json::{Value, json};
use testkit::Script;

use super::{CREATE, DESCRIBE, SECONDS, UPDATE, VALIDATE, refused};
use crate::doors::tests::{ACCOUNT, OTHER_ACCOUNT, World};

const INVALID: &str = "InvalidParameterException";
const ROLE: &str = "arn:aws:iam::111122223333:role/ptc";

/// Makes a secret and returns its ARN.
async fn secret(world: &World, name: &str, value: &str) -> Value {
    let body = json!({"Name": format!("ecr-pullthroughcache/{name}"), "SecretString": value});
    world.secrets("CreateSecret", body).await.json()["ARN"].clone()
}

/// Makes a rule for the scripted upstream.
async fn rule(world: &World, prefix: &str, credential_arn: Option<&Value>) {
    let mut body =
        json!({"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": world.upstream.url()});
    if let Some(arn) = credential_arn {
        body["credentialArn"] = arn.clone();
    }
    let created = world.ecr(CREATE, body).await;
    assert_eq!(created.status, 200, "{}", created.text());
}

/// Validates a rule that is there, and returns whether it is valid and what is wrong.
async fn verdict(world: &World, prefix: &str) -> (bool, Option<String>) {
    let answer = world.ecr(VALIDATE, json!({"ecrRepositoryPrefix": prefix})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let failure = answer.get("failure").map(|failure| failure.as_str().unwrap().to_owned());
    (answer["isValid"].as_bool().unwrap(), failure)
}

#[tokio::test]
async fn credentials_of_a_rule_are_changed() {
    let world = World::start().await;
    let (one, two) = (secret(&world, "one", "x").await, secret(&world, "two", "y").await);
    let body = json!({
        "ecrRepositoryPrefix": "hub/", "upstreamRegistryUrl": "registry-1.docker.io",
        "upstreamRepositoryPrefix": "library", "credentialArn": one,
    });
    assert_eq!(world.ecr(CREATE, body).await.status, 200);
    let body = json!({
        "ecrRepositoryPrefix": "hub", "registryId": ACCOUNT, "customRoleArn": ROLE,
    });
    let updated = world.ecr(UPDATE, body).await;
    let expected = json!({
        "ecrRepositoryPrefix": "hub/", "registryId": ACCOUNT, "updatedAt": SECONDS,
        "credentialArn": one, "customRoleArn": ROLE, "upstreamRepositoryPrefix": "library",
    });
    assert_eq!((updated.status, updated.json()), (200, expected));
    let body = json!({"ecrRepositoryPrefix": "hub/", "credentialArn": two});
    assert_eq!(world.ecr(UPDATE, body).await.json()["credentialArn"], two);
    let listed = world.ecr(DESCRIBE, json!({})).await.json();
    let listed = &listed["pullThroughCacheRules"][0];
    assert_eq!((&listed["credentialArn"], &listed["customRoleArn"]), (&two, &json!(ROLE)));

    world.rule("plain").await;
    let body = json!({"ecrRepositoryPrefix": "plain", "credentialArn": two});
    assert_eq!(
        world.ecr(UPDATE, body).await.json(),
        json!({
            "ecrRepositoryPrefix": "plain", "registryId": ACCOUNT, "updatedAt": SECONDS,
            "credentialArn": two,
        })
    );
}

#[tokio::test]
async fn constraints_of_updates_and_validations() {
    let world = World::start().await;
    world.rule("hub").await;
    // ECR's own text, captured by its users.
    let text = refused(&world, UPDATE, json!({"ecrRepositoryPrefix": "hub"}), INVALID).await;
    assert_eq!(
        text,
        "Invalid input: Please set either credential arn or role arn to update the credentials"
    );
    let gone = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache/x-AbCdEf";
    let update = |prefix: &str, member: &str, value: Value| {
        let mut body = json!({"ecrRepositoryPrefix": prefix});
        body[member] = value;
        body
    };
    for (body, exception) in [
        (json!({}), INVALID),
        (update("Hub", "customRoleArn", json!(ROLE)), INVALID),
        (update("a", "customRoleArn", json!(ROLE)), INVALID),
        (update("hub", "customRoleArn", json!("role")), INVALID),
        (update("hub", "customRoleArn", json!("x".repeat(2049))), INVALID),
        (update("hub", "credentialArn", json!("not-an-arn")), INVALID),
        (update("hub", "registryId", json!("12")), INVALID),
        (update("hub", "credentialArn", json!(gone)), "SecretNotFoundException"),
        (update("none", "customRoleArn", json!(ROLE)), "PullThroughCacheRuleNotFoundException"),
        (update("hub", "registryId", json!(OTHER_ACCOUNT)), "AccessDeniedException"),
    ] {
        refused(&world, UPDATE, body, exception).await;
    }
    for (body, exception) in [
        (json!({}), INVALID),
        (json!({"ecrRepositoryPrefix": "a..b"}), INVALID),
        (json!({"ecrRepositoryPrefix": "none"}), "PullThroughCacheRuleNotFoundException"),
        (update("hub", "registryId", json!(OTHER_ACCOUNT)), "AccessDeniedException"),
    ] {
        refused(&world, VALIDATE, body, exception).await;
    }
}

#[tokio::test]
async fn a_rule_that_works_is_valid() {
    let world = World::start().await;
    rule(&world, "open", None).await;
    let answer = world.ecr(VALIDATE, json!({"ecrRepositoryPrefix": "open/"})).await;
    let expected = json!({
        "ecrRepositoryPrefix": "open", "registryId": ACCOUNT,
        "upstreamRegistryUrl": world.upstream.url(), "isValid": true,
    });
    assert_eq!((answer.status, answer.json()), (200, expected));

    world.upstream.require_basic("u", "hunter2");
    let arn = secret(&world, "good", r#"{"username":"u","accessToken":"hunter2"}"#).await;
    rule(&world, "private", Some(&arn)).await;
    let answer = world.ecr(VALIDATE, json!({"ecrRepositoryPrefix": "private"})).await;
    let expected = json!({
        "ecrRepositoryPrefix": "private", "registryId": ACCOUNT, "credentialArn": arn,
        "upstreamRegistryUrl": world.upstream.url(), "isValid": true,
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[tokio::test]
async fn what_is_wrong_with_a_rule_and_what_to_do_is_said() {
    let world = World::start().await;
    world.upstream.require_basic("u", "hunter2");
    rule(&world, "bare", None).await;
    let wrong = secret(&world, "wrong", r#"{"username":"u","accessToken":"swordfish"}"#).await;
    rule(&world, "wrong", Some(&wrong)).await;
    let shape = secret(&world, "shape", r#"{"username":"u"}"#).await;
    rule(&world, "shape", Some(&shape)).await;
    let gone = secret(&world, "gone", "x").await;
    rule(&world, "gone", Some(&gone)).await;
    let force = json!({"SecretId": gone, "ForceDeleteWithoutRecovery": true});
    assert_eq!(world.secrets("DeleteSecret", force).await.status, 200);
    for (prefix, begins, contains) in [
        ("bare", "The upstream registry wants credentials", "Update the rule"),
        (
            "wrong",
            "The authentication to the upstream registry failed. Verify that the credentials \
             provided in the pull through cache rule are correct, and try again.",
            "said: ",
        ),
        ("shape", "The value of the secret cannot be used", r#""accessToken""#),
        (
            "gone",
            "The ARN of the secret specified in the pull through cache rule was not found",
            "try again.",
        ),
    ] {
        let (is_valid, failure) = verdict(&world, prefix).await;
        let failure = failure.unwrap();
        assert!(!is_valid && failure.starts_with(begins), "{prefix}: {failure}");
        assert!(failure.contains(contains), "{prefix}: {failure}");
        for hidden in ["127.0.0.1", "swordfish", "hunter2"] {
            assert!(!failure.contains(hidden), "{prefix}: {failure}");
        }
    }
    let good = secret(&world, "good", r#"{"username":"u","accessToken":"hunter2"}"#).await;
    rule(&world, "good", Some(&good)).await;
    for (status, contains) in [(404, "URL"), (503, "503"), (429, "Try again in 77 seconds")] {
        world.upstream.script("/v2/", Script::status(status).retry_after("77"));
        let (is_valid, failure) = verdict(&world, "good").await;
        let failure = failure.unwrap();
        assert!(!is_valid && failure.contains(contains), "{status}: {failure}");
    }
    world.upstream.stop().await;
    let (is_valid, failure) = verdict(&world, "bare").await;
    let failure = failure.unwrap();
    assert!(!is_valid && failure.starts_with("The upstream registry cannot be reached"));
    assert!(!failure.contains("127.0.0.1"), "{failure}");
}

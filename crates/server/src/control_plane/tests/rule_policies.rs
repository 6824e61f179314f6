//! The policies of rules: set, shown, taken away, and what they do to a pull.

use registry::Counter;
use serde_json::{Value, json};

use crate::doors::tests::{ACCOUNT, Answer, NOW, OTHER_ACCOUNT, World};

const PUT: &str = "PutPullThroughCacheRulePolicy";
const DESCRIBE: &str = "DescribePullThroughCacheRulePolicies";
const DELETE: &str = "DeletePullThroughCacheRulePolicy";
const INVALID: &str = "InvalidParameterException";

async fn done(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn put(world: &World, prefix: &str, policy: Value) -> Value {
    let body = json!({"ecrRepositoryPrefix": prefix, "policy": policy});
    done(world.cistern(PUT, body).await).await
}

/// Asserts a refusal and returns its text.
async fn refused(world: &World, operation: &str, body: Value, exception: &str) -> String {
    let told = format!("{operation} {body}");
    let answer = world.cistern(operation, body).await;
    assert_eq!(answer.status, 400, "{told}: {}", answer.text());
    assert_eq!(answer.exception(), exception, "{told}: {}", answer.text());
    answer.exception_message()
}

#[tokio::test]
async fn a_policy_is_set_shown_and_taken_away() {
    let world = World::start().await;
    world.rule("hub/").await;
    world.rule("quay").await;
    let policy = json!({
        "freshFor": "0",
        "freshForTags": [{"tag": "v*", "freshFor": "forever"}],
        "deniedTags": ["*-rc"],
        "missingFor": "90s",
    });
    let effective = json!({
        "freshFor": "0",
        "freshForTags": [{"tag": "v*", "freshFor": "forever"}],
        "staleWhileRevalidate": "0",
        "staleOnError": "forever",
        "staleDeadline": "2s",
        "missingFor": "1m30s",
        "pinnedTags": [],
        "deniedRepositories": [],
        "deniedTags": ["*-rc"],
        "minimumAge": "0",
        "ageFrom": "created",
    });
    let as_kept = json!({
        "freshFor": "0",
        "freshForTags": [{"tag": "v*", "freshFor": "forever"}],
        "deniedTags": ["*-rc"],
        "missingFor": "1m30s",
    });
    assert_eq!(
        put(&world, "hub", policy).await,
        json!({
            "registryId": ACCOUNT,
            "ecrRepositoryPrefix": "hub/",
            "policy": as_kept,
            "effectivePolicy": effective,
        })
    );
    let all = done(world.cistern(DESCRIBE, json!({})).await).await;
    let all = all["pullThroughCacheRulePolicies"].as_array().unwrap();
    assert_eq!(all[0]["policy"], as_kept);
    assert_eq!(all[0]["effectivePolicy"], effective);
    assert_eq!(all[1]["ecrRepositoryPrefix"], "quay");
    assert_eq!(all[1].get("policy"), None);
    assert_eq!(all[1]["effectivePolicy"]["freshFor"], "24h");
    // ECR's own shapes know nothing of it.
    let rules = world.ecr("DescribePullThroughCacheRules", json!({})).await.text();
    assert!(!rules.contains("olicy") && !rules.contains("fresh"), "{rules}");
    // A policy is set as a whole.
    let other = put(&world, "hub/", json!({"pinnedTags": ["stable"]})).await;
    assert_eq!(other["policy"], json!({"pinnedTags": ["stable"]}));

    let body = json!({"ecrRepositoryPrefix": "hub"});
    let deleted = done(world.cistern(DELETE, body.clone()).await).await;
    assert_eq!(deleted["policy"], json!({"pinnedTags": ["stable"]}));
    let deleted = done(world.cistern(DELETE, body).await).await;
    assert_eq!(deleted, json!({"registryId": ACCOUNT, "ecrRepositoryPrefix": "hub/"}));
}

#[tokio::test]
async fn policies_come_in_pages() {
    let world = World::start().await;
    for prefix in ["a1", "a2", "a3"] {
        world.rule(prefix).await;
    }
    let first = done(world.cistern(DESCRIBE, json!({"maxResults": 2})).await).await;
    assert_eq!(first["pullThroughCacheRulePolicies"].as_array().unwrap().len(), 2);
    let next = json!({"maxResults": 2, "nextToken": first["nextToken"]});
    let rest = done(world.cistern(DESCRIBE, next).await).await;
    assert_eq!(rest["pullThroughCacheRulePolicies"][0]["ecrRepositoryPrefix"], "a3");
    assert_eq!(rest.get("nextToken"), None);
    let named = json!({"ecrRepositoryPrefixes": ["a2"]});
    let one = done(world.cistern(DESCRIBE, named).await).await;
    assert_eq!(one["pullThroughCacheRulePolicies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_way_out() {
    let world = World::start().await;
    world.rule("hub").await;
    for (policy, text) in [
        (
            json!({"freshFor": "soon"}),
            "'policy.freshFor' failed to satisfy constraint: ''soon' must be",
        ),
        (json!({"freshFor": 5}), "The member 'policy.freshFor' must be a String."),
        (
            json!({"fresh-for": "5s"}),
            "'policy.fresh-for' failed to satisfy constraint: 'must be one of freshFor,",
        ),
        (
            json!({"staleDeadline": "1h"}),
            "'policy.staleDeadline' failed to satisfy constraint: 'it must be at most 60s'",
        ),
        (
            json!({"deniedTags": ["a b"]}),
            "'policy.deniedTags' failed to satisfy constraint: 'the pattern 'a b' must be",
        ),
        (
            json!({"ageFrom": "pushed"}),
            "'policy.ageFrom' failed to satisfy constraint: ''pushed' must be created or first-seen'",
        ),
        (
            json!({"freshForTags": [{"tag": "v*"}]}),
            "'policy.freshForTags[0].freshFor' failed to satisfy constraint: 'must not be null'",
        ),
    ] {
        let body = json!({"ecrRepositoryPrefix": "hub", "policy": policy});
        let answer = world.cistern(PUT, body).await;
        assert_eq!(answer.status, 400, "{policy}");
        let told = answer.exception_message();
        assert!(told.contains(text), "{told}");
    }
    let nowhere = json!({"ecrRepositoryPrefix": "quay", "policy": {}});
    let gone = "PullThroughCacheRuleNotFoundException";
    refused(&world, PUT, nowhere, gone).await;
    refused(&world, DELETE, json!({"ecrRepositoryPrefix": "quay"}), gone).await;
    refused(&world, DESCRIBE, json!({"ecrRepositoryPrefixes": ["quay"]}), gone).await;
    refused(&world, PUT, json!({"policy": {}}), INVALID).await;
    let other = json!({"ecrRepositoryPrefix": "hub", "registryId": OTHER_ACCOUNT});
    let answer = world.cistern(DELETE, other).await;
    assert_eq!(answer.exception(), "AccessDeniedException");
    let told = answer.exception_message();
    assert!(told.contains("perform: cistern:DeletePullThroughCacheRulePolicy on"), "{told}");
}

#[tokio::test]
async fn strict_mode_has_no_policies() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    let hub = json!({"ecrRepositoryPrefix": "hub"});
    for (operation, body) in [(DESCRIBE, json!({})), (DELETE, hub.clone())] {
        let text = refused(&world, operation, body, "ValidationException").await;
        assert!(text.contains("strict-ecr"), "{text}");
    }
    let mut with_policy = hub;
    with_policy["policy"] = json!({});
    refused(&world, PUT, with_policy, "ValidationException").await;
}

#[tokio::test]
async fn what_a_list_keeps_out_is_denied_and_says_which_list() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("library/app", "v1", b"0123456789");
    let (manifest, _) = world.image("library/evil", "v1", b"0123456789");
    assert_eq!(world.get("/v2/hub/library/evil/manifests/v1").await.status, 200);
    let policy = json!({"deniedRepositories": ["*/evil"], "allowedTags": ["v*"]});
    put(&world, "hub", policy).await;

    let denied = world.get("/v2/hub/library/app/manifests/latest").await;
    assert_eq!((denied.status, denied.json()["errors"][0]["code"].clone()), (403, json!("DENIED")));
    let text = denied.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert_eq!(
        text,
        "The tag latest of repository library/app may not be pulled through the rule hub: its \
         list of allowed tags has nothing that matches."
    );
    // What is cached is kept out too, by digest as by tag, the layer as the manifest, and by the
    // upstream's own name.
    let host = world.upstream.url().replace("http://", "");
    for path in [
        "/v2/hub/library/evil/manifests/v1".to_owned(),
        format!("/v2/hub/library/evil/manifests/{manifest}"),
        format!("/v2/hub/library/evil/blobs/{manifest}"),
        format!("/v2/library/evil/manifests/v1?ns={host}"),
    ] {
        let denied = world.get(&path).await;
        assert_eq!(denied.status, 403, "{path} {}", denied.text());
        assert!(denied.text().contains("its list of denied repositories has */evil"), "{path}");
    }
    let batch = json!({"repositoryName": "hub/library/app", "imageIds": [{"imageTag": "latest"}]});
    let batch = world.ecr("BatchGetImage", batch).await.json();
    assert_eq!(batch["failures"][0]["failureCode"], "ImageInaccessible");
    assert_eq!(world.get("/v2/hub/library/app/manifests/v1").await.status, 200);
    put(&world, "hub", json!({})).await;
    assert_eq!(world.get("/v2/hub/library/evil/manifests/v1").await.status, 200);
}

#[tokio::test]
async fn what_is_too_young_is_denied_and_says_until_when() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("library/app", "v1", b"0123456789");
    put(&world, "hub", json!({"minimumAge": "7d", "ageFrom": "first-seen"})).await;
    let until = aws::Timestamp::from_milliseconds(NOW + 7 * 24 * 60 * 60 * 1000);
    let text = format!(
        "The image library/app v1 may not be pulled through the rule hub before {}: the rule lets \
         in what is at least 7d old.",
        until.to_extended_format()
    );
    let denied = world.get("/v2/hub/library/app/manifests/v1").await;
    let error = denied.json()["errors"][0].clone();
    assert_eq!(
        (denied.status, &error["code"], &error["message"]),
        (403, &json!("DENIED"), &json!(text))
    );
    let batch = json!({"repositoryName": "hub/library/app", "imageIds": [{"imageTag": "v1"}]});
    let answer = world.ecr("BatchGetImage", batch).await;
    let batch = answer.json();
    assert_eq!(batch["failures"][0]["failureCode"], "ImageInaccessible", "{}", answer.text());
    assert_eq!(batch["failures"][0]["failureReason"], text);
    world.clock.advance(7 * 24 * 60 * 60 * 1000);
    assert_eq!(world.get("/v2/hub/library/app/manifests/v1").await.status, 200);
}

#[tokio::test]
async fn a_policy_is_changed_only_where_it_is_the_expected_one() {
    const CHANGED: &str = "PullThroughCacheRulePolicyChangedException";
    let world = World::start().await;
    world.rule("hub").await;
    let body = |expected: Value, policy: Value| {
        let mut body = json!({"ecrRepositoryPrefix": "hub", "expectedPolicy": expected});
        if !policy.is_null() {
            body["policy"] = policy;
        }
        body
    };
    let (day, pinned) = (json!({"freshFor": "24h"}), json!({"pinnedTags": ["v*"]}));
    // A rule without a policy is one whose policy says nothing.
    done(world.cistern(PUT, body(json!({}), day.clone())).await).await;
    for wrong in [json!({}), pinned.clone(), json!({"freshFor": "24h", "pinnedTags": ["v*"]})] {
        let said = refused(&world, PUT, body(wrong.clone(), pinned.clone()), CHANGED).await;
        assert!(said.contains("'hub'") && said.contains("Read it again"), "{said}");
        refused(&world, DELETE, body(wrong, Value::Null), CHANGED).await;
    }
    // However a time is written, it is the same.
    let same = json!({"freshFor": "1440m"});
    let put = done(world.cistern(PUT, body(same, pinned.clone())).await).await;
    assert_eq!(put["policy"], pinned);
    let said = refused(&world, PUT, body(json!({"freshFor": "soon"}), day), INVALID).await;
    assert!(said.contains("'expectedPolicy.freshFor'"), "{said}");
    done(world.cistern(DELETE, body(pinned, Value::Null)).await).await;
    done(world.cistern(DELETE, body(json!({}), Value::Null)).await).await;
    let gone = json!({"ecrRepositoryPrefix": "other", "policy": {}, "expectedPolicy": {}});
    refused(&world, PUT, gone, "PullThroughCacheRuleNotFoundException").await;
}

#[tokio::test]
async fn what_policies_did_is_counted() {
    let world = World::start().await;
    world.rule("hub").await;
    for tag in ["1", "2-rc"] {
        world.image("app", tag, b"layer");
    }
    put(
        &world,
        "hub",
        json!({
            "deniedTags": ["*-rc"], "deniedRepositories": ["secret"],
            "missingFor": "90s", "freshFor": "0", "staleWhileRevalidate": "1h",
        }),
    )
    .await;
    for (path, status) in [
        ("hub/app/manifests/2-rc", 403),
        ("hub/secret/manifests/1", 403),
        ("hub/app/manifests/1", 200),
        ("hub/app/manifests/1", 200),
    ] {
        assert_eq!(world.get(&format!("/v2/{path}")).await.status, status, "{path}");
    }
    // What is remembered ends when the process hears of its own change of the rules.
    let counters = world.doors.registry.counters();
    for _ in 0..10 {
        assert_eq!(world.get("/v2/hub/app/manifests/absent").await.status, 404);
        if counters.get(Counter::PolicyMissing) > 0 {
            break;
        }
    }
    put(&world, "hub", json!({"minimumAge": "7d", "ageFrom": "first-seen"})).await;
    world.image("young", "1", b"layer");
    assert_eq!(world.get("/v2/hub/young/manifests/1").await.status, 403);
    let text = world.ask_as("GET", "/metrics", &[]).await.text();
    for line in [
        "cistern_policy_denied_total 2\n",
        "cistern_policy_missing_total 1\n",
        "cistern_policy_held_back_total 1\n",
        "cistern_manifest_stale_revalidating_total 1\n",
        "cistern_manifest_stale_total 0\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

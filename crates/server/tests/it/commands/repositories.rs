//! `cistern repository`.

use serde_json::Value;

use super::World;

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}"#;

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#;

#[test]
fn a_repository_lives() {
    let world = World::new();
    world.home.write("policy.json", POLICY);
    world.home.write("lifecycle.json", LIFECYCLE);
    let add = ["repository", "add", "team/app", "--image-tag-mutability", "immutable"];
    let more = ["--tag", "team=a", "--policy-file", "policy.json"];
    let added = world.json(&[&add[..], &more[..]].concat());
    assert_eq!(added["imageTagMutability"], "IMMUTABLE");
    assert_eq!(added["tags"][0]["Key"], "team");
    assert_eq!(added["policyText"], POLICY);

    let update = ["repository", "update", "team/app", "--image-tag-mutability", "mutable"];
    let more = ["--exclude-tag", "v*", "--tag", "b=2", "--remove-tag", "team", "--remove-policy"];
    let last = ["--lifecycle-policy-file", "lifecycle.json", "--scan-on-push", "true"];
    let updated = world.json(&[&update[..], &more[..], &last[..]].concat());
    assert_eq!(updated["imageTagMutability"], "MUTABLE_WITH_EXCLUSION");
    assert_eq!(updated["imageTagMutabilityExclusionFilters"][0]["filter"], "v*");
    assert_eq!(updated["imageScanningConfiguration"]["scanOnPush"], true);
    assert_eq!(updated["tags"], serde_json::json!([{ "Key": "b", "Value": "2" }]));
    assert_eq!(updated["policyText"], Value::Null);
    assert_eq!(updated["lifecyclePolicyText"], LIFECYCLE);
    let shown = world.prints(&["repository", "show", "team/app"]);
    assert!(shown.contains("mutable but v*") && shown.contains("b=2"), "{shown}");
    let other = world.home.run(&["repository", "list", "other/"]);
    assert_eq!(super::stderr(&other), "no repositories\n");
    assert_eq!(world.prints(&["repository", "list", "team/"]).lines().count(), 2);
    let kept = world.home.refused(&["repository", "update", "team/app", "--encryption", "kms"], 2);
    assert!(kept.contains("a repository keeps the encryption"), "{kept}");
    let twice = world.home.refused(&["repository", "add", "team/app"], 1);
    assert!(twice.contains("see it with `cistern repository show`"), "{twice}");
    let removed = world.prints(&["repository", "remove", "team/app"]);
    assert_eq!(removed, "removed the repository team/app\n");
}

#[test]
fn a_repository_whose_policy_is_refused_is_not_there() {
    let world = World::new();
    world.home.write("policy.json", "{}");
    let add = ["repository", "add", "team/app", "--lifecycle-policy-file", "policy.json"];
    let refused = world.home.refused(&add, 1);
    assert!(refused.contains("(InvalidParameterException)"), "{refused}");
    let listed = world.home.run(&["repository", "list"]);
    assert_eq!(super::stderr(&listed), "no repositories\n");
    let absent = ["repository", "add", "team/app", "--policy-file", "absent.json"];
    assert!(world.home.refused(&absent, 1).starts_with("cannot read absent.json"));
}

#[test]
fn a_lifecycle_policy_is_previewed_and_space_is_freed() {
    let world = World::new();
    world.home.write("lifecycle.json", LIFECYCLE);
    world.json(&["repository", "add", "team/app"]);
    let none = world.home.refused(&["repository", "preview", "team/app"], 1);
    assert!(none.contains("(LifecyclePolicyNotFoundException)"), "{none}");
    let preview =
        ["repository", "preview", "team/app", "--lifecycle-policy-file", "lifecycle.json"];
    let found = world.json(&preview);
    assert_eq!(found["summary"]["expiringImageTotalCount"], 0);
    assert_eq!(found["lifecyclePolicyText"], LIFECYCLE);
    let said = world.home.run(&preview);
    assert_eq!(super::stderr(&said), "no images to expire or archive\n");

    let freed = world.json(&["gc"]);
    assert_eq!(freed["graceSeconds"], 24 * 60 * 60);
    let said = world.prints(&["gc", "--dry-run"]);
    assert!(said.starts_with("would free 0 B: 0 blobs"), "{said}");
    assert!(said.contains("nothing younger than 1d is touched"), "{said}");
}

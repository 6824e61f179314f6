//! Repositories through ECR's API: made, set, tagged, given policies, deleted.

use super::*;

const CREATE_REPOSITORY: &str = "CreateRepository";
const DELETE_REPOSITORY: &str = "DeleteRepository";
const DESCRIBE_REPOSITORIES: &str = "DescribeRepositories";
const INVALID: &str = "InvalidParameterException";
const NO_REPOSITORY: &str = "RepositoryNotFoundException";

/// A world with an empty repository `team/app`.
async fn world() -> World {
    let world = World::start().await;
    done(&world, CREATE_REPOSITORY, json!({"repositoryName": "team/app"})).await;
    world
}

fn arn(name: &str) -> String {
    format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}")
}

fn policy(effect: &str, action: &str) -> String {
    let statement = json!({"Effect": effect, "Principal": "*", "Action": action});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn lifecycle(rules: &Value) -> String {
    json!({ "rules": rules }).to_string()
}

fn lifecycle_rule(priority: u32) -> Value {
    json!({
        "rulePriority": priority,
        "description": "Keep no more than so many images that have no tag",
        "selection": {
            "tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 10,
        },
        "action": {"type": "expire"},
    })
}

#[tokio::test]
async fn settings_are_echoed_as_they_were_made() {
    let world = World::start().await;
    let expected = json!({
        "repositoryArn": arn("team/app"),
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "repositoryUri": format!("{HOST}/team/app"),
        "createdAt": SECONDS,
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [
            {"filterType": "WILDCARD", "filter": "dev-*"},
            {"filterType": "WILDCARD", "filter": "latest"},
        ],
        "imageScanningConfiguration": {"scanOnPush": true},
        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/images"},
    });
    let made = json!({
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "tags": [{"Key": "team", "Value": "a"}],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": expected["imageTagMutabilityExclusionFilters"],
        "imageScanningConfiguration": {"scanOnPush": true},
        "encryptionConfiguration": expected["encryptionConfiguration"],
    });
    assert_eq!(done(&world, CREATE_REPOSITORY, made.clone()).await["repository"], expected);
    let named = json!({"repositoryNames": ["team/app"]});
    let described = done(&world, DESCRIBE_REPOSITORIES, named).await;
    assert_eq!(described, json!({"repositories": [expected]}));
    let tags = done(&world, "ListTagsForResource", json!({"resourceArn": arn("team/app")})).await;
    assert_eq!(tags, json!({"tags": [{"Key": "team", "Value": "a"}]}));
    let text = refused(&world, CREATE_REPOSITORY, made, "RepositoryAlreadyExistsException").await;
    assert_eq!(
        text,
        format!(
            "The repository with name 'team/app' already exists in the registry with id \
             '{ACCOUNT}'"
        )
    );

    let plain = done(&world, CREATE_REPOSITORY, json!({"repositoryName": "plain"})).await;
    let plain = &plain["repository"];
    assert_eq!(plain["imageTagMutability"], "MUTABLE");
    assert_eq!(plain.get("imageTagMutabilityExclusionFilters"), None);
    assert_eq!(plain["imageScanningConfiguration"], json!({"scanOnPush": false}));
    assert_eq!(plain["encryptionConfiguration"], json!({"encryptionType": "AES256"}));
}

#[tokio::test]
async fn bad_settings_are_named() {
    let world = World::start().await;
    let with = |member: &str, value: Value| {
        let mut body = json!({"repositoryName": "team/app"});
        body[member] = value;
        body
    };
    let filter = |filter: &str| json!({"filterType": "WILDCARD", "filter": filter});
    let excluding = |filters: Value| {
        let mut body = with("imageTagMutability", json!("MUTABLE_WITH_EXCLUSION"));
        body["imageTagMutabilityExclusionFilters"] = filters;
        body
    };
    const FILTERS: &str = "imageTagMutabilityExclusionFilters";
    for (body, words) in [
        (json!({}), "repositoryName"),
        (with("repositoryName", json!("Bad_Name!")), "'repositoryName'"),
        (with("repositoryName", json!("a")), "'repositoryName'"),
        (with("repositoryName", json!("a".repeat(257))), "'repositoryName'"),
        (with("registryId", json!("12")), "'registryId'"),
        (with("imageTagMutability", json!("mutable")), "'imageTagMutability'"),
        (with("imageTagMutability", json!("IMMUTABLE_WITH_EXCLUSION")), FILTERS),
        (with(FILTERS, json!([filter("a")])), FILTERS),
        (excluding(json!([])), FILTERS),
        (excluding(json!(vec![filter("a"); 6])), FILTERS),
        (excluding(json!([filter("a b")])), FILTERS),
        (excluding(json!([{"filterType": "REGEX", "filter": "a"}])), "filterType"),
        (excluding(json!([{"filterType": "WILDCARD"}])), "filter"),
        (
            with("encryptionConfiguration", json!({"encryptionType": "ROT13"})),
            "'encryptionConfiguration.encryptionType'",
        ),
        (
            with(
                "encryptionConfiguration",
                json!({"encryptionType": "AES256", "kmsKey": "alias/x"}),
            ),
            "'encryptionConfiguration.kmsKey'",
        ),
        (
            with("encryptionConfiguration", json!({"encryptionType": "KMS", "kmsKey": ""})),
            "'encryptionConfiguration.kmsKey'",
        ),
    ] {
        let text = refused(&world, CREATE_REPOSITORY, body, INVALID).await;
        assert!(text.contains(words), "{text}");
    }
    for tag in [
        json!({"Key": "", "Value": "x"}),
        json!({"Key": "aws:x", "Value": "x"}),
        json!({"Key": "k", "Value": "v".repeat(257)}),
    ] {
        let body = with("tags", json!([tag]));
        let text = refused(&world, CREATE_REPOSITORY, body, "InvalidTagParameterException").await;
        assert!(text.contains("'tags'"), "{text}");
    }
    let many: Vec<_> = (0..51).map(|at| json!({"Key": format!("k{at}"), "Value": ""})).collect();
    refused(&world, CREATE_REPOSITORY, with("tags", json!(many)), "TooManyTagsException").await;
    let found = done(&world, DESCRIBE_REPOSITORIES, json!({})).await;
    assert_eq!(found, json!({"repositories": []}), "none of them was made");
}

#[tokio::test]
async fn a_repository_is_set() {
    let world = world().await;
    let filters = json!([{"filterType": "WILDCARD", "filter": "v*"}]);
    let body = json!({
        "repositoryName": "team/app", "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    });
    let set = done(&world, "PutImageTagMutability", body).await;
    let expected = json!({
        "registryId": ACCOUNT, "repositoryName": "team/app",
        "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    });
    assert_eq!(set, expected);
    let scan = json!({"scanOnPush": true});
    let body = json!({"repositoryName": "team/app", "imageScanningConfiguration": scan});
    let set = done(&world, "PutImageScanningConfiguration", body).await;
    let expected = json!({
        "registryId": ACCOUNT, "repositoryName": "team/app", "imageScanningConfiguration": scan,
    });
    assert_eq!(set, expected);
    let described = done(&world, DESCRIBE_REPOSITORIES, json!({})).await;
    let described = &described["repositories"][0];
    assert_eq!(described["imageTagMutability"], "MUTABLE_WITH_EXCLUSION");
    assert_eq!(described["imageTagMutabilityExclusionFilters"], filters);
    assert_eq!(described["imageScanningConfiguration"], scan);
    let body = json!({"repositoryName": "team/app", "imageTagMutability": "IMMUTABLE"});
    let set = done(&world, "PutImageTagMutability", body).await;
    assert_eq!(set.get("imageTagMutabilityExclusionFilters"), None);
    let body = json!({"repositoryName": "team/app", "imageScanningConfiguration": 1});
    refused(&world, "PutImageScanningConfiguration", body, "SerializationException").await;
}

#[tokio::test]
async fn a_repository_is_tagged() {
    let world = world().await;
    let arn = arn("team/app");
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    for tags in [json!([tag("a", "1"), tag("b", "2")]), json!([tag("b", "3"), tag("c", "")])] {
        let body = json!({"resourceArn": arn, "tags": tags});
        assert_eq!(done(&world, "TagResource", body).await, json!({}));
    }
    let body = json!({"resourceArn": arn, "tagKeys": ["a", "none"]});
    assert_eq!(done(&world, "UntagResource", body).await, json!({}));
    let listed = done(&world, "ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(listed, json!({"tags": [tag("b", "3"), tag("c", "")]}));

    let elsewhere = arn.replace("us-east-1", "eu-west-1");
    for (resource, exception) in [
        ("team/app".to_owned(), INVALID),
        (arn.replace("repository/", "image/"), INVALID),
        (arn.replace(":ecr:", ":s3:"), INVALID),
        (arn.replace(ACCOUNT, "12"), INVALID),
        (arn.replace("team/app", "Team"), INVALID),
        (elsewhere, INVALID),
        (arn.replace(ACCOUNT, OTHER_ACCOUNT), "AccessDeniedException"),
        (arn.replace("team/app", "nobody"), NO_REPOSITORY),
    ] {
        for (operation, more) in [
            ("ListTagsForResource", json!({})),
            ("TagResource", json!({"tags": [tag("x", "y")]})),
            ("UntagResource", json!({"tagKeys": ["x"]})),
        ] {
            let mut body = more;
            body["resourceArn"] = json!(resource);
            let text = refused(&world, operation, body, exception).await;
            assert!(exception != INVALID || text.contains("'resourceArn'"), "{text}");
        }
    }
    let body = json!({"resourceArn": arn, "tagKeys": ["aws:x"]});
    refused(&world, "UntagResource", body, "InvalidTagParameterException").await;
}

#[tokio::test]
async fn a_repository_has_a_policy() {
    let world = world().await;
    let absent = "RepositoryPolicyNotFoundException";
    let named = json!({"repositoryName": "team/app"});
    for operation in ["GetRepositoryPolicy", "DeleteRepositoryPolicy"] {
        let text = refused(&world, operation, named.clone(), absent).await;
        let expected = "Repository policy does not exist for the repository with name 'team/app' \
             in the registry with id '111122223333'";
        assert_eq!(text, expected);
    }
    let text = policy("Allow", "ecr:BatchGetImage");
    let expected = json!({
        "registryId": ACCOUNT, "repositoryName": "team/app", "policyText": text,
    });
    let set = json!({"repositoryName": "team/app", "policyText": text});
    assert_eq!(done(&world, "SetRepositoryPolicy", set).await, expected);
    assert_eq!(done(&world, "GetRepositoryPolicy", named.clone()).await, expected);

    let set = |text: &str| json!({"repositoryName": "team/app", "policyText": text});
    let mut resource: Value = serde_json::from_str(&text).unwrap();
    resource["Statement"][0]["Resource"] = json!("*");
    for (bad, why) in [
        ("", "not JSON"),
        ("{}", "no Statement"),
        (policy("Maybe", "ecr:*").as_str(), "Effect"),
        (policy("Allow", "s3:GetObject").as_str(), "Action"),
        (resource.to_string().as_str(), "Resource"),
    ] {
        let text = refused(&world, "SetRepositoryPolicy", set(bad), INVALID).await;
        let start = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid \
             repository policy provided";
        assert!(text.starts_with(start) && text.contains(why), "{text}");
    }
    let long = set(&" ".repeat(10_241));
    let text = refused(&world, "SetRepositoryPolicy", long, INVALID).await;
    assert!(text.contains("'policyText'") && text.contains("10240"), "{text}");

    let lock_out = policy("Deny", "ecr:Set*");
    let text = refused(&world, "SetRepositoryPolicy", set(&lock_out), INVALID).await;
    assert!(text.contains("'PolicyText'") && text.contains("force"), "{text}");
    assert_eq!(done(&world, "GetRepositoryPolicy", named.clone()).await, expected);
    let mut forced = set(&lock_out);
    forced["force"] = json!(true);
    done(&world, "SetRepositoryPolicy", forced).await;
    let deleted = done(&world, "DeleteRepositoryPolicy", named.clone()).await;
    assert_eq!(deleted["policyText"], lock_out);
    refused(&world, "GetRepositoryPolicy", named, absent).await;
}

#[tokio::test]
async fn strict_mode_does_not_say_what_is_wrong_with_a_policy() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    done(&world, CREATE_REPOSITORY, json!({"repositoryName": "team/app"})).await;
    let body = json!({"repositoryName": "team/app", "policyText": "{}"});
    let text = refused(&world, "SetRepositoryPolicy", body, INVALID).await;
    let expected = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid \
         repository policy provided'";
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_repository_has_a_lifecycle_policy() {
    let world = world().await;
    let absent = "LifecyclePolicyNotFoundException";
    let named = json!({"repositoryName": "team/app"});
    for operation in ["GetLifecyclePolicy", "DeleteLifecyclePolicy"] {
        let text = refused(&world, operation, named.clone(), absent).await;
        assert!(text.starts_with("Lifecycle policy does not exist for the repository"), "{text}");
    }
    let text = lifecycle(&json!([lifecycle_rule(1)]));
    let put = |text: &str| json!({"repositoryName": "team/app", "lifecyclePolicyText": text});
    let expected = json!({
        "registryId": ACCOUNT, "repositoryName": "team/app", "lifecyclePolicyText": text,
    });
    assert_eq!(done(&world, "PutLifecyclePolicy", put(&text)).await, expected);
    assert_eq!(done(&world, "GetLifecyclePolicy", named.clone()).await, expected);
    let mut unknown = lifecycle_rule(1);
    unknown["selection"]["countUnit"] = Value::Null;
    for (bad, why) in [
        (lifecycle(&json!([lifecycle_rule(1), lifecycle_rule(2)])), "Only one rule"),
        (lifecycle(&json!([lifecycle_rule(0), lifecycle_rule(2)])), "rulePriority"),
        (lifecycle(&json!([unknown])), "countUnit"),
        (" ".repeat(100), "Could not map policyString"),
    ] {
        let text = refused(&world, "PutLifecyclePolicy", put(&bad), INVALID).await;
        let start = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: \
             'Lifecycle policy validation failure: ";
        assert!(text.starts_with(start) && text.contains(why), "{text}");
    }
    let text = refused(&world, "PutLifecyclePolicy", put("{}"), INVALID).await;
    assert!(text.contains("'lifecyclePolicyText'") && text.contains("100"), "{text}");
    assert_eq!(done(&world, "DeleteLifecyclePolicy", named.clone()).await, expected);
    refused(&world, "GetLifecyclePolicy", named, absent).await;
}

#[tokio::test]
async fn a_repository_is_deleted_with_its_images_only_by_force() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("app", "1", b"0123456789");
    let manifest = "/v2/hub/app/manifests/1";
    let blob = format!("/v2/hub/app/blobs/{layer}");
    assert_eq!(world.get(manifest).await.status, 200);
    assert_eq!(world.get(&blob).await.status, 200);
    world.fills_ended(1).await;
    let named = json!({"repositoryName": "hub/app"});
    let not_empty = "RepositoryNotEmptyException";
    let text = refused(&world, DELETE_REPOSITORY, named.clone(), not_empty).await;
    assert_eq!(
        text,
        format!(
            "The repository with name 'hub/app' in registry with id '{ACCOUNT}' cannot be \
             deleted because it still contains images"
        )
    );
    done(&world, DELETE, json!({"ecrRepositoryPrefix": "hub"})).await;
    assert_eq!(world.get(manifest).await.status, 200, "cached images outlive their rule");
    let forced = json!({"repositoryName": "hub/app", "force": true});
    let deleted = done(&world, DELETE_REPOSITORY, forced.clone()).await;
    assert_eq!(deleted["repository"]["repositoryArn"], arn("hub/app"));
    for path in [manifest.to_owned(), format!("/v2/hub/app/manifests/{digest}"), blob] {
        let gone = world.get(&path).await;
        assert_eq!((gone.status, gone.code().as_str()), (404, "NAME_UNKNOWN"), "{path}");
    }
    refused(&world, DELETE_REPOSITORY, forced, NO_REPOSITORY).await;
    refused(&world, "DescribeImages", named, NO_REPOSITORY).await;

    done(&world, CREATE_REPOSITORY, json!({"repositoryName": "empty"})).await;
    done(&world, DELETE_REPOSITORY, json!({"repositoryName": "empty"})).await;
    let found = done(&world, DESCRIBE_REPOSITORIES, json!({})).await;
    assert_eq!(found, json!({"repositories": []}));
}

/// Each operation names a repository that does not exist, breaks on a bad name, and refuses
/// another account's registry.
#[tokio::test]
async fn every_operation_on_a_repository_checks_which() {
    let world = World::start().await;
    let policy = policy("Allow", "ecr:*");
    let lifecycle = lifecycle(&json!([lifecycle_rule(1)]));
    let gone = format!(
        "The repository with name 'nobody' does not exist in the registry with id '{ACCOUNT}'"
    );
    for (operation, more) in [
        (DELETE_REPOSITORY, json!({})),
        ("PutImageTagMutability", json!({"imageTagMutability": "IMMUTABLE"})),
        ("PutImageScanningConfiguration", json!({"imageScanningConfiguration": {}})),
        ("SetRepositoryPolicy", json!({"policyText": policy})),
        ("GetRepositoryPolicy", json!({})),
        ("DeleteRepositoryPolicy", json!({})),
        ("PutLifecyclePolicy", json!({"lifecyclePolicyText": lifecycle})),
        ("GetLifecyclePolicy", json!({})),
        ("DeleteLifecyclePolicy", json!({})),
    ] {
        let body = |name: &str| {
            let mut body = more.clone();
            body["repositoryName"] = json!(name);
            body
        };
        assert_eq!(refused(&world, operation, body("nobody"), NO_REPOSITORY).await, gone);
        let text = refused(&world, operation, body("No Body"), INVALID).await;
        assert!(text.contains("'repositoryName'"), "{text}");
        let mut other = body("nobody");
        other["registryId"] = json!(OTHER_ACCOUNT);
        let text = refused(&world, operation, other, "AccessDeniedException").await;
        assert!(text.contains(&format!("ecr:{operation}")), "{text}");
        let text = refused(&world, operation, more.clone(), INVALID).await;
        assert!(text.contains("repositoryName"), "{text}");
    }
}

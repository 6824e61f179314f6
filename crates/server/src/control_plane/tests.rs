//! One test for each operation and each exception of the control plane.

mod cache_content;
mod cloud_control;
mod collection;
mod compatibility;
mod hostile;
mod image_writes;
mod images;
mod lifecycle;
mod operations;
mod registry_settings;
mod repositories;
mod roles;
mod rule_policies;
mod rule_updates;
mod secret_changes;
mod sessions;
mod storage_classes;
mod templates;

use http_body_util::Full;
use serde_json::{Value, json};

use crate::doors;
use crate::doors::tests::{ACCOUNT, HOST, NOW, OTHER_ACCOUNT, SECRET, Signed, World, basic};

const CREATE: &str = "CreatePullThroughCacheRule";
const DESCRIBE: &str = "DescribePullThroughCacheRules";
const UPDATE: &str = "UpdatePullThroughCacheRule";
const VALIDATE: &str = "ValidatePullThroughCacheRule";
const DELETE: &str = "DeletePullThroughCacheRule";
/// The moment of the tests' clock, as JSON writes it.
const SECONDS: i64 = NOW / 1000;

/// Calls an operation that succeeds, and returns what it answers.
async fn done(world: &World, operation: &str, body: Value) -> Value {
    let told = format!("{operation} {body}");
    let answer = world.ecr(operation, body).await;
    assert_eq!(answer.status, 200, "{told}: {}", answer.text());
    answer.json()
}

/// Asserts an exception and returns its text.
async fn refused(world: &World, operation: &str, body: Value, exception: &str) -> String {
    let told = format!("{operation} {body}");
    let answer = world.ecr(operation, body).await;
    assert_eq!(answer.status, 400, "{told}: {}", answer.text());
    assert_eq!(answer.exception(), exception, "{told}: {}", answer.text());
    answer.exception_message()
}

#[tokio::test]
async fn rules_are_made_listed_and_removed() {
    let world = World::start().await;
    let quay = json!({"ecrRepositoryPrefix": "quay/", "upstreamRegistryUrl": "quay.io"});
    let created = world.ecr(CREATE, quay).await;
    assert_eq!(created.status, 200, "{}", created.text());
    assert_eq!(created.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(created.header("x-amzn-requestid").len(), 36);
    // What was not sent is absent, what was is echoed as typed.
    assert_eq!(
        created.json(),
        json!({
            "ecrRepositoryPrefix": "quay/",
            "upstreamRegistryUrl": "quay.io",
            "upstreamRegistry": "quay",
            "createdAt": SECONDS,
            "registryId": ACCOUNT,
        })
    );
    let custom = json!({
        "ecrRepositoryPrefix": "my-app",
        "upstreamRegistryUrl": "https://registry.example.com",
        "upstreamRegistry": "my-upstream-registry",
        "upstreamRepositoryPrefix": "ROOT",
        "customRoleArn": "arn:aws:iam::111122223333:role/ptc",
        "registryId": ACCOUNT,
    });
    let created = world.ecr(CREATE, custom.clone()).await;
    for (member, value) in custom.as_object().unwrap() {
        assert_eq!(created.json()[member], *value, "{member}");
    }
    let all = world.ecr(DESCRIBE, json!({})).await.json();
    let prefixes: Vec<&str> = all["pullThroughCacheRules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["ecrRepositoryPrefix"].as_str().unwrap())
        .collect();
    assert_eq!(prefixes, ["my-app", "quay/"]);
    assert_eq!(all["pullThroughCacheRules"][1]["updatedAt"], SECONDS);
    let one =
        world.ecr(DESCRIBE, json!({"ecrRepositoryPrefixes": ["quay"], "maxResults": 1})).await;
    assert_eq!(one.json()["pullThroughCacheRules"].as_array().unwrap().len(), 1);
    assert_eq!(one.json().get("nextToken"), None);

    let deleted = world.ecr(DELETE, json!({"ecrRepositoryPrefix": "quay"})).await;
    assert_eq!(
        deleted.json(),
        json!({
            "ecrRepositoryPrefix": "quay/",
            "upstreamRegistryUrl": "quay.io",
            "createdAt": SECONDS,
            "registryId": ACCOUNT,
        })
    );
    let gone = "PullThroughCacheRuleNotFoundException";
    let named = json!({"ecrRepositoryPrefixes": ["my-app", "quay"]});
    let text = refused(&world, DESCRIBE, named, gone).await;
    assert!(text.contains("'quay'"), "{text}");
    refused(&world, DELETE, json!({"ecrRepositoryPrefix": "quay"}), gone).await;
}

#[tokio::test]
async fn rules_come_in_pages() {
    let world = World::start().await;
    for prefix in ["a1", "a2", "a3", "a4", "a5"] {
        world.rule(prefix).await;
    }
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = world.ecr(DESCRIBE, json!({"maxResults": 2, "nextToken": token})).await.json();
        let rules = page["pullThroughCacheRules"].as_array().unwrap();
        assert!(rules.len() <= 2);
        seen.extend(rules.iter().map(|rule| rule["ecrRepositoryPrefix"].clone()));
        match page.get("nextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(seen, ["a1", "a2", "a3", "a4", "a5"]);
}

#[tokio::test]
async fn constraints_of_rules() {
    const INVALID: &str = "InvalidParameterException";
    let world = World::start().await;
    let rule = |member: &str, value: Value| {
        let mut body = json!({"ecrRepositoryPrefix": "ok", "upstreamRegistryUrl": "quay.io"});
        body[member] = value;
        body
    };
    for (prefix, words) in [
        ("Quay", "regular expression '^([a-z0-9]+"),
        ("a..b", "regular expression"),
        ("ROOT/", "regular expression"),
        ("a", "length greater than or equal to 2"),
        ("", "length greater than or equal to 2"),
        (&"a".repeat(31), "length less than or equal to 30"),
    ] {
        for member in ["ecrRepositoryPrefix", "upstreamRepositoryPrefix"] {
            let text = refused(&world, CREATE, rule(member, json!(prefix)), INVALID).await;
            assert!(text.starts_with(&format!("Invalid parameter at '{member}' failed")), "{text}");
            assert!(text.contains(words), "{text}");
        }
        let named = json!({"ecrRepositoryPrefixes": [prefix]});
        refused(&world, DESCRIBE, named, INVALID).await;
        refused(&world, DELETE, json!({"ecrRepositoryPrefix": prefix}), INVALID).await;
    }
    for body in [
        json!({}),
        json!({"ecrRepositoryPrefix": "ok"}),
        json!({"ecrRepositoryPrefix": null, "upstreamRegistryUrl": "quay.io"}),
        rule("credentialArn", json!("not-an-arn")),
        rule("customRoleArn", json!("x".repeat(2049))),
        rule("registryId", json!("12")),
    ] {
        refused(&world, CREATE, body, INVALID).await;
    }
    for body in [
        json!({"maxResults": 0}),
        json!({"maxResults": 1001}),
        json!({"nextToken": "x"}),
        json!({"ecrRepositoryPrefixes": []}),
        json!({"ecrRepositoryPrefixes": vec!["ab"; 101]}),
    ] {
        refused(&world, DESCRIBE, body, INVALID).await;
    }
    for url in ["quay.io/path", "ftp://x", "http://registry.example.com", ""] {
        let body = rule("upstreamRegistryUrl", json!(url));
        let text = refused(&world, CREATE, body, "UnsupportedUpstreamRegistryException").await;
        assert!(text.starts_with(&format!("The upstream registry URL {url} is invalid")), "{text}");
    }
    let missing =
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache/x-AbCdEf";
    let text =
        refused(&world, CREATE, rule("credentialArn", json!(missing)), "SecretNotFoundException");
    assert!(
        text.await.starts_with("The ARN of the secret specified in the pull through cache rule")
    );
    world.rule("ok").await;
    let twice = "PullThroughCacheRuleAlreadyExistsException";
    refused(&world, CREATE, rule("ecrRepositoryPrefix", json!("ok/")), twice).await;
}

#[tokio::test]
async fn strict_mode_says_what_ecr_says() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    for (body, exception, text) in [
        (
            json!({"ecrRepositoryPrefix": "ab", "upstreamRegistryUrl": "harbor.example.com"}),
            "UnsupportedUpstreamRegistryException",
            "The upstream registry URL harbor.example.com is invalid. Specify a valid upstream \
             registry URL and try again",
        ),
        (
            json!({"ecrRepositoryPrefix": "ab", "upstreamRegistryUrl": "registry-1.docker.io"}),
            "UnsupportedUpstreamRegistryException",
            "The specified upstream registry requires authentication. Specify a valid Secrets \
             Manager ARN",
        ),
    ] {
        assert_eq!(refused(&world, CREATE, body, exception).await, text);
    }
    let kind = json!({
        "ecrRepositoryPrefix": "ab", "upstreamRegistryUrl": "quay.io", "upstreamRegistry": "k8s",
    });
    refused(&world, CREATE, kind, "UnsupportedUpstreamRegistryException").await;
    for at in 0..50 {
        let prefix = format!("p{at}");
        let body = json!({"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": "quay.io"});
        assert_eq!(world.ecr(CREATE, body).await.status, 200);
    }
    let one_more = json!({"ecrRepositoryPrefix": "p50", "upstreamRegistryUrl": "quay.io"});
    let text = refused(&world, CREATE, one_more, "LimitExceededException").await;
    assert!(text.contains("50 pull through cache rules"), "{text}");
}

#[tokio::test]
async fn another_account_is_denied() {
    let world = World::start().await;
    let ecr = "arn:aws:ecr:us-east-1:444455556666";
    for (operation, body, resource) in [
        (CREATE, json!({"ecrRepositoryPrefix": "ab", "upstreamRegistryUrl": "quay.io"}), "*"),
        (DESCRIBE, json!({}), "*"),
        (DELETE, json!({"ecrRepositoryPrefix": "ab"}), "*"),
        ("DescribeRepositories", json!({}), "repository/*"),
        ("DescribeImages", json!({"repositoryName": "a/b"}), "repository/a/b"),
    ] {
        let mut body = body;
        body["registryId"] = json!(OTHER_ACCOUNT);
        assert_eq!(
            refused(&world, operation, body, "AccessDeniedException").await,
            format!(
                "User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: ecr:{operation} \
                 on resource: {ecr}:{resource}"
            )
        );
    }
}

#[tokio::test]
async fn login_tokens() {
    let world = World::start().await;
    let answer = world.ecr("GetAuthorizationToken", json!({})).await.json();
    let granted = &answer["authorizationData"][0];
    assert_eq!(granted["proxyEndpoint"], format!("http://{HOST}"));
    assert_eq!(granted["expiresAt"], SECONDS + 12 * 60 * 60);
    let encoded = granted["authorizationToken"].as_str().unwrap();
    let headers = [("authorization", format!("Basic {encoded}"))];
    let headers = [("authorization", headers[0].1.as_str())];
    assert_eq!(world.ask_as("GET", "/v2/", &headers).await.status, 200);

    let ids = json!({"registryIds": [ACCOUNT, OTHER_ACCOUNT]});
    let answer = world.ecr("GetAuthorizationToken", ids).await.json();
    assert_eq!(answer["authorizationData"].as_array().unwrap().len(), 2);
    for ids in [json!([]), json!(["x"]), json!(vec![ACCOUNT; 11])] {
        let body = json!({ "registryIds": ids });
        refused(&world, "GetAuthorizationToken", body, "InvalidParameterException").await;
    }
    let aws = "api.ecr.eu-west-1.amazonaws.com";
    for (public_url, host, region, endpoint) in [
        (None, aws, "eu-west-1", format!("https://{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com")),
        (Some("https://r.example.com"), aws, "eu-west-1", "https://r.example.com".to_owned()),
        (
            Some("https://{account}.dkr.ecr.{region}.example.com"),
            HOST,
            "us-east-2",
            format!("https://{ACCOUNT}.dkr.ecr.us-east-2.example.com"),
        ),
    ] {
        let world =
            World::start_with(|settings| settings.public_url = public_url.map(str::to_owned)).await;
        let mut call =
            Signed::new("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "ecr", "{}");
        (call.host, call.region) = (host.to_owned(), region.to_owned());
        let answer = world.send(call.request()).await.json();
        assert_eq!(answer["authorizationData"][0]["proxyEndpoint"], endpoint);
    }
}

#[tokio::test]
async fn repositories_and_images_are_described() {
    let world = World::start().await;
    world.rule("hub").await;
    let (digest, layer) = world.image("library/app", "1", b"0123456789");
    let index = json!({
        "schemaVersion": 2,
        "mediaType": oci::media_type::OCI_INDEX,
        "manifests": [{
            "mediaType": oci::media_type::OCI_MANIFEST, "digest": digest.as_str(), "size": 3,
        }],
    });
    let index = world.upstream.add_manifest(
        "library/app",
        Some("multi"),
        oci::media_type::OCI_INDEX,
        index.to_string(),
    );
    for reference in ["1", "multi"] {
        let pulled = world.get(&format!("/v2/hub/library/app/manifests/{reference}")).await;
        assert_eq!(pulled.status, 200, "{}", pulled.text());
    }
    assert_eq!(world.get(&format!("/v2/hub/library/app/blobs/{layer}")).await.status, 200);

    let name = "hub/library/app";
    for body in [json!({}), json!({"repositoryNames": [name]})] {
        let found = world.ecr("DescribeRepositories", body).await.json();
        assert_eq!(
            found,
            json!({"repositories": [{
                "repositoryArn": format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}"),
                "registryId": ACCOUNT,
                "repositoryName": name,
                "repositoryUri": format!("{HOST}/{name}"),
                "createdAt": SECONDS,
                "imageTagMutability": "MUTABLE",
                "imageScanningConfiguration": {"scanOnPush": false},
                "encryptionConfiguration": {"encryptionType": "AES256"},
            }]})
        );
    }
    let all = world.ecr("DescribeImages", json!({"repositoryName": name})).await.json();
    assert_eq!(all["imageDetails"].as_array().unwrap().len(), 2, "{all}");
    let ids = json!({"repositoryName": name, "imageIds": [{"imageTag": "1"}]});
    let one = world.ecr("DescribeImages", ids).await.json();
    let image = &one["imageDetails"][0];
    assert_eq!(image["imageDigest"], digest.as_str());
    assert_eq!(image["imageTags"], json!(["1"]));
    assert_eq!(image["imageSizeInBytes"], 12);
    assert_eq!(image["imagePushedAt"], SECONDS);
    assert_eq!(image["imageManifestMediaType"], oci::media_type::OCI_MANIFEST);
    assert_eq!(image["artifactMediaType"], "application/vnd.oci.image.config.v1+json");
    let ids = json!({"repositoryName": name, "imageIds": [{"imageDigest": index.as_str()}]});
    let multi = world.ecr("DescribeImages", ids).await.json();
    assert_eq!(multi["imageDetails"][0].get("imageSizeInBytes"), None);
    for (filter, count) in [
        (json!({"tagStatus": "TAGGED"}), 2),
        (json!({"tagStatus": "UNTAGGED"}), 0),
        (json!({"imageStatus": "ARCHIVED"}), 0),
    ] {
        let body = json!({"repositoryName": name, "filter": filter});
        let found = world.ecr("DescribeImages", body).await.json();
        assert_eq!(found["imageDetails"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_as_ecr_does() {
    const INVALID: &str = "InvalidParameterException";
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"x");
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    let gone = format!(
        "The repository with name 'nobody' does not exist in the registry with id '{ACCOUNT}'"
    );
    for (operation, body) in [
        ("DescribeRepositories", json!({"repositoryNames": ["nobody"]})),
        ("DescribeImages", json!({"repositoryName": "nobody"})),
    ] {
        let text = refused(&world, operation, body, "RepositoryNotFoundException").await;
        assert_eq!(text, gone);
    }
    let ids = json!({"repositoryName": "hub/app", "imageIds": [{"imageTag": "2"}]});
    assert_eq!(
        refused(&world, "DescribeImages", ids, "ImageNotFoundException").await,
        format!(
            "The image with imageId {{imageDigest:'null', imageTag:'2'}} does not exist within \
             the repository with name 'hub/app' in the registry with id '{ACCOUNT}'"
        )
    );
    for (operation, body) in [
        ("DescribeRepositories", json!({"repositoryNames": ["Bad_Name!"]})),
        ("DescribeRepositories", json!({"repositoryNames": []})),
        ("DescribeRepositories", json!({"maxResults": -1})),
        ("DescribeImages", json!({})),
        ("DescribeImages", json!({"repositoryName": "a"})),
        ("DescribeImages", json!({"repositoryName": "hub/app", "imageIds": [{}]})),
        ("DescribeImages", json!({"repositoryName": "hub/app", "imageIds": []})),
        ("DescribeImages", json!({"repositoryName": "hub/app", "filter": {"tagStatus": "X"}})),
        ("DescribeImages", json!({"repositoryName": "hub/app", "filter": {"imageStatus": "X"}})),
    ] {
        refused(&world, operation, body, INVALID).await;
    }
}

#[tokio::test]
async fn secrets_from_their_making_to_their_end() {
    let world = World::start().await;
    let token = "t".repeat(36);
    let value = r#"{"username":"u","accessToken":"hunter2"}"#;
    let body = json!({
        "Name": "ecr-pullthroughcache/hub", "SecretString": value, "Description": "hub",
        "ClientRequestToken": token, "Tags": [{"Key": "k", "Value": "v"}],
    });
    let created = world.secrets("CreateSecret", body.clone()).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let created = created.json();
    let arn = created["ARN"].as_str().unwrap();
    let stem =
        format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:ecr-pullthroughcache/hub");
    assert!(arn.starts_with(&format!("{stem}-")) && arn.len() == stem.len() + 7, "{arn}");
    assert_eq!(created["VersionId"], token);
    assert_eq!(world.secrets("CreateSecret", body).await.json()["ARN"], arn, "the same again");

    for id in ["ecr-pullthroughcache/hub", arn, &stem] {
        let found = world.secrets("GetSecretValue", json!({"SecretId": id})).await.json();
        assert_eq!(found["SecretString"], value);
        assert_eq!(found["VersionStages"], json!(["AWSCURRENT"]));
        assert_eq!(found["CreatedDate"], SECONDS);
        let described = world.secrets("DescribeSecret", json!({"SecretId": id})).await;
        assert!(!described.text().contains("hunter2"));
        let described = described.json();
        assert_eq!(described["VersionIdsToStages"], json!({token.as_str(): ["AWSCURRENT"]}));
        assert_eq!(described["Tags"], json!([{"Key": "k", "Value": "v"}]));
    }
    let deleted = world.secrets("DeleteSecret", json!({"SecretId": arn})).await.json();
    assert_eq!(deleted["DeletionDate"], SECONDS + 30 * 24 * 60 * 60);
    let described = world.secrets("DescribeSecret", json!({"SecretId": arn})).await.json();
    assert_eq!(described["DeletedDate"], SECONDS);
    let again = world.secrets("CreateSecret", json!({"Name": "ecr-pullthroughcache/hub"})).await;
    assert_eq!(again.exception(), "InvalidRequestException");
    assert!(again.exception_message().starts_with("You can't create this secret because"));
    let marked = world.secrets("GetSecretValue", json!({"SecretId": arn})).await;
    assert_eq!(marked.exception(), "InvalidRequestException");
    let force = json!({"SecretId": arn, "ForceDeleteWithoutRecovery": true});
    for _ in 0..2 {
        let deleted = world.secrets("DeleteSecret", force.clone()).await;
        assert_eq!((deleted.status, &deleted.json()["ARN"]), (200, &json!(arn)));
        assert_eq!(deleted.json()["DeletionDate"], SECONDS);
    }
    let gone = world.secrets("DescribeSecret", json!({"SecretId": arn})).await;
    assert_eq!(gone.exception(), "ResourceNotFoundException");
    assert_eq!(gone.exception_message(), "Secrets Manager can't find the specified secret.");
}

#[tokio::test]
async fn binary_secrets_and_secrets_without_a_value() {
    let world = World::start().await;
    let binary = json!({"Name": "b", "SecretBinary": "AAEC/w=="});
    assert_eq!(world.secrets("CreateSecret", binary).await.status, 200);
    let found = world.secrets("GetSecretValue", json!({"SecretId": "b"})).await.json();
    assert_eq!((&found["SecretBinary"], found.get("SecretString")), (&json!("AAEC/w=="), None));
    let created = world.secrets("CreateSecret", json!({"Name": "empty"})).await.json();
    assert_eq!(created.get("VersionId"), None);
    let none = world.secrets("GetSecretValue", json!({"SecretId": "empty"})).await;
    assert_eq!(none.exception(), "ResourceNotFoundException");
    assert_eq!(
        none.exception_message(),
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    );
}

#[tokio::test]
async fn constraints_of_secrets() {
    let world = World::start().await;
    assert_eq!(world.secrets("CreateSecret", json!({"Name": "a"})).await.status, 200);
    for (operation, body, exception) in [
        ("CreateSecret", json!({}), "ValidationException"),
        ("CreateSecret", json!({"Name": ""}), "ValidationException"),
        ("CreateSecret", json!({"Name": "a b"}), "ValidationException"),
        ("CreateSecret", json!({"Name": "a"}), "ResourceExistsException"),
        (
            "CreateSecret",
            json!({"Name": "c", "ClientRequestToken": "short"}),
            "InvalidParameterException",
        ),
        (
            "CreateSecret",
            json!({"Name": "c", "SecretString": "x", "SecretBinary": "eA=="}),
            "InvalidParameterException",
        ),
        ("CreateSecret", json!({"Name": "c", "SecretBinary": "!"}), "SerializationException"),
        (
            "CreateSecret",
            json!({"Name": "c", "SecretString": "x".repeat(65537)}),
            "InvalidParameterException",
        ),
        (
            "CreateSecret",
            json!({"Name": "c", "AddReplicaRegions": [{"Region": "eu-west-1"}]}),
            "InvalidParameterException",
        ),
        ("PutSecretValue", json!({"SecretId": "a"}), "InvalidRequestException"),
        (
            "PutSecretValue",
            json!({"SecretId": "a", "SecretString": "x", "SecretBinary": "eA=="}),
            "InvalidParameterException",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "a", "SecretString": "x", "VersionStages": []}),
            "InvalidParameterException",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "none", "SecretString": "x"}),
            "ResourceNotFoundException",
        ),
        ("UpdateSecret", json!({"SecretId": "a", "Type": "x"}), "InvalidParameterException"),
        (
            "UpdateSecret",
            json!({"SecretId": "a", "Description": "x".repeat(2049)}),
            "InvalidParameterException",
        ),
        ("RestoreSecret", json!({"SecretId": "none"}), "ResourceNotFoundException"),
        (
            "UpdateSecretVersionStage",
            json!({"SecretId": "a", "VersionStage": "x"}),
            "InvalidParameterException",
        ),
        (
            "UpdateSecretVersionStage",
            json!({"SecretId": "a", "VersionStage": "x", "MoveToVersionId": "none"}),
            "ResourceNotFoundException",
        ),
        ("TagResource", json!({"SecretId": "a"}), "ValidationException"),
        ("TagResource", json!({"SecretId": "a", "Tags": [{}]}), "InvalidParameterException"),
        (
            "TagResource",
            json!({
                "SecretId": "a",
                "Tags": (0..51).map(|n| json!({"Key": n.to_string()})).collect::<Vec<_>>(),
            }),
            "InvalidParameterException",
        ),
        (
            "CreateSecret",
            json!({
                "Name": "c",
                "Tags": (0..51).map(|n| json!({"Key": n.to_string()})).collect::<Vec<_>>(),
            }),
            "LimitExceededException",
        ),
        (
            "PutResourcePolicy",
            json!({"SecretId": "a", "ResourcePolicy": "{"}),
            "MalformedPolicyDocumentException",
        ),
        (
            "PutResourcePolicy",
            json!({
                "SecretId": "a", "BlockPublicPolicy": true,
                "ResourcePolicy": r#"{"Statement": {
                    "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"
                }}"#,
            }),
            "PublicPolicyException",
        ),
        (
            "PutResourcePolicy",
            json!({"SecretId": "a", "ResourcePolicy": "{}", "PolicyName": "b"}),
            "InvalidParameterException",
        ),
        (
            "GetResourcePolicy",
            json!({"SecretId": "a", "PolicyName": "b"}),
            "ResourceNotFoundException",
        ),
        ("ListSecrets", json!({"MaxResults": 0}), "ValidationException"),
        ("ListSecrets", json!({"MaxResults": 101}), "ValidationException"),
        ("ListSecrets", json!({"NextToken": "?"}), "InvalidNextTokenException"),
        ("ListSecrets", json!({"NextToken": "MTp4"}), "InvalidNextTokenException"),
        ("ListSecrets", json!({"SortBy": "size"}), "ValidationException"),
        ("ListSecrets", json!({"SortOrder": "up"}), "ValidationException"),
        (
            "ListSecrets",
            json!({"Filters": [{"Key": "size", "Values": ["x"]}]}),
            "ValidationException",
        ),
        ("ListSecrets", json!({"Filters": [{"Key": "name"}]}), "InvalidParameterException"),
        (
            "ListSecretVersionIds",
            json!({"SecretId": "a", "NextToken": "MTp4"}),
            "InvalidNextTokenException",
        ),
        ("BatchGetSecretValue", json!({}), "InvalidParameterException"),
        ("BatchGetSecretValue", json!({"SecretIdList": []}), "ValidationException"),
        ("BatchGetSecretValue", json!({"SecretIdList": vec!["a"; 21]}), "ValidationException"),
        (
            "BatchGetSecretValue",
            json!({"SecretIdList": ["a"], "MaxResults": 1}),
            "InvalidParameterException",
        ),
        ("BatchGetSecretValue", json!({"Filters": [], "MaxResults": 21}), "ValidationException"),
        ("GetRandomPassword", json!({"PasswordLength": 0}), "InvalidParameterException"),
        ("GetRandomPassword", json!({"PasswordLength": 3}), "InvalidParameterException"),
        ("GetRandomPassword", json!({"PasswordLength": 4097}), "InvalidParameterException"),
        (
            "ValidateResourcePolicy",
            json!({"ResourcePolicy": "{}"}),
            "MalformedPolicyDocumentException",
        ),
        (
            "ValidateResourcePolicy",
            json!({"SecretId": "none", "ResourcePolicy": "{}"}),
            "ResourceNotFoundException",
        ),
        ("GetSecretValue", json!({"SecretId": ""}), "ValidationException"),
        ("GetSecretValue", json!({"SecretId": "none"}), "ResourceNotFoundException"),
        ("DescribeSecret", json!({"SecretId": "x".repeat(2049)}), "ValidationException"),
        ("DeleteSecret", json!({"SecretId": "none"}), "ResourceNotFoundException"),
        (
            "DeleteSecret",
            json!({"SecretId": "a", "RecoveryWindowInDays": 6}),
            "InvalidParameterException",
        ),
        (
            "DeleteSecret",
            json!({
                "SecretId": "a", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true,
            }),
            "InvalidParameterException",
        ),
    ] {
        let told = format!("{operation} {body}");
        let answer = world.secrets(operation, body).await;
        assert_eq!((answer.status, answer.exception().as_str()), (400, exception), "{told}");
    }
}

#[tokio::test]
async fn a_rule_uses_a_secret() {
    let world = World::start().await;
    world.upstream.require_basic("u", "hunter2");
    world.image("app", "1", b"x");
    let value = r#"{"username":"u","accessToken":"hunter2"}"#;
    let body = json!({"Name": "ecr-pullthroughcache/x", "SecretString": value});
    let arn = world.secrets("CreateSecret", body).await.json()["ARN"].clone();
    let body = json!({
        "ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": world.upstream.url(),
        "credentialArn": arn,
    });
    assert_eq!(world.ecr(CREATE, body).await.json()["credentialArn"], arn);
    assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    let force = json!({"SecretId": arn, "ForceDeleteWithoutRecovery": true});
    assert_eq!(world.secrets("DeleteSecret", force).await.status, 200);
    let answer = world.get("/v2/hub/app/manifests/2").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "DENIED"));
    assert!(answer.text().contains("it does not exist") && !answer.text().contains("hunter2"));
}

#[tokio::test]
async fn who_am_i() {
    let world = World::start().await;
    let mut call = Signed::new("", "sts", "Action=GetCallerIdentity&Version=2011-06-15");
    call.target = None;
    call.content_type = "application/x-www-form-urlencoded; charset=utf-8";
    let answer = world.send(call.request()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"));
    let request_id = answer.header("x-amzn-requestid").to_owned();
    let text = answer.text();
    assert!(text.contains(&format!("<Account>{ACCOUNT}</Account>")), "{text}");
    assert!(text.contains(&format!("<Arn>arn:aws:iam::{ACCOUNT}:root</Arn>")), "{text}");
    assert!(text.contains(&format!("<RequestId>{request_id}</RequestId>")), "{text}");

    call.secret.push('x');
    let answer = world.send(call.request()).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", answer.text());
    call.secret = SECRET.to_owned();
    call.body = b"Action=GetFederationToken&Version=2011-06-15".to_vec();
    let answer = world.send(call.request()).await;
    assert!(answer.text().contains("<Code>InvalidAction</Code>"), "{}", answer.text());
    assert!(answer.text().contains("GetFederationToken is not offered by this version"));
}

#[tokio::test]
async fn operations_that_are_not_there_are_named() {
    const UNKNOWN: &str = "UnknownOperationException";
    let world = World::start().await;
    let text = refused(&world, "StartImageScan", json!({}), UNKNOWN).await;
    assert!(
        text.starts_with("StartImageScan is not offered by this version: images are"),
        "{text}"
    );
    let text = refused(&world, "MakeCoffee", json!({}), UNKNOWN).await;
    assert!(text.contains("MakeCoffee"), "{text}");
    let rotated = world.secrets("RotateSecret", json!({})).await;
    assert_eq!(rotated.exception(), UNKNOWN);
    let told = rotated.exception_message();
    assert!(told.starts_with("RotateSecret is not offered by this version: rotation"), "{told}");
    let mut cloud = Signed::new("CloudApiService.MakeCoffee", "cloudcontrolapi", "{}");
    cloud.content_type = "application/x-amz-json-1.0";
    let answer = world.send(cloud.request()).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/x-amz-json-1.0"));
    assert!(answer.exception().ends_with("#UnknownOperationException"), "{}", answer.text());
    assert!(answer.text().contains("MakeCoffee"), "{}", answer.text());
    let other = world.send(Signed::new("DynamoDB_20120810.ListTables", "dynamodb", "{}").request());
    let other = other.await;
    assert_eq!((other.status, other.exception().as_str()), (400, UNKNOWN));
    let mut bare = Signed::new("", "ecr", "{}");
    bare.target = None;
    assert_eq!(world.send(bare.request()).await.exception(), UNKNOWN);
}

#[tokio::test]
async fn bodies_have_a_limit_and_an_end() {
    let world = World::start_with(|settings| settings.body_bytes_max = 1000).await;
    let body = json!({"ecrRepositoryPrefixes": ["a".repeat(1000)]});
    let answer = world.ecr(DESCRIBE, body).await;
    assert_eq!(
        (answer.status, answer.exception().as_str()),
        (413, "RequestEntityTooLargeException")
    );
    assert!(answer.exception_message().contains("1000 bytes"));
    let (head, _) =
        Signed::new("secretsmanager.GetSecretValue", "secretsmanager", "{}").request().into_parts();
    let connection = doors::tests::connection();
    let response = world.doors.serve(&head, doors::tests::Broken, connection).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn over_http2_the_authority_is_the_signed_host() {
    let world = World::start().await;
    let mut request = Signed::new("secretsmanager.RotateSecret", "secretsmanager", "{}").request();
    request.headers_mut().remove("host");
    assert_eq!(world.send(request.clone()).await.exception(), "InvalidSignatureException");
    *request.uri_mut() = format!("http://{HOST}/").parse().unwrap();
    assert_eq!(world.send(request).await.exception(), "UnknownOperationException");
}

#[tokio::test]
async fn every_answer_goes_out_in_one_piece() {
    let world = World::start().await;
    let answer = world.ecr(DESCRIBE, json!({})).await;
    assert_eq!(answer.announced, Some(answer.body.unwrap().len() as u64));
    // Basic credentials are for the data plane.
    let mut request = Signed::new("secretsmanager.ListSecrets", "secretsmanager", "{}").request();
    let authorization = basic("AWS", &world.token()).parse().unwrap();
    request.headers_mut().insert("authorization", authorization);
    assert_eq!(world.send(request).await.exception(), "IncompleteSignatureException");
    let mut unsigned = http::Request::new(Full::from("{}"));
    *unsigned.method_mut() = http::Method::POST;
    assert_eq!(world.send(unsigned).await.status, 400);
}

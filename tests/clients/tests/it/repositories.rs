//! Repositories and the registry's settings with the AWS CLI, as people script them.

use clients::{AwsCli, Cistern, Image, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

use crate::scene::{aws_cli, cache_of_docker_hub, create_docker_hub_rule};

const NAME: &str = "team/app";

/// A person who works on one repository.
struct Person(AwsCli);

impl Person {
    /// What `aws ecr` answers, about the repository.
    #[track_caller]
    fn about(&self, operation: &str, more: &[&str]) -> Value {
        self.0.json(&[&["ecr", operation, "--repository-name", NAME], more].concat())
    }

    /// What `aws ecr` says of the repository that is refused.
    #[track_caller]
    fn refused(&self, operation: &str, more: &[&str]) -> String {
        self.0.run(&[&["ecr", operation, "--repository-name", NAME], more].concat()).failure()
    }

    #[track_caller]
    fn ecr(&self, operation: &str, more: &[&str]) -> Value {
        self.0.json(&[&["ecr", operation], more].concat())
    }

    #[track_caller]
    fn described(&self) -> Value {
        let found = self.ecr("describe-repositories", &["--repository-names", NAME]);
        found["repositories"][0].clone()
    }
}

#[test]
fn a_repository_lives() {
    let cistern = Cistern::start(&[]);
    let person = Person(or_skip!(aws_cli(&cistern)));
    let created = person.about(
        "create-repository",
        &[
            "--image-tag-mutability",
            "IMMUTABLE_WITH_EXCLUSION",
            "--image-tag-mutability-exclusion-filters",
            "filterType=WILDCARD,filter=dev-*",
            "--image-scanning-configuration",
            "scanOnPush=true",
            "--encryption-configuration",
            "encryptionType=KMS",
            "--tags",
            "Key=team,Value=a",
        ],
    );
    let created = &created["repository"];
    assert_eq!(created["encryptionConfiguration"], json!({"encryptionType": "KMS"}));
    assert_eq!(&person.described(), created);
    let again = person.refused("create-repository", &[]);
    assert!(again.contains("(RepositoryAlreadyExistsException)"), "{again}");

    let set = person.about("put-image-tag-mutability", &["--image-tag-mutability", "MUTABLE"]);
    assert_eq!(set["imageTagMutability"], "MUTABLE");
    let set = person.about(
        "put-image-scanning-configuration",
        &["--image-scanning-configuration", "scanOnPush=false"],
    );
    assert_eq!(set["imageScanningConfiguration"]["scanOnPush"], json!(false));
    let described = person.described();
    assert_eq!(described["imageTagMutability"], "MUTABLE");
    assert_eq!(described.get("imageTagMutabilityExclusionFilters"), None);

    let arn = described["repositoryArn"].as_str().expect("an ARN");
    let tag = ["--resource-arn", arn, "--tags", "Key=cost,Value=1", "Key=team,Value=b"];
    person.ecr("tag-resource", &tag);
    person.ecr("untag-resource", &["--resource-arn", arn, "--tag-keys", "cost"]);
    let tags = person.ecr("list-tags-for-resource", &["--resource-arn", arn]);
    assert_eq!(tags, json!({"tags": [{"Key": "team", "Value": "b"}]}));

    person.about("delete-repository", &[]);
    let gone = person.refused("delete-repository", &[]);
    assert!(gone.contains("(RepositoryNotFoundException)"), "{gone}");
}

#[test]
fn policies_are_set_and_removed() {
    let cistern = Cistern::start(&[]);
    let person = Person(or_skip!(aws_cli(&cistern)));
    person.about("create-repository", &[]);
    let none = person.refused("get-repository-policy", &[]);
    assert!(none.contains("(RepositoryPolicyNotFoundException)"), "{none}");
    let mut policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "pull", "Effect": "Allow", "Principal": {"AWS": "444455556666"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }],
    });
    let text = policy.to_string();
    person.about("set-repository-policy", &["--policy-text", &text]);
    assert_eq!(person.about("get-repository-policy", &[])["policyText"], text);
    policy["Statement"][0]["Resource"] = json!("*");
    let named = policy.to_string();
    let refused = person.refused("set-repository-policy", &["--policy-text", &named]);
    assert!(refused.contains("Invalid repository policy provided"), "{refused}");
    assert_eq!(person.about("delete-repository-policy", &[])["policyText"], text);

    // The same statement is one that a registry policy can have.
    let put = person.ecr("put-registry-policy", &["--policy-text", &named]);
    assert_eq!(put["policyText"], named);
    assert_eq!(person.ecr("get-registry-policy", &[])["policyText"], named);
    person.ecr("delete-registry-policy", &[]);
    let none = person.0.run(&["ecr", "get-registry-policy"]).failure();
    assert!(none.contains("(RegistryPolicyNotFoundException)"), "{none}");

    let lifecycle = json!({"rules": [{
        "rulePriority": 1,
        "description": "Expire images without a tag after two weeks",
        "selection": {
            "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
            "countNumber": 14,
        },
        "action": {"type": "expire"},
    }]});
    let text = lifecycle.to_string();
    person.about("put-lifecycle-policy", &["--lifecycle-policy-text", &text]);
    assert_eq!(person.about("get-lifecycle-policy", &[])["lifecyclePolicyText"], text);
    let tagged = text.replace("untagged", "tagged");
    let refused = person.refused("put-lifecycle-policy", &["--lifecycle-policy-text", &tagged]);
    assert!(refused.contains("Lifecycle policy validation failure"), "{refused}");
    person.about("delete-lifecycle-policy", &[]);
    let none = person.refused("get-lifecycle-policy", &[]);
    assert!(none.contains("(LifecyclePolicyNotFoundException)"), "{none}");
}

#[test]
fn the_registry_is_set() {
    let cistern = Cistern::start(&[]);
    let person = Person(or_skip!(aws_cli(&cistern)));
    person.about("create-repository", &[]);
    let replication = json!({"rules": [{
        "destinations": [{"region": "eu-west-1", "registryId": "000000000000"}],
        "repositoryFilters": [{"filter": "team", "filterType": "PREFIX_MATCH"}],
    }]});
    let text = replication.to_string();
    person.ecr("put-replication-configuration", &["--replication-configuration", &text]);
    let described = person.ecr("describe-registry", &[]);
    assert_eq!(described["replicationConfiguration"], replication);

    let rules = json!([{
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "team*", "filterType": "WILDCARD"}],
    }]);
    let put = ["--scan-type", "BASIC", "--rules", &rules.to_string()];
    person.ecr("put-registry-scanning-configuration", &put);
    let kept = person.ecr("get-registry-scanning-configuration", &[]);
    assert_eq!(kept["scanningConfiguration"]["rules"], rules);
    let names = ["--repository-names", NAME, "nobody"];
    let told = person.ecr("batch-get-repository-scanning-configuration", &names);
    assert_eq!(told["scanningConfigurations"][0]["scanFrequency"], "SCAN_ON_PUSH");
    assert_eq!(told["failures"][0]["repositoryName"], "nobody");

    let name = ["--name", "BLOB_MOUNTING"];
    person.ecr("put-account-setting", &[&name[..], &["--value", "ENABLED"]].concat());
    assert_eq!(person.ecr("get-account-setting", &name)["value"], "ENABLED");
    let scan = ["ecr", "start-image-scan", "--repository-name", NAME, "--image-id", "imageTag=1"];
    let refused = person.0.run(&scan).failure();
    assert!(refused.contains("StartImageScan is not offered"), "{refused}");
}

/// A cached repository is deleted with what is in it, and comes back with the next pull.
#[test]
fn a_cached_repository_is_deleted_by_force() {
    let mut upstream = or_skip!(UpstreamRegistry::with_password());
    upstream.push(&Image::one_layer(1 << 16), "library/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    create_docker_hub_rule(&aws);
    let name = "docker-hub/library/app";
    let image = ["--repository-name", name, "--image-ids", "imageTag=1"];
    let pull = || aws.json(&[&["ecr", "batch-get-image"][..], &image].concat());
    let digest = pull()["images"][0]["imageId"]["imageDigest"].clone();
    assert!(digest.is_string(), "{digest}");
    let delete = ["ecr", "delete-repository", "--repository-name", name];
    let refused = aws.run(&delete).failure();
    assert!(refused.contains("(RepositoryNotEmptyException)"), "{refused}");
    aws.json(&[&delete[..], &["--force"]].concat());
    let gone = aws.run(&["ecr", "describe-images", "--repository-name", name]).failure();
    assert!(gone.contains("(RepositoryNotFoundException)"), "{gone}");
    assert_eq!(pull()["images"][0]["imageId"]["imageDigest"], digest);
}

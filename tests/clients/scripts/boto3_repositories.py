"""Repositories and what belongs to them, as boto3 sees it: settings, tags, policies, the registry's own
settings, exceptions by class, paginators."""

import json

import boto3

ecr = boto3.client("ecr")
errors = ecr.exceptions
ACCOUNT = "000000000000"
NAME = "team/app"


def refused(kind, operation, **parameters):
    """The sentence of an exception of that class."""
    try:
        operation(**parameters)
    except kind as error:
        return error.response["Error"]["Message"]
    raise AssertionError(f"{kind.__name__} was not raised")


def policy(action, **more):
    statement = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": action,
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


tags = [{"Key": "team", "Value": "web"}]
made = ecr.create_repository(
    repositoryName=NAME,
    tags=tags,
    imageTagMutability="IMMUTABLE",
    imageScanningConfiguration={"scanOnPush": True},
)["repository"]
arn = made["repositoryArn"]
assert arn == f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{NAME}", made
assert made["imageTagMutability"] == "IMMUTABLE", made
assert made["imageScanningConfiguration"] == {"scanOnPush": True}, made
assert made["encryptionConfiguration"] == {"encryptionType": "AES256"}, made
said = refused(errors.RepositoryAlreadyExistsException, ecr.create_repository, repositoryName=NAME)
assert NAME in said, said
refused(errors.InvalidParameterException, ecr.create_repository, repositoryName="Bad_Name!")

for at in range(4):
    ecr.create_repository(repositoryName=f"page/{at}")
pages = list(
    ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
)
names = [found["repositoryName"] for page in pages for found in page["repositories"]]
assert len(pages) == 3 and sorted(names) == [*(f"page/{at}" for at in range(4)), NAME], names

assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == tags
ecr.tag_resource(resourceArn=arn, tags=[{"Key": "stage", "Value": "test"}])
ecr.untag_resource(resourceArn=arn, tagKeys=["team"])
assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "stage", "Value": "test"}]

filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
changed = ecr.put_image_tag_mutability(
    repositoryName=NAME,
    imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters=filters,
)
assert changed["imageTagMutabilityExclusionFilters"] == filters, changed
ecr.put_image_scanning_configuration(
    repositoryName=NAME, imageScanningConfiguration={"scanOnPush": False}
)
[now] = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
assert now["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION", now
assert now["imageTagMutabilityExclusionFilters"] == filters, now
assert now["imageScanningConfiguration"] == {"scanOnPush": False}, now

get = ecr.get_repository_policy
refused(errors.RepositoryPolicyNotFoundException, get, repositoryName=NAME)
text = policy("ecr:BatchGetImage")
ecr.set_repository_policy(repositoryName=NAME, policyText=text)
assert json.loads(get(repositoryName=NAME)["policyText"]) == json.loads(text)
refused(
    errors.InvalidParameterException, ecr.set_repository_policy, repositoryName=NAME, policyText="{"
)
ecr.delete_repository_policy(repositoryName=NAME)
refused(errors.RepositoryPolicyNotFoundException, ecr.delete_repository_policy, repositoryName=NAME)

lifecycle = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
get = ecr.get_lifecycle_policy
refused(errors.LifecyclePolicyNotFoundException, get, repositoryName=NAME)
ecr.put_lifecycle_policy(repositoryName=NAME, lifecyclePolicyText=lifecycle)
assert json.loads(get(repositoryName=NAME)["lifecyclePolicyText"]) == json.loads(lifecycle)
refused(
    errors.InvalidParameterException,
    ecr.put_lifecycle_policy,
    repositoryName=NAME,
    lifecyclePolicyText=lifecycle.replace("expire", "explode"),
)
ecr.delete_lifecycle_policy(repositoryName=NAME)
refused(errors.LifecyclePolicyNotFoundException, get, repositoryName=NAME)

registry = ecr.describe_registry()
assert registry["registryId"] == ACCOUNT, registry
refused(errors.RegistryPolicyNotFoundException, ecr.get_registry_policy)
text = policy("ecr:ReplicateImage", Resource=f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/*")
assert ecr.put_registry_policy(policyText=text)["registryId"] == ACCOUNT
assert json.loads(ecr.get_registry_policy()["policyText"]) == json.loads(text)
ecr.delete_registry_policy()
refused(errors.RegistryPolicyNotFoundException, ecr.delete_registry_policy)
rules = [
    {
        "destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}],
        "repositoryFilters": [{"filter": "team", "filterType": "PREFIX_MATCH"}],
    }
]
ecr.put_replication_configuration(replicationConfiguration={"rules": rules})
assert ecr.describe_registry()["replicationConfiguration"]["rules"] == rules
ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])
scanning = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
assert scanning == {"scanType": "BASIC", "rules": []}, scanning
ecr.put_account_setting(name="BASIC_SCAN_TYPE_VERSION", value="AWS_NATIVE")
assert ecr.get_account_setting(name="BASIC_SCAN_TYPE_VERSION")["value"] == "AWS_NATIVE"

deleted = ecr.delete_repository(repositoryName=NAME)["repository"]
assert deleted["repositoryArn"] == arn, deleted
for operation in [ecr.delete_repository, ecr.get_lifecycle_policy, ecr.describe_images]:
    assert NAME in refused(errors.RepositoryNotFoundException, operation, repositoryName=NAME)

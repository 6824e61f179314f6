"""The life of a secret as boto3 sees it: versions, labels, lists, tags, policies, the way back."""

import json

import boto3

secrets = boto3.client("secretsmanager")
NAME = "ecr-pullthroughcache/hub"

made = secrets.create_secret(Name=NAME, SecretString="one", Description="Docker Hub")
put = secrets.put_secret_value(SecretId=NAME, SecretString="two")
assert put["VersionStages"] == ["AWSCURRENT"], put
token = put["VersionId"]
again = secrets.put_secret_value(SecretId=NAME, SecretString="two", ClientRequestToken=token)
assert again["VersionId"] == token, again
try:
    secrets.put_secret_value(SecretId=NAME, SecretString="three", ClientRequestToken=token)
    raise AssertionError("a token was used for two values")
except secrets.exceptions.ResourceExistsException as error:
    assert token in error.response["Error"]["Message"], error
previous = secrets.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")
assert (previous["SecretString"], previous["VersionId"]) == ("one", made["VersionId"]), previous

secrets.update_secret_version_stage(
    SecretId=NAME,
    VersionStage="AWSCURRENT",
    MoveToVersionId=made["VersionId"],
    RemoveFromVersionId=token,
)
assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "one"
updated = secrets.update_secret(SecretId=made["ARN"], Description="the hub", SecretBinary=b"\x00\xff")
assert secrets.get_secret_value(SecretId=NAME)["SecretBinary"] == b"\x00\xff"
first = secrets.list_secret_version_ids(SecretId=NAME, IncludeDeprecated=True, MaxResults=2)
rest = secrets.list_secret_version_ids(
    SecretId=NAME, IncludeDeprecated=True, NextToken=first["NextToken"]
)
versions = [version["VersionId"] for version in first["Versions"] + rest["Versions"]]
assert versions == [made["VersionId"], token, updated["VersionId"]], versions

assert secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "team", "Value": "web"}])
secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "stage", "Value": "test"}])
secrets.untag_resource(SecretId=NAME, TagKeys=["stage"])
described = secrets.describe_secret(SecretId=NAME)
assert described["Tags"] == [{"Key": "team", "Value": "web"}], described
assert described["Description"] == "the hub", described

assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=NAME)
policy = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
            }
        ],
    }
)
secrets.put_resource_policy(SecretId=NAME, ResourcePolicy=policy, BlockPublicPolicy=True)
assert secrets.get_resource_policy(SecretId=NAME)["ResourcePolicy"] == policy
try:
    secrets.put_resource_policy(SecretId=NAME, ResourcePolicy="{")
    raise AssertionError("a broken policy was kept")
except secrets.exceptions.MalformedPolicyDocumentException:
    pass
secrets.delete_resource_policy(SecretId=NAME)
assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=NAME)

for name in ["ecr-pullthroughcache/quay", "other"]:
    secrets.create_secret(Name=name, SecretString="x")


def listed(**arguments):
    pages = secrets.get_paginator("list_secrets").paginate(
        PaginationConfig={"PageSize": 1}, SortBy="name", **arguments
    )
    return [secret["Name"] for page in pages for secret in page["SecretList"]]


both = ["ecr-pullthroughcache/hub", "ecr-pullthroughcache/quay"]
assert listed() == both + ["other"], listed()
# What the console of ECR asks for its list of secrets.
of_rules = [{"Key": "name", "Values": ["ecr-pullthroughcache/"]}]
assert listed(Filters=of_rules) == both
assert listed(Filters=[{"Key": "tag-value", "Values": ["web"]}]) == both[:1]
assert listed(Filters=[{"Key": "name", "Values": ["!ecr-"]}]) == ["other"]

secrets.delete_secret(SecretId=NAME)
assert listed(Filters=of_rules) == both[1:]
assert listed(Filters=of_rules, IncludePlannedDeletion=True, SortOrder="desc") == both[::-1]
try:
    secrets.put_secret_value(SecretId=NAME, SecretString="four")
    raise AssertionError("a secret that is to go was changed")
except secrets.exceptions.InvalidRequestException as error:
    assert "marked for deletion" in error.response["Error"]["Message"], error
secrets.restore_secret(SecretId=NAME)
assert "DeletedDate" not in secrets.describe_secret(SecretId=NAME)

batch = secrets.batch_get_secret_value(SecretIdList=[NAME, "none"])
assert [value["Name"] for value in batch["SecretValues"]] == [NAME], batch
assert batch["Errors"][0]["ErrorCode"] == "ResourceNotFoundException", batch
page = secrets.batch_get_secret_value(Filters=of_rules, MaxResults=1)
rest = secrets.batch_get_secret_value(Filters=of_rules, NextToken=page["NextToken"])
names = [value["Name"] for value in page["SecretValues"] + rest["SecretValues"]]
assert names == both and "NextToken" not in rest, names
drawn = secrets.get_random_password(PasswordLength=20, ExcludePunctuation=True)["RandomPassword"]
assert len(drawn) == 20 and drawn.isalnum(), len(drawn)
open_to_all = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
checked = secrets.validate_resource_policy(ResourcePolicy=json.dumps({"Statement": open_to_all}))
assert not checked["PolicyValidationPassed"] and checked["ValidationErrors"], checked
try:
    secrets.rotate_secret(SecretId=NAME)
    raise AssertionError("a rotation without Lambda")
except secrets.exceptions.ClientError as error:
    assert "Lambda" in error.response["Error"]["Message"], error

"""What boto3 makes of the answers: typed exceptions, times, paginators."""

import datetime
import json

import boto3

ecr = boto3.client("ecr")
secrets = boto3.client("secretsmanager")

account = json.dumps({"username": "alice", "accessToken": "s3cret"})
secret = secrets.create_secret(Name="ecr-pullthroughcache/hub", SecretString=account)
assert secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"] == account

made = ecr.create_pull_through_cache_rule(
    ecrRepositoryPrefix="hub",
    upstreamRegistryUrl="registry-1.docker.io",
    credentialArn=secret["ARN"],
)
assert made["credentialArn"] == secret["ARN"], made
age = datetime.datetime.now(datetime.timezone.utc) - made["createdAt"]
assert abs(age) < datetime.timedelta(minutes=5), made
for prefix, url in [("quay", "quay.io"), ("k8s", "registry.k8s.io")]:
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=url)

pages = ecr.get_paginator("describe_pull_through_cache_rules").paginate(
    PaginationConfig={"PageSize": 2}
)
listed = [[rule["ecrRepositoryPrefix"] for rule in page["pullThroughCacheRules"]] for page in pages]
assert [len(page) for page in listed] == [2, 1], listed
assert sorted(sum(listed, [])) == ["hub", "k8s", "quay"], listed

try:
    ecr.create_pull_through_cache_rule(
        ecrRepositoryPrefix="quay", upstreamRegistryUrl="quay.io"
    )
    raise AssertionError("a second rule on one prefix was made")
except ecr.exceptions.PullThroughCacheRuleAlreadyExistsException as error:
    assert "quay" in error.response["Error"]["Message"], error

other = secrets.create_secret(Name="ecr-pullthroughcache/other", SecretString=account)["ARN"]
updated = ecr.update_pull_through_cache_rule(
    ecrRepositoryPrefix="hub", credentialArn=other, customRoleArn="arn:aws:iam::000000000000:role/x"
)
assert updated["credentialArn"] == other and updated["updatedAt"] >= made["createdAt"], updated
tried = ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="hub")
# Nobody is at the other end: that is an answer, not an exception.
assert tried["isValid"] is False and tried["failure"], tried


def refused(kind, operation, **parameters):
    """The sentence of an exception of that class."""
    try:
        operation(**parameters)
    except kind as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error.response
        assert len(error.response["ResponseMetadata"]["RequestId"]) == 36, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{kind.__name__} was not raised")


errors = ecr.exceptions
create = ecr.create_pull_through_cache_rule
said = refused(
    errors.InvalidParameterException, create, ecrRepositoryPrefix="Hub", upstreamRegistryUrl="quay.io"
)
assert "ecrRepositoryPrefix" in said, said
refused(
    errors.UnsupportedUpstreamRegistryException,
    create,
    ecrRepositoryPrefix="ftp",
    upstreamRegistryUrl="ftp://quay.io",
)
gone = other.replace("other", "gone")
for operation, more in [(create, {"upstreamRegistryUrl": "ghcr.io"}), (ecr.update_pull_through_cache_rule, {})]:
    prefix = "gone" if more else "hub"
    parameters = {"ecrRepositoryPrefix": prefix, "credentialArn": gone, **more}
    refused(errors.SecretNotFoundException, operation, **parameters)
absent = errors.PullThroughCacheRuleNotFoundException
for operation in [ecr.validate_pull_through_cache_rule, ecr.delete_pull_through_cache_rule]:
    assert "absent" in refused(absent, operation, ecrRepositoryPrefix="absent")
refused(absent, ecr.describe_pull_through_cache_rules, ecrRepositoryPrefixes=["quay", "absent"])
refused(
    absent,
    ecr.update_pull_through_cache_rule,
    ecrRepositoryPrefix="absent",
    customRoleArn="arn:aws:iam::000000000000:role/x",
)
wrong_page = {"nextToken": "nonsense"}
refused(errors.InvalidParameterException, ecr.describe_pull_through_cache_rules, **wrong_page)

ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")
try:
    ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")
    raise AssertionError("a rule was deleted twice")
except ecr.exceptions.PullThroughCacheRuleNotFoundException:
    pass

secrets.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
try:
    secrets.get_secret_value(SecretId=secret["ARN"])
    raise AssertionError("a deleted secret was read")
except secrets.exceptions.ResourceNotFoundException:
    pass

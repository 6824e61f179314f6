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

"""Roles as boto3 sees them: every answer is read by botocore's own model of IAM."""

import json

import boto3

iam = boto3.client("iam")
NAME = "ptc"
BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
PULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
trust = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "pullthroughcache.ecr.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
permissions = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["ecr:*"], "Resource": "*"},
}

made = iam.create_role(
    RoleName=NAME,
    Path="/team/",
    AssumeRolePolicyDocument=json.dumps(trust),
    Description="pulls é",
    MaxSessionDuration=7200,
    PermissionsBoundary=BOUNDARY,
    Tags=[{"Key": "team", "Value": "web"}, {"Key": "empty", "Value": ""}],
)["Role"]
assert made["AssumeRolePolicyDocument"] == trust, made
assert made["Arn"].endswith(":role/team/ptc") and made["RoleId"].startswith("AROA"), made
assert made["CreateDate"].tzinfo is not None, made
held = iam.get_role(RoleName=NAME)["Role"]
assert held == made, (held, made)
assert held["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY, held

try:
    iam.create_role(RoleName="PTC", AssumeRolePolicyDocument=json.dumps(trust))
    raise AssertionError("two roles of one name")
except iam.exceptions.EntityAlreadyExistsException as error:
    assert "already exists" in error.response["Error"]["Message"], error
try:
    iam.create_role(RoleName="other", AssumeRolePolicyDocument="{")
    raise AssertionError("a policy that is no JSON")
except iam.exceptions.MalformedPolicyDocumentException as error:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error

iam.update_role(RoleName=NAME, Description="pulls more", MaxSessionDuration=3600)
described = iam.update_role_description(RoleName=NAME, Description="pulls")["Role"]
assert (described["Description"], described["MaxSessionDuration"]) == ("pulls", 3600), described
iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=json.dumps(trust))
iam.delete_role_permissions_boundary(RoleName=NAME)
iam.put_role_permissions_boundary(RoleName=NAME, PermissionsBoundary=BOUNDARY)

for name in ["pull", "push"]:
    iam.put_role_policy(
        RoleName=NAME, PolicyName=name, PolicyDocument=json.dumps(permissions)
    )
inline = iam.get_role_policy(RoleName=NAME, PolicyName="pull")
assert inline["PolicyDocument"] == permissions, inline
pages = iam.get_paginator("list_role_policies").paginate(
    RoleName=NAME, PaginationConfig={"PageSize": 1}
)
assert [page["PolicyNames"] for page in pages] == [["pull"], ["push"]]
iam.attach_role_policy(RoleName=NAME, PolicyArn=PULL)
attached = iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
assert attached == [{"PolicyName": PULL.rsplit("/")[-1], "PolicyArn": PULL}], attached
assert iam.list_instance_profiles_for_role(RoleName=NAME)["InstanceProfiles"] == []

iam.tag_role(RoleName=NAME, Tags=[{"Key": "Team", "Value": "ops"}])
iam.untag_role(RoleName=NAME, TagKeys=["empty"])
assert iam.list_role_tags(RoleName=NAME)["Tags"] == [{"Key": "Team", "Value": "ops"}]
listed = iam.list_roles(PathPrefix="/team/")["Roles"]
assert [role["RoleName"] for role in listed] == [NAME], listed
assert "Tags" not in listed[0], listed

try:
    iam.delete_role(RoleName=NAME)
    raise AssertionError("a role with policies was deleted")
except iam.exceptions.DeleteConflictException as error:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409, error
iam.detach_role_policy(RoleName=NAME, PolicyArn=PULL)
for name in ["pull", "push"]:
    iam.delete_role_policy(RoleName=NAME, PolicyName=name)
iam.delete_role(RoleName=NAME)
try:
    iam.get_role(RoleName=NAME)
    raise AssertionError("a role that was deleted")
except iam.exceptions.NoSuchEntityException as error:
    assert error.response["Error"]["Message"] == "The role with name ptc cannot be found.", error

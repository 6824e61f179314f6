"""Repository creation templates as boto3 sees them."""

import json

import boto3

ecr = boto3.client("ecr")
errors = ecr.exceptions


def refused(kind, operation, **parameters):
    """The sentence of an exception of that class."""
    try:
        operation(**parameters)
    except kind as error:
        return error.response["Error"]["Message"]
    raise AssertionError(f"{kind.__name__} was not raised")


lifecycle = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": 10,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
made = ecr.create_repository_creation_template(
    prefix="hub",
    description="what Docker Hub gives",
    appliedFor=["PULL_THROUGH_CACHE"],
    imageTagMutability="IMMUTABLE",
    lifecyclePolicy=lifecycle,
    resourceTags=[{"Key": "team", "Value": "web"}],
    customRoleArn="arn:aws:iam::000000000000:role/templates",
)
template = made["repositoryCreationTemplate"]
assert made["registryId"] == "000000000000", made
assert template["prefix"] == "hub" and template["imageTagMutability"] == "IMMUTABLE", template
assert json.loads(template["lifecyclePolicy"]) == json.loads(lifecycle), template
refused(
    errors.TemplateAlreadyExistsException,
    ecr.create_repository_creation_template,
    prefix="hub",
    appliedFor=["PULL_THROUGH_CACHE"],
)
for prefix in ["ROOT", "quay"]:
    ecr.create_repository_creation_template(prefix=prefix, appliedFor=["PULL_THROUGH_CACHE"])
pages = list(
    ecr.get_paginator("describe_repository_creation_templates").paginate(
        PaginationConfig={"PageSize": 2}
    )
)
found = [item["prefix"] for page in pages for item in page["repositoryCreationTemplates"]]
assert len(pages) == 2 and sorted(found) == ["ROOT", "hub", "quay"], found
# An unknown prefix is no error here, unlike a rule's.
some = ecr.describe_repository_creation_templates(prefixes=["hub", "absent"])
assert [item["prefix"] for item in some["repositoryCreationTemplates"]] == ["hub"], some

updated = ecr.update_repository_creation_template(prefix="hub", description="changed")
assert updated["repositoryCreationTemplate"]["description"] == "changed", updated
assert updated["repositoryCreationTemplate"]["imageTagMutability"] == "IMMUTABLE", updated
deleted = ecr.delete_repository_creation_template(prefix="hub")
assert deleted["repositoryCreationTemplate"]["prefix"] == "hub", deleted
for operation in [
    ecr.delete_repository_creation_template,
    ecr.update_repository_creation_template,
]:
    refused(errors.TemplateNotFoundException, operation, prefix="hub")
refused(
    errors.InvalidParameterException,
    ecr.create_repository_creation_template,
    prefix="Bad_Name!",
    appliedFor=["PULL_THROUGH_CACHE"],
)

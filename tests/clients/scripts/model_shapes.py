"""Holds what the server answers against botocore's own model, operation by operation.

For every operation that is offered: requests made of the model's input shape (only what is required,
each other member alone, all of them), and each member once with a type that it has not. Every answer
must be made of members of the modelled output, with their types and constraints; every refusal must be
an exception that the model gives the operation, with no more members than it has; a member with a
wrong type must be refused by its name, for only a member that the server reads can be.

Arguments: a repository that holds an image, the image's tag, and the file for what is offered.
"""

import base64
import datetime
import hashlib
import http.client
import itertools
import json
import os
import re
import sys
import urllib.parse
import uuid
import xml.etree.ElementTree as ElementTree

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.serialize
import botocore.session

REPOSITORY, TAG, REPORT = sys.argv[1:4]
ACCOUNT, REGION = "000000000000", "us-east-1"
ENDPOINT = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
KEYS = botocore.credentials.Credentials(
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
)
SERVICES = {
    "ecr": "Amazon ECR",
    "secretsmanager": "AWS Secrets Manager",
    "cloudcontrol": "AWS Cloud Control API",
    "sts": "AWS STS",
    "iam": "AWS IAM",
}
# What the front ends of the services answer, whatever the operation.
COMMON = {
    "ecr": {"AccessDeniedException", "SerializationException"},
    "secretsmanager": {"AccessDeniedException", "SerializationException", "ValidationException"},
    "cloudcontrol": {"AccessDeniedException", "SerializationException", "ValidationException"},
    "sts": {"AccessDenied", "ValidationError", "MissingParameter"},
    "iam": {"AccessDenied", "ValidationError", "MissingParameter"},
}
# A service that is not there at all takes no signature that is made for it.
NOT_OFFERED = {"UnknownOperationException", "InvalidAction", "SignatureDoesNotMatch"}

problems = []
seen = {}


def problem(where, text):
    problems.append(f"{where}: {text}")


# --- Sample values ---------------------------------------------------------------------------------

LAYER = b"a layer that the samples push"
LAYER_DIGEST = "sha256:" + hashlib.sha256(LAYER).hexdigest()
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": LAYER_DIGEST,
        "size": len(LAYER),
    },
    "layers": [
        {
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": LAYER_DIGEST,
            "size": len(LAYER),
        }
    ],
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"


def policy(action, **more):
    statement = {
        "Sid": "model",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": action,
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep ten",
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
counts = {}


def fresh(stem):
    """The stem itself at first, then names of its own: what is made twice is two things."""
    counts[stem] = counts.get(stem, 0) + 1
    return stem if counts[stem] == 1 else f"{stem}-{counts[stem]}"


def answered(member, default="none"):
    """The last value of an output member of that name."""
    return lambda: seen.get(member, default)


# By `Operation.member`, or by the member's name alone; the first that is there counts.
SAMPLES = {
    "ecr": {
        "CreatePullThroughCacheRule.ecrRepositoryPrefix": lambda: fresh("rule"),
        "ecrRepositoryPrefix": "rule",
        "ecrRepositoryPrefixes": ["rule"],
        "upstreamRegistryUrl": "quay.io",
        "upstreamRegistry": "quay",
        "upstreamRepositoryPrefix": "team",
        "credentialArn": answered("secret:ARN"),
        "customRoleArn": ROLE,
        "registryId": ACCOUNT,
        "registryIds": [ACCOUNT],
        "CreateRepository.repositoryName": lambda: fresh("model/app"),
        "DeleteRepository.repositoryName": lambda: f"model/app-{next(doomed)}",
        "DescribeImages.repositoryName": REPOSITORY,
        "ListImages.repositoryName": REPOSITORY,
        "BatchGetImage.repositoryName": REPOSITORY,
        "BatchCheckLayerAvailability.repositoryName": REPOSITORY,
        "GetDownloadUrlForLayer.repositoryName": REPOSITORY,
        "repositoryName": "model/app",
        "DescribeRepositories.repositoryNames": [REPOSITORY],
        "repositoryNames": ["model/app"],
        "BatchDeleteImage.imageIds": [{"imageTag": "pushed"}],
        "imageIds": [{"imageTag": TAG}],
        "imageId": lambda: {"imageDigest": seen.get("imageDigest", LAYER_DIGEST)},
        "subjectId": lambda: {"imageDigest": seen.get("imageDigest", LAYER_DIGEST)},
        "PutImage.imageTag": "pushed",
        "imageTag": TAG,
        "imageManifest": lambda: json.dumps(MANIFEST),
        "PutImage.imageDigest": lambda: "sha256:"
        + hashlib.sha256(json.dumps(MANIFEST).encode()).hexdigest(),
        "imageManifestMediaType": MANIFEST["mediaType"],
        "acceptedMediaTypes": [MANIFEST["mediaType"]],
        "layerDigest": answered("layer", LAYER_DIGEST),
        "CompleteLayerUpload.layerDigests": [LAYER_DIGEST],
        "layerDigests": lambda: [seen.get("layer", LAYER_DIGEST)],
        "uploadId": answered("uploadId", str(uuid.uuid4())),
        "layerPartBlob": base64.b64encode(LAYER).decode(),
        "partFirstByte": 0,
        "partLastByte": len(LAYER) - 1,
        "resourceArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/model/app",
        "tags": [{"Key": "team", "Value": "web"}],
        "resourceTags": [{"Key": "team", "Value": "web"}],
        "tagKeys": ["team"],
        "PutRegistryPolicy.policyText": policy(
            "ecr:ReplicateImage", Resource=f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"
        ),
        "policyText": policy("ecr:BatchGetImage"),
        "repositoryPolicy": policy("ecr:BatchGetImage"),
        "lifecyclePolicyText": LIFECYCLE,
        "lifecyclePolicy": LIFECYCLE,
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "CreateRepositoryCreationTemplate.prefix": lambda: fresh("template"),
        "prefix": "template",
        "DescribeRepositoryCreationTemplates.prefixes": ["template"],
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "description": "for the model",
        "scanType": "BASIC",
        "rules": [
            {
                "scanFrequency": "SCAN_ON_PUSH",
                "repositoryFilters": [{"filter": "model*", "filterType": "WILDCARD"}],
            }
        ],
        "scanningRepositoryNames": ["model/app"],
        "replicationConfiguration": {
            "rules": [
                {
                    "destinations": [{"region": "eu-west-1", "registryId": ACCOUNT}],
                    "repositoryFilters": [{"filter": "model", "filterType": "PREFIX_MATCH"}],
                }
            ]
        },
        "name": "BASIC_SCAN_TYPE_VERSION",
        "value": "AWS_NATIVE",
        "principalArn": ROLE,
        "maxResults": 5,
        "nextToken": "nonsense",
        "force": True,
    },
    "secretsmanager": {
        "CreateSecret.Name": lambda: fresh("ecr-pullthroughcache/model"),
        "DeleteSecret.SecretId": lambda: f"ecr-pullthroughcache/model-{next(doomed)}",
        "RestoreSecret.SecretId": lambda: f"ecr-pullthroughcache/model-{next(restored)}",
        "SecretId": "ecr-pullthroughcache/model",
        "SecretIdList": ["ecr-pullthroughcache/model"],
        "ClientRequestToken": lambda: str(uuid.uuid4()),
        "Description": "for the model",
        "KmsKeyId": "alias/aws/secretsmanager",
        "SecretString": '{"username":"alice","accessToken":"s3cret"}',
        "SecretBinary": base64.b64encode(b"\0\xff").decode(),
        "UpdateSecretVersionStage.VersionStage": "moved",
        "VersionStage": "AWSCURRENT",
        "VersionStages": ["AWSCURRENT", "model"],
        "VersionId": answered("VersionId"),
        "MoveToVersionId": answered("VersionId"),
        "RemoveFromVersionId": answered("VersionId"),
        "Tags": [{"Key": "team", "Value": "web"}],
        "TagKeys": ["team"],
        "Filters": [{"Key": "name", "Values": ["ecr-pullthroughcache/"]}],
        "ResourcePolicy": policy("secretsmanager:GetSecretValue", Resource="*"),
        "AddReplicaRegions": [{"Region": "eu-west-1"}],
        "RemoveReplicaRegions": ["eu-west-1"],
        "RecoveryWindowInDays": 7,
        "MaxResults": 5,
        "NextToken": "nonsense",
        "ExcludeCharacters": "l1O0",
        "PasswordLength": 24,
        "SortBy": "name",
    },
    "cloudcontrol": {
        "TypeName": "AWS::ECR::PullThroughCacheRule",
        "CreateResource.DesiredState": lambda: json.dumps(
            {"EcrRepositoryPrefix": fresh("cloud"), "UpstreamRegistryUrl": "quay.io"}
        ),
        "Identifier": "cloud",
        "DeleteResource.Identifier": lambda: f"cloud-{next(doomed)}",
        "PatchDocument": '[{"op":"add","path":"/UpstreamRegistryUrl","value":"quay.io"}]',
        "RequestToken": answered("RequestToken", str(uuid.uuid4())),
        "ClientToken": lambda: str(uuid.uuid4()),
        "ResourceModel": "{}",
        "RoleArn": ROLE,
        "TypeVersionId": "00000001",
        "PublicTypeArn": None,
        "MaxResults": 5,
        "NextToken": "nonsense",
        "ResourceRequestStatusFilter": {"Operations": ["CREATE"], "OperationStatuses": ["SUCCESS"]},
    },
    "iam": {
        "CreateRole.RoleName": lambda: fresh("role"),
        "DeleteRole.RoleName": lambda: f"role-{next(doomed)}",
        "RoleName": "role",
        "Path": "/",
        "PathPrefix": "/",
        "AssumeRolePolicyDocument": policy("sts:AssumeRole"),
        "UpdateAssumeRolePolicy.PolicyDocument": policy("sts:AssumeRole"),
        "PolicyDocument": json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}],
            }
        ),
        "PolicyName": "model",
        "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "Description": "for the model",
        "MaxSessionDuration": 3600,
        "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "Tags": [{"Key": "team", "Value": "web"}],
        "TagKeys": ["team"],
        "MaxItems": 5,
        "Marker": "nonsense",
    },
    "sts": {
        # The first that the samples of IAM make.
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/role",
        "RoleSessionName": "model",
        "AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"],
        "DurationSeconds": 900,
    },
}

# Things that samples make are "stem", "stem-2", "stem-3" and so on; what is deleted is never the first,
# and what is restored was deleted.
doomed = restored = itertools.count(2)

# What an operation wants beside its required members to succeed.
BESIDES = {
    "UpdatePullThroughCacheRule": ["customRoleArn"],
    "PutImageTagMutability": ["imageTagMutabilityExclusionFilters"],
    "PutImage": ["imageTag"],
    "PutSecretValue": ["SecretString"],
    "UpdateSecretVersionStage": ["MoveToVersionId"],
    "PutRegistryScanningConfiguration": ["scanType"],
    "ListImageReferrers": [],
    "BatchGetSecretValue": ["SecretIdList"],
}

# What cannot succeed, and why.
NEVER = {
    # A request has ended before it is answered: there is nothing to cancel.
    "CancelResourceRequest",
}

# Making, then changing, then looking, then taking away.
FIRST = [
    "CreateSecret",
    "CreateRepository",
    "InitiateLayerUpload",
    "UploadLayerPart",
    "CompleteLayerUpload",
    "PutImage",
    "Create",
    "Put",
    "StartLifecyclePolicyPreview",
    "Set",
    "Attach",
    "Register",
    "Tag",
]
LAST = ["Untag", "Detach", "Deregister", "BatchDelete", "Delete", "Restore"]


def order(operation):
    for at, start in enumerate(FIRST):
        if operation.startswith(start):
            return at
    for at, start in enumerate(LAST):
        if operation.startswith(start):
            return 200 + at
    return 100


def sample(service, operation, name, shape, stack=()):
    """A value of the shape that the service may well accept."""
    table = SAMPLES[service]
    kind = shape.type_name
    value = table.get(f"{operation}.{name}", table.get(name))
    if value is not None:
        value = value() if callable(value) else value
        # The member of a structure may be called as another one is that is no text.
        if isinstance(value, dict) == (kind in ("structure", "map")) and isinstance(value, list) == (
            kind == "list"
        ):
            return value
    if kind == "structure":
        if shape.name in stack:
            return {}
        inner = stack + (shape.name,)
        return {
            member: sample(service, operation, member, of, inner)
            for member, of in shape.members.items()
            if member in shape.required_members
        }
    if kind == "list":
        return [sample(service, operation, name + "[]", shape.member, stack)]
    if kind == "map":
        return {"key": sample(service, operation, name + "{}", shape.value, stack)}
    if kind in ("integer", "long"):
        return shape.metadata.get("min", 1)
    if kind in ("float", "double"):
        return 1.5
    if kind == "boolean":
        return True
    if kind == "timestamp":
        return 1700000000
    if kind == "blob":
        return base64.b64encode(b"x").decode()
    if shape.enum:
        return shape.enum[0]
    return "x" * max(shape.metadata.get("min", 1), 1)


# --- The wire --------------------------------------------------------------------------------------


class Service:
    def __init__(self, name):
        self.name = name
        self.model = botocore.session.get_session().get_service_model(name)
        self.json = self.model.protocol == "json"
        self.connection = http.client.HTTPConnection(ENDPOINT.netloc, timeout=60)

    def send(self, operation, parameters):
        model = self.model.operation_model(operation)
        headers = {}
        if self.json:
            version = self.model.metadata["jsonVersion"]
            headers["Content-Type"] = f"application/x-amz-json-{version}"
            headers["X-Amz-Target"] = f"{self.model.metadata['targetPrefix']}.{operation}"
            body = json.dumps(parameters).encode()
        else:
            serializer = botocore.serialize.create_serializer("query", False)
            form = serializer.serialize_to_request(parameters, model)["body"]
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
            body = urllib.parse.urlencode(form).encode()
        request = botocore.awsrequest.AWSRequest(
            "POST", f"{ENDPOINT.scheme}://{ENDPOINT.netloc}/", headers, body
        )
        signing_name = self.model.signing_name
        botocore.auth.SigV4Auth(KEYS, signing_name, REGION).add_auth(request)
        prepared = request.prepare()
        self.connection.request("POST", "/", body, dict(prepared.headers))
        answer = self.connection.getresponse()
        return answer.status, answer.read()


# --- Answers ---------------------------------------------------------------------------------------


def conforms(where, shape, value):
    """Reports what of the value the shape does not know."""
    kind = shape.type_name
    types = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "character": str,
        "blob": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float),
    }
    wrong = not isinstance(value, types[kind])
    if wrong or (isinstance(value, bool) and kind != "boolean"):
        return problem(where, f"is {json.dumps(value)[:80]}, not a {kind}")
    if kind == "structure":
        for member in shape.required_members:
            if member not in value:
                problem(where, f"lacks {member}")
        for member, inner in value.items():
            if member in shape.members:
                conforms(f"{where}.{member}", shape.members[member], inner)
            else:
                problem(where, f"has {member}, which the model does not know")
    elif kind == "list":
        for element in value:
            conforms(f"{where}[]", shape.member, element)
    elif kind == "map":
        for key, inner in value.items():
            conforms(f"{where}.key", shape.key, key)
            conforms(f"{where}.{key}", shape.value, inner)
    elif kind == "string":
        constrained(where, shape, value)
    elif kind == "blob":
        base64.b64decode(value, validate=True)


def constrained(where, shape, value):
    if shape.enum and value not in shape.enum:
        problem(where, f"{value!r} is none of {shape.enum}")
    if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)):
        problem(where, f"{value!r} has a length that the model does not allow")
    pattern = shape.metadata.get("pattern")
    # Java's classes of code points are none of Python's: such a pattern is left out.
    if pattern and "\\p" not in pattern and "\\u{" not in pattern:
        if not re.fullmatch(pattern.strip("^$"), value, re.S):
            problem(where, f"{value!r} does not match {pattern}")


def from_xml(where, shape, element):
    """What the element holds, as the JSON protocols would write it."""
    kind = shape.type_name
    if kind == "structure":
        names = {of.serialization.get("name", member): member for member, of in shape.members.items()}
        value = {}
        for child in element:
            tag = child.tag.split("}")[-1]
            if tag not in names:
                problem(where, f"has {tag}, which the model does not know")
                continue
            member = names[tag]
            value[member] = from_xml(f"{where}.{member}", shape.members[member], child)
        return value
    if kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for child in element:
            if child.tag.split("}")[-1] != wanted:
                problem(where, f"has an element {child.tag}, not {wanted}")
        return [from_xml(f"{where}[]", shape.member, child) for child in element]
    text = element.text or ""
    if kind in ("integer", "long"):
        return int(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return text


def judge(service, operation, parameters, status, body):
    """Holds one answer against the model; gives the output, or None for a refusal."""
    model = service.model.operation_model(operation)
    where = f"{service.name} {operation} {json.dumps(parameters)[:160]}"
    if status == 200:
        output = read_output(service, operation, where, model, body)
        if output is not None:
            remember(service.name, output)
        return output
    code, extra = read_error(service, body)
    modelled = {shape.metadata.get("error", {}).get("code", shape.name): shape for shape in model.error_shapes}
    if code in modelled:
        shape = modelled[code]
        wanted = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        if status != wanted or status >= 500:
            problem(where, f"{code} came with {status}, not {wanted}: {body[:300]!r}")
        known = {member.lower() for member in shape.members} | {"message"}
        if not extra <= known:
            problem(where, f"{code} has {extra - known}")
    elif code not in COMMON[service.name] or not 400 <= status < 500:
        problem(where, f"{status} {code} is not modelled: {body[:300]!r}")
    return None


def read_output(service, operation, where, model, body):
    shape = model.output_shape
    if service.json:
        value = json.loads(body)
        if shape is not None:
            conforms(where, shape, value)
        elif value:
            problem(where, f"answers {body[:80]!r}, where the model has nothing")
        return value
    root = ElementTree.fromstring(body)
    tags = [child.tag.split("}")[-1] for child in root]
    if root.tag.split("}")[-1] != f"{operation}Response" or "ResponseMetadata" not in tags:
        problem(where, f"is no answer of the query protocol: {body[:200]!r}")
    if shape is None:
        return {}
    wrapper = shape.serialization.get("resultWrapper")
    result = next((child for child in root if child.tag.split("}")[-1] == wrapper), None)
    if result is None:
        problem(where, f"has no {wrapper}")
        return None
    value = from_xml(where, shape, result)
    conforms(where, shape, value)
    return value


def read_error(service, body):
    if service.json:
        error = json.loads(body)
        members = {member.lower() for member in error if member != "__type"}
        return error["__type"].split("#")[-1], members
    root = ElementTree.fromstring(body)
    error = next(child for child in root if child.tag.split("}")[-1] == "Error")
    texts = {child.tag.split("}")[-1]: child.text for child in error}
    return texts["Code"], set()


def remember(service, output):
    for member, value in output.items():
        if isinstance(value, str):
            seen[member] = value
        elif isinstance(value, dict):
            remember(service, value)
    if service == "secretsmanager" and "ARN" in output:
        seen.setdefault("secret:ARN", output["ARN"])


# --- Requests --------------------------------------------------------------------------------------


def minimal(service, operation, shape):
    wanted = [*shape.required_members, *BESIDES.get(operation, [])] if shape else []
    return {
        name: sample(service.name, operation, name, shape.members[name])
        for name in dict.fromkeys(wanted)
        if name in shape.members
    }


def requests(service, operation, shape):
    """Every request that the samples make, but the first and smallest."""
    if shape is None:
        return
    for member, of in shape.members.items():
        base = minimal(service, operation, shape)
        if member not in base:
            yield {**base, member: sample(service.name, operation, member, of)}
    yield {
        member: sample(service.name, operation, member, of) for member, of in shape.members.items()
    }


def members(shape, path=()):
    """Every member below the shape: its path, and a value of a type that it has not."""
    if len(path) > 8:
        return
    kind = shape.type_name
    if path:
        yield path, shape, {"x": 1} if kind in ("string", "blob", "timestamp") else "x"
    if kind == "structure":
        for name, of in shape.members.items():
            yield from members(of, path + (name,))
    elif kind == "list":
        yield from members(shape.member, path + (0,))
    elif kind == "map":
        yield from members(shape.value, path + ("key",))


def put(target, path, value):
    """Puts the value at the path, making what is on the way."""
    head, *rest = path
    if not rest:
        inner = value
    else:
        inner = put([] if rest[0] == 0 else {}, rest, value)
    if head == 0:
        return [inner]
    return {**target, head: inner}


def refuses_wrong_types(service, operation, shape):
    if shape is None or not service.json:
        return
    for path, _, wrong in members(shape):
        base = minimal(service, operation, shape)
        base.pop(path[0], None)
        parameters = put(base, path, wrong)
        status, body = service.send(operation, parameters)
        where = f"{service.name} {operation} {'.'.join(map(str, path))}"
        code, _ = read_error(service, body) if status != 200 else ("success", None)
        if code != "SerializationException":
            problem(where, f"a wrong type is {status} {code}: is the member read at all?")
        elif str(path[0]) not in body.decode():
            problem(where, f"is not named in {body!r}")


def layer_of_image():
    """Pulls the image, so that it is cached, and remembers one of its layers."""
    connection = http.client.HTTPConnection(ENDPOINT.netloc, timeout=60)
    keys = base64.b64encode(f"{KEYS.access_key}:{KEYS.secret_key}".encode()).decode()
    headers = {"Authorization": f"Basic {keys}", "Accept": MANIFEST["mediaType"]}
    connection.request("GET", f"/v2/{REPOSITORY}/manifests/{TAG}", headers=headers)
    answer = connection.getresponse()
    manifest = json.loads(answer.read())
    assert answer.status == 200, manifest
    seen["layer"] = manifest["layers"][0]["digest"]
    connection.request("GET", f"/v2/{REPOSITORY}/blobs/{seen['layer']}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


def drive(service):
    """Asks for every operation; gives what is offered and what the others say."""
    told = []
    succeeded = set()
    offered = []
    for operation in sorted(service.model.operation_names, key=lambda name: (order(name), name)):
        shape = service.model.operation_model(operation).input_shape
        parameters = minimal(service, operation, shape)
        status, body = service.send(operation, parameters)
        if status != 200 and read_error(service, body)[0] in NOT_OFFERED:
            told.append({"name": operation, "offered": False, "says": says(service, body)})
            continue
        told.append({"name": operation, "offered": True, "says": ""})
        offered.append(operation)
        first = judge(service, operation, parameters, status, body)
        said = body[:300]
        if first is not None:
            succeeded.add(operation)
        for parameters in requests(service, operation, shape):
            status, body = service.send(operation, parameters)
            if judge(service, operation, parameters, status, body) is not None:
                succeeded.add(operation)
        if operation not in succeeded and operation not in NEVER:
            problem(f"{service.name} {operation}", f"never succeeded (SAMPLES, BESIDES): {said!r}")
        refuses_wrong_types(service, operation, shape)
    print(f"{service.name}: {len(offered)} of {len(told)} operations are offered")
    return sorted(told, key=lambda operation: operation["name"])


def says(service, body):
    if service.json:
        error = json.loads(body)
        return error.get("message") or error.get("Message")
    root = ElementTree.fromstring(body)
    return next(element.text for element in root.iter() if element.tag.endswith("Message"))


layer_of_image()
driven = {}
# Rules name secrets, so secrets come first.
# Secrets before the rules that use them, roles before the sessions.
for name in sorted(SERVICES, key=["secretsmanager", "ecr", "cloudcontrol", "iam", "sts"].index):
    doomed, restored = itertools.count(2), itertools.count(2)
    service = Service(name)
    driven[name] = {
        "service": service.model.signing_name,
        "title": SERVICES[name],
        "operations": drive(service),
    }
with open(REPORT, "w") as file:
    json.dump([driven[name] for name in SERVICES], file, indent=1)
if problems:
    sys.exit("\n".join(sorted(set(problems))))

"""Downloads an image through ECR's API alone: its manifest, then each layer by its address."""

import hashlib
import json
import urllib.request

import boto3

REPOSITORY = "docker-hub/library/alpine"
ecr = boto3.client("ecr")


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


pulled = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "3.20"}])
assert pulled["failures"] == [], pulled["failures"]
index = pulled["images"][0]
assert sha256(index["imageManifest"].encode()) == index["imageId"]["imageDigest"]
child = json.loads(index["imageManifest"])["manifests"][0]["digest"]
pulled = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": child}])
manifest = json.loads(pulled["images"][0]["imageManifest"])

for part in [manifest["config"], *manifest["layers"]]:
    digest = part["digest"]
    answer = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=digest)
    assert answer["layerDigest"] == digest
    url = answer["downloadUrl"]
    with urllib.request.urlopen(url) as response:
        content = response.read()
    assert sha256(content) == digest and len(content) == part["size"], digest
    ranged = urllib.request.Request(url, headers={"Range": "bytes=1-9"})
    with urllib.request.urlopen(ranged) as response:
        assert response.status == 206 and response.read() == content[1:10]

pages = ecr.get_paginator("list_images").paginate(
    repositoryName=REPOSITORY, PaginationConfig={"PageSize": 1}
)
ids = [image for page in pages for image in page["imageIds"]]
assert {"imageDigest": index["imageId"]["imageDigest"], "imageTag": "3.20"} in ids, ids
assert {"imageDigest": child} in ids, ids
try:
    ecr.batch_get_image(repositoryName="no/rule", imageIds=[{"imageTag": "1"}])
    raise AssertionError("there is no such repository")
except ecr.exceptions.RepositoryNotFoundException:
    pass

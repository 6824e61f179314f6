"""`GetAuthorizationToken` with the standard library: one SigV4 signature."""

import datetime
import hashlib
import hmac
import http.client
import json

from .processes import BenchFailed

REGION = "us-east-1"
SERVICE = "ecr"
TARGET = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"


def login_header(port, access_key_id, secret_access_key):
    """Asks the registry on loopback for a login token; returns the Authorization header for it."""
    host, body = f"127.0.0.1:{port}", b"{}"
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": host,
        "x-amz-date": now,
        "x-amz-target": TARGET,
    }
    signature, scope = _sign(headers, body, now, secret_access_key)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, "
        f"SignedHeaders={';'.join(sorted(headers))}, Signature={signature}")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise BenchFailed(f"GetAuthorizationToken: {response.status} {answer[:300]!r}")
    return "Basic " + json.loads(answer)["authorizationData"][0]["authorizationToken"]


def _sign(headers, body, now, secret_access_key):
    names = sorted(headers)
    canonical = "\n".join([
        "POST", "/", "", *[f"{name}:{headers[name]}" for name in names], "", ";".join(names),
        hashlib.sha256(body).hexdigest()])
    scope = f"{now[:8]}/{REGION}/{SERVICE}/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret_access_key).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex(), scope

"""The images of the upstream: random bytes, made once and kept under target/bench/content."""

import hashlib
import http.client
import json
import os
import shutil
from pathlib import Path

from .contenders import Upstream
from .processes import BenchFailed

MIB = 1 << 20
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
FORMAT = 1
TAG = "v1"

# repository -> sizes of its layers
FULL = {
    "bench/large": [1024 * MIB],
    "bench/shared": [400 * MIB],
    "bench/small": [16 * 1024, 3000, 5000, 7000, 9000],
    "bench/layers": [2 * MIB] * 8,
}
QUICK = {**FULL, "bench/large": [128 * MIB], "bench/shared": [48 * MIB]}


class Image:
    """One image: its repository, its manifest and what that names."""

    def __init__(self, repository, digest, manifest):
        self.repository = repository
        self.digest = digest
        self.manifest = manifest
        parsed = json.loads(manifest)
        self.layers = [(layer["digest"], layer["size"]) for layer in parsed["layers"]]
        self.blobs = [parsed["config"]["digest"]] + [digest for digest, _ in self.layers]


class Content:
    """The upstream's storage and the same bytes as plain files under the same paths."""

    def __init__(self, directory, sizes):
        self.storage = directory / "storage"
        self.static = directory / "static"
        self.images = {}
        marker = directory / "content.json"
        wanted = {"format": FORMAT, "sizes": sizes}
        made = json.loads(marker.read_text()) if marker.exists() else {}
        if made.get("wanted") != wanted:
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
            made = {"wanted": wanted, "manifests": self._make(directory, sizes)}
            marker.write_text(json.dumps(made))
        for repository, manifest in made["manifests"].items():
            digest = digest_of(manifest.encode())
            self.images[repository.split("/")[1]] = Image(repository, digest, manifest)
        self._read_into_page_cache()

    def _make(self, directory, sizes):
        manifests = {}
        scratch = directory / "upstream"
        with Upstream(self.storage, scratch) as upstream:
            for repository, layer_sizes in sizes.items():
                manifests[repository] = push_random_image(upstream.port, repository, layer_sizes)
        shutil.rmtree(scratch)
        for repository, manifest in manifests.items():
            self._link_static(repository, manifest)
        return manifests

    def _link_static(self, repository, manifest):
        """Hard links: nginx serves the very pages that the upstream serves."""
        image = Image(repository, digest_of(manifest.encode()), manifest)
        base = self.static / "v2" / repository
        paths = [base / "manifests" / TAG, base / "manifests" / image.digest]
        paths += [base / "blobs" / digest for digest in image.blobs]
        for path, digest in zip(paths, [image.digest] * 2 + image.blobs, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                os.link(self._stored(digest), path)

    def _stored(self, digest):
        hexadecimal = digest.removeprefix("sha256:")
        blobs = self.storage / "docker/registry/v2/blobs/sha256"
        return blobs / hexadecimal[:2] / hexadecimal / "data"

    def _read_into_page_cache(self):
        for path in self.static.rglob("*"):
            if path.is_file():
                with open(path, "rb") as file:
                    while file.read(MIB):
                        pass


def digest_of(content):
    """The OCI digest of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def push_random_image(port, repository, layer_sizes):
    """Pushes an image of random layers, tagged; returns its manifest's text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    layers = [
        {"mediaType": LAYER_TYPE, "digest": _push_random(connection, repository, size), "size": size}
        for size in layer_sizes
    ]
    diff_ids = [layer["digest"] for layer in layers]
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": repository} for _ in layers],
    }).encode()
    _push(connection, repository, digest_of(config), [config])
    config = {"mediaType": CONFIG_TYPE, "digest": digest_of(config), "size": len(config)}
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": layers},
        indent=3)
    path = f"/v2/{repository}/manifests/{TAG}"
    _expect(201, connection, "PUT", path, manifest.encode(), {"Content-Type": MANIFEST_TYPE})
    connection.close()
    return manifest


def _push_random(connection, repository, size_bytes):
    """Uploads random bytes in pieces that fit in memory; returns their digest."""
    hashed = hashlib.sha256()

    def pieces():
        left = size_bytes
        while left:
            piece = os.urandom(min(left, 4 * MIB))
            hashed.update(piece)
            left -= len(piece)
            yield piece

    _push(connection, repository, lambda: "sha256:" + hashed.hexdigest(), pieces())
    return "sha256:" + hashed.hexdigest()


def _push(connection, repository, digest, pieces):
    """One upload: POST, a PATCH per piece, PUT with the digest, known by then."""
    location = _expect(202, connection, "POST", f"/v2/{repository}/blobs/uploads/", b"")
    octets = {"Content-Type": "application/octet-stream"}
    for piece in pieces:
        location = _expect(202, connection, "PATCH", location, piece, octets)
    digest = digest() if callable(digest) else digest
    _expect(201, connection, "PUT", f"{location}&digest={digest}", b"", octets)


def _expect(status, connection, method, path, body, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    answer = response.read()
    if response.status != status:
        raise BenchFailed(f"upstream answered {method} with {response.status}: {answer[:300]!r}")
    location = response.getheader("Location") or ""
    # The registry answers with its whole URL; the connection wants a path.
    return "/" + location.split("/", 3)[3] if location.startswith("http") else location


def content_directory(root, quick):
    """Where the content of a run is kept."""
    return Path(root) / ("content-quick" if quick else "content")

"""A store with many manifests: pushed once for real, then multiplied in the database."""

import hashlib
import http.client
import json
import sqlite3

from .contenders import ACCEPT, Cistern, Running
from .processes import BenchFailed

SEED = "stock/0"
MANIFESTS_EACH = 1000
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY = b"{}"


class Stocked(Cistern):
    """Cistern over a store that was filled before, the same one at every start."""

    def __init__(self, binary, repositories):
        super().__init__(binary)
        self.repositories = repositories
        self.name = f"{repositories * MANIFESTS_EACH:,} manifests"
        self.stock = None

    def prepare(self, directory, upstream):
        """Fills the store: a repository is pushed, the others are its copies."""
        directory.mkdir(parents=True)
        with super().start(directory, upstream) as running:
            _push(running)
        if self.repositories > 1:
            _multiply(directory / "state" / "metadata.sqlite", self.repositories)
        self.stock = directory

    def start(self, directory, upstream, core=None):
        return super().start(self.stock, upstream, core)

    def paths(self):
        """Paths of a thousand manifests by tag, in as many repositories as there are."""
        return [f"/v2/stock/{number % self.repositories}/manifests/t{number}"
                for number in range(MANIFESTS_EACH)]


def fetch(running, paths):
    """Asks for each path once, one after the other, on one connection."""
    with _Connection(running) as connection:
        for path in paths:
            connection.ask("GET", path, 200)


class _Connection:
    """A connection that is authorized and kept."""

    def __init__(self, running: Running):
        self.http = http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=60)
        name, _, value = ACCEPT.partition(": ")
        self.headers = {"Authorization": running.authorization, name: value}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def ask(self, method, path, status, body=None, content_type=None):
        headers = dict(self.headers)
        if content_type:
            headers["Content-Type"] = content_type
        self.http.request(method, path, body, headers)
        response = self.http.getresponse()
        answer = response.read()
        if response.status != status:
            raise BenchFailed(f"{method} {path}: {response.status} {answer[:300]!r}")


def _push(running):
    digest = "sha256:" + hashlib.sha256(EMPTY).hexdigest()
    descriptor = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest,
                  "size": len(EMPTY)}
    with _Connection(running) as connection:
        connection.ask("POST", f"/v2/{SEED}/blobs/uploads/?digest={digest}", 201, EMPTY,
                       "application/octet-stream")
        for number in range(MANIFESTS_EACH):
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": descriptor,
                        "layers": [descriptor], "annotations": {"number": str(number)}}
            connection.ask("PUT", f"/v2/{SEED}/manifests/t{number}", 201, json.dumps(manifest),
                           MANIFEST_TYPE)


def _multiply(path, repositories):
    """Copies every row of the seed under other names: they share its manifests' bytes."""
    database = sqlite3.connect(path)
    try:
        tables = [row[0] for row in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
                   for table in tables}
        copied = [("repositories", "name")]
        copied += [(table, "repository") for table in ("manifests", *tables)
                   if "repository" in columns[table] and table != "changes"]
        with database:
            for table, key in dict(copied).items():
                names = ", ".join(columns[table])
                values = ", ".join("'stock/' || number" if name == key else name
                                   for name in columns[table])
                database.execute(f"""
                    WITH RECURSIVE numbers (number) AS (
                        VALUES (1) UNION ALL
                        SELECT number + 1 FROM numbers WHERE number + 1 < {repositories})
                    INSERT INTO {table} ({names}) SELECT {values} FROM numbers, {table} AS seed
                    WHERE seed.{key} = '{SEED}'""")
    finally:
        database.close()

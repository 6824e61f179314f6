"""The servers side by side. Each starts from an empty directory and answers the same paths."""

import base64
import configparser
import http.client
import os
import shutil
from pathlib import Path

from .login import login_header
from .processes import BenchFailed, Server, free_port

# What containerd sends.
ACCEPT = (
    "Accept: application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*")
# A prefix of the path under which Cistern knows the upstream.
RULE_PREFIX = "up"


def program(name):
    """The path of an installed program."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise BenchFailed(f"{name} is missing: tests/setup installs it (as root on Debian)")
    return path


def _registry_configuration(directory, storage, port, log, more=""):
    """Debian's own configuration file, minus its password file, plus an address."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "registry.yml"
    path.write_text(f"""version: 0.1
log: {{level: error, accesslog: {{disabled: {"false" if log else "true"}}}}}
storage:
  cache: {{blobdescriptor: inmemory}}
  filesystem: {{rootdirectory: '{storage}'}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http:
  addr: 127.0.0.1:{port}
  secret: bench
  headers: {{X-Content-Type-Options: [nosniff]}}
{more}""")
    return path


class Running:
    """A contender that runs: where it listens and how its images are asked for."""

    def __init__(self, server, prefix="", authorization=None, owned=True):
        self.server = server
        self.owned = owned
        self.prefix = prefix
        # One and the same header to everybody, so that nobody reads a shorter request.
        self.authorization = authorization or "Basic " + base64.b64encode(b"AWS:" + b"x" * 256).decode()
        self.credentials = authorization and base64.b64decode(authorization.split()[1]).decode()
        self.headers = [ACCEPT, "Authorization: " + self.authorization]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.owned:
            self.server.stop()

    def repository(self, image):
        """What an image's repository is called here."""
        return self.prefix + image.repository

    def manifest(self, image, reference):
        """The URL of a manifest by tag or digest."""
        return f"{self._base(image)}/manifests/{reference}"

    def blob(self, image, digest):
        """The URL of a blob."""
        return f"{self._base(image)}/blobs/{digest}"

    def _base(self, image):
        return f"http://127.0.0.1:{self.server.port}/v2/{self.repository(image)}"


class Upstream(Server):
    """The registry that everybody pulls from, with an access log that is counted."""

    def __init__(self, storage, directory, log=True, images=()):
        """Starts it and asks once for every blob of `images`: it keeps descriptors in memory, and
        whoever comes first must not be the one who waits for that."""
        port = free_port()
        configuration = _registry_configuration(directory, storage, port, log)
        super().__init__([program("docker-registry"), "serve", configuration], directory, port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for image in images:
            for digest in image.blobs:
                connection.request("HEAD", f"/v2/{image.repository}/blobs/{digest}")
                connection.getresponse().read()
        connection.close()

    def blob_gets(self):
        """How often each blob was asked for so far: digest -> GETs."""
        gets = {}
        for line in self.log.read_text(errors="replace").splitlines():
            _, _, rest = line.partition('"GET ')
            path = rest.partition(" ")[0]
            if "/blobs/" in path:
                digest = path.rpartition("/")[2]
                gets[digest] = gets.get(digest, 0) + 1
        return gets


class Direct:
    """The upstream itself, asked without anybody in between."""

    name = "direct upstream"

    def __init__(self, content):
        self.storage = content.storage

    def start(self, directory, upstream, core=None):
        """The very process that the others pull from; pinned to a core, one of its own."""
        if core is None:
            return Running(upstream, owned=False)
        port = free_port()
        configuration = _registry_configuration(directory, self.storage, port, log=False)
        argv = [program("docker-registry"), "serve", configuration]
        return Running(Server(argv, directory, port, core=core))


class Nginx:
    """The same bytes as static files, under the same paths, by one worker."""

    def __init__(self, content, log=False):
        self.name = "nginx static, log on" if log else "nginx static"
        self.static = content.static
        self.log = log

    def start(self, directory, upstream, core=None):
        port = free_port()
        log = f"{directory}/access.log" if self.log else "off"
        user = "user root;" if os.geteuid() == 0 else ""
        # Its best on either kind of file, found by trying: small ones are read from descriptors
        # that stay open and leave with their head in one write, big ones go by sendfile.
        # keepalive_requests, so that load is not reconnecting.
        (directory / "nginx.conf").write_text(f"""
{user} worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
    sendfile on; keepalive_requests 1000000000; access_log {log};
    open_file_cache max=1000 inactive=1h; open_file_cache_valid 1h;
    client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port}; root {self.static};
        location /v2/bench/small/ {{ sendfile off; }}
    }}
}}
""")
        argv = [program("nginx"), "-e", directory / "error.log", "-c", directory / "nginx.conf",
                "-g", "daemon off;"]
        return Running(Server(argv, directory, port, core=core))


class RegistryProxy:
    """Debian's docker-registry as a pull through cache, the peer to beat."""

    name = "docker-registry proxy"

    def start(self, directory, upstream, core=None):
        port = free_port()
        more = f"proxy: {{remoteurl: 'http://127.0.0.1:{upstream.port}'}}\n"
        storage = directory / "storage"
        configuration = _registry_configuration(directory, storage, port, log=False, more=more)
        argv = [program("docker-registry"), "serve", configuration]
        return Running(Server(argv, directory, port, core=core))


class Cistern:
    """The product, with a login token as `docker login` would hold it."""

    def __init__(self, binary, log=False):
        self.name = "Cistern, log on" if log else "Cistern"
        self.binary = Path(binary)
        self.log = log

    def start(self, directory, upstream, core=None):
        port, data = free_port(), directory / "state"
        argv = [self.binary, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", data,
                "--rule", f"{RULE_PREFIX}=http://127.0.0.1:{upstream.port}"]
        # Requests are logged at `info`.
        environment = {} if self.log else {"CISTERN_LOG": "warn"}
        server = Server(argv, directory, port, environment, core)
        try:
            credentials = configparser.ConfigParser(interpolation=None)
            credentials.read(data / "credentials")
            root = credentials["default"]
            header = login_header(port, root["aws_access_key_id"], root["aws_secret_access_key"])
        except BaseException:
            server.stop()
            raise
        return Running(server, RULE_PREFIX + "/", header)

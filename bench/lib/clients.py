"""What asks the servers: curl for bytes, wrk for rates, skopeo for whole images."""

import hashlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from .contenders import program
from .processes import BenchFailed

CURL_SAYS = "%{http_code} %{size_download} %{time_starttransfer} %{time_total}"


def _curl(url, headers, into="/dev/null"):
    words = [program("curl"), "-s", "-S", "-o", str(into), "-w", CURL_SAYS]
    for header in headers:
        words += ["-H", header]
    return subprocess.Popen([*words, url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def _finish(curl, size_bytes):
    said, complaint = curl.communicate()
    words = said.split()
    if curl.returncode or words[0] != "200" or (size_bytes and int(words[1]) != size_bytes):
        raise BenchFailed(f"{curl.args[-1]}: exit {curl.returncode}, {said}, {complaint}")
    return float(words[2]), float(words[3])


def download(url, headers, size_bytes=None, into="/dev/null"):
    """One curl; returns seconds to the first byte of the answer, and to the end."""
    return _finish(_curl(url, headers, into), size_bytes)


def download_many(url, headers, size_bytes, clients):
    """So many curls at once, a process each; returns seconds until the last has all bytes."""
    started = time.monotonic()
    curls = [_curl(url, headers) for _ in range(clients)]
    try:
        for curl in curls:
            _finish(curl, size_bytes)
        return time.monotonic() - started
    finally:
        for curl in curls:
            curl.kill()
            curl.wait()


def first_body_byte(url, headers):
    """Seconds until the first byte of the body is here, which curl does not tell; then hangs up."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    request = "\r\n".join([f"GET /{path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()
    started = time.monotonic()
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while not answer.partition(b"\r\n\r\n")[2]:
            piece = connection.recv(65536)
            if not piece:
                raise BenchFailed(f"{url}: {answer[:300]!r}")
            answer += piece
        seconds = time.monotonic() - started
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        raise BenchFailed(f"{url}: {answer[:300]!r}")
    return seconds


def check_bytes(url, headers, digest):
    """Downloads once more and hashes: a fast wrong answer is no answer."""
    request = urllib.request.Request(url, headers=dict(line.split(": ", 1) for line in headers))
    hashed = hashlib.sha256()
    with urllib.request.urlopen(request, timeout=120) as response:
        while piece := response.read(1 << 20):
            hashed.update(piece)
    if "sha256:" + hashed.hexdigest() != digest:
        raise BenchFailed(f"{url}: wrong bytes, sha256:{hashed.hexdigest()}")


def request_rate(url, headers, seconds, core):
    """Requests per second that wrk gets out of a server: one thread on `core`, 16 connections."""
    words = ["taskset", "-c", str(core), program("wrk"), "-t1", "-c16", f"-d{seconds}s"]
    for header in headers:
        words += ["-H", header]
    said = subprocess.run([*words, url], capture_output=True, text=True, check=False)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said.stdout)
    if said.returncode or not rate or "Non-2xx" in said.stdout or "Socket errors" in said.stdout:
        raise BenchFailed(f"{url}: {said.stdout} {said.stderr}")
    return float(rate[1])


def pull_many(running, image, tag, clients, directory):
    """So many `skopeo copy` of one image at once; skopeo checks every digest. Returns seconds."""
    source = f"docker://127.0.0.1:{running.server.port}/{running.repository(image)}:{tag}"
    words = [program("skopeo"), "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"]
    words += ["--src-creds", running.credentials] if running.credentials else ["--src-no-creds"]
    started = time.monotonic()
    pulls = [
        subprocess.Popen([*words, source, f"dir:{directory}/pull-{number}"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
        for number in range(clients)
    ]
    try:
        for pull in pulls:
            _, complaint = pull.communicate()
            if pull.returncode:
                raise BenchFailed(f"{source}: {complaint}")
        return time.monotonic() - started
    finally:
        for number, pull in enumerate(pulls):
            pull.kill()
            pull.wait()
            shutil.rmtree(directory / f"pull-{number}", ignore_errors=True)

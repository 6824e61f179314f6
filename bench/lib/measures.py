"""The measures: each runs its contenders in turn, as often as asked, and keeps every value."""

import os
import shutil
import sys
import time

from . import clients, machine
from .content import TAG
from .contenders import Cistern, Direct, Nginx, RegistryProxy, Upstream
from .processes import BenchFailed, PeakMemory
from .stock import MANIFESTS_EACH, Stocked, fetch

SERVER_CORE, CLIENT_CORE = 0, 1
# What others may use of the processors (the kernel that writes back what was stored counts as one
# of them) before a run is no measurement, where only quiet runs count.
NEIGHBOURS_MAX = 0.08
CROWDS = (16, 64)


def say(line):
    """Progress, for whoever waits."""
    print(line, file=sys.stderr, flush=True)


class Bench:
    """Content, contenders and what was measured: `values[measure][contender]` is a list."""

    def __init__(self, content, directory, binary, runs, quick, only_quiet):
        self.content = content
        self.directory = directory
        self.runs = runs
        self.rate_seconds = 1 if quick else 5
        self.repositories = 10 if quick else 1000
        self.only_quiet = only_quiet
        self.values = {}
        self.neighbours = []
        self.direct, self.nginx, self.proxy = Direct(content), Nginx(content), RegistryProxy()
        self.nginx_logging = Nginx(content, log=True)
        # Without a binary the peers are measured alone.
        self.cistern = [Cistern(binary)] if binary else []
        self.cistern_logging = [Cistern(binary, log=True)] if binary else []

    def keep(self, measure, contender, value):
        """Adds one value of the run that is under way."""
        self._run.append((measure, contender.name, value))

    def alternate(self, title, contenders, measure, log=True):
        """Calls `measure` with each contender in turn, started afresh each time.

        Every round begins with another contender, so that none always follows the same one.
        """
        images = self.content.images.values()
        with Upstream(self.content.storage, self._fresh("upstream"), log, images) as upstream:
            for round_number in range(self.runs):
                first = round_number % len(contenders)
                for contender in contenders[first:] + contenders[:first]:
                    say(f"{title}, run {round_number + 1} of {self.runs}: {contender.name}")
                    while not self._measure(measure, contender, upstream, round_number):
                        say(f"  others used {self.neighbours.pop():.0%} of the processors: again")
        shutil.rmtree(self.directory)

    def _measure(self, measure, contender, upstream, round_number):
        """One run; tells whether it counts."""
        directory = self._fresh("contender")
        # What an earlier run wrote is on disk before this one is timed.
        os.sync()
        if self.only_quiet:
            machine.wait_quiet(NEIGHBOURS_MAX)
        self._run = []
        neighbours = machine.Neighbours(upstream)
        measure(contender, directory, upstream, round_number)
        self.neighbours.append(neighbours.share())
        if self.only_quiet and self.neighbours[-1] > NEIGHBOURS_MAX:
            return False
        for name, who, value in self._run:
            self.values.setdefault(name, {}).setdefault(who, []).append(value)
            say(f"  {name} {value:.4g}")
        return True

    def _fresh(self, name):
        directory = self.directory / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory


def _cold_blob(running, image, directory):
    """The URL of the image's first layer, after the manifest, as every client asks."""
    clients.download(running.manifest(image, TAG), running.headers)
    running.server.settle()
    digest, size_bytes = image.layers[0]
    touch_memory(directory / "scratch", size_bytes)
    return running.blob(image, digest), digest, size_bytes


def touch_memory(path, size_bytes):
    """Writes and removes a file of that size, in pieces of several sizes.

    A virtual machine gives memory that nobody used for a while back to its host, and whoever writes
    first pays for getting it again: up to two seconds for 1 GiB. Nobody here is to be that one. What
    others wrote is on disk first: waiting for that afterwards, the memory would be gone again.
    """
    os.sync()
    pieces = [os.urandom(size << 10) for size in (32, 416, 128)]
    written = 0
    with open(path, "wb", buffering=0) as file:
        while written < size_bytes:
            for piece in pieces:
                written += file.write(piece)
    path.unlink()


def large(bench):
    """One client, one blob of 1 GiB: cold, then warm."""
    image = bench.content.images["large"]

    def measure(contender, directory, upstream, round_number):
        with contender.start(directory, upstream) as running, PeakMemory(running.server) as memory:
            url, digest, size_bytes = _cold_blob(running, image, directory)
            # For the direct upstream and nginx there is no cold: their second pull is as the first.
            for state in ("cold", "warm"):
                if state == "cold" and contender is bench.nginx:
                    continue
                gets = upstream.blob_gets().get(digest, 0)
                used = running.server.cpu_seconds()
                first_byte, wall = clients.download(url, running.headers, size_bytes)
                running.server.settle()
                bench.keep(f"{state}.wall", contender, wall)
                bench.keep(f"{state}.cpu", contender, running.server.cpu_seconds() - used)
                bench.keep(f"{state}.first_byte", contender, first_byte)
                if state == "cold" and contender is not bench.direct:
                    bench.keep("stored.wall", contender, wall)
                gets = upstream.blob_gets().get(digest, 0) - gets
                if contender not in (bench.direct, bench.nginx):
                    bench.keep(f"{state}.gets", contender, gets)
                os.sync()
            if contender is bench.direct:
                touch_memory(directory / "scratch", size_bytes)
                path = directory / "stored"
                _, wall = clients.download(url, running.headers, size_bytes, into=path)
                bench.keep("stored.wall", contender, wall)
                path.unlink()
            if round_number == 0:
                clients.check_bytes(url, running.headers, digest)
        bench.keep("large.memory", contender, memory.peak_bytes)

    bench.alternate("1 GiB cold and warm",
                    [bench.direct, bench.nginx, bench.proxy, *bench.cistern], measure)


def first_byte(bench):
    """Time to the first byte of the body of a cold blob; the client leaves after it."""
    image = bench.content.images["large"]

    def measure(contender, directory, upstream, round_number):
        with contender.start(directory, upstream) as running:
            url, _, _ = _cold_blob(running, image, directory)
            bench.keep("first_body_byte", contender,
                       clients.first_body_byte(url, running.headers))

    bench.alternate("first byte", [bench.direct, bench.proxy, *bench.cistern], measure)


def crowd(bench):
    """16 and 64 clients at once on one cold blob of 400 MiB."""
    image = bench.content.images["shared"]
    contenders = [bench.direct, bench.nginx, bench.proxy, *bench.cistern]
    for size in CROWDS:
        def measure(contender, directory, upstream, round_number, size=size):
            with contender.start(directory, upstream) as running:
                url, digest, size_bytes = _cold_blob(running, image, directory)
                gets = upstream.blob_gets().get(digest, 0)
                used = running.server.cpu_seconds()
                with PeakMemory(running.server) as memory:
                    wall = clients.download_many(url, running.headers, size_bytes, size)
                    running.server.settle()
                bench.keep(f"crowd{size}.wall", contender, wall)
                bench.keep(f"crowd{size}.cpu", contender, running.server.cpu_seconds() - used)
                bench.keep(f"crowd{size}.memory", contender, memory.peak_bytes)
                if contender not in (bench.direct, bench.nginx):
                    gets = upstream.blob_gets().get(digest, 0) - gets
                    bench.keep(f"crowd{size}.gets", contender, gets)
                if round_number == 0:
                    clients.check_bytes(url, running.headers, digest)

        bench.alternate(f"{size} clients on one cold blob", contenders, measure)


def rates(bench):
    """Warm requests per second: manifest by tag and by digest, a blob of 16 KiB."""
    image = bench.content.images["small"]
    if (os.cpu_count() or 1) < 2:
        raise BenchFailed("rates need two cores: one for the server, one for the load")

    def measure(contender, directory, upstream, round_number):
        with contender.start(directory, upstream, core=SERVER_CORE) as running:
            digest, size_bytes = image.layers[0]
            for name, url, wanted, size in (
                    ("tag", running.manifest(image, TAG), image.digest, len(image.manifest)),
                    ("digest", running.manifest(image, image.digest), image.digest,
                     len(image.manifest)),
                    ("blob", running.blob(image, digest), digest, size_bytes)):
                clients.download(url, running.headers, size)
                clients.check_bytes(url, running.headers, wanted)
                running.server.settle()
                clients.request_rate(url, running.headers, 1, CLIENT_CORE)
                used = running.server.cpu_seconds()
                rate = clients.request_rate(url, running.headers, bench.rate_seconds, CLIENT_CORE)
                used = running.server.cpu_seconds() - used
                bench.keep(f"rate.{name}", contender, rate)
                bench.keep(f"rate.{name}_cpu", contender, used / (rate * bench.rate_seconds))
            bench.keep("rate.memory", contender, running.server.memory_bytes("RssAnon"))

    contenders = [bench.direct, bench.nginx, bench.proxy, *bench.cistern, bench.nginx_logging,
                  *bench.cistern_logging]
    bench.alternate("warm rates", contenders, measure, log=False)


def idle(bench):
    """Start with a filled store: time until it answers, and memory after two idle seconds."""
    wanted = [bench.content.images[name] for name in ("small", "layers", "shared")]

    def measure(contender, directory, upstream, round_number):
        with contender.start(directory, upstream) as running:
            for image in wanted:
                clients.download(running.manifest(image, TAG), running.headers)
                for digest, size_bytes in image.layers:
                    clients.download(running.blob(image, digest), running.headers, size_bytes)
            running.server.settle()
        with contender.start(directory, upstream) as running:
            bench.keep("idle.ready", contender, running.server.ready_seconds)
            time.sleep(2)
            bench.keep("idle.rss", contender, running.server.memory_bytes("VmRSS"))
            bench.keep("idle.anonymous", contender, running.server.memory_bytes("RssAnon"))

    bench.alternate("idle", [bench.direct, bench.nginx, bench.proxy, *bench.cistern], measure)


def images(bench):
    """64 clients pull one cold image of eight layers at once."""
    image = bench.content.images["layers"]
    size = CROWDS[-1]

    def measure(contender, directory, upstream, round_number):
        with contender.start(directory, upstream) as running:
            before = upstream.blob_gets()
            used = running.server.cpu_seconds()
            with PeakMemory(running.server) as memory:
                wall = clients.pull_many(running, image, TAG, size, directory)
                running.server.settle()
            bench.keep("images.wall", contender, wall)
            bench.keep("images.cpu", contender, running.server.cpu_seconds() - used)
            bench.keep("images.memory", contender, memory.peak_bytes)
            if contender is not bench.direct:
                after = upstream.blob_gets()
                gets = [after.get(digest, 0) - before.get(digest, 0) for digest in image.blobs]
                bench.keep("images.gets_most", contender, max(gets))
                bench.keep("images.gets_least", contender, min(gets))

    bench.alternate("64 cold pulls of one image", [bench.direct, bench.proxy, *bench.cistern],
                    measure)


def stock(bench):
    """A thousand manifests in the store, and a million: the start, first pulls, warm pulls."""
    filled = [Stocked(cistern.binary, repositories)
              for cistern in bench.cistern for repositories in (1, bench.repositories)]

    def measure(contender, directory, upstream, round_number):
        if contender.stock is None:
            contender.prepare(bench.directory / f"stock-{contender.repositories}", upstream)
            os.sync()
        with contender.start(directory, upstream, core=SERVER_CORE) as running:
            bench.keep("stock.ready", contender, running.server.ready_seconds)
            for state in ("first", "second"):
                used, started = running.server.cpu_seconds(), time.monotonic()
                fetch(running, contender.paths())
                bench.keep(f"stock.{state}", contender,
                           (time.monotonic() - started) / MANIFESTS_EACH)
                used = (running.server.cpu_seconds() - used) / MANIFESTS_EACH
                bench.keep(f"stock.{state}_cpu", contender, used)
            url = f"http://127.0.0.1:{running.server.port}{contender.paths()[0]}"
            bench.keep("stock.rate", contender,
                       clients.request_rate(url, running.headers, bench.rate_seconds, CLIENT_CORE))
            bench.keep("stock.anonymous", contender, running.server.memory_bytes("RssAnon"))

    bench.alternate("many manifests", filled, measure, log=False)


MEASURES = {
    "large": large,
    "first-byte": first_byte,
    "crowd": crowd,
    "rates": rates,
    "idle": idle,
    "images": images,
    "stock": stock,
}

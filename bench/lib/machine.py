"""Where a run happened, without the name of the machine or its paths."""

import datetime
import os
import platform
import re
import resource
import subprocess
import time
from pathlib import Path

from .contenders import program


def _said(*words):
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    return (ended.stdout + ended.stderr).strip()


def _version(said):
    found = re.search(r"\d+\.\d+(\.\d+)?", said)
    return found[0] if found else "?"


def describe(root):
    """One paragraph: processor, memory, kernel, system, disk, versions."""
    processor = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"model name\s*: (.*)", processor)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    disk = _said("df", "--output=fstype", str(root)).splitlines()[-1]
    kernel = ".".join(re.findall(r"\d+", platform.release())[:2])
    hashing = "with" if " sha_ni" in processor else "without"
    return (
        f"{os.cpu_count()} cores ({cpu[1] if cpu else platform.machine()}, {hashing} SHA-NI), "
        f"{int(memory[1]) / (1 << 20):.0f} GiB of memory, Linux {kernel}, "
        f"{system[1] if system else 'unknown system'}, {disk}; "
        f"nginx {_version(_said(program('nginx'), '-v'))}, "
        f"docker-registry {_version(_said(program('docker-registry'), '--version'))}, "
        f"curl {_version(_said(program('curl'), '--version'))}, "
        f"wrk {_version(_said(program('wrk'), '-v'))}, "
        f"skopeo {_version(_said(program('skopeo'), '--version'))}")


class Neighbours:
    """How much of the processors went to what is not the bench, from the start of this value on."""

    def __init__(self, *servers):
        """`servers` outlive the measurement; those that end within it count as the bench's."""
        self._servers = servers
        self._since = self._spent()

    def _spent(self):
        # user nice system idle iowait irq softirq steal, in ticks
        ticks = [int(word) for word in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        own = sum(server.cpu_seconds() for server in self._servers)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            used = resource.getrusage(who)
            own += used.ru_utime + used.ru_stime
        return time.monotonic(), busy - own

    def share(self):
        """Between 0 and 1."""
        (began, before), (now, after) = self._since, self._spent()
        return max(0.0, (after - before) / ((now - began) * (os.cpu_count() or 1)))


def wait_quiet(limit):
    """Waits until nothing else runs for two seconds; complains to nobody."""
    while True:
        neighbours = Neighbours()
        time.sleep(2)
        if neighbours.share() <= limit:
            return


def commit(root):
    """The commit that was measured, and whether the tree had more than it."""
    git = ("git", "-C", str(root))
    short = _said(*git, "rev-parse", "--short", "HEAD")
    changed = _said(*git, "status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock")
    return short + (" with uncommitted changes" if changed else "")


def today():
    """The date, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")

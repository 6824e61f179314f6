"""Servers under measurement: each in a process group of its own, read from /proc, gone at the end."""

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class BenchFailed(Exception):
    """What cannot be measured, and why."""


def free_port():
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_answers(port):
    """Whether an HTTP server on loopback answers at all; what it answers does not matter."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _die_with_parent():
    # A bench that is killed leaves nothing behind: its servers get SIGTERM from the kernel.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """A running server and its children; a context manager that ends them all."""

    def __init__(self, argv, directory, port, environment=None, core=None):
        """Starts `argv` in `directory` (its log goes there) and waits until `port` answers HTTP."""
        if core is not None:
            argv = ["taskset", "-c", str(core), *argv]
        self.log = Path(directory) / "server.log"
        self.port = port
        variables = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"}
        variables.update(environment or {})
        with open(self.log, "ab") as log:
            started = time.monotonic()
            self.process = subprocess.Popen(
                [str(word) for word in argv], cwd=directory, env=variables, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=_die_with_parent)
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        self.ready_seconds = time.monotonic() - started

    def _wait_ready(self):
        deadline = time.monotonic() + 60
        while not http_answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-2000:]
                raise BenchFailed(f"{self.process.args[0]} did not come up:\n{said}")
            time.sleep(0.0005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the whole group: SIGTERM, and SIGKILL ten seconds later."""
        deadline = time.monotonic() + 10
        sent = signal.SIGTERM
        while self.members():
            try:
                os.killpg(self.process.pid, sent)
            except ProcessLookupError:
                break
            while self.members() and time.monotonic() < deadline:
                self.process.poll()
                time.sleep(0.01)
            sent, deadline = signal.SIGKILL, time.monotonic() + 5
        self.process.wait()

    def members(self):
        """The processes of the group that still run."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                fields = _stat(f"/proc/{entry}/stat")
                if fields and int(fields[2]) == self.process.pid and fields[0] not in "ZX":
                    found.append(int(entry))
        return found

    def cpu_seconds(self):
        """User and system time of the group so far.

        It is utime + stime of /proc/PID/stat, read from the processes' CPU clocks
        (clock_getcpuclockid(3)): nanoseconds where /proc counts ticks of 10 ms.
        """
        total = 0.0
        for pid in self.members():
            try:
                total += time.clock_gettime((~pid << 3) | 2)
            except OSError:  # it ended meanwhile
                pass
        return total

    def memory_bytes(self, field):
        """Sum over the group of a field of /proc/PID/status, such as RssAnon."""
        total = 0
        for pid in self.members():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1]) * 1024
        return total

    def settle(self, quiet_seconds=0.3, deadline_seconds=120):
        """Waits until no thread of the group ran or waited for a disk for `quiet_seconds`.

        What a server does after the last byte (a second transfer, fsync, commit) belongs to its
        bill and must not run into the next measurement.
        """
        deadline = time.monotonic() + deadline_seconds
        quiet_since, used = time.monotonic(), self.cpu_seconds()
        while time.monotonic() - quiet_since < quiet_seconds:
            if time.monotonic() > deadline:
                raise BenchFailed(f"{self.process.args[0]} does not come to rest")
            time.sleep(0.02)
            now = self.cpu_seconds()
            # Timers of an idle server cost microseconds.
            if self._is_busy() or now - used > 0.002:
                quiet_since, used = time.monotonic(), now

    def _is_busy(self):
        for pid in self.members():
            try:
                threads = os.listdir(f"/proc/{pid}/task")
            except OSError:
                continue
            for thread in threads:
                fields = _stat(f"/proc/{pid}/task/{thread}/stat")
                if fields and fields[0] in "RD":
                    return True
        return False


def _stat(path):
    """The fields after the program's name: state, ppid, pgrp, ..."""
    try:
        return Path(path).read_text().rpartition(")")[2].split()
    except OSError:
        return None


class PeakMemory:
    """Samples RssAnon of a server every 50 ms while the `with` block runs."""

    def __init__(self, server):
        self.server = server
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self):
        # The group is looked up once: a walk over all of /proc every 50 ms would be felt.
        paths = [f"/proc/{pid}/status" for pid in self.server.members()]
        while True:
            total = 0
            for path in paths:
                try:
                    status = Path(path).read_text()
                except OSError:
                    continue
                total += int(status.partition("RssAnon:")[2].split(maxsplit=1)[0]) * 1024
            self.peak_bytes = max(self.peak_bytes, total)
            if self._ended.wait(0.05):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

"""In the smallest container that README names the gateway lives through whatever it takes, and gives the
memory back. Where control groups can be made, the container is a real one, which kills what is beyond it."""

import contextlib
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import find_live  # noqa: F401
from live.process import SANITIZED, wait_until
from live.programs import BIN
from live.rig import UNLIMITED, Rig
from half_open import (DATA, END_HEADERS, END_STREAM, HEADERS, METHODS, MIB, SETTINGS, Body, Connection, frame,
                       headers)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))
import inputs  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
HELP = subprocess.run([BIN / "pictory-gateway", "--help"], capture_output=True, text=True, check=True).stdout
LIMIT_MIB = int(re.search(r"Under load it needs (\d+) MiB", " ".join(HELP.split())).group(1))
SUBMITS, SUBMIT_BYTES = 24, 8 * MIB
CONNECTIONS, CALLS = 10, 100  # of watches: 1,000
GROUPS = pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def container(mib):
    """A control group with this limit and no swap; None where none can be made."""
    older = (GROUPS / "memory").is_dir()
    group = GROUPS / ("memory" if older else "") / f"pictory-smallest-{os.getpid()}"
    limits = (("memory.limit_in_bytes", True), ("memory.memsw.limit_in_bytes", False)) if older else (
        ("memory.max", True), ("memory.swap.max", False))
    try:
        group.mkdir()
    except OSError:
        yield None
        return
    try:
        for name, needed in limits:
            try:
                (group / name).write_text(str(mib * MIB) if older or needed else "0")
            except OSError:
                if needed:
                    yield None
                    return
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text().strip(), "the end of the container")
        group.rmdir()


def inside(group):
    """What a program is started with, to run in the container."""
    return ("sh", "-c", f'echo $$ > "{group}/cgroup.procs" && exec "$0" "$@"') if group else ()


def at_once(g, method, request, keyed=False):
    """Each on a connection of its own, until all are answered: the connections."""
    bodies = [(inputs.field(1, str(uuid.uuid4())) if keyed else b"") + request for _ in range(SUBMITS)]
    callers = [Connection(g.grpc, [Body(method, whole=body)]) for body in bodies]
    wait_until(lambda: all(one.answered or one.closed for one in callers), f"{SUBMITS} answers of {method}")
    for one in callers:
        one.close()
    return callers


def for_a_while(g, bodies, seconds=2):
    """Strangers who hold back the end of their requests."""
    stranger = Connection(g.grpc, bodies)
    time.sleep(seconds)
    stranger.close()


def deaf(g, connections, calls, source="127.0.0.1"):
    """Asks for so many lists, from that address, and reads none; the sockets."""
    message = struct.pack(">BI", 0, 0)
    out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
    for stream in range(1, 2 * calls, 2):
        out += frame(HEADERS, END_HEADERS, stream, headers(METHODS + "ListJobs"))
        out += frame(DATA, END_STREAM, stream, message)
    sockets = [socket.create_connection(tuple(g.grpc.rsplit(":", 1)), source_address=(source, 0))
               for _ in range(connections)]
    for one in sockets:
        one.sendall(out)
    return sockets


def calls_so_far(g):
    return g.metric("grpc_server_call_duration_seconds_count")


def jobs(sandbox):
    return sandbox.stats()["jobs"]


class Smallest(unittest.TestCase):
    @contextlib.contextmanager
    def gateway(self, group=None):
        # On a disk, whose pages the kernel can take back: /tmp may be memory, which counts.
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, Rig(pathlib.Path(folder)) as rig:
            sandbox = rig.sandbox("--speed", "0.01")  # the watches must not end
            yield rig.gateway(sandbox.url, "--memory-limit-mib", LIMIT_MIB, *UNLIMITED, wrapper=inside(group)), sandbox

    def lives(self, g, what):
        """Its peak since it was asked last is below the limit."""
        self.assertIsNone(g.process.poll(), f"killed by {what}")
        # Without the pages of files, of which the kernel can take back what it needs.
        peak = g.memory("VmHWM") / MIB - g.memory("RssFile") / MIB
        g.forget_peak()
        print(f"\n    {what}: peak {peak:.0f} MiB of {LIMIT_MIB}, then {g.memory('VmRSS') / MIB:.0f}", end="",
              flush=True)
        if not SANITIZED:
            self.assertLess(peak, LIMIT_MIB, what)

    def test_the_readme_names_the_same_size(self):
        self.assertIn(f"{LIMIT_MIB} MiB", (ROOT / "README.md").read_text())

    def test_it_lives_through_whatever_it_takes(self):
        with container(LIMIT_MIB) as group, self.gateway(group) as (g, sandbox):
            print(f"\n    in {'a control group' if group else 'no container'}", end="")
            job = g.json("preview", "--name", "watched", "--text", "Hi.")["jobId"].encode()
            watch = inputs.field(1, job)
            watches = [Connection(g.grpc, [Body("WatchJob", whole=watch) for _ in range(CALLS)])
                       for _ in range(CONNECTIONS)]
            wait_until(lambda: g.metric("watches") == CONNECTIONS * CALLS, "the watches")
            self.lives(g, "1,000 watches")
            for sort in ("preview", "summary", "transcription-json"):
                method, valid = inputs.VALID[sort]
                request = valid(SUBMIT_BYTES)
                before = jobs(sandbox)
                callers = at_once(g, method, request, keyed=True)
                self.lives(g, f"{SUBMITS} valid submits of 8 MiB, {sort}")
                self.assertFalse(any(one.closed or one.resets for one in callers), sort)
                self.assertGreater(jobs(sandbox), before, "at least one of them is taken")
            for name in ("two-objects-6.9-mib", "words-as-dense-as-taken", "unknown-deep-inside"):
                row = next(row for row in inputs.ROWS if row.name == name)
                at_once(g, row.method, row.hostile)
                self.lives(g, f"{SUBMITS} of {name}")
            for what, bodies in (("30 halves of 16 MiB", [Body() for _ in range(30)]),
                                 ("8 that announce 200 MiB", [Body(announced=200 * MIB) for _ in range(8)])):
                for_a_while(g, bodies)
                self.lives(g, what)
            before = calls_so_far(g)
            sockets = deaf(g, 4, 900)
            wait_until(lambda: calls_so_far(g) - before >= 3600, "the answers")
            self.lives(g, "3,600 answers that nobody reads")
            for one in sockets:
                one.close()
            labels = [f"--label=k{i:02}={'v' * 250}" for i in range(60)]
            for i in range(3):
                g.json("preview", "--name", f"labelled {i}", "--text", "Hi.", *labels)
            before = calls_so_far(g)
            sockets = deaf(g, 4, 900, source="127.0.0.2")
            wait_until(lambda: calls_so_far(g) - before >= 3600, "the answers")
            self.assertEqual(g.run("list").returncode, 0, "others are answered")
            self.lives(g, "3,600 lists of 50 KiB that nobody reads")
            for one in sockets:
                one.close()
            self.assertEqual(sum(one.answered for one in watches), 0, "they watch on")
            for one in watches:
                one.close()
            self.assertEqual(g.run("list").returncode, 0)

    @unittest.skipIf(SANITIZED, "a sanitizer has an allocator of its own")
    def test_memory_is_given_back(self):
        with self.gateway() as (g, _):
            self.assertEqual(g.run("list").returncode, 0)
            quiet = g.memory("RssAnon") / MIB
            before = calls_so_far(g)
            sockets = deaf(g, 4, 900)
            wait_until(lambda: calls_so_far(g) - before >= 3600, "the answers")
            most = g.memory("RssAnon") / MIB - quiet
            for one in sockets:
                one.close()
            self.assertGreater(most, 40, "else there is nothing to give back")
            wait_until(lambda: g.memory("RssAnon") / MIB - quiet < most / 2, "half of the memory")
            print(f"\n    +{most:.0f} MiB, then +{g.memory('RssAnon') / MIB - quiet:.0f}", end="", flush=True)


if __name__ == "__main__":
    unittest.main()

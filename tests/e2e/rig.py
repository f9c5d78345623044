"""What tests that kill the gateway need: Pictory's stand-in as a process of its own, which is the oracle,
gateways on state directories that outlive them, and the end of all of it."""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from gateway import BIN, DEADLINE_SECONDS, Gateway, wait_until

KEY = {"PICTORY_API_KEY": "pictai_chaos"}
UNLIMITED = ("--requests-per-second", "100000", "--burst", "100000")


class Sandbox:
    """Pictory's stand-in, as a process of its own that outlives the gateways."""

    def __init__(self, folder, *flags):
        ready = folder / "ready"
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "pictory-gateway", "sandbox", "--listen", "127.0.0.1:0", "--state-dir",
                 folder / "state", "--ready-file", ready, "--no-ffmpeg", "--requests-per-second",
                 "100000", *flags],
                stderr=log, env={k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")})
        wait_until(lambda: ready.exists() or self.process.poll() is not None, "the sandbox")
        self.url = ready.read_text().strip().split("=", 1)[1]
        self.origin = self.url.removesuffix("/pictoryapis")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.origin + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return json.loads(answer.read())

    def fault(self, kind, times=None, probability=None, skip=None, act=None, match=None, **settings):
        rule = {"match": match or {"method": "POST"}, "times": times, "probability": probability,
                "skip": skip, "act": act, "fault": {"type": kind, **settings}}
        return self.ask("POST", "/sandbox/faults", {k: v for k, v in rule.items() if v is not None})

    def faults(self):
        return self.ask("GET", "/sandbox/faults")

    def forget_faults(self):
        self.ask("DELETE", "/sandbox/faults")

    def stats(self):
        return self.ask("GET", "/sandbox/stats")

    def journal(self):
        """The accepted submits: request_id -> its entries. The request_id is the video's name."""
        sent = collections.defaultdict(list)
        for entry in self.ask("GET", "/sandbox/journal")["entries"]:
            sent[json.loads(entry["body"])["videoName"]].append(entry)
        return sent

    def end(self):
        self.process.kill()
        self.process.wait()


class Rig:
    """The processes and folders of one row; all gone at its end, whatever happens."""

    def __init__(self, folder):
        self.folder = folder
        self.exits = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.exits.close()

    def sandbox(self, *flags):
        started = Sandbox(pathlib.Path(tempfile.mkdtemp(prefix="sandbox-", dir=self.folder)), *flags)
        self.exits.callback(started.end)
        return started

    def gateway(self, url, *flags, jobs=None, start=True, env=None, **kwargs):
        """On a state directory of its own, which begins as a copy of `jobs`."""
        state = pathlib.Path(tempfile.mkdtemp(prefix="gateway-", dir=self.folder))
        if jobs:
            shutil.copytree(jobs, state / "jobs")
        made = Gateway(state, "--base-url", url, *map(str, flags), sandbox=False, start=False,
                       env={**KEY, **(env or {})}, **kwargs)
        self.exits.callback(lambda: hasattr(made, "process") and made.kill())
        if start:
            made.start()
        return made

    def spawn(self, *command, **kwargs):
        process = subprocess.Popen(list(map(str, command)), **kwargs)
        self.exits.callback(lambda: (process.kill(), process.wait(), process.stdout and process.stdout.close()))
        return process


def died(g):
    """Waits for a gateway that is to be killed from inside, and says whether it was."""
    try:
        return g.process.wait(timeout=DEADLINE_SECONDS) == -signal.SIGKILL
    except subprocess.TimeoutExpired:
        return False


def restart(g, *flags, program="pictory-gateway", env=None):
    """The same state directory, by default with the real program and no more faults."""
    g.program = program
    g.env = {k: v for k, v in g.env.items() if k not in ("GATEWAY_FAIL_POINT", "LD_PRELOAD")}
    g.env.update(env or {})
    if flags:
        g.flags = list(flags)
    g.start()


class RigTest(unittest.TestCase):
    """A rig of its own for each test, and a sandbox that makes videos in a moment."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.rig = Rig(self.folder.name)
        self.addCleanup(self.rig.exits.close)
        self.sandbox = self.rig.sandbox("--speed", "20")

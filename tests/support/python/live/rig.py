"""Gateways on state directories that outlive them, a sandbox as a process of its own, and the end of all of it."""

import contextlib
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from live.gateway import Gateway
from live.postgres import Postgres
from live.process import DEADLINE_SECONDS
from live.sandbox import Sandbox

KEY = {"PICTORY_API_KEY": "pictai_chaos"}
UNLIMITED = ("--requests-per-second", "100000", "--burst", "100000")


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

    def postgres(self, primary=None):
        started = Postgres(primary)
        self.exits.callback(started.end)
        return started

    def gateway(self, url, *flags, jobs=None, start=True, env=None, **kwargs):
        """On a state directory of its own, which begins as a copy of `jobs`."""
        state = pathlib.Path(tempfile.mkdtemp(prefix="gateway-", dir=self.folder))
        if jobs:
            shutil.copytree(jobs, state / "jobs")
        made = Gateway(state, "--base-url", url, *map(str, flags), sandbox=False, start=False,
                       env={**KEY, **(env or {})}, **kwargs)
        self.exits.callback(lambda: hasattr(made, "process") and made.end())
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

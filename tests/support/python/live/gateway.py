"""The real gateway on free ports, talked to through the real command line."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from live import metrics
from live.process import DEADLINE_SECONDS, SANITIZED, SANITIZER_EXIT, Process, environment
from live.programs import BIN
from live.sandbox import Pages


class Gateway(Process):
    """One gateway process, with its sandbox or without; `state`, its folder, survives restarts. Its addresses are those
    of the ready file: `grpc`, `admin`, and `sandbox` and `webhook` if it has them."""

    def __init__(self, state, *flags, sandbox=True, speed=20, env=None, program="pictory-gateway", arguments=(),
                 wrapper=(), start=True):
        self.state = pathlib.Path(state)
        self.state.mkdir(exist_ok=True)
        self.ready = self.state / "ready"
        self.log = self.state / "log"
        self.listen = "127.0.0.1:0"
        self.program, self.arguments, self.wrapper = program, arguments, wrapper
        self.database = None  # of a PostgreSQL: its jobs are there
        self.flags = (["--sandbox", "--sandbox-speed", speed] if sandbox else []) + list(flags)
        self.env = environment({"XDG_STATE_HOME": str(self.state / "xdg"), **(env or {})})
        if start:
            self.start()

    def start(self, every=0.02):
        self.ready.unlink(missing_ok=True)
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(each) for each in
                 [*self.wrapper, BIN / self.program, *self.arguments, "--listen", self.listen, "--admin-listen",
                  "127.0.0.1:0", "--state-dir", self.state / "jobs", "--ready-file", self.ready, *(["--store", self.database] if self.database else []), *self.flags]],
                stderr=log, env=self.env)
        self.__dict__.update(self.await_ready_file(self.ready, every))
        self.ready_after = time.monotonic() - began  # seconds

    def run(self, *args, input=None, timeout=DEADLINE_SECONDS, key=None, pays=None):
        """`key`: what proves who calls. `pays`: a Pictory key of the caller's own."""
        shown = {"PICTORY_GATEWAY_KEY": key, "PICTORY_CALLER_KEY": pays}
        env = dict(self.env, PICTORY_GATEWAY=self.grpc, **{name: value for name, value in shown.items() if value})
        done = subprocess.run([BIN / "pictory", *map(str, args)], env=env, input=input, text=True,
                              capture_output=True, timeout=timeout)
        if SANITIZED and done.returncode == SANITIZER_EXIT:
            raise AssertionError(f"{args}: {done.stderr}")
        return done

    def json(self, *args, **kwargs):
        """The last object that the command prints with --json."""
        done = self.run(*args, "--json", **kwargs)
        if not done.stdout.strip():
            raise AssertionError(f"{args} printed nothing; exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def fetch(self, path):
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        """Of /metrics; see live/metrics.py."""
        return metrics.value(self.fetch("/metrics"), name, **labels)

    def is_ready(self):
        try:
            self.fetch("/readyz")
            return True
        except (urllib.error.URLError, ConnectionError):
            return False

    @property
    def pages(self):
        """Of its own sandbox."""
        return Pages(self.sandbox)


@contextlib.contextmanager
def gateway(*flags, **kwargs):
    with tempfile.TemporaryDirectory() as state:
        running = Gateway(state, *flags, **kwargs)
        try:
            yield running
        finally:
            running.end()

"""Starts the real gateway on free ports and talks to it through the real command line."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from programs import BIN

DEADLINE_SECONDS = 60
# Set by tests/sanitizers/run, with the exit code a sanitizer gives after a report.
SANITIZED = "PICTORY_SANITIZED" in os.environ
SANITIZER_EXIT = 99


def wait_until(condition, what):
    """Polls a condition that another process makes true; fails loudly if it never does."""
    give_up = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < give_up:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {DEADLINE_SECONDS} s in vain for {what}")


class Gateway:
    """One gateway process with its sandbox; `state` survives restarts."""

    def __init__(self, state, *flags, sandbox=True, speed=20, env=None, program="pictory-gateway",
                 wrapper=(), start=True):
        self.state = pathlib.Path(state)
        self.state.mkdir(exist_ok=True)
        self.ready = self.state / "ready"
        self.log = self.state / "log"
        self.listen = "127.0.0.1:0"
        self.program = program
        self.wrapper = wrapper
        self.flags = (["--sandbox", "--sandbox-speed", str(speed)] if sandbox else []) + list(flags)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")}
        self.env.update(env or {})
        if start:
            self.start()

    def start(self):
        self.ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, BIN / self.program, "--listen", self.listen, "--admin-listen", "127.0.0.1:0",
                 "--state-dir", self.state / "jobs", "--ready-file", self.ready, *self.flags],
                stderr=log, env=self.env)
        wait_until(lambda: self.ready.exists() or self.process.poll() is not None, "the gateway")
        if self.process.poll() is not None:
            raise AssertionError(f"the gateway did not start: {self.log.read_text()}")
        self.__dict__.update(
            line.split("=", 1) for line in self.ready.read_text().splitlines())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """SIGTERM; the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        return code, time.monotonic() - began

    def end(self):
        """At once; but in order for a sanitizer, which looks for leaks at the end of the program."""
        if SANITIZED:
            code = self.process.poll()
            if code is None:
                code, _ = self.terminate()
            if code not in (0, -signal.SIGKILL):
                raise AssertionError(f"the gateway ended with {code}: {self.log.read_text()}")
        self.kill()

    def run(self, *args, input=None, timeout=DEADLINE_SECONDS):
        env = dict(self.env, PICTORY_GATEWAY=self.grpc)
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

    def is_ready(self):
        try:
            self.fetch("/readyz")
            return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def sandbox_fault(self, rule):
        origin = self.sandbox.removesuffix("/pictoryapis")
        request = urllib.request.Request(origin + "/sandbox/faults", json.dumps(rule).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def sandbox_get(self, path):
        origin = self.sandbox.removesuffix("/pictoryapis")
        with urllib.request.urlopen(origin + path, timeout=10) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def gateway(*flags, **kwargs):
    with tempfile.TemporaryDirectory() as state:
        running = Gateway(state, *flags, **kwargs)
        try:
            yield running
        finally:
            running.end()

"""What every row needs: the sandbox as the oracle, gateways that get killed, callers, and the count of
what was paid for twice and what was lost."""

import collections
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from gateway import BIN, DEADLINE_SECONDS, Gateway, wait_until  # noqa: E402

KEY = {"PICTORY_API_KEY": "pictai_chaos"}
# server/jobs/job.h, SubmissionState.
INTENT, SENDING, ACCEPTED, REJECTED, NOT_SENT, UNKNOWN = range(1, 7)
UNCONFIRMED = "JOB_STATE_UNCONFIRMED"
UNLIMITED = ("--requests-per-second", "100000", "--burst", "100000")


@dataclasses.dataclass
class Tally:
    """What a row counted. `problems` are expectations that were not met, in words."""

    cycles: int = 0
    duplicates: int = 0
    losses: int = 0
    problems: list = dataclasses.field(default_factory=list)
    measured: str = ""

    def expect(self, true, problem):
        if not true:
            self.problems.append(problem)
        return true

    def add(self, other):
        self.cycles += other.cycles
        self.duplicates += other.duplicates
        self.losses += other.losses
        self.problems += other.problems

    def met(self):
        return self.cycles > 0 and not (self.duplicates or self.losses or self.problems)


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
        made = Gateway(state, "--base-url", url, *flags, sandbox=False, start=False, env={**KEY, **(env or {})},
                       **kwargs)
        self.exits.callback(lambda: hasattr(made, "process") and made.kill())
        if start:
            made.start()
        return made

    def spawn(self, *command, **kwargs):
        process = subprocess.Popen(list(map(str, command)), **kwargs)
        self.exits.callback(lambda: (process.kill(), process.wait(), process.stdout and process.stdout.close()))
        return process


def crowd(g, calls, threads, request_id, *words):
    """What each of many callers was told; see crowd.cc."""
    done = subprocess.run([BIN / "crowd", g.grpc, str(calls), str(threads), request_id, *words],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=5 * DEADLINE_SECONDS)
    return [json.loads(line) for line in done.stdout.splitlines()]


def submit(g, request_id, *words):
    """One call, made once."""
    [told] = crowd(g, 1, 1, request_id, *words)
    return told


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


@dataclasses.dataclass
class Row:
    """Of the store's table jobs."""

    submission: int
    job_id: str
    pictory_job_id: str


def store_rows(g):
    """What the gateway's file says: request_id -> Row."""
    with contextlib.closing(sqlite3.connect(f"file:{g.state}/jobs/pictory/jobs.db?mode=ro", uri=True)) as db:
        return {request_id: Row(*rest) for request_id, *rest in
                db.execute("SELECT request_id, submission, job_id, pictory_job_id FROM jobs")}


def post(authority, path, body):
    """The status an HTTP server answers with."""
    with contextlib.closing(http.client.HTTPConnection(authority, timeout=DEADLINE_SECONDS)) as connection:
        connection.request("POST", path, body)
        return connection.getresponse().status


def count_duplicates(tally, sandbox):
    tally.duplicates += sum(len(entries) - 1 for entries in sandbox.journal().values())


def count_losses(tally, g, sandbox, told, only=None):
    """Every OK is a job at the sandbox, if it has a Pictory id, and one that GetJob finds; and what the
    sandbox accepted (of the request_id `only`, if other gateways use it too) is known here. `told`:
    answers of submits."""
    journal = {name: entries for name, entries in sandbox.journal().items() if only in (None, name)}
    made = {entry["job_id"] for entries in journal.values() for entry in entries}
    promised = {line["job"]: line for line in told if line["code"] == "OK"}
    for job_id, line in promised.items():
        found = g.run("get", job_id, "--json")
        lost = found.returncode != 0 or json.loads(found.stdout)["requestId"] != line["id"]
        if lost or (line["pictory"] and line["pictory"] not in made):
            tally.losses += 1
            tally.problems.append(f"{line['id']}: told OK, job {job_id}, and lost")
    for request_id in journal.keys() - store_rows(g).keys():
        tally.losses += 1
        tally.problems.append(f"{request_id}: accepted by the sandbox, unknown to the gateway")

"""What a row counts: what was paid for twice and what was lost, by what callers were told, the sandbox's
journal and the gateway's store."""

import contextlib
import dataclasses
import http.client
import json
import sqlite3
import subprocess

from live.postgres import psql
from live.process import DEADLINE_SECONDS
from live.programs import BIN

# server/jobs/job.h, SubmissionState.
INTENT, SENDING, ACCEPTED, REJECTED, NOT_SENT, UNKNOWN = range(1, 7)
UNCONFIRMED = "JOB_STATE_UNCONFIRMED"


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


def crowd(g, calls, threads, request_id, *words):
    """What each of many callers was told; see crowd.cc."""
    done = subprocess.run([BIN / "crowd", g.grpc, str(calls), str(threads), request_id, *words],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=5 * DEADLINE_SECONDS)
    return [json.loads(line) for line in done.stdout.splitlines()]


def submit(g, request_id, *words):
    """One call, made once."""
    [told] = crowd(g, 1, 1, request_id, *words)
    return told


@dataclasses.dataclass
class Row:
    """Of the store's table jobs."""

    submission: int
    job_id: str
    pictory_job_id: str


def store_rows(g):
    """What the gateway's store says: request_id -> Row."""
    if g.database:
        return {request_id: Row(int(submission), *rest) for request_id, submission, *rest in
                (line.split("\t") for line in psql(g.database, (
                    "SELECT request_id, submission, job_id, pictory_job_id FROM pictory.jobs_in_words")))}
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

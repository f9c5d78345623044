"""Ever more unfinished jobs, found in the store at the start and polled within a fixed budget. A job's
first poll after the start brings news, which is stored; so the polls of few jobs, that have all been
asked about when the measuring begins, cost less than those of many."""

import contextlib
import sqlite3
import time

from house import SERVICE, STORYBOARD, field, polls_of
from scale import Column, Scale

PER_SECOND = 500  # requests, of the account
SCALE = Scale("active", f"Active jobs, with a budget of {PER_SECOND} requests/s", "active jobs", [
    Column("bytes", "Memory of a job", "bytes", "Memory of a job"),
    Column("ready", "From start to serving", "s", "From start to serving", log=True),
    Column("polls", "Polls", "a second"),
    Column("cpu", "CPU of polling", "% of a core", "CPU of polling"),
    Column("get", "GetJob p99", "ms", "Calls meanwhile"),
    Column("submit", "Submit, median", "ms", "Calls meanwhile"),
])
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "fill"]
POLL_SECONDS = 1    # of the bench only: all that the budget allows is always due
SETTLED = 3         # seconds: a restart spreads the first polls
CALLERS = 4
ASKED_FOR = 10_000  # jobs at most, from all over the store


def measure(bench):
    steps = (0, 1_000, 10_000) if bench.quick else (0, 1_000, 10_000, 100_000, 1_000_000)
    empty = None
    for jobs in steps:
        upstream = bench.server("upstream")
        # At first with a budget by which hardly any is polled, because what that takes is no job's.
        idle = bench.gateway_to(upstream, "--log-level", "warn", budget=1, burst=1,
                                poll_seconds=POLL_SECONDS, jobs=jobs)
        ready, resident = idle.ready_after, idle.memory()
        bench.end(idle, orderly=True)
        empty = empty or resident
        if jobs > 0:
            yield jobs, {"bytes": (resident - empty) / jobs, "ready": ready,
                         **at_work(bench, upstream, idle, jobs)}
        bench.end_all()


def at_work(bench, upstream, idle, jobs):
    gateway = bench.gateway_to(upstream, "--log-level", "warn", budget=PER_SECOND, burst=PER_SECOND,
                               poll_seconds=POLL_SECONDS, after=idle)
    time.sleep(SETTLED)
    seconds = 2 if bench.quick else 10
    polls, cpu, began = polls_of(upstream), gateway.cpu(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    polls, cpu = (polls_of(upstream) - polls) / took, (gateway.cpu() - cpu) / took * 100
    asks = [field(1, job.encode()) for job in some_ids(gateway, jobs)]
    get = bench.load(gateway, SERVICE + "GetJob", bench.saved(b"".join(asks)), CALLERS,
                     request_bytes=len(asks[0]))
    submit = bench.load(gateway, SERVICE + "CreatePreview",
                        bench.request(STORYBOARD, "CreatePreviewRequest"), callers=1)
    return {"polls": polls, "cpu": cpu, "get": get["p99_us"] / 1e3, "submit": submit["p50_us"] / 1e3}


def some_ids(gateway, jobs):
    """Of so many jobs in its store, in no order."""
    path = gateway.state / "jobs" / "pictory" / "jobs.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT job_id FROM jobs WHERE id % ? = 0 ORDER BY random()",
                             [max(1, jobs // ASKED_FOR)])
        return [job for job, in rows.fetchmany(ASKED_FOR)]

"""A million active jobs in one PostgreSQL: how long a gateway takes to have them all, how long a second one to have its
half, and the first one that half again when the second is killed; and what both take once they have.

The times stand beside that of a bare client, which reads the same rows by COPY in the same run. A gateway that was
killed has its shards until its lease has run out (15 s): that is part of the take-over, and is told by itself."""

import subprocess
import time

from house import polls_of
from live.postgres import program
from live.process import MIB, wait_until
from shared import SHARDS, Store, cpu_of, share
from verdict import Figure, Goal, number, table

ABOUT = "start, join, take-over and steady CPU with 1,000,000 active jobs in PostgreSQL, against COPY of the same rows"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load"]
JOBS, QUICK_JOBS = 1_000_000, 20_000
PER_SECOND = 500  # requests, of the account
LEASE = 15
MOST_START, MOST_TAKE_OVER = 50, 2 * LEASE  # seconds
PATIENCE = 300
# Like the one job that is there, which was polled and says what Pictory will say of all.
FILL = """
CREATE TEMP TABLE one AS SELECT * FROM pictory.jobs LIMIT 1;
INSERT INTO pictory.jobs SELECT {columns} FROM one, generate_series(2, {jobs}) AS n;
ANALYZE pictory.jobs;
"""
OTHER = {
    "job_id": "substr(job_id, 1, 16) || convert_to(lpad(n::text, 10, '0'), 'UTF8')",
    "pictory_job_id": "convert_to('many-' || n, 'UTF8')",
    "request_id": "convert_to('many-' || n, 'UTF8')",
    "correlation_token": "CASE correlation_token WHEN '' THEN '' ELSE convert_to(md5(n::text), 'UTF8') END",
    "shard": "n % 1024",
}


def measure(bench):
    jobs = QUICK_JOBS if bench.quick else JOBS
    store, upstream = Store(bench), bench.server("upstream")
    database = store.database()
    options = {"database": database, "budget": PER_SECOND, "burst": PER_SECOND, "poll_seconds": 1}
    first = bench.gateway_to(upstream, "--log-level", "warn", **options)
    bench.submit(first)
    wait_until(lambda: store.sql("SELECT revision > 1 FROM pictory.jobs") == ["t"], "the first poll")
    bench.end(first, orderly=True)
    fill(store, jobs)
    bare = copy_seconds(store, "unended")
    half = copy_seconds(store, "unended AND shard < 512")

    def has(gateway, least):
        return gateway.metric("jobs_followed") >= least

    began = time.monotonic()
    one = bench.gateway_to(upstream, "--log-level", "warn", **options)
    serving = time.monotonic() - began
    wait_until(lambda: has(one, jobs), f"all {jobs} jobs", every=0.1, patience=PATIENCE)
    start, memory = time.monotonic() - began, one.memory() / MIB
    steady = [at_work(bench, store, upstream, [one])]

    began = time.monotonic()
    two = bench.gateway_to(upstream, "--log-level", "warn", **options)
    wait_until(lambda: has(two, 0.4 * jobs) and not has(one, 0.6 * jobs), "both to have a half", every=0.1,
               patience=PATIENCE)
    share([one, two])
    join = time.monotonic() - began
    steady.append(at_work(bench, store, upstream, [one, two]))

    two.kill()
    began = time.monotonic()
    wait_until(lambda: one.metric("shards_held") == SHARDS, "the shards of the other", every=0.05, patience=PATIENCE)
    shards = time.monotonic() - began
    wait_until(lambda: has(one, jobs), "the jobs of the other", every=0.05, patience=PATIENCE)
    taken = time.monotonic() - began
    seen = [("Serving", serving), ("All jobs followed", start), ("A second gateway has its half", join),
            (f"That is killed: its shards are the first one's (a lease is {LEASE} s)", shards),
            ("Its jobs are, too", taken), ("COPY of all jobs", bare), ("COPY of half of them", half)]
    bench.note([f"{number(jobs)} active jobs in PostgreSQL, and a budget of {PER_SECOND} requests a second; all followed "
                f"by one gateway, it has {number(memory)} MiB:", "",
                *table(["", "After, s"], [[what, number(seconds)] for what, seconds in seen]), "", *table(
                    ["Gateways", "Polls, a second", "CPU of the gateways, % of a core", "CPU of PostgreSQL, % of a core"],
                    [[str(count), *map(number, run)] for count, run in enumerate(steady, 1)])])
    yield Figure("million.start", f"{number(jobs)} active jobs: all followed after a start, beside COPY", "s",
                 [start], [bare], Goal(at_most=MOST_START, absolute=True, guard=3 * MOST_START))
    yield Figure("million.take-over", f"{number(jobs // 2)} active jobs of one that was killed: all followed by another, "
                 "its lease included, beside COPY", "s", [taken], [half],
                 Goal(at_most=MOST_TAKE_OVER, absolute=True, guard=3 * MOST_TAKE_OVER))


def fill(store, jobs):
    names = store.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = 'pictory' AND "
                      "table_name = 'jobs' ORDER BY ordinal_position")
    store.sql(FILL.format(jobs=jobs, columns=", ".join(OTHER.get(name, name) for name in names)))
    store.sql("CHECKPOINT")


def copy_seconds(store, which):
    began = time.monotonic()
    subprocess.run([program("psql"), "-d", f"host={store.server.folder} user=gateway dbname={store.name}", "-Xqc",
                    f"COPY (SELECT * FROM pictory.jobs WHERE {which}) TO STDOUT"], check=True,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def at_work(bench, store, upstream, gateways):
    time.sleep(2 if bench.quick else 20)  # a start spreads the first polls
    before, polls, cpu = store.taken(), polls_of(upstream), cpu_of(gateways)
    began = time.monotonic()
    time.sleep(3 if bench.quick else 20)
    took = time.monotonic() - began
    polls, cpu = (polls_of(upstream) - polls) / took, (cpu_of(gateways) - cpu) / took * 100
    used = store.taken().since(before)
    return polls, cpu, used.seconds / used.at * 100

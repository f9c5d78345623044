"""One gateway, two and three on one PostgreSQL, each with the same work in all. They share two cores with PostgreSQL,
the load and Pictory's stand-in, so that more of them are no faster here: what is seen is what sharing costs."""

import time

from house import SERVICE, polls_of
from scale import Column, Scale
from shared import Requests, Store, cpu_of, gateways
from watches import Watches

SCALE = Scale("gateways", "Gateways on one PostgreSQL, and (×) against one alone in the same run", "gateways", [
    Column("submits", "Submits by 64 callers", "a second", "Submits by 64 callers"),
    Column("submit_cpu", "CPU of a submit, gateways", "µs"),
    Column("submit_db", "The same, PostgreSQL", "µs"),
    Column("polls", "Unchanged polls", "a second", "Unchanged polls"),
    Column("poll_cpu", "CPU of a poll, gateways", "µs"),
    Column("changes", "Changes, each told at every gateway", "a second"),
    Column("change_db", "CPU of a change, PostgreSQL", "µs"),
    Column("p50", "From Pictory's answer to a watcher at any gateway, median", "ms"),
    Column("p99", "The same, 99 of 100", "ms", "From Pictory's answer to a watcher, 99 of 100"),
    Column("idle", "PostgreSQL while nothing happens", "% of a core"),
], beside="one")
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "bench_watch_load"]
CALLERS = 64
JOBS = 2_000
PER_SECOND = 500  # changes: the budget of the account while they are told
UNFINISHED = b"\x0a\x02\x02\x03"  # states: QUEUED, RUNNING


def measure(bench):
    first = step(bench, 1)
    more = {count: step(bench, count) for count in ((2,) if bench.quick else (2, 3))}
    last = first if bench.quick else step(bench, 1)  # again, because a machine is not the same for minutes
    alone = {key: (first[key] + last[key]) / 2 for key in first}
    for count, values in {1: first, **more}.items():
        yield count, {key: (value, alone[key]) for key, value in values.items()}


def step(bench, count):
    store = Store(bench)
    try:
        return {**submits(bench, store, count), **polls(bench, store, count), **changes(bench, store, count)}
    finally:
        bench.end_all()


def submits(bench, store, count):
    running = gateways(bench, bench.server("upstream"), store.database(), count, poll_seconds=3600)
    idle = store.idle(2 if bench.quick else 10)
    before, requests = store.taken(), Requests(bench)
    seen = requests.load(running, CALLERS, bench.seconds * 4, 60_000)
    took, total = store.taken().since(before, idle), sum(each["total"] for each in seen)
    rate = sum(each["per_second"] for each in seen)
    values = {"submits": rate, "submit_cpu": sum(each["cpu_us"] * each["per_second"] for each in seen) / rate,
              "submit_db": took.seconds * 1e6 / total, "idle": idle.seconds / idle.at * 100}
    bench.end(*running)
    return values


def polls(bench, store, count):
    upstream = bench.server("upstream")
    running = gateways(bench, upstream, store.database(), count, poll_seconds=0.1)
    spread(bench, running, JOBS)
    time.sleep(3)  # the first polls bring news
    asked, cpu, began = polls_of(upstream), cpu_of(running), time.monotonic()
    time.sleep(bench.seconds * 4)
    asked, cpu, took = polls_of(upstream) - asked, cpu_of(running) - cpu, time.monotonic() - began
    bench.end(*running)
    return {"polls": asked / took, "poll_cpu": cpu * 1e6 / asked}


def changes(bench, store, count):
    """Every poll brings a change, and as many are made as the budget has."""
    upstream = bench.server("upstream")
    running = gateways(bench, upstream, store.database(), count, poll_seconds=0.1, budget=PER_SECOND, burst=PER_SECOND)
    spread(bench, running, PER_SECOND)
    time.sleep(5)
    streams = [Watches(bench, each, SERVICE + "WatchJobs", bench.saved(UNFINISHED), 1, "--request-bytes",
                       len(UNFINISHED)).client for each in running]
    upstream.say("restless")
    time.sleep(3)
    told(streams)
    before, asked = store.taken(), polls_of(upstream)
    told(streams)  # what was told until now does not count
    began = time.monotonic()
    time.sleep(bench.seconds * 6)
    heard, took = told(streams), time.monotonic() - began
    used, asked = store.taken().since(before), polls_of(upstream) - asked
    bench.end(*running)
    return {"changes": min(each[0] for each in heard) / took, "p50": max(each[1] for each in heard) / 1e6,
            "p99": max(each[2] for each in heard) / 1e6, "change_db": used.seconds * 1e6 / max(1, asked)}


def spread(bench, running, jobs):
    """Submits to each its part: who takes a submit looks after the job, from its own part of the budget."""
    for each in running:
        Requests(bench).send(each, jobs // len(running), CALLERS)


def told(streams):
    """Of each: the changes that it was told of since the last time, and how late: the median, 99 of 100, the most, ns."""
    for each in streams:
        each.say("delays")
    return [each.values("delays") for each in streams]

"""Five gateways on one PostgreSQL, and a watcher at each: jobs change one after the other, as fast as the account's
budget lets them be polled, and every watcher hears of each. They share two cores with PostgreSQL, the watchers and
Pictory's stand-in, so the note says how many changes a second there were in the end.

Each job changes once, so that no change can be hidden by a later one; a watcher that lacks one ends the figure."""

import statistics
import time

from house import SERVICE
from live.process import wait_until
from shared import Requests, Store, cpu_of, gateways
from verdict import Figure, Goal, number, table
from watches import Watches

ABOUT = "changes at five gateways on one PostgreSQL, each told at all of them, from Pictory's answer to the last watcher"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "bench_watch_load"]
GATEWAYS, CALLERS = 5, 64
RATES, QUICK_RATES = (200, 400, 800), (200,)  # requests a second, of the account
SECONDS, QUICK_SECONDS = 10, 4
MOST_MS = 400
UNFINISHED = b"\x0a\x02\x02\x03"  # states: QUEUED, RUNNING


def measure(bench):
    runs = {rate: [] for rate in (QUICK_RATES if bench.quick else RATES)}
    for _ in range(1 if bench.quick else min(2, bench.runs)):
        for rate, seen in runs.items():
            seen.append(told(bench, rate))

    def median(rate, key):
        return statistics.median(run[key] for run in runs[rate])

    bench.note([f"Changes of as many jobs as come in {QUICK_SECONDS if bench.quick else SECONDS} s at that budget, each "
                f"told at all of {GATEWAYS} gateways; ms from Pictory's answer to the watcher, the worst of {GATEWAYS}:", "",
                *table(["Budget, a second", "Jobs", "Changes a second", "Median", "99 of 100", "The last",
                        "CPU of the gateways, µs a change", "The same, PostgreSQL"],
                       [[str(rate), *(number(median(rate, key)) for key in (
                           "jobs", "rate", "p50", "p99", "last", "cpu", "db"))] for rate in runs])])
    for rate, seen in runs.items():
        reached = number(median(rate, "rate"))
        yield Figure(f"five.{rate}", f"{reached} changes a second, each told at {GATEWAYS} gateways: until a watcher has it, "
                     "99 of 100", "ms", [run["p99"] for run in seen], [MOST_MS] * len(seen),
                     Goal(at_most=MOST_MS, absolute=True, guard=3 * MOST_MS))


def told(bench, rate):
    upstream, store = bench.server("upstream"), Store(bench)
    database, seconds = store.database(), QUICK_SECONDS if bench.quick else SECONDS
    [first] = gateways(bench, upstream, database, 1, poll_seconds=3600)
    jobs = Requests(bench).send(first, rate * seconds, CALLERS)
    bench.end(first, orderly=True)
    running = gateways(bench, upstream, database, GATEWAYS, poll_seconds=0.1, budget=rate, burst=rate)
    wait_until(lambda: store.sql("SELECT count(*) FROM pictory.jobs WHERE revision = 1") == ["0"],
               "the first polls, which bring news", every=0.5)
    clients = [Watches(bench, each, SERVICE + "WatchJobs", bench.saved(UNFINISHED), 1, "--request-bytes",
                       len(UNFINISHED)).client for each in running]
    heard = 0
    while heard < jobs + 2:  # the beginning of the list, the jobs, its end
        clients[-1].say("counts")
        heard += clients[-1].values("counts")[3]
        time.sleep(0.05)
    for each in clients:
        each.say(f"updates {jobs}")
        each.values("armed")
    before, cpu, began = store.taken(), cpu_of(running), time.monotonic()
    for job in range(1, jobs + 1):
        upstream.say(f"change bench-{job}")
    delays = [each.values("updates") for each in clients]  # once it has all of them
    took = time.monotonic() - began
    cpu, used = cpu_of(running) - cpu, store.taken().since(before)
    bench.end_all()
    p50, p99, last = (max(each[at] for each in delays) / 1e6 for at in range(3))
    return {"jobs": jobs, "rate": jobs / took, "p50": p50, "p99": p99, "last": last, "cpu": cpu * 1e6 / jobs,
            "db": used.seconds * 1e6 / jobs}

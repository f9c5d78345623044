"""An ever larger budget of the account, with more jobs due than it can pay for."""

import time

from house import polls_of
from scale import Column, Scale

SCALE = Scale("budget", "The account's budget, with more jobs due than it allows", "requests/s", [
    Column("polls", "Polls", "a second", "Polls", log=True),
    Column("cpu", "CPU", "% of a core", "CPU", log=True),
    Column("each", "CPU of a poll", "µs", "CPU of a poll"),
])
PROGRAMS = ["bench_gateway", "bench_upstream", "fill"]
POLL_SECONDS = 0.1  # of the bench only
DUE_LEAST = 100     # jobs
SETTLED = 3         # seconds: a restart spreads the first polls


def measure(bench):
    seconds = 3 if bench.quick else 20
    for budget in (50, 1_000) if bench.quick else (5, 50, 500, 5_000):
        upstream = bench.server("upstream")
        gateway = bench.gateway_to(upstream, "--log-level", "warn", budget=budget, burst=10,
                                   poll_seconds=POLL_SECONDS, jobs=max(DUE_LEAST, 2 * budget))
        time.sleep(SETTLED)
        polls, cpu, began = polls_of(upstream), gateway.cpu(), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        polls, cpu = polls_of(upstream) - polls, gateway.cpu() - cpu
        yield budget, {"polls": polls / took, "cpu": cpu / took * 100,
                       "each": cpu * 1e6 / max(1, polls)}
        bench.end_all()

"""One job and ever more watches of it, as many on each connection as the gateway allows unless told
otherwise. A change is timed from the upstream's answer, so that reading and storing it count."""

import statistics
import time

from house import SERVICE, change_at
from scale import Column, Scale
from watches import HEARTBEAT_SECONDS, Watches

SCALE = Scale("watches", "Watches of one job", "watches", [
    Column("kib", "Memory of a watch", "KiB", "Memory of a watch"),
    Column("open", "Opening all", "s"),
    Column("p99", "99 %", "ms", "Until they have a change"),
    Column("last", "All", "ms", "Until they have a change"),
    Column("cpu", "CPU of a message", "µs", "CPU of a message"),
    Column("quiet", "CPU while quiet", "% of a core", "CPU while quiet"),
])
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_watch_load", "bench_unary_load"]
A_CONNECTION = 1000
POLL_SECONDS = 0.5   # of the bench only, so that a change is noticed soon
QUIET_SECONDS = 2 * HEARTBEAT_SECONDS


def measure(bench):
    for watches in (100, 2_000) if bench.quick else (1_000, 10_000, 50_000):
        yield watches, measure_one(bench, watches)
        bench.end_all()


def measure_one(bench, watches):
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, "--max-watches", watches, poll_seconds=POLL_SECONDS)
    request = bench.request(f'job_id: "{bench.running_job(gateway)}"', "WatchJobRequest")
    opened = Watches(bench, gateway, SERVICE + "WatchJob", request, watches,
                     connections=-(-watches // A_CONNECTION), change=lambda: change_at(upstream))
    opened.round()  # the first message of a stream costs more
    rounds = [opened.reached(0.99, 1) for _ in range(2 * bench.runs)]
    p99, last, cost = (statistics.median(column) for column in
                       zip(*((*times, cpu) for times, cpu in rounds)))
    quiet = 2 if bench.quick else QUIET_SECONDS
    cpu = gateway.cpu()
    time.sleep(quiet)
    return {"kib": opened.kib, "open": opened.opening, "p99": p99, "last": last, "cpu": cost,
            "quiet": (gateway.cpu() - cpu) / quiet * 100}

"""One job and ever more watches of it, as many on each connection as the gateway allows unless told
otherwise. A change is timed from the upstream's answer, so that reading and storing it count."""

import statistics
import time

from house import SERVICE
from scale import Column, Scale

SCALE = Scale("watches", "Watches of one job", "watches", [
    Column("kib", "Memory of a watch", "KiB", "Memory of a watch"),
    Column("open", "Opening all", "s"),
    Column("p99", "99 %", "ms", "Until they have a change"),
    Column("last", "All", "ms", "Until they have a change"),
    Column("cpu", "CPU of a message", "µs", "CPU of a message"),
    Column("quiet", "CPU while quiet", "% of a core", "CPU while quiet"),
])
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_watch_load"]
A_CONNECTION = 1000
POLL_SECONDS = 0.5  # of the bench only, so that a change is noticed soon
UPDATE_BYTES = 32   # what is shorter is a heartbeat
QUIET_SECONDS = 50  # two heartbeats of each


def measure(bench):
    for watches in (100, 2_000) if bench.quick else (1_000, 10_000, 50_000):
        yield watches, measure_one(bench, watches)
        bench.end_all()


def measure_one(bench, watches):
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, "--max-watches", watches, poll_seconds=POLL_SECONDS)
    request = bench.request(f'job_id: "{bench.submit(gateway)}"', "WatchJobRequest")
    before = gateway.resident()
    client = bench.start("watch_load", "--target", gateway.target, "--method", SERVICE + "WatchJob",
                         "--request", request, "--watches", watches,
                         "--connections", -(-watches // A_CONNECTION),
                         "--update-bytes", UPDATE_BYTES)
    opening = client.values("open")[0] / 1e9
    kib = (gateway.resident() - before) / watches / 1024
    a_round(upstream, gateway, client, watches)  # the first message of a stream costs more
    rounds = [a_round(upstream, gateway, client, watches) for _ in range(2 * bench.runs)]
    quiet = 2 if bench.quick else QUIET_SECONDS
    cpu = gateway.cpu()
    time.sleep(quiet)
    p99, last, cost = (statistics.median(column) for column in zip(*rounds))
    return {"kib": kib, "open": opening, "p99": p99, "last": last, "cpu": cost,
            "quiet": (gateway.cpu() - cpu) / quiet * 100}


def a_round(upstream, gateway, client, watches):
    """A change: ms until 99 % and all have it, µs of CPU a message."""
    client.say("0.99 1")
    client.values("armed")
    cpu = gateway.cpu()
    upstream.say("change")
    began = upstream.values("served")[0]
    p99, last = client.values("reached")
    return (p99 - began) / 1e6, (last - began) / 1e6, (gateway.cpu() - cpu) * 1e6 / watches

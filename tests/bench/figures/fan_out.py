"""One job and many watches: how fast one change reaches all, what a message and a quiet watch cost.
The bare server keeps a list of streams and sends each the same bytes in a loop.

Ours is timed from the upstream's answer, so that reading it and storing it durably count; the bare
server from the moment it is told to send."""

import statistics

from house import REFERENCE, SERVICE, change_at, payload_for, sent_at
from verdict import Figure, Goal, number, table
from watches import Watches

ABOUT = "one job's change to 10,000 watches over 16 connections, against a bare broadcast"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_broadcast_server", "bench_watch_load",
            "bench_unary_load"]
ROUNDS = 6  # a run, of each side in turn
SIZED_WATCHES = 2000  # for messages of other sizes
SIZED_BYTES = (300, 2000, 60000)
POLL_SECONDS = 0.1  # of the bench only, so that a change is noticed at once


def open_ours(bench, watches, command="change"):
    """`command` tells the upstream what to do in a round (reference/upstream.cc)."""
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, store="durable", poll_seconds=POLL_SECONDS)
    job = bench.running_job(gateway)
    request = bench.request(f'job_id: "{job}"', "WatchJobRequest")
    return Watches(bench, gateway, SERVICE + "WatchJob", request, watches,
                   change=lambda: change_at(upstream, command))


def open_bare(bench, watches, size):
    server = bench.server("broadcast_server", "--bytes", payload_for(size))
    request = bench.request(b"x" * 40, None)
    return Watches(bench, server, REFERENCE + "Watch", request, watches,
                   change=lambda: sent_at(server))


def measure(bench):
    watches = 1000 if bench.quick else 10000
    kib, bare_kib, rounds, bare_rounds = [], [], [], []
    for _ in range(bench.runs):
        ours = open_ours(bench, watches)
        size = ours.round()["bytes"]  # the first message of a stream costs more
        bare = open_bare(bench, watches, size)
        bare.round()
        kib.append(ours.kib)
        bare_kib.append(bare.kib)
        for _ in range(ROUNDS):
            rounds.append(ours.round())
            bare_rounds.append(bare.round())
        bench.end_all()

    def pick(key):
        return [one[key] for one in rounds], [one[key] for one in bare_rounds]

    if not bench.quick:
        bench.note(sizes(bench))

    many = f"{number(watches)} watches"
    yield Figure("fan-out.time", f"A change to {many}, until the last has it", "ms", *pick("all"),
                 Goal(at_most=1.15, guard=2.5))
    yield Figure("fan-out.cpu", "The same, server CPU a message", "µs", *pick("cpu"),
                 Goal(at_most=1.15, guard=2.5))
    yield Figure("fan-out.memory", "A quiet watch, resident", "KiB", kib, bare_kib,
                 Goal(at_most=1.1, guard=1.5))


def sizes(bench):
    """A job's last message, with its result: made once, whatever its size. After it our watches end, so
    that each side has one round an opening, and ours more to do in it."""
    rows = []
    for size in SIZED_BYTES:
        seen = []
        for _ in range(bench.runs):
            ours = open_ours(bench, SIZED_WATCHES, f"finish {size}")
            one = ours.round()
            bare = open_bare(bench, SIZED_WATCHES, one["bytes"])
            seen.append((one, bare.round()))
            bench.end_all()

        def cell(side, key):
            return number(statistics.median(pair[side][key] for pair in seen))

        rows.append([cell(0, "bytes"), cell(0, "all"), cell(1, "all"), cell(0, "cpu"), cell(1, "cpu")])
    return [f"The last message of a job to {number(SIZED_WATCHES)} watches, by its size; ours then end "
            "the watches, too:", "",
            *table(["Bytes", "Ours, ms", "Bare, ms", "Ours, CPU µs a message", "Bare, CPU µs"], rows)]

"""One key and many watches: a change in etcd against a change of a job here, a gRPC stream for each
watch on both sides. etcd is what many would build this on, and its watch is known to be fast.

Both are timed from the moment the news sets out for the server, so that making it durable counts: ours
from the upstream's answer, etcd's from the call that puts the value."""

import json
import pathlib
import statistics

from figures.fan_out import ROUNDS, open_ours
from house import field, sent_at
from verdict import Figure, Goal, number
from watches import Watches

ABOUT = "one job's change to 10,000 watches over 16 connections, against etcd's watch of a key"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "bench_watch_load"]
ETCD = pathlib.Path("/usr/bin/etcd")
KEY = b"job"
# etcdserverpb by numbers: WatchRequest.create_request, WatchCreateRequest.key, PutRequest.key and .value.
WATCH = field(1, field(1, KEY))


def put(value_bytes):
    return field(1, KEY) + field(2, b"v" * value_bytes)


def start_etcd(bench):
    """Alone, as it is by default, on ports that the system chooses."""
    any_port = "http://127.0.0.1:0"
    server = bench.start_other(
        ETCD, "--data-dir", bench.path("etcd"), "--logger", "zap", "--log-outputs", "stdout",
        "--listen-client-urls", any_port, "--advertise-client-urls", any_port,
        "--listen-peer-urls", any_port, "--initial-advertise-peer-urls", any_port,
        "--initial-cluster", f"default={any_port}", "--enable-grpc-gateway=false")
    while True:
        said = json.loads(server.line())
        if said["msg"].startswith("serving client traffic"):
            server.target = said["address"]
            return server


def open_etcd(bench, watches, size):
    """A change of it is a message of `size` bytes."""
    server = start_etcd(bench)

    def putter(value_bytes):
        return bench.start("unary_load", "--target", server.target, "--method",
                           "/etcdserverpb.KV/Put", "--request", bench.saved(put(value_bytes)),
                           "--prompted", 1)

    first = putter(size)
    opened = Watches(bench, server, "/etcdserverpb.Watch/Watch", bench.saved(WATCH), watches,
                     "--update-bytes", 1, change=lambda: sent_at(first))
    added = opened.round()["bytes"] - size  # by what comes with a value
    fitting = putter(size - added)
    opened.change = lambda: sent_at(fitting)
    return opened


def measure(bench):
    if not ETCD.exists():
        bench.leave_out(f"etcd: there is no {ETCD} (package etcd-server)")
        return
    watches = 1000 if bench.quick else 10000
    kib, etcd_kib, rounds, etcd_rounds = [], [], [], []
    for _ in range(bench.few_runs):
        ours = open_ours(bench, watches)
        size = ours.round()["bytes"]  # the first message of a stream costs more
        etcd = open_etcd(bench, watches, size)
        kib.append(ours.kib)
        etcd_kib.append(etcd.kib)
        for _ in range(3 if bench.quick else ROUNDS):
            rounds.append(ours.round())
            etcd_rounds.append(etcd.round())
        bench.end_all()

    def pick(key):
        return [one[key] for one in rounds], [one[key] for one in etcd_rounds]

    cpu, etcd_cpu = (statistics.median(side) for side in pick("cpu"))
    bench.note([f"Server CPU of a message to {number(watches)} watches: {number(cpu)} µs here, "
                f"{number(etcd_cpu)} µs in etcd."])
    many = f"{number(watches)} watches"
    yield Figure("etcd.time", f"A change to {many}, until the last has it, against etcd", "ms",
                 *pick("all"), Goal(at_most=1, guard=2.5))
    yield Figure("etcd.memory", "A quiet watch, resident, against etcd", "KiB", kib, etcd_kib,
                 Goal(at_most=0.5, guard=0.8))

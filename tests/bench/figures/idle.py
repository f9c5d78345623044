"""What the gateway costs when nothing happens: 10,000 quiet watches with their heartbeats, and the
program alone. The reference of the watches is a bare server that sends each one short message in the
same time; of the program, the bare proxy, which needs the same two large libraries."""

import time

from house import REFERENCE, SERVICE, payload_for
from live.process import MIB
from verdict import Figure, Goal
from watches import HEARTBEAT_SECONDS, Watches

ABOUT = "10,000 quiet watches, and the empty server: CPU, memory, start"
PROGRAMS = ["pictory-gateway", "bench_upstream", "bench_broadcast_server", "bench_proxy_server",
            "bench_watch_load"]
WATCHES = 10000
HEARTBEAT_BYTES = 4
STARTS = 5


def measure(bench):
    yield from empty(bench)
    yield from quiet(bench)


def empty(bench):
    memory, ready, bare_memory, bare_ready = [], [], [], []
    upstream = bench.server("upstream")
    for _ in range(STARTS):
        gateway = bench.gateway_to(upstream)
        ready.append(gateway.ready_after * 1e3)
        began = time.monotonic()
        proxy = bench.server("proxy_server", "--url", f"http://{upstream.target}")
        bare_ready.append((time.monotonic() - began) * 1e3)
        memory.append(gateway.memory() / MIB)
        bare_memory.append(proxy.memory() / MIB)
        bench.end(gateway, proxy)
    yield Figure("idle.memory", "The server alone, resident", "MiB", memory, bare_memory,
                 Goal(at_most=25, guard=40, absolute=True))
    yield Figure("idle.ready", "From start to serving", "ms", ready, bare_ready,
                 Goal(at_most=100, guard=1000, absolute=True))


def quiet(bench):
    gateway = bench.gateway_to(bench.server("upstream"))
    job = bench.submit(gateway)
    bare = bench.server("broadcast_server", "--bytes", payload_for(HEARTBEAT_BYTES))
    Watches(bench, gateway, SERVICE + "WatchJob",
            bench.request(f'job_id: "{job}"', "WatchJobRequest"), WATCHES)
    Watches(bench, bare, REFERENCE + "Watch", bench.request(b"x" * 40, None), WATCHES,
            "--update-bytes", HEARTBEAT_BYTES)
    time.sleep(2)  # until what came with opening is over
    ours, reference = [], []
    for _ in range(1 if bench.quick else 3):
        before, bare_before = gateway.cpu(), bare.cpu()
        bare.say()
        bare.values("sent")
        time.sleep(HEARTBEAT_SECONDS)
        ours.append((gateway.cpu() - before) / HEARTBEAT_SECONDS * 100)
        reference.append((bare.cpu() - bare_before) / HEARTBEAT_SECONDS * 100)
    yield Figure("idle.watches", "10 000 quiet watches, heartbeats on", "% of a core", ours,
                 reference, Goal(at_most=1, guard=3, absolute=True))

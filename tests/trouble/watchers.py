"""Clients in trouble: they leave all at once, do not read, or are gone without a word."""


from house import polls_of
from live.process import MIB
from live.relay import Relay
from number import at_least, at_most, seconds_until
from side import counts, watch

CROWD = 10_000


def open_watches(gateway):
    return gateway.metric("watches")


def crowd_leaves(bench):
    gateway = bench.gateway_to(bench.server("upstream"))
    crowd = watch(bench, gateway, [bench.transcribe(gateway)], CROWD)
    was = open_watches(gateway)
    bench.end(crowd.client)  # killed: all connections are reset
    gone = seconds_until(lambda: open_watches(gateway) == 0, 10)
    yield at_most("come within", crowd.opening, 10, "s")
    yield at_least("watches", was, CROWD)
    yield at_most("memory", gateway.memory("VmHWM") / MIB, 400, "MiB")
    yield at_most("none left after", gone, 5, "s")


def deaf_readers(bench):
    updates = 400 if bench.quick else 1000  # 300 fill what gRPC buffers for a stream
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, poll_seconds=0.02)
    job = bench.transcribe(gateway)
    deaf = watch(bench, gateway, [job], 1000, "--deaf", 1)
    healthy = watch(bench, gateway, [job], 100, connections=4).client
    before, deaf_before = gateway.memory(), deaf.client.memory()
    healthy.say("delays")
    healthy.values("delays")
    asked = polls_of(upstream)
    upstream.say("restless")
    most = before

    def enough():
        nonlocal most
        most = max(most, gateway.memory())
        return polls_of(upstream) - asked >= updates

    took = seconds_until(enough, 120, every=0.1)
    made = polls_of(upstream) - asked
    healthy.say("delays")
    heard, p50, p99, worst = healthy.values("delays")
    bench.note([f"{made} updates in {took:.1f} s; a healthy watch heard {heard / 100:.0f} of them, "
                f"median {p50 / 1e6:.1f} ms, worst {worst / 1e6:.1f} ms; of the deaf, "
                f"{counts(deaf).open} are still there and hold "
                f"{(deaf.client.memory() - deaf_before) / MIB:.0f} MiB"])
    yield at_least("updates", made, updates)
    yield at_least("heard by each healthy watch", heard / 100, updates / 2)
    yield at_most("memory grows by", (most - before) / MIB, 70, "MiB")
    yield at_most("healthy watches' delay, p99", p99 / 1e6, 250, "ms")


def black_holed(bench):
    """Everything is acknowledged by the relay's kernel, and nothing goes on: as behind a proxy or a
    NAT whose other side is gone. No heartbeat fills a buffer, so only keepalive can tell."""
    gateway = bench.gateway_to(bench.server("upstream"))
    job = bench.transcribe(gateway)
    with Relay(gateway.target) as relay:
        watch(bench, gateway, [job], 200, connections=8, target=relay.target)
        was = open_watches(gateway)
        relay.freeze()
        gone = seconds_until(lambda: open_watches(gateway) == 0, 120, every=0.2)
    yield at_least("watches", was, 200)
    yield at_most("none left after", gone, 90, "s")

"""Submitting: what validation, translation, the record of it and its durability cost beside a bare
proxy that sends the same body, each on a connection of its own. The upstream answers at once, so that
all the time a call takes is ours or the bare proxy's."""

import statistics

from house import REFERENCE, SERVICE, STORYBOARD, STORYBOARD_JSON, payload_for
from verdict import Figure, Goal, number, table

ABOUT = "CreatePreview at 1 to 256 callers, in memory and durable, against a bare proxy"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_proxy_server", "bench_unary_load"]
CALLERS = (1, 16, 64, 256)
CALLERS_QUICK = (1, 64, 256)
COMMITS = "store_commits_total"


def measure(bench):
    steps = CALLERS_QUICK if bench.quick else CALLERS
    upstream = bench.server("upstream")
    gateways = {store: bench.gateway_to(upstream, store=store, poll_seconds=3600)
                for store in ("memory", "durable")}
    ask = bench.request(STORYBOARD, "CreatePreviewRequest")
    answer = bench.answer_bytes(gateways["memory"], "CreatePreview", ask)
    proxy = bench.server("proxy_server", "--url", f"http://{upstream.target}/pictoryapis/v2/video",
                         "--answer-bytes", payload_for(answer))
    bare_ask = bench.request(STORYBOARD_JSON.encode(), None)

    flushes = []
    runs = {(side, callers): [] for side in ("bare", *gateways) for callers in steps}
    for _ in range(bench.runs):
        flushes.append(bench.flush_seconds())
        for callers in steps:
            for store, gateway in gateways.items():
                before = gateway.metric(COMMITS)
                run = bench.load(gateway, SERVICE + "CreatePreview", ask, callers)
                run["commits"] = (gateway.metric(COMMITS) - before) / run["total"]
                runs[store, callers].append(run)
            runs["bare", callers].append(bench.load(proxy, REFERENCE + "Submit", bare_ask, callers))

    def pick(side, callers, key):
        return [run[key] for run in runs[side, callers]]

    yield Figure("submit.memory", "Submits in memory, 64 callers", "calls/s",
                 pick("memory", 64, "per_second"), pick("bare", 64, "per_second"),
                 Goal(at_least=0.75, guard=0.2))
    yield Figure("submit.durable", "Submits, durable, 256 callers", "calls/s",
                 pick("durable", 256, "per_second"), pick("bare", 256, "per_second"),
                 Goal(at_least=0.5, guard=0.15))
    yield Figure("submit.latency", "One durable submit at a time, against 2 flushes and 1 ms", "ms",
                 [us / 1e3 for us in pick("durable", 1, "p50_us")],
                 [2e3 * flush + 1 for flush in flushes], Goal(at_most=1, guard=4))

    def cell(side, callers, key, scale=1):
        return number(statistics.median(pick(side, callers, key)) * scale)

    rows = []
    for callers in steps:
        added = [durable - memory for durable, memory in
                 zip(pick("durable", callers, "p50_us"), pick("memory", callers, "p50_us"))]
        rows.append([str(callers),
                     *[cell(side, callers, "per_second") for side in ("bare", *gateways)],
                     *[cell(side, callers, "cpu_us") for side in ("bare", *gateways)],
                     number(statistics.median(added) / 1e3), cell("durable", callers, "commits")])
    bench.note(["What durability costs a submit; one flush of the disk took "
                f"{number(statistics.median(flushes) * 1e3)} ms:", "",
                *table(["Callers", "Bare proxy, calls/s", "In memory, calls/s", "Durable, calls/s",
                        "Bare, CPU µs", "In memory, CPU µs", "Durable, CPU µs",
                        "Added by durability, ms", "Commits a submit"], rows)])

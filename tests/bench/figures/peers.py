"""Our gateway beside what a competent team would write instead (peers/README.md): one in Go that
polls each job once, and one in Node whose watches each poll, as Pictory's samples do. All have the
same upstream, the same interval and the same load: one job that many watch, and that changes again
as soon as they all have its last change.

The reference is the peer in the same run. Latency counts from the upstream's first answer with a
change; requests are those between two changes, which is one interval for who asks once in it. The
bare broadcast server is in the tables to tell what our gRPC library alone takes; it asks nobody."""

import subprocess
import time
from statistics import median

from house import (BUILD, REFERENCE, ROOT, SERVICE, change_at, payload_for, polls_of,
                   sent_at)
from verdict import Figure, Goal, number, table
from watches import Watches

ABOUT = "many watches of one job, against gateways in Go and Node: requests, CPU, memory, p99"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_broadcast_server", "bench_unary_load",
            "bench_watch_load"]
PEERS = BUILD / "peers"
BUILT = {"go": PEERS / "go" / "peer", "node": PEERS / "node" / "peer.js"}
NEEDS = {"go": "Go 1.26 or newer", "node": "Node 18.3 or newer, with npm"}
TITLES = {"ours": "Ours", "go": "Go", "node": "Node", "bare": "Bare broadcast"}
ROUNDS = 5
MESSAGE_BYTES = 124  # of ours, for the bare server


def prepare():
    """Their own tools build them. What fails is left out by measure()."""
    for peer in BUILT:
        subprocess.run([ROOT / "tests" / "bench" / "peers" / "build", peer], check=False)


class Watched(Watches):
    """A server, and its job with many watches."""

    def __init__(self, bench, name, watches, interval):
        self.upstream = bench.server("upstream")
        server = start(bench, name, self.upstream, interval)
        job = bench.running_job(server)
        super().__init__(bench, server, SERVICE + "WatchJob",
                         bench.request(f'job_id: "{job}"', "WatchJobRequest"), watches,
                         change=lambda: change_at(self.upstream))

    def requests(self):
        return polls_of(self.upstream)

    def measure(self):
        """What so many changes took, each seen by all watches: values by measure, some of each."""
        self.round()  # a round begins where a poll was
        requests, cpu, began = self.requests(), self.server.cpu(), time.monotonic()
        late = [self.reached(0.99)[0][0] for _ in range(ROUNDS)]
        seconds = time.monotonic() - began
        cpu, requests = self.server.cpu() - cpu, self.requests() - requests
        return {"requests": [requests / ROUNDS], "rate": [requests / seconds],
                "cpu": [cpu * 1e6 / ROUNDS / self.watches], "p99": late,
                "memory": [(self.server.memory() - self.empty) / self.watches / 1024]}


class Bare(Watched):
    """The bare server with as many streams, of messages as long as ours. It asks nobody."""

    def __init__(self, bench, watches):
        server = bench.server("broadcast_server", "--bytes", payload_for(MESSAGE_BYTES))
        Watches.__init__(self, bench, server, REFERENCE + "Watch", bench.request(b"x" * 40, None),
                         watches, change=lambda: sent_at(server))

    def requests(self):
        return 0


def start(bench, name, upstream, interval):
    url = f"http://{upstream.target}/pictoryapis"
    if name == "go":
        return bench.peer(name, BUILT["go"], "--upstream", url, "--interval", f"{interval}s")
    if name == "node":
        return bench.peer(name, "node", BUILT["node"], ROOT / "protos", url, interval)
    return bench.gateway_to(upstream, poll_seconds=interval)


def measure(bench):
    peers = [peer for peer, program in BUILT.items() if program.exists()]
    for peer in BUILT.keys() - peers:
        bench.leave_out(f"peers: {peer} could not be built (needs {NEEDS[peer]}, and its registry; "
                        f"see {(PEERS / peer).relative_to(ROOT)}.log)")
    if not peers:
        return
    # Ten thousand watches that each poll would ask ten thousand times a second: not for Node.
    few, many, interval = (200, 200, 0.2) if bench.quick else (1000, 10000, 1)
    everybody = ["ours", *peers, *([] if bench.quick else ["bare"])]
    cases = [(few, name) for name in everybody]
    cases += [(many, name) for name in everybody if name != "node" and many != few]
    seen = {case: {} for case in cases}
    for _ in range(bench.few_runs):
        for watches, name in cases:
            side = (Bare(bench, watches) if name == "bare"
                    else Watched(bench, name, watches, interval))
            for key, values in side.measure().items():
                seen[watches, name].setdefault(key, []).extend(values)
            bench.end_all()

    for peer, watches in (("go", many), ("node", few)):
        if peer in peers:
            yield from figures(peer, watches, seen[watches, "ours"], seen[watches, peer])
    for watches in dict.fromkeys((few, many)):
        bench.note([f"{number(watches)} watches of one job, polled each {number(interval)} s:", "",
                    *side_by_side(watches, seen)])


def figures(peer, watches, ours, theirs):
    def figure(key, about, unit, guard):
        return Figure(f"peers.{peer}-{key}", f"{number(watches)} watches, against {TITLES[peer]}: "
                      + about, unit, ours[key], theirs[key], Goal(at_most=1, guard=guard))

    yield figure("requests", "upstream requests an interval", "requests", 2)
    yield figure("cpu", "server CPU an update", "µs", 5)
    yield figure("memory", "a watch, resident", "KiB", 3)
    yield figure("p99", "until 99 % have a change", "ms", 8)


def side_by_side(watches, seen):
    def row(name, values):
        cells = [number(median(values[key])) for key in ("rate", "cpu", "memory", "p99")]
        return [TITLES[name], "–" if name == "bare" else cells[0], *cells[1:]]

    return table(["", "Upstream requests/s", "CPU µs an update", "KiB a watch", "p99, ms"],
                 [row(name, values) for (many, name), values in seen.items() if many == watches])

"""Ever more finished jobs in the store, against a gateway whose store has none. Both hold the same few
unfinished ones; they are measured in turns, and the one that waits is stopped."""

import statistics
import time

from house import SERVICE, STORYBOARD, field, polls_of
from live.process import MIB
from scale import Column, Scale
from watches import Watches

SCALE = Scale("finished", "Finished jobs in the store, and (×) against a store with none",
              "finished jobs", [
    Column("submit", "Submit, median", "ms", "Submit, median"),
    Column("change", "A change, from Pictory's answer to the watch", "ms"),
    Column("poll", "CPU of a poll", "µs", "CPU of a poll"),
    Column("page", "First page of the list, median", "ms", "First page of the list, median"),
    Column("memory", "Memory", "MiB", "Memory"),
    Column("ready", "From start to serving", "ms"),
], beside="none")
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "bench_watch_load", "fill"]
UNFINISHED = 100
POLL_SECONDS = 0.2  # of the bench only
SETTLED = 1         # seconds
PER_SECOND = 1_000  # polls at most, however many jobs the submits have made


def measure(bench):
    for finished in (0, 5_000) if bench.quick else (0, 10_000, 100_000, 1_000_000):
        sides = [Side(bench, jobs) for jobs in (finished, 0)]
        for turn in range(bench.runs):
            for side in sides[::1 if turn % 2 == 0 else -1]:
                with sides[1 - sides.index(side)].gateway.stopped():
                    side.round()
        ours, none = (side.values() for side in sides)
        yield finished, {key: (value, none[key]) for key, value in ours.items()}
        bench.end_all()


class Side:
    """A gateway with so many finished jobs, and one watch of a job that it was given."""

    def __init__(self, bench, finished):
        self.bench = bench
        self.upstream = bench.server("upstream")
        self.gateway = bench.gateway_to(self.upstream, "--log-level", "warn", budget=PER_SECOND,
                                        poll_seconds=POLL_SECONDS, jobs=UNFINISHED,
                                        finished=finished)
        request = field(1, bench.submit(self.gateway).encode())
        self.client = Watches(bench, self.gateway, SERVICE + "WatchJob", bench.saved(request), 1,
                              "--request-bytes", len(request)).client
        self.rounds = []

    def round(self):
        bench, gateway = self.bench, self.gateway
        time.sleep(SETTLED)  # what fell due while it was stopped
        page = bench.load(gateway, SERVICE + "ListJobs", bench.request("", "ListJobsRequest"), callers=1)
        change = self.change()
        polls, cpu = polls_of(self.upstream), gateway.cpu()
        time.sleep(bench.seconds)
        poll = (gateway.cpu() - cpu) * 1e6 / max(1, polls_of(self.upstream) - polls)
        submit = bench.load(gateway, SERVICE + "CreatePreview",
                            bench.request(STORYBOARD, "CreatePreviewRequest"), callers=1)
        time.sleep(SETTLED)  # the first polls of new jobs bring news, which costs more
        self.rounds.append({"submit": submit["p50_us"] / 1e3, "change": change / 1e6, "poll": poll,
                            "page": page["p50_us"] / 1e3})

    def change(self):
        """The job changes: ns from the answer that says so to the watch."""
        self.client.say("updates 1")
        self.client.values("armed")
        self.upstream.say("change bench-1")  # the first that it was given
        return self.client.values("updates")[0]

    def values(self):
        medians = {key: statistics.median(round[key] for round in self.rounds)
                   for key in self.rounds[0]}
        return {**medians, "memory": self.gateway.memory() / MIB,
                "ready": self.gateway.ready_after * 1e3}

"""Many jobs, each with some watches, and one of them changing every few milliseconds: how long after
the answer with the change the last watch of the job has it. Between the two lie reading the answer,
storing it durably and telling the watches; the bare server only tells them."""

import random
import re
import statistics
import time

from house import REFERENCE, SERVICE, field, payload_for
from verdict import Figure, Goal, number, table
from watches import Watches

ABOUT = "1,000 jobs with 10 watches each, 100 updates a second, against a bare server"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_broadcast_server", "bench_watch_load",
            "bench_unary_load", "fill"]
JOBS = 1000  # at most a page of the list
WATCHES = 10  # of each
PER_SECOND = 100
POLL_SECONDS = 1  # of the bench only: 1,000 polls a second beside the updates


class Jobs(Watches):
    """One server with the watches of all jobs. `names` are the jobs, `change` makes one of them change."""

    def __init__(self, bench, server, method, requests, names, change):
        self.names = names
        super().__init__(bench, server, method, bench.saved(b"".join(requests)),
                         len(requests) * WATCHES, "--request-bytes", len(requests[0]), change=change)

    def run(self, seconds):
        """Milliseconds: the median, the 99th of a hundred and the worst. No job changes twice."""
        chosen = random.sample(self.names, int(seconds * PER_SECOND))
        self.client.say(f"updates {len(chosen)}")
        self.client.values("armed")
        due = time.monotonic()
        for name in chosen:
            time.sleep(max(0, due - time.monotonic()))
            self.change(name)
            due += 1 / PER_SECOND
        return dict(zip(("p50", "p99", "max"),
                        (ns / 1e6 for ns in self.client.values("updates"))))


def open_ours(bench):
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, poll_seconds=POLL_SECONDS, jobs=JOBS)
    page = bench.call(gateway, "ListJobs", bench.request(f"page_size: {JOBS}", "ListJobsRequest"),
                      "ListJobsResponse")
    job_ids, names = (re.findall(rf'^  {key}: "([^"]+)"', page, re.MULTILINE)
                      for key in ("job_id", "pictory_job_id"))
    size = bench.answer_bytes(gateway, "GetJob",
                              bench.request(f'job_id: "{job_ids[0]}"', "GetJobRequest"))
    jobs = Jobs(bench, gateway, SERVICE + "WatchJob", [field(1, job.encode()) for job in job_ids],
                names, lambda name: upstream.say(f"change {name}"))
    return jobs, size


def open_bare(bench, size):
    server = bench.server("broadcast_server", "--bytes", payload_for(size))
    names = [f"job-{number:030}" for number in range(JOBS)]
    return Jobs(bench, server, REFERENCE + "Watch", [field(1, name.encode()) for name in names],
                names, server.say)


def measure(bench):
    seconds = 1.5 if bench.quick else 8
    ours, size = open_ours(bench)
    bare = open_bare(bench, size)
    runs, bare_runs = [], []
    for _ in range(bench.few_runs):
        runs.append(ours.run(seconds))
        bare_runs.append(bare.run(seconds))

    def pick(key):
        return [run[key] for run in runs], [run[key] for run in bare_runs]

    about = f"{PER_SECOND} updates a second of {number(JOBS)} jobs, until the last watch has it"
    yield Figure("updates.p99", f"{about}, 99 of 100", "ms", *pick("p99"),
                 Goal(at_most=50, guard=500, absolute=True))
    bench.note([f"{about[0].upper()}{about[1:]}, ms:", "",
                *table(["", "Median", "99 of 100", "The slowest"],
                       [[side, *(number(statistics.median(run[key] for run in those))
                                 for key in ("p50", "p99", "max"))]
                        for side, those in (("Ours", runs), ("Bare", bare_runs))])])

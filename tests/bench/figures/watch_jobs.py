"""Many jobs that change one after the other, told on one stream of WatchJobs, and each on a WatchJob of
its own: what a change costs the server, polled, stored and told, and how long after Pictory's answer
its caller has it."""

import re
import statistics
import time

from house import SERVICE, field
from verdict import Figure, Goal, number, table
from watches import Watches

ABOUT = "changes of 10,000 jobs on one stream of WatchJobs, against a WatchJob for each"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_watch_load", "bench_unary_load", "fill"]
JOBS, QUICK_JOBS = 10_000, 1_000
POLLS_PER_SECOND = 1_000  # of the bench only, in both cases
PAGE = 1_000
UNFINISHED = b"\x0a\x02\x02\x03"  # states: QUEUED, RUNNING


def all_jobs(bench, gateway):
    """Our ids and Pictory's."""
    job_ids, names, token = [], [], ""
    while True:
        page = bench.call(gateway, "ListJobs",
                          bench.request(f'page_size: {PAGE} page_token: "{token}"', "ListJobsRequest"), "ListJobsResponse")
        job_ids += re.findall(r'^  job_id: "([^"]+)"', page, re.MULTILINE)
        names += re.findall(r'^  pictory_job_id: "([^"]+)"', page, re.MULTILINE)
        more = re.search(r'^next_page_token: "([^"]+)"', page, re.MULTILINE)
        if more is None:
            return job_ids, names
        token = more[1]


class Told(Watches):
    """The changes of all jobs of one gateway, by so many streams."""

    def __init__(self, bench, jobs, method, requests):
        self.upstream = bench.server("upstream")
        gateway = bench.gateway_to(self.upstream, poll_seconds=jobs / POLLS_PER_SECOND, jobs=jobs)
        job_ids, self.names = all_jobs(bench, gateway)
        requests = requests(job_ids)
        super().__init__(bench, gateway, SERVICE + method, bench.saved(b"".join(requests)), len(requests),
                         "--request-bytes", len(requests[0]))

    def await_list(self):
        told = 0
        while told < len(self.names) + 2:  # its beginning, the jobs, its end
            self.client.say("counts")
            told += self.client.values("counts")[3]
            time.sleep(0.01)

    def run(self):
        """µs of server CPU a change; milliseconds from the answer to the caller, the median and the 99th of a hundred."""
        self.client.say(f"updates {len(self.names)}")
        self.client.values("armed")
        cpu = self.server.cpu()
        for name in self.names:
            self.upstream.say(f"change {name}")
        p50, p99, _ = self.client.values("updates")
        return {"cpu": (self.server.cpu() - cpu) * 1e6 / len(self.names), "p50": p50 / 1e6, "p99": p99 / 1e6}


def measure(bench):
    jobs = QUICK_JOBS if bench.quick else JOBS
    runs, single_runs = [], []
    for _ in range(bench.few_runs):
        one = Told(bench, jobs, "WatchJobs", lambda ids: [UNFINISHED])
        one.await_list()
        one.run()  # the first polls of all jobs are in it
        runs.append(one.run())
        bench.end_all()
        single = Told(bench, jobs, "WatchJob", lambda ids: [field(1, each.encode()) for each in ids])
        single.run()
        single_runs.append(single.run())
        bench.end_all()

    def pick(key):
        return [run[key] for run in runs], [run[key] for run in single_runs]

    about = f"Each of {number(jobs)} jobs changes, one stream"
    yield Figure("watch-jobs.cpu", f"{about}, server CPU a change with its polls", "µs", *pick("cpu"),
                 Goal(at_most=1.1, guard=2))
    yield Figure("watch-jobs.p99", f"{about}, from the answer to the caller, 99 of 100", "ms", *pick("p99"),
                 Goal(at_most=1.5, guard=5))
    bench.note([f"{about}, against a WatchJob for each, ms from Pictory's answer:", "",
                *table(["", "Median", "99 of 100"],
                       [[side, *(number(statistics.median(run[key] for run in those)) for key in ("p50", "p99"))]
                        for side, those in (("One stream", runs), ("A stream for each", single_runs))])])

"""Polling: what asking about a job that has nothing new costs beside libcurl alone, how many polls a
slow upstream can have under way, how late a poll is among very many jobs, and what a job takes up.

Ours polls without being told to, so it is stopped while the bare program has its turn."""

import json
import re
import time

from house import SERVICE, STORYBOARD, polls_of
from verdict import Figure, Goal, number

ABOUT = "unchanged polls against libcurl alone, 1,000 in flight, 100,000 jobs"
PROGRAMS = ["pictory-gateway", "bench_gateway", "bench_upstream", "bench_poller", "bench_unary_load",
            "fill"]
ALWAYS_DUE = 0.001  # seconds between polls: whenever there is a place, there is a job
IN_FLIGHT = 64      # the gateway's default
MANY_IN_FLIGHT = 1000
# With many more connections than 250 a thread, libcurl looks through them for a long time now and then.
ENGINES_FOR_MANY = 4
SLOW_MS = 100
JITTER = 0.2        # of the poll interval, either way
UNFINISHED = "jobs_unfinished"


def measure(bench):
    yield from unchanged(bench)
    yield from slow(bench)
    yield from late(bench)
    yield from memory(bench)


def submit_many(bench, gateway, jobs):
    """At least so many unfinished jobs. Returns how many. Nothing here is about the submits: on a busy
    machine some may fail."""
    ask = bench.request(STORYBOARD, "CreatePreviewRequest")
    while (seen := int(gateway.metric(UNFINISHED))) < jobs:
        loader = bench.start("unary_load", "--target", gateway.target, "--method",
                             SERVICE + "CreatePreview", "--request", ask, "--callers", 256,
                             "--warm", 0, "--seconds", bench.seconds)
        loader.line()
        bench.end(loader)
    return seen


class Sides:
    """The gateway and the bare poller, each with so many polls of one upstream in flight."""

    def __init__(self, bench, journal, front, in_flight, *flags):
        jobs = 2_000 if bench.quick else 10_000
        self.bench, self.journal, self.in_flight = bench, journal, in_flight
        self.ca = ["--ca-file", front.ca_file] if front.scheme == "https" else []
        self.url = f"{front.scheme}://{front.target}/pictoryapis/v1/jobs/bench-1"
        self.gateway = bench.gateway_to(front, "--max-polls-in-flight", in_flight, *self.ca, *flags,
                                        poll_seconds=ALWAYS_DUE, jobs=jobs)
        while polls_of(journal) < 2 * jobs:  # until the first news of all is taken in
            time.sleep(0.05)
        self.ours, self.bare = [], []

    def round(self):
        with self.gateway.stopped():
            poller = self.bench.start("poller", "--url", self.url, *self.ca, "--in-flight",
                                      self.in_flight, "--seconds", self.bench.seconds)
            self.bare.append(json.loads(poller.line()))
            self.bench.end(poller)
        time.sleep(self.bench.seconds / 4)  # as the bare poller does
        polls, cpu, began = polls_of(self.journal), self.gateway.cpu(), time.monotonic()
        time.sleep(self.bench.seconds)
        polls = max(1, polls_of(self.journal) - polls)
        self.ours.append({"per_second": polls / (time.monotonic() - began),
                          "cpu_us": (self.gateway.cpu() - cpu) * 1e6 / polls})

    def pick(self, key):
        return [run[key] for run in self.ours], [run[key] for run in self.bare]


def unchanged(bench):
    modes = [("cpu", "HTTP/1.1")] + ([] if bench.quick else [("cpu-tls", "HTTP/2 over TLS")])
    for name, mode in modes:
        upstream = bench.server("upstream")
        front = bench.tls_before(upstream) if name == "cpu-tls" else upstream
        if front is None:
            bench.leave_out("polling.cpu-tls: there is no nginx")
            return
        side = Sides(bench, upstream, front, IN_FLIGHT)
        for _ in range(bench.runs):
            side.round()
        yield Figure(f"polling.{name}", f"An unchanged poll by {mode}, CPU", "µs",
                     *side.pick("cpu_us"), Goal(at_most=1.5, guard=3))
        bench.end_all()


def slow(bench):
    upstream = bench.server("upstream", "--delay-ms", SLOW_MS)
    side = Sides(bench, upstream, upstream, MANY_IN_FLIGHT, "--upstream-engines", ENGINES_FOR_MANY)
    for _ in range(bench.runs):
        side.round()
    yield Figure("polling.slow", f"{number(MANY_IN_FLIGHT)} in flight, {SLOW_MS} ms each", "polls/s",
                 *side.pick("per_second"), Goal(at_least=0.9, guard=0.4))
    yield Figure("polling.slow-cpu", "The same, CPU a poll", "µs", *side.pick("cpu_us"),
                 Goal(at_most=1.5, guard=3))
    bench.end_all()


def late(bench):
    """From one poll of a job to its next, at the upstream. A job is due no sooner than the interval
    less its jitter, so what is beyond that is the most it can have been late."""
    jobs, interval = (2_500, 0.5) if bench.quick else (100_000, 30)
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, "--log-level", "warn", poll_seconds=interval)
    jobs = submit_many(bench, gateway, jobs)
    time.sleep(interval * (1 + JITTER))  # all have been asked about once
    upstream.say("gaps")
    upstream.values("gaps")
    polls, cpu, began = polls_of(upstream), gateway.cpu(), time.monotonic()
    time.sleep(interval * 2.5)
    upstream.say("gaps")
    asked, p99, most = upstream.values("gaps")
    took = time.monotonic() - began
    polls = polls_of(upstream) - polls
    if asked != jobs:
        raise RuntimeError(f"polled {asked} of {jobs} jobs: {gateway.said()}")
    bench.note([f"{number(jobs)} active jobs at {interval} s: {number(polls / took)} polls/s for "
                f"{number((gateway.cpu() - cpu) / took * 100)} % of a core; from one poll of a job to "
                f"its next {number(p99 / 1e9)} s (p99), {number(most / 1e9)} s at most."])
    yield Figure("polling.late", f"{number(jobs)} jobs: latest poll after its due time, at most", "s",
                 [most / 1e9 - interval * (1 - JITTER)], [interval], Goal(at_most=1, guard=2))
    bench.end_all()


def memory(bench):
    few, many = (10_000, 50_000) if bench.quick else (10_000, 100_000)
    texts, resident = 0, {}
    for jobs in (few, many):
        # By the budget of a real account hardly any is polled meanwhile.
        gateway = bench.gateway_to(bench.server("upstream"), "--log-level", "warn", budget=5, burst=10,
                                   jobs=jobs)
        resident[jobs] = gateway.memory()
        texts = texts_of(bench, gateway)
        bench.end(gateway)
    job = (resident[many] - resident[few]) / (many - few)
    bench.note([f"An active job takes {number(job)} bytes, {number(texts)} of them its own texts."])
    yield Figure("polling.memory", f"An active job, of {number(many)}, beyond its texts", "bytes",
                 [job - texts], [texts], Goal(at_most=400, guard=800, absolute=True))


def texts_of(bench, gateway):
    """The bytes of a job's texts that callers see, on average."""
    ask = bench.request("page_size: 1000", "ListJobsRequest")
    listed = bench.call(gateway, "ListJobs", ask, "ListJobsResponse")
    jobs = listed.count("\njobs {") + listed.startswith("jobs {")
    return sum(map(len, re.findall(r'"([^"]*)"', listed))) / jobs

"""The account's budget, seen by the upstream: never more than it, hardly less while work is due,
submits beside polls, and the same polls however many watch.

Nothing here is about speed: the reference is what the budget says."""

import json
import time

from house import SERVICE, STORYBOARD, polls_of
from verdict import Figure, Goal, in_windows, number
from watches import Watches

ABOUT = "requests in any 10 s against the account's budget; polls of a job that 10,000 watch"
PROGRAMS = ["bench_gateway", "bench_upstream", "bench_unary_load", "bench_watch_load", "fill"]
PER_SECOND, BURST = 100, 10
DUE = 100  # jobs; the account is the limit, at any number of them
SUBMITTERS = 8
POLL_SECONDS = 0.1


def measure(bench):
    few, many = 1, 1_000 if bench.quick else 10_000
    jobs = {watches: Watched(bench, watches) for watches in (few, 100, many)}
    for job in jobs.values():
        job.begin()
    began = time.monotonic()
    yield from rates(bench)
    polls = {watches: job.polls() for watches, job in jobs.items()}
    bench.note([f"Polls of one job in {number(time.monotonic() - began)} s: " + ", ".join(
        f"{count} with {number(watches)} watching" for watches, count in polls.items()) + "."])
    yield Figure("budget.watchers", f"Polls of a job that {number(many)} watch, against {few}",
                 "polls", [polls[many]], [polls[few]], Goal(at_most=1.05, guard=1.2))


def seen_in(upstream, seconds):
    """When GETs and POSTs come in the next so many seconds, and from when to when that is."""
    upstream.say("times")
    upstream.values("gets")
    upstream.values("posts")
    began = time.monotonic_ns()
    time.sleep(seconds)
    ended = time.monotonic_ns()
    upstream.say("times")
    return upstream.values("gets"), upstream.values("posts"), began, ended


def rates(bench):
    window, span = (1, 1.5) if bench.quick else (10, 25)
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, budget=PER_SECOND, burst=BURST, jobs=DUE,
                               poll_seconds=POLL_SECONDS)
    time.sleep(2 * DUE / PER_SECOND)  # a restart spreads the first polls; later ones crowd
    gets, posts, began, ended = seen_in(upstream, span)
    most, least = in_windows(gets + posts, began, ended, window)
    allowed = PER_SECOND * window
    goal = Goal(at_most=1 + BURST / allowed, guard=1 + 2 * BURST / allowed)
    what = f"in any {window} s at {PER_SECOND}/s and {BURST} at once"
    yield Figure("budget.most", f"Requests {what}, most", "requests", [most], [allowed], goal)
    yield Figure("budget.least", "The same while work is due, least", "requests", [least], [allowed],
                 Goal(at_least=0.95, guard=0.8))

    ask = bench.request(STORYBOARD, "CreatePreviewRequest")
    loader = bench.start("unary_load", "--target", gateway.target, "--method",
                         SERVICE + "CreatePreview", "--request", ask, "--callers", SUBMITTERS,
                         "--warm", 0.5, "--seconds", span + 0.5)
    time.sleep(0.5)  # until they are under way
    gets, posts, began, ended = seen_in(upstream, span)
    if failed := json.loads(loader.line())["failed"]:
        loader.fail(f"{failed} submits failed")
    most, least = in_windows(gets + posts, began, ended, window)
    bench.note([f"With submits all the time, {number(len(posts) / span)} submits and "
                f"{number(len(gets) / span)} polls a second; {least} to {most} requests in any "
                f"{window} s."])
    yield Figure("budget.most-mixed", f"Requests {what}, with submits, most", "requests", [most],
                 [allowed], goal)
    yield Figure("budget.submits", "Submits beside polls without end, of half the budget", "/s",
                 [len(posts) / span], [PER_SECOND / 2], Goal(at_least=0.95, guard=0.8))


class Watched:
    """A job that so many watch, and its polls since begin()."""

    def __init__(self, bench, watches):
        self.upstream = bench.server("upstream")
        gateway = bench.gateway_to(self.upstream, store="memory", poll_seconds=POLL_SECONDS)
        job = bench.request(f'job_id: "{bench.submit(gateway)}"', "WatchJobRequest")
        Watches(bench, gateway, SERVICE + "WatchJob", job, watches)
        self.before = 0

    def begin(self):
        self.before = polls_of(self.upstream)

    def polls(self):
        return polls_of(self.upstream) - self.before

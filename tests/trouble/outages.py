"""Pictory in trouble: it answers errors, or nothing."""

import bisect
import time

from house import SERVICE, STORYBOARD
from number import at_least, at_most, seconds_until
from side import TRANSCRIPTION, counts, job_ids, pace, paced, watch
from watches import HEARTBEAT_SECONDS

WATCHES = 10_000
BUDGET = 500  # requests a second: what 10,000 final states within a minute need
PROBE_SECONDS = 5


def most_within(times, seconds):
    """The most of these times (ns, sorted) that any so many seconds hold."""
    return max((end - bisect.bisect_left(times, times[end - 1] - seconds * 1e9)
                for end in range(1, len(times) + 1)), default=0)


def requests_since(upstream):
    """When requests came since the last time it was asked, sorted; and how many of them were paid."""
    upstream.say("times")
    gets, posts = upstream.values("gets"), upstream.values("posts")
    return sorted(gets + posts), len(posts)


def asked(upstream):
    """How many requests came since the last time."""
    times, _ = requests_since(upstream)
    return len(times)


def outage_watched(bench):
    jobs = 1000 if bench.quick else WATCHES
    outage = HEARTBEAT_SECONDS + 2 if bench.quick else 60
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, budget=BUDGET, burst=BUDGET, jobs=jobs, kind=TRANSCRIPTION)
    client = watch(bench, gateway, job_ids(bench, gateway), WATCHES)
    requests_since(upstream)
    upstream.say("fail 503")
    counts(client)
    time.sleep(outage)
    during = counts(client)
    upstream.say("finish 100")
    upstream.say("heal")
    healed = time.monotonic()
    first = upstream.values("served")[0] / 1e9 - healed
    recovery = first + seconds_until(lambda: counts(client).finished == WATCHES, 65, every=0.2)
    times, _ = requests_since(upstream)
    bench.note([f"the first answer came {first:.1f} s after the outage"])
    yield at_most("streams ended", counts(client).broken, 0)
    # One may be due a second late, and the first only after what came with the opening.
    yield at_least("heartbeats each", during.least, (outage - 1) // (HEARTBEAT_SECONDS + 1))
    yield at_most("requests in any 10 s", most_within(times, 10), BUDGET * 11)
    yield at_most("all final after", recovery, 60, "s")


def outage_unwatched(bench):
    """Nobody watches, and the jobs there are stay unfinished."""
    outage, rate = (11, 100) if bench.quick else (300, 10)  # so that the 99th is not the worst
    upstream = bench.server("upstream")
    gateway = bench.gateway_to(upstream, budget=50, burst=50, jobs=200)
    jobs = job_ids(bench, gateway)
    watch(bench, gateway, jobs, len(jobs))  # they are polled often
    bench.transcribe(gateway)
    upstream.say("fail 0")
    until_quiet = seconds_until(lambda: gateway.metric("upstream_degraded") == 1, 20)
    time.sleep(PROBE_SECONDS)  # until it has found out
    requests_since(upstream)
    submits = paced(bench, pace(bench, gateway, SERVICE + "CreatePreview", rate, outage, "--request",
                                bench.request(STORYBOARD, "CreatePreviewRequest")))
    times, paid = requests_since(upstream)
    seconds_until(lambda: asked(upstream) > 0, 2 * PROBE_SECONDS)
    upstream.say("heal")  # right after a probe: the next one is as far away as can be
    recovery = seconds_until(lambda: accepts(bench, gateway), 20, every=0.05)
    bench.note([f"degraded after {until_quiet:.1f} s; submits were answered {submits['codes']}, "
                f"median {submits['p50_us'] / 1e3:.2f} ms, worst {submits['max_us'] / 1e3:.1f} ms; "
                f"the load program was late by {submits['late_p99_us'] / 1e3:.2f} ms at the 99th"])
    yield at_most(f"requests in any {PROBE_SECONDS} s", most_within(times, PROBE_SECONDS), 1)
    yield at_least("probes", len(times), 1)
    yield at_most("submits sent", paid, 0)
    yield at_most("submits without RetryInfo", submits["calls"] - submits["retry_info"], 0)
    yield at_most("refused within, p99", submits["p99_us"] / 1e3, 5, "ms")
    yield at_most("accepts again after", recovery, 10, "s")


def accepts(bench, gateway):
    """Whether a submit gets through, and polls do too."""
    if gateway.metric("upstream_degraded") == 1:
        return False
    request = bench.request(STORYBOARD, "CreatePreviewRequest")
    once = paced(bench, pace(bench, gateway, SERVICE + "CreatePreview", 1, 1, "--request", request))
    return once["codes"] == {"0": 1}

"""What the documented settings let through, and what they do not: a crowd of watches, pings, metadata, health."""

import copy
import time

import grpc
from bench import api, outcome, preview, stub, submit
from check import equal, true
from live.process import DEADLINE_SECONDS, wait_until
from shapes import documented
from watches import crowd_of, hold

WATCHES, READS = 2500, 200
KEEPALIVE_SECONDS, PINGS = 5, 6
FITTING, TOO_MUCH, CALLS = 7 * 1024, 17 * 1024, 50
HEALTH_SECONDS, INTERVALS = 1, 2
SLACK_SECONDS = 1.0  # of what the machine adds to the intervals


def changed(change):
    """The documented file with something else about its cluster."""
    def config(target):
        made = copy.deepcopy(documented(target))
        change(made["static_resources"]["clusters"][0])
        return made
    return config


def get(jobs, job, metadata=()):
    return outcome(lambda: jobs.GetJob(api.GetJobRequest(job_id=job), timeout=DEADLINE_SECONDS, metadata=metadata))


def no_breakers(cluster):
    del cluster["circuit_breakers"]


def crowd(bench):
    sandbox, g = bench.side(sandbox=("--speed", "1000"))
    hold(sandbox)
    job = submit(g.grpc, "watched").job_id
    [envoy] = bench.chain([documented], g.grpc)
    watchers = crowd_of(bench, WATCHES, envoy.target, [job])
    with stub(envoy.target) as jobs:
        told = {get(jobs, job) for _ in range(READS)}
    yield equal(f"{READS} GetJob beside {WATCHES} watches, circuit breakers as documented", told, {"OK"})
    yield equal("watches at the gateway", g.metric("watches"), WATCHES)
    for each in watchers:
        each.kill()
    wait_until(lambda: not g.metric("watches"), "the watches to go")
    [usual] = bench.chain([changed(no_breakers)], g.grpc)
    with stub(usual.target) as jobs:
        open_ = [jobs.WatchJob(api.WatchJobRequest(job_id=job)) for _ in range(1024)]
        wait_until(lambda: usual.stat("pictory_gateway.upstream_rq_active") == len(open_), "1,024 watches")
        one_more = get(jobs, job)
        for each in open_:
            each.cancel()
    yield true("GetJob beside 1,024 watches, Envoy's own circuit breakers", one_more.startswith("UNAVAILABLE"),
               one_more[:60], "a refusal, or the row above cannot fail")


def pings(seconds):
    def change(cluster):
        options = next(iter(cluster["typed_extension_protocol_options"].values()))
        options["explicit_http_config"]["http2_protocol_options"] = {
            "connection_keepalive": {"interval": f"{seconds}s", "timeout": "5s", "interval_jitter": {"value": 0}}}
    return change


def keepalive(bench):
    sandbox, g = bench.side()
    hold(sandbox)
    job = submit(g.grpc, "quiet").job_id
    for seconds, lives in ((KEEPALIVE_SECONDS, True), (1, False)):
        [envoy] = bench.chain([changed(pings(seconds))], g.grpc)
        end = "goes on"
        with stub(envoy.target) as jobs:
            try:
                for _ in jobs.WatchJob(api.WatchJobRequest(job_id=job), timeout=PINGS * KEEPALIVE_SECONDS):
                    pass
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                    end = error.code().name
        yield true(f"a watch of {PINGS * KEEPALIVE_SECONDS} s, a ping every {seconds} s",
                   (end == "goes on") == lives, end, "to go on" if lives else "an end, or the row above cannot fail")


def metadata(bench):
    sandbox, g = bench.side()
    job = submit(g.grpc, "asked-for").job_id
    [envoy] = bench.chain([documented], g.grpc)
    with stub(envoy.target) as jobs:
        def of(size):
            return [(f"x-filler-{number}", "x" * (size // 4)) for number in range(4)]

        fitting = [get(jobs, job, of(FITTING)) for _ in range(CALLS)]
        yield equal(f"{CALLS} calls with 7 KiB of metadata", set(fitting), {"OK"})
        much = {get(jobs, job, of(TOO_MUCH)) for _ in range(CALLS)}
        yield true(f"{CALLS} calls with 17 KiB", all(each.startswith("RESOURCE_EXHAUSTED") for each in much),
                   " ".join(sorted(each.split()[0] for each in much)), "RESOURCE_EXHAUSTED, each")
        submits = {outcome(lambda: jobs.CreatePreview(preview("too-much"), metadata=of(TOO_MUCH),
                                                      timeout=DEADLINE_SECONDS)) for _ in range(CALLS)}
        yield true(f"{CALLS} submits with 17 KiB", not any(each == "OK" for each in submits),
                   f"{len(sandbox.journal()['too-much'])} POSTs", "refusals")
        yield equal("their POSTs", len(sandbox.journal()["too-much"]), 0)


def checked(cluster):
    cluster["health_checks"] = [{
        "timeout": "1s", "interval": f"{HEALTH_SECONDS}s", "no_traffic_interval": f"{HEALTH_SECONDS}s",
        "no_traffic_healthy_interval": f"{HEALTH_SECONDS}s", "unhealthy_interval": f"{HEALTH_SECONDS}s",
        "unhealthy_threshold": 1, "healthy_threshold": 1, "grpc_health_check": {}}]


def health(bench):
    """For platforms that check health in Envoy: how fast a gateway that ends is left, and found again."""
    _, g = bench.side("--drain-delay", "5")
    job = submit(g.grpc, "asked-for").job_id
    [envoy] = bench.chain([changed(checked)], g.grpc)
    bound = INTERVALS * HEALTH_SECONDS + SLACK_SECONDS

    def until(healthy):
        began = time.monotonic()
        wait_until(lambda: envoy.stat("pictory_gateway.membership_healthy") == healthy, f"{healthy} healthy")
        return time.monotonic() - began

    until(1)
    g.process.terminate()
    left = until(0)
    yield true(f"SIGTERM: ejected, checks every {HEALTH_SECONDS} s", left <= bound, f"{left:.1f} s", f"{bound:.1f} s")
    g.process.wait()
    g.start()
    back = until(1)
    yield true("started again: back", back <= bound, f"{back:.1f} s", f"{bound:.1f} s")
    with stub(envoy.target) as jobs:
        yield equal("GetJob then", get(jobs, job), "OK")

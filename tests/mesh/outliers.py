"""Pictory is away, and every submit fails with UNAVAILABLE: Envoy must not take the gateway for the culprit."""

import re

import tools
import yaml
from bench import api, outcome, stub, submit
from check import true
from shapes import documented

MANY = 30
GUIDE = tools.ROOT / "server" / "docs" / "mesh.md"

# As it is set for services that are one of many, in Envoy and, with the second, in Istio.
USUAL = {"outlier_detection": {
    "consecutive_5xx": 5, "consecutive_gateway_failure": 5, "enforcing_consecutive_gateway_failure": 100,
    "interval": "0.5s", "base_ejection_time": "60s", "max_ejection_percent": 100, "always_eject_one_host": True}}
NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}


def advised():
    """The outlier detection that the guide allows: its one block of YAML that has that name."""
    blocks = re.findall(r"```yaml\n(outlier_detection:.*?)```", GUIDE.read_text(), re.S)
    [block] = blocks
    return yaml.safe_load(block)


def documented_with(more):
    def config(target):
        made = documented(target)
        made["static_resources"]["clusters"][0].update(more)
        return made
    return config


def pictory_away(bench):
    sandbox, g = bench.side()
    job = submit(g.grpc, "before").job_id
    paths = [("Envoy as documented", documented, True),
             ("the same with the guide's outlier_detection", documented_with(advised()), True),
             ("the usual outlier_detection, panic threshold 50 %", documented_with(USUAL), None),
             ("the usual outlier_detection, panic threshold 0", documented_with({**USUAL, **NO_PANIC}), False)]
    envoys = [bench.chain([config], g.grpc)[0] for _, config, _ in paths]
    sandbox.end()
    for (what, _, unharmed), envoy in zip(paths, envoys):
        with stub(envoy.target) as jobs:
            watch = jobs.WatchJob(api.WatchJobRequest(job_id=job))
            next(watch)
            told = {submit(envoy.target, f"away-{number}").text for number in range(MANY)}
            get = outcome(lambda: jobs.GetJob(api.GetJobRequest(job_id=job), timeout=10))
            again = outcome(lambda: next(jobs.WatchJob(api.WatchJobRequest(job_id=job), timeout=10)))
            alive = watch.is_active()
            watch.cancel()
        ejected = envoy.stat("outlier_detection.ejections_active")
        seen = (f"submits {' '.join(sorted(told))}, ejected {ejected}, GetJob {get}, new watch {again}, "
                f"old watch {'goes on' if alive else 'ended'}")
        fine = get == again == "OK" and alive
        if unharmed is not None:
            fine = fine and not ejected if unharmed else ejected == 1 and get != "OK"
        yield true(what, fine and told == {"UNAVAILABLE"}, seen,
                   "GetJob and watches to go on" if unharmed is not False else
                   "the gateway to be ejected, or this row cannot fail")

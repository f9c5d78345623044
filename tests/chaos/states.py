"""What a watcher sees never goes back, and a failure is asked about once more before it is believed."""

import concurrent.futures
import dataclasses
import json

from live.gateway import Gateway
from tally import Tally

RANKS = {"JOB_STATE_QUEUED": 1, "JOB_STATE_RUNNING": 2, "JOB_STATE_SUCCEEDED": 3, "JOB_STATE_FAILED": 3}


def reply(status, **data):
    return {"type": "body", "body": json.dumps({"success": status != "failed", "data": {"status": status, **data}})}


MISSING = {"type": "status", "status": 404, "body": json.dumps(
    {"success": False, "data": {"error_code": "5000", "error_message": "JOB_NOT_FOUND"}})}
PENDING = reply("pending")
FAILED = reply("failed", error_code="X", error_message="no")


def running(percent):
    return reply("in-progress", renderProgress=percent)


@dataclasses.dataclass
class Script:
    """What Pictory answers to the polls of a job, one after the other; then the truth, which is success."""

    name: str
    answers: list
    end: str = "JOB_STATE_SUCCEEDED"


SCRIPTS = [
    Script("missing", [MISSING] * 3),
    Script("flapping", [running(30), PENDING, running(10), PENDING, running(60)]),
    Script("failed-once", [running(30), FAILED]),
    Script("failed-twice-not-in-a-row", [FAILED, running(30), FAILED]),
    Script("failed", [running(30), FAILED, FAILED], "JOB_STATE_FAILED"),
]


def watch_one(g, script, number, tally):
    name = f"{script.name}-{number}"
    for answer in script.answers:
        g.pages.add_fault({"match": {"path_prefix": "/v1/jobs/"}, "times": 1, "fault": answer})
    done = g.run("preview", "--name", name, "--text", "One line.", "--watch", "--json")
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    seen = [one.get("job", one) for one in seen]
    ranks = [RANKS.get(job["state"], 0) for job in seen]
    progress = [job.get("progressPercent") or 0 for job in seen]
    revisions = [job["revision"] for job in seen]
    for what, values in (("states", ranks), ("progress", progress), ("revisions", revisions)):
        tally.expect(values == sorted(values), f"{name}: {what} went back: {values}")
    tally.expect(seen and seen[-1]["state"] == script.end, f"{name}: ended as {seen and seen[-1]['state']}")
    tally.expect(not any(job.get("upstreamMissing") for job in seen), f"{name}: called missing")
    told = [rule["hit"] for rule in g.pages.faults()][-len(script.answers):]
    tally.expect(told == [1] * len(script.answers), f"{name}: Pictory was asked {told}")
    tally.cycles += 1


def states_never_go_back(rig, cycles):
    """`cycles` jobs of each script; the scripts at the same time, each with a gateway and sandbox of its own."""
    def work(script):
        tally = Tally()
        g = Gateway(rig.folder / script.name)
        rig.exits.callback(g.kill)
        for number in range(cycles):
            watch_one(g, script, number, tally)
        return tally

    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(len(SCRIPTS)) as pool:
        for tally in pool.map(work, SCRIPTS):
            total.add(tally)
    return total

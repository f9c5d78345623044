"""Renders that wait for their previews, and a gateway that is killed while they wait and while they are sent."""

import concurrent.futures
import json
import time

from live.process import DEADLINE_SECONDS, wait_until
from live.rig import UNLIMITED, died, restart
from tally import UNCONFIRMED, Tally

RENDERS = 8
KILLS = 3  # a cycle: while all wait, at a step of a send, and at some moment after it
POINTS = ("sending-stored", "answer-read", "accepted-stored")  # base/fail_point.h
# So that the renders are not all sent at one moment.
SLOW = ("--requests-per-second", "20", "--burst", "4")
POLLS = {"path_prefix": "/v1/jobs/"}
FINAL = {"JOB_STATE_SUCCEEDED", "JOB_STATE_OUTCOME_UNKNOWN"}
PICTORY_ID = "pictoryJobId"


def killed_while_waiting(rig, cycles):
    """All cycles at once, because each mostly waits for the next polls."""
    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(cycles) as pool:
        for each in pool.map(lambda number: cycle(rig, number), range(cycles)):
            total.add(each)
    return total


def cycle(rig, number):
    tally = Tally(cycles=KILLS)
    sandbox = rig.sandbox("--speed", "20")
    g = rig.gateway(sandbox.url, start=False)
    restart(g, "--base-url", sandbox.url, *UNLIMITED)
    sandbox.fault("status", match=POLLS)  # no preview is seen to end
    jobs = {}  # the renders' -> Pictory's previews
    for each in range(RENDERS):
        preview = g.json("preview", "--name", f"p{number}-{each}", "--text", "One sentence.")
        held = g.json("render", preview["jobId"], "--wait-for-preview", "--request-id", f"r{number}-{each}")
        tally.expect(held["state"] == "JOB_STATE_WAITING", f"{held['jobId']}: {held['state']}")
        jobs[held["jobId"]] = preview[PICTORY_ID]
    g.kill()
    sandbox.forget_faults()
    point = POINTS[number % len(POINTS)]
    restart(g, "--base-url", sandbox.url, *SLOW, program="gateway-with-fail-points",
            env={"GATEWAY_FAIL_POINT": point})
    tally.expect(died(g), f"cycle {number}: the gateway did not die at {point}")
    restart(g)
    time.sleep((1 + number * 7 % 20) / 20)  # nothing is waited for: any moment will do
    g.kill()
    restart(g)
    for job, preview in jobs.items():
        end(tally, sandbox, g, job, preview)
    g.kill()
    return tally


def end(tally, sandbox, g, job, preview):
    """Sees the render end, a person helping where it is UNCONFIRMED: paid once, or never sent and given up."""
    state = wait_until(lambda: (s := g.json("get", job)["state"]) in {UNCONFIRMED, *FINAL} and s, f"{job} to be sent")
    made = [entry for entry in sandbox.accepted() if entry["path"].endswith(f"/render/{preview}")]
    tally.duplicates += max(0, len(made) - 1)
    if state == UNCONFIRMED:
        decided = ["--adopt", made[0]["job_id"]] if made else ["--abandon"]
        resolved = g.run("resolve", job, *decided)
        tally.expect(resolved.returncode == 0, f"{job}: {resolved.stderr}")
    done = g.run("wait", job, "--json", timeout=DEADLINE_SECONDS)
    found = g.json("get", job)
    tally.expect(found["state"] in FINAL, f"{job}: {found['state']}: {json.dumps(found.get('error'))}, {done.stderr}")
    if (found["state"] == "JOB_STATE_SUCCEEDED") != (len(made) == 1):
        tally.losses += 1
        tally.problems.append(f"{job}: {found['state']}, and {len(made)} POSTs")

"""Watches by the command line: of one job, and of many."""

import itertools
import json
import subprocess
import threading
import time

from live.programs import BIN

DONE = "JOB_STATE_SUCCEEDED"
SLOW = "sandbox-slow"  # in a preview's name: 20 s, which is longer than a lease
STATES = ("queued", "running", "succeeded", "failed")


def rises(revisions):
    return all(before <= after for before, after in itertools.pairwise(revisions))


class Watch:
    """`pictory watch JOB` at one gateway, until it ends."""

    def __init__(self, rig, gateway, job):
        self.process = rig.spawn(BIN / "pictory", "watch", job, "--json", stdout=subprocess.PIPE, text=True,
                                 env=dict(gateway.env, PICTORY_GATEWAY=gateway.grpc))
        self.seen = []
        self.ended = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
        self.ended.set()

    def revisions(self):
        return [int(event.get("job", event).get("revision", 0)) for event in self.seen]

    def last(self):
        return self.seen[-1].get("job", self.seen[-1])["state"] if self.seen else None


class WatchOfMany:
    """`pictory watch --label LABEL` at an address, which goes on by itself whatever becomes of who serves it. It runs
    until the rig ends it."""

    def __init__(self, rig, env, target, label):
        states = [word for state in STATES for word in ("--state", state)]
        self.process = rig.spawn(BIN / "pictory", "watch", "--label", label, *states, "--json", stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True, env=dict(env, PICTORY_GATEWAY=target))
        self.revisions = {}  # of each job, as they came
        self.states = {}     # of each job, the last
        self.told = {}       # (job, revision) -> when
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            job, now = json.loads(line), time.monotonic()
            name, revision = job["jobId"], int(job["revision"])
            self.revisions.setdefault(name, []).append(revision)
            self.told.setdefault((name, revision), now)
            self.states[name] = job["state"]

    def goes_on(self):
        return self.process.poll() is None

    def lacks(self, jobs, state=DONE):
        """Those of the jobs that it has not seen in this state."""
        return [job for job in jobs if self.states.get(job) != state]

    def falls(self):
        """Jobs of which it was told an earlier revision after a later one."""
        return [job for job, revisions in list(self.revisions.items()) if not rises(revisions)]

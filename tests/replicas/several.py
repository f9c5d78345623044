"""Several gateways that share a PostgreSQL, and what is asked of them."""

import concurrent.futures
import json
import time

from live.rig import UNLIMITED, Rig

# A lease of a gateway, seconds: limits::kStoreLease.
LEASE = 15
# So long after its end others end what it left, seconds: limits::kStoreLeaseGrace.
GRACE = 60
STORY = "One line for the scene. Another line for the next one."


class Several(Rig):
    """Its gateways run once it is entered."""

    def __init__(self, folder, gateways=3, speed=20, flags=UNLIMITED):
        super().__init__(folder)
        self.wanted, self.speed, self.flags = gateways, speed, flags

    def __enter__(self):
        try:
            self.pictory = self.sandbox("--speed", self.speed)
            self.server = self.serve()
            self.database = self.server.database("jobs")
            self.gateways = [self.add() for _ in range(self.wanted)]
        except BaseException:
            self.exits.close()
            raise
        return self

    def serve(self):
        return self.postgres()

    def add(self, **kwargs):
        made = self.gateway(self.pictory.url, *self.flags, start=False, **kwargs)
        made.database = self.database
        made.start()
        return made

    def shards(self, gateways=None):
        return [int(each.metric("shards_held")) for each in gateways or self.gateways]

    def polls(self, pictory_job_id):
        """How often the sandbox was asked about the job."""
        return self.pictory.stats()["polls"].get(pictory_job_id, 0)


def eventually(what, holds, seconds, every=0.1):
    """The seconds until `holds` returns something true; fails after so many."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)
    return time.monotonic() - began


def submit(gateway, name, request_id=None, **kwargs):
    args = ["preview", "--name", name, "--text", STORY]
    return gateway.json(*args, *(["--request-id", request_id] if request_id else []), **kwargs)


def state(gateway, job):
    done = gateway.run("get", job, "--json")
    return json.loads(done.stdout.strip().splitlines()[-1])["state"] if done.returncode == 0 else done.stderr.strip()


def at_once(calls, places=24):
    with concurrent.futures.ThreadPoolExecutor(places) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]

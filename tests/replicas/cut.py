"""The network between one gateway and the database is cut, and is whole again."""

import collections
import contextlib
import itertools
import json
import socket
import threading
import time

from live.relay import Relay
from live.rows import Outcome
from network import Network, PostgresApart
from several import LEASE, STORY, Several, eventually, state, submit
from watches import DONE, SLOW, Watch, rises

JOBS = 6
SENT = ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING", DONE)


class Watched(Relay):
    """Between a gateway and the sandbox; knows when each submit went by."""

    def __init__(self, target):
        super().__init__(target)
        self.posts = []

    def pass_on(self, one, other):
        with contextlib.suppress(OSError):  # one of them has closed
            if one.getsockname() == self.listener.getsockname():  # to the sandbox
                data = one.recv(65536, socket.MSG_PEEK)
                self.posts += [time.monotonic()] * sum(map(data.count, (b"POST /", b"PUT /")))
            super().pass_on(one, other)


class Parted(Several):
    """Two gateways beside the database, and a third one, `far`, that reaches it over the network."""

    def __init__(self, folder, network):
        super().__init__(folder, gateways=2, speed=1)
        self.network = network

    def serve(self):
        started = PostgresApart(self.network)
        self.exits.callback(started.end)
        return started

    def __enter__(self):
        super().__enter__()
        try:
            host, path = self.pictory.url.removeprefix("http://").split("/", 1)
            self.way = self.exits.enter_context(Watched(host))
            self.far = self.gateway(f"http://{self.way.target}/{path}", *self.flags, start=False)
            self.far.database = self.server.over_the_network(self.database)
            self.far.start()
        except BaseException:
            self.exits.close()
            raise
        return self


class Insisting:
    """Submits at one gateway, one after the other, whether they are answered or not."""

    def __init__(self, gateway):
        self.gateway, self.jobs, self.all = gateway, {}, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for number in itertools.count():
            if self.stop.is_set():
                return
            name = f"cut-{number}"
            self.all.append(name)
            done = self.gateway.run("preview", "--name", name, "--text", STORY, "--request-id", name, "--json",
                                    "--timeout", "5")
            if done.returncode == 0:
                self.jobs[name] = json.loads(done.stdout.strip().splitlines()[-1])["jobId"]
            time.sleep(0.1)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()


def revision(gateway, job):
    return int(gateway.json("get", job)["revision"])


def named(entry):
    """What was paid for: the video's name, or the preview that a render is made of."""
    return entry["body"] and json.loads(entry["body"]).get("videoName") or entry["path"]


def cut(folder, options):
    """For longer than its lease, with submits under way, jobs to poll and renders to send: from the end of the lease on
    it sends nothing, others go on with its jobs, and once the network is whole nothing goes back."""
    seconds = (7 if options.long else 3) * LEASE  # past the grace in which its own attempts stay its own, if long
    with Network() as network, Parted(folder, network) as several:
        one, two = several.gateways
        far, all_three = several.far, [one, two, several.far]
        eventually("shards are shared", lambda: max(several.shards(all_three)) < 400, 2 * LEASE)
        with Insisting(far) as insisting:
            previews = [submit(far, f"{SLOW}-{n}", f"p-{n}")["jobId"] for n in range(JOBS)]
            renders = [far.json("render", job, "--wait-for-preview", "--request-id", f"v-{n}")["jobId"]
                       for n, job in enumerate(previews)]
            watches = [Watch(several, two, job) for job in previews]
            began = time.monotonic()
            network.cut()
            taken = eventually("its shards are the others'",
                               lambda: sum(several.shards([one, two])) == 1024, 2 * LEASE + 5)
            eventually("its previews have ended, as others see",
                       lambda: all(state(two, job) == DONE for job in previews), 60, every=1)
            eventually("its renders were sent by others",
                       lambda: all(state(two, job) in SENT for job in renders), 60, every=1)
            elsewhere = time.monotonic() - began
            time.sleep(max(0, began + seconds - time.monotonic()))
            before = {job: revision(two, job) for job in previews}
            early = len(several.way.posts)
            late = [at - began for at in several.way.posts if at > began + LEASE]
            network.mend()
            back = eventually("all share again", lambda: max(several.shards(all_three)) < 400, 3 * LEASE)
            eventually("it sends again", lambda: len(several.way.posts) > early, 30)
        for watch in watches:
            watch.ended.wait(60)
        # What was asked for meanwhile is asked for again elsewhere: each is one job, and paid once.
        again = {name: submit(two, name, name) for name in insisting.all}
        other = [name for name, job in insisting.jobs.items() if again[name]["jobId"] != job]
        eventually("all know the same end", lambda: all(
            state(each, job) == DONE for each in all_three for job in previews), 60, every=1)
        behind = [job for job in previews if revision(far, job) < before[job]]
        behind += [watch for watch in watches if watch.last() != DONE or not rises(watch.revisions())]
        paid = collections.Counter(map(named, several.pictory.accepted()))
        twice = [name for name, times in paid.items() if times > 1]
        unpaid = [name for name in insisting.all
                  if name not in paid and again[name]["state"] != "JOB_STATE_UNCONFIRMED"]
        if len(paid) < 2 * JOBS:
            unpaid.append("a preview or a render")
        wrong = {"sent late": late, "paid twice": twice, "with another job": other, "back": behind, "not paid": unpaid}
        return Outcome(not any(wrong.values()), (
            f"cut for {seconds:.0f} s under {len(insisting.all)} submits, {len(insisting.jobs)} of them answered: "
            f"its shards taken after {taken:.0f} s, its {2 * JOBS} jobs went on elsewhere within {elsewhere:.0f} s, "
            + ", ".join(f"{len(those)} {what}" for what, those in wrong.items())
            + f"; shares again after {back:.0f} s"),
            [f"{what}: {those[:5]}" for what, those in wrong.items() if those])

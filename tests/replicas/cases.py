"""The rows: each is a trouble that several gateways on one store may have."""

import itertools
import json
import random
import signal
import subprocess
import threading
import time

from live.programs import BIN
from live.rows import Outcome, Row
from several import LEASE, Several, at_once, eventually, state, submit

DONE = "JOB_STATE_SUCCEEDED"


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


def rises(revisions):
    return all(before <= after for before, after in itertools.pairwise(revisions))


def story(folder, options):
    """Submitted at one, watched at another, read at the third."""
    with Several(folder) as several:
        one, two, three = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 400, 2 * LEASE)
        job = submit(one, "story")["jobId"]
        watch = Watch(several, two, job)
        watch.ended.wait(60)
        seen = state(three, job)
        listed = job in three.run("list", "--json").stdout
        posts = len(several.pictory.accepted())
        met = watch.last() == DONE and seen == DONE and listed and posts == 1 and rises(watch.revisions())
        return Outcome(met, f"{len(watch.seen)} changes, {watch.last()}, {seen}, {posts} POST")


def shares(folder, options):
    """Shards are spread within 20 % in two leases when one joins, leaves or is killed."""
    def spread(gateways):
        held = several.shards(gateways)
        return sum(held) == 1024 and all(abs(each - 1024 / len(held)) <= 0.2 * 1024 / len(held) for each in held)

    with Several(folder, gateways=2) as several:
        times = [eventually("two share", lambda: spread(several.gateways), 2 * LEASE)]
        third = several.add()
        times.append(eventually("three share", lambda: spread([*several.gateways, third]), 2 * LEASE))
        third.terminate()
        times.append(eventually("one has left", lambda: spread(several.gateways), 2 * LEASE))
        several.gateways[1].kill()
        times.append(eventually("one was killed", lambda: spread(several.gateways[:1]), 2 * LEASE))
        return Outcome(True, "spread after " + ", ".join(f"{each:.0f}" for each in times) + f" s (at most {2 * LEASE})")


def killed(folder, options):
    """A gateway is killed: its jobs go on elsewhere, and watches there see their end."""
    with Several(folder, speed=1) as several:
        one, two, _ = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 400, 2 * LEASE)
        jobs = [submit(one, f"killed-{n}")["jobId"] for n in range(8)]
        watches = [Watch(several, two, job) for job in jobs]
        one.kill()
        taken = eventually("its shards are others'",
                           lambda: sum(several.shards(several.gateways[1:])) == 1024, 2 * LEASE)
        for watch in watches:
            watch.ended.wait(150)
        ends = {watch.last() for watch in watches}
        again = submit(two, "killed-0", request_id=None) and len(several.pictory.accepted())
        met = ends == {DONE} and all(rises(watch.revisions()) for watch in watches) and again == 9
        return Outcome(met, f"taken after {taken:.0f} s (at most {2 * LEASE}), {len(watches)} watches, {ends}")


def stopped(folder, options):
    """One is stopped (SIGSTOP) for longer than its lease while it submits and polls, and goes on: nothing is paid
    twice, no state goes back."""
    with Several(folder, gateways=2, speed=1) as several:
        one, two = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 600, 2 * LEASE)
        jobs = [submit(one, f"stopped-{n}", f"r-{n}")["jobId"] for n in range(6)]
        watches = [Watch(several, two, job) for job in jobs]
        one.process.send_signal(signal.SIGSTOP)
        eventually("its shards are the other's", lambda: several.shards([two]) == [1024], 2 * LEASE + 5)
        time.sleep(LEASE)
        one.process.send_signal(signal.SIGCONT)
        again = [submit(one, f"stopped-{n}", f"r-{n}")["jobId"] for n in range(6)]
        for watch in watches:
            watch.ended.wait(150)
        ends = {watch.last() for watch in watches}
        posts = len(several.pictory.accepted())
        shared = eventually("both share again", lambda: max(several.shards()) < 600, 3 * LEASE)
        met = again == jobs and posts == 6 and ends == {DONE} and all(rises(w.revisions()) for w in watches)
        return Outcome(met, f"{posts} POSTs for 6 requests, {ends}, shares again after {shared:.0f} s")


def paid_once(folder, options):
    """Each request is sent to all gateways at once, by several callers, while gateways are killed and started."""
    requests = 20 if options.quick else 60
    with Several(folder) as several:
        eventually("shards are shared", lambda: max(several.shards()) < 400, 2 * LEASE)
        stop = threading.Event()
        kills = []

        def kill_some():
            chance = random.Random(7)
            while not stop.wait(0.5):
                victim = chance.choice(several.gateways[1:])
                victim.kill()
                kills.append(victim)
                victim.start()

        killer = threading.Thread(target=kill_some)
        killer.start()

        def insist(gateway, request):
            """The job of this request, however often the gateway is away meanwhile."""
            for _ in range(200):
                done = gateway.run("preview", "--name", request, "--text", "One line.", "--request-id", request,
                                   "--json")
                if done.returncode == 0:
                    return json.loads(done.stdout.strip().splitlines()[-1])["jobId"]
                time.sleep(0.3)
            raise AssertionError(done.stderr)

        try:
            calls = [(lambda g=gateway, r=f"once-{n}": (r, insist(g, r)))
                     for n in range(requests) for gateway in several.gateways]
            answers = at_once(calls, places=12)
        finally:
            stop.set()
            killer.join()
        jobs = {}
        for request, job in answers:
            jobs.setdefault(request, set()).add(job)
        sent = several.pictory.journal()
        twice = [request for request, entries in sent.items() if len(entries) > 1]
        split = [request for request, ids in jobs.items() if len(ids) > 1]
        met = not twice and not split and len(jobs) == requests
        return Outcome(met, f"{requests} requests by {len(answers)} callers, {len(kills)} kills: "
                            f"{len(twice)} paid twice, {len(split)} with two jobs, {requests - len(sent)} never sent")


def away(folder, options):
    """PostgreSQL is away for 30 s: watches stay, reads of what is known are answered, submits are refused at once, and
    all goes on by itself."""
    with Several(folder, gateways=2, speed=1) as several:
        one, two = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 600, 2 * LEASE)
        job = submit(one, "away")["jobId"]
        watch = Watch(several, one, job)
        state(two, job)
        several.server.kill()
        began = time.monotonic()
        reads, refusals = 0, []
        while time.monotonic() - began < 30:
            reads += state(one, job).startswith("JOB_STATE")
            asked = time.monotonic()
            done = one.run("preview", "--name", "refused", "--text", "One line.", "--request-id", f"away-{reads}",
                           "--timeout", "5")
            refusals.append((done.returncode != 0, time.monotonic() - asked))
            time.sleep(1)
        alive = one.process.poll() is None and two.process.poll() is None and not watch.ended.is_set()
        several.server.start()
        back = eventually("submits are taken", lambda: two.run("preview", "--name", "after", "--text", "One line.",
                                                               "--request-id", "after").returncode == 0, 30)
        watch.ended.wait(150)
        slowest = max(seconds for refused, seconds in refusals[3:])
        met = alive and watch.last() == DONE and all(refused for refused, _ in refusals[1:]) and slowest < 5
        return Outcome(met, f"alive {alive}, watch {watch.last()}, {reads} reads, submits refused within {slowest:.1f} "
                            f"s, taken {back:.0f} s after it was back")


def resolved(folder, options):
    """A job that is unconfirmed at one gateway is decided about at another."""
    with Several(folder, gateways=2) as several:
        one, two = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 600, 2 * LEASE)
        several.pictory.fault("close_after_read", times=1)
        job = submit(one, "unconfirmed")
        there = state(two, job["jobId"])
        done = two.run("resolve", job["jobId"], "--abandon")
        eventually("the other knows", lambda: state(one, job["jobId"]) == "JOB_STATE_OUTCOME_UNKNOWN", 5)
        met = job["state"] == there == "JOB_STATE_UNCONFIRMED" and done.returncode == 0
        return Outcome(met, f"{job['state']} at one, {there} at two; abandoned at two: {done.returncode} "
                            f"{done.stderr.strip()}")


def stop_switch(folder, options):
    """The stop file of one gateway stops the submits of all within a second, and the removal allows them."""
    with Several(folder) as several:
        eventually("shards are shared", lambda: max(several.shards()) < 400, 2 * LEASE)
        file = several.gateways[0].state / "jobs" / "stop-submits"

        def refused(gateway):
            done = gateway.run("preview", "--name", "stopped", "--text", "One line.")
            return done.returncode != 0 and "stopped new submits" in done.stderr

        def stopped(gateway):
            return gateway.metric("submits_stopped") == 1

        file.touch()
        took = eventually("all are stopped", lambda: all(map(stopped, several.gateways)), 10)
        met = all(map(refused, several.gateways))
        file.unlink()
        back = eventually("all are allowed", lambda: not any(map(stopped, several.gateways)), 10)
        met = met and not any(map(refused, several.gateways))
        return Outcome(met and took < 3 and back < 3, f"all stopped after {took:.1f} s, allowed after {back:.1f} s")


def rolling(folder, options):
    """Every gateway is restarted in turn, several times, behind Envoy and under submits: no call fails."""
    from live.cluster import Cluster
    from live.rig import UNLIMITED

    rounds = options.cycles or (1 if options.quick else 20 if options.long else 5)
    with Cluster(str(folder), flags=(*UNLIMITED, "--drain-delay", "4")) as cluster:
        cluster.wait_until_healthy()
        stop = threading.Event()
        answered, failed = [], []

        def call(caller):
            for n in itertools.count():
                if stop.is_set():
                    return
                request = f"rolling-{caller}-{n}"
                done = subprocess.run([BIN / "pictory", "preview", "--name", request, "--text", "One line.",
                                       "--request-id", request], text=True, capture_output=True, timeout=90,
                                      env=dict(cluster.gateways[0].env, PICTORY_GATEWAY=cluster.target))
                (answered if done.returncode == 0 else failed).append(done.stderr.strip() or request)

        callers = [threading.Thread(target=call, args=(n,)) for n in range(4)]
        for each in callers:
            each.start()
        try:
            for _ in range(rounds):
                for gateway in cluster.gateways:
                    gateway.terminate()
                    gateway.start()
                    cluster.wait_until_healthy()
        finally:
            stop.set()
            for each in callers:
                each.join()
        sent = cluster.pictory.journal()
        twice = [name for name, entries in sent.items() if len(entries) > 1]
        met = not failed and not twice and len(sent) == len(answered)
        return Outcome(met, f"{3 * rounds} restarts, {len(answered)} submits, {len(failed)} failed, {len(twice)} paid "
                            "twice", failed[:5])


def failover(folder, options):
    """The primary is killed under submits, and the synchronous standby takes over: nothing is lost or paid twice."""
    from live.cluster import Cluster

    rounds = 3 if options.quick else 10
    with Cluster(str(folder), gateways=2) as cluster:
        cluster.wait_until_healthy()
        request = "failover"
        jobs = {}
        stop = threading.Event()

        def call():
            for n in itertools.count():
                if stop.is_set():
                    return
                name = f"{request}-{n}"
                while name not in jobs:
                    done = subprocess.run([BIN / "pictory", "preview", "--name", name, "--text", "One line.",
                                           "--request-id", name, "--json"], text=True, capture_output=True, timeout=90,
                                          env=dict(cluster.gateways[0].env, PICTORY_GATEWAY=cluster.target))
                    if done.returncode == 0:
                        jobs[name] = json.loads(done.stdout.strip().splitlines()[-1])["jobId"]

        caller = threading.Thread(target=call)
        caller.start()
        seconds = []
        try:
            for n in range(rounds):
                before = len(jobs)
                eventually("submits are answered", lambda: len(jobs) > before + 2, 60)
                seconds.append(cluster.fail_over())
                if n + 1 < rounds:  # who was the primary follows the new one
                    cluster.standby.end()
                    cluster.standby = cluster.postgres(cluster.primary)
                    cluster.primary.wait_for_standby()
                    for gateway in cluster.gateways:  # they know the servers by name
                        gateway.terminate()
                        gateway.database = cluster.database
                        gateway.start()
                    cluster.wait_until_healthy()
        finally:
            stop.set()
            caller.join()
        sent = cluster.pictory.journal()
        twice = [name for name, entries in sent.items() if len(entries) > 1]
        lost = [job for job in jobs.values() if state(cluster.gateways[0], job).startswith("pictory")]
        met = not twice and not lost and len(sent) >= len(jobs)
        return Outcome(met, f"{rounds} primaries killed, back after {max(seconds):.1f} s at most; {len(jobs)} jobs, "
                            f"{len(twice)} paid twice, {len(lost)} lost")


def fan_out(folder, options):
    """A change made at one gateway is told to a watcher at another soon."""
    jobs = 60 if options.quick else 200
    with Several(folder, gateways=2, speed=5) as several:
        one, two = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 600, 2 * LEASE)
        changes = {}
        for gateway in (one, two):
            stream = several.spawn(BIN / "pictory", "watch", "--label", "row=fan-out", "--json", stdout=subprocess.PIPE,
                                   text=True, env=dict(gateway.env, PICTORY_GATEWAY=gateway.grpc))

            def read(stream=stream, gateway=gateway):
                for line in stream.stdout:
                    job, now = json.loads(line), time.monotonic()
                    changes.setdefault((job["jobId"], job["state"]), {})[gateway] = now

            threading.Thread(target=read, daemon=True).start()
        time.sleep(1)
        made = at_once([lambda n=n: one.json("preview", "--name", f"f-{n}", "--text", "One line.", "--label",
                                             "row=fan-out")["jobId"] for n in range(jobs)], places=8)

        def ended():
            last = {job for (job, state), seen in list(changes.items()) if len(seen) == 2 and state == DONE}
            return last >= set(made)

        eventually("all have ended at both", ended, 180, every=0.5)
        late = sorted(seen[two] - seen[one] for seen in changes.values() if len(seen) == 2)
        p50, p99 = (late[int(len(late) * share)] * 1000 for share in (0.5, 0.99))
        return Outcome(p99 <= 400, f"{len(late)} changes, at the other gateway after p50 {p50:.0f} ms, p99 {p99:.0f} "
                                   "ms (at most 400)")


ROWS = [
    Row("story", "submitted at one, watched at another, read at the third", story),
    Row("shares", "shards spread evenly when one joins, leaves or dies", shares),
    Row("killed", "one is killed: its jobs go on elsewhere", killed),
    Row("stopped", "one is stopped past its lease, and goes on", stopped, short=False),
    Row("paid-once", "each request at every gateway, while they are killed", paid_once),
    Row("away", "PostgreSQL is away for 30 s", away, short=False),
    Row("rolling", "every gateway restarted in turn, behind Envoy", rolling),
    Row("failover", "the primary is killed, the standby takes over", failover),
    Row("stop-switch", "the stop file of one stops all", stop_switch),
    Row("fan-out", "changes are told at another gateway within 400 ms", fan_out),
    Row("resolved", "an unconfirmed job is decided about at another", resolved),
]

"""The rows: each is a trouble that several gateways on one store may have."""

import concurrent.futures
import contextlib
import itertools
import json
import random
import signal
import subprocess
import threading
import time

from live.postgres import psql
from live.programs import BIN
from live.rows import Outcome, Row
from several import GRACE, LEASE, STORY, Several, at_once, eventually, state, submit
from watches import DONE, SLOW, Watch, WatchOfMany, rises

SHARED = 400  # shards that one of three has at most, once they share
JOBS = 6
CREATE_PREVIEW = "pictory.jobs.v1.PictoryJobs/CreatePreview"
UNKNOWN = "6"  # server/jobs/job.h: sent, as far as the store knows, and the outcome is not known


def polled(several, jobs):
    """How often they were, in all; each of them was."""
    times = [several.polls(job["pictoryJobId"]) for job in jobs]
    return sum(times) if min(times) > 0 else 0


def lived(several, one, other, name, count=JOBS):
    """So many jobs, submitted at one and watched at another until they have ended: (jobs, watches)."""
    jobs = at_once([lambda n=n: submit(one, f"{name}-{n}") for n in range(count)])
    watches = [Watch(several, other, job["jobId"]) for job in jobs]
    for watch in watches:
        watch.ended.wait(150)
    return jobs, watches


def warns_of_one_disk(gateway):
    """Whether it has said that PostgreSQL waits for no standby."""
    return '"event":"store_without_standby"' in gateway.log.read_text()


def story(folder, options):
    """Submitted at one, watched at another, read at the third; and polled no more often than when there was one."""
    with Several(folder, gateways=1, speed=2) as several:
        [one] = several.gateways
        alone = polled(several, lived(several, one, one, "alone")[0])
        two, three = several.add(), several.add()
        eventually("shards are shared", lambda: max(several.shards([one, two, three])) < SHARED, 2 * LEASE)
        jobs, watches = lived(several, one, two, "story")
        ends = {watch.last() for watch in watches} | {state(three, job["jobId"]) for job in jobs}
        listed = three.run("list", "--all", "--json").stdout
        posts, polls = len(several.pictory.accepted()), polled(several, jobs)
        warned = [warns_of_one_disk(each) for each in (one, two, three)]
        met = (all(warned) and ends == {DONE} and all(job["jobId"] in listed for job in jobs) and posts == 2 * JOBS
               and all(rises(watch.revisions()) for watch in watches) and 0 < polls <= alone + JOBS)
        return Outcome(met, f"{JOBS} jobs by one gateway and by three, {posts} POSTs, {ends}, {polls} polls (alone "
                            f"{alone}, at most {JOBS} more); {sum(warned)} of 3 warn that there is no standby")


def shares(folder, options):
    """Shards are spread within 20 % in two leases when one joins, leaves or is killed."""
    def spread(gateways):
        held = several.shards(gateways)
        return sum(held) == 1024 and all(abs(each - 1024 / len(held)) <= 0.2 * 1024 / len(held) for each in held)

    with Several(folder, gateways=2) as several:
        one, two = several.gateways
        times = [eventually("two share", lambda: spread([one, two]), 2 * LEASE)]
        third = several.add()
        times.append(eventually("three share", lambda: spread([one, two, third]), 2 * LEASE))
        third.kill()
        times.append(eventually("one of three was killed", lambda: spread([one, two]), 2 * LEASE))
        third.start()
        times.append(eventually("three share again", lambda: spread([one, two, third]), 2 * LEASE))
        third.terminate()
        times.append(eventually("one has left", lambda: spread([one, two]), 2 * LEASE))
        return Outcome(True, "spread after " + ", ".join(f"{each:.0f}" for each in times) + f" s (at most {2 * LEASE})")


def killed(folder, options):
    """A gateway is killed: its jobs go on elsewhere, polled no more often than by one gateway to which nothing happens,
    and watches see their end."""
    count = 8

    def alone():
        with Several(folder, gateways=1, speed=1) as quiet:
            [one] = quiet.gateways
            return polled(quiet, lived(quiet, one, one, SLOW, count)[0])

    with Several(folder, speed=1) as several, concurrent.futures.ThreadPoolExecutor(1) as beside:
        one, two, _ = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < SHARED, 2 * LEASE)
        quiet = beside.submit(alone)
        jobs = [submit(one, f"{SLOW}-{n}") for n in range(count)]
        watches = [Watch(several, two, job["jobId"]) for job in jobs]
        one.kill()
        taken = eventually("its shards are others'",
                           lambda: sum(several.shards(several.gateways[1:])) == 1024, 2 * LEASE)
        for watch in watches:
            watch.ended.wait(150)
        ends = {watch.last() for watch in watches}
        polls, most = polled(several, jobs), quiet.result()
        again = submit(two, "again") and len(several.pictory.accepted())
        met = (ends == {DONE} and all(rises(watch.revisions()) for watch in watches) and again == count + 1
               and 0 < polls <= most)
        return Outcome(met, f"taken after {taken:.0f} s (at most {2 * LEASE}), {len(watches)} watches, {ends}, {polls} "
                            f"polls (at most {most})")


def stopped(folder, options):
    """One is stopped (SIGSTOP) with jobs to poll, after it has recorded a submit and before the first byte of that. The
    others end what it left, and there the submit is abandoned. Then it goes on: nothing is sent, nothing is paid twice,
    no state goes back."""
    with Several(folder, gateways=1, speed=1) as several, concurrent.futures.ThreadPoolExecutor(1) as beside:
        [two] = several.gateways
        one = several.add(program="gateway-with-fail-points",
                          env={"GATEWAY_FAIL_POINT": f"sending-stored:{JOBS + 1}:stop"})
        eventually("shards are shared", lambda: max(several.shards([one, two])) < 600, 2 * LEASE)
        jobs = [submit(one, f"stopped-{n}", f"r-{n}")["jobId"] for n in range(JOBS)]
        watches = [Watch(several, two, job) for job in jobs]
        last = beside.submit(one.run, "preview", "--name", "last", "--text", STORY, "--request-id", "last", "--json",
                             "--timeout", "300", timeout=300)
        eventually("it is stopped", lambda: one.is_stopped(), 10)
        eventually("its shards are the other's", lambda: several.shards([two]) == [1024], 2 * LEASE + 5)
        ended = eventually("the submit that it left is ended", lambda: psql(
            several.database, "SELECT submission FROM pictory.jobs_in_words WHERE request_id = 'last'") == [UNKNOWN],
            LEASE + GRACE)
        left = submit(two, "last", "last")
        done = two.run("resolve", left["jobId"], "--abandon")
        one.process.send_signal(signal.SIGCONT)
        shared = eventually("both share again", lambda: max(several.shards([one, two])) < 600, 3 * LEASE)
        told = last.result()
        again = [submit(one, f"stopped-{n}", f"r-{n}")["jobId"] for n in range(JOBS)]
        repeated = submit(one, "last", "last")
        for watch in watches:
            watch.ended.wait(150)
        ends = {watch.last() for watch in watches}
        decided = {repeated["state"], *(state(each, left["jobId"]) for each in (one, two))}
        paid = several.pictory.journal()
        met = (done.returncode == 0 and left["state"] == "JOB_STATE_UNCONFIRMED" and "last" not in paid and decided == {"JOB_STATE_OUTCOME_UNKNOWN"}
               and repeated["jobId"] == left["jobId"] and again == jobs and sum(map(len, paid.values())) == JOBS
               and ends == {DONE} and all(rises(watch.revisions()) for watch in watches))
        return Outcome(met, f"{sum(map(len, paid.values()))} POSTs for {JOBS} requests, {ends}; one that was recorded and "
                            f"not sent: {left['state']} after {ended:.0f} s, abandoned, {len(paid.get('last', []))} POSTs, "
                            f"{decided}; shares again after {shared:.0f} s",
                       [] if met else [f"abandoned: {done.stderr}", f"told: {told.stdout} {told.stderr}"])


def paid_once(folder, options):
    """Each request is sent to all gateways at once, by several callers, while gateways are killed and started."""
    requests = 20 if options.quick else 60
    with Several(folder) as several:
        eventually("shards are shared", lambda: max(several.shards()) < SHARED, 2 * LEASE)
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
                if told := done.stdout.strip():  # a job, which is UNCONFIRMED if who sent it was killed
                    return json.loads(told.splitlines()[-1])["jobId"]
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
        eventually("each has the job", lambda: all(state(each, job).startswith("JOB_STATE") for each in (one, two)), 5)
        several.server.kill()
        began = time.monotonic()
        noticed = eventually("both notice", lambda: one.metric("store_away") == two.metric("store_away") == 1, 10)
        asked, wrong = 0, []
        while time.monotonic() - began < 30:
            for gateway in (one, two):
                asked += 1
                read = state(gateway, job)
                if not read.startswith("JOB_STATE"):
                    wrong.append(f"read: {read}")
                done = gateway.run("preview", "--name", "refused", "--text", "One line.", "--request-id",
                                   f"away-{asked}", "--timeout", "5", "--json")
                error = json.loads(done.stderr.splitlines()[-1])["error"] if done.returncode != 0 else {}
                if error.get("reason") != "STORE_AWAY" or not error.get("retryAfterSeconds", 0) > 0:
                    wrong.append(f"submit: {done.returncode} {done.stdout} {done.stderr}")
            time.sleep(1)
        refused, soon = (sum(each.metric(f"grpc_server_call_duration_seconds_{which}", grpc_method=CREATE_PREVIEW,
                                         grpc_status="UNAVAILABLE", **bound) for each in (one, two))
                         for which, bound in (("count", {}), ("bucket", {"le": "0.5"})))
        alive = one.process.poll() is None and two.process.poll() is None and not watch.ended.is_set()
        several.server.start()
        back = eventually("submits are taken", lambda: two.run("preview", "--name", "after", "--text", "One line.",
                                                               "--request-id", "after").returncode == 0, 30)
        watch.ended.wait(150)
        paid = sorted(several.pictory.journal())
        met = alive and watch.last() == DONE and not wrong and soon == refused >= asked and paid == ["after", "away"]
        return Outcome(met, f"noticed after {noticed:.1f} s, alive {alive}, watch {watch.last()}; {asked} reads and {asked} "
                            f"submits at both, {len(wrong)} not answered as they must be, {soon:.0f} "
                            f"of {refused:.0f} calls (the command repeats them) refused within 0.5 s; taken {back:.0f} s after it was back", wrong[:5])


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
        eventually("shards are shared", lambda: max(several.shards()) < SHARED, 2 * LEASE)
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
    """Every gateway is restarted in turn, several times, behind Envoy, under submits and watches: no call fails, and
    each watch goes on until it has seen the end of every job."""
    from live.cluster import Cluster
    from live.rig import UNLIMITED

    rounds = options.cycles or (1 if options.quick else 20 if options.long else 3)
    with Cluster(str(folder), flags=(*UNLIMITED, "--drain-delay", "4")) as cluster:
        cluster.wait_until_healthy()
        env = cluster.gateways[0].env
        watches = [WatchOfMany(cluster, env, cluster.target, "row=rolling") for _ in range(2)]
        stop = threading.Event()
        jobs, failed = [], []

        def call(caller):
            for n in itertools.count():
                if stop.is_set():
                    return
                request = f"rolling-{caller}-{n}"
                done = subprocess.run([BIN / "pictory", "preview", "--name", request, "--text", "One line.", "--json",
                                       "--label", "row=rolling", "--request-id", request], text=True,
                                      capture_output=True, timeout=90, env=dict(env, PICTORY_GATEWAY=cluster.target))
                if done.returncode == 0:
                    jobs.append(json.loads(done.stdout.splitlines()[-1])["jobId"])
                else:
                    failed.append(done.stderr.strip() or request)

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
        with contextlib.suppress(AssertionError):  # what is lacking is told
            eventually("every job has ended in each watch", lambda: not any(w.lacks(jobs) for w in watches), 90, every=1)
        sent = cluster.pictory.journal()
        twice = [name for name, entries in sent.items() if len(entries) > 1]
        wrong = [f"a watch never saw the end of {job}" for watch in watches for job in watch.lacks(jobs)]
        wrong += [f"a watch saw {job} go back" for watch in watches for job in watch.falls()]
        wrong += ["a watch has ended" for watch in watches if not watch.goes_on()]
        wrong += ["a gateway warns that there is no standby" for each in cluster.gateways if warns_of_one_disk(each)]
        met = not failed and not twice and not wrong and len(sent) == len(jobs) > 0
        return Outcome(met, f"{3 * rounds} restarts, {len(jobs)} submits, {len(failed)} failed, {len(twice)} paid twice; "
                            f"{len(watches)} watches, {len(wrong)} things wrong with what was told", (failed + wrong)[:5])


def failover(folder, options):
    """The primary is killed under submits, and the synchronous standby takes over: nothing is lost or paid twice."""
    from live.cluster import Cluster

    rounds = 10 if options.long else 3
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
    """A change made at one gateway is told to a watcher at another soon, and none of them lacks a job's end."""
    jobs = 60 if options.quick else 200
    with Several(folder, gateways=2, speed=5) as several:
        one, two = several.gateways
        eventually("shards are shared", lambda: max(several.shards()) < 600, 2 * LEASE)
        watches = [WatchOfMany(several, each.env, each.grpc, "row=fan-out") for each in (one, two)]
        time.sleep(1)
        made = at_once([lambda n=n: one.json("preview", "--name", f"f-{n}", "--text", "One line.", "--label",
                                             "row=fan-out")["jobId"] for n in range(jobs)], places=8)
        eventually("all have ended at both", lambda: not any(watch.lacks(made) for watch in watches), 180, every=0.5)
        stored = {tuple(line.split("\t")) for line in psql(several.database,
                                                           "SELECT job_id, revision FROM pictory.jobs_in_words")}
        last = [{(job, str(max(revisions))) for job, revisions in watch.revisions.items()} for watch in watches]
        first, second = (watch.told for watch in watches)
        late = sorted(second[change] - first[change] for change in first.keys() & second.keys())
        single = first.keys() ^ second.keys()  # a later one of the same job came in its place
        p50, p99 = (late[int(len(late) * share)] * 1000 for share in (0.5, 0.99))
        met = p99 <= 400 and last == [stored, stored] and len(stored) == jobs
        return Outcome(met, f"{len(late)} changes, at the other gateway after p50 {p50:.0f} ms, p99 {p99:.0f} ms (at most "
                            f"400); {len(single)} told at one only, {sum(len(stored - each) for each in last)} last ones "
                            "not told")


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

"""What watches live through behind Envoy: its time limits, and a gateway that is killed and started again. The
clients are the project's own: the command line and three examples."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time
import typing

import grpc
import tools
from bench import api, outcome, stub, submit
from check import equal, true
from live.process import DEADLINE_SECONDS, wait_until
from live.programs import BIN
from paid import at_once
from shapes import documented, hop

HERE = pathlib.Path(__file__).resolve().parent
# More than Envoy's default of 1,024 requests at a time allows.
CROWD, QUICK_CROWD, PROCESSES = 1200, 60, 4
QUIET_SECONDS, HEARTBEATS = 60, 2

# They print a revision and a state a line.
PYTHON = """
import sys, pictory_jobs
from pictory.jobs.v1 import job_pb2
channel, stub = pictory_jobs.connect()
for job in pictory_jobs.watch(stub, sys.argv[1]):
    print(job.revision, job_pb2.JobState.Name(job.state), flush=True)
"""
NODE = """
import {connect, watch} from 'pictory-jobs';
const client = connect();
for await (const job of watch(client, process.argv[1])) console.log(job.revision, job.state);
client.close();
"""


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    command: tuple  # and the job
    folder: pathlib.Path = pathlib.Path(".")


CLIENTS = [
    Client("pictory watch", (BIN / "pictory", "watch", "--json")),
    Client("pictory wait", (BIN / "pictory", "wait", "--json")),
    Client("Python example", (".venv/bin/python", "-c", PYTHON), tools.EXAMPLES / "python"),
    Client("C++ example", ("build/story", "--watch"), tools.EXAMPLES / "cpp"),
    Client("Node example", ("node", "--input-type=module", "--eval", NODE), tools.EXAMPLES / "node"),
]


def hold(sandbox):
    """From now on Pictory says that jobs go on, until the faults are forgotten."""
    body = json.dumps({"success": True, "data": {"status": "in-progress", "renderProgress": 40}})
    sandbox.fault("body", match={"method": "GET", "path_prefix": "/v1/jobs/"}, body=body)


def spawn(bench, command, target, folder):
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")},
           "PICTORY_GATEWAY": target, "PYTHONDONTWRITEBYTECODE": "1"}
    return bench.spawn(*command, env=env, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def seen(line):
    """Revision and state of a line of any client."""
    if line.startswith("{"):
        job = json.loads(line)
        job = job.get("job", job)
        return int(job["revision"]), job["state"]
    *_, revision, state = line.split()
    return int(revision), state


def judged(what, process, cuts):
    out, err = process.communicate(timeout=2 * DEADLINE_SECONDS)
    lines = [seen(line) for line in out.splitlines() if "connection lost" not in line]
    revisions = [revision for revision, _ in lines]
    last = lines[-1][1].removeprefix("JOB_STATE_") if lines else "nothing"
    met = process.returncode == 0 and last == "SUCCEEDED" and revisions == sorted(set(revisions))
    words = err.strip().splitlines()
    why = next((line for line in words if "INTERNAL" in line or "UNAVAILABLE" in line), " ".join(words[-1:])).strip()
    return true(what, met, f"{cuts}, exit {process.returncode}, {last}, revisions {' '.join(map(str, revisions))}"
                f"{'' if met else f'; {why}'}", "exit 0, SUCCEEDED, revisions that grow")


@dataclasses.dataclass(frozen=True)
class Cut:
    what: str
    config: typing.Callable  # target -> Envoy's configuration
    cut: typing.Callable     # (bench, gateway, Envoys, clients) -> what it did


def cut_off(bench, how):
    """All clients watch one job, are cut off, and then the job ends."""
    sandbox, g = bench.side(sandbox=("--speed", "1000"))
    hold(sandbox)
    job = submit(g.grpc, "watched").job_id
    envoys = [bench.chain([how.config], g.grpc)[0] for _ in CLIENTS]
    running = [spawn(bench, [*client.command, job], envoy.target, client.folder)
               for client, envoy in zip(CLIENTS, envoys)]
    for envoy in envoys:
        wait_until(lambda: envoy.stat("upstream_rq_active"), "a watch")
    wait_until(lambda: g.json("get", job)["state"] == "JOB_STATE_RUNNING", "a second revision")
    cuts = how.cut(bench, g, envoys, running)
    sandbox.forget_faults()
    return [judged(f"{how.what}: {client.name}", process, cuts)
            for client, process in zip(CLIENTS, running)]


def timed_out(stat):
    def cut(bench, g, envoys, running):
        times = 1 if bench.quick else 3
        for envoy, process in zip(envoys, running):
            wait_until(lambda: envoy.stat(stat) >= times or process.poll() is not None, f"{times} cuts")
        return f"cut {times} time{'s' * (times > 1)}"
    return cut


def killed(bench, g, envoys, running):
    g.kill()
    g.start()
    return "killed once"


CUTS = [
    Cut("route timeout 3 s", lambda target: hop(target, timeout="3s"), timed_out("up.upstream_rq_timeout")),
    Cut("idle limit 5 s", lambda target: hop(target, idle_timeout="5s"), timed_out("downstream_rq_idle_timeout")),
    Cut("kill -9 of the gateway", documented, killed),
]


def watches_cut(bench):
    yield from at_once(bench, cut_off, CUTS)


def crowd_of(bench, watches, target, jobs):
    """Example watches in several processes, all of them open."""
    command = [".venv/bin/python", HERE / "watchers.py", target, watches // PROCESSES, *jobs]
    made = [spawn(bench, command, target, tools.EXAMPLES / "python") for _ in range(PROCESSES)]
    for process in made:
        said = process.stdout.readline()
        if said != "open\n":
            raise AssertionError(f"{said}{process.communicate()[1]}")
    return made


def many_watches(bench):
    watches = QUICK_CROWD if bench.quick else CROWD
    sandbox, g = bench.side(sandbox=("--speed", "1000"))
    hold(sandbox)
    jobs = [submit(g.grpc, f"watched-{number}").job_id for number in range(10)]
    [envoy] = bench.chain([documented], g.grpc)
    crowd = crowd_of(bench, watches, envoy.target, jobs)
    stops = [g.kill, g.terminate] if bench.quick else [g.terminate, g.terminate, g.kill, g.terminate, g.terminate]
    began = time.monotonic()
    for stop in stops:
        stop()
        g.start()
        wait_until(lambda: g.metric("watches") == watches or
                   any(process.poll() is not None for process in crowd), "all watches to come back")
    back = time.monotonic() - began
    with stub(envoy.target) as one:
        beside = outcome(lambda: one.GetJob(api.GetJobRequest(job_id=jobs[0]), timeout=DEADLINE_SECONDS))
    sandbox.forget_faults()
    told = [json.loads(process.communicate(timeout=5 * DEADLINE_SECONDS)[0]) for process in crowd]
    total = {key: sum(each[key] for each in told) for key in ("final", "back", "reconnects")}
    errors = {name: sum(each["errors"].get(name, 0) for each in told) for each in told for name in each["errors"]}
    yield true(f"{watches} watches, {len(stops)} restarts, one by SIGKILL",
               total["final"] == watches and not total["back"] and not errors,
               f"{total['final']} final, {total['back']} went back, {total['reconnects']} reconnections, errors "
               f"{errors or 'none'}, restarts took {back:.0f} s", "all final, none back, no errors")
    yield equal("GetJob beside them", beside, "OK")


def quiet_watch(bench):
    sandbox, g = bench.side()
    hold(sandbox)
    job = submit(g.grpc, "quiet").job_id
    [envoy] = bench.chain([lambda target: hop(target, idle_timeout="30s")], g.grpc)
    heartbeats, end = 0, "open"
    with stub(envoy.target) as jobs:
        try:
            for message in jobs.WatchJob(api.WatchJobRequest(job_id=job), timeout=QUIET_SECONDS):
                heartbeats += not message.HasField("job")
        except grpc.RpcError as error:
            end = error.code().name  # DEADLINE_EXCEEDED is our own minute
    yield true(f"idle limit 30 s, {QUIET_SECONDS} s", heartbeats >= HEARTBEATS and end == "DEADLINE_EXCEEDED",
               f"{heartbeats} heartbeats, {end}", f"{HEARTBEATS} heartbeats and our own deadline")

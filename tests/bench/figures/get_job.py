"""Reading a job that is in memory, against a server that answers with as many bytes and no thought."""

from house import REFERENCE, SERVICE, payload_for
from verdict import Figure, Goal

ABOUT = "GetJob of a job in memory at 64 callers, against a bare echo server"
PROGRAMS = ["pictory-gateway", "bench_upstream", "bench_echo_server", "bench_unary_load"]
CALLERS = 64


def measure(bench):
    gateway = bench.gateway_to(bench.server("upstream"))
    job = bench.submit(gateway)
    ask = bench.request(f'job_id: "{job}" view: JOB_VIEW_BASIC', "GetJobRequest")
    echo = bench.server("echo_server", "--answer-bytes",
                        payload_for(bench.answer_bytes(gateway, "GetJob", ask)))
    echo_ask = bench.request(b"x" * payload_for(len(ask.read_bytes())), None)

    ours, bare = [], []
    for _ in range(bench.runs):
        ours.append(bench.load(gateway, SERVICE + "GetJob", ask, CALLERS))
        bare.append(bench.load(echo, REFERENCE + "Echo", echo_ask, CALLERS))

    def pick(key):
        return [run[key] for run in ours], [run[key] for run in bare]

    yield Figure("get-job.calls", f"GetJob, {CALLERS} callers", "calls/s", *pick("per_second"),
                 Goal(at_least=0.8, guard=0.4))
    yield Figure("get-job.cpu", "GetJob, server CPU a call", "µs", *pick("cpu_us"),
                 Goal(at_most=1.3, guard=2.2))

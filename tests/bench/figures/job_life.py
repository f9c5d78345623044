"""What a job takes of PostgreSQL over its life, from its submit to its result, and what a submit takes there beside
bare transactions that pgbench makes in the same server.

Alone is one job after the other, so that nothing is shared; in a crowd the gateway makes changes durable in groups."""

import pathlib
import statistics
import tempfile

from house import STORYBOARD
from live.process import wait_until
from live.sandbox import Sandbox
from shared import Requests, Store, gateways
from verdict import Figure, Goal, number, table

ABOUT = "transactions, WAL and CPU of PostgreSQL for a job from its submit to its result"
PROGRAMS = ["pictory-gateway", "bench_unary_load"]
MOST_TRANSACTIONS, MOST_KIB = 6, 12
ALONE, CROWD = 12, 2_000
# As long as a record, and as many transactions as a job may take.
BARE = """\\set n random(1, 1000000000)
INSERT INTO bare SELECT :n, repeat('x', 1000) ON CONFLICT DO NOTHING;
"""
# What is submitted, of which type, by which method. A transcription's result is kept, too: words with their times.
KINDS = {"preview": (STORYBOARD, "CreatePreviewRequest", "CreatePreview"),
         "transcription": ('file_url: "https://media.example.com/a.mp4"', "TranscribeRequest", "Transcribe")}


def measure(bench):
    runs = {(kind, way): [] for kind in KINDS for way in ("alone", "crowd")}
    bare = []
    for _ in range(bench.few_runs):
        for kind, submit in KINDS.items():
            for way, values in life(bench, submit).items():
                runs[kind, way].append(values)
        bare.append(runs["preview", "crowd"][-1]["bare"])

    def pick(key, *which):
        return [run[key] for run in runs[which]]

    crowd = f"A preview among {number(CROWD)}"
    yield Figure("job-life.transactions", "A preview alone, from submit to result: transactions that write",
                 "transactions", pick("writes", "preview", "alone"), [MOST_TRANSACTIONS] * len(bare),
                 Goal(at_most=MOST_TRANSACTIONS, absolute=True, guard=12))
    yield Figure("job-life.wal", f"{crowd}: WAL, whole pages after a checkpoint in it", "KiB",
                 pick("kib", "preview", "crowd"), [MOST_KIB] * len(bare),
                 Goal(at_most=MOST_KIB, absolute=True, guard=36))
    yield Figure("job-life.cpu", f"{crowd}: CPU of PostgreSQL, against as many bare INSERTs of 1 KB as a job may have "
                 "transactions", "µs", pick("cpu", "preview", "crowd"), [each * MOST_TRANSACTIONS for each in bare],
                 Goal(at_most=1, guard=6))
    def said(kind, way):
        # Of jobs one after the other, reads and CPU are less than what idle gateways take meanwhile.
        keys = ("writes", "kib") if way == "alone" else ("writes", "kib", "commits", "cpu")
        return [number(statistics.median(pick(key, kind, way))) for key in keys] + ["–"] * (4 - len(keys))

    bench.note(["What a job takes of PostgreSQL over its life:", "", *table(
        ["", "", "Transactions that write", "WAL, KiB", "All commits beyond those of idle gateways", "CPU, µs"],
        [[kind, "one after the other" if way == "alone" else f"{number(CROWD)} at once", *said(kind, way)]
         for kind, way in runs])])


def life(bench, submit):
    """What jobs of this kind take, alone and in a crowd, and a bare INSERT in the same server."""
    store = Store(bench)
    sandbox = Sandbox(pathlib.Path(tempfile.mkdtemp(prefix="sandbox-", dir=bench.folder)), "--speed", 5)
    bench.programs.append(sandbox)
    sandbox.scheme, sandbox.target = "http", sandbox.url.split("/")[2]
    [gateway] = gateways(bench, sandbox, store.database(), 1)
    requests = Requests(bench, *submit)
    idle = store.idle(5 if bench.quick else 20)
    store.sql("CREATE TABLE bare (n bigint PRIMARY KEY, text text)")
    values = {}
    for way, run, wanted in (("alone", one_by_one, ALONE), ("crowd", in_a_crowd, CROWD)):
        store.sql("CHECKPOINT")
        before = store.taken()
        jobs = run(bench, store, requests, gateway, wanted // (4 if bench.quick else 1))
        took = store.taken().since(before, idle)
        values[way] = {"writes": took.writes / jobs, "commits": took.commits / jobs, "kib": took.wal / jobs / 1024,
                       "cpu": took.seconds * 1e6 / jobs}
    values["crowd"]["bare"] = store.bare(BARE, 2_000, 16)[0] * 1e6
    bench.end_all()
    return values


def unended(store):
    return store.sql("SELECT count(*) FROM pictory.jobs WHERE unended") == ["0"]


def one_by_one(bench, store, requests, gateway, jobs):
    for _ in range(jobs):
        path, _ = requests.some(1)
        bench.answer_bytes(gateway, requests.method, path)
        # Not asked of PostgreSQL, whose work is counted.
        wait_until(lambda: gateway.metric("jobs_unfinished") == 0, "a job to end", every=0.2)
    return jobs


def in_a_crowd(_, store, requests, gateway, jobs):
    sent = requests.send(gateway, jobs, 64)
    wait_until(lambda: unended(store), f"{sent} jobs to end", every=0.5, patience=300)
    return sent

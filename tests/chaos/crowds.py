"""Many callers: of one request at once, and of ten thousand through an upstream that often fails."""

from live.rig import UNLIMITED
from tally import UNCONFIRMED, Tally, count_duplicates, crowd, store_rows

CALLERS = 1000
JOIN_MS = 3000  # all callers have come by then, and wait for one answer
THREADS = 32


def duplicate_storm(rig, cycles):
    """A thousand calls with one request_id, while the first of them waits for Pictory."""
    tally = Tally()
    sandbox = rig.sandbox("--speed", "0.01")
    g = rig.gateway(sandbox.url, *UNLIMITED)
    for number in range(cycles):
        sandbox.fault("delay", times=1, ms=JOIN_MS)
        told = crowd(g, CALLERS, CALLERS, f"storm-{number}")
        answers = {(line["code"], line.get("hash")) for line in told}
        tally.expect(len(told) == CALLERS, f"storm-{number}: only {len(told)} answers")
        tally.expect(len(answers) == 1 and told[0]["code"] == "OK", f"storm-{number}: answers {answers}")
        tally.expect(len(sandbox.journal()[f"storm-{number}"]) == 1, f"storm-{number}: not one POST")
        tally.cycles += len(told)
    count_duplicates(tally, sandbox)
    tally.measured = f"{len(sandbox.journal())} POSTs"
    return tally


# Which faults, how often, and whether the sandbox makes the job nevertheless: whether that can be told
# from the answer is what the model below says.
FAULTS = [("reset", 0.05, True, {}), ("reset", 0.05, False, {}), ("status", 0.10, False, {"status": 503}),
          ("delay", 0.05, True, {"ms": 500})]


def faulty_upstream(rig, cycles):
    """Every answer against what must have happened: OK with Pictory's id if the answer came, UNCONFIRMED if it
    did not; nothing else; one POST each."""
    tally = Tally(cycles=cycles)
    sandbox = rig.sandbox("--speed", "0.01")
    g = rig.gateway(sandbox.url, *UNLIMITED)
    sandbox.fault("delay", probability=0)  # never happens, but counts the POSTs
    passed = 1.0  # each rule draws among what those before it have let pass
    for kind, share, act, settings in FAULTS:
        sandbox.fault(kind, probability=share / passed, act=act, **settings)
        passed -= share
    told = {line["id"]: line for line in crowd(g, cycles, THREADS, "many-", "retry")}

    rules = sandbox.faults()
    posts, hits = rules[0]["matched"], {(r["type"], r["act"]): r["hit"] for r in rules[1:]}
    journal, rows = sandbox.journal(), store_rows(g)
    tally.expect(len(told) == cycles, f"{len(told)} answers")
    tally.expect(posts <= cycles, f"{posts} POSTs")
    unconfirmed = 0
    for request_id, line in told.items():
        made = [entry["job_id"] for entry in journal.get(request_id, [])]
        tally.expect(line["code"] == "OK", f"{request_id}: {line}")
        if line.get("state") == UNCONFIRMED:
            unconfirmed += 1
            tally.expect(not line["pictory"], f"{request_id}: UNCONFIRMED with an id")
        elif [line.get("pictory")] != made:
            tally.losses += 1
            tally.problems.append(f"{request_id}: told {line}, the sandbox made {made}")
        row = rows.get(request_id)
        if not tally.expect(row and row.job_id == line.get("job"), f"{request_id}: recorded as {row}"):
            tally.losses += 1
    # Every request was sent, so as many POSTs as requests leave none for a second one.
    tally.expect(posts == cycles, f"{posts} POSTs of {cycles} requests")
    doubts = sum(count for (kind, _), count in hits.items() if kind != "delay")
    tally.expect(unconfirmed == doubts, f"{unconfirmed} UNCONFIRMED, {doubts} answers were spoilt")
    unknown = sum(1 for entries in journal if entries not in told)
    tally.expect(unknown == 0, f"{unknown} jobs that nobody asked for")
    tally.expect(len(journal) == cycles - hits["status", False] - hits["reset", False],
                 f"{len(journal)} jobs at the sandbox")
    count_duplicates(tally, sandbox)
    tally.measured = f"{posts} POSTs, {unconfirmed} UNCONFIRMED"
    return tally

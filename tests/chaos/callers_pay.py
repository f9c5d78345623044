"""Callers who pay with Pictory keys of their own, and a gateway that is killed and has forgotten all of them."""

import concurrent.futures
import contextlib

from live.process import DEADLINE_SECONDS
from live.rig import UNLIMITED, died, restart
from tally import UNCONFIRMED, Tally, count_duplicates, count_losses, submit

ALICE, BOB = "pictai_chaosALICE", "pictai_chaosBOB"
WORKERS = 3
# Where it is killed (base/fail_point.h): how many POSTs there are then, and whether what came of them is known.
POINTS = {"sending-stored": (0, False), "answer-read": (1, False), "accepted-stored": (1, True), "poll-entry": (1, True)}


@contextlib.contextmanager
def showing(g, key):
    """The command line shows this key meanwhile; the gateway itself has none."""
    g.env["PICTORY_CALLER_KEY"] = key
    try:
        yield g
    finally:
        del g.env["PICTORY_CALLER_KEY"]


def killed_under_callers_keys(rig, cycles):
    workers = min(WORKERS, cycles)

    def work(first):
        total, told = Tally(), []
        sandbox = rig.sandbox("--speed", "20")
        g = rig.gateway(sandbox.url, start=False)
        g.env.pop("PICTORY_API_KEY", None)
        for number in range(first, cycles, workers):
            told += cycle(sandbox, g, number, total)
        restart(g)
        count_losses(total, g, sandbox, told)
        count_duplicates(total, sandbox)
        return total

    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for each in pool.map(work, range(workers)):
            total.add(each)
    return total


def cycle(sandbox, g, number, tally):
    """Alice's submit is killed. Without her key nobody pays for it and nobody loses by it; with it all goes on."""
    point = list(POINTS)[number % len(POINTS)]
    posts, known = POINTS[point]
    alices, bobs = f"alice-{number}", f"bob-{number}"
    flags = ("--base-url", sandbox.url, "--callers-pay", *UNLIMITED)
    restart(g, *flags, program="gateway-with-fail-points", env={"GATEWAY_FAIL_POINT": point})
    told = submit(g, alices, f"key={ALICE}")
    tally.expect(told["code"] == "UNAVAILABLE", f"{alices}: its caller was told {told}")
    tally.expect(died(g), f"{alices}: the gateway did not die at {point}")

    restart(g, *flags)
    other = submit(g, bobs, f"key={BOB}", "retry")
    tally.expect(other["code"] == "OK", f"{bobs}: was told {other}")
    with showing(g, BOB):
        done = g.run("wait", other.get("job", "none"), "--json", timeout=DEADLINE_SECONDS)
        tally.expect(done.returncode == 0, f"{bobs}: did not end: {done.stderr}")
    stranger = submit(g, alices, f"key={BOB}", "retry")
    tally.expect(stranger.get("reason") == "REQUEST_ID_REUSED", f"{alices}: with another key it was told {stranger}")
    nobody = submit(g, alices)
    tally.expect(nobody.get("reason") == "PICTORY_KEY_NEEDED", f"{alices}: without a key it was told {nobody}")
    made = sandbox.journal()[alices] if posts else []
    tally.expect(len(made) == posts and (posts or alices not in sandbox.journal()), f"{alices}: {len(made)} POSTs")

    again = submit(g, alices, f"key={ALICE}", "retry")
    tally.expect(again["code"] == "OK", f"{alices}: the retry was told {again}")
    tally.expect((again.get("state") == UNCONFIRMED) == (not known), f"{alices}: the retry is {again}")
    with showing(g, ALICE):
        job = again.get("job", "none")
        if not known:
            decided = g.run("resolve", job, *(["--adopt", made[0]["job_id"]] if made else ["--abandon"]))
            tally.expect(decided.returncode == 0, f"{alices}: {decided.stderr}")
        if posts:
            done = g.run("wait", job, "--json", timeout=DEADLINE_SECONDS)
            tally.expect(done.returncode == 0, f"{alices}: did not end: {done.stderr}")
    g.kill()
    tally.cycles += 1
    return [other, again]

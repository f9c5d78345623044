"""Calls without a request_id, repeated by hand after the gateway was killed or has ended: paid for once."""

import dataclasses
import signal
import threading
import time

from live.process import wait_until
from live.rig import UNLIMITED, died, restart
from tally import UNCONFIRMED, Tally, submit


@dataclasses.dataclass
class Kill:
    """Where the gateway is killed during the first call, and what the second one must find."""

    name: str
    fail_point: str         # base/fail_point.h; empty: killed from outside, while Pictory does not answer
    state: str              # of the job that the second call is told
    posts: int = 1          # in all


KILLS = [
    Kill("before-intent", "intent-uncommitted", "JOB_STATE_QUEUED"),
    Kill("before-first-byte", "sending-stored", UNCONFIRMED, posts=0),
    Kill("no-answer", "", UNCONFIRMED),
    Kill("answer-read", "answer-read", UNCONFIRMED),
    Kill("accepted", "accepted-stored", "JOB_STATE_QUEUED"),
    Kill("poll-entry", "poll-entry", "JOB_STATE_QUEUED"),
]


def kill_during_a_call(rig, kill, sandbox, g, name, tally):
    flags = ("--base-url", sandbox.url, *UNLIMITED)
    if kill.fail_point:
        restart(g, *flags, program="gateway-with-fail-points", env={"GATEWAY_FAIL_POINT": kill.fail_point})
        told = submit(g, name, "keyless")
        tally.expect(died(g), f"{name}: the gateway did not die at {kill.fail_point}")
    else:
        sandbox.fault("never_answer", times=1)
        restart(g, *flags)
        answers = []
        caller = threading.Thread(target=lambda: answers.append(submit(g, name, "keyless")))
        caller.start()
        wait_until(lambda: name in sandbox.journal(), f"the POST of {name}")
        g.kill()
        caller.join()
        [told] = answers
    tally.expect(told["code"] == "UNAVAILABLE", f"{name}: its caller was told {told}")
    restart(g, *flags)


def keyless_killed(rig, cycles):
    """Nothing in the second call shows that it is one. A third and a fourth come soon after, as loops do."""
    tally = Tally()
    sandbox = rig.sandbox("--speed", "0.01")
    g = rig.gateway(sandbox.url, start=False)
    for number in range(cycles):
        for kill in KILLS:
            name = f"keyless-{kill.name}-{number}"
            kill_during_a_call(rig, kill, sandbox, g, name, tally)
            told = [submit(g, name, "keyless") for _ in range(3)]
            tally.expect(all(line["code"] == "OK" for line in told), f"{name}: the repetitions were told {told}")
            tally.expect(len({line.get("job") for line in told}) == 1, f"{name}: several jobs: {told}")
            tally.expect(told[0].get("state") == kill.state, f"{name}: told {told[0]}")
            posts = len(sandbox.journal()[name])
            tally.duplicates += max(0, posts - 1)
            tally.expect(posts == kill.posts, f"{name}: {posts} POSTs")
            tally.cycles += 1
            g.kill()
    return tally


DRAIN_SECONDS = 1
ANSWER_MS = 4000


def told_at_the_end(rig, cycles):
    """SIGTERM while Pictory does not answer: callers are told UNCONFIRMED in time, the program ends with 0,
    and an answer that comes still is not lost."""
    tally = Tally()
    sandbox = rig.sandbox("--speed", "0.01")
    g = rig.gateway(sandbox.url, *UNLIMITED, "--drain-timeout", str(DRAIN_SECONDS))
    for number in range(cycles):
        for words in ([], ["keyless"]):
            name = f"end-{number}-{'keyless' if words else 'keyed'}"
            sandbox.fault("delay", times=1, ms=ANSWER_MS)
            answers = []
            caller = threading.Thread(target=lambda: answers.append((submit(g, name, *words), time.monotonic())))
            caller.start()
            wait_until(lambda: name in sandbox.journal(), f"the POST of {name}")
            began = time.monotonic()
            g.process.send_signal(signal.SIGTERM)
            caller.join()
            [(told, when)] = answers
            tally.expect(told["code"] == "OK" and told.get("state") == UNCONFIRMED, f"{name}: told {told}")
            tally.expect(when - began <= DRAIN_SECONDS + 1, f"{name}: told after {when - began:.1f} s")
            code = g.process.wait(timeout=60)
            tally.expect(code == 0, f"{name}: exit {code}")
            g.start()
            # Before anything names the job: who has named it wants another one.
            again = submit(g, name, *words)
            tally.expect(again.get("job") == told["job"], f"{name}: the repetition was told {again}")
            found = g.json("get", told["job"])
            tally.expect(found.get("pictoryJobId") == sandbox.journal()[name][0]["job_id"], f"{name}: {found}")
            posts = len(sandbox.journal()[name])
            tally.duplicates += max(0, posts - 1)
            tally.expect(posts == 1, f"{name}: {posts} POSTs")
            tally.cycles += 1
    return tally

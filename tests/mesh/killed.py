"""kill -9 in the middle of a submit that was on its way through Envoy. The gateway is started again at once, and
whoever retries hears of the same job."""

import dataclasses

from bench import Background, submit
from live.process import wait_until
from live.rig import UNLIMITED, died, restart
from paid import at_once, judged, with_and_without
from shapes import EAGER, INBOUND, documented, one_hop, two_hops

# Long enough for a gateway to start again.
PATIENT = {**EAGER, "num_retries": 8, "retry_back_off": {"base_interval": "0.5s", "max_interval": "2s"}}


@dataclasses.dataclass(frozen=True)
class Point:
    what: str
    fail_point: str  # base/fail_point.h; empty: killed from outside
    posts: int       # in the end
    short: bool = True
    flags: tuple = UNLIMITED


POINTS = [
    Point("before the intent is durable", "intent-uncommitted", 1, short=False),
    Point("while the intent waits for budget", "intent-stored", 1, short=False,
          flags=("--requests-per-second", "0.2", "--burst", "1")),
    Point("before the first byte", "sending-stored", 0),
    Point("before Pictory answers", "", 1),
    Point("with the answer read", "answer-read", 1, short=False),
    Point("with the answer stored", "accepted-stored", 1),
]


@dataclasses.dataclass(frozen=True)
class Path:
    what: str
    chain: list
    library_retries: bool
    known: bool = True  # a retry says that it is one; else it looks like a call of its own


PATHS = [
    Path("library's retries, direct", [], True),
    Path("library's retries, Envoy as documented", [documented], True),
    Path("library's retries, Istio", two_hops({"include": True, "retry": EAGER}, {"retry": INBOUND}), True),
    Path("Istio, patient", two_hops({"include": True, "retry": PATIENT}, {"retry": INBOUND}), False),
    Path("one hop, patient", one_hop(retry=PATIENT), False),
    Path("two hops, both include, patient", two_hops({"include": True, "retry": PATIENT}, {"include": True}), False),
    Path("Envoy as documented, asked again", [documented], False, known=False),
    Path("outbound, then an edge, patient", two_hops(
        {"include": True, "retry": PATIENT}, {"include": True, "edge": True}), False, known=False),
]


def kill_at(point, sandbox, g, call, name):
    """Brings the gateway to the point, sees it die, starts it again. Returns what the caller was told."""
    if point.fail_point:
        restart(g, "--base-url", sandbox.url, *point.flags, program="gateway-with-fail-points",
                env={"GATEWAY_FAIL_POINT": point.fail_point})
        if point.flags != UNLIMITED:
            submit(g.grpc, name + "-first")  # takes the budget
        told = Background(call)
        if not died(g):
            raise AssertionError(f"the gateway did not die at {point.fail_point}")
    else:
        sandbox.fault("never_answer", times=1)
        restart(g, "--base-url", sandbox.url, *UNLIMITED)
        told = Background(call)
        wait_until(lambda: name in sandbox.journal(), f"the POST of {name}")
        g.kill()
    restart(g, "--base-url", sandbox.url, *UNLIMITED)
    return told.wait()


def kill_all(bench, path):
    sandbox, g = bench.side()
    g.kill()  # each case starts it as it needs it
    envoys = bench.chain(path.chain, g.grpc)
    target = envoys[-1].target if envoys else g.grpc
    checks = []
    for point in POINTS:
        if bench.quick and not point.short:
            continue

        def kill(name, request_id):
            def call():
                return submit(target, name, request_id, path.library_retries)
            told = [kill_at(point, sandbox, g, call, name)]
            if not told[0].ok:
                told.append(call())
            g.kill()
            wanted = point.posts if path.known or request_id else {point.posts, point.posts + 1}
            return judged("", sandbox, name, told, wanted)

        checks.append(with_and_without(f"{path.what}: {point.what}", kill))
    return checks


def killed_in_submit(bench):
    yield from at_once(bench, kill_all, PATHS)

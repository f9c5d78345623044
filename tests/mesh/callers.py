"""What callers do by themselves: they give up and dial again, their sidecar dies under them, or the gateway is
told to stop while they wait."""

import dataclasses
import time

import shapes
from bench import Background, in_flight, submit
from check import true
from live.process import wait_until
from paid import at_once, judged, slug, with_and_without

GIVES_UP_SECONDS = 0.5
EXIT_SECONDS = 55


class Way:
    def __init__(self, bench, path):
        self.sandbox, self.g = bench.side()
        self.envoys = bench.chain(path.chain, self.g.grpc)
        self.target = self.envoys[-1].target if self.envoys else self.g.grpc

    def in_flight(self, name, request_id, **kwargs):
        return in_flight(self.sandbox, name, submit, self.target, name, request_id, **kwargs)

    def replies(self):
        """How many answers Pictory has given to submits."""
        return self.g.metric("submits_total")

    def submit(self, name, request_id):
        return submit(self.target, name, request_id)


@dataclasses.dataclass(frozen=True)
class Path:
    what: str
    chain: list


PATHS = [
    Path("direct", []),
    Path("Envoy as documented", [shapes.documented]),
    Path("Istio", shapes.two_hops({"include": True, "retry": shapes.ISTIO}, {"retry": shapes.INBOUND})),
    Path("outbound, then an edge", shapes.two_hops(
        {"include": True, "retry": shapes.ISTIO}, {"include": True, "edge": True})),
]


def redial(way, name, request_id):
    """While the first call is still worked on."""
    given_up = way.in_flight(name, request_id, patience=GIVES_UP_SECONDS).wait()
    return [given_up, way.submit(name, request_id)]


def come_back(way, name, request_id):
    """After Pictory answered the first call, which nobody heard."""
    before = way.replies()
    given_up = way.in_flight(name, request_id, patience=GIVES_UP_SECONDS).wait()
    wait_until(lambda: way.replies() > before, "Pictory's answer")
    return [given_up, way.submit(name, request_id)]


def dead_sidecar(way, name, request_id):
    call = way.in_flight(name, request_id)
    way.envoys[-1].kill()
    told = call.wait()
    way.envoys[-1].start()
    return [told, way.submit(name, request_id)]


AGAIN = [("gives up and dials again", redial), ("comes back after the answer", come_back),
         ("its Envoy is killed and started again", dead_sidecar)]


def ask_again(bench, path):
    way = Way(bench, path)
    checks = []
    for what, function in AGAIN:
        if function is dead_sidecar and not way.envoys:
            continue

        def again(name, request_id):
            told = function(way, name, request_id)
            way.sandbox.forget_faults()
            return judged("", way.sandbox, name, told)

        checks.append(with_and_without(f"{path.what}: {what}", again))
    return checks


def asked_again(bench):
    yield from at_once(bench, ask_again, PATHS)


def drained_in_submit(bench):
    """All callers wait for one gateway. In a short run nobody waits for its exit, which comes when Pictory's
    time is up."""
    sandbox, g = bench.side("--drain-timeout", "5" if bench.quick else "20")
    sandbox.fault("never_answer")
    calls = {}
    for path in PATHS:
        envoys = bench.chain(path.chain, g.grpc)
        name = slug(path.what)
        calls[path.what] = Background(submit, envoys[-1].target if envoys else g.grpc, name)
        wait_until(lambda: name in sandbox.journal(), f"the POST of {name}")
    began = time.monotonic()
    g.process.terminate()
    for what, call in calls.items():
        told = call.wait()
        posts = len(sandbox.journal()[slug(what)])
        yield true(what, told.text.startswith("OK UNCONFIRMED") and posts == 1,
                   f"{posts} POST, {told.text}, {call.ended - began:.1f} s after SIGTERM",
                   "1 POST, OK UNCONFIRMED")
    if not bench.quick:
        code = g.process.wait(timeout=2 * EXIT_SECONDS)
        took = time.monotonic() - began
        yield true("exit", code == 0 and took <= EXIT_SECONDS, f"{code} after {took:.1f} s",
                   f"0 within {EXIT_SECONDS} s")

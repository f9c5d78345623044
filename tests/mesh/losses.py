"""Submits whose answers get lost on the way back: paid for once, and whoever asks again hears of the same job."""

import dataclasses
import typing

import shapes
from bench import in_flight, submit
from cutter import Cutter
from paid import at_once, judged, with_and_without

TRY_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Loss:
    what: str
    function: typing.Callable  # (Way, name, request_id) -> what the caller was told
    retry: dict = dataclasses.field(default_factory=lambda: shapes.EAGER)
    route: dict = dataclasses.field(default_factory=dict)
    short: bool = True


class Way:
    """From a caller to the sandbox, on which answers get lost."""

    def __init__(self, bench, shape, sandbox, g, loss):
        self.shape, self.sandbox, self.g = shape, sandbox, g
        self.cutter = bench.exits.enter_context(Cutter(g.grpc))
        self.envoys = bench.chain(shape.chain({"retry": loss.retry, **loss.route}), self.cutter.target)
        self.target = self.envoys[-1].target if self.envoys else self.cutter.target

    def submit(self, name, request_id):
        return submit(self.target, name, request_id, self.shape.library_retries)

    def in_flight(self, name, request_id):
        return in_flight(self.sandbox, name, self.submit, name, request_id)


def answers_reset(times):
    def lose(way, name, request_id):
        way.cutter.lose(times)
        told = way.submit(name, request_id)
        if not way.cutter.lost:
            raise AssertionError("no answer was lost")
        way.cutter.lose(0)
        return told
    return lose


def cut_in_flight(way, name, request_id):
    call = way.in_flight(name, request_id)
    way.cutter.cut()
    return call.wait()


def black_hole(way, name, request_id):
    """Every attempt goes into the same connection, which is dead."""
    way.cutter.lose(1, "black")
    told = submit(way.target, name, request_id, way.shape.library_retries, patience=6 * TRY_SECONDS)
    if not way.cutter.lost:
        raise AssertionError("no answer was lost")
    way.cutter.heal()
    return told


def slow_answer(way, name, request_id):
    return way.in_flight(name, request_id).wait()


HASTY = {**shapes.EAGER, "per_try_timeout": f"{TRY_SECONDS}s"}
HEDGED = {"hedge_policy": {"hedge_on_per_try_timeout": True}}
LOSSES = [
    Loss("answer reset", answers_reset(1)),
    Loss("4 answers reset", answers_reset(4)),
    Loss("cut while Pictory works", cut_in_flight),
    Loss("black hole", black_hole, HASTY, short=False),
    Loss("hedged", slow_answer, HASTY, HEDGED),
]


def lose_all(bench, shape):
    """A gateway and a sandbox for each shape, so that shapes can be tried at the same time."""
    sandbox, g = bench.side()
    checks = []
    for loss in LOSSES:
        if bench.quick and not loss.short:
            continue
        way = Way(bench, shape, sandbox, g, loss)

        def lose(name, request_id):
            told = [loss.function(way, name, request_id)]
            if not told[0].ok:  # then a person, or a program, asks once more
                told.append(way.submit(name, request_id))
            sandbox.forget_faults()
            # Nothing in a renamed call shows that it is a retry: a second POST is possible, and documented.
            return judged("", sandbox, name, told, {1, 2} if shape.renames and not request_id else 1)

        checks.append(with_and_without(f"{shape.name}: {loss.what}", lose))
        for envoy in way.envoys:
            envoy.kill()
    return checks


def lost_answers(bench):
    yield from at_once(bench, lose_all, shapes.SHAPES if bench.quick else shapes.SHAPES + shapes.SHIPPED)

"""Submits that Pictory refuses once or always, on ways that retry whatever fails: who is told of a refusal has paid
for nothing, and nobody pays twice."""

import dataclasses

import shapes
from bench import submit
from check import Check
from paid import at_once, slug


@dataclasses.dataclass(frozen=True)
class Refusal:
    what: str
    status: int
    body: str
    times: int | None  # None: whenever it is asked


def answer(code):
    return f'{{"success":false,"data":{{"error_code":"{code}","error_message":"no"}}}}'


REFUSALS = [
    Refusal("402 once", 402, answer("INSUFFICIENT_CREDITS"), 1),
    Refusal("429 once", 429, answer("TOO_MANY_REQUESTS"), 1),
    Refusal("400 once", 400, answer("INVALID_REQUEST_BODY"), 1),
    Refusal("503 once", 503, "<html>upstream connect error</html>", 1),
    Refusal("429 always", 429, answer("TOO_MANY_REQUESTS"), None),
    Refusal("503 always", 503, "<html>upstream connect error</html>", None),
]


def refused(bench, shape):
    """A gateway and a sandbox for each refusal, because an account that is limited stays so for a while."""
    checks = []
    for refusal in REFUSALS:
        sandbox, g = bench.side()
        envoys = bench.chain(shape.chain({"retry": {**shapes.EAGER, "retry_on": ALL}}), g.grpc)
        target = envoys[-1].target if envoys else g.grpc
        seen, met = [], True
        for key in ("", "with request_id"):
            name = slug(f"{refusal.what} {key}")
            sandbox.fault("status", times=refusal.times, status=refusal.status, body=refusal.body)
            told = submit(target, name, name if key else "", shape.library_retries)
            sandbox.forget_faults()
            paid = len(sandbox.journal()[name])
            met = met and (paid <= 1 if told.ok else paid == 0)
            seen.append(f"{told.text}, {paid} paid")
        checks.append(Check(f"{shape.name}: {refusal.what}", " | ".join(f"{each:40}" for each in seen),
                            "a refusal is not paid for, and nothing twice", met))
        for each in [*envoys, g]:
            each.kill()
        sandbox.end()
    return checks


# Whatever Envoy can retry of gRPC's codes.
ALL = shapes.EAGER["retry_on"] + ",deadline-exceeded,internal,resource-exhausted"


def refusals(bench):
    yield from at_once(bench, refused, shapes.SHAPES)

"""Calls straight at the gateway, with the headers of retries."""

import dataclasses

from bench import submit
from paid import judged


@dataclasses.dataclass(frozen=True)
class Pair:
    what: str
    first: dict
    second: dict
    posts: int = 1


def mesh(request_id, count=None, previous=None):
    given = {"x-request-id": request_id, "x-envoy-attempt-count": count, "grpc-previous-rpc-attempts": previous}
    return {name: value for name, value in given.items() if value}


PAIRS = [
    Pair("same x-request-id, no count", mesh("a"), mesh("a")),
    Pair("same x-request-id, counts 1 and 1", mesh("a", "1"), mesh("a", "1")),
    Pair("same x-request-id, counts 1 and 2", mesh("a", "1"), mesh("a", "2")),
    Pair("same x-request-id, count garbage", mesh("a"), mesh("a", "garbage")),
    Pair("previous attempts 1, new x-request-id, count 1", mesh("a", "1"), mesh("b", "1", "1")),
    Pair("previous attempts 1, new x-request-id, count 2", mesh("a", "1"), mesh("b", "2", "1")),
    Pair("previous attempts 1, no x-request-id", {}, mesh("", None, "1")),
    Pair("count 2, new x-request-id: another call", mesh("a", "1"), mesh("b", "2"), posts=2),
    Pair("no retry by any header, other ids: another call", mesh("a", "1"), mesh("b", "1"), posts=2),
]


def repeated_by_hand(bench):
    """Without the rule for equal calls without request_id (--keyless-settle), so that headers alone decide."""
    sandbox, g = bench.side(env={"PICTORY_KEYLESS_SETTLE": "0"})
    for number, pair in enumerate(PAIRS):
        name = f"by-hand-{number}"

        def ids(metadata):  # each pair has its own
            return [(key, value + name if key == "x-request-id" else value) for key, value in metadata.items()]
        told = [submit(g.grpc, name, metadata=ids(each)) for each in (pair.first, pair.second)]
        yield judged(pair.what, sandbox, name, told, pair.posts)
    sandbox, g = bench.side()
    told = [submit(g.grpc, "soon") for _ in range(2)]
    yield judged("by default: again at once, by no header a retry", sandbox, "soon", told)
    told = [submit(g.grpc, "known")]
    g.run("get", told[0].job_id)
    told.append(submit(g.grpc, "known"))
    yield judged("by default: again after the first one's job was asked for", sandbox, "known", told, 2)

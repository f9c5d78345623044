"""Which headers tell a server that a call is a retry: what server/docs/mesh.md says of Envoy and gRPC."""

import dataclasses

import shapes
from bench import submit
from check import equal
from recorder import Recorder
from shapes import INBOUND, ISTIO, one_hop, two_hops

OUTBOUND = {"include": True, "retry": ISTIO}


@dataclasses.dataclass(frozen=True)
class Path:
    what: str
    chain: list
    seen: tuple  # x-request-id, x-envoy-attempt-count, grpc-previous-rpc-attempts
    library_retries: bool = False
    failures: int | None = None  # None: all attempts but the last one


SAME, NONE = "r1 r1 r1", "– – –"
PATHS = [
    Path("Envoy, default virtual host", one_hop(retry=ISTIO), (SAME, NONE, NONE)),
    Path("the same with include_request_attempt_count", one_hop(**OUTBOUND), (SAME, "1 2 3", NONE)),
    Path("outbound (include), then inbound without: Istio", two_hops(OUTBOUND, {"retry": INBOUND}),
         (SAME, "1 2 3", NONE)),
    Path("outbound, then a second hop, both include", two_hops(OUTBOUND, {"include": True}),
         (SAME, "1 1 1", NONE)),
    Path("outbound, then an edge (use_remote_address)", two_hops(OUTBOUND, {"include": True, "edge": True}),
         ("r1 r2 r3", "1 1 1", NONE)),
    Path("server/deploy/envoy.yaml, a submit: not retried", [shapes.documented], ("r1", "1", "–"), failures=1),
    Path("server/deploy/envoy-sidecar.yaml, both halves: the same", shapes.sidecars(), ("r1", "1", "–"), failures=1),
    Path("server/deploy/envoy-edge.yaml: the same", [shapes.edge], ("r1", "1", "–"), failures=1),
    Path("library's retryPolicy, direct", [], (NONE, NONE, "– 1 2"), True),
    Path("library's retryPolicy and Envoy's", one_hop(**OUTBOUND),
         ("r1 r1 r1 r2 r2 r2", "1 2 3 1 2 3", "– – – 1 1 1"), True),
]


def headers(bench):
    recorder = Recorder()
    bench.exits.callback(recorder.end)
    for path in PATHS:
        envoys = bench.chain(path.chain, recorder.target)
        attempts = len(path.seen[0].split())
        recorder.expect(attempts - 1 if path.failures is None else path.failures)
        submit(envoys[-1].target if envoys else recorder.target, "recorded", library_retries=path.library_retries)
        yield equal(path.what, " | ".join(recorder.rows()), " | ".join(path.seen))
        for envoy in envoys:
            envoy.kill()

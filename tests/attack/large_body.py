"""A request of 300 MB by the library of an honest client. gRPC takes in whatever is announced, and looks at its length
when it is whole; so the gateway bounds it by the memory it may have, and refuses it before it is whole."""

import pathlib
import tempfile

import grpc
from envoy import Envoy
from flooded import House, Others, Watched
from half_open import METHODS
from live.process import MIB
from shapes import edge

BYTES, QUICK_BYTES = 300 * MIB, 260 * MIB
LIMIT_MIB = 256
# Behind Envoy the refusal may overtake what the caller still sends, and end its stream.
REFUSALS = {"RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"}


def told(target, method, body):
    with grpc.insecure_channel(target, [("grpc.max_send_message_length", -1)]) as channel:
        try:
            channel.unary_unary(METHODS + method)(body, timeout=60)
            return "OK"
        except grpc.RpcError as error:
            return error.code().name


def refused(folder, quick, through_envoy):
    body = bytes(QUICK_BYTES if quick else BYTES)
    with House(folder, "--memory-limit-mib", LIMIT_MIB) as house:
        target = house.g.grpc
        if through_envoy:
            front = Envoy(pathlib.Path(tempfile.mkdtemp(prefix="envoy-", dir=folder)) / "run", edge(target))
            house.exits.callback(front.kill)
            target = front.target
        with Watched(house.g) as watched, Others(house.g.grpc, house.jobs[0]) as others:
            codes = {method: told(target, method, body) for method in ("CreatePreview", "GetJob")}
        alive = watched.alive()
        whole = alive and house.is_whole()
    wrong = [f"{method}: {code}" for method, code in codes.items() if code not in REFUSALS]
    met = whole and not wrong and others.in_time and watched.peak <= LIMIT_MIB * MIB
    seen = (f"{len(codes)} requests of {len(body) // MIB} MiB refused, gateway {watched.peak / MIB:.0f} of {LIMIT_MIB} MiB at most, "
            f"others waited {others.slowest:.1f} s at most, {others.failed} of {others.calls} failed")
    return met, seen, [str(codes), *wrong] if alive else ["the gateway ended"]

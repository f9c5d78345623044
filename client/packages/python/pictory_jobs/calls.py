"""A connection, and calls that are repeated only where that is safe."""

from __future__ import annotations

import importlib.resources
import itertools
import os
import time
from typing import Any

import grpc

from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

from . import errors
from .patience import ATTEMPTS, KEEPALIVE_ANSWER_SECONDS, KEEPALIVE_SECONDS, Stop
from .streams import CLOSED

CALL_SECONDS = 60.0


def address_of(target: str | None) -> str:
    return target or os.environ.get("PICTORY_GATEWAY") or "127.0.0.1:50051"


def channel_options() -> list[tuple[str, Any]]:
    """For grpc.insecure_channel or grpc.secure_channel: the service config, connections that are tried again
    soon (gRPC itself waits up to two minutes), and pings that show whether one is still there."""
    config = importlib.resources.files(__package__).joinpath("service_config.json").read_text()
    return [("grpc.service_config", config),
            ("grpc.initial_reconnect_backoff_ms", int(errors.FIRST_DELAY_SECONDS * 1000)),
            ("grpc.max_reconnect_backoff_ms", int(errors.MAX_DELAY_SECONDS * 1000)),
            ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_ANSWER_SECONDS * 1000),
            ("grpc.http2.ping_timeout_ms", KEEPALIVE_ANSWER_SECONDS * 1000),  # also of those that measure the way
            ("grpc.http2.max_pings_without_data", 0)]


def connect(address: str | None = None) -> tuple[grpc.Channel, rpc.PictoryJobsStub]:
    """A channel without TLS and its stub. `address` is host:port; by default that of PICTORY_GATEWAY."""
    channel = grpc.insecure_channel(address_of(address), options=channel_options())
    return channel, rpc.PictoryJobsStub(channel)


def attempts_of(request: Any) -> int:
    """How often the request may be sent. What only reads is repeated by the service config, where that is safe."""
    if "request_id" not in request.DESCRIPTOR.fields_by_name:
        return 1
    if not request.request_id:
        raise ValueError("a submit that may be repeated needs a request_id, or it may be paid for twice")
    return ATTEMPTS


def call(method: Any, request: Any, seconds: float = CALL_SECONDS, stop: Stop | None = None) -> Any:
    """One answer, within so long. A submit must carry a request_id: then a repetition never becomes a second job. The
    error says by its `may_have_been_taken` whether any attempt may have become a job. `stop` ends it from another thread,
    with CANCELLED."""
    attempts, give_up, taken = attempts_of(request), time.monotonic() + seconds, False
    stop = stop or Stop()
    for failures in itertools.count():
        try:
            return answer(method, request, give_up - time.monotonic(), stop)
        except grpc.RpcError as error:
            pause, taken = errors.retry_after(error, failures), taken or errors.may_have_been_taken(error)
            last = failures + 1 >= attempts or isinstance(error, errors.Ended)
            if last or pause is None or time.monotonic() + pause > give_up:
                error.may_have_been_taken = taken
                raise
        try:
            stop.wait(pause)
        except errors.Ended as ended:
            ended.may_have_been_taken = taken
            raise
    raise AssertionError("unreachable")


def answer(method: Any, request: Any, seconds: float, stop: Stop) -> Any:
    """That of one attempt. `stop` ends it, and so does what interrupts this thread, such as Ctrl-C: a call that blocks in
    gRPC itself would hear of it only in the end."""
    try:
        attempt = method.future(request, timeout=seconds)
    except ValueError:
        raise errors.Ended(CLOSED) from None
    try:
        with stop.ending(attempt.cancel):
            return attempt.result()
    except grpc.FutureCancelledError:
        stop.check()
        raise
    finally:
        attempt.cancel()

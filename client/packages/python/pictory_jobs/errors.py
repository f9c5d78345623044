"""What an error of a call says beyond its code."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 5.0
# All that the gateway itself says carries an ErrorInfo of this domain.
DOMAIN = "pictory-gateway"
# What gRPC's libraries and proxies call a connection that broke.
BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED,
          grpc.StatusCode.DEADLINE_EXCEEDED)

Kind = TypeVar("Kind", bound=Message)


def reason(error: grpc.RpcError) -> str:
    """The gateway's word for what went wrong, such as JOB_NOT_FOUND; empty if the gateway did not say it."""
    info = _detail(error, error_details_pb2.ErrorInfo)
    return info.reason if info and info.domain == DOMAIN else ""


def from_gateway(error: grpc.RpcError) -> bool:
    """Whether the gateway itself made this status, and not gRPC's library or a proxy on the way."""
    info = _detail(error, error_details_pb2.ErrorInfo)
    return info is not None and info.domain == DOMAIN


def field_violations(error: grpc.RpcError) -> Sequence[error_details_pb2.BadRequest.FieldViolation]:
    """The fields of the request that are wrong, by their paths, and what to do."""
    bad = _detail(error, error_details_pb2.BadRequest)
    return bad.field_violations if bad else ()


def retry_after(error: grpc.RpcError, failures: int = 0) -> float | None:
    """The seconds after which an equal call may succeed, after so many failures in a row; None if it never does. What
    the gateway asks for and a little more, else full jitter that doubles. A submit that is repeated must have a
    request_id."""
    told = _told_delay(error)
    if told is not None:
        return told + random.uniform(0, min(1.0, 0.2 * told))
    if not _broken(error) and error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return None
    ceiling = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(failures + 1, 10))
    return random.uniform(FIRST_DELAY_SECONDS, ceiling)


def may_have_been_taken(error: grpc.RpcError) -> bool:
    """Whether a submit that failed so may have become a job all the same, as when the connection broke under way. Then
    repeat it with the same request_id only: with another one it may be paid for twice. `call` counts all its attempts,
    and says so by the error's attribute of this name."""
    return bool(getattr(error, "may_have_been_taken", _leaves_open(error)))


class Own(grpc.aio.AioRpcError):
    """An error that this package makes."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)


class Ended(Own):
    """Its caller's own doing, after which nothing is tried again."""

    def __init__(self, details: str) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, details)


class Lost(Own):
    """A stream that did not say all, and did not fail either."""

    def __init__(self, details: str) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, details)


def explain(error: grpc.RpcError) -> str:
    """What went wrong and what to do, for people."""
    lines = [f"{error.code().name}: {error.details()}"]
    if reason(error):
        lines.append(f"  reason: {reason(error)}")
    lines += [f"  field {wrong.field}: {wrong.description}" for wrong in field_violations(error)]
    if _broken(error):
        lines.append("  said by: gRPC's library or a proxy, not by the gateway")
    lines.append(f"  what to do: {_advice(error)}")
    return "\n".join(lines)


def _advice(error: grpc.RpcError) -> str:
    told = _told_delay(error)
    if told is not None:
        return f"try again in {told:g} s, with the same request_id"
    if reason(error) == "UPSTREAM_CREDENTIALS":
        return "the operator of the gateway must set a valid Pictory API key"
    broken = "the connection broke; try again: the same request_id finds out what became of it"
    return {
        grpc.StatusCode.INVALID_ARGUMENT: "correct the request; the same one is refused again",
        grpc.StatusCode.NOT_FOUND: "check the id; ListJobs shows the jobs there are",
        grpc.StatusCode.UNAVAILABLE: "check PICTORY_GATEWAY and that the gateway runs, then try again "
                                     "with the same request_id",
        grpc.StatusCode.DEADLINE_EXCEEDED: "check PICTORY_GATEWAY and that the gateway runs, then try again: the same "
                                           "request_id finds out what became of it",
    }.get(error.code(), broken if _broken(error) else "see the gateway's table of errors, server/docs/errors.md")


def _detail(error: grpc.RpcError, kind: type[Kind]) -> Kind | None:
    """The standard error detail of this kind (google.rpc.*)."""
    status = rpc_status.from_call(error)  # reads grpc-status-details-bin
    for packed in status.details if status else ():
        message = kind()
        if packed.Unpack(message):
            return message
    return None


def _told_delay(error: grpc.RpcError) -> float | None:
    retry = _detail(error, error_details_pb2.RetryInfo)
    return retry.retry_delay.ToTimedelta().total_seconds() if retry else None


def _leaves_open(error: grpc.RpcError) -> bool:
    if error.code() not in BROKEN or (from_gateway(error) and _told_delay(error) is not None):
        return False
    if reason(error) in ("DEADLINE_TOO_SHORT", "STORE_FAILED"):
        return False
    # These are gRPC's own words where no connection came about.
    return not (error.details() or "").startswith(("failed to connect to all addresses", "DNS resolution failed"))


def _broken(error: grpc.RpcError) -> bool:
    """Whether the way to the gateway broke, which says nothing of the call. Other codes are final whoever says so, such
    as a limit on message sizes."""
    return error.code() in BROKEN and not from_gateway(error)

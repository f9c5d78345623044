"""What a client of the gateway needs beyond the generated stubs: calls that are repeated only where
that is safe, watches that survive a broken connection, and errors in plain words. Yours to copy.

Every function blocks, and may be called from any thread. Errors are grpc.RpcError as the stubs raise
it; explain() says what to do about one.
"""

import itertools
import os
import pathlib
import random
import shutil
import threading
import time
import urllib.request

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

CALL_SECONDS = 60
ATTEMPTS = 5
FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 5.0
# The gateway sends a heartbeat every 25 s: a watch silent for so long is dead, whatever TCP believes.
SILENCE_SECONDS = 75
# How long a watch looks for a gateway that has gone.
PATIENCE_SECONDS = 600
# All that the gateway itself says carries an ErrorInfo of this domain.
DOMAIN = "pictory-gateway"


def connect(address=None):
    """A channel and its stub. `address` is host:port; by default that of PICTORY_GATEWAY."""
    address = address or os.environ.get("PICTORY_GATEWAY") or "127.0.0.1:50051"
    # gRPC itself waits up to two minutes before it connects again; a watch wants to go on sooner.
    channel = grpc.insecure_channel(address, options=[
        ("grpc.initial_reconnect_backoff_ms", int(FIRST_DELAY_SECONDS * 1000)),
        ("grpc.max_reconnect_backoff_ms", int(MAX_DELAY_SECONDS * 1000)),
    ])
    return channel, rpc.PictoryJobsStub(channel)


def call(method, request):
    """One answer. A submit must carry a request_id: then a repetition never becomes a second job."""
    if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
        raise ValueError("a submit that may be repeated needs a request_id, or it may be paid for twice")
    for failures in itertools.count():
        try:
            return method(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            if failures + 1 == ATTEMPTS or not _worth_repeating(error):
                raise
            time.sleep(_delay_after(error, failures))


def from_gateway(error):
    """Whether the gateway itself made this status, and not gRPC's library or a proxy on the way."""
    info = _detail(error, error_details_pb2.ErrorInfo)
    return info is not None and info.domain == DOMAIN


def watch(stub, job_id, after_revision=0, silence=SILENCE_SECONDS, patience=PATIENCE_SECONDS,
          on_reconnect=lambda error: None):
    """Yields the present state of the job and each newer one; the last one is final.

    A reader slower than the job misses states in between, never the last one. Broken connections and
    restarts of the gateway are bridged for as long as `patience` without a word; `on_reconnect` hears of
    them. To go on where another process stopped, give the `revision` it saw last.
    """
    failures, give_up = 0, None
    while True:
        stream = stub.WatchJob(api.WatchJobRequest(job_id=job_id, after_revision=after_revision))
        try:
            for message in _until_silent(stream, silence):
                failures = 0
                if message.HasField("job"):  # otherwise a heartbeat: nothing new
                    after_revision = message.job.revision
                    yield message.job
            return  # the gateway ends a stream with OK only after the final state
        except grpc.RpcError as error:
            # CANCELLED is a proxy's doing, or our own after a silence.
            if failures == 0:
                give_up = time.monotonic() + patience
            delay = _delay_after(error, failures)
            if not _worth_repeating(error) or time.monotonic() + delay > give_up:
                raise
            failures += 1
            on_reconnect(error)
            time.sleep(delay)
        finally:
            stream.cancel()


def read_part(stub, job_id, part, path):
    """Streams one part of a finished job's result into a file, which is there once it is complete."""
    partial = pathlib.Path(f"{path}.part")
    with open(partial, "wb") as file:
        failures = 0
        while True:
            request = api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell())
            try:
                for chunk in stub.ReadJobResult(request, timeout=CALL_SECONDS):
                    file.write(chunk.data)
                    failures = 0
                break
            except grpc.RpcError as error:
                failures += 1
                if failures == ATTEMPTS or not _worth_repeating(error):
                    raise
                time.sleep(_delay_after(error, failures))
    partial.replace(path)


def download(url, path):
    """A video, which is plain HTTP, into a file, which is there once it is complete."""
    partial = pathlib.Path(f"{path}.part")
    with urllib.request.urlopen(url, timeout=CALL_SECONDS) as answer, open(partial, "wb") as file:
        shutil.copyfileobj(answer, file)
    partial.replace(path)


def explain(error):
    """What went wrong and what to do, for people."""
    info = _detail(error, error_details_pb2.ErrorInfo)
    bad = _detail(error, error_details_pb2.BadRequest)
    lines = [f"{error.code().name}: {error.details()}"]
    if info:
        lines.append(f"  reason: {info.reason}")
    for violation in bad.field_violations if bad else ():
        lines.append(f"  field {violation.field}: {violation.description}")
    if _broken(error):
        lines.append("  said by: gRPC's library or a proxy, not by the gateway")
    lines.append(f"  what to do: {_advice(error, info.reason if info else '')}")
    return "\n".join(lines)


def _advice(error, reason):
    told = _told_delay(error)
    if told is not None:
        return f"try again in {told:g} s, with the same request_id"
    if reason == "UPSTREAM_CREDENTIALS":
        return "the operator of the gateway must set a valid Pictory API key"
    broken = "the connection broke; try again: the same request_id finds out what became of it"
    return {
        grpc.StatusCode.INVALID_ARGUMENT: "correct the request; the same one is refused again",
        grpc.StatusCode.NOT_FOUND: "check the id; ListJobs shows the jobs there are",
        grpc.StatusCode.UNAVAILABLE: "check PICTORY_GATEWAY and that the gateway runs, then try again "
                                     "with the same request_id",
        grpc.StatusCode.DEADLINE_EXCEEDED: "try again: the same request_id finds out what became of it",
    }.get(error.code(),
          broken if _broken(error) else "see the table of errors in the README of the gateway")


def _detail(error, kind):
    """The standard error detail of this kind (google.rpc.*), or None."""
    status = rpc_status.from_call(error)  # reads grpc-status-details-bin
    for packed in status.details if status else ():
        if packed.Is(kind.DESCRIPTOR):
            message = kind()
            packed.Unpack(message)
            return message
    return None


def _told_delay(error):
    retry = _detail(error, error_details_pb2.RetryInfo)
    return retry.retry_delay.ToTimedelta().total_seconds() if retry else None


def _broken(error):
    """Whether the way to the gateway broke, which says nothing of the call. Proxies and libraries have
    many names for that; other codes are final whoever says so, such as a limit on message sizes."""
    return error.code() in (
        grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED) and not from_gateway(error)


def _worth_repeating(error):
    """A connection that broke, or a refusal that says when to come back (RetryInfo)."""
    return (_broken(error) or _told_delay(error) is not None or
            error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED))


def _delay_after(error, failures):
    """Seconds: what the gateway asked for and a little more, else full jitter that doubles."""
    told = _told_delay(error)
    if told is not None:
        return told + random.uniform(0, min(1.0, 0.2 * told))
    ceiling = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(failures + 1, 10))
    return random.uniform(FIRST_DELAY_SECONDS, ceiling)


def _until_silent(stream, seconds):
    """The messages of a stream, which is cancelled after so long a silence."""
    while True:
        timer = threading.Timer(seconds, stream.cancel)
        timer.daemon = True
        timer.start()
        try:
            message = next(stream, None)
        finally:
            timer.cancel()
        if message is None:
            return
        yield message

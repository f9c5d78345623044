"""What a finished job has left, into files that are there once they are complete."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any, BinaryIO

import grpc

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .errors import Lost, Own
from .patience import ATTEMPTS, SILENCE_SECONDS, Patience, Stop
from .streams import EARLY, messages

PIECE_BYTES = 1 << 16


class JobFailed(Exception):
    """A job that has ended, and not with SUCCEEDED. Pictory's reason is its words; `job` is the whole."""

    def __init__(self, job: job_pb2.Job) -> None:
        words = [job.job_id, job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_"), job.error.code,
                 job.error.message]
        super().__init__(" ".join(filter(None, words)))
        self.job = job


def must_succeed(job: job_pb2.Job) -> job_pb2.Job:
    """The job, which has its result; JobFailed if it has none."""
    if job.state != job_pb2.JOB_STATE_SUCCEEDED:
        raise JobFailed(job)
    return job


def is_final(state: job_pb2.JobState.ValueType) -> bool:
    """Whether a job stays in this state. One that a newer gateway has, and this package does not know, is not final."""
    return state in (job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_EXPIRED,
                     job_pb2.JOB_STATE_CLEANED, job_pb2.JOB_STATE_OUTCOME_UNKNOWN, job_pb2.JOB_STATE_CANCELLED)


@contextlib.contextmanager
def into(path: str | pathlib.Path) -> Iterator[BinaryIO]:
    """A file that is there once it is complete. Until then it has a name that nobody else writes to."""
    partial = pathlib.Path(f"{path}.{secrets.token_hex(8)}.part")
    try:
        with open(partial, "xb") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def total_of(chunk: api.ReadJobResultResponse, offset: int, total: int) -> int:
    """The length of the whole, if the piece belongs at `offset`."""
    fits = chunk.offset == offset and offset + len(chunk.data) <= chunk.total_bytes
    if not fits or total not in (-1, chunk.total_bytes):
        raise Own(grpc.StatusCode.DATA_LOSS, "the pieces of the result do not fit together")
    return chunk.total_bytes


def read_part(stub: Any, job_id: str, part: job_pb2.ResultPart.ValueType, path: str | pathlib.Path,
              silence: float = SILENCE_SECONDS, stop: Stop | None = None) -> None:
    """Streams one part of a finished job's result into a file, and goes on where a connection broke."""
    failing, stop, total = Patience(attempts=ATTEMPTS), stop or Stop(), -1
    with into(path) as file:
        while file.tell() != total:
            request = api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell())
            try:
                with contextlib.closing(messages(stub.ReadJobResult, request, silence, stop)) as chunks:
                    for chunk in chunks:
                        total = total_of(chunk, file.tell(), total)
                        file.write(chunk.data)
                        if chunk.data:
                            failing.heard()
                        if file.tell() == total:
                            break
                if total < 0:  # the part is empty
                    break
                if file.tell() < total:
                    raise Lost(EARLY)
            except grpc.RpcError as error:
                stop.wait(failing.pause_after(error))


def download(url: str, path: str | pathlib.Path, silence: float = SILENCE_SECONDS, stop: Stop | None = None) -> None:
    """A video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one could
    be another video's."""
    stop = stop or Stop()
    with urllib.request.urlopen(url, timeout=silence) as answer, into(path) as file, cut_by(stop, answer):
        while piece := answer.read(PIECE_BYTES):
            file.write(piece)
        stop.check()
        length = answer.headers["Content-Length"]
        if length is not None and file.tell() != int(length):  # a connection that breaks off is no error there
            raise ConnectionError(f"{url}: {file.tell()} of {length} bytes came")


@contextlib.contextmanager
def cut_by(stop: Stop, answer: Any) -> Iterator[None]:
    """Meanwhile, `stop` ends the connection of the answer, which ends a read of another thread."""
    try:
        connection = socket.socket(fileno=os.dup(answer.fileno()))
    except (AttributeError, OSError, ValueError):  # nothing is to come
        yield
        return

    def cut() -> None:
        with contextlib.suppress(OSError):  # the server was faster
            connection.shutdown(socket.SHUT_RDWR)

    with connection, stop.ending(cut):
        yield

"""What a finished job has left, into files that are there once they are complete."""

from __future__ import annotations

import pathlib
import shutil
import time
import urllib.request
from typing import Any

import grpc

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .patience import ATTEMPTS, SILENCE_SECONDS, Patience
from .watching import next_within


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


def read_part(stub: Any, job_id: str, part: job_pb2.ResultPart, path: str | pathlib.Path,
              silence: float = SILENCE_SECONDS) -> None:
    """Streams one part of a finished job's result into a file, and goes on where a connection broke."""
    partial, failing = pathlib.Path(f"{path}.part"), Patience(attempts=ATTEMPTS)
    with open(partial, "wb") as file:
        while True:
            stream = stub.ReadJobResult(api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell()))
            try:
                while chunk := next_within(silence, stream):
                    file.write(chunk.data)
                    failing.heard()
                break
            except grpc.RpcError as error:
                time.sleep(failing.pause_after(error))
            finally:
                stream.cancel()
    partial.replace(path)


def download(url: str, path: str | pathlib.Path, silence: float = SILENCE_SECONDS) -> None:
    """A video, which is plain HTTP, into a file. It comes in one answer or not at all: the rest of a second one could
    be another video's."""
    partial = pathlib.Path(f"{path}.part")
    with urllib.request.urlopen(url, timeout=silence) as answer, open(partial, "wb") as file:
        shutil.copyfileobj(answer, file)
        length = answer.headers["Content-Length"]
        if length is not None and file.tell() != int(length):  # a connection that breaks off is no error there
            raise ConnectionError(f"{url}: {file.tell()} of {length} bytes came")
    partial.replace(path)

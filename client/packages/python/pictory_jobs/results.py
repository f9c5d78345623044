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

from . import errors
from .calls import ATTEMPTS, CALL_SECONDS


def read_part(stub: Any, job_id: str, part: job_pb2.ResultPart, path: str | pathlib.Path) -> None:
    """Streams one part of a finished job's result into a file, and goes on where a connection broke."""
    partial, failures = pathlib.Path(f"{path}.part"), 0
    with open(partial, "wb") as file:
        while True:
            request = api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell())
            try:
                for chunk in stub.ReadJobResult(request, timeout=CALL_SECONDS):
                    file.write(chunk.data)
                    failures = 0
                break
            except grpc.RpcError as error:
                pause = errors.retry_after(error, failures)
                failures += 1
                if failures == ATTEMPTS or pause is None:
                    raise
                time.sleep(pause)
    partial.replace(path)


def download(url: str, path: str | pathlib.Path) -> None:
    """A video, which is plain HTTP, into a file."""
    partial = pathlib.Path(f"{path}.part")
    with urllib.request.urlopen(url, timeout=CALL_SECONDS) as answer, open(partial, "wb") as file:
        shutil.copyfileobj(answer, file)
        length = answer.headers["Content-Length"]
        if length is not None and file.tell() != int(length):  # a connection that breaks off is no error there
            raise ConnectionError(f"{url}: {file.tell()} of {length} bytes came")
    partial.replace(path)

"""The same for asyncio: coroutines, and an asynchronous iterator."""

from __future__ import annotations

import asyncio
import itertools
import pathlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc

from . import errors, results
from .calls import CALL_SECONDS, address_of, attempts_of, channel_options
from .patience import ATTEMPTS, PATIENCE_SECONDS, SILENCE_SECONDS, Patience


def connect(address: str | None = None) -> tuple[grpc.aio.Channel, rpc.PictoryJobsAsyncStub]:
    channel = grpc.aio.insecure_channel(address_of(address), options=channel_options())
    return channel, rpc.PictoryJobsStub(channel)  # type: ignore[return-value]


async def call(method: Any, request: Any, seconds: float = CALL_SECONDS) -> Any:
    attempts, give_up = attempts_of(request), time.monotonic() + seconds
    for failures in itertools.count():
        try:
            return await method(request, timeout=give_up - time.monotonic())
        except grpc.RpcError as error:
            pause = errors.retry_after(error, failures)
            if failures + 1 >= attempts or pause is None or time.monotonic() + pause > give_up:
                raise
            await asyncio.sleep(pause)


async def watch(stub: Any, job_id: str, after_revision: int = 0, silence: float = SILENCE_SECONDS,
                patience: float = PATIENCE_SECONDS,
                on_reconnect: Callable[[Exception], None] = lambda error: None) -> AsyncIterator[job_pb2.Job]:
    """Ends early when its task is cancelled, for example by asyncio.timeout."""
    failing = Patience(patience)
    while True:
        stream = stub.WatchJob(api.WatchJobRequest(job_id=job_id, after_revision=after_revision))
        try:
            while event := await asyncio.wait_for(stream.read(), silence):
                failing.heard()
                if event.HasField("job"):  # otherwise a heartbeat: nothing new
                    after_revision = event.job.revision
                    yield event.job
            return  # the gateway ends a stream so only after the final state
        except (grpc.RpcError, asyncio.TimeoutError) as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            await asyncio.sleep(pause)
        finally:
            stream.cancel()


async def read_part(stub: Any, job_id: str, part: job_pb2.ResultPart, path: str | pathlib.Path,
                    silence: float = SILENCE_SECONDS) -> None:
    failing = Patience(attempts=ATTEMPTS)
    with open(f"{path}.part", "wb") as file:
        while True:
            stream = stub.ReadJobResult(api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell()))
            try:
                while chunk := await asyncio.wait_for(stream.read(), silence):
                    file.write(chunk.data)
                    failing.heard()
                break
            except (grpc.RpcError, asyncio.TimeoutError) as error:
                await asyncio.sleep(failing.pause_after(error))
            finally:
                stream.cancel()
    pathlib.Path(f"{path}.part").replace(path)


async def download(url: str, path: str | pathlib.Path, silence: float = SILENCE_SECONDS) -> None:
    await asyncio.to_thread(results.download, url, path, silence)

"""The same for asyncio: coroutines, and an asynchronous iterator."""

from __future__ import annotations

import asyncio
import contextlib
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
from .errors import Lost
from .patience import ATTEMPTS, PATIENCE_SECONDS, SILENCE_SECONDS, Patience, Stop
from .streams import EARLY, messages_async


def connect(address: str | None = None) -> tuple[grpc.aio.Channel, rpc.PictoryJobsAsyncStub]:
    channel = grpc.aio.insecure_channel(address_of(address), options=channel_options())
    return channel, rpc.PictoryJobsStub(channel)  # type: ignore[return-value]


async def call(method: Any, request: Any, seconds: float = CALL_SECONDS) -> Any:
    attempts, give_up, taken = attempts_of(request), time.monotonic() + seconds, False
    for failures in itertools.count():
        try:
            return await method(request, timeout=give_up - time.monotonic())
        except grpc.RpcError as error:
            pause, taken = errors.retry_after(error, failures), taken or errors.may_have_been_taken(error)
            if failures + 1 >= attempts or pause is None or time.monotonic() + pause > give_up:
                error.may_have_been_taken = taken
                raise
            await asyncio.sleep(pause)


async def watch(stub: Any, job_id: str, after_revision: int = 0, silence: float = SILENCE_SECONDS,
                patience: float = PATIENCE_SECONDS,
                on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None) -> AsyncIterator[job_pb2.Job]:
    """Ends early when its task is cancelled, for example by asyncio.timeout."""
    failing = Patience(patience)
    known = after_revision > 0  # and nothing came yet
    while True:
        request = api.WatchJobRequest(job_id=job_id, after_revision=after_revision)
        try:
            async with contextlib.aclosing(messages_async(stub.WatchJob, request, silence)) as events:
                async for event in events:
                    failing.heard()
                    known = False
                    if event.HasField("job"):  # otherwise a heartbeat: nothing new
                        after_revision = event.job.revision
                        yield event.job
                        if results.is_final(event.job.state):
                            return
            if known:  # that one was final
                return
            raise Lost(EARLY)
        except grpc.RpcError as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            await asyncio.sleep(pause)


async def watch_jobs(stub: Any, request: api.WatchJobsRequest, silence: float = SILENCE_SECONDS,
                     patience: float = PATIENCE_SECONDS,
                     on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None,
                     ) -> AsyncIterator[api.WatchJobsResponse]:
    """Ends when its task is cancelled."""
    failing, asked = Patience(patience), api.WatchJobsRequest()
    asked.CopyFrom(request)
    while True:
        try:
            async with contextlib.aclosing(messages_async(stub.WatchJobs, asked, silence)) as events:
                async for event in events:
                    failing.heard()
                    asked.resume_token = event.resume_token
                    if not event.HasField("heartbeat"):
                        yield event
            raise Lost(EARLY)
        except grpc.RpcError as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            await asyncio.sleep(pause)


async def read_part(stub: Any, job_id: str, part: job_pb2.ResultPart.ValueType, path: str | pathlib.Path,
                    silence: float = SILENCE_SECONDS) -> None:
    failing, total = Patience(attempts=ATTEMPTS), -1
    with results.into(path) as file:
        while file.tell() != total:
            request = api.ReadJobResultRequest(job_id=job_id, part=part, offset=file.tell())
            try:
                async with contextlib.aclosing(messages_async(stub.ReadJobResult, request, silence)) as chunks:
                    async for chunk in chunks:
                        total = results.total_of(chunk, file.tell(), total)
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
                await asyncio.sleep(failing.pause_after(error))


async def download(url: str, path: str | pathlib.Path, silence: float = SILENCE_SECONDS) -> None:
    stop = Stop()
    try:
        await asyncio.to_thread(results.download, url, path, silence, stop)
    finally:
        stop.set()  # reaches the thread, which a cancellation does not

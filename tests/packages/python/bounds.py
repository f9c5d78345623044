"""Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.

    bounds.py GATEWAY HOLE URL STUCK FAILED FAKE SECURE AUTHORITY     (tests/packages/run says what they are)
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
from google.protobuf import message_factory

import pictory_jobs
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory.jobs.v1 import pictory_jobs_pb2_grpc as rpc
from pictory_jobs import aio
from pictory_jobs.calls import channel_options

SILENCE, PATIENCE = 0.5, 1.5
SILENT = 3.0  # of what is to be heard
AT_ONCE = 20.0  # of a call that would last 60 s
PART = job_pb2.RESULT_PART_TXT


class Enough(Exception):
    """Ends a watch."""


def ended(act: Callable[[], object]) -> str:
    try:
        act()
        return "went on"
    except (grpc.RpcError, OSError, asyncio.TimeoutError):
        return "ended"


def file(url: str) -> str:
    path = pathlib.Path("got")
    path.unlink(missing_ok=True)
    try:
        pictory_jobs.download(url, path, silence=SILENCE)
    except OSError:
        assert not path.exists()
        return "ended"
    return path.read_text()


async def several(gateway: str, hole: str, stuck: str) -> None:
    channel, stub = aio.connect(hole)
    async with channel:
        try:
            async for job in aio.watch(stub, "j", silence=SILENCE, patience=PATIENCE):
                print(job.job_id)
        except (grpc.RpcError, asyncio.TimeoutError):
            print("hole ended")
    channel, stub = aio.connect(gateway)
    lost = 0

    def count(error: Exception) -> None:
        nonlocal lost
        lost += 1
        if lost == 2:
            following.cancel()

    async def follow() -> None:
        async for job in aio.watch(stub, stuck, silence=SILENCE, on_reconnect=count):
            assert job.job_id == stuck

    async with channel:
        following = asyncio.ensure_future(follow())
        try:
            await following
        except asyncio.CancelledError:
            print("silent lost", lost)


def left() -> int:
    return len(list(pathlib.Path().glob("got*")))


def code(error: object) -> str:
    return error.code().name if isinstance(error, grpc.RpcError) else repr(error)


def told_until_gone(events: Iterator[api.WatchJobsResponse]) -> str:
    words = ""
    for event in events:
        if event.HasField("gone_job_id"):
            return f"{words} gone"
        words += f" {event.job.revision}" if event.HasField("job") else " started"
    return words


@dataclasses.dataclass
class Blocking:
    """The functions that block, in threads."""

    stub: Any
    close: Callable[[], Any]
    prefix: str = ""

    async def watch(self, name: str, after_revision: int = 0, closing: bool = False,
                    lost: Callable[[grpc.RpcError], None] = lambda error: None) -> str:
        def follow() -> str:
            seen = ""
            for job in pictory_jobs.watch(self.stub, self.prefix + name, after_revision, SILENT, on_reconnect=lost):
                seen += f" {job.revision}"
                if closing:
                    self.close()
            return seen
        return await asyncio.to_thread(follow)

    async def call(self, method: str, request: Any) -> Any:
        return await asyncio.to_thread(pictory_jobs.call, getattr(self.stub, method), request)

    async def read(self, name: str) -> None:
        await asyncio.to_thread(pictory_jobs.read_part, self.stub, self.prefix + name, PART, "got", SILENT)

    async def cancelled(self, begun: Awaitable[object], act: Callable[..., None], *args: Any) -> bool:
        stop = pictory_jobs.Stop()
        acting = asyncio.ensure_future(asyncio.to_thread(act, *args, stop=stop))
        await begun
        stop.set()
        await asyncio.wait({acting})
        return code(acting.exception()) == "CANCELLED"

    async def cancelled_call(self) -> bool:
        begun = self.call("GetJob", api.GetJobRequest(job_id=f"{self.prefix}begun"))
        request = api.GetJobRequest(job_id=f"{self.prefix}never")
        return await self.cancelled(begun, pictory_jobs.call, self.stub.GetJob, request)

    async def many(self) -> str:
        def follow() -> str:
            request = api.WatchJobsRequest(labels={"case": f"{self.prefix}many"})
            return told_until_gone(pictory_jobs.watch_jobs(self.stub, request, SILENT))
        return await asyncio.to_thread(follow)

    async def stream(self, method: str, request: Any) -> list[Any]:
        return await asyncio.to_thread(lambda: list(getattr(self.stub, method)(request)))

    async def cancelled_read(self) -> bool:
        begun = self.call("GetJob", api.GetJobRequest(job_id=f"{self.prefix}hang"))
        return await self.cancelled(begun, pictory_jobs.read_part, self.stub, f"{self.prefix}hang", PART, "got")

    async def download(self, url: str) -> None:
        await asyncio.to_thread(pictory_jobs.download, url, "got")

    async def cancelled_download(self, url: str, begun: Awaitable[object]) -> bool:
        return await self.cancelled(begun, pictory_jobs.download, url, "got")


@dataclasses.dataclass
class Several(Blocking):
    """Those for asyncio."""

    async def watch(self, name: str, after_revision: int = 0, closing: bool = False,
                    lost: Callable[[grpc.RpcError], None] = lambda error: None) -> str:
        seen = ""
        async for job in aio.watch(self.stub, self.prefix + name, after_revision, SILENT, on_reconnect=lost):
            seen += f" {job.revision}"
            if closing:
                await self.close()
        return seen

    async def call(self, method: str, request: Any) -> Any:
        return await aio.call(getattr(self.stub, method), request)

    async def read(self, name: str) -> None:
        await aio.read_part(self.stub, self.prefix + name, PART, "got", SILENT)

    async def cancelled(self, begun: Awaitable[object], act: Callable[..., Any], *args: Any) -> bool:
        acting = asyncio.ensure_future(act(*args))
        await begun
        acting.cancel()
        await asyncio.wait({acting})
        return bool(acting.cancelled())

    async def cancelled_call(self) -> bool:
        begun = self.call("GetJob", api.GetJobRequest(job_id=f"{self.prefix}begun"))
        request = api.GetJobRequest(job_id=f"{self.prefix}never")
        return await self.cancelled(begun, aio.call, self.stub.GetJob, request)

    async def many(self) -> str:
        request = api.WatchJobsRequest(labels={"case": f"{self.prefix}many"})
        seen = []
        async for event in aio.watch_jobs(self.stub, request, SILENT):
            seen.append(event)
            if event.HasField("gone_job_id"):
                break
        return told_until_gone(iter(seen))

    async def stream(self, method: str, request: Any) -> list[Any]:
        return [message async for message in getattr(self.stub, method)(request)]

    async def cancelled_read(self) -> bool:
        begun = self.call("GetJob", api.GetJobRequest(job_id=f"{self.prefix}hang"))
        return await self.cancelled(begun, aio.read_part, self.stub, f"{self.prefix}hang", PART, "got")

    async def download(self, url: str) -> None:
        await aio.download(url, "got")

    async def cancelled_download(self, url: str, begun: Awaitable[object]) -> bool:
        return await self.cancelled(begun, aio.download, url, "got")


class SameTick:
    """A stub whose stream has a message in the moment in which its reader is cancelled."""

    def __init__(self) -> None:
        self.reader: asyncio.Task[None] | None = None

    def WatchJob(self, _: object) -> SameTick:
        return self

    async def read(self) -> api.WatchJobResponse:
        assert self.reader is not None
        self.reader.cancel()
        return api.WatchJobResponse(job=job_pb2.Job(revision=1))

    def cancel(self) -> None:
        pass


async def same_tick() -> None:
    async def follow() -> None:
        async for job in aio.watch(stub, "j"):
            print("tick", job.revision)
            return

    stub = SameTick()
    stub.reader = asyncio.create_task(follow())
    await asyncio.wait({stub.reader})
    if stub.reader.cancelled():
        print("tick cancelled")


async def tell(way: Blocking, url: str) -> None:
    """What becomes of the answers of tests/packages/fake.py."""
    got = pathlib.Path("got")
    got.unlink(missing_ok=True)
    print("kept" + await way.watch("kept"))
    print("next", (await way.call("Render", api.RenderRequest(request_id=f"{way.prefix}next"))).job.job_id)
    print("short" + await way.watch("short"))
    print("seen" + await way.watch("seen", after_revision=7))

    def enough(error: grpc.RpcError) -> None:
        said = error.details() or ""
        print("mute", code(error), "said" if f"said nothing for {SILENT:g} s" in said else said)
        raise Enough

    try:
        await way.watch("mute", lost=enough)
    except Enough:
        print("mute ended")
    for name in ("broken", "cut", "silent", "shifted", "changed", "dead"):
        try:
            await way.read(name)
            print(name, got.read_text())
            got.unlink()
        except grpc.RpcError as error:
            print(name, code(error))
    print("dead", (await way.call("GetJob", api.GetJobRequest(job_id=f"{way.prefix}dead"))).job.revision)
    for name in ("UNCONFIRMED", "CANCELLED"):
        try:
            pictory_jobs.must_succeed((await way.call("GetJob", api.GetJobRequest(job_id=name))).job)
        except pictory_jobs.JobFailed as failed:
            print(failed)
    if await way.cancelled_read():
        print("hang cancelled, left", left())
    taken = []
    for name in ("open", "refused"):
        try:
            await way.call("Render", api.RenderRequest(request_id=way.prefix + name))
        except grpc.RpcError as error:
            taken.append(f"{name} {str(pictory_jobs.may_have_been_taken(error)).lower()}")
    if await way.cancelled_call():
        print("never cancelled")
    print("many" + await way.many())
    for method in api.DESCRIPTOR.services_by_name["PictoryJobs"].methods:
        asked: Any = message_factory.GetMessageClass(method.input_type)()
        if "request_id" in method.input_type.fields_by_name:
            asked.request_id = "all"
        await (way.stream if method.server_streaming else way.call)(method.name, asked)
    for name in ("closing", "closed"):
        try:
            await way.watch("mute", closing=True)
        except grpc.RpcError as error:
            print(name, "ended" if "channel is closed" in (error.details() or "") else error)
    print("\n".join(taken))
    first = asyncio.ensure_future(way.download(f"{url}/first"))
    await way.download(f"{url}/second")
    await asyncio.to_thread(pictory_jobs.download, f"{url}/go", "went")
    await first
    print("two", got.read_text(), "left", left())
    got.unlink()
    begun = asyncio.to_thread(pictory_jobs.download, f"{url}/begun", "went")
    if await way.cancelled_download(f"{url}/stuck", begun):
        print("stuck cancelled", end="")


async def secure(way: Blocking) -> None:
    print("secure", (await way.call("GetJob", api.GetJobRequest())).job.job_id)


async def tell_async(address: str, url: str) -> None:
    channel, stub = aio.connect(address)
    await tell(Several(stub, channel.close, "again-"), url)


async def secure_async(address: str, credentials: grpc.ChannelCredentials) -> None:
    channel = grpc.aio.secure_channel(address, credentials, options=channel_options())
    async with channel:
        await secure(Several(rpc.PictoryJobsStub(channel), channel.close))


def interrupted(stub: Any) -> None:
    """Ctrl-C while a call blocks the main thread."""
    def interrupt() -> None:
        stub.GetJob(api.GetJobRequest(job_id="again-again-begun"))
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    began = time.monotonic()
    try:
        pictory_jobs.call(stub.GetJob, api.GetJobRequest(job_id="again-again-never"))
    except KeyboardInterrupt:
        print("interrupted" if time.monotonic() - began < AT_ONCE else "interrupted late")


def main() -> None:
    gateway, hole, url, stuck, failed, fake, secure_address, authority = sys.argv[1:]
    channel, stub = pictory_jobs.connect(gateway)
    try:
        pictory_jobs.call(stub.Render, api.RenderRequest(preview_job_id="j"))
    except ValueError:
        print("refused")
    try:
        pictory_jobs.must_succeed(stub.GetJob(api.GetJobRequest(job_id=failed)).job)
    except pictory_jobs.JobFailed as error:
        print(error)
    _, nobody = pictory_jobs.connect(hole)
    print("hole", ended(lambda: list(pictory_jobs.watch(nobody, "j", silence=SILENCE, patience=PATIENCE))))
    lost: list[grpc.RpcError] = []

    def count(error: grpc.RpcError) -> None:
        lost.append(error)
        if len(lost) == 2:
            raise Enough

    try:
        for job in pictory_jobs.watch(stub, stuck, silence=SILENCE, on_reconnect=count):
            assert job.job_id == stuck
    except Enough:
        print("silent lost", len(lost))
    print("download", file(f"{url}/silent"))
    print("halves", file(f"{url}/halves"), file(f"{url}/halves"))
    asyncio.run(several(gateway, hole, stuck))
    asyncio.run(same_tick())
    channel, stub = pictory_jobs.connect(fake)
    interrupted(stub)
    asyncio.run(tell(Blocking(stub, channel.close), url))
    print(", left", left())
    credentials = grpc.ssl_channel_credentials(pathlib.Path(authority).read_bytes())
    with grpc.secure_channel(secure_address, credentials, options=channel_options()) as safe:
        asyncio.run(secure(Blocking(rpc.PictoryJobsStub(safe), safe.close)))
    asyncio.run(secure_async(secure_address, credentials))
    asyncio.run(tell_async(fake, f"{url}/again"))
    print(", left", left())


main()

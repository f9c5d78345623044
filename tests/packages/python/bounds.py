"""Prints what becomes of calls that must not be sent, jobs that failed, and servers that say nothing.

    bounds.py GATEWAY HOLE URL STUCK FAILED     (tests/packages/run says what they are)
"""

import asyncio
import pathlib
import sys
from collections.abc import Callable

import grpc

import pictory_jobs
from pictory.jobs.v1 import pictory_jobs_pb2 as api
from pictory_jobs import aio

SILENCE, PATIENCE = 0.5, 1.5


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


def main() -> None:
    gateway, hole, url, stuck, failed = sys.argv[1:]
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


main()

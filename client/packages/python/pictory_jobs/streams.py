"""What watches and reads have in common: streams that end when they say nothing, and when their caller says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any

import grpc
import grpc.aio

from .errors import Ended, Lost
from .patience import Stop

EARLY = "the stream ended before all was said"
CLOSED = "the channel is closed; the job goes on"


def silent(seconds: float) -> Lost:
    return Lost(f"the stream said nothing for {seconds:g} s")


def messages(method: Any, request: Any, silence: float, stop: Stop) -> Generator[Any, None, None]:
    """Those of one stream. It is cancelled when it says nothing for so long, by `stop`, and with this iterator."""
    try:
        stream = method(request)
    except ValueError:
        raise Ended(CLOSED) from None
    try:
        with stop.ending(stream.cancel):
            while message := next_within(silence, stream):
                yield message
    except grpc.RpcError:
        stop.check()
        raise
    finally:
        stream.cancel()


def next_within(seconds: float, stream: Any) -> Any:
    """The next message of a stream, None at its end."""
    late = threading.Event()

    def end() -> None:
        late.set()
        stream.cancel()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        return next(stream, None)
    except grpc.RpcError:
        if late.is_set():
            raise silent(seconds) from None
        raise
    finally:
        timer.cancel()


async def messages_async(method: Any, request: Any, silence: float) -> AsyncGenerator[Any, None]:
    """The same for asyncio. What cancels the task ends it."""
    try:
        stream = method(request)
    except grpc.aio.UsageError:
        raise Ended(CLOSED) from None
    try:
        while message := await next_within_async(silence, stream):
            yield message
    finally:
        stream.cancel()


async def next_within_async(seconds: float, stream: Any) -> Any:
    """asyncio.wait_for would lose a cancellation that comes together with a message (Python 3.10 and 3.11)."""
    read = asyncio.ensure_future(stream.read())
    try:
        done, _ = await asyncio.wait({read}, timeout=seconds)
    finally:
        if not read.done():
            stream.cancel()
            read.cancel()
    if not done:
        raise silent(seconds)
    if read.cancelled():  # and not this task
        raise Ended(CLOSED)
    return read.result()

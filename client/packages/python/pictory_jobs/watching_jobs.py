"""The resuming watch of many jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .errors import Lost
from .patience import PATIENCE_SECONDS, SILENCE_SECONDS, Patience, Stop
from .streams import EARLY, messages


def watch_jobs(stub: Any, request: api.WatchJobsRequest, silence: float = SILENCE_SECONDS,
               patience: float = PATIENCE_SECONDS,
               on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None,
               stop: Stop | None = None) -> Iterator[api.WatchJobsResponse]:
    """Yields the events of all jobs that fit the request, without heartbeats: first a list, then each change. It does
    not end by itself.

    Broken connections and restarts of the gateway are bridged for as long as `patience`, in seconds, without a word;
    `on_reconnect` hears of them. Jobs may come again then; their `revision` tells. To go on where another process
    stopped, put the `resume_token` of the last event that it has dealt with into the request. `stop` ends it from
    another thread, with CANCELLED, and so does closing the channel.
    """
    failing, stop = Patience(patience), stop or Stop()
    asked = api.WatchJobsRequest()
    asked.CopyFrom(request)
    while True:
        try:
            with contextlib.closing(messages(stub.WatchJobs, asked, silence, stop)) as events:
                for event in events:
                    failing.heard()
                    asked.resume_token = event.resume_token
                    if not event.HasField("heartbeat"):
                        yield event
            raise Lost(EARLY)  # the gateway ends no such stream well, but a proxy may
        except grpc.RpcError as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            stop.wait(pause)

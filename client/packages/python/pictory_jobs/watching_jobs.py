"""The resuming watch of many jobs."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .errors import retry_after
from .watching import SILENCE_SECONDS, _next_within


def watch_jobs(stub: Any, request: api.WatchJobsRequest, silence: float = SILENCE_SECONDS, patience: float = 600,
               on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None) -> Iterator[api.WatchJobsResponse]:
    """Yields the events of all jobs that fit the request, without heartbeats: first a list, then each change. It does
    not end by itself.

    Broken connections and restarts of the gateway are bridged for as long as `patience`, in seconds, without a word;
    `on_reconnect` hears of them. Jobs may come again then; their `revision` tells. To go on where another process
    stopped, put the `resume_token` of the last event that it has dealt with into the request.
    """
    asked = api.WatchJobsRequest()
    asked.CopyFrom(request)
    failures, broke = 0, 0.0
    while True:
        stream = stub.WatchJobs(asked)
        try:
            while event := _next_within(silence, stream):
                failures = 0
                asked.resume_token = event.resume_token
                if not event.HasField("heartbeat"):
                    yield event
            pause: float | None = 0.0  # the gateway ends no such stream well, but a proxy may
        except grpc.RpcError as error:
            pause = retry_after(error, failures)
            broke = broke if failures else time.monotonic()
            if pause is None or time.monotonic() + pause > broke + patience:
                raise
            failures += 1
            on_reconnect(error)
        finally:
            stream.cancel()
        time.sleep(pause)

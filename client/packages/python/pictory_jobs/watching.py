"""The resuming watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .errors import Lost
from .patience import PATIENCE_SECONDS, SILENCE_SECONDS, Patience, Stop
from .results import is_final
from .streams import EARLY, messages


def watch(stub: Any, job_id: str, after_revision: int = 0, silence: float = SILENCE_SECONDS,
          patience: float = PATIENCE_SECONDS,
          on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None,
          stop: Stop | None = None) -> Iterator[job_pb2.Job]:
    """Yields the present state of the job and each newer one; the last one is final.

    A reader slower than the job misses states in between, never the last one. Broken connections and restarts of the
    gateway are bridged for as long as `patience`, in seconds, without a word; `on_reconnect` hears of them. To go on
    where another process stopped, give the `revision` it saw last; nothing comes if that is the final one. `stop` ends it
    from another thread, with CANCELLED, and so does closing the channel.
    """
    failing, stop = Patience(patience), stop or Stop()
    known = after_revision > 0  # and nothing came yet
    while True:
        request = api.WatchJobRequest(job_id=job_id, after_revision=after_revision)
        try:
            with contextlib.closing(messages(stub.WatchJob, request, silence, stop)) as events:
                for event in events:
                    failing.heard()
                    known = False
                    if event.HasField("job"):  # otherwise a heartbeat: nothing new
                        after_revision = event.job.revision
                        yield event.job
                        if is_final(event.job.state):
                            return
            if known:  # that one was final
                return
            raise Lost(EARLY)
        except grpc.RpcError as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            stop.wait(pause)

"""The resuming watch, and the bound on silence."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api

from .patience import PATIENCE_SECONDS, SILENCE_SECONDS, Patience


def watch(stub: Any, job_id: str, after_revision: int = 0, silence: float = SILENCE_SECONDS,
          patience: float = PATIENCE_SECONDS,
          on_reconnect: Callable[[grpc.RpcError], None] = lambda error: None) -> Iterator[job_pb2.Job]:
    """Yields the present state of the job and each newer one; the last one is final.

    A reader slower than the job misses states in between, never the last one. Broken connections and restarts of the
    gateway are bridged for as long as `patience`, in seconds, without a word; `on_reconnect` hears of them. To go on
    where another process stopped, give the `revision` it saw last.
    """
    failing = Patience(patience)
    while True:
        stream = stub.WatchJob(api.WatchJobRequest(job_id=job_id, after_revision=after_revision))
        try:
            while event := next_within(silence, stream):
                failing.heard()
                if event.HasField("job"):  # otherwise a heartbeat: nothing new
                    after_revision = event.job.revision
                    yield event.job
            return  # the gateway ends a stream so only after the final state
        except grpc.RpcError as error:
            pause = failing.pause_after(error)
            on_reconnect(error)
            time.sleep(pause)
        finally:
            stream.cancel()


def next_within(seconds: float, stream: Any) -> Any:
    """The next message of a stream, None at its end. One that says nothing for so long is cancelled."""
    timer = threading.Timer(seconds, stream.cancel)
    timer.daemon = True
    timer.start()
    try:
        return next(stream, None)
    finally:
        timer.cancel()

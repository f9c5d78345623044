"""How long the package waits, and for what."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import grpc

from . import errors

SILENCE_SECONDS = 75.0  # of a stream or a download; the gateway sends a watch a heartbeat every 25 s
PATIENCE_SECONDS = 600.0
KEEPALIVE_SECONDS, KEEPALIVE_ANSWER_SECONDS = 30, 10
ATTEMPTS = 5


class Stop:
    """Ends the watch, read or download that was given it, from any thread, with CANCELLED."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._ends: list[Callable[[], object]] = []

    def set(self) -> None:
        with self._lock:
            self._set.set()
            for end in self._ends:
                end()

    def is_set(self) -> bool:
        return self._set.is_set()

    def check(self) -> None:
        if self._set.is_set():
            raise errors.Ended("stopped by its caller; the job goes on")

    def wait(self, seconds: float) -> None:
        self._set.wait(seconds)
        self.check()

    @contextlib.contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """Meanwhile, `end` is what it does."""
        with self._lock:
            self._ends.append(end)
        try:
            if self._set.is_set():
                end()
            yield
        finally:
            with self._lock:
                self._ends.remove(end)


class Patience:
    """Counts the failures since the gateway was heard last, and ends when they are too many or last too long."""

    def __init__(self, seconds: float = PATIENCE_SECONDS, attempts: float = float("inf")) -> None:
        self._seconds, self._attempts = seconds, attempts
        self.heard()

    def heard(self) -> None:
        self._failures, self._broke = 0, 0.0

    def pause_after(self, error: grpc.RpcError) -> float:
        """The seconds after which to try again. Raises the error instead where that does not help, or not any more."""
        pause = errors.retry_after(error, self._failures)
        self._broke = self._broke if self._failures else time.monotonic()
        self._failures += 1
        if isinstance(error, errors.Ended) or pause is None:
            raise error
        if self._failures >= self._attempts or time.monotonic() + pause > self._broke + self._seconds:
            raise error
        return pause

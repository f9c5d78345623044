"""How long the package waits, and for what."""

from __future__ import annotations

import time

import grpc

from . import errors

SILENCE_SECONDS = 75.0  # of a stream or a download; the gateway sends a watch a heartbeat every 25 s
PATIENCE_SECONDS = 600.0
KEEPALIVE_SECONDS, KEEPALIVE_ANSWER_SECONDS = 30, 10
ATTEMPTS = 5


class Patience:
    """Counts the failures since the gateway was heard last, and ends when they are too many or last too long."""

    def __init__(self, seconds: float = PATIENCE_SECONDS, attempts: float = float("inf")) -> None:
        self._seconds, self._attempts = seconds, attempts
        self.heard()

    def heard(self) -> None:
        self._failures, self._broke = 0, 0.0

    def pause_after(self, error: Exception) -> float:
        """The seconds after which to try again. Raises the error instead where that does not help, or not any more. A
        stream that says nothing ends with a TimeoutError, or with a CANCELLED that is ours."""
        pause = errors.retry_after(error, self._failures) if isinstance(error, grpc.RpcError) else 0.0
        self._broke = self._broke if self._failures else time.monotonic()
        self._failures += 1
        if pause is None or self._failures >= self._attempts or time.monotonic() + pause > self._broke + self._seconds:
            raise error
        return pause

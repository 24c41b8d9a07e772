"""The workspace's time: the machine's, or one that a test moves by hand. Unix seconds, UTC."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Tells the time and how long to really wait for a moment of it."""

    def now_seconds(self) -> float:
        """Seconds since 1970-01-01 UTC."""

    def seconds_to_wait(self, until_seconds: float) -> float | None:
        """How long a thread should sleep for that moment; None: until somebody wakes it."""

    def on_change(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever the time jumps."""


class SystemClock:
    """The machine's clock."""

    def now_seconds(self) -> float:
        return time.time()

    def seconds_to_wait(self, until_seconds: float) -> float | None:
        return max(0.0, until_seconds - time.time())

    def on_change(self, wake: Callable[[], None]) -> None:
        """It never jumps, so nobody needs waking."""


class HandClock:
    """Stands still until `advance` is called, so that windows of minutes pass in no time."""

    def __init__(self, start_seconds: float = 1_765_375_320.0) -> None:
        self._now_seconds = start_seconds
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []

    def now_seconds(self) -> float:
        with self._lock:
            return self._now_seconds

    def seconds_to_wait(self, until_seconds: float) -> float | None:
        return 0.0 if until_seconds <= self.now_seconds() else None

    def on_change(self, wake: Callable[[], None]) -> None:
        self._wakers.append(wake)

    def advance(self, seconds: float) -> None:
        """Move the time forward and wake whoever waits for it."""
        if seconds < 0:
            raise ValueError("time only goes forward")
        with self._lock:
            self._now_seconds += seconds
        for wake in self._wakers:
            wake()

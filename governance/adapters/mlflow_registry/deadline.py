"""One call of the port ends in its time, whatever the server does. Knows nothing of MLflow.

A time-out of a request is no bound: one call makes several requests, and a server that sends a
byte now and then never runs into it. So a call works in a thread of its own, which is left behind
when the time is over. What was left behind begins no further request: it asks
`verify_time_left` before each.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from governance.domain.errors import Unavailable

Found = TypeVar("Found")

_answered_at: contextvars.ContextVar[float | None] = contextvars.ContextVar(
    "answered_at", default=None
)
_ends_at: contextvars.ContextVar[float | None] = contextvars.ContextVar("ends_at", default=None)


def too_late() -> Unavailable:
    """The time of a call is over."""
    return Unavailable(
        "registry_unavailable",
        "MLflow answers too slowly. If this lasts, the platform team has to look at the MLflow "
        "server.",
    )


def within(seconds: float, work: Callable[[], Found]) -> Found:
    """Return what `work` returns, or raise what it raises.

    Raises:
        Unavailable: `registry_unavailable` after `seconds`. A request that is under way then may
            still be carried out by the server: after a write, read.
    """
    if _ends_at.get() is not None:  # a call inside a call has that one's time
        return work()
    answered_at = _answered_at.get()
    if answered_at is not None:
        seconds = min(seconds, max(0.0, answered_at - time.monotonic()))
    task = _Task(work)
    around = contextvars.copy_context()
    around.run(_ends_at.set, time.monotonic() + seconds)
    # A daemon, so that a silent server does not keep the process from ending.
    threading.Thread(target=around.run, args=(task.run,), name=THREAD_NAME, daemon=True).start()
    if not task.done.wait(seconds):
        raise too_late()
    return task.result()


@contextmanager
def together(seconds: float) -> Iterator[None]:
    """Every call of `within` in this block ends within the same `seconds`: a person waits for the
    answer to all of them."""
    if _answered_at.get() is not None:  # a block inside a block has that one's time
        yield
        return
    token = _answered_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _answered_at.reset(token)


def verify_time_left() -> None:
    """Raise Unavailable when the call that this thread works for was given up."""
    ends_at = _ends_at.get()
    if ends_at is not None and time.monotonic() >= ends_at:
        raise too_late()


THREAD_NAME = "foureyes-mlflow"


class _Task(Generic[Found]):
    """What the thread does, and what became of it."""

    def __init__(self, work: Callable[[], Found]) -> None:
        self._work = work
        self._found: list[Found] = []
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._found.append(self._work())
        except BaseException as error:  # raised again where the call was made
            self._error = error
        finally:
            self.done.set()

    def result(self) -> Found:
        if self._error is not None:
            raise self._error
        return self._found[0]

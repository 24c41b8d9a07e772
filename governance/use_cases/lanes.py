"""Looks in threads, so that a slow one holds up nobody else's.

Looks of one address share a quick lane. Whoever takes long there is looked at in the slow lane of
that address from then on, until a look of it was quick again; and while one takes long, whatever
waits behind it goes on in new threads. Knows what a look is called, and not what it does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import NamedTuple

from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName

_log = logging.getLogger("foureyes.watch")

SLOW_SECONDS = 5.0
"""Whoever takes longer is slow."""
WIDTH = 4
"""Looks at once in one lane: a slow table does not hold up its whole database."""


class Where(NamedTuple):
    """One model at one address: looked at by one thread at a time."""

    model: ModelName
    address: str


@dataclass(kw_only=True)
class _Begun:
    look: Callable[[], None]
    lane: str
    pool: ThreadPoolExecutor | None = None
    future: Future[None] | None = None
    running_since: float | None = None

    @property
    def is_over(self) -> bool:
        return self.future is not None and self.future.done()


class Lanes:
    """The threads of one process. A thread keeps its connections from look to look."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        """`elapsed` counts seconds on a monotonic clock. No thread is begun yet."""
        self._elapsed = elapsed
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._begun: dict[Where, _Begun] = {}
        self._slow: set[Where] = set()
        self._is_stopped = False
        self._lock = Lock()

    def busy(self) -> frozenset[Where]:
        """Where a look waits or runs: no second one is begun beside it."""
        with self._lock:
            return frozenset(where for where, begun in self._begun.items() if not begun.is_over)

    def begin(self, where: Where, look: Callable[[], None]) -> bool:
        """Look in the lane of the address; False once they are stopped."""
        with self._lock:
            if self._is_stopped:
                return False
            slow = " slow" if where in self._slow else ""
            self._submit(where, _Begun(look=look, lane=f"{where.address}{slow}"))
            return True

    def make_way(self) -> None:
        """Let what waits behind a look that takes long go on beside it."""
        with self._lock:
            if self._is_stopped:
                return
            late = self._elapsed() - SLOW_SECONDS
            for where, begun in tuple(self._begun.items()):
                since = begun.running_since
                if begun.is_over or where in self._slow or since is None or since >= late:
                    continue
                self._slow.add(where)
                if self._pools.get(begun.lane) is begun.pool:
                    self._leave_behind(begun.lane)

    def stop(self) -> None:
        """Begin nothing new; what waits is dropped, and what runs is left to itself."""
        with self._lock:
            self._is_stopped = True
            for pool in self._pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    def is_idle(self, patience: timedelta) -> bool:
        """Wait for what waits and runs; False when something still does after `patience`."""
        with self._lock:
            futures = {b.future for b in self._begun.values() if b.future and not b.is_over}
        return not wait(futures, timeout=patience.total_seconds()).not_done

    def _leave_behind(self, lane: str) -> None:
        """What runs in a lane ends where it is; what waits there gets new threads."""
        pool = self._pools.pop(lane)
        pool.shutdown(wait=False)
        for where, begun in self._begun.items():
            if begun.pool is pool and begun.future is not None and begun.future.cancel():
                self._submit(where, begun)

    def _submit(self, where: Where, begun: _Begun) -> None:
        pool = self._pools.get(begun.lane)
        if pool is None:
            pool = ThreadPoolExecutor(WIDTH, thread_name_prefix=f"watch-{begun.lane}")
            self._pools[begun.lane] = pool
        self._begun[where] = begun
        begun.pool = pool
        begun.future = pool.submit(self._run, where, begun)

    def _run(self, where: Where, begun: _Begun) -> None:
        began = begun.running_since = self._elapsed()
        try:
            begun.look()
        except FoureyesError as problem:
            _log.warning("looking at %s: %s: %s", where.model, problem.code, problem.sentence)
        except Exception:  # a defect with one model must not end its lane unseen
            _log.exception("looking at %s broke", where.model)
        with self._lock:
            if self._elapsed() - began > SLOW_SECONDS:
                self._slow.add(where)
            else:
                self._slow.discard(where)

"""Requests of several models are carried out beside each other: one whose files take long to read
holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from datetime import timedelta
from threading import Lock, Thread

from governance.domain.approval import RequestId
from governance.domain.evidence import ModelName
from governance.use_cases.reconcile import Tick, attempt, begin_push
from governance.use_cases.world import World

_WAITED_FOR = timedelta(seconds=5)
_AT_ONCE = 8


class Pushing:
    """The hands of one process. What runs longer than a tick is left to run, and its model is not
    begun again beside it; a daemon, so that it keeps no process from ending."""

    def __init__(self, world: World, *, waited_for: timedelta = _WAITED_FOR) -> None:
        self._world = world
        self._waited_for = waited_for
        self._running: dict[ModelName, Future[Tick]] = {}
        self._lock = Lock()

    def tick(self) -> Tick:
        """As `reconcile.push_on`; what was still running at the end is told by a later tick."""
        tick = Tick()
        begun: list[Future[Tick]] = []
        with tick.carrying_on():
            for model, requests in begin_push(self._world, tick).items():
                begun += self._begin(model, requests)
        wait(begun, timeout=self._waited_for.total_seconds())
        for done in self._take_done():
            tick.finished += done.finished
            tick.problems += done.problems
        return tick

    def is_idle(self, patience: timedelta) -> bool:
        """Wait for what runs; False when something still does after `patience`."""
        with self._lock:
            running = list(self._running.values())
        return not wait(running, timeout=patience.total_seconds()).not_done

    def _begin(self, model: ModelName, requests: Sequence[RequestId]) -> list[Future[Tick]]:
        with self._lock:
            if model in self._running or len(self._running) >= _AT_ONCE:
                return []
            future: Future[Tick] = Future()
            self._running[model] = future

        def work() -> None:
            done = Tick()
            try:
                for request_id in requests:
                    with done.carrying_on():
                        attempt(self._world, request_id, done)
            finally:
                future.set_result(done)

        Thread(target=work, name=f"foureyes-push-{model}", daemon=True).start()
        return [future]

    def _take_done(self) -> list[Tick]:
        with self._lock:
            done = {model: f.result() for model, f in self._running.items() if f.done()}
            for model in done:
                del self._running[model]
        return list(done.values())

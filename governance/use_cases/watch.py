"""Monitors at their times: what is due is claimed and handed to a lane, and what was found is kept.

One slow source holds up no other model, and a look that died is taken up again when its lease is
over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.ports import MetricSources
from governance.use_cases.due import Due, due_monitors
from governance.use_cases.findings import look_at
from governance.use_cases.lanes import Lanes, Where
from governance.use_cases.world import World

_LEASE = timedelta(minutes=1)
"""Whoever claimed a look and died keeps others from it so long. Two looks at once do no harm: what
they remember is replayed from the data, and an alert is raised once."""


class Watch:
    """The eyes of one process."""

    def __init__(self, world: World) -> None:
        """Nothing is looked at yet."""
        self._world = world
        self._lanes = Lanes(world.elapsed)
        self._quiet: dict[MonitorKey, datetime] = {}
        self._lock = Lock()

    def tick(self) -> int:
        """Claim what is due and hand it to its lane; returns how many monitors were handed over.
        Two queries when nothing is due.

        Raises:
            Unavailable: the store.
        """
        if self._world.sources is None:
            return 0
        self._lanes.make_way()
        self.keep_quiet_looks()
        wanted = self._wanted()
        if not wanted:
            return 0
        sources = self._world.sources()
        claimed = self._claim(wanted)
        batches: dict[Where, list[tuple[Due, MonitorState]]] = {}
        for key, state in claimed.items():
            due = wanted[key]
            batches.setdefault(Where(key.model, due.address), []).append((due, state))
        for where, batch in batches.items():
            # What is not begun any more was claimed, and is taken up when the lease is over.
            self._lanes.begin(where, partial(self._look_at, batch, sources))
        return len(claimed)

    def look_now(self) -> None:
        """Look at everything that is due in this thread; for tests, the demo and commands."""
        if self._world.sources is None:
            return
        wanted = self._wanted()
        sources = self._world.sources()
        claimed = self._claim(wanted)
        for model in sorted({key.model for key in claimed}):
            batch = [(wanted[k], state) for k, state in claimed.items() if k.model == model]
            self._look_at(batch, sources)
        self.keep_quiet_looks()

    def keep_quiet_looks(self) -> None:
        """Looks that found what was found before, kept together."""
        with self._lock:
            quiet, self._quiet = self._quiet, {}
        if not quiet:
            return
        with self._world.store.transaction() as tx:
            tx.save_quiet_looks(quiet)

    def stop(self) -> None:
        """Begin nothing new; what runs is taken up after its lease when it is cut off."""
        self._lanes.stop()

    def is_idle(self, patience: timedelta) -> bool:
        """Wait for the looks that run; False when one still runs after `patience`."""
        return self._lanes.is_idle(patience)

    def _claim(self, wanted: Mapping[MonitorKey, Due]) -> Mapping[MonitorKey, MonitorState]:
        with self._world.store.transaction() as tx:
            return tx.claim_looks({key: due.wanted for key, due in wanted.items()}, _LEASE)

    def _wanted(self) -> Mapping[MonitorKey, Due]:
        rules = self._world.rules.current()
        with self._world.store.read() as tx:
            now = tx.now
            due = due_monitors(rules, tx.in_production())
            if not due:
                return {}
            looks = tx.looks()
        # A look that takes longer than its lease is not begun a second time beside itself.
        busy = self._lanes.busy()
        return {
            d.key: d
            for d in due
            if Where(d.key.model, d.address) not in busy
            and (
                (known := looks.get(d.key)) is None or d.wanted.is_due(known, now=now, lease=_LEASE)
            )
        }

    def _look_at(self, batch: Sequence[tuple[Due, MonitorState]], sources: MetricSources) -> None:
        quiet = look_at(self._world, sources, batch)
        with self._lock:
            self._quiet.update(quiet)

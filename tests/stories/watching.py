"""A desk whose model is watched: applicants arrive in a real database, with or without a fault."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, current_thread

import pytest

from governance.adapters.metric_sources import IbisSources
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.alert import Alert
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    EProcessSpec,
    FixedBaseline,
    Metric,
    MonitorSpec,
    Reminders,
    TableSource,
    Watching,
)
from governance.domain.monitoring.state import MonitorState
from governance.ports import Mark, MetricSources
from governance.use_cases import automatic
from governance.use_cases.watch import Watch
from tests.builders import MODEL, a_policy, some_rules
from tests.sources.feed import Scored, SqliteFeed, a_source
from tests.stories.desk import Desk

SOURCE: TableSource = a_source()


def a_monitor(**changes: object) -> MonitorSpec:
    """AUC against a fixed baseline of 0.8, by the e-process; rolls back."""
    spec = MonitorSpec(
        name="auc",
        metric=Metric.AUC,
        source="applications",
        baseline=FixedBaseline(value=0.8, goods=7000, bads=3000),
        rule=EProcessSpec(tolerance=0.01, alpha=0.01),
        bad=Bad.FALLS,
        every=timedelta(minutes=5),
        then=Action.ROLL_BACK,
    )
    return replace(spec, **changes)  # type: ignore[arg-type]  # a table of changes


@dataclass
class WatchedDesk:
    """v4 was promoted at the beginning; v3 is the version before."""

    desk: Desk
    feed: SqliteFeed
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    applicants: list[Scored] = field(default_factory=list)

    def watched_by(self, *monitors: MonitorSpec, reminders: Reminders | None = None) -> None:
        """Put these monitors into the policy."""
        watching = Watching(sources=(SOURCE,), monitors=monitors, reminders=reminders)
        self.desk.rules.rules = some_rules(replace(a_policy(), watching=watching))

    def arrive(self, count: int, *, auc: float, version: int = 4, approved: float = 0.5) -> None:
        """Applicants that the version scored, one a minute, each with its outcome; the scores
        separate bads from goods as well as `auc` says."""
        shift = {0.8: 0.238, 0.5: 0.0, 0.6: 0.072, 0.7: 0.148}[auc]
        for _number in range(count):
            self.desk.clock.advance(minutes=1)
            is_bad = self.dice.random() < 0.3
            score = self.dice.gauss(0.4 + (shift if is_bad else 0.0), 0.2)
            self.applicants.append(
                Scored(
                    id=f"a{len(self.applicants):06d}",
                    at=self.desk.clock.now,
                    version=version,
                    score=min(max(score, 0.0), 1.0),
                    approved=self.dice.random() < approved,
                    bad=int(is_bad),
                )
            )
        self.feed.write(self.applicants)

    def look(self) -> None:
        """What the ticker does, at the time of the next look."""
        self.desk.clock.advance(minutes=6)
        Watch(self.desk.world).look_now()

    def react(self) -> None:
        """What the ticker does every few seconds."""
        automatic.react_to_all(self.desk.world)

    def state(self, monitor: str = "auc", version: int = 4) -> MonitorState:
        """What a monitor remembers."""
        with self.desk.store.read() as tx:
            states = [s for s, _next in tx.monitor_states(MODEL)]
        return next(
            s for s in states if s.key.monitor == monitor and s.key.version == Version(version)
        )

    def alerts(self) -> tuple[Alert, ...]:
        """Those that are open."""
        with self.desk.store.read() as tx:
            return tx.open_alerts(MODEL)


def until(happened: Callable[[], bool]) -> None:
    """Wait for what other threads are to do."""
    for _time in range(600):
        if happened():
            return
        Event().wait(0.1)
    pytest.fail("it did not happen")


class CountedSources:
    """Passes on, and remembers what was asked."""

    def __init__(self, inner: MetricSources) -> None:
        self._inner = inner
        self.asked: list[str] = []

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """Whether anything came."""
        self.asked.append("mark")
        return self._inner.mark(source, model, version)

    def __getattr__(self, name: str) -> Callable[..., object]:
        asked: Callable[..., object] = getattr(self._inner, name)

        def ask(*arguments: object, **named: object) -> object:
            self.asked.append(name)
            return asked(*arguments, **named)

        return ask


class SlowSources(CountedSources):
    """The sources of some models do not answer until they are let."""

    def __init__(self, inner: MetricSources, *slow: ModelName) -> None:
        super().__init__(inner)
        self._slow = slow
        self.let = Event()
        self.waiting: set[ModelName] = set()
        self.threads: dict[ModelName, str] = {}
        """In which thread each model was looked at last."""

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """Blocks for these."""
        self.threads[model] = current_thread().name
        if model in self._slow and not self.let.is_set():
            self.waiting.add(model)
            assert self.let.wait(timeout=120)
        return self._inner.mark(source, model, version)


class BrokenSources(CountedSources):
    """Nothing is answered while there is a problem."""

    problem: str = ""

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """Passes it on, or does not answer."""
        self._refuse()
        return super().mark(source, model, version)

    def __getattr__(self, name: str) -> Callable[..., object]:
        self._refuse()
        return super().__getattr__(name)

    def _refuse(self) -> None:
        if self.problem:
            raise Unavailable("source_unavailable", f"It cannot be read: {self.problem}.")


@pytest.fixture
def watched(desk: Desk, tmp_path: Path) -> Iterator[WatchedDesk]:
    """A desk of each database, whose model's applicants are in an SQLite file of the bank's."""
    feed = SqliteFeed(tmp_path)
    feed.write([])
    sources = IbisSources(feed.environ)
    desk.sources = lambda: sources
    desk.promoted()
    found = WatchedDesk(desk=desk, feed=feed)
    found.watched_by(a_monitor())
    yield found
    sources.close()

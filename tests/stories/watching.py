"""A desk whose model is watched: applicants arrive in a real database, with or without a fault."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from governance.adapters.metric_sources import IbisSources
from governance.domain.evidence import Version
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

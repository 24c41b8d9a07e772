"""What watching needs of the world: tables of predictions, what is served, and who is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import TableSource


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The place of a prediction in the order (moment, id); everything up to it was read."""

    at: datetime
    id: str
    """The id as text; ties of `at` are ordered by it, as text."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What is there of one version: equal marks mean that nothing has arrived or was corrected."""

    predictions: int
    newest: datetime | None
    """When the newest of them was scored."""
    outcomes: int
    """Joined to predictions of this version; 0 for a source without outcomes."""
    newest_with_outcome: datetime | None
    """When the newest prediction that has an outcome was scored."""
    checksum: int
    """Over scores and outcomes: what was put right in place shows here."""


@dataclass(frozen=True, kw_only=True)
class DayCounts:
    """Counts by score of the predictions of one UTC day."""

    day: date
    counts: ScoreCounts


@dataclass(frozen=True, kw_only=True)
class Matured:
    """One prediction with its outcome."""

    cursor: Cursor
    score: float
    is_bad: bool


@dataclass(frozen=True, kw_only=True)
class MaturedPage:
    """Some of them, in order."""

    rows: Sequence[Matured]
    waits: bool
    """Whether it ends before a prediction whose outcome is waited for."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One prediction, with or without an outcome."""

    cursor: Cursor
    score: float
    approved: bool | None
    """None for a source without such a column: then the decision threshold tells."""


class MetricSources(Protocol):
    """Predictions and outcomes, in whatever engine holds them. Only ever read.

    A range is half open: `since <= at < until`; None leaves that end open. All moments are
    aware, UTC. Every call answers for one version alone, or raises:

    Unavailable `source_unavailable`: it does not answer in time, its address is not set, or a
    table is gone. Refused `source_wrong`: what is there cannot be believed: a column that is
    missing or of the wrong type, a score that is null or outside 0..1, an id twice, outcomes
    without predictions, an outcome that is neither good nor bad. Nothing is guessed or left out.
    """

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """What is there now; cheap enough to ask at every tick."""

    def strangers(
        self, source: TableSource, model: ModelName, version: Version, *, since: datetime
    ) -> int:
        """Predictions since then by other versions of the model, or by none that is a version."""

    def scores(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """Counts by UTC day and score bin of all predictions, whatever their outcome (all are
        counted as goods); ascending by day, days without predictions left out."""

    def outcomes(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """As `scores`, of the predictions that have an outcome, goods and bads. The caller passes
        as `until` the moment before which everything is mature."""

    def approvals(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[int, int]:
        """(approved, all) predictions in a range, by the `approved` column, which must be named
        in the source."""

    def matured_rows(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        after: Cursor | None,
        until: datetime,
        waits_since: datetime | None,
        limit: int,
    ) -> MaturedPage:
        """Predictions with outcomes, one by one, in the order of (at, id) of the prediction,
        which does not depend on the label; from after a cursor, scored before `until`.

        Stops before the first prediction scored at `waits_since` or later that has no outcome yet
        and may still get one (whoever was declined gets none): so a late outcome is not passed
        over. With None it waits for nobody.
        """

    def decisions(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        after: Cursor | None,
        until: datetime | None,
        limit: int,
    ) -> Sequence[Decided]:
        """All predictions one by one, in the same order."""


@dataclass(frozen=True, kw_only=True)
class MetricPoint:
    """One value that somebody logged to a run."""

    at: datetime
    step: int
    value: float


class Traffic(Protocol):
    """Which version is served, for whoever follows it. A rollback calls it first."""

    def serve(self, model: ModelName, version: Version) -> None:
        """From now on this version. Atomic and idempotent: a reader sees the old or the new one.
        Raises Unavailable `traffic_unwritable` or `traffic_unreadable`."""

    def serving(self, model: ModelName) -> Version | None:
        """What was written last; None for a model that was never written. Raises Unavailable."""


class ServingProbe(Protocol):
    """What the serving platform itself says."""

    def served_version(self, url: str, model: ModelName) -> Version | None:
        """The version that the platform answers at `url`, in which `{model}` stands for the
        name; None when it says that it serves none. Raises Unavailable `probe_unavailable`."""


class Webhook(Protocol):
    """An address outside that hears of alerts and transitions."""

    def send(self, event_id: str, at: datetime, body: bytes) -> None:
        """Deliver once, signed. The same `event_id` may be sent again after a failure. Raises
        Unavailable `webhook_unavailable` (try again), Refused `webhook_refused` (do not)."""

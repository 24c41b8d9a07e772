"""What several monitors of one model ask the same way is read once. Lives as long as one batch of
looks, whose moment is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import TypeVar

from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.spec import TableSource
from governance.ports import Cursor, DayCounts, Decided, Mark, MaturedPage, MetricSources

Answer = TypeVar("Answer")


class SharedReads:
    """Implements `governance.ports.MetricSources` over another; counts are kept, rows are not.
    What was refused once is asked again: each monitor says its own trouble."""

    def __init__(self, sources: MetricSources) -> None:
        self._sources = sources
        self._known: dict[Hashable, object] = {}

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """As of the other."""
        return self._sources.mark(source, model, version)

    def strangers(
        self, source: TableSource, model: ModelName, version: Version, *, since: datetime
    ) -> int:
        """As of the other, once for each moment."""
        key = ("strangers", source, model, version, since)
        return self._once(key, lambda: self._sources.strangers(source, model, version, since=since))

    def scores(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """As of the other, once for each range."""
        key = ("scores", source, model, version, since, until)
        return self._once(
            key, lambda: self._sources.scores(source, model, version, since=since, until=until)
        )

    def outcomes(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """As of the other, once for each range."""
        key = ("outcomes", source, model, version, since, until)
        return self._once(
            key, lambda: self._sources.outcomes(source, model, version, since=since, until=until)
        )

    def approvals(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[int, int]:
        """As of the other, once for each range."""
        key = ("approvals", source, model, version, since, until)
        return self._once(
            key, lambda: self._sources.approvals(source, model, version, since=since, until=until)
        )

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
        """As of the other."""
        return self._sources.matured_rows(
            source,
            model,
            version,
            after=after,
            until=until,
            waits_since=waits_since,
            limit=limit,
        )

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
        """As of the other."""
        return self._sources.decisions(
            source, model, version, after=after, until=until, limit=limit
        )

    def _once(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        if key not in self._known:
            self._known[key] = ask()
        found: Answer = self._known[key]  # type: ignore[assignment]  # stored under its own key
        return found

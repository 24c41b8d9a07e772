"""Counts and rows of one version, in whatever engine holds them. Implements
`governance.ports.MetricSources`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from ibis.expr.types import Table

from governance.adapters.metric_sources.asking import Asking
from governance.adapters.metric_sources.columns import NEITHER, aware, day_of
from governance.adapters.metric_sources.plausibility import (
    Row,
    all_rows,
    refuse_bin,
    refuse_flag,
    refuse_hidden,
    refuse_no_moment,
    refuse_strange_outcomes,
    refuse_twice,
    undecided,
    whole,
)
from governance.adapters.metric_sources.rows import Rows
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import TableSource
from governance.ports import Cursor, DayCounts, Decided, Mark, Matured, MaturedPage

Answer = TypeVar("Answer")
_FLAGS = NEITHER + 1
"""Good, bad, neither. Times the bins it fits into 16 bits."""


class IbisSources:
    """One connection for each thread and address; a broken one is opened anew."""

    def __init__(self, environ: Mapping[str, str], *, timeout_seconds: float = 30.0) -> None:
        """`environ` holds the addresses by the names that policies use. The timeout is that of one
        question, which may be several statements."""
        self._asking = Asking(environ, timeout_seconds=timeout_seconds)

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """Counts and the newest moment; nothing is checked yet."""

        def ask(rows: Rows) -> Mark:
            table = rows.with_any_outcome()
            (found,) = all_rows(
                table.aggregate(
                    n=table.count(),
                    newest=table.at.max(),
                    known=table.bad.count(),
                    newest_known=table.at.max(where=table.bad.notnull()),
                    sum=(2 * table.bin + (table.bad * (table.bin + 1)).fill_null(0)).sum(),
                )
            )
            return Mark(
                predictions=whole(found["n"]),
                newest=_moment(found["newest"]),
                outcomes=whole(found["known"]),
                newest_with_outcome=_moment(found["newest_known"]),
                checksum=whole(found["sum"]),
            )

        return self._ask(source, model, version, ask)

    def strangers(
        self, source: TableSource, model: ModelName, version: Version, *, since: datetime
    ) -> int:
        """Rows that are not of this version."""

        def ask(rows: Rows) -> int:
            table = rows.between(rows.of_others(), since, None)
            return whole(all_rows(table.aggregate(n=table.count()))[0]["n"])

        return self._ask(source, model, version, ask)

    def scores(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """By day and bin, all as goods."""

        def ask(rows: Rows) -> tuple[DayCounts, ...]:
            return _count(rows, rows.between(rows.predictions(), since, until))

        return self._ask(source, model, version, ask)

    def outcomes(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[DayCounts, ...]:
        """By day and bin, goods and bads."""

        def ask(rows: Rows) -> tuple[DayCounts, ...]:
            counted = _count(rows, rows.between(rows.with_outcomes(), since, until), labelled=True)
            refuse_strange_outcomes(rows)
            return counted

        return self._ask(source, model, version, ask)

    def approvals(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> tuple[int, int]:
        """(approved, all)."""

        def ask(rows: Rows) -> tuple[int, int]:
            if source.predictions.approved is None:
                raise Refused(
                    "source_wrong",
                    f"The source {source.name} names no column `approved`. The owner of the policy "
                    "has to add it.",
                )
            table = rows.between(rows.predictions(), since, until)
            (found,) = all_rows(
                table.aggregate(
                    n=table.count(),
                    approved=table.approved.sum(),
                    decided=table.approved.isin([0, 1]).sum(),
                    moments=table.at.count(),
                )
            )
            count = whole(found["n"])
            if whole(found["moments"]) != count:
                refuse_no_moment(rows)
            if whole(found["decided"]) != count:
                raise undecided(rows)
            refuse_twice(rows, table, count)
            return whole(found["approved"]), count

        return self._ask(source, model, version, ask)

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
        """One by one, in the order of the predictions, up to one that is waited for."""

        def ask(rows: Rows) -> MaturedPage:
            table = rows.between(rows.with_outcomes(), None, until)
            waits = False
            if waits_since is not None:
                late = rows.between(rows.waited_for(), waits_since, until)
                for first in all_rows(rows.page(late, after, 1)):
                    table, waits = rows.before(table, _cursor(first)), True
            found = _page(rows, table, after, limit)
            refuse_flag(rows, max((whole(r["bad"]) for r in found), default=None))
            refuse_strange_outcomes(rows)
            return MaturedPage(
                rows=tuple(
                    Matured(cursor=_cursor(r), score=_score(rows, r), is_bad=r["bad"] == 1)
                    for r in found
                ),
                waits=waits,
            )

        return self._ask(source, model, version, ask)

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
        """One by one, whatever their outcome."""

        def ask(rows: Rows) -> Sequence[Decided]:
            found = _page(rows, rows.between(rows.predictions(), None, until), after, limit)
            return tuple(
                Decided(cursor=_cursor(r), score=_score(rows, r), approved=_approved(rows, r))
                for r in found
            )

        return self._ask(source, model, version, ask)

    def close(self) -> None:
        """Let this thread's connections go."""
        self._asking.close()

    def _ask(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        ask: Callable[[Rows], Answer],
    ) -> Answer:
        return self._asking.ask(
            source, lambda connection: ask(Rows(connection, source, model, version))
        )


# --- counting -------------------------------------------------------------------------------------


def _count(rows: Rows, table: Table, *, labelled: bool = False) -> tuple[DayCounts, ...]:
    """One pass over the rows: counts, and with them all that is wrong but a repeated id."""
    flag = table.bad if labelled else 0
    # One small number for bin and flag: engines count by that in less time than by two.
    placed = table.mutate(place=(table.bin * _FLAGS + flag).cast("int16"))
    found = placed.group_by("day", "place").aggregate(n=lambda t: t.count()).to_pyarrow()
    days, places, counts = (found[name].to_pylist() for name in ("day", "place", "n"))
    if None in days:
        refuse_no_moment(rows)
    seen = set(places)
    refuse_bin(rows, min(seen, default=0) // _FLAGS)
    if labelled:
        refuse_flag(rows, max((place % _FLAGS for place in seen), default=None))
    refuse_twice(rows, table, sum(counts))
    return _days(zip(days, places, counts, strict=True))


def _days(counted: Iterable[tuple[object, int, int]]) -> tuple[DayCounts, ...]:
    """Goods and bads of each day, from rows of (day, place, count)."""
    found: dict[object, tuple[dict[int, int], dict[int, int]]] = {}
    for day, place, count in counted:
        both = found.get(day)
        if both is None:
            both = found[day] = ({}, {})
        position, flag = divmod(place, _FLAGS)
        both[flag][position] = count
    return tuple(
        sorted(
            (
                DayCounts(day=day_of(day), counts=ScoreCounts(goods=goods, bads=bads))
                for day, (goods, bads) in found.items()
            ),
            key=lambda counts: counts.day,
        )
    )


# --- one by one -----------------------------------------------------------------------------------


def _page(rows: Rows, table: Table, after: Cursor | None, limit: int) -> Sequence[Row]:
    page = rows.page(table, after, limit)
    found = all_rows(page)
    refuse_hidden(rows, table, page)
    return found


def _moment(value: object) -> datetime | None:
    return None if value is None else aware(value)


def _cursor(row: Row) -> Cursor:
    return Cursor(at=aware(row["at"]), id=str(row["id"]))


def _score(rows: Rows, row: Row) -> float:
    refuse_bin(rows, whole(row["bin"]))
    score = row["score"]
    if not isinstance(score, float):
        raise TypeError("a score is no number")
    return score


def _approved(rows: Rows, row: Row) -> bool | None:
    if rows.source.predictions.approved is None:
        return None
    if row["approved"] not in (0, 1):
        raise undecided(rows)
    return row["approved"] == 1

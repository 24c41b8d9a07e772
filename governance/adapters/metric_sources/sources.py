"""Counts and rows of one version, in whatever engine holds them. Implements
`governance.ports.MetricSources`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import TypeVar

from ibis.common.exceptions import TableNotFound
from ibis.expr.types import Table

from governance.adapters.metric_sources.connection import Connection, connect
from governance.adapters.metric_sources.rows import Rows
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import TableSource
from governance.ports import Cursor, DayCounts, Decided, Mark, Matured

Answer = TypeVar("Answer")
Row = Mapping[str, object]


class IbisSources:
    """One connection for each thread and address; a broken one is opened anew."""

    def __init__(self, environ: Mapping[str, str], *, timeout_seconds: float = 30.0) -> None:
        """`environ` holds the addresses by the names that policies use."""
        self._environ = environ
        self._timeout_seconds = timeout_seconds
        self._here = threading.local()

    def mark(self, source: TableSource, model: ModelName, version: Version) -> Mark:
        """Counts and the newest moment."""

        def ask(rows: Rows) -> Mark:
            predictions = rows.predictions()
            found = _one(predictions.aggregate(n=predictions.count(), newest=predictions.at.max()))
            outcomes = 0
            if source.outcomes is not None:
                joined = rows.with_outcomes()
                outcomes = _whole(_one(joined.aggregate(n=joined.count()))["n"])
            newest = found["newest"]
            return Mark(
                predictions=_whole(found["n"]),
                newest=None if newest is None else rows.moment_of(newest),
                outcomes=outcomes,
            )

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
            table = rows.between(rows.predictions(), since, until)
            _refuse_implausible(source, table)
            counted = table.mutate(day=rows.day(table), bin=rows.bin(table)).group_by("day", "bin")
            found = counted.aggregate(n=lambda t: t.count())
            return _days(
                (_text(r["day"]), _whole(r["bin"]), _whole(r["n"]), 0) for r in _all(found)
            )

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
            table = rows.between(rows.with_outcomes(), since, until)
            _refuse_implausible(source, table)
            _refuse_implausible_outcomes(source, rows, table)
            counted = table.mutate(day=rows.day(table), bin=rows.bin(table)).group_by("day", "bin")
            found = counted.aggregate(n=lambda t: t.count(), bads=lambda t: t.bad.sum())
            return _days(
                (_text(r["day"]), _whole(r["bin"]), _whole(r["n"]) - bads, bads)
                for r in _all(found)
                for bads in (_whole(r["bads"]),)
            )

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
            table = rows.between(rows.predictions(), since, until)
            _refuse_implausible(source, table)
            found = _one(
                table.aggregate(
                    n=table.count(),
                    approved=table.approved.sum(),
                    known=table.approved.count(),
                    largest=table.approved.max(),
                )
            )
            if _whole(found["known"]) != _whole(found["n"]) or _whole(found["largest"]) > 1:
                raise _wrong(source, "some predictions are neither approved nor declined")
            return _whole(found["approved"]), _whole(found["n"])

        return self._ask(source, model, version, ask)

    def matured_rows(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        *,
        after: Cursor | None,
        until: datetime,
        limit: int,
    ) -> Sequence[Matured]:
        """One by one, in the order of the predictions."""

        def ask(rows: Rows) -> Sequence[Matured]:
            table = rows.after(rows.between(rows.with_outcomes(), None, until), after)
            page = _all(_page(table, limit))
            _refuse_implausible_rows(source, page)
            if any(r["bad"] not in (0, 1) for r in page):
                raise _wrong(source, "an outcome is neither good nor bad")
            if page:
                _refuse_strange_outcomes(source, rows)
            return tuple(
                Matured(cursor=_cursor(rows, r), score=_number(r["score"]), is_bad=r["bad"] == 1)
                for r in page
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
            table = rows.after(rows.between(rows.predictions(), None, until), after)
            page = _all(_page(table, limit))
            _refuse_implausible_rows(source, page)
            named = source.predictions.approved is not None
            return tuple(
                Decided(
                    cursor=_cursor(rows, r),
                    score=_number(r["score"]),
                    approved=_decision(source, r["approved"]) if named else None,
                )
                for r in page
            )

        return self._ask(source, model, version, ask)

    def close(self) -> None:
        """Let this thread's connections go."""
        for connection in self._open().values():
            with suppress(Exception):  # it is gone either way
                connection.close()
        self._open().clear()

    # --- asking ---------------------------------------------------------------------------

    def _ask(
        self,
        source: TableSource,
        model: ModelName,
        version: Version,
        ask: Callable[[Rows], Answer],
    ) -> Answer:
        with self._translated(source):
            connection = self._connection(source)
            with connection.cut_off():
                return ask(Rows(connection, source, model, version))

    @contextmanager
    def _translated(self, source: TableSource) -> Iterator[None]:
        try:
            yield
        except Unavailable as problem:
            raise _unavailable(source, problem.sentence) from None
        except FoureyesError:
            raise
        except TableNotFound as error:
            raise _unavailable(source, f"the table {error} is not there") from None
        except Exception as error:  # every engine has errors of its own; none may carry an address
            self._forget(source)
            raise _unavailable(source, f"it answered with {type(error).__name__}") from None

    def _connection(self, source: TableSource) -> Connection:
        address = self._environ.get(source.url, "").strip()
        if not address:
            raise Unavailable(
                "source_unavailable", f"{source.url} is not set in the environment of Foureyes"
            )
        found = self._open().get(source.url)
        if found is None:
            found = connect(address, timeout_seconds=self._timeout_seconds)
            self._open()[source.url] = found
        return found

    def _open(self) -> dict[str, Connection]:
        if not hasattr(self._here, "open"):
            self._here.open = {}
        found: dict[str, Connection] = self._here.open
        return found

    def _forget(self, source: TableSource) -> None:
        gone = self._open().pop(source.url, None)
        if gone is not None:
            with suppress(Exception):  # it is gone either way
                gone.close()


# --- plausibility -----------------------------------------------------------------------------


def _refuse_implausible(source: TableSource, table: Table) -> None:
    """One aggregate over the very rows that are about to be used."""
    found = _one(
        table.aggregate(
            n=table.count(),
            ids=table.id.nunique(),
            moments=table.at.count(),
            scores=table.score.count(),
            lowest=table.score.min(),
            highest=table.score.max(),
        )
    )
    rows = _whole(found["n"])
    if not rows:
        return
    if _whole(found["ids"]) != rows:
        raise _wrong(source, "an id stands in it twice, or is missing")
    if _whole(found["moments"]) != rows:
        raise _wrong(source, "a prediction has no moment")
    if _whole(found["scores"]) != rows:
        raise _wrong(source, "a prediction has no score")
    if not (_number(found["lowest"]) >= 0.0 and _number(found["highest"]) <= 1.0):
        raise _wrong(source, "a score is not between 0 and 1")


def _refuse_implausible_rows(source: TableSource, page: Sequence[Row]) -> None:
    """The same for rows that were read one by one."""
    if len({r["id"] for r in page}) != len(page) or any(r["id"] is None for r in page):
        raise _wrong(source, "an id stands in it twice, or is missing")
    if any(r["at"] is None for r in page):
        raise _wrong(source, "a prediction has no moment")
    if any(r["score"] is None for r in page):
        raise _wrong(source, "a prediction has no score")
    if not all(0.0 <= _number(r["score"]) <= 1.0 for r in page):
        raise _wrong(source, "a score is not between 0 and 1")


def _refuse_implausible_outcomes(source: TableSource, rows: Rows, table: Table) -> None:
    largest = _one(table.aggregate(largest=table.bad.max()))["largest"]
    if largest is not None and _whole(largest) > 1:
        raise _wrong(source, "an outcome is neither good nor bad")
    _refuse_strange_outcomes(source, rows)


def _refuse_strange_outcomes(source: TableSource, rows: Rows) -> None:
    words = rows.words_beside_bad()
    if words is not None and len(_all(words.limit(2))) > 1:
        raise _wrong(source, "outcomes hold more than two different words")
    if not rows.is_one_table and _all(rows.orphans().limit(1)):
        raise _wrong(source, "an outcome has no prediction")


def _decision(source: TableSource, value: object) -> bool:
    if value not in (0, 1):
        raise _wrong(source, "some predictions are neither approved nor declined")
    return value == 1


def _wrong(source: TableSource, what: str) -> Refused:
    return Refused(
        "source_wrong",
        f"Source {source.name}: {what}. Nothing is judged by it until the owner of the data has "
        "put this right.",
    )


def _unavailable(source: TableSource, what: str) -> Unavailable:
    return Unavailable(
        "source_unavailable",
        f"Source {source.name} ({source.url}) cannot be read: {what}. The platform team has to "
        "look at it; nothing is judged meanwhile.",
    )


# --- what comes back --------------------------------------------------------------------------


def _page(table: Table, limit: int) -> Table:
    return table.order_by(table.at, table.id).limit(limit)


def _all(table: Table) -> list[Row]:
    found: list[Row] = table.to_pyarrow().to_pylist()
    return found


def _one(table: Table) -> Row:
    return _all(table)[0]


def _cursor(rows: Rows, row: Row) -> Cursor:
    return Cursor(at=rows.moment_of(row["at"]), id=_text(row["id"]))


def _days(counted: Iterator[tuple[str, int, int, int]]) -> tuple[DayCounts, ...]:
    goods: dict[str, dict[int, int]] = {}
    bads: dict[str, dict[int, int]] = {}
    for day, position, n_goods, n_bads in counted:
        goods.setdefault(day, {})
        bads.setdefault(day, {})
        if n_goods:
            goods[day][position] = n_goods
        if n_bads:
            bads[day][position] = n_bads
    return tuple(
        DayCounts(day=date.fromisoformat(day), counts=ScoreCounts(goods=goods[day], bads=bads[day]))
        for day in sorted(goods)
    )


def _whole(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return int(value)
    return int(str(value))


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    return float(str(value))


def _text(value: object) -> str:
    return str(value)

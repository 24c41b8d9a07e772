"""A user's columns as expressions of one type each, whatever the engine keeps in them.

What a value cannot be is marked (a bin below 0, a flag of 2), so that whoever counts refuses it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import BooleanValue, Column, FloatingValue, IntegerValue, StringValue, Table

from governance.adapters.metric_sources.connection import Connection
from governance.domain.errors import Refused
from governance.domain.monitoring.score_counts import BINS, NUDGE
from governance.domain.monitoring.spec import TableSource

NO_SCORE, OUTSIDE = -1, -2
"""Bins of a score that is null or no number, and of one outside 0..1."""
NEITHER = 2
"""What a flag is that is neither 1 nor 0 nor null."""
_SECONDS_A_DAY = 86_400
_MICROSECONDS = 1_000_000
_DAY_ZERO = date(1970, 1, 1).toordinal()


def _of_duckdb(column: Column) -> Column:
    """A function that Ibis has no word for; only its name is ever used."""
    return column


_epoch_us = ibis.udf.scalar.builtin(
    _of_duckdb, name="epoch_us", signature=((dt.Timestamp(),), dt.int64)
)
"""Microseconds since 1970; twice as fast as what Ibis writes, which goes by the calendar."""
_is_finite = ibis.udf.scalar.builtin(
    _of_duckdb, name="isfinite", signature=((dt.float64,), dt.boolean)
)


class Columns:
    """The columns of one source in one engine."""

    def __init__(self, connection: Connection, source: TableSource) -> None:
        """Nothing is read yet."""
        self._connection = connection
        self._source = source

    def named(self, table: Table, table_name: str, column: str) -> Column:
        """A column as it is. Raises Refused `source_wrong` when it is not there."""
        if column not in table.columns:
            known = ", ".join(table.columns[:20])
            raise self.wrong(table_name, column, f"is not there. The table has: {known}")
        return table[column]

    def key(self, table: Table, table_name: str, column: str) -> Column:
        """An id to compare: whole numbers as they are, anything else as text."""
        found = self.named(table, table_name, column)
        kind = found.type()
        return found if kind.is_integer() or kind.is_string() else found.cast("string")

    def moment(self, table: Table, table_name: str, column: str) -> Column:
        """A moment; without a zone it is UTC. In SQLite text in one spelling, to the
        millisecond."""
        found = self.named(table, table_name, column)
        kind = found.type()
        if self._connection.is_sqlite and (kind.is_timestamp() or kind.is_string()):
            return found.cast("string").cast("timestamp").cast("string")
        if kind.is_timestamp():
            return found
        if kind.is_string():
            return found.cast(dt.Timestamp(timezone="UTC"))  # it may name another zone
        if kind.is_date():
            return found.cast("timestamp")
        raise self.wrong(table_name, column, f"is {kind}, and a moment is needed")

    def moment_literal(self, column: Column, moment: datetime) -> Column:
        """A moment that compares with such a column."""
        at = moment.astimezone(UTC)
        kind = column.type()
        if kind.is_string():
            return ibis.literal(at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}")
        if kind.timezone is not None:
            return ibis.literal(at)
        return ibis.literal(at.replace(tzinfo=None))

    def day(self, column: Column) -> Column:
        """The UTC day of such a column, whatever the session's zone is: a date, or in days since
        1970. DuckDB groups by a date in two thirds of the time."""
        if self._connection.is_duckdb:
            if column.type().is_timestamp() and column.type().timezone is None:
                return column.date()
            return _epoch_us(column) // (_SECONDS_A_DAY * _MICROSECONDS)
        at = column.cast("timestamp") if column.type().is_string() else column
        return at.epoch_seconds() // _SECONDS_A_DAY

    def score(self, table: Table, table_name: str, column: str) -> FloatingValue:
        """A score; null where SQLite holds something that is no number."""
        found = self.named(table, table_name, column)
        if not found.type().is_numeric() or found.type().is_boolean():
            raise self.wrong(table_name, column, f"is {found.type()}, and a score is needed")
        if self._connection.is_sqlite:
            is_number = found.typeof().isin(["real", "integer"])
            return ibis.cases((is_number, found.cast("float64")), else_=ibis.null("float64"))
        return found.cast("float64")

    def bin(self, score: FloatingValue) -> IntegerValue:
        """The bin of a score, NO_SCORE or OUTSIDE; 1 itself falls into the last bin.

        What cannot become a whole number is replaced before the conversion: DuckDB may convert
        all rows, also those that a case excludes.
        """
        cases = [
            (score.isnull(), float(NO_SCORE)),
            ((score < 0) | (score > 1) | self._is_nan(score), float(OUTSIDE)),
        ]
        floor = ibis.cases(*cases, else_=score * BINS + NUDGE).floor().cast("int32")
        return ibis.least(floor, BINS - 1)

    def _is_nan(self, score: FloatingValue) -> BooleanValue:
        if self._connection.is_sqlite:
            return ibis.literal(False)  # it keeps NaN as null
        if self._connection.is_duckdb:
            # It answers isnan and comparisons from the smallest and largest score that a Parquet
            # file says it has, and no NaN counts there. This is asked of the values.
            return ~_is_finite(score)
        return score.isnan()

    def flag(self, table: Table, table_name: str, column: str, word: str | None) -> IntegerValue:
        """1, 0, null, or NEITHER. With a word: 1 where the column says it, else 0."""
        found = self.named(table, table_name, column)
        kind = found.type()
        nothing = (found.isnull(), ibis.null("int8"))
        if word is not None:
            return ibis.cases(nothing, (found.cast("string") == word, 1), else_=0)
        if kind.is_boolean() and not self._connection.is_sqlite:
            return ibis.cases(nothing, (found, 1), else_=0)
        if not kind.is_numeric() and not kind.is_boolean():
            raise self.wrong(
                table_name,
                column,
                f"is {kind}; a flag, 1 and 0, or for outcomes the word of `bad_is` is needed",
            )
        number = found.cast("int64") if kind.is_boolean() else found
        cases = [nothing, (number == 1, 1), (number == 0, 0)]
        if self._connection.is_sqlite:
            cases.insert(1, (found.typeof() == "text", NEITHER))
        return ibis.cases(*cases, else_=NEITHER)

    def part(self, key: Column, parts: int, turn: int) -> Column | None:
        """Whether an id belongs to one of so many parts, a power of two: by its last bits, which
        costs least. None where the engine cannot tell."""
        if key.type().is_string():
            if not self._connection.can_hash_text:
                return None
            key = key.hash()
        return (key & (parts - 1)) == turn

    def wrong(self, table: str, column: str, what: str) -> Refused:
        """What cannot be believed, where, and who has to act."""
        return Refused(
            "source_wrong",
            f"Source {self._source.name}: the column {column} of {table} {what}. Nothing is "
            "judged by it until the owner of the data or of the policy has put this right.",
        )


def as_text(key: Column) -> StringValue:
    """An id as text, as ties are ordered."""
    return key if key.type().is_string() else key.cast("string")


def day_of(value: object) -> date:
    """A day as an engine gives it: a date, or a number of days since 1970."""
    return value if isinstance(value, date) else date.fromordinal(_DAY_ZERO + int(str(value)))


def aware(value: object) -> datetime:
    """A moment as an engine gives it, aware, UTC. Raises ValueError when it is none."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        raise ValueError("no moment")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

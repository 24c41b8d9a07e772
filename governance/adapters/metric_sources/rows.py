"""The tables of a source as expressions: one version's predictions, with their outcomes.

No float arithmetic in SQL beyond the floor of score × 10⁴: engines differ in their last digits.
"""

from __future__ import annotations

from datetime import UTC, datetime

import ibis
from ibis.expr.types import BooleanValue, Column, IntegerValue, StringValue, Table

from governance.adapters.metric_sources.connection import Connection
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import BINS
from governance.domain.monitoring.spec import Outcomes, TableSource
from governance.ports import Cursor


class Rows:
    """Expressions over one source for one version."""

    def __init__(
        self, connection: Connection, source: TableSource, model: ModelName, version: Version
    ) -> None:
        """Raises Refused `source_wrong` for a column that is missing or of the wrong type."""
        self._connection = connection
        self._source = source
        self._model = model
        self._version = version

    # --- predictions ----------------------------------------------------------------------

    def predictions(self) -> Table:
        """Columns: id (text), at, score, approved where named, and bad where predictions and
        outcomes are one table."""
        named = self._source.predictions
        table = self._connection.table(named.table)
        chosen = [
            self._id(table, named.table, named.id).name("id"),
            self._moment(table, named.table, named.at).name("at"),
            self._score(table).name("score"),
        ]
        if named.approved is not None:
            chosen.append(self._flag(table, named.table, named.approved, None).name("approved"))
        if self.is_one_table and self._source.outcomes is not None:
            chosen.append(self._bad(table, self._source.outcomes).name("bad"))
        of_version = table.filter(self._is_version(table))
        if named.model is not None:
            column = self._column(table, named.table, named.model)
            of_version = of_version.filter(column.cast("string") == str(self._model))
        return of_version.select(*chosen)

    @property
    def is_one_table(self) -> bool:
        """Predictions and outcomes are columns of one table, so nothing is joined."""
        outcomes, predictions = self._source.outcomes, self._source.predictions
        return (
            outcomes is not None
            and outcomes.table == predictions.table
            and outcomes.id == predictions.id
        )

    def outcomes(self) -> Table:
        """Columns: outcome_id (text), bad."""
        named = self._outcomes_named()
        table = self._connection.table(named.table)
        return table.select(
            self._id(table, named.table, named.id).name("outcome_id"),
            self._bad(table, named).name("bad"),
        )

    def with_outcomes(self) -> Table:
        """Predictions that have an outcome, and it."""
        self._outcomes_named()
        predictions = self.predictions()
        if self.is_one_table:
            return predictions.filter(predictions.bad.notnull())
        outcomes = self.outcomes()
        known = outcomes.filter(outcomes.bad.notnull())
        return predictions.join(known, predictions.id == known.outcome_id)

    def orphans(self) -> Table:
        """Outcomes of this source whose id no prediction of any version has."""
        named = self._source.predictions
        table = self._connection.table(named.table)
        every = table.select(self._id(table, named.table, named.id).name("id"))
        outcomes = self.outcomes()
        return outcomes.anti_join(every, outcomes.outcome_id == every.id)

    def words_beside_bad(self) -> Table | None:
        """The different words that are no `bad_is`; None where outcomes are numbers or flags."""
        named = self._outcomes_named()
        if named.bad_is is None:
            return None
        table = self._connection.table(named.table)
        column = self._column(table, named.table, named.bad).cast("string")
        return (
            table.filter(column.notnull() & (column != named.bad_is)).select(word=column).distinct()
        )

    # --- ranges and order -------------------------------------------------------------------

    def between(self, table: Table, since: datetime | None, until: datetime | None) -> Table:
        """since ≤ at < until."""
        if since is not None:
            table = table.filter(table.at >= self._literal(table, since))
        if until is not None:
            table = table.filter(table.at < self._literal(table, until))
        return table

    def after(self, table: Table, cursor: Cursor | None) -> Table:
        """What comes after a place in the order (at, id)."""
        if cursor is None:
            return table
        place = self._literal(table, cursor.at)
        later = table.at > place
        return table.filter(later | ((table.at == place) & (table.id > cursor.id)))

    def day(self, table: Table) -> Column:
        """The UTC day, as text YYYY-MM-DD."""
        if self._connection.is_sqlite:
            return table.at.cast("string").substr(0, 10)
        return table.at.cast("timestamp").strftime("%Y-%m-%d")

    def bin(self, table: Table) -> IntegerValue:
        """The bin of the score; 1 itself falls into the last one."""
        floored = (table.score * BINS).floor().cast("int64")
        return ibis.least(floored, BINS - 1)

    def moment_of(self, value: object) -> datetime:
        """A moment as the engine gave it, aware, UTC."""
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(found, datetime):
            raise self._wrong("predictions", self._source.predictions.at, "is no moment")
        if found.tzinfo is None:
            return found.replace(tzinfo=UTC)
        return found.astimezone(UTC)

    # --- columns --------------------------------------------------------------------------

    def _outcomes_named(self) -> Outcomes:
        if self._source.outcomes is None:
            raise Refused(
                "source_wrong",
                f"The source {self._source.name} names no outcomes, and this monitor needs them.",
            )
        return self._source.outcomes

    def _column(self, table: Table, table_name: str, column: str) -> Column:
        if column not in table.columns:
            known = ", ".join(table.columns[:20])
            raise self._wrong(table_name, column, f"is not there. The table has: {known}")
        return table[column]

    def _id(self, table: Table, table_name: str, column: str) -> StringValue:
        found = self._column(table, table_name, column)
        return found if found.type().is_string() else found.cast("string")

    def _moment(self, table: Table, table_name: str, column: str) -> Column:
        found = self._column(table, table_name, column)
        kind = found.type()
        if self._connection.is_sqlite and (kind.is_timestamp() or kind.is_string()):
            # SQLite has no moments: text in one spelling, UTC, to the millisecond.
            return found.cast("string").cast("timestamp").cast("string")
        if kind.is_timestamp():
            return found
        if kind.is_date() or kind.is_string():
            return found.cast("timestamp")
        raise self._wrong(table_name, column, f"is {kind}, and a moment is needed")

    def _literal(self, table: Table, moment: datetime) -> Column:
        at = moment.astimezone(UTC)
        kind = table.at.type()
        if kind.is_string():
            return ibis.literal(at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}")
        if kind.is_timestamp() and kind.timezone is not None:
            return ibis.literal(at)
        return ibis.literal(at.replace(tzinfo=None))

    def _score(self, table: Table) -> Column:
        named = self._source.predictions
        found = self._column(table, named.table, named.score)
        if not found.type().is_numeric():
            raise self._wrong(named.table, named.score, f"is {found.type()}, and a score is needed")
        return found.cast("float64")

    def _is_version(self, table: Table) -> BooleanValue:
        named = self._source.predictions
        found = self._column(table, named.table, named.version)
        if found.type().is_integer():
            return found == int(self._version)
        if not found.type().is_string():
            raise self._wrong(
                named.table, named.version, f"is {found.type()}, and a version is needed"
            )
        return found.isin([str(self._version), f"v{self._version}"])

    def _bad(self, table: Table, named: Outcomes) -> Column:
        return self._flag(table, named.table, named.bad, named.bad_is)

    def _flag(self, table: Table, table_name: str, column: str, word: str | None) -> IntegerValue:
        """1, 0, null, or 2 for what is neither."""
        found = self._column(table, table_name, column)
        kind = found.type()
        nothing = (found.isnull(), ibis.null("int64"))
        if word is not None:
            return ibis.cases(nothing, (found.cast("string") == word, 1), else_=0)
        if kind.is_boolean():
            return ibis.cases(nothing, (found, 1), else_=0)
        if kind.is_numeric():
            return ibis.cases(nothing, (found == 1, 1), (found == 0, 0), else_=2)
        raise self._wrong(
            table_name,
            column,
            f"is {kind}; write `bad_is:` with the word, or use a flag or 1 and 0",
        )

    def _wrong(self, table: str, column: str, what: str) -> Refused:
        return Refused(
            "source_wrong",
            f"Source {self._source.name}: the column {column} of {table} {what}. The owner of the "
            "data or of the policy has to put this right.",
        )

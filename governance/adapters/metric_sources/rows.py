"""The tables of a source as expressions: one version's predictions, with their outcomes.

No float arithmetic in SQL beyond the floor of score × 10⁴: engines differ in their last digits.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

import ibis
from ibis.expr.types import BooleanValue, Column, Table

from governance.adapters.metric_sources.columns import Columns, as_text
from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.turns import Part
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.spec import Outcomes, TableSource
from governance.ports import Cursor


class Rows:
    """Expressions over one source for one version."""

    def __init__(
        self, connection: Connection, source: TableSource, model: ModelName, version: Version
    ) -> None:
        """Every method raises Refused `source_wrong` for a column that is missing or of the wrong
        type."""
        self.connection = connection
        self.source = source
        self.columns = Columns(connection, source)
        self._model = model
        self._version = version

    @property
    def subject(self) -> str:
        """What is asked about, as a key."""
        return f"{self.source.name}/{self._model}/{self._version}"

    # --- tables ---------------------------------------------------------------------------

    def predictions(self, *, known_alone: bool = False) -> Table:
        """Columns: key and id (its text), at, score, day, bin, approved where named, and bad where
        predictions and outcomes are one table; there, if wanted, only where it is known."""
        named = self.source.predictions
        table = self._predictions_table
        if known_alone:
            table = self._known(table)
        key = self.columns.key(table, named.table, named.id)
        at = self.columns.moment(table, named.table, named.at)
        score = self.columns.score(table, named.table, named.score)
        chosen = [
            key.name("key"),
            as_text(key).name("id"),
            at.name("at"),
            self.columns.day(at).name("day"),
            score.name("score"),
            self.columns.bin(score).name("bin"),
        ]
        if named.approved is not None:
            approved = self.columns.flag(table, named.table, named.approved, None)
            chosen.append(approved.name("approved"))
        if self.is_one_table:
            chosen.append(self._bad(table).name("bad"))
        return self._of_model(table).filter(self._is_version(table)).select(*chosen)

    def of_others(self) -> Table:
        """Predictions of the model that are not of this version; one column: at."""
        named = self.source.predictions
        table = self._predictions_table
        at = self.columns.moment(table, named.table, named.at)
        is_other = ~self._is_version(table).fill_null(False)
        return self._of_model(table).filter(is_other).select(at.name("at"))

    @property
    def is_one_table(self) -> bool:
        """Predictions and outcomes are columns of one table, so nothing is joined."""
        outcomes, predictions = self.source.outcomes, self.source.predictions
        return (
            outcomes is not None
            and outcomes.table == predictions.table
            and outcomes.id == predictions.id
        )

    def with_outcomes(self) -> Table:
        """Predictions that have an outcome, and it as `bad`; null is no outcome yet."""
        self.outcomes_named()
        if self.is_one_table:
            return self.predictions(known_alone=True)
        predictions, known = self.predictions(), self._known_outcomes()
        return predictions.join(known, _same(predictions.key, known.outcome_key))

    def with_any_outcome(self) -> Table:
        """All predictions, with their outcome as `bad` where there is one."""
        predictions = self.predictions()
        if self.is_one_table:
            return predictions
        if self.source.outcomes is None:
            return predictions.mutate(bad=ibis.null("int64"))
        known = self._outcomes()
        return predictions.left_join(known, _same(predictions.key, known.outcome_key))

    def waited_for(self) -> Table:
        """Predictions without an outcome that may still get one: whoever was declined gets none."""
        self.outcomes_named()
        predictions = self.predictions()
        if self.source.predictions.approved is not None:
            declined = (predictions.approved == 0).fill_null(False)
            predictions = predictions.filter(~declined)
        if self.is_one_table:
            return predictions.filter(predictions.bad.isnull())
        known = self._known_outcomes()
        return predictions.anti_join(known, _same(predictions.key, known.outcome_key))

    def sizes(self) -> tuple[Table, Table]:
        """How many rows both tables have, of all versions, as tables of one number `n`."""
        predictions, outcomes = self._predictions_table, self._outcomes_table
        return (
            predictions.aggregate(n=predictions.count()),
            outcomes.aggregate(n=outcomes.count()),
        )

    def orphans(self, part: Part) -> Table:
        """Outcomes whose id no prediction of any version has, in one part."""
        named = self.source.predictions
        table = self._predictions_table
        every = table.select(key=self.columns.key(table, named.table, named.id))
        outcomes = self._outcomes()
        if (
            part.parts > 1
            and every.key.type().is_string() == outcomes.outcome_key.type().is_string()
        ):
            # Only then do both sides agree in which part an id lies.
            every = self.part(every, "key", part)
            outcomes = self.part(outcomes, "outcome_key", part)
        return outcomes.anti_join(every, _same(outcomes.outcome_key, every.key))

    def words_beside_bad(self) -> Table | None:
        """The different words that are no `bad_is`; None where outcomes are numbers or flags."""
        named = self.outcomes_named()
        if named.bad_is is None:
            return None
        table = self._outcomes_table
        column = self.columns.named(table, named.table, named.bad).cast("string")
        strange = table.filter(column.notnull() & (column != named.bad_is))
        return strange.select(word=column).distinct()

    # --- ranges and order -------------------------------------------------------------------

    def between(self, table: Table, since: datetime | None, until: datetime | None) -> Table:
        """since ≤ at < until, and what has no moment: that belongs nowhere and has to be seen."""
        if since is not None:
            begin = self.columns.moment_literal(table.at, since)
            table = table.filter((table.at >= begin) | table.at.isnull())
        if until is not None:
            end = self.columns.moment_literal(table.at, until)
            table = table.filter((table.at < end) | table.at.isnull())
        return table

    def page(self, table: Table, cursor: Cursor | None, limit: int) -> Table:
        """The first rows after a place in the order (at, id)."""
        table = table.filter(table.at.notnull())
        if cursor is not None:
            place = self.columns.moment_literal(table.at, cursor.at)
            tied = (table.at == place) & ((table.id > cursor.id) | table.id.isnull())
            table = table.filter((table.at > place) | tied)
        return table.order_by(table.at, table.id).limit(limit)

    def before(self, table: Table, cursor: Cursor) -> Table:
        """The rows before a place in the order (at, id), and what has no moment."""
        place = self.columns.moment_literal(table.at, cursor.at)
        tied = (table.at == place) & (table.id < cursor.id)
        return table.filter((table.at < place) | tied | table.at.isnull())

    def part(self, table: Table, key: str, part: Part) -> Table:
        """One part of the rows, by their ids; all where the engine cannot tell."""
        chosen = self.columns.part(table[key], part.parts, part.number)
        return table if chosen is None else table.filter(chosen)

    # --- inside ---------------------------------------------------------------------------

    def outcomes_named(self) -> Outcomes:
        """What the policy says of outcomes. Raises Refused `source_wrong` when it says nothing."""
        if self.source.outcomes is None:
            raise Refused(
                "source_wrong",
                f"The source {self.source.name} names no outcomes, and this monitor needs them. "
                "The owner of the policy has to add `outcomes`.",
            )
        return self.source.outcomes

    @cached_property
    def _predictions_table(self) -> Table:
        """Opened once in a question, so that a file is looked into once."""
        named = self.source.predictions
        return self.connection.table(named.table, id_column=named.id)

    @cached_property
    def _outcomes_table(self) -> Table:
        named = self.outcomes_named()
        if self.is_one_table:
            return self._predictions_table
        return self.connection.table(named.table, id_column=named.id)

    def _outcomes(self) -> Table:
        return self._as_outcomes(self._outcomes_table)

    def _known_outcomes(self) -> Table:
        return self._as_outcomes(self._known(self._outcomes_table))

    def _known(self, table: Table) -> Table:
        """Where an outcome is written, whatever it says: engines sort this out while reading."""
        named = self.outcomes_named()
        return table.filter(self.columns.named(table, named.table, named.bad).notnull())

    def _as_outcomes(self, table: Table) -> Table:
        named = self.outcomes_named()
        key = self.columns.key(table, named.table, named.id)
        return table.select(key.name("outcome_key"), self._bad(table).name("bad"))

    def _bad(self, table: Table) -> Column:
        named = self.outcomes_named()
        return self.columns.flag(table, named.table, named.bad, named.bad_is)

    def _of_model(self, table: Table) -> Table:
        named = self.source.predictions
        if named.model is None:
            return table
        column = self.columns.named(table, named.table, named.model)
        return table.filter(column.cast("string") == str(self._model))

    def _is_version(self, table: Table) -> BooleanValue:
        named = self.source.predictions
        found = self.columns.named(table, named.table, named.version)
        if found.type().is_integer():
            return found == int(self._version)
        if not found.type().is_string():
            raise self.columns.wrong(
                named.table, named.version, f"is {found.type()}, and a version is needed"
            )
        return found.isin([str(self._version), f"v{self._version}"])


def _same(one: Column, other: Column) -> BooleanValue:
    if one.type().is_string() == other.type().is_string():
        return one == other
    return as_text(one) == as_text(other)

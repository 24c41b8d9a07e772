"""Refuses what cannot be believed, whole: nothing is left out and judged all the same.

Ids cannot be compared at once without holding all of them, so above `AT_ONCE` rows one part of them
is compared at each look, in turn: an id that stands twice is found within as many looks as there
are parts, and a table in which many do at once. What was found wrong stays wrong until that part
holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ibis.expr.types import Table

from governance.adapters.metric_sources.columns import NEITHER, NO_SCORE, OUTSIDE
from governance.adapters.metric_sources.rows import Rows
from governance.adapters.metric_sources.turns import Part
from governance.domain.errors import Refused

AT_ONCE = 1_000_000
"""Ids compared at each look: about 0.1 s and 100 MB."""
_MANY_WORDS = 2

Row = Mapping[str, object]


def all_rows(table: Table) -> Sequence[Row]:
    """What an expression gives, row by row."""
    found: list[Row] = table.to_pyarrow().to_pylist()
    return found


def whole(value: object) -> int:
    """A count; 0 for what was added up over nothing."""
    return 0 if value is None else int(str(value))


def refuse_bin(rows: Rows, position: int) -> None:
    """A score that is none."""
    named = rows.source.predictions
    if position == NO_SCORE:
        raise rows.columns.wrong(
            named.table, named.score, "has no score in some rows, or what is no number"
        )
    if position == OUTSIDE:
        raise rows.columns.wrong(
            named.table, named.score, "has scores that are not between 0 and 1"
        )


def refuse_no_moment(rows: Rows) -> None:
    """A prediction that belongs to no range."""
    named = rows.source.predictions
    raise rows.columns.wrong(named.table, named.at, "has no moment in some rows")


def refuse_flag(rows: Rows, largest: object) -> None:
    """An outcome that is neither good nor bad."""
    if whole(largest) >= NEITHER:
        named = rows.outcomes_named()
        raise rows.columns.wrong(
            named.table, named.bad, "has outcomes that are neither good nor bad"
        )


def undecided(rows: Rows) -> Refused:
    """An applicant who is neither approved nor declined."""
    named = rows.source.predictions
    return rows.columns.wrong(
        named.table, str(named.approved), "has rows that are neither approved nor declined"
    )


def refuse_twice(rows: Rows, table: Table, count: int) -> None:
    """An id that stands twice in these rows, or that is missing. Where there are too many to
    compare at once, of all rows of the version one part."""
    is_joined = "bad" in table.columns and not rows.is_one_table
    subject = f"ids of {rows.subject}" + (" with outcomes" if is_joined else "")
    turns = rows.connection.turns
    doubt = turns.doubt(subject)
    parts = _parts(count)
    if doubt is not None:
        _refuse_part_twice(rows, subject, doubt, is_joined=is_joined)
    if parts > 1:
        _refuse_part_twice(rows, subject, turns.take(subject, parts), is_joined=is_joined)
    elif _has_twice(table):
        raise _twice(rows, table)


def _refuse_part_twice(rows: Rows, subject: str, part: Part, *, is_joined: bool) -> None:
    every = rows.with_outcomes() if is_joined else rows.predictions()
    if _has_twice(rows.part(every, "key", part)):
        rows.connection.turns.failed(subject, part)
        raise _twice(rows, every)
    rows.connection.turns.held(subject, part)


def _has_twice(table: Table) -> bool:
    (found,) = all_rows(table.aggregate(n=table.count(), ids=table.key.nunique()))
    return whole(found["n"]) != whole(found["ids"])


def refuse_hidden(rows: Rows, table: Table, page: Table) -> None:
    """What reading in order would pass over: a row without moment or id, or the second one of
    an id that is on this page."""
    doubtful = table.filter(table.at.isnull() | table.key.isnull() | table.key.isin(page.key))
    (found,) = all_rows(
        doubtful.aggregate(
            n=doubtful.count(), ids=doubtful.key.nunique(), moments=doubtful.at.count()
        )
    )
    if whole(found["moments"]) != whole(found["n"]):
        refuse_no_moment(rows)
    if whole(found["ids"]) != whole(found["n"]):
        raise _twice(rows, table)


def refuse_strange_outcomes(rows: Rows) -> None:
    """Outcomes without predictions, or in more words than two."""
    named = rows.outcomes_named()
    words = rows.words_beside_bad()
    if words is not None and len(all_rows(words.limit(_MANY_WORDS))) == _MANY_WORDS:
        raise rows.columns.wrong(
            named.table,
            named.bad,
            f"has more words than {named.bad_is} and one for good, so some outcomes are neither "
            "good nor bad",
        )
    if not rows.is_one_table:
        _refuse_orphans(rows)


def _refuse_orphans(rows: Rows) -> None:
    named = rows.outcomes_named()
    subject = f"{rows.source.name}/{rows.source.predictions.table}/{named.table}"
    predictions, outcomes = (whole(all_rows(size)[0]["n"]) for size in rows.sizes())
    turns = rows.connection.turns
    # Comparing two tables is dear, and a look reads many pages of the same ones.
    if turns.believes(subject, (predictions, outcomes)):
        return
    parts = _parts(max(predictions, outcomes))
    part = turns.doubt(subject) or turns.take(subject, parts)
    if all_rows(rows.orphans(part).limit(1)):
        turns.failed(subject, part)
        raise rows.columns.wrong(
            named.table,
            named.id,
            f"has outcomes for which there is no prediction in {rows.source.predictions.table}",
        )
    turns.held(subject, part)
    if part.parts == 1:
        turns.believe(subject, (predictions, outcomes))


def _parts(count: int) -> int:
    """A power of two, so that parts stay what they are while a table grows."""
    parts = 1
    while count > parts * AT_ONCE:
        parts *= 2
    return parts


def _twice(rows: Rows, table: Table) -> Refused:
    named = rows.source.predictions
    tables = named.table
    if "bad" in table.columns and not rows.is_one_table:
        tables = f"{named.table} or {rows.outcomes_named().table}"
    return rows.columns.wrong(tables, named.id, "has an id twice, or rows without one")

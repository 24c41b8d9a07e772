"""One suite for every engine: the same rows give the same counts, and what cannot be believed is
refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from governance.adapters.metric_sources import IbisSources
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import Outcomes
from governance.ports import Cursor, DayCounts, Matured
from tests.databases import PostgresServer
from tests.sources.feed import (
    ADDRESS,
    BEGIN,
    CsvFeed,
    Feed,
    ParquetFeed,
    PostgresFeed,
    Scored,
    SqliteFeed,
    a_source,
    some_applicants,
)

MODEL = ModelName("credit_scoring")
V3 = Version(3)
SOURCE = a_source()
END = BEGIN + timedelta(days=10)


@pytest.fixture(params=["sqlite", "postgresql", "parquet", "csv"])
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
    """An engine with nothing in it."""
    match request.param:
        case "sqlite":
            return SqliteFeed(tmp_path)
        case "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            return PostgresFeed(server.new_database())
        case "parquet":
            return ParquetFeed(tmp_path)
        case _:
            return CsvFeed(tmp_path)


@pytest.fixture
def sources(feed: Feed) -> Iterator[IbisSources]:
    """As the bot opens them."""
    opened = IbisSources(feed.environ)
    yield opened
    opened.close()


def counted(days: tuple[DayCounts, ...]) -> ScoreCounts:
    """All days together."""
    return sum((d.counts for d in days), ScoreCounts.empty())


def by_hand(rows: list[Scored]) -> ScoreCounts:
    """What should be counted."""
    return ScoreCounts.of((r.score or 0.0, r.bad == 1) for r in rows)


def all_rows(sources: IbisSources, *, limit: int, until: datetime = END) -> list[Matured]:
    """Page by page."""
    found: list[Matured] = []
    after: Cursor | None = None
    while True:
        page = sources.matured_rows(SOURCE, MODEL, V3, after=after, until=until, limit=limit)
        found.extend(page)
        if len(page) < limit:
            return found
        after = page[-1].cursor


def test_outcomes_are_counted_by_day_and_score(feed: Feed, sources: IbisSources) -> None:
    """Of our version alone, days in UTC, and only where the outcome is known."""
    ours, others = some_applicants(), some_applicants(50, version=2, seed=2)
    feed.write([*ours, *others])
    days = sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)
    known = [r for r in ours if r.bad is not None]
    assert [d.day for d in days] == sorted({r.at.date() for r in known})
    for day in days:
        assert day.counts == by_hand([r for r in known if r.at.date() == day.day])
    assert counted(days) == by_hand(known)


def test_scores_are_counted_whatever_their_outcome(feed: Feed, sources: IbisSources) -> None:
    """All of them, as goods."""
    ours = some_applicants()
    feed.write(ours)
    found = counted(sources.scores(SOURCE, MODEL, V3, since=None, until=None))
    assert found == ScoreCounts.of((r.score or 0.0, False) for r in ours)


def test_a_range_holds_its_beginning_and_not_its_end(feed: Feed, sources: IbisSources) -> None:
    """Before, at and after both ends."""
    ours = some_applicants()
    feed.write(ours)
    since, until = BEGIN + timedelta(minutes=100), BEGIN + timedelta(minutes=600)
    found = counted(sources.scores(SOURCE, MODEL, V3, since=since, until=until))
    inside = [r for r in ours if since <= r.at < until]
    assert any(r.at == since for r in ours)
    assert any(r.at == until for r in ours)
    assert found.n_rows == len(inside)


def test_reading_in_pieces_is_reading_at_once(feed: Feed, sources: IbisSources) -> None:
    """Also where a page ends between two predictions of one moment."""
    ours = some_applicants(90)
    feed.write(ours)
    expected = [(r.id, r.score, r.bad == 1) for r in ours if r.bad is not None]
    for limit in (7, 1000):
        rows = all_rows(sources, limit=limit)
        assert [(r.cursor.id, r.score, r.is_bad) for r in rows] == expected


def test_the_order_does_not_depend_on_the_label(feed: Feed, sources: IbisSources) -> None:
    """The same applicants with every outcome turned round come in the same order."""
    ours = some_applicants(90)
    feed.write(ours)
    before = [r.cursor for r in all_rows(sources, limit=1000)]
    feed.write([replace(r, bad=None if r.bad is None else 1 - r.bad) for r in ours])
    assert [r.cursor for r in all_rows(sources, limit=1000)] == before


def test_what_is_not_mature_is_not_read(feed: Feed, sources: IbisSources) -> None:
    """Scored at or after `until`."""
    ours = some_applicants(90)
    feed.write(ours)
    until = ours[40].at
    found = all_rows(sources, limit=1000, until=until)
    assert [r.cursor.id for r in found] == [
        r.id for r in ours if r.at < until and r.bad is not None
    ]


def test_decisions_come_with_and_without_outcome(feed: Feed, sources: IbisSources) -> None:
    """In the same order."""
    ours = some_applicants(90)
    feed.write(ours)
    found = sources.decisions(SOURCE, MODEL, V3, after=None, until=None, limit=1000)
    assert [(d.cursor.id, d.approved) for d in found] == [(r.id, r.approved) for r in ours]


def test_approvals_are_counted(feed: Feed, sources: IbisSources) -> None:
    """(approved, all)."""
    ours = some_applicants(90)
    feed.write(ours)
    found = sources.approvals(SOURCE, MODEL, V3, since=None, until=None)
    assert found == (sum(1 for r in ours if r.approved), 90)


def test_a_mark_changes_when_something_arrives(feed: Feed, sources: IbisSources) -> None:
    """A prediction, or an outcome alone."""
    ours = some_applicants(90)
    feed.write(ours)
    first = sources.mark(SOURCE, MODEL, V3)
    assert (first.predictions, first.newest, first.outcomes) == (90, ours[-1].at, 60)
    assert sources.mark(SOURCE, MODEL, V3) == first
    feed.write([replace(r, bad=r.bad or 0) for r in ours])
    sources.close()
    assert sources.mark(SOURCE, MODEL, V3).outcomes == 90


def test_nothing_is_there_for_a_version_that_scored_nothing(
    feed: Feed, sources: IbisSources
) -> None:
    """Empty, and no error."""
    feed.write(some_applicants(9))
    assert sources.outcomes(SOURCE, MODEL, Version(9), since=None, until=None) == ()
    assert sources.mark(SOURCE, MODEL, Version(9)).newest is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: [*rows, rows[0]], "an id stands in it twice"),
        (lambda rows: [replace(rows[0], score=None), *rows[1:]], "has no score"),
        (lambda rows: [replace(rows[0], score=1.5), *rows[1:]], "not between 0 and 1"),
        (lambda rows: [replace(rows[0], score=-0.1), *rows[1:]], "not between 0 and 1"),
    ],
)
def test_scores_that_cannot_be_believed_are_refused(
    feed: Feed, sources: IbisSources, spoil: object, said: str
) -> None:
    """Whole; nothing is left out and judged all the same."""
    assert callable(spoil)
    feed.write(spoil(some_applicants(30)))
    for ask in (
        lambda: sources.scores(SOURCE, MODEL, V3, since=None, until=None),
        lambda: sources.decisions(SOURCE, MODEL, V3, after=None, until=None, limit=100),
    ):
        with pytest.raises(Refused, match=said) as refused:
            ask()
        assert refused.value.code == "source_wrong"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([("a3-00001", 1)], "an id stands in it twice"),
        ([("nobody", 1)], "an outcome has no prediction"),
        ([("a3-00000", 7)], "neither good nor bad"),
    ],
)
def test_outcomes_that_cannot_be_believed_are_refused(
    feed: Feed, sources: IbisSources, more: list[tuple[str, int]], said: str
) -> None:
    """An outcome twice, of nobody, or that is no outcome."""
    feed.write(some_applicants(30), more_outcomes=more)
    with pytest.raises(Refused, match=said):
        sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)
    with pytest.raises(Refused, match=said):
        all_rows(sources, limit=1000)


def test_a_column_that_is_missing_is_named_with_what_there_is(
    feed: Feed, sources: IbisSources
) -> None:
    """For whoever wrote the policy."""
    feed.write(some_applicants(9))
    wrong = a_source(predictions=replace(SOURCE.predictions, score="probability"))
    with pytest.raises(Refused, match="probability of predictions is not there") as refused:
        sources.scores(wrong, MODEL, V3, since=None, until=None)
    assert "score" in refused.value.sentence


def test_a_column_of_the_wrong_type_is_refused(feed: Feed, sources: IbisSources) -> None:
    """An id is no score, and a score is no moment."""
    feed.write(some_applicants(9))
    for changed in (
        replace(SOURCE.predictions, score="application_id"),
        replace(SOURCE.predictions, at="score"),
    ):
        with pytest.raises(Refused, match="is needed"):
            sources.scores(a_source(predictions=changed), MODEL, V3, since=None, until=None)


def test_names_are_never_code(feed: Feed, sources: IbisSources) -> None:
    """Of columns or tables."""
    feed.write(some_applicants(9))
    evil = 'score"; DROP TABLE predictions; --'
    wrong = a_source(predictions=replace(SOURCE.predictions, score=evil))
    with pytest.raises(Refused, match="is not there"):
        sources.scores(wrong, MODEL, V3, since=None, until=None)
    wrong = a_source(predictions=replace(SOURCE.predictions, table=evil))
    with pytest.raises((Unavailable, Refused)):
        sources.scores(wrong, MODEL, V3, since=None, until=None)
    assert sources.mark(SOURCE, MODEL, V3).predictions == 9


def test_a_table_that_is_gone_is_unavailable(feed: Feed, sources: IbisSources) -> None:
    """Nothing is judged, and the platform team is told which."""
    feed.write(some_applicants(9))
    gone = a_source(outcomes=replace(_outcomes(), table="defaults"))
    with pytest.raises(Unavailable, match="defaults") as problem:
        sources.outcomes(gone, MODEL, V3, since=None, until=None)
    assert problem.value.code == "source_unavailable"


def _outcomes() -> Outcomes:
    assert SOURCE.outcomes is not None
    return SOURCE.outcomes


def test_an_address_that_is_not_set_is_named_and_never_shown() -> None:
    """By its name alone."""
    with pytest.raises(Unavailable, match=f"{ADDRESS} is not set"):
        IbisSources({}).mark(SOURCE, MODEL, V3)
    secret = {ADDRESS: "postgresql://foureyes:hunter2@127.0.0.1:1/bank"}
    with pytest.raises(Unavailable) as problem:
        IbisSources(secret).mark(SOURCE, MODEL, V3)
    assert "hunter2" not in f"{problem.value}{problem.value.__cause__}"
    with pytest.raises(Unavailable, match="nothing at the path"):
        IbisSources({ADDRESS: "sqlite:////nowhere/bank.db"}).mark(SOURCE, MODEL, V3)


@pytest.mark.parametrize("feed", ["sqlite", "postgresql"], indirect=True)
def test_a_statement_that_takes_too_long_is_cut_off(feed: Feed) -> None:
    """A view that would count for ever."""
    feed.write(some_applicants(9))
    endless = (
        "CREATE VIEW slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT 'x' || i AS application_id, '2026-03-01 22:00:00' AS scored_at,"
        " 3 AS model_version, 0.5 AS score, 1 AS approved FROM n"
    )
    feed.run(endless)
    slow = a_source(predictions=replace(SOURCE.predictions, table="slow"), outcomes=None)
    sources = IbisSources(feed.environ, timeout_seconds=0.3)
    with pytest.raises(Unavailable) as problem:
        sources.mark(slow, MODEL, V3)
    assert problem.value.code == "source_unavailable"
    assert sources.mark(SOURCE, MODEL, V3).predictions == 9
    sources.close()


def test_one_table_for_both_is_not_joined(feed: Feed, sources: IbisSources) -> None:
    """An outcome that is null is not known yet."""
    if not isinstance(feed, SqliteFeed | PostgresFeed):
        return
    ours = some_applicants(30)
    feed.write(ours)
    feed.run(
        "CREATE TABLE applications AS SELECT p.*, o.is_bad FROM predictions p"
        " LEFT JOIN outcomes o ON o.application_id = p.application_id"
    )
    both = a_source(
        predictions=replace(SOURCE.predictions, table="applications"),
        outcomes=replace(_outcomes(), table="applications"),
    )
    found = counted(sources.outcomes(both, MODEL, V3, since=None, until=None))
    assert found == by_hand([r for r in ours if r.bad is not None])

"""One suite for every engine: the same rows give the same counts, and what cannot be believed is
refused with a sentence. The engines are those of the fixture `feed`."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from governance.adapters.metric_sources import IbisSources, plausibility
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.score_counts import BINS, ScoreCounts
from governance.domain.monitoring.spec import Outcomes
from governance.ports import Cursor, DayCounts, Matured
from tests.sources.feed import BEGIN, Feed, Scored, a_source, some_applicants

MODEL = ModelName("credit_scoring")
V3 = Version(3)
SOURCE = a_source()
END = BEGIN + timedelta(days=10)
TICK = timedelta(milliseconds=1)

Spoil = Callable[[list[Scored]], list[Scored]]
Ask = Callable[[IbisSources], object]


def outcomes_of(**changes: object) -> Outcomes:
    """The outcomes as the feed writes them, but for this."""
    assert SOURCE.outcomes is not None
    return replace(SOURCE.outcomes, **changes)  # type: ignore[arg-type]  # a table of fields


def counted(days: tuple[DayCounts, ...]) -> ScoreCounts:
    """All days together."""
    return sum((d.counts for d in days), ScoreCounts.empty())


def by_hand(rows: list[Scored]) -> ScoreCounts:
    """What should be counted."""
    return ScoreCounts.of((r.score or 0.0, r.bad == 1) for r in rows)


def at_of(row: Scored) -> datetime:
    """When it was scored."""
    assert row.at is not None
    return row.at


def all_rows(
    sources: IbisSources,
    *,
    limit: int = 1000,
    until: datetime = END,
    waits_since: datetime | None = None,
    version: Version = V3,
) -> list[Matured]:
    """Page by page."""
    found: list[Matured] = []
    after: Cursor | None = None
    while True:
        page = sources.matured_rows(
            SOURCE, MODEL, version, after=after, until=until, waits_since=waits_since, limit=limit
        ).rows
        found.extend(page)
        if len(page) < limit:
            return found
        after = page[-1].cursor


# --- counting -------------------------------------------------------------------------------------


def test_outcomes_are_counted_by_day_and_score(feed: Feed, sources: IbisSources) -> None:
    """Of our version alone, days in UTC, and only where the outcome is known."""
    ours, others = some_applicants(), some_applicants(50, version=2, seed=2)
    feed.write([*ours, *others])
    days = sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)
    known = [r for r in ours if r.bad is not None]
    assert [d.day for d in days] == sorted({at_of(r).date() for r in known})
    for day in days:
        assert day.counts == by_hand([r for r in known if at_of(r).date() == day.day])
    assert counted(days) == by_hand(known)


def test_scores_are_counted_whatever_their_outcome(feed: Feed, sources: IbisSources) -> None:
    """All of them, as goods."""
    ours = some_applicants()
    feed.write(ours)
    found = counted(sources.scores(SOURCE, MODEL, V3, since=None, until=None))
    assert found == ScoreCounts.of((r.score or 0.0, False) for r in ours)


def test_every_engine_puts_a_score_into_the_bin_that_python_does(
    feed: Feed, sources: IbisSources
) -> None:
    """Also on the edge between two bins, and one bit below and above it."""
    dice = random.Random(5)
    edges = [0.0, 1.0, *(k / BINS for k in dice.sample(range(1, BINS), 120))]
    scores = {s for e in edges for s in (math.nextafter(e, 0), e, math.nextafter(e, 1))}
    rows = [
        replace(row, score=score)
        for row, score in zip(some_applicants(len(scores)), sorted(scores), strict=True)
    ]
    feed.write(rows)
    found = counted(sources.scores(SOURCE, MODEL, V3, since=None, until=None))
    assert found == ScoreCounts.of((r.score or 0.0, False) for r in rows)


def test_the_days_of_a_range_add_up_to_it(feed: Feed, sources: IbisSources) -> None:
    """However it is divided: nothing is counted twice or not at all."""
    feed.write(some_applicants())
    whole = counted(sources.outcomes(SOURCE, MODEL, V3, since=None, until=None))
    cuts = [None, BEGIN + timedelta(minutes=100), BEGIN + timedelta(hours=9, seconds=1), None]
    parts = [
        counted(sources.outcomes(SOURCE, MODEL, V3, since=since, until=until))
        for since, until in pairwise(cuts)
    ]
    assert all(part.n_rows for part in parts)
    assert sum(parts, ScoreCounts.empty()) == whole


def test_a_day_ends_at_midnight_in_utc(feed: Feed, sources: IbisSources) -> None:
    """A millisecond before, at and after."""
    midnight = BEGIN.replace(hour=0) + timedelta(days=1)
    rows = [
        replace(row, at=midnight + n * TICK)
        for n, row in zip((-1, 0, 1), some_applicants(3), strict=True)
    ]
    feed.write(rows)
    days = sources.scores(SOURCE, MODEL, V3, since=None, until=None)
    assert [(d.day, d.counts.n_rows) for d in days] == [
        ((midnight - TICK).date(), 1),
        (midnight.date(), 2),
    ]


def test_a_range_holds_its_beginning_and_not_its_end(feed: Feed, sources: IbisSources) -> None:
    """Before, at and after both ends; the end is where outcomes are mature."""
    ours = some_applicants(140)
    feed.write(ours)
    for moved in (-TICK, timedelta(), TICK):
        _has_its_ends_where_they_are(sources, ours, moved)


def _has_its_ends_where_they_are(
    sources: IbisSources, ours: list[Scored], moved: timedelta
) -> None:
    since, until = BEGIN + timedelta(minutes=100) + moved, BEGIN + timedelta(minutes=600) + moved
    inside = [r for r in ours if since <= at_of(r) < until]
    assert any(at_of(r) == since - moved for r in ours)
    assert any(at_of(r) == until - moved for r in ours)
    found = counted(sources.scores(SOURCE, MODEL, V3, since=since, until=until))
    assert found.n_rows == len(inside)
    labelled = counted(sources.outcomes(SOURCE, MODEL, V3, since=since, until=until))
    assert labelled == by_hand([r for r in inside if r.bad is not None])
    _approved, decided = sources.approvals(SOURCE, MODEL, V3, since=since, until=until)
    assert decided == len(inside)
    mature = [r.id for r in ours if at_of(r) < until and r.bad is not None]
    assert [r.cursor.id for r in all_rows(sources, until=until)] == mature


def test_approvals_are_counted(feed: Feed, sources: IbisSources) -> None:
    """(approved, all)."""
    ours = some_applicants(90)
    feed.write(ours)
    found = sources.approvals(SOURCE, MODEL, V3, since=None, until=None)
    assert found == (sum(1 for r in ours if r.approved), 90)


def test_a_mark_changes_when_something_arrives(feed: Feed, sources: IbisSources) -> None:
    """A prediction, or an outcome alone; what is written while we are connected is seen."""
    ours = some_applicants(90)
    feed.write(ours)
    first = sources.mark(SOURCE, MODEL, V3)
    assert (first.predictions, first.newest, first.outcomes) == (90, ours[-1].at, 60)
    assert sources.mark(SOURCE, MODEL, V3) == first
    feed.write([replace(r, bad=r.bad or 0) for r in ours])
    assert sources.mark(SOURCE, MODEL, V3).outcomes == 90


def test_nothing_is_there_for_a_version_that_scored_nothing(
    feed: Feed, sources: IbisSources
) -> None:
    """Empty, and no error."""
    feed.write(some_applicants(9))
    nobody = Version(9)
    assert sources.outcomes(SOURCE, MODEL, nobody, since=None, until=None) == ()
    assert sources.scores(SOURCE, MODEL, nobody, since=BEGIN, until=END) == ()
    assert sources.approvals(SOURCE, MODEL, nobody, since=None, until=None) == (0, 0)
    assert all_rows(sources, version=nobody) == []
    assert sources.decisions(SOURCE, MODEL, nobody, after=None, until=None, limit=9) == ()
    assert sources.mark(SOURCE, MODEL, nobody).newest is None


def test_models_that_share_a_table_are_kept_apart(feed: Feed, sources: IbisSources) -> None:
    """By the column that names them; and a name is never code."""
    shared = a_source(predictions=replace(SOURCE.predictions, model="model_name"))
    evil = "x' OR '1'='1"
    ours = some_applicants(30)
    theirs = [replace(r, id=f"b{r.id}", model="churn") for r in some_applicants(20)]
    feed.write([*ours, *theirs])
    for model, expected in ((MODEL, 30), (ModelName("churn"), 20), (ModelName(evil), 0)):
        found = counted(sources.scores(shared, model, V3, since=None, until=None))
        assert found.n_rows == expected


def test_what_other_versions_did_wrong_is_not_ours(feed: Feed, sources: IbisSources) -> None:
    """Only rows of our version are read; and one applicant may be scored by two."""
    ours = some_applicants(30)
    feed.write([*ours, *(replace(r, version=2, score=7.0, bad=None) for r in ours)])
    found = counted(sources.outcomes(SOURCE, MODEL, V3, since=None, until=None))
    assert found == by_hand([r for r in ours if r.bad is not None])


def test_outcomes_may_be_words(feed: Feed, sources: IbisSources) -> None:
    """The one that means bad, and one other."""
    feed.write(some_applicants(90))
    plain = sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)
    words = a_source(outcomes=outcomes_of(bad="status", bad_is="default"))
    assert sources.outcomes(words, MODEL, V3, since=None, until=None) == plain
    wrong = a_source(outcomes=outcomes_of(bad="status", bad_is="Default"))
    with pytest.raises(Refused, match="status of outcomes has more words than Default"):
        sources.outcomes(wrong, MODEL, V3, since=None, until=None)


# --- one by one -----------------------------------------------------------------------------------


def test_reading_in_pieces_is_reading_at_once(feed: Feed, sources: IbisSources) -> None:
    """Also where a page ends between two predictions of one moment."""
    ours = some_applicants(90)
    feed.write(ours)
    expected = [(r.id, r.at, r.score, r.bad == 1) for r in ours if r.bad is not None]
    for limit in (13, 60, 1000):
        rows = all_rows(sources, limit=limit)
        assert [(r.cursor.id, r.cursor.at, r.score, r.is_bad) for r in rows] == expected


def test_the_order_does_not_depend_on_the_label(feed: Feed, sources: IbisSources) -> None:
    """Nor on the order in which rows were written: every outcome is turned round, and all rows."""
    ours = some_applicants(90)
    feed.write(ours)
    before = [r.cursor for r in all_rows(sources)]
    feed.write([replace(r, bad=None if r.bad is None else 1 - r.bad) for r in reversed(ours)])
    assert [r.cursor for r in all_rows(sources)] == before


def test_decisions_come_with_and_without_outcome(feed: Feed, sources: IbisSources) -> None:
    """In the same order, in pieces too."""
    ours = some_applicants(90)
    feed.write(ours)
    expected = [(r.id, r.score, r.approved) for r in ours]
    found = sources.decisions(SOURCE, MODEL, V3, after=None, until=None, limit=1000)
    assert [(d.cursor.id, d.score, d.approved) for d in found] == expected
    rest = sources.decisions(SOURCE, MODEL, V3, after=found[40].cursor, until=None, limit=1000)
    assert [(d.cursor.id, d.score, d.approved) for d in rest] == expected[41:]


def test_without_a_column_nobody_says_who_was_approved(feed: Feed, sources: IbisSources) -> None:
    """The decision threshold tells then, which is not ours to know."""
    bare = a_source(predictions=replace(SOURCE.predictions, approved=None))
    feed.write(some_applicants(9))
    found = sources.decisions(bare, MODEL, V3, after=None, until=None, limit=9)
    assert {d.approved for d in found} == {None}
    with pytest.raises(Refused, match="names no column `approved`"):
        sources.approvals(bare, MODEL, V3, since=None, until=None)


# --- what cannot be believed ----------------------------------------------------------------------


def _scores(sources: IbisSources) -> object:
    return sources.scores(SOURCE, MODEL, V3, since=None, until=None)


def _scores_in_range(sources: IbisSources) -> object:
    return sources.scores(SOURCE, MODEL, V3, since=BEGIN, until=END)


def _decisions(sources: IbisSources) -> object:
    return sources.decisions(SOURCE, MODEL, V3, after=None, until=END, limit=1000)


def _approvals(sources: IbisSources) -> object:
    return sources.approvals(SOURCE, MODEL, V3, since=BEGIN, until=END)


def _outcomes(sources: IbisSources) -> object:
    return sources.outcomes(SOURCE, MODEL, V3, since=BEGIN, until=END)


TWICE = "application_id of predictions.* has an id twice"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda r: [*r, r[0]], TWICE),
        (lambda r: [*r, replace(r[0], at=at_of(r[20]))], TWICE),
        (lambda r: [replace(r[0], id=None), *r[1:]], TWICE),
        (lambda r: [replace(r[0], at=None), *r[1:]], "scored_at of predictions has no moment"),
        (lambda r: [replace(r[0], score=None), *r[1:]], "score of predictions has no score"),
        (lambda r: [replace(r[0], score=1.0001), *r[1:]], "not between 0 and 1"),
        (lambda r: [replace(r[0], score=-0.0001), *r[1:]], "not between 0 and 1"),
        (lambda r: [replace(r[0], score=1e300), *r[1:]], "not between 0 and 1"),
        (lambda r: [replace(r[0], score=math.inf), *r[1:]], "score of predictions"),
        (lambda r: [replace(r[0], score=math.nan), *r[1:]], "score of predictions"),
    ],
)
def test_predictions_that_cannot_be_believed_are_refused(
    feed: Feed, sources: IbisSources, spoil: Spoil, said: str
) -> None:
    """Whole, and by name: nothing is left out and judged all the same."""
    feed.write([replace(r, bad=None) for r in spoil(some_applicants(30))])
    for ask in (_scores, _scores_in_range, _decisions):
        with pytest.raises(Refused, match=f"Source applications: the column .*{said}") as refused:
            ask(sources)
        assert refused.value.code == "source_wrong"
        assert "the owner of the data" in refused.value.sentence


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([("a3-00001", 1)], "of predictions or outcomes has an id twice"),
        ([("nobody", 1)], "outcomes for which there is no prediction in predictions"),
        ([("a3-00000", 7)], "is_bad of outcomes has outcomes that are neither good nor bad"),
    ],
)
def test_outcomes_that_cannot_be_believed_are_refused(
    feed: Feed, sources: IbisSources, more: list[tuple[str, int]], said: str
) -> None:
    """An outcome twice, of nobody, or that is no outcome."""
    feed.write(some_applicants(30), more_outcomes=more)
    for ask in (_outcomes, all_rows):
        with pytest.raises(Refused, match=said):
            ask(sources)


def test_a_third_word_is_neither_good_nor_bad(feed: Feed, sources: IbisSources) -> None:
    """So nobody can tell what it means."""
    feed.write(some_applicants(30), more_outcomes=[("a3-00000", 7)])
    words = a_source(outcomes=outcomes_of(bad="status", bad_is="default"))
    with pytest.raises(Refused, match="more words than default"):
        sources.outcomes(words, MODEL, V3, since=None, until=None)


def test_an_applicant_without_a_decision_is_refused(feed: Feed, sources: IbisSources) -> None:
    """Neither approved nor declined."""
    first, *others = some_applicants(30)
    feed.write([replace(first, approved=None), *others])
    for ask in (_approvals, _decisions):
        with pytest.raises(Refused, match="approved of predictions has rows that are neither"):
            ask(sources)


def test_an_id_that_comes_again_on_a_later_page_is_refused(
    feed: Feed, sources: IbisSources
) -> None:
    """At another moment or at the same one, where the next page would begin behind it."""
    rows = some_applicants(30)
    for again in (rows[4], replace(rows[4], at=at_of(rows[25]))):
        feed.write([*rows, replace(again, bad=None)])
        with pytest.raises(Refused, match="an id twice"):
            sources.matured_rows(
                SOURCE, MODEL, V3, after=None, until=END, waits_since=None, limit=4
            )


def test_too_many_ids_to_compare_at_once_are_compared_in_parts(
    feed: Feed, sources: IbisSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stands twice, or an outcome of nobody, is found before all parts had their turn."""
    monkeypatch.setattr(plausibility, "AT_ONCE", 20)
    rows = some_applicants(60)  # four parts
    feed.write(rows)
    for _look in range(5):
        assert counted(sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)).n_rows == 40
    feed.write([*rows, rows[3]])
    assert "twice" in _found_within(sources, _scores, looks=4)
    feed.write(rows, more_outcomes=[("nobody", 1)])
    assert "no prediction" in _found_within(sources, _outcomes, looks=4)


def test_what_was_found_wrong_stays_wrong_until_that_part_holds(
    feed: Feed, sources: IbisSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever part has its turn, whoever asks and for whatever range: nothing is judged by data
    that are known to be wrong. Once they are put right, all is well again."""
    monkeypatch.setattr(plausibility, "AT_ONCE", 20)
    rows = some_applicants(60)
    feed.write([*rows, rows[3]])
    assert "twice" in _found_within(sources, _scores, looks=4)
    with ThreadPoolExecutor(1) as another:
        for _look in range(6):
            assert "twice" in _found_within(sources, _scores, looks=1)
            assert "twice" in another.submit(_found_within, sources, _last_hour, looks=1).result()
        another.submit(sources.close).result()
    feed.write(rows)
    for _look in range(6):
        assert _found_within(sources, _scores, looks=1) == "nothing"


def _last_hour(sources: IbisSources) -> object:
    return sources.scores(SOURCE, MODEL, V3, since=BEGIN + timedelta(hours=4), until=None)


def _found_within(sources: IbisSources, ask: Ask, *, looks: int) -> str:
    for _look in range(looks):
        try:
            ask(sources)
        except Refused as found:
            return found.sentence
    return "nothing"


def test_a_change_of_the_clocks_shortens_no_window(
    feed: Feed, sources: IbisSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night of summer time, on a machine that lives by it: a day has 24 hours of rows."""
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    try:
        night = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
        rows = [
            replace(row, at=night + timedelta(minutes=30 * n))
            for n, row in enumerate(some_applicants(96))
        ]
        feed.write(rows)
        for hour in range(0, 48, 5):
            since = night + timedelta(hours=hour - 24)
            until = night + timedelta(hours=hour)
            days = sources.scores(SOURCE, MODEL, V3, since=since, until=until)
            expected = [r for r in rows if since <= at_of(r) < until]
            assert counted(days).n_rows == len(expected)
            assert [d.day for d in days] == sorted({at_of(r).date() for r in expected})
    finally:
        monkeypatch.undo()
        time.tzset()


# --- late outcomes --------------------------------------------------------------------------------


def test_an_outcome_that_is_late_is_waited_for_in_order(feed: Feed, sources: IbisSources) -> None:
    """Nothing behind it is read, so what is read does not depend on who reports sooner."""
    rows = [replace(row, bad=n % 2, approved=True) for n, row in enumerate(some_applicants(20))]
    late = rows[6]
    feed.write([replace(row, bad=None) if row is late else row for row in rows])
    page = sources.matured_rows(
        SOURCE, MODEL, V3, after=None, until=END, waits_since=BEGIN, limit=100
    )
    assert [r.cursor.id for r in page.rows] == [row.id for row in rows[:6]]
    assert page.waits
    feed.write(rows)
    rest = sources.matured_rows(
        SOURCE, MODEL, V3, after=page.rows[-1].cursor, until=END, waits_since=BEGIN, limit=100
    )
    assert [r.cursor.id for r in rest.rows] == [row.id for row in rows[6:]]
    assert not rest.waits


def test_nobody_waits_for_an_outcome_that_will_not_come(feed: Feed, sources: IbisSources) -> None:
    """Of whoever was declined, and of what is older than the time that outcomes are given."""
    rows = [replace(row, bad=n % 2, approved=True) for n, row in enumerate(some_applicants(20))]
    rows[4] = replace(rows[4], bad=None, approved=False)
    rows[8] = replace(rows[8], bad=None)
    feed.write(rows)
    known = [row.id for row in rows if row.bad is not None]
    assert [r.cursor.id for r in all_rows(sources, waits_since=at_of(rows[8]))] == known[:7]
    assert [r.cursor.id for r in all_rows(sources, waits_since=at_of(rows[8]) + TICK)] == known
    assert [r.cursor.id for r in all_rows(sources, waits_since=None)] == known


def test_a_mark_tells_what_arrived_and_what_was_put_right(feed: Feed, sources: IbisSources) -> None:
    """A new row, a new outcome, another score and another outcome: each makes another mark."""
    rows = some_applicants(30)
    feed.write(rows)
    first = sources.mark(SOURCE, MODEL, V3)
    assert (first.predictions, first.outcomes) == (30, 20)
    assert first.newest == at_of(rows[-1])
    assert first.newest_with_outcome == max(at_of(r) for r in rows if r.bad is not None)
    known = next(n for n, r in enumerate(rows) if r.bad is not None)
    marks = [first]
    for changed in (
        replace(rows[known], score=0.987654),
        replace(rows[known], bad=1 - (rows[known].bad or 0)),
        replace(rows[known], bad=None),
    ):
        feed.write([changed if n == known else r for n, r in enumerate(rows)])
        marks.append(sources.mark(SOURCE, MODEL, V3))
    feed.write(rows[:-1])
    marks.append(sources.mark(SOURCE, MODEL, V3))
    assert len(set(marks)) == 5
    feed.write(rows)
    assert sources.mark(SOURCE, MODEL, V3) == first


def test_predictions_of_other_versions_are_counted(feed: Feed, sources: IbisSources) -> None:
    """Since a moment, of our model alone, also where the version is none."""
    ours, others = some_applicants(10), some_applicants(8, version=2)
    foreign = [replace(r, model="fraud", id=f"f{r.id}") for r in some_applicants(5, version=1)]
    feed.write([*ours, *others, *foreign])
    shared = a_source(predictions=replace(SOURCE.predictions, model="model_name"))
    assert sources.strangers(shared, MODEL, V3, since=BEGIN) == 8
    later = at_of(others[3])
    expected = sum(at_of(r) >= later for r in others)
    assert sources.strangers(shared, MODEL, V3, since=later) == expected


# --- what is not there ----------------------------------------------------------------------------


def test_a_column_that_is_missing_is_named_with_what_there_is(
    feed: Feed, sources: IbisSources
) -> None:
    """For whoever wrote the policy."""
    feed.write(some_applicants(9))
    wrong = a_source(predictions=replace(SOURCE.predictions, score="probability"))
    with pytest.raises(Refused, match="probability of predictions is not there") as refused:
        sources.scores(wrong, MODEL, V3, since=None, until=None)
    assert "approved" in refused.value.sentence
    wrong = a_source(outcomes=outcomes_of(bad="defaulted"))
    with pytest.raises(Refused, match="defaulted of outcomes is not there"):
        sources.outcomes(wrong, MODEL, V3, since=None, until=None)


@pytest.mark.parametrize(
    ("role", "column"),
    [
        ("score", "application_id"),
        ("at", "score"),
        ("version", "score"),
        ("approved", "application_id"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused(
    feed: Feed, sources: IbisSources, role: str, column: str
) -> None:
    """An id is no score, a score is no moment and no version, and no name is a decision."""
    feed.write(some_applicants(9))
    changed = replace(SOURCE.predictions, **{role: column})
    with pytest.raises(Refused, match=f"{column} of predictions is .* needed"):
        sources.scores(a_source(predictions=changed), MODEL, V3, since=None, until=None)


def test_names_are_never_code(feed: Feed, sources: IbisSources) -> None:
    """Of columns or tables, whatever quotes they bring."""
    feed.write(some_applicants(9))
    for evil in ('score"; DROP TABLE predictions; --', "score'; DROP TABLE predictions; --"):
        wrong = a_source(predictions=replace(SOURCE.predictions, score=evil))
        with pytest.raises(Refused, match="is not there"):
            sources.scores(wrong, MODEL, V3, since=None, until=None)
        for table in (evil, f"predictions{evil}", "../predictions", "`predictions`"):
            wrong = a_source(predictions=replace(SOURCE.predictions, table=table))
            with pytest.raises(FoureyesError):
                sources.scores(wrong, MODEL, V3, since=None, until=None)
    assert sources.mark(SOURCE, MODEL, V3).predictions == 9


def test_a_table_that_is_gone_is_unavailable(feed: Feed, sources: IbisSources) -> None:
    """Nothing is judged, and the platform team is told which; the others are read as before."""
    feed.write(some_applicants(9))
    gone = a_source(outcomes=outcomes_of(table="defaults"))
    with pytest.raises(Unavailable, match=r"the table .*defaults.* is not there") as problem:
        sources.outcomes(gone, MODEL, V3, since=None, until=None)
    assert problem.value.code == "source_unavailable"
    assert "platform team" in problem.value.sentence
    assert sources.mark(SOURCE, MODEL, V3).predictions == 9


def test_a_monitor_of_outcomes_needs_a_source_that_names_them(
    feed: Feed, sources: IbisSources
) -> None:
    """The policy's owner is told; scores can be read all the same."""
    feed.write(some_applicants(9))
    bare = a_source(outcomes=None)
    assert sources.mark(bare, MODEL, V3).outcomes == 0
    assert sources.scores(bare, MODEL, V3, since=None, until=None)
    with pytest.raises(Refused, match="names no outcomes"):
        sources.outcomes(bare, MODEL, V3, since=None, until=None)


def test_threads_ask_at_once_and_get_the_same(feed: Feed, sources: IbisSources) -> None:
    """The ticker, a button and the report may meet."""
    feed.write(some_applicants())
    expected = sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)

    def ask(_number: int) -> object:
        try:
            return sources.outcomes(SOURCE, MODEL, V3, since=None, until=None)
        finally:
            sources.close()

    with ThreadPoolExecutor(4) as threads:
        assert all(found == expected for found in threads.map(ask, range(8)))

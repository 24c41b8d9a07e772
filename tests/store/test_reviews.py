"""Reviews of break-glass: what the port promises, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import RequestId
from governance.domain.break_glass import GlassId
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId
from governance.domain.review import Answer, Opinion, Review, ReviewState
from tests.builders import MODEL, NOON, a_broken_glass, a_request, a_review

REVIEW = a_review()


def test_a_review_comes_back_as_it_was_stored(store: SqlStore) -> None:
    """Every field, who was skipped and what was said too."""
    opinion = Opinion(
        person=PersonId("ana"), account="U0ANA", answer=Answer.ACCEPT, comment="", at=NOON
    )
    said = replace(REVIEW, opinions=(opinion,), repeated_at=NOON)
    with store.transaction() as tx:
        tx.add_review(REVIEW)
        tx.save_review(said)
    with store.read() as tx:
        assert tx.review(REVIEW.id) == said
        assert tx.open_reviews() == (said,)
        assert tx.reviews(MODEL) == (said,)
        assert tx.reviews(ModelName("other")) == ()
        assert MODEL in tx.known_models()


def test_a_request_and_its_glass_come_back_whole(store: SqlStore) -> None:
    """After a crash the reconciler reads from there what is to be reviewed."""
    broken = replace(a_request(), glass=a_broken_glass())
    with store.transaction() as tx:
        tx.add_request(broken)
    with store.read() as tx:
        assert tx.request(broken.id) == broken


def test_a_review_that_is_over_stays_as_it_is(store: SqlStore) -> None:
    """It waits no more, and is changed by nobody."""
    over = replace(REVIEW, state=ReviewState.ACCEPTED, closed_at=NOON)
    with store.transaction() as tx:
        tx.add_review(REVIEW)
        tx.save_review(over)
        assert tx.open_reviews() == ()
        with pytest.raises(Conflict):
            tx.save_review(REVIEW)
        assert tx.review(REVIEW.id) == over


@pytest.mark.parametrize(
    "changed",
    [
        replace(REVIEW, version=Version(9)),
        replace(REVIEW, from_version=Version(9)),
        replace(REVIEW, request_id=RequestId("r9")),
        replace(REVIEW, glass=replace(REVIEW.glass, barred={})),
        replace(REVIEW, glass=replace(REVIEW.glass, person=PersonId("vera"))),
        replace(REVIEW, glass=replace(REVIEW.glass, incident="INC-99")),
    ],
)
def test_what_a_review_is_about_stays(store: SqlStore, changed: Review) -> None:
    """The database itself refuses to let the breaker review what they did."""
    with store.transaction() as tx:
        tx.add_review(REVIEW)
    with pytest.raises(DBAPIError, match="about stays"), store.transaction() as tx:
        tx.save_review(changed)
    with store.read() as tx:
        assert tx.review(REVIEW.id) == REVIEW


def test_a_break_glass_has_one_review_and_an_unknown_one_is_refused(store: SqlStore) -> None:
    """The transaction goes on."""
    with store.transaction() as tx:
        tx.add_review(REVIEW)
        with pytest.raises(Conflict):
            tx.add_review(REVIEW)
        with pytest.raises(Refused, match="no review other"):
            tx.review(GlassId("other"))


def test_reviews_come_oldest_first(store: SqlStore) -> None:
    """Whatever the order in which they were stored."""
    later = replace(
        REVIEW,
        glass=replace(REVIEW.glass, id=GlassId("a0")),
        opened_at=NOON + timedelta(hours=1),
    )
    with store.transaction() as tx:
        tx.add_review(later)
        tx.add_review(REVIEW)
    with store.read() as tx:
        assert [r.id for r in tx.open_reviews()] == ["g1", "a0"]

"""The review of a break-glass is its table, its seats and its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.approval import RequestId
from governance.domain.errors import Refused
from governance.domain.evidence import Version
from governance.domain.identity import Person, PersonId, Role
from governance.domain.review import (
    REVIEWING,
    WAITS,
    Answer,
    Opinion,
    Review,
    ReviewEvent,
    ReviewState,
    could_review,
    debt_of,
    give,
    is_overdue,
    is_told_again,
    lifts_quarantine,
    standing_of,
    step_review,
)
from governance.domain.tenure import Ending
from tests.builders import NOON, a_person, a_review, a_roster, a_tenure

PEOPLE = a_roster().people
SOON = NOON + timedelta(minutes=5)


def an_opinion(person: str, answer: Answer = Answer.ACCEPT, comment: str = "") -> Opinion:
    return Opinion(
        person=PersonId(person),
        account=f"U0{person.upper()}",
        answer=answer,
        comment=comment,
        at=SOON,
    )


def after(review: Review, *people: str) -> Review:
    """Accepted by each of them."""
    for person in people:
        review, _event = give(review, an_opinion(person), PEOPLE)
    return review


def test_every_step_outside_the_table_is_refused() -> None:
    """A missing key is the refusal."""
    for state in ReviewState:
        for event in ReviewEvent:
            if (state, event) in REVIEWING:
                assert step_review(state, event) is REVIEWING[state, event]
            else:
                with pytest.raises(Refused, match="over"):
                    step_review(state, event)


@given(st.lists(st.sampled_from(ReviewEvent), max_size=8))
def test_a_review_that_is_over_stays_over(events: list[ReviewEvent]) -> None:
    """No event leads out of an ending, and every ending was somebody's word."""
    state = ReviewState.DUE
    for event in events:
        target = REVIEWING.get((state, event))
        if state not in WAITS:
            assert target is None
        if target is not None and target not in WAITS:
            assert event is not ReviewEvent.TIME_RAN_OUT
        state = target or state
    assert set(REVIEWING.values()) | {ReviewState.DUE} == set(ReviewState)


@given(st.permutations(["dana", "ana", "vera", "raj", "rosa", "otto"]), st.integers(0, 6))
def test_it_is_accepted_only_by_different_people_who_may(order: list[str], count: int) -> None:
    """Whoever tries in whatever order: as many seats as any assignment could fill, no maker and no
    breaker among them."""
    review = a_review()
    took: list[str] = []
    for name in order[:count]:
        try:
            review, _event = give(review, an_opinion(name), PEOPLE)
            took.append(name)
        except Refused:
            continue
    assert "dana" not in took
    assert "otto" not in took
    if review.state is ReviewState.ACCEPTED:
        assert any(
            Role("validator") in PEOPLE[PersonId(a)].roles
            and Role("risk") in PEOPLE[PersonId(b)].roles
            for a, b in permutations(took, 2)
        )
    else:
        missing = standing_of(review, PEOPLE, SOON).missing
        assert missing
        assert could_review(review, PEOPLE, SOON)


@given(st.lists(st.sampled_from(["ana", "vera", "raj", "rosa"]), unique=True, max_size=1))
def test_one_demand_ends_it_whatever_others_said(accepted: list[str]) -> None:
    """The one who accepted before may change their mind too."""
    for demanding in ("ana", "raj", "rosa"):
        review = after(a_review(), *accepted)
        demand = an_opinion(demanding, Answer.DEMAND_ROLLBACK, "it declines everybody")
        review, event = give(review, demand, PEOPLE)
        assert event is ReviewEvent.ROLLBACK_DEMANDED
        assert review.state is ReviewState.ROLLBACK_DEMANDED
        assert review.demand == demand
        with pytest.raises(Refused, match="rollback demanded"):
            give(review, an_opinion("vera"), PEOPLE)


def test_somebody_whose_seat_is_filled_may_still_demand_and_no_longer_accept() -> None:
    """Two validators, one seat."""
    review = after(a_review(), "ana")
    with pytest.raises(Refused, match="Missing: risk"):
        give(review, an_opinion("vera"), PEOPLE)
    demanded, _event = give(review, an_opinion("vera", Answer.DEMAND_ROLLBACK, "no"), PEOPLE)
    assert not demanded.is_open


@pytest.mark.parametrize(
    ("opinion", "code"),
    [
        (an_opinion("dana"), "separation_of_duties"),
        (an_opinion("otto"), "separation_of_duties"),
        (replace(an_opinion("ana"), account="U0NEW"), "added_later"),
        (an_opinion("ana", Answer.DEMAND_ROLLBACK, " \n"), "comment_missing"),
    ],
)
def test_a_word_that_does_not_count_is_refused_with_the_reason(opinion: Opinion, code: str) -> None:
    """A maker, the breaker, a new account, a demand without a reason."""
    with pytest.raises(Refused) as refusal:
        give(a_review(), opinion, PEOPLE)
    assert refusal.value.code == code


def test_the_same_acceptance_counts_once() -> None:
    """Clicking twice fills no second seat."""
    with pytest.raises(Refused, match="already counted"):
        give(after(a_review(), "rosa"), an_opinion("rosa"), PEOPLE)


def _with_roles(name: str, *roles: str) -> Mapping[PersonId, Person]:
    return {**PEOPLE, PersonId(name): a_person(name, *roles)}


def test_an_acceptance_of_somebody_who_lost_the_role_fills_no_seat() -> None:
    """As with votes: looked at again each time."""
    review = after(a_review(), "ana")
    people = _with_roles("ana", "data_scientist")
    review, event = give(review, an_opinion("raj"), people)
    assert (event, review.state) == (None, ReviewState.DUE)
    assert could_review(review, people, SOON) == {PersonId("vera"), PersonId("rosa")}


def test_a_role_that_was_given_since_counts_only_once_it_is_overdue() -> None:
    """Else a review whose people left could never be made; before that, nobody is brought in."""
    people = _with_roles("cy", "validator")
    opinion = replace(an_opinion("cy"), account="U0CY")
    with pytest.raises(Refused):
        give(a_review(), opinion, people)
    gained = _with_roles("ana", "validator", "risk")
    with pytest.raises(Refused, match="Missing: risk"):
        give(after(a_review(), "vera"), an_opinion("ana"), gained)
    late = replace(opinion, at=a_review().due_at)
    review, _event = give(a_review(), late, people)
    assert review.accepted_by == ("cy",)


@pytest.mark.parametrize(("offset_us", "overdue"), [(-1, False), (0, True), (1, True)])
def test_overdue_means_now_at_or_after_the_moment(offset_us: int, overdue: bool) -> None:
    """The boundary itself is overdue, noted or not; then it stops the next request."""
    review = a_review()
    now = review.due_at + timedelta(microseconds=offset_us)
    assert is_overdue(review, now) is overdue
    assert (debt_of([review], PersonId("otto"), now) is not None) is overdue
    assert debt_of([review], PersonId("dana"), now) is None


@given(st.lists(st.integers(0, 48), min_size=1, max_size=5), st.integers(0, 60))
def test_the_debt_is_the_oldest_that_nobody_has_reviewed(dues: list[int], hour: int) -> None:
    """One that is accepted is none any more."""
    reviews = [replace(a_review(), due_at=NOON + timedelta(hours=h)) for h in dues]
    now = NOON + timedelta(hours=hour)
    owed = debt_of(reviews, PersonId("otto"), now)
    overdue = [h for h in dues if h <= hour]
    assert (owed.due_at if owed else None) == (
        NOON + timedelta(hours=min(overdue)) if overdue else None
    )
    over = [replace(r, state=ReviewState.ACCEPTED) for r in reviews]
    assert debt_of(over, PersonId("otto"), now) is None


def test_an_overdue_review_is_told_of_at_once_and_then_every_day() -> None:
    """Until somebody ends it."""
    review = a_review()
    assert not is_told_again(review, review.due_at - timedelta(seconds=1))
    assert is_told_again(review, review.due_at)
    told = replace(review, repeated_at=review.due_at)
    day = timedelta(days=1)
    assert not is_told_again(told, review.due_at + day - timedelta(seconds=1))
    assert is_told_again(told, review.due_at + day)
    assert not is_told_again(replace(told, state=ReviewState.ACCEPTED), review.due_at + day)


def test_acceptance_makes_a_rollback_target_only_of_the_stay_that_was_reviewed() -> None:
    """A version that was rolled back meanwhile stays barred, and so does one that came back
    another way."""
    request = RequestId("r1")
    stay = replace(a_tenure(4, 0), request_id=request)
    rolled_back = replace(stay, ended_at=NOON, ending=Ending.ROLLBACK)
    succeeded = replace(stay, ended_at=NOON, ending=Ending.PROMOTION)
    assert lifts_quarantine([stay], Version(4), request)
    assert lifts_quarantine([succeeded, a_tenure(5, 1)], Version(4), request)
    assert not lifts_quarantine([rolled_back], Version(4), request)
    assert not lifts_quarantine([succeeded, a_tenure(4, 1)], Version(4), request)
    assert not lifts_quarantine([], Version(4), request)
    assert not lifts_quarantine([stay], Version(4), None)

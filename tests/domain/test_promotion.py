"""The lifecycle is its table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.canonical import digest_of
from governance.domain.errors import Refused
from governance.domain.promotion import (
    LIFECYCLE,
    OPEN,
    TAKES_VOTES,
    Event,
    State,
    diagram,
    is_expired,
    step,
)
from tests.builders import NOON, a_request


def test_every_step_outside_the_table_is_refused_with_a_reason() -> None:
    """A missing key is the refusal."""
    for state in State:
        for event in Event:
            if (state, event) in LIFECYCLE:
                assert step(state, event) is LIFECYCLE[state, event]
            else:
                with pytest.raises(Refused, match=state.value):
                    step(state, event)


@given(st.lists(st.sampled_from(Event), max_size=12))
def test_a_request_that_is_over_stays_as_it_is(events: list[Event]) -> None:
    """No event leads out of an ending."""
    state = State.PENDING
    for event in events:
        target = LIFECYCLE.get((state, event))
        if state not in OPEN:
            assert target is None
        state = target or state


def test_executing_can_only_end_by_what_mlflow_answers() -> None:
    """Nobody withdraws, rejects or expires a transition that is under way."""
    events = {event for (state, event) in LIFECYCLE if state is State.EXECUTING}
    assert events == {Event.TRANSITION_DONE, Event.TRANSITION_FAILED}


def test_production_is_reached_only_through_approved_or_broken_glass() -> None:
    """Without `quorum met` nothing executes, save past policy, under its own name."""
    reached = {State.PENDING}
    for _ in State:
        reached |= {
            target
            for (state, event), target in LIFECYCLE.items()
            if state in reached and event not in (Event.QUORUM_MET, Event.GLASS_BROKEN)
        }
    assert State.EXECUTING not in reached
    assert State.COMPLETED not in reached


def test_glass_is_broken_only_before_execution_and_leads_only_there() -> None:
    """It then ends by what MLflow answers, as every transition."""
    steps = {s: t for (s, event), t in LIFECYCLE.items() if event is Event.GLASS_BROKEN}
    assert steps == dict.fromkeys(TAKES_VOTES, State.EXECUTING)


def test_every_state_can_be_reached_and_every_open_state_can_end() -> None:
    """No word in the list is dead."""
    assert set(LIFECYCLE.values()) | {State.PENDING} == set(State)
    for state in OPEN:
        assert any(s is state for (s, _event) in LIFECYCLE)


def test_votes_count_until_execution_begins_and_not_after() -> None:
    """Pending, approved and held take votes; executing does not."""
    assert {State.PENDING, State.APPROVED, State.HELD} == TAKES_VOTES


@pytest.mark.parametrize(("offset_us", "expired"), [(-1, False), (0, True), (1, True)])
def test_expired_means_now_at_or_after_the_moment(offset_us: int, expired: bool) -> None:
    """The boundary itself is expired."""
    assert is_expired(NOON, NOON + timedelta(microseconds=offset_us)) is expired


def test_the_diagram_shows_every_step_of_the_table() -> None:
    """The documentation's picture cannot drift from the code."""
    drawn = diagram()
    for (state, event), target in LIFECYCLE.items():
        line = next(
            x
            for x in drawn.splitlines()
            if x.strip().startswith(f"{state.value} --> {target.value}:")
        )
        assert event.value in line


def test_a_drawing_changes_with_what_a_vote_binds_and_with_nothing_else() -> None:
    """Votes move the state, never the drawing; other evidence is another drawing."""
    request = a_request()
    assert a_request(state=State.HELD).drawing == request.drawing
    binding = replace(request.binding, evidence=digest_of("other evidence"))
    assert replace(request, binding=binding).drawing != request.drawing

"""An empty seat opens to a second role when its time has come, and to nobody whom a rule bars."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.approval import could_fill, tally
from governance.domain.escalation import due_escalations, may_fill
from governance.domain.identity import PersonId, Role
from governance.domain.policy import Escalation, Seats
from tests.builders import NOON

ROLES = [Role("validator"), Role("risk"), Role("lead"), Role("head")]
NAMES = [PersonId(n) for n in ("ana", "bo", "cy", "di", "ed")]
AFTER = timedelta(hours=4)

_seats = st.lists(
    st.builds(
        lambda role, to, count: Seats(
            role=role,
            count=count,
            escalation=Escalation(after=AFTER, to=to) if to != role else None,
        ),
        st.sampled_from(ROLES),
        st.sampled_from(ROLES),
        st.integers(1, 2),
    ),
    max_size=2,
    unique_by=lambda s: s.role,
)
_roles = st.frozensets(st.sampled_from(ROLES))
_approvals = st.dictionaries(st.sampled_from(NAMES), _roles, max_size=4)
_barred = st.dictionaries(st.sampled_from(NAMES), st.just("made it"), max_size=3)


def _accepted(seats: list[Seats], escalated: frozenset[Role]) -> list[frozenset[Role]]:
    """The roles that may fill each place."""
    return [
        frozenset({s.role, s.escalation.to})
        if s.escalation and s.role in escalated
        else frozenset({s.role})
        for s in seats
        for _ in range(s.count)
    ]


@given(_seats, _approvals, _barred, _roles)
def test_as_many_seats_are_filled_as_any_assignment_could(
    seats: list[Seats],
    approvals: dict[PersonId, frozenset[Role]],
    barred: dict[PersonId, str],
    escalated: frozenset[Role],
) -> None:
    """Agrees with trying every order of people, seats open to a second role among them."""
    places = _accepted(seats, escalated)
    people: list[PersonId | None] = [p for p in approvals if p not in barred]
    people += [None] * len(places)
    most = max(
        sum(
            p is not None and bool(approvals[p] & accepted)
            for accepted, p in zip(places, order, strict=True)
        )
        for order in set(permutations(people, len(places)))
    )
    assert tally(seats, approvals, barred, escalated=escalated).filled == most


@given(_seats, _approvals, _barred, _roles)
def test_escalation_lets_no_barred_person_in_and_seats_nobody_twice(
    seats: list[Seats],
    approvals: dict[PersonId, frozenset[Role]],
    barred: dict[PersonId, str],
    escalated: frozenset[Role],
) -> None:
    """Whoever sits holds the role that is said, and that role may sit there."""
    quorum = tally(seats, approvals, barred, escalated=escalated)
    sitting = [s.person for s in quorum.seats if s.person is not None]
    assert len(sitting) == len(set(sitting))
    opened = {s.role: s.escalation.to for s in seats if s.escalation and s.role in escalated}
    for filled in quorum.seats:
        if filled.person is not None:
            assert filled.person not in barred
            assert filled.held in approvals[filled.person]
            assert filled.held in {filled.seat.role, opened.get(filled.seat.role)}
            assert filled.held in may_fill(seats, escalated)


@given(_seats, _approvals, _barred, _roles, _approvals)
def test_escalation_only_ever_opens(
    seats: list[Seats],
    approvals: dict[PersonId, frozenset[Role]],
    barred: dict[PersonId, str],
    escalated: frozenset[Role],
    candidates: dict[PersonId, frozenset[Role]],
) -> None:
    """No seat is emptied by it, and whoever is asked is not barred and would fill one more."""
    before = tally(seats, approvals, barred).filled
    have = tally(seats, approvals, barred, escalated=escalated).filled
    assert have >= before
    for person in could_fill(seats, approvals, barred, candidates, escalated=escalated):
        assert person not in barred
        more = {**approvals, person: candidates[person]}
        assert tally(seats, more, barred, escalated=escalated).filled == have + 1


@pytest.mark.parametrize(("microseconds", "is_due"), [(-1, False), (0, True), (1, True)])
def test_a_seat_is_opened_when_its_time_has_come(microseconds: int, is_due: bool) -> None:
    """The boundary itself is due."""
    seats = [Seats(role=ROLES[1], count=1, escalation=Escalation(after=AFTER, to=ROLES[2]))]
    now = NOON + AFTER + timedelta(microseconds=microseconds)
    due = due_escalations(seats, [ROLES[1]], frozenset(), opened_at=NOON, now=now)
    assert bool(due) is is_due


def test_a_seat_that_is_filled_or_open_already_or_never_opens_is_left_alone() -> None:
    """One reason each."""
    opening = Seats(role=ROLES[1], count=1, escalation=Escalation(after=AFTER, to=ROLES[2]))
    late = NOON + timedelta(days=1)
    nothing = frozenset[Role]()
    assert due_escalations([opening], [], nothing, opened_at=NOON, now=late) == ()
    assert (
        due_escalations([opening], [ROLES[1]], frozenset({ROLES[1]}), opened_at=NOON, now=late)
        == ()
    )
    plain = Seats(role=ROLES[1], count=1)
    assert due_escalations([plain], [ROLES[1]], nothing, opened_at=NOON, now=late) == ()
    assert due_escalations([opening], [ROLES[1]], nothing, opened_at=NOON, now=late) == (opening,)

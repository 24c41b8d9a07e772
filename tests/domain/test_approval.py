"""Seats are filled by different eligible people, as many as can be."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from governance.domain.approval import could_fill, tally, who_is_missing
from governance.domain.identity import PersonId, Role
from governance.domain.policy import Seats

ROLES = [Role("validator"), Role("risk"), Role("legal")]
NAMES = [PersonId(n) for n in ("ana", "bo", "cy", "di", "ed")]

_seats = st.lists(
    st.builds(lambda r, n: Seats(role=r, count=n), st.sampled_from(ROLES), st.integers(1, 2)),
    max_size=3,
    unique_by=lambda s: s.role,
)
_approvals = st.dictionaries(
    st.sampled_from(NAMES), st.frozensets(st.sampled_from(ROLES)), max_size=5
)
_barred = st.dictionaries(st.sampled_from(NAMES), st.just("made it"), max_size=3)


def _most_by_brute_force(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]], barred: dict[PersonId, str]
) -> int:
    places = [s.role for s in seats for _ in range(s.count)]
    people = [p for p in approvals if p not in barred]
    people += [None] * len(places)  # type: ignore[list-item]  # nobody sits there
    return max(
        (
            sum(
                p is not None and role in approvals[p]
                for role, p in zip(places, order, strict=True)
            )
            for order in set(permutations(people, len(places)))
        ),
        default=0,
    )


@given(_seats, _approvals, _barred)
def test_as_many_seats_are_filled_as_any_assignment_could(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]], barred: dict[PersonId, str]
) -> None:
    """Agrees with trying every order of people."""
    few = dict(list(approvals.items())[:4])
    small = seats[:2]
    assert tally(small, few, barred).filled == _most_by_brute_force(small, few, barred)


@given(_seats, _approvals, _barred)
def test_nobody_sits_twice_or_without_the_role_or_while_barred(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]], barred: dict[PersonId, str]
) -> None:
    """Whatever the votes."""
    quorum = tally(seats, approvals, barred)
    sitting = [s.person for s in quorum.seats if s.person is not None]
    assert len(sitting) == len(set(sitting))
    for filled in quorum.seats:
        if filled.person is not None:
            assert filled.seat.role in approvals[filled.person]
            assert filled.person not in barred
    assert set(quorum.excluded) | set(sitting) == set(approvals)


@given(_seats, _approvals)
def test_the_order_of_votes_does_not_matter(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]]
) -> None:
    """The same people give the same seats."""
    backwards = dict(reversed(list(approvals.items())))
    assert tally(seats, approvals, {}) == tally(seats, backwards, {})


@given(_seats, _approvals, st.sampled_from(NAMES))
def test_one_more_vote_never_empties_a_seat(
    seats: list[Seats], approvals: dict[PersonId, frozenset[Role]], late: PersonId
) -> None:
    """Quorums only grow."""
    before = tally(seats, approvals, {}).filled
    more = {**approvals, late: approvals.get(late, frozenset()) | {ROLES[0]}}
    assert tally(seats, more, {}).filled >= before


@given(_seats, _approvals, _approvals)
def test_those_who_are_asked_would_each_fill_one_more_seat(
    seats: list[Seats],
    approvals: dict[PersonId, frozenset[Role]],
    candidates: dict[PersonId, frozenset[Role]],
) -> None:
    """Nobody is asked for nothing."""
    have = tally(seats, approvals, {}).filled
    for person in could_fill(seats, approvals, {}, candidates):
        assert tally(seats, {**approvals, person: candidates[person]}, {}).filled == have + 1


def test_somebody_with_two_roles_does_not_block_the_seat_that_only_they_leave_free() -> None:
    """Rosa moves to risk when Ana comes as validator."""
    seats = [Seats(role=Role("validator"), count=1), Seats(role=Role("risk"), count=1)]
    both = frozenset({Role("validator"), Role("risk")})
    votes = {PersonId("rosa"): both, PersonId("ana"): frozenset({Role("validator")})}
    assert tally(seats, votes, {}).met


def test_a_quorum_that_nobody_can_meet_names_the_roles() -> None:
    """One person cannot be two."""
    seats = [Seats(role=Role("validator"), count=1), Seats(role=Role("risk"), count=1)]
    people = {PersonId("rosa"): frozenset({Role("validator"), Role("risk")})}
    assert len(who_is_missing(seats, people, ())) == 1
    assert len(who_is_missing(seats, people, [PersonId("rosa")])) == 2

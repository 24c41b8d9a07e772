"""Who stands in for whom, with whose voice, and that nobody's voice or seat is counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.absence import (
    MOST_DAYS,
    Absence,
    end_of,
    refuse_bad_day,
    standing_in,
    voices,
)
from governance.domain.approval import Decision, StoodIn, Verdict, tally
from governance.domain.errors import Refused
from governance.domain.identity import PersonId, Role
from governance.domain.policy import Seats
from tests.builders import NOON, a_decision

ROLES = [Role("validator"), Role("risk"), Role("legal")]
NAMES = [PersonId(n) for n in ("ana", "bo", "cy", "di", "ed")]
TODAY = date(2026, 3, 2)

_roles = st.frozensets(st.sampled_from(ROLES))
_seats = st.lists(
    st.builds(lambda r, n: Seats(role=r, count=n), st.sampled_from(ROLES), st.integers(1, 2)),
    max_size=2,
    unique_by=lambda s: s.role,
)
_barred = st.dictionaries(st.sampled_from(NAMES), st.just("made it"), max_size=2)


def an_absence(person: str, stand_in: str | None, *, days: int = 1) -> Absence:
    """Somebody is away for so many days."""
    return Absence(
        person=PersonId(person),
        stand_in=PersonId(stand_in) if stand_in else None,
        account="U0",
        began_at=NOON,
        last_day=TODAY,
        ends_at=NOON + timedelta(days=days),
    )


@st.composite
def _votes(draw: st.DrawFn) -> list[Decision]:
    """Decisions of some people, each perhaps standing in for others."""
    found = []
    voters = draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
    for voter in voters:
        others = [n for n in NAMES if n != voter]
        absents = draw(st.lists(st.sampled_from(others), max_size=2, unique=True))
        stood = tuple(
            StoodIn(absent=a, account="U0", roles=draw(_roles), last_day=TODAY) for a in absents
        )
        verdict = draw(st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT]))
        decision = replace(a_decision("ana"), person=voter, roles=draw(_roles), verdict=verdict)
        found.append(replace(decision, standing_in=stood))
    return found


def _approvals(votes: list[Decision]) -> dict[PersonId, frozenset[Role]]:
    return {d.person: d.roles for d in votes if d.verdict is Verdict.APPROVE}


def _most_by_brute_force(
    seats: list[Seats], votes: list[Decision], barred: dict[PersonId, str]
) -> int:
    """Every way to seat voters, each by one voice: their own, or that of somebody who did not
    decide and for whom nobody decided before."""
    places = [s.role for s in seats for _ in range(s.count)]
    spoken = {d.person for d in votes}
    rights: dict[PersonId, list[tuple[PersonId, Role]]] = {}
    for vote in votes:
        mine = [(vote.person, role) for role in vote.roles]
        free = [s for s in vote.standing_in if s.absent not in spoken]
        mine += [(s.absent, role) for s in free for role in s.roles]
        spoken |= {s.absent for s in free if s.roles}
        concerned = {vote.person, *(s.absent for s in vote.standing_in)}
        if vote.verdict is Verdict.APPROVE and not concerned & set(barred):
            rights[vote.person] = mine
    people: list[PersonId | None] = [*rights, *([None] * len(places))]
    return max(
        sum(
            p is not None and any(role == r for _whose, r in rights[p])
            for role, p in zip(places, order, strict=True)
        )
        for order in set(permutations(people, len(places)))
    )


@given(_seats, _votes(), _barred)
def test_as_many_seats_are_filled_as_any_assignment_of_voices_could(
    seats: list[Seats], votes: list[Decision], barred: dict[PersonId, str]
) -> None:
    """Agrees with trying them all."""
    quorum = tally(seats, _approvals(votes), barred, lent=voices(votes))
    assert quorum.filled == _most_by_brute_force(seats, votes, barred)


@given(_seats, _votes(), _barred)
def test_nobody_sits_twice_and_no_voice_is_heard_twice(
    seats: list[Seats], votes: list[Decision], barred: dict[PersonId, str]
) -> None:
    """Neither as oneself nor by a stand-in; and where either is barred, nobody sits."""
    quorum = tally(seats, _approvals(votes), barred, lent=voices(votes))
    sitting = [s for s in quorum.seats if s.person is not None]
    assert len({s.person for s in sitting}) == len(sitting)
    heard = [s.absent or s.person for s in sitting]
    assert len(set(heard)) == len(heard)
    decided = {d.person for d in votes}
    stood = {d.person: {s.absent for s in d.standing_in} for d in votes}
    for seat in sitting:
        assert seat.person is not None
        assert seat.person not in barred
        assert not stood[seat.person] & set(barred)
        if seat.absent is not None:
            assert seat.absent not in decided


@given(
    st.lists(
        st.builds(
            lambda p, s, d: replace(an_absence("x", None, days=d), person=p, stand_in=s),
            st.sampled_from(NAMES),
            st.sampled_from([*NAMES, None]),
            st.integers(0, 2),
        ),
        max_size=5,
        unique_by=lambda a: a.person,
    )
)
def test_depth_one(absences: list[Absence]) -> None:
    """Whoever is away stands in for nobody, so nothing is handed on; what is over lends nothing."""
    now = NOON + timedelta(days=1)
    away = {a.person for a in absences if now < a.ends_at}
    for stand_in, running in standing_in(absences, now).items():
        assert stand_in not in away
        for absence in running:
            assert absence.stand_in == stand_in
            assert now < absence.ends_at


@pytest.mark.parametrize(("microseconds", "stands"), [(-1, True), (0, False), (1, False)])
def test_an_absence_is_over_at_its_end(microseconds: int, stands: bool) -> None:
    """The moment itself is over."""
    absence = an_absence("ana", "bo")
    now = absence.ends_at + timedelta(microseconds=microseconds)
    assert bool(standing_in([absence], now)) is stands


@pytest.mark.parametrize(
    ("days", "taken"), [(-1, False), (0, True), (MOST_DAYS, True), (MOST_DAYS + 1, False)]
)
def test_an_absence_ends_within_ninety_days(days: int, taken: bool) -> None:
    """Today is the earliest last day."""
    last_day = TODAY + timedelta(days=days)
    if taken:
        refuse_bad_day(last_day, TODAY)
    else:
        with pytest.raises(Refused, match="90 days ahead"):
            refuse_bad_day(last_day, TODAY)


def test_the_last_day_ends_at_midnight_where_the_person_is() -> None:
    """Also on a day with 23 hours."""
    zone = ZoneInfo("Europe/Amsterdam")
    assert end_of(date(2026, 3, 29), zone).isoformat() == "2026-03-30T00:00:00+02:00"

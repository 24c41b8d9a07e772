"""Who may approve, and whether it is enough. Pure: no clock, no IO, no vendor.

A seat is a place in the quorum that one role fills; every seat is filled by a different eligible
person, found by bipartite matching, so that somebody with two roles never counts twice and never
blocks a seat that only they could have left free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

from governance.domain.canonical import Digest, Json, digest_of
from governance.domain.evidence import Version
from governance.domain.identity import PersonId, Role
from governance.domain.policy import Seats

RequestId = NewType("RequestId", str)
DecisionId = NewType("DecisionId", int)


class Verdict(StrEnum):
    """What one person says to a request."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a decision is about, beside the request itself. Computed again at execution."""

    content: Digest
    evidence: Digest
    policy: Digest
    expected_production: Version | None

    @property
    def facts(self) -> Mapping[str, Json]:
        """As it goes into the record."""
        return {
            "content": self.content,
            "evidence": self.evidence,
            "policy": self.policy,
            "expected_production": self.expected_production,
        }

    @property
    def digest(self) -> Digest:
        """One digest over all four."""
        return digest_of(self.facts)


@dataclass(frozen=True, kw_only=True)
class StoodIn:
    """For whom somebody stood in when they decided."""

    absent: PersonId
    account: str
    """The account with which the absent person said that they are away."""
    roles: frozenset[Role]
    """The absent person's roles that could count for this request then."""
    last_day: date


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One person's word on one request, and what it binds."""

    request_id: RequestId
    person: PersonId
    account: str
    verdict: Verdict
    comment: str
    binding: Binding
    roles: frozenset[Role]
    """The roles that could count for this request when the decision was made."""
    at: datetime
    standing_in: tuple[StoodIn, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One place of the quorum: the role, and which of that role's places (from 1)."""

    role: Role
    number: int


@dataclass(frozen=True, kw_only=True)
class FilledSeat:
    """A seat and who fills it; None while nobody does."""

    seat: Seat
    person: PersonId | None
    held: Role | None = None
    """The role by which they fill it: another than the seat's once it was escalated."""
    absent: PersonId | None = None
    """The person for whom they stand in: the role is that person's."""
    away_until: date | None = None
    """The last day of that person's absence."""
    open_to: Role | None = None
    """The role that may fill it as well, once it was escalated."""


@dataclass(frozen=True, kw_only=True)
class Quorum:
    """The answer of `tally`."""

    seats: tuple[FilledSeat, ...]
    excluded: Mapping[PersonId, str]
    """Approvals that fill no seat, and why."""
    unanswered: tuple[PersonId, ...] = ()
    """Who asked for changes and was not answered yet."""

    @property
    def met(self) -> bool:
        """Every seat is filled, and whoever asked for changes was answered. Without seats nothing
        is asked of anybody."""
        return not self.unanswered and all(s.person is not None for s in self.seats)

    @property
    def missing(self) -> tuple[Role, ...]:
        """The role of each empty seat."""
        return tuple(s.seat.role for s in self.seats if s.person is None)

    @property
    def filled(self) -> int:
        """How many seats are filled."""
        return sum(s.person is not None for s in self.seats)


Lent = Mapping[PersonId, Mapping[PersonId, frozenset[Role]]]
"""Stand-in → the persons for whom they stand in → the roles that each of those lends them."""
NOTHING_LENT: Lent = MappingProxyType({})


def tally(
    seats: Sequence[Seats],
    approvals: Mapping[PersonId, frozenset[Role]],
    barred: Mapping[PersonId, str],
    *,
    escalated: frozenset[Role] = frozenset(),
    lent: Lent = NOTHING_LENT,
) -> Quorum:
    """Assign as many seats as can be filled by different people.

    `approvals` gives the roles that each approver holds now and held when the request opened;
    `barred` says why somebody may not count, whatever their roles. A seat whose role is in
    `escalated` may be filled by the role that it escalates to as well. A stand-in has the roles
    that were lent too, save those of somebody who decided themselves; whoever stands in for
    somebody barred is barred. The assignment is the same for the same input: people are taken in
    order of their ids.
    """
    places = _places(seats)
    wider = {s.role: s.escalation.to for s in seats if s.escalation and s.role in escalated}
    out = {**barred_stand_ins(barred, lent), **barred}
    excluded = {p: out[p] for p in approvals if p in out}
    eligible = [p for p in sorted(approvals) if p not in out]
    rights = _rights(eligible, approvals, lent)
    opens = {
        person: {place: r for place in places if (r := _by_right(place, wider, mine)) is not None}
        for person, mine in rights.items()
    }
    matched = _match(places, opens)
    sitting = set(matched.values())
    for person in eligible:
        if person not in sitting:
            reason = "no seat left to fill" if opens[person] else "holds none of the roles asked"
            excluded[person] = reason
    return Quorum(
        seats=tuple(_filled(place, matched.get(place), opens, wider) for place in places),
        excluded=excluded,
    )


def barred_stand_ins(barred: Mapping[PersonId, str], lent: Lent) -> Mapping[PersonId, str]:
    """Who is barred because of a person for whom they stand in."""
    return {
        stand_in: f"stands in for {absent}, who {barred[absent]}"
        for stand_in, absents in lent.items()
        for absent in sorted(absents, reverse=True)
        if absent in barred
    }


def who_is_missing(
    seats: Sequence[Seats], people: Mapping[PersonId, frozenset[Role]], barred: Iterable[PersonId]
) -> tuple[Role, ...]:
    """The roles of the seats that stay empty even if everyone who may approve did; an empty
    answer means that the quorum can be met."""
    out = dict.fromkeys(barred, "barred")
    return tally(seats, people, out).missing


def could_fill(
    seats: Sequence[Seats],
    approvals: Mapping[PersonId, frozenset[Role]],
    barred: Mapping[PersonId, str],
    candidates: Mapping[PersonId, frozenset[Role]],
    *,
    escalated: frozenset[Role] = frozenset(),
    lent: Lent = NOTHING_LENT,
) -> frozenset[PersonId]:
    """Those whose approval would fill one more seat now; the only people worth asking."""
    have = tally(seats, approvals, barred, escalated=escalated, lent=lent).filled

    def filled_with(person: PersonId, roles: frozenset[Role]) -> int:
        more = {**approvals, person: roles}
        return tally(seats, more, barred, escalated=escalated, lent=lent).filled

    return frozenset(
        person
        for person, roles in candidates.items()
        if person not in approvals
        and person not in barred
        and (roles or person in lent)
        and filled_with(person, roles) > have
    )


def bar_makers(
    makers: Iterable[PersonId], requester: PersonId, owners: Iterable[PersonId] = ()
) -> Mapping[PersonId, str]:
    """Who made it or asked for it does not approve it; owners only where the policy says so."""
    barred: dict[PersonId, str] = dict.fromkeys(owners, "owners of this model may not approve it")
    barred.update(dict.fromkeys(makers, "made this version"))
    barred[requester] = "opened this request"
    return barred


def _places(seats: Sequence[Seats]) -> tuple[Seat, ...]:
    ordered = sorted(seats, key=lambda s: s.role)
    return tuple(Seat(role=s.role, number=n) for s in ordered for n in range(1, s.count + 1))


@dataclass(frozen=True, kw_only=True)
class _Right:
    """A role, and whose it is: None means the voter's own."""

    role: Role
    absent: PersonId | None


def _rights(
    eligible: Sequence[PersonId], approvals: Mapping[PersonId, frozenset[Role]], lent: Lent
) -> Mapping[PersonId, Sequence[_Right]]:
    """Own roles first. A person who decided themselves lends nothing, and nobody lends twice."""
    spoken = set(approvals)
    rights: dict[PersonId, Sequence[_Right]] = {}
    for person in eligible:
        mine = [_Right(role=role, absent=None) for role in sorted(approvals[person])]
        for absent, roles in sorted(lent.get(person, {}).items()):
            if roles and absent not in spoken:
                spoken.add(absent)
                mine += [_Right(role=role, absent=absent) for role in sorted(roles)]
        rights[person] = mine
    return rights


def _by_right(place: Seat, wider: Mapping[Role, Role], mine: Sequence[_Right]) -> _Right | None:
    """The right by which somebody may sit there: as the seat's own role before another."""
    for role in (place.role, wider.get(place.role)):
        found = next((right for right in mine if right.role == role), None)
        if found is not None:
            return found
    return None


def _filled(
    place: Seat,
    person: PersonId | None,
    opens: Mapping[PersonId, Mapping[Seat, _Right]],
    wider: Mapping[Role, Role],
) -> FilledSeat:
    right = opens[person][place] if person is not None else None
    return FilledSeat(
        seat=place,
        person=person,
        held=right.role if right else None,
        absent=right.absent if right else None,
        open_to=wider.get(place.role),
    )


def _match(
    places: Sequence[Seat], opens: Mapping[PersonId, Mapping[Seat, _Right]]
) -> Mapping[Seat, PersonId]:
    """Maximum bipartite matching by augmenting paths (Kuhn 1955); seats number a handful."""
    taken: dict[Seat, PersonId] = {}

    def seat(person: PersonId, tried: set[Seat]) -> bool:
        for place in places:
            if place not in opens[person] or place in tried:
                continue
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = person
                return True
        return False

    for person in opens:
        seat(person, set())
    return taken

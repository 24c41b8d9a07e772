"""Who may approve, and whether it is enough. Pure: no clock, no IO, no vendor.

A seat is a place in the quorum that one role fills; every seat is filled by a different eligible
person, found by bipartite matching, so that somebody with two roles never counts twice and never
blocks a seat that only they could have left free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from governance.domain.canonical import Digest, digest_of
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
    def digest(self) -> Digest:
        """One digest over all four."""
        return digest_of(
            {
                "content": self.content,
                "evidence": self.evidence,
                "policy": self.policy,
                "expected_production": self.expected_production,
            }
        )


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


@dataclass(frozen=True, kw_only=True)
class Quorum:
    """The answer of `tally`."""

    seats: tuple[FilledSeat, ...]
    excluded: Mapping[PersonId, str]
    """Approvals that fill no seat, and why."""

    @property
    def met(self) -> bool:
        """Every seat is filled. Without seats nothing is asked of anybody."""
        return all(s.person is not None for s in self.seats)

    @property
    def missing(self) -> tuple[Role, ...]:
        """The role of each empty seat."""
        return tuple(s.seat.role for s in self.seats if s.person is None)

    @property
    def filled(self) -> int:
        """How many seats are filled."""
        return sum(s.person is not None for s in self.seats)


def tally(
    seats: Sequence[Seats],
    approvals: Mapping[PersonId, frozenset[Role]],
    barred: Mapping[PersonId, str],
) -> Quorum:
    """Assign as many seats as can be filled by different people.

    `approvals` gives the roles that each approver holds now and held when the request opened;
    `barred` says why somebody may not count, whatever their roles. The assignment is the
    same for the same input: people are taken in order of their ids.
    """
    places = _places(seats)
    excluded = {p: barred[p] for p in approvals if p in barred}
    eligible = {p: roles for p, roles in sorted(approvals.items()) if p not in barred}
    matched = _match(places, eligible)
    sitting = set(matched.values())
    wanted = {p.role for p in places}
    for person, roles in eligible.items():
        if person not in sitting:
            reason = "no seat left to fill" if roles & wanted else "holds none of the roles asked"
            excluded[person] = reason
    return Quorum(
        seats=tuple(FilledSeat(seat=s, person=matched.get(s)) for s in places),
        excluded=excluded,
    )


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
) -> frozenset[PersonId]:
    """Those whose approval would fill one more seat now; the only people worth asking."""
    have = tally(seats, approvals, barred).filled
    return frozenset(
        person
        for person, roles in candidates.items()
        if person not in approvals
        and person not in barred
        and tally(seats, {**approvals, person: roles}, barred).filled > have
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


def _match(
    places: Sequence[Seat], people: Mapping[PersonId, frozenset[Role]]
) -> Mapping[Seat, PersonId]:
    """Maximum bipartite matching by augmenting paths (Kuhn 1955); seats number a handful."""
    taken: dict[Seat, PersonId] = {}

    def seat(person: PersonId, tried: set[Seat]) -> bool:
        for place in places:
            if place.role not in people[person] or place in tried:
                continue
            tried.add(place)
            if place not in taken or seat(taken[place], tried):
                taken[place] = person
                return True
        return False

    for person in people:
        seat(person, set())
    return taken

"""The review of a break-glass, from due until it is accepted or a rollback is demanded.

The lifecycle is one table; a missing key is the refusal. Pure: no clock, no IO, no vendor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from governance.domain.absence import Absence
from governance.domain.approval import Quorum, RequestId, could_fill, tally
from governance.domain.break_glass import BrokenGlass, GlassId, ReviewSeats
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Person, PersonId, Role
from governance.domain.policy import Seats
from governance.domain.tenure import Ending, Tenure


class ReviewState(StrEnum):
    """Where a review is."""

    DUE = "due"
    OVERDUE = "overdue"
    ACCEPTED = "accepted"
    ROLLBACK_DEMANDED = "rollback_demanded"


class ReviewEvent(StrEnum):
    """What happens to a review."""

    EVERY_SEAT_ACCEPTED = "every seat accepted"
    ROLLBACK_DEMANDED = "rollback demanded"
    TIME_RAN_OUT = "time ran out"


REVIEWING: Mapping[tuple[ReviewState, ReviewEvent], ReviewState] = {
    (ReviewState.DUE, ReviewEvent.EVERY_SEAT_ACCEPTED): ReviewState.ACCEPTED,
    (ReviewState.DUE, ReviewEvent.ROLLBACK_DEMANDED): ReviewState.ROLLBACK_DEMANDED,
    (ReviewState.DUE, ReviewEvent.TIME_RAN_OUT): ReviewState.OVERDUE,
    (ReviewState.OVERDUE, ReviewEvent.EVERY_SEAT_ACCEPTED): ReviewState.ACCEPTED,
    (ReviewState.OVERDUE, ReviewEvent.ROLLBACK_DEMANDED): ReviewState.ROLLBACK_DEMANDED,
}
WAITS = frozenset({ReviewState.DUE, ReviewState.OVERDUE})
"""States in which a review is not over."""
REPEATED_EVERY = timedelta(days=1)
"""How often an overdue review is told of again."""


def step_review(state: ReviewState, event: ReviewEvent) -> ReviewState:
    """The state after `event`.

    Raises:
        Refused: `review_over` when the table has no such step.
    """
    try:
        return REVIEWING[state, event]
    except KeyError:
        said = state.value.replace("_", " ")
        sentence = f"This review is over: {said}. Nothing is left to do."
        raise Refused("review_over", sentence) from None


class Answer(StrEnum):
    """What one reviewer says."""

    ACCEPT = "accept"
    DEMAND_ROLLBACK = "demand_rollback"


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """One reviewer's word."""

    person: PersonId
    account: str
    answer: Answer
    comment: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Review:
    """What is to be reviewed, by when, and what was said so far."""

    glass: BrokenGlass
    model: ModelName
    from_version: Version | None
    """What was in Production before."""
    version: Version
    request_id: RequestId | None
    """Of a promotion."""
    state: ReviewState
    opened_at: datetime
    due_at: datetime
    opinions: tuple[Opinion, ...] = ()
    """At most one of each person."""
    back_to: Version | None = None
    """Where a demanded rollback would lead, by the record when it was demanded."""
    repeated_at: datetime | None = None
    """When an overdue review was last told of."""
    closed_at: datetime | None = None

    @property
    def id(self) -> GlassId:
        """A break-glass has one review."""
        return self.glass.id

    @property
    def is_open(self) -> bool:
        """Not over."""
        return self.state in WAITS

    @property
    def seats(self) -> tuple[ReviewSeats, ...]:
        """Who reviews it."""
        return self.glass.skipped.review

    @property
    def accepted_by(self) -> tuple[PersonId, ...]:
        """In the order in which they did."""
        return tuple(o.person for o in self.opinions if o.answer is Answer.ACCEPT)

    @property
    def demand(self) -> Opinion | None:
        """Who demanded the rollback, and why."""
        return next((o for o in self.opinions if o.answer is Answer.DEMAND_ROLLBACK), None)


def opened(
    glass: BrokenGlass,
    *,
    model: ModelName,
    from_version: Version | None,
    version: Version,
    request_id: RequestId | None,
    now: datetime,
) -> Review:
    """The review of what was carried out just now."""
    return Review(
        glass=glass,
        model=model,
        from_version=from_version,
        version=version,
        request_id=request_id,
        state=ReviewState.DUE,
        opened_at=now,
        due_at=now + glass.review_within,
    )


def is_overdue(review: Review, now: datetime) -> bool:
    """Overdue when now ≥ due_at and nobody has ended it, whether or not that was noted yet."""
    return review.is_open and now >= review.due_at


def debt_of(reviews: Iterable[Review], person: PersonId, now: datetime) -> Review | None:
    """The oldest overdue review of what this person did: it stops their next request and their
    next break-glass."""
    owed = [r for r in reviews if r.glass.person == person and is_overdue(r, now)]
    return min(owed, key=lambda r: (r.due_at, r.id), default=None)


def is_told_again(review: Review, now: datetime) -> bool:
    """Whether an overdue review is to be told of: at once, and then once a day."""
    if not is_overdue(review, now):
        return False
    return review.repeated_at is None or now >= review.repeated_at + REPEATED_EVERY


def countable(review: Review, person: Person, now: datetime) -> frozenset[Role]:
    """The seats, by label, for which somebody may speak. As in an approval, roles count that are
    held now and were held then; once it is overdue, those held now do, so that a review whose
    people left can still be made."""
    roles = person.roles
    if not is_overdue(review, now):
        roles = roles & review.glass.roles_then.get(person.id, frozenset())
    return frozenset(s.label for s in review.seats if roles & s.any_of)


def knows_account(review: Review, person: PersonId, account: str, now: datetime) -> bool:
    """Whether an account may speak for a person: theirs when the glass was broken, or any of
    theirs once it is overdue."""
    known = review.glass.accounts_then.get(person, frozenset())
    return account in known or is_overdue(review, now)


def standing_of(review: Review, people: Mapping[PersonId, Person], now: datetime) -> Quorum:
    """The seats as they stand: only those who still may sit do."""
    return tally(_places(review), _accepts(review, people, now), review.glass.barred)


StandIns = Mapping[PersonId, tuple[Absence, ...]]
"""Who stands in for whom now."""
NOBODY_STANDS_IN: StandIns = MappingProxyType({})


def could_review(
    review: Review,
    people: Mapping[PersonId, Person],
    now: datetime,
    standing: StandIns = NOBODY_STANDS_IN,
) -> frozenset[PersonId]:
    """Those whose acceptance would fill one more seat; nobody once it is over."""
    if not review.is_open:
        return frozenset()
    candidates = {
        i: countable(review, p, now)
        for i, p in people.items()
        if _barred_for(review, i, standing) is None
    }
    return could_fill(
        _places(review), _accepts(review, people, now), review.glass.barred, candidates
    )


def _barred_for(review: Review, person: PersonId, standing: StandIns) -> PersonId | None:
    """The first person for whom somebody stands in and who may not review it: a stand-in has both
    people's conflicts."""
    absent = (a.person for a in standing.get(person, ()))
    return next((a for a in absent if a in review.glass.barred), None)


def give(
    review: Review,
    opinion: Opinion,
    people: Mapping[PersonId, Person],
    standing: StandIns = NOBODY_STANDS_IN,
) -> tuple[Review, ReviewEvent | None]:
    """The review after one person's word, and the step that it made, if any.

    Raises:
        Refused: it is over, this person may not review it, said so already, or gave no reason.
    """
    if not review.is_open:
        step_review(review.state, ReviewEvent.EVERY_SEAT_ACCEPTED)
    _require_may_review(review, opinion, people, standing)
    others = tuple(o for o in review.opinions if o.person != opinion.person)
    said = replace(review, opinions=(*others, opinion))
    if opinion.answer is Answer.DEMAND_ROLLBACK:
        event = ReviewEvent.ROLLBACK_DEMANDED
    elif standing_of(said, people, opinion.at).met:
        event = ReviewEvent.EVERY_SEAT_ACCEPTED
    else:
        return said, None
    return replace(said, state=step_review(review.state, event), closed_at=opinion.at), event


def _require_may_review(
    review: Review, opinion: Opinion, people: Mapping[PersonId, Person], standing: StandIns
) -> None:
    person = people[opinion.person]
    reason = review.glass.barred.get(person.id)
    if reason is not None:
        raise Refused(
            "separation_of_duties",
            f"Not counted: {person.name} {reason}. Somebody else has to review it.",
        )
    absent = _barred_for(review, person.id, standing)
    if absent is not None:
        name = people[absent].name if absent in people else absent
        raise Refused(
            "separation_of_duties",
            f"Not counted: {person.name} stands in for {name}, who {review.glass.barred[absent]}. "
            "Somebody else has to review it.",
        )
    if not knows_account(review, person.id, opinion.account, opinion.at):
        raise Refused(
            "added_later",
            "Not counted: this account was added to people.yaml after the glass was broken. It "
            "counts once the review is overdue.",
        )
    if not countable(review, person, opinion.at):
        asked = " and ".join(sorted({s.label for s in review.seats}))
        wanted = frozenset(role for seat in review.seats for role in seat.any_of)
        raise Refused(
            "no_seat",
            f"Not counted: this review asks for {asked}, and {person.name} is none."
            f"{person.why_outside(wanted)}",
        )
    if opinion.answer is Answer.DEMAND_ROLLBACK:
        if not opinion.comment.strip():
            raise Refused("comment_missing", "Say why it has to go back: others act on it.")
        return
    if person.id in review.accepted_by:
        raise Refused("already_reviewed", "Your acceptance is already counted.")
    if person.id not in could_review(review, people, opinion.at):
        missing = " and ".join(standing_of(review, people, opinion.at).missing)
        raise Refused(
            "no_seat", f"Every seat that {person.name} could fill is filled. Missing: {missing}."
        )


def lifts_quarantine(
    tenures: Iterable[Tenure], version: Version, request_id: RequestId | None
) -> bool:
    """Whether an accepted review makes a version a rollback target as an approval would have: only
    while its newest stay in Production is the one that was reviewed, and no rollback ended it."""
    stays = [t for t in tenures if (t.version, t.stage) == (version, Stage.PRODUCTION)]
    if not stays or request_id is None:
        return False
    return stays[-1].request_id == request_id and stays[-1].ending is not Ending.ROLLBACK


def _places(review: Review) -> tuple[Seats, ...]:
    return tuple(Seats(role=s.label, count=s.count) for s in review.seats)


def _accepts(
    review: Review, people: Mapping[PersonId, Person], now: datetime
) -> Mapping[PersonId, frozenset[Role]]:
    return {
        p: countable(review, people[p], now) if p in people else frozenset()
        for p in review.accepted_by
    }

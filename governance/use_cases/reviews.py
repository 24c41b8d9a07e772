"""A break-glass from recorded to reviewed: one row, one message, and a record of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from governance.domain.absence import naming
from governance.domain.approval import RequestId
from governance.domain.break_glass import BrokenGlass, GlassId
from governance.domain.canonical import Json
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, Person, PersonId, Roster, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.review import (
    Answer,
    Opinion,
    Review,
    ReviewEvent,
    ReviewState,
    StandIns,
    could_review,
    give,
    is_told_again,
    lifts_quarantine,
    opened,
    step_review,
)
from governance.domain.tenure import rollback_options
from governance.domain.texts import refuse_long_text
from governance.ports import Notice, NoticeKind, Transaction
from governance.use_cases.grouped import members_of, narrowed, rules_for, rules_shown
from governance.use_cases.world import World, require_person, require_standing

REVIEWER = Actor.automatic("reviews")
"""Who acts when a review's time runs out."""
COMMENT_LIMIT = 3000


def record_broken(
    tx: Transaction,
    glass: BrokenGlass,
    actor: Actor,
    *,
    model: ModelName,
    version: Version,
    request_id: RequestId | None = None,
) -> None:
    """Record that somebody acts past policy, before anything is done."""
    tx.record(
        Event(
            kind=EventKind.GLASS_BROKEN,
            at=tx.now,
            actor=actor,
            model=model,
            version=version,
            request_id=request_id,
            why=glass.reason,
            facts=glass.facts,
        )
    )


def begin_review(
    tx: Transaction,
    glass: BrokenGlass,
    *,
    model: ModelName,
    from_version: Version | None,
    version: Version,
    request_id: RequestId | None,
) -> Review:
    """What was done past policy is done: its review is due, everyone who was skipped is told."""
    review = opened(
        glass,
        model=model,
        from_version=from_version,
        version=version,
        request_id=request_id,
        now=tx.now,
    )
    tx.add_review(review)
    _record(
        tx,
        review,
        EventKind.REVIEW_OPENED,
        REVIEWER,
        glass.reason,
        {
            "breaker": glass.person,
            **{k: glass.facts[k] for k in ("what", "incident", "review_by", "barred", "people")},
            "due_at": review.due_at.isoformat(),
            "from": from_version,
        },
    )
    draw(tx, review)
    for person in sorted(skipped_people(review)):
        tx.notify(_notice(review, NoticeKind.REVIEW_ASK, "ask", person=person))
    return review


def skipped_people(review: Review) -> frozenset[PersonId]:
    """Everyone who could have filled a seat that was skipped, when it was."""
    glass = review.glass
    wanted = frozenset(role for seat in review.seats for role in seat.any_of)
    return frozenset(
        p for p, roles in glass.roles_then.items() if roles & wanted and p not in glass.barred
    )


def give_review(
    world: World,
    glass_id: GlassId,
    answer: Answer,
    *,
    comment: str,
    actor: Actor,
    standing: Standing,
) -> Review:
    """Count one reviewer's word.

    Raises:
        Refused: this person may not review it, or it is over; recorded.
    """
    with world.store.read() as tx:
        about = tx.review(glass_id)
    with world.refusals_recorded(
        EventKind.REVIEW_REFUSED,
        actor,
        model=about.model,
        version=about.version,
        request_id=about.request_id,
    ):
        require_standing(standing)
        rules = rules_for(world, actor)
        wanted = frozenset(role for seat in about.seats for role in seat.any_of)
        # Of those who accepted before, too: a seat is theirs only while the role is.
        rules = narrowed(rules, members_of(world, rules.roster, wanted), wanted)
        person = require_person(rules, actor)
        refuse_long_text("comment", comment, COMMENT_LIMIT)
        with world.store.transaction() as tx:
            opinion = Opinion(
                person=person.id,
                account=actor.account,
                answer=answer,
                comment=comment,
                at=tx.now,
            )
            before = tx.review(glass_id)
            stand_ins = naming(tx.absences(), tx.now)
            review, event = give(before, opinion, rules.roster.people, stand_ins)
            if event is ReviewEvent.ROLLBACK_DEMANDED:
                review = replace(review, back_to=_back_to(tx, review))
            tx.save_review(review)
            facts: Mapping[str, Json] = {"answer": answer.value}
            _record(tx, review, EventKind.REVIEW_GIVEN, actor, comment, facts)
            _say(tx, review, answer.value, {"by": person.id, "comment": comment})
            if event is not None:
                _record_step(tx, before.state, review, event, actor)
                _ended(tx, review)
            draw(tx, review)
            return review


def look_after_reviews(world: World) -> int:
    """Note what became overdue, and tell of it again every day: those who may review it, the owners
    and who is on call. Returns how many were told of."""
    rules = rules_shown(world)
    with world.store.read() as tx:
        waiting = [r.id for r in tx.open_reviews() if is_told_again(r, tx.now)]
    told = 0
    for glass_id in waiting:
        with world.store.transaction() as tx:
            review = tx.review(glass_id)
            if not is_told_again(review, tx.now):
                continue
            if review.state is ReviewState.DUE:
                event = ReviewEvent.TIME_RAN_OUT
                overdue = replace(review, state=step_review(review.state, event))
                _record_step(tx, review.state, overdue, event, REVIEWER)
                review = overdue
            people = _who_hears(review, policy_for(rules.policies, review.model), rules.roster, tx)
            _record(
                tx,
                review,
                EventKind.REVIEW_REPEATED,
                REVIEWER,
                "",
                {"to": [str(p) for p in people]},
            )
            for person in people:
                tx.notify(_notice(review, NoticeKind.TELL, "review_overdue", person=person))
            review = replace(review, repeated_at=tx.now)
            tx.save_review(review)
            draw(tx, review)
            told += 1
    return told


@dataclass(frozen=True, kw_only=True)
class ReviewsOf:
    """What concerns one person: reviews that they could make, and those of what they did."""

    to_make: tuple[Review, ...]
    own: tuple[Review, ...]
    """Not over yet."""


def reviews_among(
    waiting: Sequence[Review],
    person: PersonId,
    people: Mapping[PersonId, Person],
    now: datetime,
    standing: StandIns,
) -> ReviewsOf:
    """The reviews that wait, as one person meets them."""
    return ReviewsOf(
        to_make=tuple(r for r in waiting if person in could_review(r, people, now, standing)),
        own=tuple(r for r in waiting if r.glass.person == person),
    )


def is_still_there(tx: Transaction, review: Review) -> bool:
    """Whether what was put into Production past policy is there by the record."""
    return _running(tx, review.model) == review.version


def redraw_demands(tx: Transaction, model: ModelName, version: Version | None) -> None:
    """A version left Production: a button that demands its rollback goes."""
    for review in tx.reviews(model):
        if review.state is ReviewState.ROLLBACK_DEMANDED and review.version == version:
            draw(tx, review)


def draw(tx: Transaction, review: Review) -> None:
    """Queue the review's message, and every copy of it, to be drawn as it stands."""
    tx.notify(_notice(review, NoticeKind.REVIEW, "review"))


def _ended(tx: Transaction, review: Review) -> None:
    accepted = review.state is ReviewState.ACCEPTED
    if accepted and lifts_quarantine(tx.tenures(review.model), review.version, review.request_id):
        tx.lift_quarantine(review.model, review.version)
    told = _notice(review, NoticeKind.TELL, "review_over", person=review.glass.person)
    tx.notify(replace(told, facts={**told.facts, "state": review.state.value}))


def _back_to(tx: Transaction, review: Review) -> Version | None:
    """The last known good version, while what was done past policy still stands."""
    tenures = tx.tenures(review.model)
    if _running(tx, review.model) != review.version:
        return None
    options = rollback_options(
        tenures,
        current=review.version,
        quarantined=frozenset(tx.quarantined(review.model)),
        existing=frozenset(t.version for t in tenures),
    )
    return options.target


def _running(tx: Transaction, model: ModelName) -> Version | None:
    running = [t for t in tx.tenures(model) if t.stage is Stage.PRODUCTION and t.ended_at is None]
    return running[-1].version if running else None


def _who_hears(
    review: Review, policy: ModelPolicy | None, roster: Roster, tx: Transaction
) -> Sequence[PersonId]:
    standing = naming(tx.absences(), tx.now)
    reviewers = sorted(could_review(review, roster.people, tx.now, standing))
    concerned = (*policy.on_call, *sorted(policy.owners)) if policy else ()
    return tuple(dict.fromkeys((*reviewers, *concerned)))


def _record_step(
    tx: Transaction, before: ReviewState, review: Review, event: ReviewEvent, actor: Actor
) -> None:
    facts: Mapping[str, Json] = {
        "from": before.value,
        "to": review.state.value,
        "event": event.value,
    }
    _record(tx, review, EventKind.REVIEW_STATE_CHANGED, actor, "", facts)


def _record(
    tx: Transaction,
    review: Review,
    kind: EventKind,
    actor: Actor,
    why: str,
    facts: Mapping[str, Json],
) -> None:
    tx.record(
        Event(
            kind=kind,
            at=tx.now,
            actor=actor,
            model=review.model,
            version=review.version,
            request_id=review.request_id,
            why=why,
            facts={"review": review.id, **facts},
        )
    )


def _say(tx: Transaction, review: Review, what: str, facts: Mapping[str, Json]) -> None:
    notice = _notice(review, NoticeKind.REVIEW_LINE, what)
    tx.notify(replace(notice, facts={**facts, **notice.facts}))


def _notice(
    review: Review, kind: NoticeKind, what: str, *, person: PersonId | None = None
) -> Notice:
    return Notice(
        kind=kind, what=what, model=review.model, person=person, facts={"review": review.id}
    )

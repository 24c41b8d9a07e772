"""Breaking glass and its reviews at both ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot import glass_view, views
from bot.block_kit import Block
from bot.messages import glass_words
from bot.views import Drawn
from governance.domain.approval import FilledSeat, Quorum, Seat
from governance.domain.break_glass import Bypass, ReviewSeats, Skipped, SkippedRule
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId, Role
from governance.domain.promotion import State
from governance.domain.review import Answer, Opinion, Review, ReviewState
from governance.use_cases.break_glass import Plan
from tests.builders import MODEL, NOON, a_review
from tests.gallery.extremes import LONG, LONG_NAME, NASTY, Size, request, roster, shown

OTTO = PersonId("otto")


def _skipped(size: Size) -> Skipped:
    if size is Size.SMALLEST:
        return a_review().glass.skipped
    rules = tuple(SkippedRule(what=f"check {n} {NASTY}", found=LONG) for n in range(80))
    roles = tuple(Role(f"role_{n}") for n in range(20))
    seats = tuple(ReviewSeats(any_of=frozenset({r}), count=1) for r in roles)
    return Skipped(approvals=roles, rules=rules, review=seats)


def review(size: Size, state: ReviewState, bypass: Bypass) -> Review:
    """One review in a state."""
    base = a_review()
    comment = LONG if size is Size.LARGEST else "no"
    demand = Opinion(
        person=PersonId("raj"),
        account="U0RAJ",
        answer=Answer.DEMAND_ROLLBACK,
        comment=comment,
        at=NOON,
    )
    accept = replace(demand, person=PersonId("ana"), answer=Answer.ACCEPT, comment="")
    is_demanded = state is ReviewState.ROLLBACK_DEMANDED
    glass = replace(base.glass, bypass=bypass, skipped=_skipped(size))
    if size is Size.LARGEST:
        glass = replace(glass, reason=LONG, incident=(NASTY * 4)[:200])
    return replace(
        base,
        glass=glass,
        model=LONG_NAME if size is Size.LARGEST else MODEL,
        version=Version(2**31 - 1) if size is Size.LARGEST else Version(4),
        state=state,
        opinions=(accept, demand) if is_demanded else (accept,),
        back_to=Version(2**31 - 2) if is_demanded and size is Size.LARGEST else None,
    )


def _shown(size: Size, made: Review) -> glass_view.ShownReview:
    seats = tuple(
        FilledSeat(seat=Seat(role=seat.label, number=1), person=PersonId("ana") if n % 2 else None)
        for n, seat in enumerate(made.seats)
    )
    return glass_view.ShownReview(
        review=made,
        quorum=Quorum(seats=seats, excluded={}),
        roster=roster(size),
        pinged=(OTTO,) if size is Size.LARGEST else (),
        still_there=size is Size.LARGEST,
    )


def reviews(size: Size) -> Iterator[tuple[str, Drawn]]:
    """Each state of each kind."""
    for bypass in Bypass:
        for state in ReviewState:
            made = _shown(size, review(size, state, bypass))
            yield f"{bypass.value}: {state.value}", glass_view.review_message(made)


def refusals(size: Size) -> Iterator[tuple[str, Drawn]]:
    """With and without the way past them."""
    said = LONG if size is Size.LARGEST else "No."
    model = LONG_NAME if size is Size.LARGEST else ModelName("m")
    for bypass in Bypass:
        wanted = glass_view.Wanted(bypass=bypass, model=model, version=None)
        yield bypass.value, glass_view.refusal_with_glass(said, wanted)
    yield "for everybody else", glass_view.refusal_with_glass(said, None)


def plans(size: Size) -> Iterator[tuple[str, Block]]:
    """What it means before anybody confirms."""
    people = roster(size)
    for bypass in Bypass:
        plan = Plan(
            bypass=bypass,
            model=LONG_NAME if size is Size.LARGEST else MODEL,
            from_version=Version(3) if size is Size.LARGEST else None,
            version=Version(4),
            skipped=_skipped(size),
            reviewers=tuple(sorted(people.people)) if size is Size.LARGEST else (),
            on_call=(OTTO,),
            due_at=NOON,
        )
        yield (
            bypass.value,
            glass_view.glass_modal(plan, people, downgrade=False, channel="C00000001"),
        )


def waiting(_size: Size) -> Iterator[tuple[str, Block]]:
    """While MLflow is asked."""
    yield "loading", glass_view.glass_loading_modal()


def sentences(size: Size) -> Iterator[tuple[str, Block]]:
    """Why there is nothing to confirm."""
    said = LONG if size is Size.LARGEST else "No."
    yield "a refusal", glass_view.glass_sentence_modal(said)


def demands(_size: Size) -> Iterator[tuple[str, Block]]:
    """Why it has to go back."""
    yield "why", glass_view.demand_modal("0123456789ab", "C00000001")


def told(size: Size) -> Iterator[tuple[str, Drawn]]:
    """What is said beside the message of a review."""
    people = roster(size)
    comment = LONG if size is Size.LARGEST else ""
    for answer in Answer:
        said = glass_words.thread_line(answer.value, {"by": "ana", "comment": comment}, people)
        yield f"thread: {answer.value}", views.sentence(said)
    missing = tuple(f"role_{n}" for n in range(20 if size is Size.LARGEST else 1))
    for state in ReviewState:
        made = review(size, state, Bypass.PROMOTION)
        what = "review_overdue" if made.is_open else "review_over"
        said = glass_words.told(what, made, missing, people)
        yield f"told: {state.value}", views.sentence(said)
    due = review(size, ReviewState.DUE, Bypass.ROLLBACK)
    yield "asked", views.sentence(glass_words.asked(due, people))
    for ending in (State.COMPLETED, State.EXECUTING, State.VOIDED):
        done = replace(request(size), state=ending)
        yield f"carried out: {ending.value}", views.sentence(glass_words.carried_out(done))
    for said in (glass_words.COUNTED, glass_words.DEMANDED, glass_words.DEMANDED_LATE):
        yield said[:40], views.sentence(said)


def requests(size: Size) -> Iterator[tuple[str, Drawn]]:
    """A request that was carried out past policy."""
    glass = review(size, ReviewState.DUE, Bypass.PROMOTION).glass
    done = replace(request(size), state=State.COMPLETED, glass=glass)
    yield "past policy", views.request_message(shown(size, done))

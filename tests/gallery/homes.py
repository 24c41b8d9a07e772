"""Homes at both ends: nothing at all, and two hundred of everything at its longest."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from governance.domain.approval import Quorum, RequestId, Verdict
from governance.domain.break_glass import Bypass, GlassId
from governance.domain.evidence import Version
from governance.domain.identity import PersonId
from governance.domain.ledger import EventKind
from governance.domain.monitoring.alert import AlertId, Outcome
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.verdict import Verdict as Health
from governance.domain.promotion import Request, State
from governance.domain.review import Review, ReviewState
from governance.ports import Drill
from governance.use_cases.home import (
    Asked,
    DueReview,
    Home,
    Lately,
    OpenAlert,
    OwnedModel,
    Waiting,
    Watched,
)
from tests.builders import NOON, a_person
from tests.gallery.extremes import LONG, LONG_NAME, NASTY, Size, alert, request
from tests.gallery.glass import review

EMPTY = Home(
    person=a_person("ana", "validator"), waiting=(), asked=(), models=(), alerts=(), lately=()
)
NOTHING = Quorum(seats=(), excluded={})


def a_long_request(number: int) -> Request:
    """Everything at its longest."""
    return replace(request(Size.LARGEST), id=RequestId(f"r{number}"))


def a_long_review(number: int) -> Review:
    """Overdue, at its longest."""
    made = review(Size.LARGEST, ReviewState.OVERDUE, Bypass.PROMOTION)
    return replace(made, glass=replace(made.glass, id=GlassId(f"g{number}")))


@cache
def the_largest() -> Home:
    """Two hundred of everything."""
    watched = tuple(
        Watched(name=f"{n}{NASTY}", acts=Action.ROLL_BACK, verdict=health, sentence=LONG)
        for n in range(20)
        for health in (*Health, None)
    )
    drill = Drill(model=LONG_NAME, drilled_at=NOON, passed=False, findings=((NASTY, False, LONG),))
    return Home(
        person=EMPTY.person,
        waiting=tuple(
            Waiting(request=a_long_request(n), quorum=NOTHING, said=Verdict.ASK_FOR_CHANGES)
            for n in range(200)
        ),
        asked=tuple(
            Asked(
                request=replace(
                    a_long_request(n), state=State.PENDING if n % 2 else State.REJECTED
                ),
                quorum=NOTHING,
                changes=tuple((PersonId(f"ana{i}"), LONG) for i in range(9)),
            )
            for n in range(200)
        ),
        models=tuple(
            OwnedModel(
                model=LONG_NAME,
                production=Version(999_999_999),
                since=NOON,
                monitors=watched,
                drill=drill,
                open_alerts=7,
            )
            for _ in range(200)
        ),
        alerts=tuple(
            OpenAlert(
                alert=replace(
                    alert(Size.LARGEST, Outcome.ONLY_ALERTED), id=AlertId(n), closed_at=None
                ),
                may_roll_back=True,
            )
            for n in range(200)
        ),
        lately=tuple(
            Lately(
                kind=kind,
                at=NOON,
                person=PersonId("ana"),
                model=LONG_NAME,
                version=Version(4),
                facts={"verdict": "reject", "why": LONG, "request": "r1", "target": "Production"},
            )
            for kind in (
                EventKind.DECISION_MADE,
                EventKind.DECISION_WITHDRAWN,
                EventKind.TRANSITION_DONE,
                EventKind.TRANSITION_FAILED,
                EventKind.ROLLBACK_DONE,
                EventKind.GLASS_BROKEN,
                EventKind.REVIEW_GIVEN,
            )
            for _ in range(2)
        )[:10],
        reviews=tuple(
            DueReview(
                review=a_long_review(n),
                quorum=NOTHING,
                is_own=n == 1,
            )
            for n in range(200)
        ),
    )

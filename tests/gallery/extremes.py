"""The smallest and the largest of what messages are made from: names that try to be markup and
read from right to left, forty metrics, ten seats, reasons of 3,000 characters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from enum import StrEnum

from bot import views
from governance.domain.absence import Absence
from governance.domain.approval import FilledSeat, Quorum, RequestId, Seat, Verdict
from governance.domain.checks import CheckResult, Outcome
from governance.domain.evidence import ColumnProfile, ModelName, Version
from governance.domain.identity import PersonId, Role, Roster
from governance.domain.monitoring import alert as alerts
from governance.domain.monitoring.spec import Action, Bad
from governance.domain.promotion import Answer, Request
from governance.use_cases.rounds import Answered
from tests.builders import (
    NOON,
    PEOPLE,
    a_content,
    a_decision,
    a_metric,
    a_policy,
    a_request,
    a_roster,
    a_snapshot,
)

NASTY = "<!channel> <@U0RAJ> <https://evil|Approve> `x` \u202edesrever\u202c *b* שלום مرحبا & "
LONG = (NASTY * 80)[:3000]
LONG_NAME = ModelName((NASTY * 6)[:250])


class Size(StrEnum):
    """Which end."""

    SMALLEST = "smallest"
    LARGEST = "largest"


def roster(size: Size) -> Roster:
    """People as they are, or with names as long and as odd as people.yaml takes."""
    if size is Size.SMALLEST:
        return a_roster()
    return a_roster(*(replace(p, name=f"{p.name} {NASTY * 3}"[:250]) for p in PEOPLE))


def request(size: Size) -> Request:
    """A first version with one word of reason, or everything at once."""
    if size is Size.SMALLEST:
        return replace(a_request(), champion=None, reason="x")
    metrics = tuple(a_metric(f"metric_{n}_{'y' * 60}", f"0.{n + 1}") for n in range(40))
    columns = tuple(f"column_{n}_{NASTY}" for n in range(60))
    parameters = {f"p{n}{NASTY}": LONG for n in range(30)}
    profile = tuple(ColumnProfile(name=f"c{n}{NASTY}", words=LONG) for n in range(20))
    snapshot = a_snapshot(metrics=metrics, columns=columns, parameters=parameters)
    champion = replace(a_snapshot(9), model=LONG_NAME, git_commit="a" * 40, profile=profile[:10])
    return replace(
        a_request(),
        model=LONG_NAME,
        reason=LONG,
        ticket=(NASTY * 3)[:150],
        note=LONG,
        snapshot=replace(
            snapshot,
            model=LONG_NAME,
            profile=profile,
            profile_problem=LONG,
            git_commit="b" * 40,
            requirements=tuple(f"package{n}=={n}" for n in range(200)),
        ),
        champion=replace(champion, requirements=("package1==0",)),
        champion_content=a_content(9, body="other"),
        quarantined=LONG,
        checks=tuple(
            CheckResult(check=f"check {n} {NASTY}", outcome=Outcome.WAITING, finding=LONG)
            for n in range(20)
        ),
        unmapped_authors=tuple(f"{NASTY}{n}" for n in range(9)),
        follows=RequestId("0" * 12),
        followed_by=RequestId("1" * 12),
        answers=tuple(Answer(at=NOON, text=LONG, to=(PersonId("ana"),)) for _ in range(5)),
        author_unknown=True,
    )


def shown(size: Size, made: Request | None = None) -> views.Shown:
    """A request with one seat, or with ten."""
    count = 1 if size is Size.SMALLEST else 10
    filled = tuple(
        FilledSeat(
            seat=Seat(role=Role(f"role_{n}_{NASTY if count > 1 else ''}"), number=1),
            person=PersonId("ana") if n % 2 else None,
            held=Role("head_of_risk") if n % 2 else None,
            absent=PersonId("vera") if n % 2 else None,
            away_until=date(2026, 12, 24) if n % 2 else None,
            open_to=Role("head_of_risk") if count > 1 else None,
        )
        for n in range(count)
    )
    policy = a_policy()
    if size is Size.LARGEST:
        policy = replace(policy, repository=f"https://git.example/{'x' * 200}")
    return views.Shown(
        request=made or request(size),
        quorum=Quorum(seats=filled, excluded={}),
        policy=policy,
        roster=roster(size),
        away=tuple(
            Absence(
                person=PersonId(name),
                stand_in=PersonId("raj"),
                account="U0X",
                began_at=NOON,
                last_day=date(2026, 12, 24),
                ends_at=NOON,
            )
            for name in (("ana", "vera") if count > 1 else ())
        ),
        asked=tuple(
            replace(a_decision(name, Verdict.ASK_FOR_CHANGES), comment=LONG)
            for name in ("ana", "vera", "raj", "rosa")
        )
        if count > 1
        else (),
        answered=tuple(
            Answered(
                asked=(replace(a_decision(name, Verdict.ASK_FOR_CHANGES), comment=LONG),),
                text=LONG,
                by_version=Version(4) if name == "ana" else None,
            )
            for name in ("ana", "vera", "raj")
        )
        if count > 1
        else (),
    )


def alert(size: Size, outcome: alerts.Outcome) -> alerts.Alert:
    """An alert in one of its outcomes."""
    is_large = size is Size.LARGEST
    return alerts.Alert(
        id=alerts.AlertId(7),
        model=LONG_NAME if is_large else ModelName("m"),
        version=Version(2**31 - 1 if is_large else 1),
        monitor=NASTY[:60] if is_large else "a",
        metric="AUC",
        bad=Bad.FALLS,
        wanted=Action.ROLL_BACK,
        raised_at=NOON,
        sentence=LONG if is_large else "AUC fell.",
        numbers={},
        series=(),
        outcome=outcome,
        note=LONG if is_large else "",
        to_version=Version(1),
        acted_at=NOON,
        seconds=0.42,
        acknowledged_by=PersonId("otto") if is_large else None,
        acknowledged_at=NOON if is_large else None,
        closed_at=NOON if is_large else None,
    )

"""Whose attention a request needs: who is asked, who is reminded, and when a seat is opened to a
second role. Level-triggered: each call looks at who could fill a missing seat now, and asks those
alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from governance.domain.absence import standing_in
from governance.domain.approval import RequestId
from governance.domain.canonical import Json
from governance.domain.errors import FoureyesError, Unavailable
from governance.domain.escalation import due_escalations
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, Seats, policy_for
from governance.domain.promotion import TAKES_VOTES, Request, is_expired
from governance.domain.working_hours import WorkingHours, next_reminder
from governance.ports import Ask, Notice, NoticeKind, Rules, Transaction
from governance.use_cases.grouped import rules_shown
from governance.use_cases.recording import record_of
from governance.use_cases.settle import quorum_of, redraw, who_could_fill
from governance.use_cases.world import World

ATTENTION = Actor.automatic("attention")


@dataclass(frozen=True, kw_only=True)
class Reminding:
    """When people are reminded who have no hours of their own in people.yaml."""

    first: timedelta
    """After so much working time; then after twice as much, and so on."""
    hours: WorkingHours


def able_now(
    tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request
) -> frozenset[PersonId]:
    """Everybody who is worth asking, has not decided and is not away."""
    decisions = tx.decisions(request.id)
    decided = {d.person for d in decisions}
    absences = [a for a in tx.absences() if not a.is_over(tx.now)]
    away = {a.person for a in absences}
    others = [p for p in rules.roster.people.values() if p.id not in decided | away]
    standing = standing_in(absences, tx.now)
    return who_could_fill(decisions, rules, policy, request, others, standing)


def ask_those_who_could_fill(
    tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request
) -> None:
    """Queue a direct message to each person whose approval would fill an empty seat, and to
    nobody else; who was asked and no longer could is reminded no more."""
    able = able_now(tx, rules, policy, request)
    asked = {ask.person for ask in tx.asks(request.id)}
    for person in sorted(asked - able):
        tx.end_ask(request.id, person)
    for person in sorted(able - asked):
        tx.begin_ask(request.id, person)
        tx.notify(_to_person(request, person, "ask", {}))


def escalate_if_due(
    tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request
) -> Request:
    """Open each seat to its second role that has been empty for as long as policy says; recorded,
    told, and its people asked."""
    due = _due(tx, rules, policy, request)
    if not due:
        return request
    escalated = request.escalated | {s.role for s in due}
    request = tx.save_request(replace(request, escalated=escalated))
    for seats in due:
        if seats.escalation is None:
            continue
        facts: Mapping[str, Json] = {
            "role": seats.role,
            "to": seats.escalation.to,
            "after_ms": seats.escalation.after // timedelta(milliseconds=1),
        }
        record_of(tx, request, EventKind.SEAT_ESCALATED, ATTENTION, facts=facts)
        tx.notify(
            Notice(
                kind=NoticeKind.TIMELINE,
                what="escalated",
                model=request.model,
                request_id=request.id,
                facts=facts,
            )
        )
    redraw(tx, request)
    ask_those_who_could_fill(tx, rules, policy, request)
    return request


def _due(tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request) -> tuple[Seats, ...]:
    seats = policy.stages[request.target].seats
    if request.state not in TAKES_VOTES or is_expired(request.expires_at, tx.now):
        return ()
    if not any(s.escalation for s in seats):
        return ()
    missing = quorum_of(tx, rules, policy, request).missing
    return due_escalations(
        seats, missing, request.escalated, opened_at=request.opened_at, now=tx.now
    )


def look_after(world: World, reminding: Reminding) -> list[FoureyesError]:
    """Escalate what is due, ask whoever can fill a seat by now, and remind those who have not
    decided. Returns what stood in the way; it is tried again at the next call."""
    problems: list[FoureyesError] = []
    rules = rules_shown(world)
    with world.store.read() as tx:
        stirred = [r.id for r in tx.open_requests() if _is_stirred(tx, rules, r)]
    for request_id in stirred:
        try:
            _look_after_one(world, rules, request_id)
        except FoureyesError as problem:
            problems.append(problem)
    with world.store.read() as tx:
        due = tx.due_asks()
    for ask in due:
        try:
            _remind(world, rules, ask, reminding)
        except Unavailable as problem:
            return [*problems, problem]  # Slack or the store: the others would wait for it too
        except FoureyesError as problem:
            problems.append(problem)
    return problems


def _is_stirred(tx: Transaction, rules: Rules, request: Request) -> bool:
    """Whether somebody has to be asked, or asked no more, or a seat be opened; most requests, most
    of the time, are as they were."""
    policy = _policy_of(rules, request)
    if policy is None:
        return False
    asked = {ask.person for ask in tx.asks(request.id)}
    if _due(tx, rules, policy, request):
        return True
    return asked != able_now(tx, rules, policy, request)


def _policy_of(rules: Rules, request: Request) -> ModelPolicy | None:
    """The policy that a request was opened under, while it takes votes; when it changed, the
    reconciler voids the request."""
    policy = policy_for(rules.policies, request.model)
    if policy is None or policy.digest != request.binding.policy:
        return None
    return policy if request.state in TAKES_VOTES else None


def _look_after_one(world: World, rules: Rules, request_id: RequestId) -> None:
    with world.store.transaction() as tx:
        request = tx.request(request_id)
        policy = _policy_of(rules, request)
        if policy is not None:
            request = escalate_if_due(tx, rules, policy, request)
            ask_those_who_could_fill(tx, rules, policy, request)


def _remind(world: World, rules: Rules, ask: Ask, reminding: Reminding) -> None:
    """Send one reminder when it is due; whichever replica claims it first sends it."""
    person = rules.roster.people.get(ask.person)
    account = min((str(a) for a in person.slack), default=None) if person else None
    if person is None or account is None:
        with world.store.transaction() as tx:
            tx.end_ask(ask.request_id, ask.person)
        return
    zone = zone_named(world.accounts.time_zone(account))
    with world.store.transaction() as tx:
        due = next_reminder(
            last=ask.last_at,
            sent=ask.reminders,
            first=reminding.first,
            hours=person.working_hours or reminding.hours,
            zone=zone,
            now=tx.now,
        )
        if due > tx.now:
            tx.plan_ask(ask, due)
            return
        request = tx.request(ask.request_id)
        if _policy_of(rules, request) is None or is_expired(request.expires_at, tx.now):
            return  # ended or voided in a moment
        if not tx.claim_reminder(ask):
            return  # sent by another replica, or they decided at this moment
        number = ask.reminders + 1
        record_of(
            tx,
            request,
            EventKind.REMINDED,
            ATTENTION,
            facts={"person": ask.person, "number": number},
        )
        tx.notify(_to_person(request, ask.person, "reminder", {"number": number}))


def zone_named(name: str) -> tzinfo:
    """A time zone by its name; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _to_person(request: Request, person: PersonId, what: str, facts: Mapping[str, Json]) -> Notice:
    return Notice(
        kind=NoticeKind.ASK,
        what=what,
        model=request.model,
        request_id=request.id,
        person=person,
        facts=facts,
    )

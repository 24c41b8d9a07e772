"""What a request's votes amount to now, and the state that follows; always inside the
transaction that changed a vote, so that the record, the votes and the state never part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from governance.domain.absence import Absence, voices
from governance.domain.approval import (
    Decision,
    Lent,
    Quorum,
    Verdict,
    bar_makers,
    could_fill,
    tally,
)
from governance.domain.checks import CheckResult, Outcome
from governance.domain.errors import Refused
from governance.domain.identity import Actor, Person, PersonId, Role
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy
from governance.domain.promotion import TAKES_VOTES, Request, State, is_expired, step
from governance.domain.promotion import Event as Happening
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.recording import record_of


def barred_for(
    policy: ModelPolicy, makers: frozenset[PersonId], requester: PersonId
) -> Mapping[PersonId, str]:
    """Who may not approve under a policy, and why."""
    owners = frozenset[PersonId]() if policy.owners_may_approve else policy.owners
    return bar_makers(makers, requester, owners)


def approvals_in_force(
    tx: Transaction, rules: Rules, request: Request
) -> Mapping[PersonId, frozenset[Role]]:
    """Who approves, with the roles that count: held now and when the request opened."""
    return approvals_among(tx.decisions(request.id), rules, request)


def approvals_among(
    decisions: Iterable[Decision], rules: Rules, request: Request
) -> Mapping[PersonId, frozenset[Role]]:
    """The same of decisions that were read already."""
    approvals: dict[PersonId, frozenset[Role]] = {}
    for decision in decisions:
        if decision.verdict is not Verdict.APPROVE:
            continue
        person = rules.roster.people.get(decision.person)
        now = person.roles if person else frozenset[Role]()
        approvals[decision.person] = request.countable_roles(decision.person, now)
    return approvals


def quorum_of(tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request) -> Quorum:
    """The seats of a request as they stand in this transaction."""
    return quorum_among(tx.decisions(request.id), rules, policy, request)


def quorum_among(
    decisions: Sequence[Decision], rules: Rules, policy: ModelPolicy, request: Request
) -> Quorum:
    """The same with decisions that were read already."""
    quorum = tally(
        policy.stages[request.target].seats,
        approvals_among(decisions, rules, request),
        barred_for(policy, request.makers, request.requester),
        escalated=request.escalated,
        lent=lent_among(decisions, rules, request),
    )
    last_days = {
        (d.person, stood.absent): stood.last_day for d in decisions for stood in d.standing_in
    }
    seats = tuple(
        replace(s, away_until=last_days.get((s.person, s.absent)))
        if s.person is not None and s.absent is not None
        else s
        for s in quorum.seats
    )
    unanswered = tuple(d.person for d in decisions if d.verdict is Verdict.ASK_FOR_CHANGES)
    return replace(quorum, seats=seats, unanswered=unanswered)


def lent_among(decisions: Sequence[Decision], rules: Rules, request: Request) -> Lent:
    """For whom each voter stood in, with the roles that still count; the absence itself may be
    over by now, since what was decided during it was rightly decided."""
    accounts = {(d.person, s.absent): s.account for d in decisions for s in d.standing_in}
    return {
        voter: {
            absent: roles & roles_to_lend(rules, request, absent, voter, accounts[voter, absent])
            for absent, roles in absents.items()
        }
        for voter, absents in voices(decisions).items()
    }


def roles_to_lend(
    rules: Rules, request: Request, absent: PersonId, stand_in: PersonId, account: str
) -> frozenset[Role]:
    """The roles of an absent person that count for a request when this stand-in uses them: none
    that were handed on with an account that may not decide here itself."""
    person = rules.roster.people.get(absent)
    if person is None or account not in {str(a) for a in person.slack}:
        return frozenset()
    if account not in request.accounts_at_opening.get(absent, frozenset()):
        return frozenset()
    return request.lent_roles(absent, stand_in, person.roles, person.stand_ins)


def who_could_fill(
    decisions: Sequence[Decision],
    rules: Rules,
    policy: ModelPolicy,
    request: Request,
    people: Iterable[Person],
    standing: Mapping[PersonId, Sequence[Absence]],
) -> frozenset[PersonId]:
    """Those of these people whose approval would fill an empty seat now, and who can click with an
    account that counts for this request: the only ones worth asking."""
    if request.state not in TAKES_VOTES:
        return frozenset()
    candidates = {
        p.id: request.countable_roles(p.id, p.roles) for p in people if _can_click(p, request)
    }
    offered = {
        p: {a.person: free_voice(decisions, rules, request, a, p) for a in standing.get(p, ())}
        for p in candidates
        if p in standing
    }
    return could_fill(
        policy.stages[request.target].seats,
        approvals_among(decisions, rules, request),
        barred_for(policy, request.makers, request.requester),
        candidates,
        escalated=request.escalated,
        lent={**offered, **lent_among(decisions, rules, request)},
    )


def free_voice(
    decisions: Sequence[Decision],
    rules: Rules,
    request: Request,
    absence: Absence,
    stand_in: PersonId,
) -> frozenset[Role]:
    """The roles that an absent person lends on a request: none once they decided themselves, or
    somebody else decided for them."""
    for decision in decisions:
        if decision.person == absence.person:
            return frozenset()
        if decision.person != stand_in and any(
            s.absent == absence.person and s.roles for s in decision.standing_in
        ):
            return frozenset()
    return roles_to_lend(rules, request, absence.person, stand_in, absence.account)


def _can_click(person: Person, request: Request) -> bool:
    at_opening = request.accounts_at_opening.get(person.id, frozenset())
    return any(account in at_opening for account in person.slack)


def settle(
    tx: Transaction, rules: Rules, policy: ModelPolicy, request: Request, actor: Actor
) -> Request:
    """Move a request to the state that its votes and checks call for, and record that."""
    quorum = quorum_of(tx, rules, policy, request)
    if request.state is State.PENDING and quorum.met:
        request = move(tx, request, Happening.QUORUM_MET, actor, "Every seat is filled.")
    elif request.state in (State.APPROVED, State.HELD) and not quorum.met:
        return move(tx, request, Happening.QUORUM_LOST, actor, _what_lacks(rules, request, quorum))
    if request.state is State.APPROVED:
        waiting = [c for c in request.checks if c.outcome is Outcome.WAITING]
        if waiting:
            why = "; ".join(f"{c.check}: {c.finding}" for c in waiting)
            return move(tx, request, Happening.CHECKS_WAIT, actor, f"Waits for {why}.")
    return request


def _what_lacks(rules: Rules, request: Request, quorum: Quorum) -> str:
    if quorum.missing:
        return f"Still missing: {' and '.join(quorum.missing)}."
    names = " and ".join(rules.roster.name_of(p) for p in quorum.unanswered)
    return f"An answer to {names} is missing, from {rules.roster.name_of(request.requester)}."


def move(
    tx: Transaction, request: Request, happening: Happening, actor: Actor, why: str
) -> Request:
    """Take one step of the lifecycle: the table, the record, and the notices in one place.

    Raises:
        Refused: `request_over` when the table has no such step.
    """
    state = step(request.state, happening)
    saved = tx.save_request(replace(request, state=state, note=why))
    record_of(
        tx,
        request,
        EventKind.REQUEST_STATE_CHANGED,
        actor,
        why=why,
        facts={
            "from": request.state.value,
            "to": state.value,
            "event": happening.value,
            **(request.binding.facts if happening is Happening.EVIDENCE_CHANGED else {}),
        },
    )
    tx.notify(
        Notice(
            kind=NoticeKind.TIMELINE,
            what="state",
            model=request.model,
            request_id=request.id,
            facts={"state": state.value, "why": why},
        )
    )
    redraw(tx, saved)
    if saved.state not in TAKES_VOTES:
        for ask in tx.asks(saved.id):
            tx.end_ask(saved.id, ask.person)
    if not saved.is_open:
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what="outcome",
                model=request.model,
                request_id=request.id,
                person=request.requester,
                facts={"state": state.value, "why": why},
            )
        )
    return saved


def redraw(tx: Transaction, request: Request) -> None:
    """Queue the request's message to be drawn again."""
    tx.notify(
        Notice(
            kind=NoticeKind.REQUEST_CHANGED,
            what="changed",
            model=request.model,
            request_id=request.id,
        )
    )


def void_votes(tx: Transaction, request: Request, why: str, actor: Actor) -> tuple[PersonId, ...]:
    """End every approval and rejection in force, record that, and tell the voters. What somebody
    asked for stays: else a change in MLflow would answer it."""
    asks = Verdict.ASK_FOR_CHANGES
    voters = tuple(d.person for d in tx.decisions(request.id) if d.verdict is not asks)
    for voter in voters:
        end_vote(tx, request, voter, why, actor)
    return voters


def end_vote(tx: Transaction, request: Request, voter: PersonId, why: str, actor: Actor) -> None:
    """End one person's decision because of something that happened, and tell them."""
    tx.end_decision(request.id, voter, why)
    record_of(tx, request, EventKind.VOTES_VOIDED, actor, why=why, facts={"voter": voter})
    tx.notify(
        Notice(
            kind=NoticeKind.TELL,
            what="vote_voided",
            model=request.model,
            request_id=request.id,
            person=voter,
            facts={"why": why},
        )
    )


def what_failed(checks: Iterable[CheckResult]) -> str:
    """Failed checks in one sentence, which begins with what became of them."""
    listed = "; ".join(f"{c.check} ({c.finding})" for c in checks if c.outcome is Outcome.FAILED)
    return f"Failed: {listed}."


def refuse_over(tx: Transaction, request: Request) -> None:
    """Refuse a vote on a request that takes none any more; expired when now ≥ expires_at.

    Raises:
        Refused: `request_over`.
    """
    if request.state not in TAKES_VOTES:
        raise Refused(
            "request_over", f"This request is {request.state.value}; votes no longer count."
        )
    if is_expired(request.expires_at, tx.now):
        raise Refused("request_over", "This request has expired; votes no longer count.")


def voided_by_policy(tx: Transaction, request: Request, actor: Actor) -> Request:
    """End a request whose policy changed: its votes would count for other rules."""
    return move(
        tx,
        request,
        Happening.BINDING_BROKEN,
        actor,
        "The policy changed after this request was opened. Ask again under the new one.",
    )

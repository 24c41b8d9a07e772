"""Cast, change or withdraw a vote, or withdraw a request. A vote binds exactly what its message
showed; whoever may not vote is told why, and that is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.domain.absence import naming
from governance.domain.approval import Decision, RequestId, StoodIn, Verdict
from governance.domain.errors import Conflict, Refused
from governance.domain.escalation import may_fill
from governance.domain.identity import Actor, Person, Role, Standing
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request
from governance.domain.texts import refuse_long_text
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.attention import ask_those_who_could_fill, escalate_if_due
from governance.use_cases.grouped import rules_for
from governance.use_cases.recording import record_of
from governance.use_cases.settle import (
    barred_for,
    move,
    redraw,
    refuse_over,
    settle,
    voided_by_policy,
)
from governance.use_cases.voices import lent_by, refuse_conflict, stood_for, take_back
from governance.use_cases.world import World, require_person, require_standing

COMMENT_LIMIT = 3000


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """What one person said about the drawing of a request that they saw."""

    request_id: RequestId
    verdict: Verdict
    comment: str
    drawing: str


def decide(world: World, ballot: Ballot, *, actor: Actor, standing: Standing) -> Request:
    """Count one person's decision.

    Raises:
        Refused: the person may not decide, or the request is over; recorded.
        Conflict: `stale_drawing`, the click was on an older message; nothing was counted.
        Unavailable: Slack does not say who is in a user group that narrows a role of theirs.
    """
    with world.refusals_recorded(EventKind.DECISION_REFUSED, actor, request_id=ballot.request_id):
        require_standing(standing)
        lending = stood_for(world, actor)
        rules = rules_for(world, actor, also=[a.person for a in lending])
        person = require_person(rules, actor)
        _refuse_bad_comment(ballot)
        with world.store.transaction() as tx:
            request = tx.request(ballot.request_id)
            refuse_over(tx, request)
            policy = policy_for(rules.policies, request.model)
            if policy is None or policy.digest != request.binding.policy:
                return voided_by_policy(tx, request, actor)
            if ballot.drawing != request.drawing:
                raise Conflict(
                    "stale_drawing",
                    "This message was drawn before something changed, so your click is not "
                    f"counted. {request.note or 'Something was changed.'} Look at the current "
                    "message and decide there.",
                )
            request = escalate_if_due(tx, rules, policy, request)
            named = naming(tx.absences(), tx.now).get(person.id, ())
            lent = lent_by(tx, rules, request, person, named=named, lending=lending)
            refuse_conflict(rules, policy, request, person, named)
            roles = _require_eligible(rules, policy, request, person, actor, lent)
            _append(tx, request, ballot, person, actor, roles, lent)
            take_back(tx, policy, request, person, actor)
            if _ends_it(tx, policy, request, ballot):
                return move(tx, request, Happening.REJECTED, actor, ballot.comment)
            settled = settle(tx, rules, policy, request, actor)
            redraw(tx, settled)
            ask_those_who_could_fill(tx, rules, policy, settled)
            return settled


def withdraw_vote(world: World, request_id: RequestId, *, actor: Actor) -> Request:
    """Take back one's own decision, at any time before execution begins.

    Raises:
        Refused: there is none, or the request is over.
    """
    rules = world.rules.current()
    with world.refusals_recorded(EventKind.DECISION_REFUSED, actor, request_id=request_id):
        person = require_person(rules, actor)
        with world.store.transaction() as tx:
            request = tx.request(request_id)
            refuse_over(tx, request)
            ended = tx.end_decision(request_id, person.id, "withdrawn by the voter")
            if ended is None:
                raise Refused("no_vote", "There is no vote of yours on this request to withdraw.")
            record_of(
                tx,
                request,
                EventKind.DECISION_WITHDRAWN,
                actor,
                facts={"verdict": ended.verdict.value},
            )
            tx.notify(_timeline(request, "vote_withdrawn", person, ended.verdict, ""))
            policy = policy_for(rules.policies, request.model)
            if policy is None or policy.digest != request.binding.policy:
                return voided_by_policy(tx, request, actor)
            settled = settle(tx, rules, policy, request, actor)
            redraw(tx, settled)
            ask_those_who_could_fill(tx, rules, policy, settled)
            return settled


def withdraw_request(world: World, request_id: RequestId, *, actor: Actor, why: str) -> Request:
    """The requester takes the request back, at any time before execution begins.

    Raises:
        Refused: somebody else's request, or it is over.
    """
    rules = world.rules.current()
    with world.refusals_recorded(EventKind.DECISION_REFUSED, actor, request_id=request_id):
        person = require_person(rules, actor)
        refuse_long_text("reason", why, COMMENT_LIMIT)
        with world.store.transaction() as tx:
            request = tx.request(request_id)
            refuse_over(tx, request)
            if person.id != request.requester:
                name = rules.roster.name_of(request.requester)
                raise Refused("not_yours", f"Only {name}, who opened this request, withdraws it.")
            return move(tx, request, Happening.WITHDRAWN, actor, why or "Withdrawn.")


def _refuse_bad_comment(ballot: Ballot) -> None:
    refuse_long_text("comment", ballot.comment, COMMENT_LIMIT)
    if ballot.verdict is not Verdict.APPROVE and not ballot.comment.strip():
        raise Refused("comment_missing", "Say what is wrong: the requester cannot act on silence.")


def _require_eligible(
    rules: Rules,
    policy: ModelPolicy,
    request: Request,
    person: Person,
    actor: Actor,
    lent: Sequence[StoodIn],
) -> frozenset[Role]:
    reason = barred_for(policy, request.makers, request.requester).get(person.id)
    if reason is not None:
        raise Refused(
            "separation_of_duties",
            f"Not counted: {person.name} {reason}. Somebody else has to decide.",
        )
    if actor.account not in request.accounts_at_opening.get(person.id, frozenset()):
        raise Refused(
            "added_later",
            "Not counted: this account was added to people.yaml after the request was opened. "
            "It counts for the next one.",
        )
    roles = request.countable_roles(person.id, person.roles)
    wanted = may_fill(policy.stages[request.target].seats, request.escalated)
    if not roles & wanted and not any(stood.roles & wanted for stood in lent):
        asked = " or ".join(sorted(wanted)) or "nobody"
        when = " was none of these when it was opened" if person.roles & wanted else " is none"
        raise Refused(
            "no_seat",
            f"Not counted: this request asks for {asked}, and {person.name}{when}."
            f"{person.why_outside(wanted)}",
        )
    return roles


def _append(
    tx: Transaction,
    request: Request,
    ballot: Ballot,
    person: Person,
    actor: Actor,
    roles: frozenset[Role],
    lent: tuple[StoodIn, ...],
) -> None:
    tx.add_decision(
        Decision(
            request_id=request.id,
            person=person.id,
            account=actor.account,
            verdict=ballot.verdict,
            comment=ballot.comment,
            binding=request.binding,
            roles=roles,
            at=tx.now,
            standing_in=lent,
        )
    )
    record_of(
        tx,
        request,
        EventKind.DECISION_MADE,
        actor,
        why=ballot.comment,
        facts={
            "verdict": ballot.verdict.value,
            "roles": sorted(roles),
            "standing_in": [[s.absent, sorted(s.roles), s.last_day.isoformat()] for s in lent],
            **request.binding.facts,
        },
    )
    tx.notify(_timeline(request, "vote", person, ballot.verdict, ballot.comment))
    if ballot.verdict is Verdict.ASK_FOR_CHANGES:
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what="changes_asked",
                model=request.model,
                request_id=request.id,
                person=request.requester,
                facts={"by": person.id, "comment": ballot.comment},
            )
        )


def _ends_it(tx: Transaction, policy: ModelPolicy, request: Request, ballot: Ballot) -> bool:
    if ballot.verdict is not Verdict.REJECT:
        return False
    rejections = sum(d.verdict is Verdict.REJECT for d in tx.decisions(request.id))
    return rejections >= policy.stages[request.target].rejections_to_end


def _timeline(
    request: Request, what: str, person: Person, verdict: Verdict, comment: str
) -> Notice:
    return Notice(
        kind=NoticeKind.TIMELINE,
        what=what,
        model=request.model,
        request_id=request.id,
        facts={"person": person.id, "verdict": verdict.value, "comment": comment},
    )

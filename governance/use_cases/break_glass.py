"""What breaking glass has in common, whatever is done past policy: who may, what is asked of them,
and what is frozen. Nothing is done here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from governance.domain.approval import RequestId, who_is_missing
from governance.domain.break_glass import (
    PASSES,
    BrokenGlass,
    Bypass,
    GlassId,
    Skipped,
    may_break_glass,
    require_may_break_glass,
)
from governance.domain.errors import Conflict, FoureyesError, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, Person, PersonId, Standing
from governance.domain.policy import BreakGlassRule, ModelPolicy, Seats, policy_for
from governance.domain.texts import REASON_LIMIT, refuse_bad_reference, refuse_long_text
from governance.ports import Rules, Transaction
from governance.use_cases.debt import refuse_while_review_overdue
from governance.use_cases.grouped import rules_for, rules_shown
from governance.use_cases.world import World, require_person, require_policy, require_standing


@dataclass(frozen=True, kw_only=True)
class Plea:
    """Why somebody breaks glass, and what they were shown that it skips."""

    reason: str
    incident: str
    shown: frozenset[str]
    """The marks of `Skipped`: nothing beyond them is skipped."""
    ordered_at: datetime | None = None
    """When it was confirmed; None where nothing lies between that and acting."""
    valid_for: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a break-glass would do and what follows from it, before anybody confirms."""

    bypass: Bypass
    model: ModelName
    from_version: Version | None
    version: Version
    request_id: RequestId | None = None
    """The open request that it would carry out."""
    skipped: Skipped
    reviewers: tuple[PersonId, ...]
    """Everyone who could fill a seat that is skipped: they are told, and review it."""
    on_call: tuple[PersonId, ...]
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Entitled:
    """A person whose role may break glass for a model, and by which rules."""

    rules: Rules
    person: Person
    policy: ModelPolicy
    rule: BreakGlassRule


def entitled(world: World, model: ModelName, actor: Actor, standing: Standing) -> Entitled:
    """Who may break glass for a model now.

    Raises:
        Refused: not this account, not this person, or an earlier break-glass of theirs waits for
        its overdue review.
    """
    require_standing(standing)
    rules = rules_for(world, actor)
    person = require_person(rules, actor)
    policy = require_policy(rules, model)
    rule = require_may_break_glass(policy.break_glass, person, model)
    with world.store.read() as tx:
        refuse_while_review_overdue(tx, rules, person)
    return Entitled(rules=rules, person=person, policy=policy, rule=rule)


def could_break_glass(
    world: World, bypass: Bypass, code: str, model: ModelName, actor: Actor
) -> bool:
    """Whether a refusal is one that break-glass passes, and this person's role may. Whether it
    would succeed is told when they look."""
    rules = rules_shown(world)
    policy = policy_for(rules.policies, model)
    person = rules.roster.people.get(actor.person) if actor.person is not None else None
    if policy is None or person is None or code not in PASSES[bypass]:
        return False
    return may_break_glass(policy.break_glass, person)


def leads_to_production(
    world: World, code: str, model: ModelName, version: Version, target: Stage | None
) -> bool:
    """Whether what was refused was a promotion to Production: there alone is glass broken. Where
    nobody said, it is from where the version would go there next, or nowhere else."""
    if target is not None:
        return target is Stage.PRODUCTION
    if code in ("nowhere_to_go", "staged_elsewhere"):
        return True
    policy = policy_for(world.rules.current().policies, model)
    with suppress(FoureyesError):
        stage = world.registry.snapshot(model, version).stage
        return policy is not None and policy.next_stage(stage) is Stage.PRODUCTION
    return False


def require_plea(plea: Plea) -> None:
    """Raises Refused: `reason_missing`, `incident_missing`, or for text that is too long."""
    if not plea.reason.strip():
        raise Refused("reason_missing", "Breaking glass needs a reason: others review it.")
    if not plea.incident.strip():
        raise Refused(
            "incident_missing",
            "Breaking glass needs the reference of an incident or a ticket, such as INC-12.",
        )
    refuse_long_text("reason", plea.reason, REASON_LIMIT)
    refuse_bad_reference("incident", plea.incident)


def require_skips(skipped: Skipped, model: ModelName) -> None:
    """Raises Refused `nothing_to_break` when policy allows it by itself."""
    if skipped.is_nothing:
        raise Refused(
            "nothing_to_break",
            f"Nothing has to be skipped: the policy of {model} allows this by itself.",
        )


def require_reviewers(about: Entitled, skipped: Skipped, barred: Mapping[PersonId, str]) -> None:
    """Raises Refused `nobody_can_review` when the review could never be made."""
    people = {
        p.id: frozenset(s.label for s in skipped.review if p.roles & s.any_of)
        for p in about.rules.roster.people.values()
    }
    seats = [Seats(role=s.label, count=s.count) for s in skipped.review]
    missing = who_is_missing(seats, people, barred)
    if missing:
        raise Refused(
            "nobody_can_review",
            f"Nobody is left to review this as {' and '.join(missing)}, so nobody may do it alone. "
            "Somebody else has to break glass, or people.yaml needs one more person.",
        )


def new_glass(
    tx: Transaction,
    about: Entitled,
    bypass: Bypass,
    plea: Plea,
    *,
    actor: Actor,
    skipped: Skipped,
    barred: Mapping[PersonId, str],
) -> BrokenGlass:
    """What is ordered, frozen; nothing beyond what the person was shown is skipped.

    Raises:
        Refused: nothing is skipped, nobody could review it, an earlier one is overdue, or it was
        confirmed too long ago.
        Conflict: `more_is_skipped`.
    """
    if plea.ordered_at is not None and tx.now > plea.ordered_at + plea.valid_for:
        minutes = plea.valid_for // timedelta(minutes=1)
        raise Refused(
            "order_too_old",
            f"This was confirmed more than {minutes} minutes ago, so nothing was done. Look at it "
            "again.",
        )
    refuse_while_review_overdue(tx, about.rules, about.person)
    require_skips(skipped, about.policy.model)
    require_reviewers(about, skipped, barred)
    if not skipped.marks <= plea.shown:
        raise Conflict(
            "more_is_skipped",
            "More would be skipped by now than you were shown, so nothing was done: "
            f"{'; '.join(skipped.lines)}. Look at it again.",
        )
    people = about.rules.roster.people.values()
    return BrokenGlass(
        id=GlassId(uuid4().hex[:12]),
        bypass=bypass,
        person=about.person.id,
        account=actor.account,
        reason=plea.reason,
        incident=plea.incident,
        at=tx.now,
        skipped=skipped,
        review_within=about.rule.review_within,
        barred=barred,
        roles_then={p.id: p.roles for p in people},
        accounts_then={p.id: frozenset(str(a) for a in p.slack) for p in people},
    )


def plan_of(
    about: Entitled,
    bypass: Bypass,
    *,
    from_version: Version | None,
    version: Version,
    skipped: Skipped,
    barred: Mapping[PersonId, str],
    now: datetime,
    request_id: RequestId | None = None,
) -> Plan:
    """What follows from it. Raises Refused as `new_glass` does."""
    require_skips(skipped, about.policy.model)
    require_reviewers(about, skipped, barred)
    wanted = frozenset(role for seat in skipped.review for role in seat.any_of)
    people = about.rules.roster.people.values()
    return Plan(
        bypass=bypass,
        model=about.policy.model,
        from_version=from_version,
        version=version,
        request_id=request_id,
        skipped=skipped,
        reviewers=tuple(sorted(p.id for p in people if p.roles & wanted and p.id not in barred)),
        on_call=about.policy.on_call,
        due_at=now + about.rule.review_within,
    )

"""Open a promotion request: everything that approvers will be shown is read and frozen here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from governance.domain.checks import CheckResult, Outcome, Situation, evaluate
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import Content, ModelName, Stage, Version
from governance.domain.identity import Actor, Person, Standing
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, StageRule
from governance.domain.promotion import Request
from governance.domain.texts import REASON_LIMIT, refuse_bad_reference, refuse_long_text
from governance.ports import Rules, Transaction
from governance.use_cases.attention import ask_those_who_could_fill
from governance.use_cases.audit import quick_check
from governance.use_cases.candidate import (
    already_there,
    champion_of,
    entered_staging,
    rule_for,
    snapshot_of,
    why_staging_was_skipped,
)
from governance.use_cases.debt import refuse_while_review_overdue
from governance.use_cases.draft import (
    Draft,
    Wish,
    draft_of,
    record_opened,
    refuse_wrong_direction,
    situation_of,
)
from governance.use_cases.makers import authors_of
from governance.use_cases.naming import nearest_named
from governance.use_cases.observe import observe
from governance.use_cases.rounds import end_followed, what_is_followed
from governance.use_cases.settle import settle, what_failed
from governance.use_cases.sides import with_profile
from governance.use_cases.world import World, require_person, require_policy, require_standing


def promote(
    world: World,
    wish: Wish,
    *,
    actor: Actor,
    standing: Standing,
    progress: Callable[[int, int], None],
) -> Request:
    """Check a wish against policy and open the request; asks nobody when it cannot succeed.

    Raises:
        Refused: with the reason, which is recorded. Conflict: the same request is open.
        Unavailable: MLflow or the store does not answer; nothing was opened.
        IntegrityViolation: the record contradicts its kept heads.
    """
    recorded = world.refusals_recorded(
        EventKind.REQUEST_REFUSED, actor, model=wish.model, version=wish.version
    )
    with recorded, nearest_named(world, wish.model):
        rules = world.rules.current()
        require_standing(standing)
        person = require_person(rules, actor)
        _refuse_bad_text(wish)
        policy = require_policy(rules, wish.model)
        with world.registry.together():
            rule, draft = _considered(world, rules, policy, wish, person)
        content = world.registry.content_to_show(wish.model, wish.version, progress=progress)
    with world.store.transaction() as tx:
        return _open(tx, rules, policy, rule, draft, content, actor)


def _considered(
    world: World, rules: Rules, policy: ModelPolicy, wish: Wish, person: Person
) -> tuple[StageRule, Draft]:
    """What can be told without reading files: whether the request can succeed."""
    observe(world, wish.model)
    with world.store.read() as tx:
        quick_check(tx, world.heads)
        refuse_while_review_overdue(tx, rules, person)
        if tx.open_intents(wish.model):
            raise Conflict(
                "model_busy",
                f"A transition of {wish.model} is just being finished. Try again in a moment.",
            )
        tenures = tx.tenures(wish.model)
        first = tx.first_snapshot(wish.model, wish.version)
        quarantined = tx.quarantined(wish.model).get(wish.version, "")
    snapshot = snapshot_of(world, wish.model, wish.version)
    seen = (snapshot,) if first is None else (first, snapshot)
    champion = champion_of(world, wish.model)
    if wish.target is None and champion is not None and champion.version == wish.version:
        raise already_there(snapshot, Stage.PRODUCTION)  # perhaps by the alias alone
    target = wish.target or policy.next_stage(snapshot.stage)
    rule = rule_for(policy, target, snapshot)
    skipped = why_staging_was_skipped(policy, snapshot, tenures)
    if skipped is not None:
        raise Refused("staged_elsewhere", skipped)
    refuse_wrong_direction(wish, rule, champion)
    if wish.follows is not None:
        successor = (wish.model, wish.version, rule.target)
        with world.store.read() as tx:
            what_is_followed(
                tx,
                rules,
                wish.follows,
                person=person.id,
                shown=wish.shown,
                successor=successor,
            )
    staged_at = entered_staging(tenures, wish.version)
    authors = authors_of(seen, policy, rules.roster)
    shown = (
        with_profile(world, snapshot, policy),
        None if champion is None else with_profile(world, champion, policy),
    )
    draft = draft_of(rules, wish, person, policy, rule, shown, authors, staged_at)
    draft = replace(draft, quarantined=quarantined)
    with world.store.read() as tx:
        now = tx.now
    _refuse_failed(evaluate(rule, situation_of(draft, rules), now=now))
    return rule, draft


def preview(
    world: World, model: ModelName, version: Version, target: Stage | None
) -> tuple[CheckResult, ...]:
    """The checks as they stand, without opening anything. Raises as `promote` does."""
    rules = world.rules.current()
    policy = require_policy(rules, model)
    with world.store.read() as tx:
        tenures = tx.tenures(model)
        first = tx.first_snapshot(model, version)
        now = tx.now
    with world.registry.together():
        snapshot = snapshot_of(world, model, version)
        champion = champion_of(world, model)
    seen = (snapshot,) if first is None else (first, snapshot)
    rule = rule_for(policy, target or policy.next_stage(snapshot.stage), snapshot)
    situation = Situation(
        candidate=snapshot,
        champion=champion,
        entered_staging_at=entered_staging(tenures, version),
        roster=rules.roster,
        makers=authors_of(seen, policy, rules.roster).persons,
    )
    return evaluate(rule, situation, now=now)


def _refuse_bad_text(wish: Wish) -> None:
    if not wish.reason.strip():
        raise Refused("reason_missing", "A promotion needs a reason: say why this version.")
    refuse_long_text("reason", wish.reason, REASON_LIMIT)
    refuse_bad_reference("ticket", wish.ticket)


def _refuse_failed(checks: tuple[CheckResult, ...]) -> None:
    if any(c.outcome is Outcome.FAILED for c in checks):
        raise Refused(
            "checks_failed",
            f"Policy refuses this version, and nobody was asked. {what_failed(checks)}",
        )


def _open(
    tx: Transaction,
    rules: Rules,
    policy: ModelPolicy,
    rule: StageRule,
    draft: Draft,
    content: Content,
    actor: Actor,
) -> Request:
    request = record_opened(tx, rules, policy, rule, draft, content, actor)
    end_followed(tx, rules, request, actor, draft.wish.shown)
    if rule.seats:
        ask_those_who_could_fill(tx, rules, policy, request)
        return request
    return settle(tx, rules, policy, request, actor)

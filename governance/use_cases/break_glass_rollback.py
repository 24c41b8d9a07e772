"""A rollback past policy: by somebody whose role may not roll back, or to a version that is no
target. As quick as every other, carried out by the same steps, and reviewed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from governance.domain.break_glass import Bypass, Skipped, barred_from_review, skipped_of_rollback
from governance.domain.checks import CheckResult, Situation, evaluate
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Snapshot, Stage, Version
from governance.domain.identity import Actor, PersonId, Standing
from governance.domain.ledger import EventKind
from governance.ports import Transaction
from governance.use_cases.break_glass import (
    Entitled,
    Plan,
    Plea,
    entitled,
    new_glass,
    plan_of,
    require_plea,
)
from governance.use_cases.candidate import entered_staging
from governance.use_cases.grouped import members_of, narrowed, roles_asked
from governance.use_cases.makers import authors_of, named_authors
from governance.use_cases.observe import observe
from governance.use_cases.restore import (
    Restored,
    Switch,
    current_production,
    finish_what_is_done,
    intend,
    switch,
)
from governance.use_cases.roll_back import options_for, require_still_in_production, why_no_target
from governance.use_cases.world import World


@dataclass(frozen=True, kw_only=True)
class _Target:
    current: Version
    version: Version
    is_last_known_good: bool
    why_not: str | None
    """Why it is no target of a rollback, so that going there is a promotion."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    skipped: Skipped
    barred: dict[PersonId, str]


def plan_rollback(
    world: World,
    model: ModelName,
    *,
    version: Version | None,
    actor: Actor,
    standing: Standing,
) -> Plan:
    """What breaking glass for a rollback would skip, and what follows; without a version, to the
    last known good one. Changes nothing.

    Raises:
        Refused: not this person, nothing in Production, or no such version; recorded.
    """
    recorded = world.refusals_recorded(
        EventKind.BREAK_GLASS_REFUSED, actor, model=model, version=version
    )
    with recorded, world.registry.together():
        about = entitled(world, model, actor, standing)
        observe(world, model)
        with world.model_locked(model):
            finish_what_is_done(world, model)
            current = current_production(world.registry.production(model), model)
        target = _target(world, model, current, version)
        as_promotion = None if target.why_not is None else _as_promotion(world, about, target)
        with world.store.read() as tx:
            case, now = _case(tx, about, target, as_promotion), tx.now
        return plan_of(
            about,
            Bypass.ROLLBACK,
            from_version=current,
            version=target.version,
            skipped=case.skipped,
            barred=case.barred,
            now=now,
        )


def break_glass_to_roll_back(
    world: World,
    model: ModelName,
    from_version: Version,
    to_version: Version,
    plea: Plea,
    *,
    actor: Actor,
    standing: Standing,
) -> Restored:
    """Switch now, past policy. A record that contradicts its heads stops no rollback, this one
    neither: it is marked.

    Raises:
        Refused: not this person, Production moved, or no such version; recorded.
        Conflict: more would be skipped than was shown, or another transition runs.
        Unavailable: MLflow did not answer; the intent stands, and the reconciler finishes it.
    """
    recorded = world.refusals_recorded(
        EventKind.BREAK_GLASS_REFUSED, actor, model=model, version=to_version
    )
    with recorded, world.registry.together():
        began = world.elapsed()
        about = entitled(world, model, actor, standing)
        require_plea(plea)
        with world.model_locked(model):
            finish_what_is_done(world, model)
            current = current_production(world.registry.production(model), model)
            require_still_in_production(model, from_version, current)
            target = _target(world, model, current, to_version)
            as_promotion = None if target.why_not is None else _as_promotion(world, about, target)
            with world.store.read() as tx:
                case = _case(tx, about, target, as_promotion)
                glass = new_glass(
                    tx,
                    about,
                    Bypass.ROLLBACK,
                    plea,
                    actor=actor,
                    skipped=case.skipped,
                    barred=case.barred,
                )
            wanted = Switch(
                model=model,
                from_version=from_version,
                to_version=to_version,
                why=f"Break-glass (incident {plea.incident}): {plea.reason}",
                last_known_good=target.is_last_known_good,
                glass=glass,
            )
            intent = intend(world, wanted, actor)
            return switch(world, intent, actor, began=began)


def _target(world: World, model: ModelName, current: Version, version: Version | None) -> _Target:
    existing = frozenset(v.version for v in world.registry.versions(model))
    with world.store.read() as tx:
        options = options_for(tx, model, current, existing)
    target = options.target if version is None else version
    if target is None:
        raise Refused(
            "no_target",
            f"There is no last known good version of {model}. Name one: /rollback {model} VERSION.",
        )
    if target == current:
        raise Refused("not_eligible", why_no_target(options, model, target, current))
    if target not in existing:
        raise Refused("no_such_version", f"MLflow has no version {target} of {model}.")
    eligible = target in options.eligible
    why_not = None if eligible else dict(options.reasons).get(target, "it was never in Production")
    return _Target(
        current=current,
        version=target,
        is_last_known_good=target == options.target,
        why_not=why_not,
    )


def _as_promotion(world: World, about: Entitled, target: _Target) -> Situation:
    """What a target that is none looks like, as a promotion would look at it.

    Raises:
        Refused: `unknown_author`, or MLflow does not tell what it is.
    """
    model = about.policy.model
    asked = roles_asked(about.policy, Stage.PRODUCTION)
    rules = narrowed(about.rules, members_of(world, about.rules.roster, asked), asked)
    snapshot = world.registry.snapshot(model, target.version)
    with world.store.read() as tx:
        tenures = tx.tenures(model)
        seen = (*_kept(tx, model, target.version), snapshot)
        kept = tx.saved_snapshot(model, target.current)
    return Situation(
        candidate=snapshot,
        champion=kept[0] if kept else world.registry.snapshot(model, target.current),
        entered_staging_at=entered_staging(tenures, target.version),
        roster=rules.roster,
        makers=authors_of(seen, about.policy, rules.roster).persons,
    )


def _kept(tx: Transaction, model: ModelName, version: Version) -> tuple[Snapshot, ...]:
    saved = tx.saved_snapshot(model, version)
    first = tx.first_snapshot(model, version)
    return tuple(s for s in (first, saved[0] if saved else None) if s is not None)


def _case(
    tx: Transaction, about: Entitled, target: _Target, as_promotion: Situation | None
) -> _Case:
    rule = about.policy.rule(Stage.PRODUCTION)
    if as_promotion is None:
        seen = _kept(tx, about.policy.model, target.version)
        makers = named_authors(seen, about.policy, about.rules.roster).persons
        checks: tuple[CheckResult, ...] = ()
    else:
        makers = as_promotion.makers
        checks = evaluate(rule, as_promotion, now=tx.now) if rule else ()
    skipped = skipped_of_rollback(
        about.policy, about.person, target.why_not, rule.seats if rule else (), checks
    )
    barred = barred_from_review(
        about.policy, makers=makers, requester=about.person.id, breaker=about.person.id
    )
    return _Case(skipped=skipped, barred=dict(barred))

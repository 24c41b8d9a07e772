"""A rollback past policy: by somebody whose role may not roll back, or to a version that is no
target. As quick as every other, carried out by the same steps, and reviewed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from governance.domain.break_glass import (
    Bypass,
    Skipped,
    barred_from_review,
    skipped_of_rollback,
)
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Stage, Version
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
from governance.use_cases.makers import named_authors
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
class _Case:
    version: Version
    is_last_known_good: bool
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
        existing = _existing(world, model)
        with world.store.read() as tx:
            case, now = _case(tx, about, current, version, existing), tx.now
        return plan_of(
            about,
            Bypass.ROLLBACK,
            from_version=current,
            version=case.version,
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
            existing = _existing(world, model)
            with world.store.read() as tx:
                case = _case(tx, about, current, to_version, existing)
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
                last_known_good=case.is_last_known_good,
                glass=glass,
            )
            intent = intend(world, wanted, actor)
            return switch(world, intent, actor, began=began)


def _existing(world: World, model: ModelName) -> frozenset[Version]:
    return frozenset(v.version for v in world.registry.versions(model))


def _case(
    tx: Transaction,
    about: Entitled,
    current: Version,
    version: Version | None,
    existing: frozenset[Version],
) -> _Case:
    model = about.policy.model
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
    why = None if eligible else dict(options.reasons).get(target, "it was never in Production")
    rule = about.policy.rule(Stage.PRODUCTION)
    skipped = skipped_of_rollback(about.policy, about.person, why, rule.seats if rule else ())
    saved = tx.saved_snapshot(model, target)
    first = tx.first_snapshot(model, target)
    seen = [s for s in (first, saved[0] if saved else None) if s is not None]
    authors = named_authors(seen, about.policy, about.rules.roster).persons
    barred = barred_from_review(
        about.policy, makers=authors, requester=about.person.id, breaker=about.person.id
    )
    return _Case(
        version=target,
        is_last_known_good=target == options.target,
        skipped=skipped,
        barred=dict(barred),
    )

"""Put a version that was good before back into Production: one authorised person, about a second.

The record comes first and the registry second, as everywhere; the digests come after, because a
rollback does not wait for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor, Standing
from governance.domain.ledger import EventKind
from governance.domain.tenure import RollbackOptions, rollback_options
from governance.domain.texts import REASON_LIMIT, refuse_long_text
from governance.ports import Transaction
from governance.use_cases.grouped import rules_for
from governance.use_cases.naming import nearest_named
from governance.use_cases.observe import observe
from governance.use_cases.restore import (
    Restored,
    Switch,
    current_production,
    finish_what_is_done,
    intend,
    switch,
)
from governance.use_cases.world import (
    World,
    require_person,
    require_policy,
    require_standing,
)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What `/rollback` proposes before anybody clicks."""

    model: ModelName
    current: Version
    target: Version | None
    options: RollbackOptions


@dataclass(frozen=True, kw_only=True)
class Order:
    """A rollback that somebody means: from what, to what, why. `offered_at` is when the button
    was drawn; None from the command line, where nothing lies between reading and acting."""

    model: ModelName
    from_version: Version
    to_version: Version
    why: str
    offered_at: datetime | None = None
    valid_for: timedelta = timedelta(minutes=5)


def offer(
    world: World,
    model: ModelName,
    *,
    actor: Actor,
    standing: Standing | None,
    version: Version | None = None,
) -> Offer:
    """Find the target for a person who may roll back; nothing is changed.

    Raises:
        Refused: not this person, nothing in Production, or a version that is no target; recorded.
    """
    recorded = world.refusals_recorded(
        EventKind.ROLLBACK_REFUSED, actor, model=model, version=version
    )
    with recorded, nearest_named(world, model), world.registry.together():
        _require_may_roll_back(world, model, actor, standing)
        observe(world, model)
        with world.model_locked(model):
            finish_what_is_done(world, model)
            current = current_production(world.registry.production(model), model)
        existing = frozenset(v.version for v in world.registry.versions(model))
        with world.store.read() as tx:
            options = options_for(tx, model, current, existing)
        target = options.target if version is None else version
        if version is not None and version not in options.eligible:
            raise Refused("not_eligible", why_no_target(options, model, version, current))
        return Offer(model=model, current=current, target=target, options=options)


def roll_back(world: World, order: Order, *, actor: Actor, standing: Standing | None) -> Restored:
    """Switch now, read back, then say so.

    Raises:
        Refused: not this person, Production moved since the offer, or the target is none;
        recorded. Conflict: another transition runs. Unavailable: MLflow did not answer; the
        intent stands, and the reconciler finishes it.
    """
    recorded = world.refusals_recorded(
        EventKind.ROLLBACK_REFUSED, actor, model=order.model, version=order.to_version
    )
    with recorded, world.registry.together():
        began = world.elapsed()
        _require_may_roll_back(world, order.model, actor, standing)
        refuse_long_text("reason", order.why, REASON_LIMIT)
        with world.model_locked(order.model):
            finish_what_is_done(world, order.model)
            target = _refuse_unless_still_true(world, order)
            wanted = Switch(
                model=order.model,
                from_version=order.from_version,
                to_version=order.to_version,
                why=order.why,
                last_known_good=order.to_version == target,
            )
            intent = intend(world, wanted, actor)
            return switch(world, intent, actor, began=began)


def _require_may_roll_back(
    world: World, model: ModelName, actor: Actor, standing: Standing | None
) -> None:
    if standing is not None:
        require_standing(standing)
    rules = rules_for(world, actor)
    person = require_person(rules, actor)
    policy = require_policy(rules, model)
    if not person.has_any_role(policy.rollback_roles):
        roles = " or ".join(sorted(policy.rollback_roles))
        on_call = ", ".join(rules.roster.name_of(p) for p in policy.on_call) or "nobody"
        raise Refused(
            "may_not_roll_back",
            f"Rolling back {model} needs the role {roles}, which {person.name} does not have. "
            f"On call: {on_call}.{person.why_outside(policy.rollback_roles)}",
        )


def options_for(
    tx: Transaction, model: ModelName, current: Version, existing: frozenset[Version]
) -> RollbackOptions:
    """Where a model could go back to, by the record."""
    return rollback_options(
        tx.tenures(model),
        current=current,
        quarantined=frozenset(tx.quarantined(model)),
        existing=existing,
    )


def why_no_target(
    options: RollbackOptions, model: ModelName, version: Version, current: Version
) -> str:
    """Why a version is no rollback target, and what there is instead."""
    if version == current:
        return f"v{version} of {model} is what is in Production now."
    known = dict(options.reasons)
    reason = known.get(version, "it was never in Production by our record")
    listed = ", ".join(f"v{v}" for v in options.eligible) or "none"
    return (
        f"v{version} of {model} is no rollback target: {reason}. Eligible: {listed}. "
        f"Any other version is a promotion: /promote {model} {version}."
    )


def require_still_in_production(model: ModelName, version: Version, current: Version) -> None:
    """Raises Refused `production_moved` when what is to be replaced is not there any more."""
    if current != version:
        raise Refused(
            "production_moved",
            f"Production of {model} is v{current}, no longer v{version}; nothing "
            f"was changed. Type /rollback {model} to see what would happen now.",
        )


def _refuse_unless_still_true(world: World, order: Order) -> Version | None:
    """The last known good version, which need not be the one that was ordered."""
    current = current_production(world.registry.production(order.model), order.model)
    with world.store.read() as tx:
        if order.offered_at is not None and tx.now > order.offered_at + order.valid_for:
            minutes = order.valid_for // timedelta(minutes=1)
            raise Refused(
                "offer_too_old",
                f"This button is older than {minutes} minutes, so nothing was changed. "
                f"Type /rollback {order.model} again.",
            )
        tenures = tx.tenures(order.model)
        quarantined = frozenset(tx.quarantined(order.model))
    require_still_in_production(order.model, order.from_version, current)
    # That the target still exists, MLflow itself says at the switch: one read less at 2 a.m.
    known = frozenset(t.version for t in tenures)
    options = rollback_options(tenures, current=current, quarantined=quarantined, existing=known)
    if order.to_version not in options.eligible:
        raise Refused(
            "not_eligible", why_no_target(options, order.model, order.to_version, current)
        )
    return options.target

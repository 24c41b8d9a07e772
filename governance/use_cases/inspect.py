"""Read-only answers: a model's card and the comparison of any two versions. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance.domain.comparison import Comparison
from governance.domain.errors import Refused
from governance.domain.evidence import Content, ModelName, Snapshot, Version
from governance.domain.policy import ModelPolicy
from governance.domain.promotion import Request
from governance.domain.review import Review
from governance.domain.tenure import Tenure
from governance.ports import ProductionState, VersionSummary
from governance.use_cases.audit import TrailLine, stays_in_production, trail
from governance.use_cases.candidate import snapshot_of
from governance.use_cases.naming import nearest_named
from governance.use_cases.sides import compared, side_of, with_profile
from governance.use_cases.world import World, require_policy


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What `/model NAME` shows."""

    model: ModelName
    production: ProductionState
    versions: tuple[VersionSummary, ...]
    running: tuple[Tenure, ...]
    open_requests: tuple[Request, ...]
    quarantined: tuple[tuple[Version, str], ...]
    history: tuple[TrailLine, ...]
    stays: tuple[Tenure, ...]
    """In Production, oldest first, by the record alone."""
    seen_at: datetime
    reviews: tuple[Review, ...] = ()
    """Of what was done past policy; those that are not over."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A comparison, and from when each side is: `taken_at` is None for a side read just now."""

    before: Snapshot
    after: Snapshot
    comparison: Comparison
    before_taken_at: datetime | None
    after_taken_at: datetime | None


def model_card(world: World, model: ModelName) -> ModelCard:
    """Everything about a governed model at a glance.

    Raises:
        Refused: `not_governed`, `no_such_model`. Unavailable.
    """
    with nearest_named(world, model), world.registry.together():
        require_policy(world.rules.current(), model)
        versions = world.registry.versions(model)
        production = world.registry.production(model)
    with world.store.read() as tx:
        return ModelCard(
            model=model,
            production=production,
            versions=versions,
            running=tuple(t for t in tx.tenures(model) if t.ended_at is None),
            open_requests=tx.open_requests(model),
            quarantined=tuple(sorted(tx.quarantined(model).items())),
            history=trail(tx, model),
            reviews=tuple(r for r in tx.open_reviews() if r.model == model),
            stays=stays_in_production(tx, model),
            seen_at=tx.now,
        )


def difference(world: World, model: ModelName, before: Version, after: Version) -> Difference:
    """Compare two versions as MLflow shows them, or from the frozen snapshot of one that can no
    longer be read.

    Raises:
        Refused: a version that neither MLflow nor the record knows. Unavailable.
    """
    rules = world.rules.current()
    with nearest_named(world, model), world.registry.together():
        policy = require_policy(rules, model)
        old, old_content, old_at = _side(world, model, before, policy)
        new, new_content, new_at = _side(world, model, after, policy)
    return Difference(
        before=old,
        after=new,
        comparison=compared(
            side_of(old, old_content, policy, rules.roster),
            side_of(new, new_content, policy, rules.roster),
            policy,
        ),
        before_taken_at=old_at,
        after_taken_at=new_at,
    )


def _side(
    world: World, model: ModelName, version: Version, policy: ModelPolicy
) -> tuple[Snapshot, Content | None, datetime | None]:
    with world.store.read() as tx:
        saved = tx.saved_snapshot(model, version)
    try:
        snapshot = snapshot_of(world, model, version)
    except Refused:
        if saved is None:
            raise
        return saved
    return with_profile(world, snapshot, policy), saved[1] if saved else None, None

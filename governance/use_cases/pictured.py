"""What a picture of a comparison is drawn from: scores of both versions where their runs have them,
and the limits that policy sets. Changes nothing, and knows no picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from governance.domain.curves import Curves, NoCurve, curves_of
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Snapshot, Version
from governance.domain.monitoring.spec import ScoredBaseline
from governance.domain.policy import (
    MetricAtLeast,
    MetricAtMost,
    ModelPolicy,
    NotWorseThanProduction,
    policy_for,
)
from governance.use_cases.baselines import scored_rows
from governance.use_cases.world import World

_LARGEST_BYTES = 8 << 20
"""Of a file of scores: about 500,000 rows. A larger one is for monitors, and bars are drawn."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What policy asks of a metric, for any of its stages."""

    metric: str
    value: float
    is_minimum: bool


def curves(
    world: World, model: ModelName, before: Version | None, after: Version
) -> tuple[Curves | None, Curves] | None:
    """The curves of both versions, by the scores and labels that the policy's monitors are held
    against; None when policy names none, or one of the runs does not have them.

    Raises:
        Unavailable: MLflow.
    """
    policy = policy_for(world.rules.current().policies, model)
    named = _scores_named(policy)
    if named is None:
        return None
    try:
        new = _of_version(world, model, after, named)
        old = None if before is None else _of_version(world, model, before, named)
    except (Refused, NoCurve):
        return None
    return old, new


def _scores_named(policy: ModelPolicy | None) -> ScoredBaseline | None:
    monitors = policy.watching.monitors if policy else ()
    found = (m.baseline for m in monitors if isinstance(m.baseline, ScoredBaseline))
    return next(found, None)


def _of_version(world: World, model: ModelName, version: Version, named: ScoredBaseline) -> Curves:
    raw = world.registry.run_file(model, version, named.artifact, max_bytes=_LARGEST_BYTES)
    return curves_of(scored_rows(named, raw))


def limits(policy: ModelPolicy, champion: Snapshot | None) -> tuple[Limit, ...]:
    """The strictest that any stage asks, one for each metric and side, by name."""
    strictest: dict[tuple[str, bool], float] = {}
    for limit in _limits(policy, champion):
        key = (limit.metric, limit.is_minimum)
        known = strictest.get(key, limit.value)
        strictest[key] = (max if limit.is_minimum else min)(known, limit.value)
    return tuple(
        Limit(metric=metric, value=value, is_minimum=is_minimum)
        for (metric, is_minimum), value in sorted(strictest.items())
    )


def _limits(policy: ModelPolicy, champion: Snapshot | None) -> Iterator[Limit]:
    for rule in policy.stages.values():
        for check in rule.checks:
            match check:
                case MetricAtLeast(metric=metric, limit=value):
                    yield Limit(metric=metric, value=value, is_minimum=True)
                case MetricAtMost(metric=metric, limit=value):
                    yield Limit(metric=metric, value=value, is_minimum=False)
                case NotWorseThanProduction(metric=metric, tolerance=tolerance):
                    there = champion.metric(metric) if champion else None
                    base = there.number if there else None
                    if base is not None:
                        is_minimum = check.higher_is_better
                        value = base - tolerance if is_minimum else base + tolerance
                        yield Limit(metric=metric, value=value, is_minimum=is_minimum)
                case _:
                    pass

"""What to draw of a comparison or a model's card. Decides nothing; the pictures themselves are in
`comparison_chart` and `timeline_chart`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.comparison_chart import (
    Bar,
    BarsChart,
    Candidate,
    CurvesChart,
    bars_alt,
    curves_alt,
    draw_bars,
    draw_curves,
)
from bot.timeline_chart import Stay, Timeline, draw_timeline, timeline_alt
from governance.domain.evidence import Metric, Snapshot, Stage
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.tenure import Ending, Origin
from governance.use_cases import pictured
from governance.use_cases.inspect import ModelCard
from governance.use_cases.world import World


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A PNG, and what it shows in words."""

    png: bytes
    alt_text: str


def comparison_drawing(world: World, before: Snapshot | None, after: Snapshot) -> Drawing | None:
    """ROC and calibration of both where their runs have the scores, else metrics against the
    policy's limits; None where there is nothing to draw.

    Raises:
        ModuleNotFoundError: matplotlib is not installed. Unavailable: MLflow.
    """
    title = f"{after.model} v{after.version}"
    if before is not None:
        title += f" against v{before.version}"
    found = pictured.curves(
        world, after.model, None if before is None else before.version, after.version
    )
    if found is not None:
        old, new = found
        chart = CurvesChart(
            title=title,
            after=Candidate(name=f"v{after.version}", curves=new),
            before=None
            if before is None or old is None
            else Candidate(name=f"v{before.version}", curves=old),
        )
        return Drawing(png=draw_curves(chart), alt_text=curves_alt(chart))
    policy = policy_for(world.rules.current().policies, after.model)
    bars = tuple(_bars(policy, before, after))
    if not bars:
        return None
    drawn = BarsChart(
        title=title,
        before_name="" if before is None else f"v{before.version}",
        after_name=f"v{after.version}",
        bars=bars,
    )
    return Drawing(png=draw_bars(drawn), alt_text=bars_alt(drawn))


def _bars(policy: ModelPolicy | None, before: Snapshot | None, after: Snapshot) -> Iterator[Bar]:
    """What policy limits first, then its headline, then the rest by name."""
    champion = before if before is not None and before.stage is Stage.PRODUCTION else None
    found = pictured.limits(policy, champion) if policy else ()
    limited = {limit.metric for limit in found}
    for limit in found:
        yield _bar(limit.metric, before, after, limit=limit.value, is_minimum=limit.is_minimum)
    names = [*(policy.headline if policy else ()), *sorted({m.name for m in after.metrics})]
    for name in dict.fromkeys(names):
        if name not in limited and _number(after.metric(name)) is not None:
            yield _bar(name, before, after)


def _bar(
    metric: str,
    before: Snapshot | None,
    after: Snapshot,
    *,
    limit: float | None = None,
    is_minimum: bool = True,
) -> Bar:
    return Bar(
        metric=metric,
        before=_number(before.metric(metric)) if before else None,
        after=_number(after.metric(metric)),
        limit=limit,
        is_minimum=is_minimum,
    )


def _number(metric: Metric | None) -> float | None:
    return None if metric is None else metric.number


def timeline_drawing(card: ModelCard) -> Drawing | None:
    """Versions in Production over time; None before the first.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    if not card.stays:
        return None
    timeline = Timeline(
        title=card.model,
        now=card.seen_at,
        stays=tuple(
            Stay(
                version=t.version,
                since=t.started_at,
                until=t.ended_at,
                rolled_back=t.ending is Ending.ROLLBACK,
                restored=t.origin is Origin.ROLLBACK,
            )
            for t in card.stays
        ),
    )
    return Drawing(png=draw_timeline(timeline), alt_text=timeline_alt(timeline))


def facts_drawn(
    before: Snapshot | None, after: Snapshot, policy: ModelPolicy | None
) -> Mapping[str, object]:
    """What a picture of a comparison depends on: where this is the same, so is the picture."""
    return {
        "model": after.model,
        "policy": None if policy is None else policy.digest,
        "sides": [None if side is None else _side_drawn(side) for side in (before, after)],
    }


def _side_drawn(side: Snapshot) -> tuple[object, ...]:
    metrics = sorted((m.name, m.text, m.run_id) for m in side.metrics)
    return (side.version, side.run_id, side.stage.value, metrics)

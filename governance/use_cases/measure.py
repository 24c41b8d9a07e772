"""What a monitor measures over a range: read from its source or from MLflow, judged by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from governance.domain.canonical import Json
from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Snapshot, Version
from governance.domain.monitoring import measures
from governance.domain.monitoring.baseline import Baseline
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import Metric, MlflowSource, MonitorSpec, TableSource
from governance.domain.monitoring.verdict import Estimate
from governance.ports import MetricSources, Registry


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Where a look reads."""

    registry: Registry
    sources: MetricSources


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The version that is looked at."""

    model: ModelName
    version: Version
    released_at: datetime
    """When this stay in Production began; what it scored before does not count."""
    decision_threshold: str | None
    """The parameter or tag that holds it."""


@dataclass(frozen=True, kw_only=True)
class At:
    """One look's circumstances."""

    eyes: Eyes
    watched: Watched
    spec: MonitorSpec
    source: TableSource | None
    baseline: Baseline
    now: datetime
    progress: dict[str, Json]
    """What the rule remembers; changed by judging."""

    @property
    def matured_until(self) -> datetime:
        """Before this moment every prediction is old enough to have its outcome."""
        if self.source is None or not needs_outcomes(self.spec):
            return self.now
        return self.now - self.source.matured_after

    @property
    def counted_from(self) -> datetime:
        """Where counting begins: at the release, after the rows that the baseline itself rests on,
        or where a rule began anew after an alarm."""
        kept = self.progress.get("counted_from")
        if kept is None:
            return self.watched.released_at
        return max(datetime.fromisoformat(str(kept)), self.watched.released_at)


def needs_outcomes(spec: MonitorSpec) -> bool:
    """Whether labels are needed, which come late."""
    return isinstance(spec.metric, Metric) and spec.metric.needs_outcomes


def measure(at: At, *, since: datetime, until: datetime) -> Estimate | None:
    """The metric over a range, of what counts alone; None where nothing is to be measured.

    Raises:
        Refused, Unavailable: of the source, or of MLflow.
    """
    since = max(since, at.counted_from)
    if isinstance(at.spec.metric, MlflowSource):
        return _logged(at, at.spec.metric.metric, since=since, until=until)
    match at.spec.metric:
        case Metric.AUC:
            return measures.auc(outcomes(at, since=since, until=until))
        case Metric.PRECISION:
            counts = outcomes(at, since=since, until=until)
            return measures.precision(counts, threshold(at.eyes, at.watched))
        case Metric.RECALL:
            counts = outcomes(at, since=since, until=until)
            return measures.recall(counts, threshold(at.eyes, at.watched))
        case Metric.BRIER:
            return measures.brier(outcomes(at, since=since, until=until))
        case Metric.APPROVAL_RATE:
            source = source_of(at)
            if source.predictions.approved is not None:
                hits, rows = at.eyes.sources.approvals(
                    source, at.watched.model, at.watched.version, since=since, until=until
                )
                return measures.rate(hits, rows)
            counts = scores(at, since=since, until=until)
            return measures.approval_rate(counts, threshold(at.eyes, at.watched))
        case Metric.SCORE_PSI:
            raise Refused("rule_unfit", "PSI is judged by the psi rule alone.")
        case _:
            assert_never(at.spec.metric)


def outcomes(at: At, *, since: datetime, until: datetime) -> ScoreCounts:
    """Goods and bads by score."""
    days = at.eyes.sources.outcomes(
        source_of(at), at.watched.model, at.watched.version, since=since, until=until
    )
    return ScoreCounts.total(day.counts for day in days)


def scores(at: At, *, since: datetime, until: datetime) -> ScoreCounts:
    """All predictions by score, of what counts alone."""
    days = at.eyes.sources.scores(
        source_of(at),
        at.watched.model,
        at.watched.version,
        since=max(since, at.counted_from),
        until=until,
    )
    return ScoreCounts.total(day.counts for day in days)


def source_of(at: At) -> TableSource:
    """Raises Refused `no_source`."""
    if at.source is None:
        raise Refused("no_source", f"The monitor {at.spec.name} names no source.")
    return at.source


def threshold(eyes: Eyes, watched: Watched) -> float:
    """The decision threshold of the version that is watched. Raises as `decision_threshold`."""
    snapshot = eyes.registry.snapshot(watched.model, watched.version)
    return decision_threshold(snapshot, watched.decision_threshold)


def decision_threshold(snapshot: Snapshot, name: str | None) -> float:
    """The score from which on this version declines.

    Raises:
        Refused: `no_threshold` when it is not recorded, or no number in 0..1.
    """
    text = "" if name is None else snapshot.parameters.get(name, snapshot.tags.get(name, ""))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise Refused(
            "no_threshold",
            f"v{snapshot.version} of {snapshot.model} records no decision threshold between 0 and "
            f"1 under {name or 'any name'}; whoever trains it has to log it.",
        )
    return value


def _logged(at: At, metric: str, *, since: datetime, until: datetime) -> Estimate | None:
    """The newest value in the range of a metric that somebody logs to the run: a claim."""
    points = at.eyes.registry.metric_points(at.watched.model, at.watched.version, metric)
    inside = [p for p in points if since <= p.at < until]
    if not inside:
        return None
    newest = max(inside, key=lambda p: (p.at, p.step))
    return Estimate(value=newest.value, variance=None, goods=len(inside), bads=0)


def kept(progress: Mapping[str, Json], name: str) -> Mapping[str, Json] | None:
    """An object that was remembered under a name."""
    found = progress.get(name)
    return found if isinstance(found, Mapping) else None

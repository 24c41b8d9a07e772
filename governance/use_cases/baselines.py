"""What a version is held against, read where the policy says. Changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Snapshot, Version
from governance.domain.monitoring.baseline import (
    Baseline,
    auc_baseline,
    scored_baseline,
    share_baseline,
)
from governance.domain.monitoring.measures import (
    approval_rate,
    brier,
    delong,
    precision,
    rate,
    recall,
)
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import (
    FirstOutcomes,
    FixedBaseline,
    Metric,
    MonitorSpec,
    ScoredBaseline,
    TableSource,
    ValidationBaseline,
)
from governance.domain.monitoring.verdict import Estimate
from governance.ports import Cursor, MetricSources, Registry

_LARGEST_ARTIFACT_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Resolving:
    """Where a baseline is read, and for which version."""

    registry: Registry
    sources: MetricSources
    model: ModelName
    version: Version
    released_at: datetime
    threshold: Callable[[], float]
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A baseline, and up to which row it was read from the source itself: what it rests on is not
    counted against it."""

    baseline: Baseline
    read_up_to: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """There is none yet."""

    sentence: str


def resolve(at: Resolving, spec: MonitorSpec, source: TableSource | None) -> Resolved | NotYet:
    """Read the baseline of a monitor.

    Raises:
        Refused: what the policy names is not there, or is no such number. Unavailable.
    """
    match spec.baseline:
        case FixedBaseline(value=value, goods=goods, bads=bads):
            return Resolved(baseline=_from_number(spec, value, goods, bads, in_sample=False))
        case ValidationBaseline():
            snapshot = at.registry.snapshot(at.model, at.version)
            return Resolved(baseline=_from_snapshot(snapshot, spec, spec.baseline))
        case ScoredBaseline():
            return Resolved(baseline=_from_artifact(at, spec, spec.baseline))
        case FirstOutcomes(count=count):
            return _from_first(at, spec, source, count)
        case _:
            assert_never(spec.baseline)


def resolve_number(
    registry: Registry, model: ModelName, version: Version, spec: MonitorSpec
) -> Estimate:
    """The baseline of a monitor on AUC that stands in the version's run, without looking at any
    source.

    Raises:
        Refused: what the policy names is not there. Unavailable.
    """
    if isinstance(spec.baseline, ScoredBaseline):
        named = spec.baseline
        raw = registry.run_file(model, version, named.artifact, max_bytes=_LARGEST_ARTIFACT_BYTES)
        found = delong(scored_rows(named, raw))
        if found is None:
            raise Refused("no_baseline", f"{named.artifact} holds no goods or no bads.")
        return found
    if isinstance(spec.baseline, ValidationBaseline):
        return _from_snapshot(registry.snapshot(model, version), spec, spec.baseline).estimate
    raise Refused("no_baseline", f"The baseline of {spec.name} does not stand in the run.")


def _from_number(
    spec: MonitorSpec, value: float, goods: int | None, bads: int | None, *, in_sample: bool
) -> Baseline:
    if spec.metric is Metric.AUC:
        return auc_baseline(value, goods, bads, in_sample=in_sample)
    rows = goods + bads if goods is not None and bads is not None else None
    if spec.metric is Metric.RECALL:
        rows = bads
    elif spec.metric is Metric.PRECISION:
        rows = None  # it rests on those who were flagged, of whom nobody says how many they were
    return share_baseline(value, goods, bads, rows=rows, in_sample=in_sample)


def _from_snapshot(snapshot: Snapshot, spec: MonitorSpec, named: ValidationBaseline) -> Baseline:
    value = _number(snapshot, named.metric)
    goods = None if named.goods is None else _count(snapshot, named.goods)
    bads = None if named.bads is None else _count(snapshot, named.bads)
    return _from_number(spec, value, goods, bads, in_sample=named.in_sample)


def _number(snapshot: Snapshot, name: str) -> float:
    metric = snapshot.metric(name)
    number = metric.number if metric is not None else None
    if number is None:
        raise Refused(
            "no_baseline",
            f"v{snapshot.version} of {snapshot.model} has no metric {name} that is a number, and "
            "its monitor is held against it. Whoever trains it has to log it.",
        )
    return number


def _count(snapshot: Snapshot, name: str) -> int:
    number = _number(snapshot, name)
    if number < 1 or number != int(number):
        raise Refused(
            "no_baseline",
            f"{name} of v{snapshot.version} of {snapshot.model} is {number:g}, which is no count.",
        )
    return int(number)


def _from_artifact(at: Resolving, spec: MonitorSpec, named: ScoredBaseline) -> Baseline:
    raw = at.registry.run_file(
        at.model, at.version, named.artifact, max_bytes=_LARGEST_ARTIFACT_BYTES
    )
    rows = scored_rows(named, raw)
    counts = ScoreCounts.of(rows)
    found = _estimate(at, spec, rows, counts)
    if found is None:
        raise Refused("no_baseline", f"{named.artifact} holds no goods or no bads.")
    return Baseline(estimate=found, scores=counts)


def scored_rows(named: ScoredBaseline, raw: bytes) -> list[tuple[float, bool]]:
    """(score, is bad) of each row of a file of scores. Raises Refused `no_baseline`."""
    rows: list[tuple[float, bool]] = []
    try:
        for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))):
            rows.append((float(row[named.score]), _is_bad(row[named.bad])))
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise Refused(
            "no_baseline",
            f"{named.artifact}, line {len(rows) + 2}, cannot be read as scores in {named.score} "
            f"and labels in {named.bad}: {type(error).__name__}.",
        ) from error
    return rows


def _is_bad(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "1.0", "true", "bad"):
        return True
    if word in ("0", "0.0", "false", "good"):
        return False
    raise ValueError("neither good nor bad")


def _estimate(
    at: Resolving, spec: MonitorSpec, rows: list[tuple[float, bool]], counts: ScoreCounts
) -> Estimate | None:
    match spec.metric:
        case Metric.AUC:
            return delong(rows)
        case Metric.BRIER:
            return brier(counts)
        case Metric.PRECISION:
            return precision(counts, at.threshold())
        case Metric.RECALL:
            return recall(counts, at.threshold())
        case Metric.APPROVAL_RATE:
            return approval_rate(counts, at.threshold())
        case _:
            return rate(counts.n_rows, counts.n_rows)


def _from_first(
    at: Resolving, spec: MonitorSpec, source: TableSource | None, count: int
) -> Resolved | NotYet:
    if source is None:
        raise Refused("no_source", f"The monitor {spec.name} names no source.")
    if isinstance(spec.metric, Metric) and spec.metric.needs_outcomes:
        return _from_first_outcomes(at, spec, source, count)
    rows = at.sources.decisions(
        source, at.model, at.version, after=_release(at), until=at.now, limit=count
    )
    if len(rows) < count:
        return NotYet(sentence=f"Too few predictions for a baseline: {len(rows)} of {count}.")
    counts = ScoreCounts.of((row.score, False) for row in rows)
    found = rate(len(rows), len(rows))
    if spec.metric is Metric.APPROVAL_RATE:
        if source.predictions.approved is None:
            found = approval_rate(counts, at.threshold())
        else:
            found = rate(sum(1 for row in rows if row.approved), len(rows))
    if found is None:
        return NotYet(sentence="There are no predictions for a baseline yet.")
    return Resolved(baseline=Baseline(estimate=found, scores=counts), read_up_to=rows[-1].cursor)


def _from_first_outcomes(
    at: Resolving, spec: MonitorSpec, source: TableSource, count: int
) -> Resolved | NotYet:
    until = at.now - source.matured_after
    rows = at.sources.matured_rows(
        source,
        at.model,
        at.version,
        after=_release(at),
        until=until,
        waits_since=until - source.outcomes_within,
        limit=count,
    ).rows
    if len(rows) < count:
        return NotYet(sentence=f"Too few outcomes for a baseline: {len(rows)} of {count}.")
    scored = [(row.score, row.is_bad) for row in rows]
    counts = ScoreCounts.of(scored)
    if spec.metric is Metric.AUC:
        whole = scored_baseline(scored)
        if whole is None:
            return NotYet(sentence=f"The first {count} outcomes hold no goods or no bads.")
        return Resolved(baseline=whole, read_up_to=rows[-1].cursor)
    found = _estimate(at, spec, scored, counts)
    if found is None:
        return NotYet(sentence=f"The first {count} outcomes hold nothing to compare with.")
    return Resolved(baseline=Baseline(estimate=found, scores=counts), read_up_to=rows[-1].cursor)


def _release(at: Resolving) -> Cursor:
    return Cursor(at=at.released_at - timedelta(microseconds=1), id="\U0010ffff")

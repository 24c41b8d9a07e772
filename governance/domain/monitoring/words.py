"""Monitors in words, for lists, differences and alerts. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from governance.domain.monitoring.spec import (
    Action,
    BaselineSpec,
    DelongSpec,
    EProcessSpec,
    FirstOutcomes,
    FixedBaseline,
    Metric,
    MlflowSource,
    MonitorSpec,
    PsiSpec,
    RuleSpec,
    ScoredBaseline,
    SteadySpec,
    TableSource,
    ThresholdSpec,
    ValidationBaseline,
    Watching,
)

_METRICS = {
    Metric.AUC: "AUC",
    Metric.PRECISION: "precision",
    Metric.RECALL: "recall",
    Metric.BRIER: "Brier score",
    Metric.SCORE_PSI: "PSI of the score",
    Metric.APPROVAL_RATE: "approval rate",
}


def metric_in_words(metric: Metric | MlflowSource) -> str:
    """AUC, approval rate, or the name that a metric has in MLflow."""
    return metric.metric if isinstance(metric, MlflowSource) else _METRICS[metric]


def differences(old: Watching, new: Watching) -> Iterator[str]:
    """Everything that differs between two ways of watching, in words; nothing when they are
    the same."""
    before, after = _described(old), _described(new)
    for thing in sorted({*before, *after}):
        was, now = before.get(thing), after.get(thing)
        if was is None:
            yield f"{thing} is new: it {_listed(now or {})}"
        elif now is None:
            yield f"{thing} is gone"
        else:
            for part, words in now.items():
                if was[part] != words:
                    yield f"{thing} now {words}, and before it {was[part]}"
    if [m.name for m in old.monitors] != [m.name for m in new.monitors] and set(before) == set(
        after
    ):
        yield f"monitors come in the order {', '.join(m.name for m in new.monitors)}"
    elif [s.name for s in old.sources] != [s.name for s in new.sources] and set(before) == set(
        after
    ):
        yield f"sources come in the order {', '.join(s.name for s in new.sources)}"
    yield from _reminders(old, new)
    if old.probe_url != new.probe_url:
        yield f"the served version is asked at {new.probe_url or 'no address'}"
    if old.drill_every != new.drill_every:
        yield f"a rollback is drilled {_rhythm(new.drill_every)}"


def describe_monitor(spec: MonitorSpec) -> Mapping[str, str]:
    """A monitor as verbs: what it measures, looks at, is held against, fires at and does."""
    return {
        "metric": f"measures {metric_in_words(spec.metric)}"
        + (" as logged to MLflow" if isinstance(spec.metric, MlflowSource) else ""),
        "source": f"looks at {spec.source or 'MLflow'}",
        "baseline": f"is held against {_baseline(spec.baseline)}",
        "rule": f"fires {_rule(spec.rule)}",
        "bad": f"takes it for bad when it {spec.bad.value}",
        "every": f"looks every {duration(spec.every)}",
        "then": "rolls back" if spec.then is Action.ROLL_BACK else "only alerts",
    }


def duration(time: timedelta) -> str:
    """The largest unit that says it exactly: 2 d, 12 h, 5 min, 30 s."""
    seconds = time.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def _described(watching: Watching) -> Mapping[str, Mapping[str, str]]:
    found = {f"monitor {m.name}": describe_monitor(m) for m in watching.monitors}
    found |= {f"source {s.name}": _source(s) for s in watching.sources}
    return found


def _source(source: TableSource) -> Mapping[str, str]:
    p, o = source.predictions, source.outcomes
    outcomes = "knows no outcomes"
    if o is not None:
        word = "" if o.bad_is is None else f" as {o.bad_is!r}"
        outcomes = f"reads outcomes from {o.table!r} by {o.id!r}: {o.bad!r}{word} is bad"
    return {
        "url": f"is at {source.url}",
        "predictions": f"reads predictions from {p.table!r}: id {p.id!r}, moment {p.at!r}, "
        f"version {p.version!r}, score {p.score!r}, approved {p.approved!r}, model {p.model!r}",
        "outcomes": outcomes,
        "matured": f"counts what is older than {duration(source.matured_after)}",
        "fresh": f"misses predictions after {duration(source.fresh_within)}",
        "late": f"waits {duration(source.outcomes_within)} longer for outcomes that are late",
    }


def _baseline(spec: BaselineSpec) -> str:
    match spec:
        case ValidationBaseline():
            kind = "training" if spec.in_sample else "validation"
            counts = f" with the counts {spec.goods} and {spec.bads}" if spec.goods else ""
            return f"its {kind} metric {spec.metric!r}{counts}"
        case ScoredBaseline():
            return f"the scores {spec.score!r} and labels {spec.bad!r} of {spec.artifact!r}"
        case FirstOutcomes():
            return f"its own first {spec.count} in Production"
        case FixedBaseline():
            counts = f" on {spec.goods} goods and {spec.bads} bads" if spec.goods else ""
            return f"{spec.value!r}{counts}"


def _rule(spec: RuleSpec) -> str:
    match spec:
        case ThresholdSpec():
            return f"at more than {spec.drop!r} within {_window(spec)}"
        case DelongSpec():
            return (
                f"at more than {spec.drop!r} with z above {spec.z!r}, twice within {_window(spec)}"
            )
        case EProcessSpec():
            return (
                f"on evidence that would be wrong in at most {spec.alpha!r} of deployments, "
                f"betting since release, tolerating {spec.tolerance!r}"
            )
        case SteadySpec():
            return (
                f"on evidence that would be wrong in at most {spec.alpha!r} of months (of "
                f"{spec.horizon} cases each), betting at any time, tolerating {spec.tolerance!r}"
            )
        case PsiSpec():
            return (
                f"at a PSI above {spec.limit!r} within {duration(spec.window)} "
                f"(at least {spec.minimum_rows} predictions)"
            )


def _window(spec: ThresholdSpec | DelongSpec) -> str:
    minimum = f"at least {spec.minimum_goods} goods and {spec.minimum_bads} bads"
    return f"{duration(spec.window)} ({minimum})"


def _reminders(old: Watching, new: Watching) -> Iterator[str]:
    if old.reminders == new.reminders:
        return
    if new.reminders is None:
        yield "alerts are repeated to nobody any more"
        return
    yield (
        f"alerts are repeated to who is on call after {duration(new.reminders.on_call_after)} and "
        f"to the owners after {duration(new.reminders.owners_after)}"
    )


def _rhythm(every: timedelta | None) -> str:
    return "never" if every is None else f"every {duration(every)}"


def _listed(parts: Mapping[str, str]) -> str:
    return ", ".join(parts.values())

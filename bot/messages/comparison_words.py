"""What changed between two versions, in lines of plain text: what matters first, what is equal
counted and folded away. Pure; whoever shows it as mrkdwn escapes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from governance.domain.comparison import Aspect, Comparison, MetricPair, Side, Topic, in_words
from governance.domain.evidence import Metric, MetricOrigin, Snapshot

_METRICS_FIRST = 12
_LISTED_FILES = 10
_EQUAL_NAMES = {
    Topic.METRIC: ("metric", "metrics"),
    Topic.INPUT: ("input column", "input columns"),
    Topic.RANGE: ("range of a column", "ranges of columns"),
    Topic.DATA: ("data set", "data sets"),
    Topic.PARAMETER: ("parameter", "parameters"),
    Topic.REQUIREMENT: ("requirement", "requirements"),
    Topic.TAG: ("tag", "tags"),
    Topic.OUTPUT: ("output column", "output columns"),
    Topic.FILES: ("file", "files"),
}


def answer(comparison: Comparison) -> str:
    """The first line, for two in the morning: which of code, data, threshold … changed."""
    parts = []
    if comparison.changed:
        parts.append(f"Changed: {_listed(comparison.changed)}.")
    elif comparison.changes:
        topics = dict.fromkeys(c.topic for c in comparison.changes if c.topic is not Topic.METRIC)
        others = [_EQUAL_NAMES.get(t, (t.value, t.value))[1] for t in topics]
        parts.append(
            f"Changed: something else ({', '.join(others)})."
            if others
            else "Nothing but metrics changed."
        )
    else:
        parts.append("Nothing changed.")
    if comparison.changed and comparison.unchanged:
        parts.append(f"Not changed: {_listed(comparison.unchanged)}.")
    if comparison.not_recorded:
        missing = [a for a in Aspect if a in comparison.not_recorded]
        parts.append(f"Not recorded, so nobody can tell: {_listed(missing)}.")
    return " ".join(parts)


def comparison_lines(
    comparison: Comparison, before: Snapshot, after: Snapshot, threshold: str | None
) -> list[str]:
    """The answer, then every difference, most important first."""
    metrics = [_metric_line(pair, after) for pair in comparison.metrics if not pair.is_equal]
    # Whoever logs hundreds of metrics does not push the rest out of sight.
    lines = [answer(comparison), *metrics[:_METRICS_FIRST]]
    for topic in Topic:
        about = [in_words(change) for change in comparison.about(topic)]
        if topic is Topic.FILES:
            about = _files(about)
        if topic is not Topic.METRIC:
            lines.extend(about)
    if threshold is None or Aspect.THRESHOLD in comparison.not_recorded:
        lines.append("decision threshold: not recorded")
    lines += metrics[_METRICS_FIRST:]
    lines += _equal_line(comparison)
    return [*lines, f"Claims of {_run(after)}, compared with {_run(before)}."]


def first_version_lines(after: Side, threshold: str | None) -> list[str]:
    """The same where nothing is in production to compare with."""
    new = after.snapshot
    names = sorted({m.name for m in new.metrics})
    lines = []
    for name in names:
        metric = new.metric(name)
        if metric is not None:
            lines.append(f"{name}: {number(metric.text)}{_other_run(metric, new)}")
    value = new.parameters.get(threshold or "", new.tags.get(threshold or ""))
    lines.append(f"decision threshold: {value or 'not recorded'}")
    data = ", ".join(
        f"{d.name} ({d.digest}{'' if d.rows is None else f', {d.rows} rows'})" for d in new.datasets
    )
    lines.append(f"data set: {data or 'not recorded'}")
    columns = "not recorded" if new.inputs is None else ", ".join(c.name for c in new.inputs)
    lines.append(f"input columns ({len(new.inputs or ())}): {columns or 'none'}")
    parameters = ", ".join(f"{k} {v}" for k, v in sorted(new.parameters.items()) if k != threshold)
    lines.append(f"parameters: {parameters or 'not recorded'}")
    lines.append(f"git commit: {new.git_commit or 'not recorded'}")
    made = ", ".join(sorted(after.makers))
    lines.append(f"made by {made or 'nobody that is known'}")
    return [*lines, f"Claims of {_run(new)}."]


def claim_lines(snapshot: Snapshot) -> list[str]:
    """Each metric with the run that it came from, that run's user, and when it was logged: MLflow
    keeps what a client says, not who said it."""
    lines = []
    for name in sorted({m.name for m in snapshot.metrics}):
        metric = snapshot.metric(name)
        if metric is None:
            continue
        where = "on the model" if metric.origin is MetricOrigin.LOGGED_MODEL else "on the run"
        at = metric.logged_at or metric.run_started_at
        when = f", {at:%Y-%m-%d %H:%M} UTC" if at else ""
        lines.append(
            f"{name} {number(metric.text)}: {where}, by run {metric.run_id[:8] or 'unknown'} of "
            f"{metric.run_user or 'nobody'}{when}"
        )
    return lines


def _run(snapshot: Snapshot) -> str:
    """Whose claims a version's numbers are."""
    own = next((m for m in snapshot.metrics if m.run_id == snapshot.run_id), None)
    who = f" of {own.run_user}" if own and own.run_user else ""
    started = own.run_started_at if own else None
    when = f", {started:%Y-%m-%d %H:%M} UTC" if started else ""
    return f"run {snapshot.run_id[:8]}{who} (v{snapshot.version}{when})"


def number(text: str) -> str:
    """Four digits that matter; what is no number as it was written."""
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text


def _listed(aspects: Iterable[Aspect]) -> str:
    words = [a.value for a in aspects]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _metric_line(pair: MetricPair, after: Snapshot) -> str:
    old = number(pair.before.text) if pair.before else "–"
    new = number(pair.after.text) if pair.after else "–"
    source = _other_run(pair.after, after) if pair.after else ""
    difference = pair.difference
    if difference is None:
        return f"{pair.name}: {old} → {new}{source}"
    arrow = "▲" if difference > 0 else "▼"
    judged = {True: ", better", False: ", worse", None: ""}[pair.is_better]
    return f"{pair.name}: {old} → {new} ({arrow} {difference:+.4g}{judged}){source}"


def _other_run(metric: Metric, snapshot: Snapshot) -> str:
    """Said of a number that did not come from the version's own run."""
    if metric.run_id == snapshot.run_id:
        return ""
    return f", by run {metric.run_id[:8]} of {metric.run_user or 'nobody'}"


def _files(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LISTED_FILES
    kept = [_shortened(line) for line in lines[:_LISTED_FILES]]
    return [*kept, f"and {more} more files"] if more > 0 else kept


def _shortened(line: str) -> str:
    """A SHA-256 is told apart by its beginning."""
    return " ".join(
        word if len(word.strip("()")) != 64 else word.replace(word.strip("()")[12:64], "…")
        for word in line.split(" ")
    )


def _equal_line(comparison: Comparison) -> list[str]:
    counted = [
        f"{count} {one if count == 1 else several}"
        for topic, (one, several) in _EQUAL_NAMES.items()
        if (count := comparison.equal.get(topic, 0))
    ]
    return [f"Equal: {', '.join(counted)}."] if counted else []

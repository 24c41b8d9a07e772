"""What watches a model as domain values, and what of it could never work.

Knows nothing of YAML beyond the place of a key.
"""

from __future__ import annotations

from collections.abc import Iterator

from governance.adapters.policy_files.document import Document
from governance.adapters.policy_files.problems import Finding
from governance.adapters.policy_files.schema import PolicyFile
from governance.adapters.policy_files.watching_schema import (
    BaselinePart,
    LoggedMetric,
    MonitorPart,
    RulePart,
    SourcePart,
)
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    BaselineSpec,
    DelongSpec,
    EProcessSpec,
    FirstOutcomes,
    FixedBaseline,
    Metric,
    MlflowSource,
    MonitorSpec,
    Outcomes,
    Predictions,
    PsiSpec,
    Reminders,
    RuleSpec,
    ScoredBaseline,
    SteadySpec,
    TableSource,
    ThresholdSpec,
    ValidationBaseline,
    Watching,
)
from governance.domain.suggestion import nearest

_FEW_BADS = 20
_ONE_WAY = {
    Metric.AUC: Bad.FALLS,
    Metric.PRECISION: Bad.FALLS,
    Metric.RECALL: Bad.FALLS,
    Metric.BRIER: Bad.RISES,
    Metric.SCORE_PSI: Bad.RISES,
}


def watching_of(file: PolicyFile) -> Watching:
    """What a valid file says."""
    return Watching(
        sources=tuple(_source(s) for s in file.sources or ()),
        monitors=tuple(_monitor(m) for m in file.monitors or ()),
        reminders=None
        if file.alerts is None
        else Reminders(
            on_call_after=file.alerts.repeat_to_on_call,
            owners_after=file.alerts.repeat_to_owners,
        ),
        probe_url=file.serving.probe_url if file.serving else None,
        drill_every=file.drill.every if file.drill else None,
    )


def _source(part: SourcePart) -> TableSource:
    outcomes = None
    if part.outcomes is not None:
        outcomes = Outcomes(
            table=part.outcomes.table,
            id=part.outcomes.id,
            bad=part.outcomes.bad,
            bad_is=part.outcomes.bad_is,
        )
    named = part.predictions
    return TableSource(
        name=part.name,
        url=part.url,
        predictions=Predictions(
            table=named.table,
            id=named.id,
            at=named.at,
            version=named.version,
            score=named.score,
            approved=named.approved,
            model=named.model,
        ),
        outcomes=outcomes,
        matured_after=part.matured_after,
        fresh_within=part.fresh_within,
        outcomes_within=part.outcomes_within,
    )


def _monitor(part: MonitorPart) -> MonitorSpec:
    metric: Metric | MlflowSource
    if isinstance(part.metric, LoggedMetric):
        metric = MlflowSource(metric=part.metric.mlflow)
    else:
        metric = Metric(part.metric)
    return MonitorSpec(
        name=part.name,
        metric=metric,
        source=part.source,
        baseline=_baseline(part.baseline),
        rule=_rule(part.rule),
        bad=part.worse,
        every=part.every,
        then=part.action,
    )


def _baseline(part: BaselinePart) -> BaselineSpec:
    for named, in_sample in ((part.validation, False), (part.training, True)):
        if named is not None:
            return ValidationBaseline(
                metric=named.metric, goods=named.goods, bads=named.bads, in_sample=in_sample
            )
    if part.scored is not None:
        return ScoredBaseline(
            artifact=part.scored.artifact, score=part.scored.score, bad=part.scored.bad
        )
    if part.first_outcomes is not None:
        return FirstOutcomes(count=part.first_outcomes)
    if part.fixed is not None:
        return FixedBaseline(value=part.fixed.value, goods=part.fixed.goods, bads=part.fixed.bads)
    raise AssertionError("the schema admits a baseline with exactly one key")


def _rule(part: RulePart) -> RuleSpec:
    if (bet := part.e_process) is not None:
        return EProcessSpec(tolerance=bet.tolerance, alpha=bet.alpha)
    if (steady := part.steady) is not None:
        return SteadySpec(tolerance=steady.tolerance, alpha=steady.alpha, horizon=steady.horizon)
    if (limit := part.threshold) is not None:
        return ThresholdSpec(
            drop=limit.drop,
            window=limit.window,
            minimum_goods=limit.minimum.goods,
            minimum_bads=limit.minimum.bads,
        )
    if (sure := part.delong) is not None:
        return DelongSpec(
            drop=sure.drop,
            z=sure.z,
            window=sure.window,
            minimum_goods=sure.minimum.goods,
            minimum_bads=sure.minimum.bads,
        )
    if (psi := part.psi) is not None:
        return PsiSpec(limit=psi.limit, window=psi.window, minimum_rows=psi.minimum_rows)
    raise AssertionError("the schema admits a rule with exactly one key")


# --- what could never work ------------------------------------------------------------------------


class WatchingProblems:
    """Looks at keys together: what refers to nothing, what cannot be measured, what may not act."""

    def __init__(self, document: Document, file: PolicyFile) -> None:
        self._document = document
        self._file = file
        self._sources = {s.name: s for s in file.sources or ()}

    def problems(self) -> Iterator[Finding]:
        """Everything that is refused."""
        yield from self._repeated("sources", [s.name for s in self._file.sources or ()])
        yield from self._repeated("monitors", [m.name for m in self._file.monitors or ()])
        for number, monitor in enumerate(self._file.monitors or ()):
            yield from self._of_source(number, monitor)
            yield from self._of_rule(number, monitor)
            yield from self._of_baseline(number, monitor)
            yield from self._of_action(number, monitor)

    def warnings(self) -> Iterator[Finding]:
        """What works, and is probably not meant."""
        used = {m.source for m in self._file.monitors or ()}
        for number, source in enumerate(self._file.sources or ()):
            if source.name not in used:
                yield self._document.finding(
                    ("sources", number, "name"),
                    f"no monitor looks at the source `{source.name}`",
                    "Name it in a monitor, or delete it",
                )
        for number, monitor in enumerate(self._file.monitors or ()):
            rule = monitor.rule.threshold
            few = rule is not None and rule.minimum.bads < _FEW_BADS
            if few and monitor.action is Action.ROLL_BACK and _needs_outcomes(monitor):
                yield self._document.finding(
                    ("monitors", number, "rule"),
                    f"with fewer than {_FEW_BADS} bads in a window, {monitor.name} rolls back for "
                    "no reason almost every month",
                    "Ask for more bads; `foureyes monitor plan` says how often it would be wrong",
                )

    def _repeated(self, key: str, names: list[str]) -> Iterator[Finding]:
        for number, name in enumerate(names):
            if name in names[:number]:
                yield self._document.finding(
                    (key, number, "name"), f"`{name}` stands here twice", "Give each its own name"
                )

    def _of_source(self, number: int, monitor: MonitorPart) -> Iterator[Finding]:
        at = ("monitors", number, "source")
        if monitor.measured is None:
            if monitor.source is not None:
                yield self._document.finding(
                    at, "a metric of MLflow has no source here", "Delete the line"
                )
            return
        if monitor.source is None:
            known = ", ".join(sorted(self._sources)) or "none yet"
            yield self._document.finding(
                ("monitors", number),
                f"{monitor.name} does not say where to look",
                f"Write source: with one of {known}",
            )
            return
        source = self._sources.get(monitor.source)
        if source is None:
            close = nearest(monitor.source, frozenset(self._sources))
            instead = f"Did you mean `{close}`?" if close else "Describe it under sources:"
            yield self._document.finding(at, f"unknown source `{monitor.source}`", instead)
            return
        if _needs_outcomes(monitor) and source.outcomes is None:
            yield self._document.finding(
                at,
                f"{monitor.metric} needs outcomes, and `{source.name}` names none",
                "Write outcomes: {table: …, id: …, bad: …} there",
            )
        threshold = monitor.measured.needs_threshold or (
            monitor.measured is Metric.APPROVAL_RATE and source.predictions.approved is None
        )
        if threshold and self._file.decision_threshold is None:
            yield self._document.finding(
                ("monitors", number, "metric"),
                f"{monitor.metric} needs the decision threshold, and this policy names none",
                "Write decision_threshold: with the parameter that holds it",
            )

    def _of_rule(self, number: int, monitor: MonitorPart) -> Iterator[Finding]:
        rule, metric = monitor.rule, monitor.measured
        found: str | None = None
        if (rule.psi is not None) != (metric is Metric.SCORE_PSI):
            found = "score_psi and the rule psi belong together"
        elif rule.e_process is not None and metric is not Metric.AUC:
            found = "e_process pairs scores, which only auc does"
        elif rule.steady is not None and metric not in (Metric.AUC, Metric.APPROVAL_RATE):
            found = "steady judges auc or approval_rate"
        elif (rule.e_process or rule.steady) and metric is Metric.AUC and not _is_counted(monitor):
            found = "bets pair goods with bads, and this baseline does not say how many there are"
        elif rule.delong is not None and metric is None:
            found = "delong needs to know how sure a value is, which a logged metric does not say"
        if found is not None:
            yield self._document.finding(
                ("monitors", number, "rule"), found, "Choose another rule, such as threshold"
            )
        if metric in _ONE_WAY and monitor.worse is not _ONE_WAY[metric]:
            yield self._document.finding(
                ("monitors", number, "bad"),
                f"{monitor.metric} is bad when it {_ONE_WAY[metric].value}",
                "Delete the line",
            )

    def _of_baseline(self, number: int, monitor: MonitorPart) -> Iterator[Finding]:
        at = ("monitors", number, "baseline")
        base = monitor.baseline
        for part in (base.validation, base.training, base.fixed):
            if part is not None and (part.goods is None) != (part.bads is None):
                yield self._document.finding(
                    at, "one of goods and bads is missing", "Write both, or neither"
                )
        own_scores = base.scored is not None or base.first_outcomes is not None
        if monitor.measured is Metric.SCORE_PSI and not own_scores:
            yield self._document.finding(
                at,
                "score_psi compares scores, and a number holds none",
                "Write scored: {…} or first_outcomes: 1000",
            )
        if monitor.measured is None and own_scores:
            yield self._document.finding(
                at, "a metric of MLflow is held against a number", "Write validation or fixed"
            )

    def _of_action(self, number: int, monitor: MonitorPart) -> Iterator[Finding]:
        """What may only alert, and why."""
        if monitor.action is not Action.ROLL_BACK:
            return
        base = monitor.baseline
        why: str | None = None
        if monitor.measured is None:
            why = "a logged metric is a claim of whoever logs it"
        elif not _needs_outcomes(monitor):
            why = f"{monitor.metric} moves for many reasons that are not the model's fault"
        elif base.training is not None:
            why = "a metric of the training data itself is too good"
        elif any(p is not None and p.goods is None for p in (base.validation, base.fixed)):
            why = "without counts of goods and bads nobody knows how sure the baseline is"
        elif monitor.measured is Metric.PRECISION and (base.validation or base.fixed):
            why = "a precision rests on those who were flagged, and nobody says how many those were"
        if why is not None:
            yield self._document.finding(
                ("monitors", number, "then"),
                f"{monitor.name} is good for alerts only: {why}",
                "Write then: alert, or give it what it lacks",
            )


def _needs_outcomes(monitor: MonitorPart) -> bool:
    return monitor.measured is not None and monitor.measured.needs_outcomes


def _is_counted(monitor: MonitorPart) -> bool:
    """Whether the baseline says how many goods and bads it rests on."""
    base = monitor.baseline
    return not any(
        part is not None and part.goods is None
        for part in (base.validation, base.training, base.fixed)
    )

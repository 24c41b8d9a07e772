"""One look of one monitor: read what is new, hold it against the baseline, say a verdict.

Reads the store never and writes nothing: what has to be remembered goes in and comes out, so that
a history can be replayed the same way (`backtest`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite
from typing import assert_never

from governance.domain.canonical import Json
from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName, Snapshot, Version
from governance.domain.monitoring import measures
from governance.domain.monitoring.baseline import Baseline, alpha_of_bets, mu0
from governance.domain.monitoring.betting import (
    BettingState,
    EProcess,
    RateProcess,
    SteadyEProcess,
)
from governance.domain.monitoring.rules import DelongBound, Evidence, PsiLimit, Threshold
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    DelongSpec,
    EProcessSpec,
    Metric,
    MlflowSource,
    MonitorSpec,
    PsiSpec,
    SteadySpec,
    TableSource,
    ThresholdSpec,
)
from governance.domain.monitoring.state import MonitorState, SeriesPoint, thinned
from governance.domain.monitoring.verdict import Estimate, Finding, Verdict
from governance.domain.monitoring.words import metric_in_words
from governance.ports import Cursor, Mark, MetricSources, Registry
from governance.use_cases.baselines import NotYet, Resolving, resolve

_PAGE = 5_000
_PAGES_A_LOOK = 40
"""What has piled up is read over several looks: none holds a connection for ever."""


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
    """When it entered Production; what it scored before does not count."""
    decision_threshold: str | None
    """The parameter or tag that holds it."""


@dataclass(frozen=True, kw_only=True)
class _At:
    """One look's circumstances."""

    eyes: Eyes
    watched: Watched
    spec: MonitorSpec
    source: TableSource | None
    baseline: Baseline
    now: datetime
    progress: dict[str, Json]

    @property
    def matured_until(self) -> datetime:
        """Before this moment every prediction is old enough to have its outcome."""
        if self.source is None or not _needs_outcomes(self.spec):
            return self.now
        return self.now - self.source.matured_after


def look(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource | None,
    state: MonitorState,
    *,
    now: datetime,
    mark: Mark | None = None,
) -> MonitorState:
    """The state after this look. Trouble with the source is a verdict of its own, never raised.
    With a mark, nothing is measured again while nothing has arrived, matured or aged."""
    if mark is not None and _is_unchanged(spec, source, state, mark, now=now):
        return replace(state, looked_at=now)
    progress = dict(state.progress)
    progress["mark"] = None if mark is None else _mark_json(mark, now)
    try:
        baseline = _baseline(eyes, watched, spec, source, progress, now=now)
        if isinstance(baseline, NotYet):
            finding = Finding(verdict=Verdict.INCONCLUSIVE, sentence=baseline.sentence)
            return _after(state, finding, None, progress, now=now)
        if spec.then is Action.ROLL_BACK and not baseline.may_act:
            raise Refused(
                "baseline_unsure",
                f"The baseline of {spec.name} has no counts of goods and bads, so no rollback may "
                "rest on it. Log them beside the metric, or let the monitor only alert.",
            )
        at = _At(
            eyes=eyes,
            watched=watched,
            spec=spec,
            source=source,
            baseline=baseline,
            now=now,
            progress=progress,
        )
        finding, measured = _judge(at)
    except (FoureyesError, ValueError, ArithmeticError) as trouble:
        return _trouble(state, trouble, now=now)
    return _after(state, finding, measured, progress, now=now)


def _is_unchanged(
    spec: MonitorSpec,
    source: TableSource | None,
    state: MonitorState,
    mark: Mark,
    *,
    now: datetime,
) -> bool:
    """Whether a look would find what the one before found."""
    kept = state.progress.get("mark")
    if state.verdict is Verdict.ERROR or not isinstance(kept, Mapping) or source is None:
        return False
    measured_at = datetime.fromisoformat(str(kept["measured_at"]))
    if kept != _mark_json(mark, measured_at):
        return False
    if mark.newest is not None and mark.newest + source.matured_after >= measured_at:
        return False  # something may have matured since
    window = getattr(spec.rule, "window", None)
    # A window that moves lets go of old rows although none has come.
    return not isinstance(window, timedelta) or now - measured_at < window / _AGES_IN


_AGES_IN = 48
"""A window of a day is measured anew every half hour at least."""


def _mark_json(mark: Mark, at: datetime) -> Mapping[str, Json]:
    return {
        "predictions": mark.predictions,
        "newest": None if mark.newest is None else mark.newest.isoformat(),
        "outcomes": mark.outcomes,
        "measured_at": at.isoformat(),
    }


def _baseline(
    eyes: Eyes,
    watched: Watched,
    spec: MonitorSpec,
    source: TableSource | None,
    progress: dict[str, Json],
    *,
    now: datetime,
) -> Baseline | NotYet:
    """Read once and kept: what a version is held against does not move while it is watched."""
    kept = progress.get("baseline")
    if isinstance(kept, Mapping):
        return Baseline.from_json(kept)
    found = resolve(
        Resolving(
            registry=eyes.registry,
            sources=eyes.sources,
            model=watched.model,
            version=watched.version,
            released_at=watched.released_at,
            threshold=lambda: _threshold(eyes, watched),
            now=now,
        ),
        spec,
        source,
    )
    if isinstance(found, NotYet):
        return found
    progress["baseline"] = found.baseline.to_json()
    if found.read_up_to is not None:
        progress["cursor"] = _cursor_json(found.read_up_to)
    return found.baseline


# --- judging --------------------------------------------------------------------------------------


def _judge(at: _At) -> tuple[Finding, Estimate | None]:
    metric = metric_in_words(at.spec.metric)
    rule = at.spec.rule
    match rule:
        case ThresholdSpec():
            judge = Threshold(
                metric=metric,
                drop=rule.drop,
                bad=at.spec.bad,
                minimum_goods=rule.minimum_goods,
                minimum_bads=rule.minimum_bads,
            )
            measured = _measure(at, since=at.matured_until - rule.window, until=at.matured_until)
            return judge.judge(at.baseline, measured), measured
        case DelongSpec():
            bound = DelongBound(
                metric=metric,
                drop=rule.drop,
                z=rule.z,
                bad=at.spec.bad,
                minimum_goods=rule.minimum_goods,
                minimum_bads=rule.minimum_bads,
            )
            middle = at.matured_until - rule.window
            measured = _measure(at, since=middle, until=at.matured_until)
            before = _measure(at, since=middle - rule.window, until=middle)
            return bound.judge(at.baseline, measured, before), measured
        case EProcessSpec():
            return _bet(at, rule)
        case SteadySpec():
            return _bet_rate(at, rule) if _is_rate(at.spec) else _bet(at, rule)
        case PsiSpec():
            return _psi(at, rule)
        case _:
            assert_never(rule)


def _psi(at: _At, rule: PsiSpec) -> tuple[Finding, Estimate | None]:
    expected = at.baseline.scores
    if expected is None:
        raise Refused(
            "no_scores",
            f"The baseline of {at.spec.name} holds no scores, and PSI compares scores. Use "
            "`scored` or `first_outcomes`.",
        )
    observed = _scores(at, since=at.now - rule.window, until=at.now)
    found = PsiLimit(limit=rule.limit, minimum_rows=rule.minimum_rows).judge(expected, observed)
    value = found.numbers.get("value")
    if value is None:
        return found, None
    return found, Estimate(value=value, variance=None, goods=observed.n_rows, bads=0)


def _bet(at: _At, rule: EProcessSpec | SteadySpec) -> tuple[Finding, Estimate | None]:
    base_rate = at.baseline.base_rate
    if base_rate is None:
        raise Refused(
            "no_base_rate",
            f"The baseline of {at.spec.name} has no counts of goods and bads, and the e-process "
            "pairs by them. Log them beside the metric.",
        )
    against = mu0(at.baseline, rule.tolerance, rule.alpha)
    process: EProcess | SteadyEProcess
    if isinstance(rule, EProcessSpec):
        process = EProcess(mu0=against, base_rate=base_rate, alpha=alpha_of_bets(rule.alpha))
    else:
        process = SteadyEProcess(
            mu0=against,
            base_rate=base_rate,
            alpha=alpha_of_bets(rule.alpha),
            horizon=rule.horizon,
        )
    kept = at.progress.get("betting")
    betting = BettingState.from_json(kept) if isinstance(kept, Mapping) else process.begin()
    source = _source(at)
    for _page in range(_PAGES_A_LOOK):
        rows = at.eyes.sources.matured_rows(
            source,
            at.watched.model,
            at.watched.version,
            after=_cursor(at) or _before(at.watched.released_at),
            until=at.matured_until,
            limit=_PAGE,
        )
        if not rows:
            break
        betting = process.advance(betting, ((row.score, row.is_bad) for row in rows))
        at.progress["cursor"] = _cursor_json(rows[-1].cursor)
        if len(rows) < _PAGE:
            break
    at.progress["betting"] = betting.to_json()
    measured = _measure(at, since=at.watched.released_at, until=at.matured_until)
    judge = Evidence(
        metric=metric_in_words(at.spec.metric),
        tolerance=rule.tolerance,
        alpha=rule.alpha,
        limit=process.limit,
        is_steady=isinstance(rule, SteadySpec),
    )
    found = judge.judge(
        at.baseline,
        measured,
        bound=against,
        evidence=process.evidence(betting),
        bets=betting.bets,
    )
    return found, measured


def _bet_rate(at: _At, rule: SteadySpec) -> tuple[Finding, Estimate | None]:
    process = RateProcess(
        base=at.baseline.estimate.value,
        tolerance=rule.tolerance,
        alpha=rule.alpha,
        horizon=rule.horizon,
        bad=at.spec.bad,
    )
    kept = at.progress.get("betting")
    betting = BettingState.from_json(kept) if isinstance(kept, Mapping) else process.begin()
    source = _source(at)
    threshold = None
    if source.predictions.approved is None:
        threshold = _threshold(at.eyes, at.watched)
    approved = int(str(at.progress.get("approved", 0)))
    recent = str(at.progress.get("recent", ""))
    for _page in range(_PAGES_A_LOOK):
        rows = at.eyes.sources.decisions(
            source,
            at.watched.model,
            at.watched.version,
            after=_cursor(at) or _before(at.watched.released_at),
            until=at.now,
            limit=_PAGE,
        )
        if not rows:
            break
        values = [
            row.approved if row.approved is not None else row.score < (threshold or 0.0)
            for row in rows
        ]
        betting = process.advance(betting, values)
        approved += sum(values)
        recent = (recent + "".join("1" if v else "0" for v in values))[-_RECENT:]
        at.progress["cursor"] = _cursor_json(rows[-1].cursor)
        if len(rows) < _PAGE:
            break
    at.progress["betting"] = betting.to_json()
    at.progress["approved"] = approved
    at.progress["recent"] = recent
    measured = measures.rate(recent.count("1"), len(recent))
    judge = Evidence(
        metric=metric_in_words(at.spec.metric),
        tolerance=rule.tolerance,
        alpha=rule.alpha,
        limit=process.limit,
        is_steady=True,
    )
    falls = at.spec.bad is not Bad.RISES
    found = judge.judge(
        at.baseline,
        measured,
        bound=at.baseline.estimate.value + (-rule.tolerance if falls else rule.tolerance),
        evidence=process.evidence(betting),
        bets=betting.bets,
    )
    return found, measured


_RECENT = 200
"""Decisions of which the rate is shown; evidence rests on all of them."""


# --- measuring ------------------------------------------------------------------------------------


def _measure(at: _At, *, since: datetime, until: datetime) -> Estimate | None:
    """The metric over a range, never from before the release."""
    since = max(since, at.watched.released_at)
    if isinstance(at.spec.metric, MlflowSource):
        return _logged(at, at.spec.metric.metric, since=since, until=until)
    match at.spec.metric:
        case Metric.AUC:
            return measures.auc(_outcomes(at, since=since, until=until))
        case Metric.PRECISION:
            counts = _outcomes(at, since=since, until=until)
            return measures.precision(counts, _threshold(at.eyes, at.watched))
        case Metric.RECALL:
            counts = _outcomes(at, since=since, until=until)
            return measures.recall(counts, _threshold(at.eyes, at.watched))
        case Metric.BRIER:
            return measures.brier(_outcomes(at, since=since, until=until))
        case Metric.APPROVAL_RATE:
            source = _source(at)
            if source.predictions.approved is not None:
                hits, rows = at.eyes.sources.approvals(
                    source, at.watched.model, at.watched.version, since=since, until=until
                )
                return measures.rate(hits, rows)
            scores = _scores(at, since=since, until=until)
            return measures.approval_rate(scores, _threshold(at.eyes, at.watched))
        case Metric.SCORE_PSI:
            raise Refused("rule_unfit", "PSI is judged by the psi rule alone.")
        case _:
            assert_never(at.spec.metric)


def _logged(at: _At, metric: str, *, since: datetime, until: datetime) -> Estimate | None:
    """The newest value in the range of a metric that somebody logs to the run: a claim."""
    points = at.eyes.registry.metric_points(at.watched.model, at.watched.version, metric)
    inside = [p for p in points if since <= p.at < until]
    if not inside:
        return None
    newest = max(inside, key=lambda p: (p.at, p.step))
    return Estimate(value=newest.value, variance=None, goods=len(inside), bads=0)


def _outcomes(at: _At, *, since: datetime, until: datetime) -> ScoreCounts:
    days = at.eyes.sources.outcomes(
        _source(at), at.watched.model, at.watched.version, since=since, until=until
    )
    return sum((day.counts for day in days), ScoreCounts.empty())


def _scores(at: _At, *, since: datetime, until: datetime) -> ScoreCounts:
    days = at.eyes.sources.scores(
        _source(at),
        at.watched.model,
        at.watched.version,
        since=max(since, at.watched.released_at),
        until=until,
    )
    return sum((day.counts for day in days), ScoreCounts.empty())


def _threshold(eyes: Eyes, watched: Watched) -> float:
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


def _source(at: _At) -> TableSource:
    if at.source is None:
        raise Refused("no_source", f"The monitor {at.spec.name} names no source.")
    return at.source


def _needs_outcomes(spec: MonitorSpec) -> bool:
    return isinstance(spec.metric, Metric) and spec.metric.needs_outcomes


def _is_rate(spec: MonitorSpec) -> bool:
    return spec.metric is Metric.APPROVAL_RATE


# --- what is remembered ---------------------------------------------------------------------------


def _before(moment: datetime) -> Cursor:
    """The place just before everything that was scored from this moment on."""
    return Cursor(at=moment - timedelta(microseconds=1), id="\U0010ffff")


def _cursor(at: _At) -> Cursor | None:
    kept = at.progress.get("cursor")
    if not isinstance(kept, Mapping):
        return None
    return Cursor(at=datetime.fromisoformat(str(kept["at"])), id=str(kept["id"]))


def _cursor_json(cursor: Cursor) -> Json:
    return {"at": cursor.at.isoformat(), "id": cursor.id}


def _after(
    state: MonitorState,
    finding: Finding,
    measured: Estimate | None,
    progress: Mapping[str, Json],
    *,
    now: datetime,
) -> MonitorState:
    series = state.series
    if measured is not None and isfinite(measured.value):
        sure = measured.variance is not None
        point = SeriesPoint(
            at=now,
            value=measured.value,
            lower=measured.lower(0.975) if sure else None,
            upper=measured.upper(0.975) if sure else None,
        )
        if not series or (series[-1].value, series[-1].lower) != (point.value, point.lower):
            series = thinned((*series, point))
    return replace(
        state,
        verdict=finding.verdict,
        sentence=finding.sentence,
        numbers=finding.numbers,
        since=state.since if state.verdict is finding.verdict and state.since else now,
        looked_at=now,
        progress=progress,
        series=series,
    )


def _trouble(state: MonitorState, trouble: Exception, *, now: datetime) -> MonitorState:
    """Nothing is remembered of a look that went wrong: the next one begins where it began."""
    if isinstance(trouble, FoureyesError):
        sentence = trouble.sentence
    else:
        sentence = f"What was read cannot be used: {trouble}."
    return replace(
        state,
        verdict=Verdict.ERROR,
        sentence=sentence,
        numbers={},
        since=state.since if state.verdict is Verdict.ERROR and state.since else now,
        looked_at=now,
    )

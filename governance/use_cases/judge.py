"""One look's verdict, by whichever rule the policy names. What a rule has to remember is in
`At.progress`; nothing else is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

from governance.domain.canonical import Json
from governance.domain.errors import Refused
from governance.domain.monitoring import measures
from governance.domain.monitoring.baseline import alpha_of_bets, mu0, rate_bounds
from governance.domain.monitoring.betting import (
    BettingState,
    EProcess,
    RateProcess,
    SteadyEProcess,
)
from governance.domain.monitoring.rules import (
    DelongBound,
    Evidence,
    PsiLimit,
    Threshold,
    is_well,
)
from governance.domain.monitoring.spec import (
    Bad,
    DelongSpec,
    EProcessSpec,
    Metric,
    PsiSpec,
    SteadySpec,
    ThresholdSpec,
)
from governance.domain.monitoring.verdict import Estimate, Finding, Verdict
from governance.domain.monitoring.words import metric_in_words
from governance.ports import Cursor
from governance.use_cases.measure import At, kept, measure, scores, source_of, threshold

PAGE = 5_000
PAGES_A_LOOK = 40
"""What has piled up is read over several looks: none holds a connection for ever."""
_RECENT = 200
"""Decisions of which the rate is shown; evidence rests on all of them."""


def judge(at: At) -> tuple[Finding, Estimate | None]:
    """The verdict, and what was measured for it.

    Raises:
        Refused, Unavailable: of the source, or of MLflow. ValueError: what was read is no number.
    """
    metric = metric_in_words(at.spec.metric)
    rule = at.spec.rule
    match rule:
        case ThresholdSpec():
            limit = Threshold(
                metric=metric,
                drop=rule.drop,
                bad=at.spec.bad,
                minimum_goods=rule.minimum_goods,
                minimum_bads=rule.minimum_bads,
            )
            measured = measure(at, since=at.matured_until - rule.window, until=at.matured_until)
            return limit.judge(at.baseline, measured), measured
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
            measured = measure(at, since=middle, until=at.matured_until)
            before = measure(at, since=middle - rule.window, until=middle)
            return bound.judge(at.baseline, measured, before), measured
        case EProcessSpec():
            return _bet_on_auc(at, rule)
        case SteadySpec():
            if at.spec.metric is Metric.APPROVAL_RATE:
                return _bet_on_rate(at, rule)
            return _bet_on_auc(at, rule)
        case PsiSpec():
            return _psi(at, rule)
        case _:
            assert_never(rule)


def _psi(at: At, rule: PsiSpec) -> tuple[Finding, Estimate | None]:
    expected = at.baseline.scores
    if expected is None:
        raise Refused(
            "no_scores",
            f"The baseline of {at.spec.name} holds no scores, and PSI compares scores. Use "
            "`scored` or `first_outcomes`.",
        )
    observed = scores(at, since=at.now - rule.window, until=at.now)
    found = PsiLimit(limit=rule.limit, minimum_rows=rule.minimum_rows).judge(expected, observed)
    value = found.numbers.get("value")
    if value is None:
        return found, None
    return found, Estimate(value=value, variance=None, goods=observed.n_rows, bads=0)


# --- bets -----------------------------------------------------------------------------------------


def _bet_on_auc(at: At, rule: EProcessSpec | SteadySpec) -> tuple[Finding, Estimate | None]:
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
    betting = _begin(at, process)
    source = source_of(at)
    waits_since = at.matured_until - source.outcomes_within
    for _page in range(PAGES_A_LOOK):
        page = at.eyes.sources.matured_rows(
            source,
            at.watched.model,
            at.watched.version,
            after=_cursor(at),
            until=at.matured_until,
            waits_since=waits_since,
            limit=PAGE,
        )
        at.progress["waits"] = page.waits
        if page.rows:
            betting = process.advance(betting, ((row.score, row.is_bad) for row in page.rows))
            at.progress["cursor"] = cursor_json(page.rows[-1].cursor)
        if len(page.rows) < PAGE:
            break
    else:
        at.progress["waits"] = True  # there is more to read
    at.progress["betting"] = betting.to_json()
    measured = measure(at, since=at.counted_from, until=at.matured_until)
    found = Evidence(
        metric=metric_in_words(at.spec.metric),
        tolerance=rule.tolerance,
        alpha=rule.alpha,
        limit=process.limit,
        is_steady=isinstance(rule, SteadySpec),
    ).judge(
        at.baseline,
        measured,
        bound=against,
        evidence=process.evidence(betting),
        bets=betting.bets,
    )
    return _after_an_alarm(at, found), measured


def _bet_on_rate(at: At, rule: SteadySpec) -> tuple[Finding, Estimate | None]:
    ways = 2 if at.spec.bad is Bad.MOVES else 1
    low, high = rate_bounds(at.baseline, rule.tolerance, rule.alpha, ways=ways)
    process = RateProcess(
        low=low,
        high=high,
        alpha=alpha_of_bets(rule.alpha),
        horizon=rule.horizon,
        bad=at.spec.bad,
    )
    betting = _begin(at, process)
    source = source_of(at)
    declines_at = None
    if source.predictions.approved is None:
        declines_at = threshold(at.eyes, at.watched)
    recent = str(at.progress.get("recent", ""))
    for _page in range(PAGES_A_LOOK):
        rows = at.eyes.sources.decisions(
            source,
            at.watched.model,
            at.watched.version,
            after=_cursor(at),
            until=at.now,
            limit=PAGE,
        )
        if rows:
            values = [
                row.approved if row.approved is not None else row.score < (declines_at or 0.0)
                for row in rows
            ]
            betting = process.advance(betting, values)
            recent = (recent + "".join("1" if v else "0" for v in values))[-_RECENT:]
            at.progress["cursor"] = cursor_json(rows[-1].cursor)
        if len(rows) < PAGE:
            at.progress["waits"] = False
            break
    else:
        at.progress["waits"] = True  # there is more to read
    at.progress["betting"] = betting.to_json()
    at.progress["recent"] = recent
    measured = measures.rate(recent.count("1"), len(recent))
    found = Evidence(
        metric=metric_in_words(at.spec.metric),
        tolerance=rule.tolerance,
        alpha=rule.alpha,
        limit=process.limit,
        is_steady=True,
        needs_outcomes=False,
    ).judge(
        at.baseline,
        measured,
        bound=high if at.spec.bad is Bad.RISES else low,
        evidence=process.evidence(betting),
        bets=betting.bets,
    )
    return _after_an_alarm(at, found), measured


# --- after an alarm -------------------------------------------------------------------------------


def _begin(at: At, process: EProcess | SteadyEProcess | RateProcess) -> BettingState:
    """What was remembered; nothing after an alarm, which a bettor would repeat for ever: whether it
    still goes on, only what came since can tell."""
    remembered = kept(at.progress, "betting")
    if remembered is None or at.progress.get("fired") is True:
        at.progress["fired"] = False
        at.progress["recent"] = ""
        if remembered is not None and (place := _kept_cursor(at)) is not None:
            at.progress["counted_from"] = just_after(place).isoformat()
        return process.begin()
    return BettingState.from_json(remembered)


def _after_an_alarm(at: At, found: Finding) -> Finding:
    """An alarm stands until enough that came since is well by itself."""
    if found.verdict is Verdict.REGRESSED:
        at.progress["fired"] = True
        at.progress["alarm"] = _finding_json(found)
        return found
    alarm = kept(at.progress, "alarm")
    if alarm is None or found.verdict is Verdict.ERROR:
        return found
    if is_well(found, at.spec.bad):
        at.progress["alarm"] = None
        return found
    return _finding_of(alarm)


def _finding_json(finding: Finding) -> Mapping[str, Json]:
    numbers = {name: float(value).hex() for name, value in finding.numbers.items()}
    return {"sentence": finding.sentence, "numbers": numbers}


def _finding_of(value: Mapping[str, Json]) -> Finding:
    numbers = kept(value, "numbers") or {}
    return Finding(
        verdict=Verdict.REGRESSED,
        sentence=str(value["sentence"]),
        numbers={name: float.fromhex(str(number)) for name, number in numbers.items()},
    )


# --- places ---------------------------------------------------------------------------------------


def just_after(cursor: Cursor) -> datetime:
    """The first moment that is surely past a place, also where moments have milliseconds."""
    return cursor.at + timedelta(milliseconds=1)


def cursor_json(cursor: Cursor) -> Mapping[str, Json]:
    """A place as it is remembered."""
    return {"at": cursor.at.isoformat(), "id": cursor.id}


def _cursor(at: At) -> Cursor:
    """Up to where rows were read; at first just before everything that counts."""
    return _kept_cursor(at) or Cursor(
        at=at.watched.released_at - timedelta(microseconds=1), id="\U0010ffff"
    )


def _kept_cursor(at: At) -> Cursor | None:
    place = kept(at.progress, "cursor")
    if place is None:
        return None
    return Cursor(at=datetime.fromisoformat(str(place["at"])), id=str(place["id"]))

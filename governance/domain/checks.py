"""Automated checks: passed, failed or waiting, each with the sentence that says why.

Pure: no clock, no IO, no vendor. A missing or non-finite metric is a failure, never a pass.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from governance.domain.evidence import Column, Metric, MetricOrigin, Snapshot
from governance.domain.identity import PersonId, Roster
from governance.domain.policy import (
    Check,
    ColumnsNotUsed,
    DatasetRecorded,
    MetricAtLeast,
    MetricAtMost,
    NotWorseThanProduction,
    SignatureRecorded,
    StageRule,
    TagRecorded,
    ValidatedAfterStaging,
    describe_check,
)


class Outcome(StrEnum):
    """The result of a check. Failed refuses a request; waiting only holds it back."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check, what it found, and for a waiting check when it can pass at the earliest."""

    check: str
    outcome: Outcome
    finding: str
    passes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that checks look at."""

    candidate: Snapshot
    champion: Snapshot | None
    entered_staging_at: datetime | None
    """By our record, never by what MLflow says."""
    roster: Roster
    makers: frozenset[PersonId]


def evaluate(rule: StageRule, situation: Situation, *, now: datetime) -> tuple[CheckResult, ...]:
    """Run every check of a rule, the soak time last. Results keep the policy's order."""
    results = [_evaluate(check, situation) for check in rule.checks]
    if rule.soak.total_seconds() > 0:
        results.append(_soak(rule, situation, now=now))
    return tuple(results)


def _evaluate(check: Check, at: Situation) -> CheckResult:
    outcome, finding = _find(check, at)
    return CheckResult(check=describe_check(check), outcome=outcome, finding=finding)


def _find(check: Check, at: Situation) -> tuple[Outcome, str]:
    match check:
        case MetricAtLeast():
            value, problem = _number(at.candidate, check.metric)
            if value is None:
                return Outcome.FAILED, problem
            return _pass_if(value >= check.limit), f"{check.metric} is {value:.4g}"
        case MetricAtMost():
            value, problem = _number(at.candidate, check.metric)
            if value is None:
                return Outcome.FAILED, problem
            return _pass_if(value <= check.limit), f"{check.metric} is {value:.4g}"
        case NotWorseThanProduction():
            return _against_champion(check, at)
        case TagRecorded():
            tag = at.candidate.tags.get(check.tag, "").strip()
            if not tag:
                return Outcome.FAILED, f"tag {check.tag} is not recorded"
            return _pass_if(check.equals is None or tag == check.equals), f"{check.tag} is {tag}"
        case DatasetRecorded():
            names = ", ".join(f"{d.name} ({d.digest})" for d in at.candidate.datasets)
            return _pass_if(bool(names)), names or "the run recorded no data set"
        case SignatureRecorded():
            if not at.candidate.inputs:
                return Outcome.FAILED, "the model has no signature"
            return Outcome.PASSED, f"{len(at.candidate.inputs)} input columns"
        case ColumnsNotUsed():
            if not at.candidate.inputs:
                return Outcome.FAILED, "the model has no signature, so nobody can tell"
            return _columns(check, at.candidate.inputs)
        case ValidatedAfterStaging():
            return _validated(check, at)
        case _:
            assert_never(check)


def _columns(check: ColumnsNotUsed, inputs: tuple[Column, ...]) -> tuple[Outcome, str]:
    nameless = [c.name for c in inputs if c.name.startswith("#")]
    if nameless:
        return Outcome.FAILED, "the signature names no columns, so nobody can tell"
    used = sorted(
        column
        for column in check.columns
        if any(
            _same_column(c.name) == _same_column(column)
            # The type of an object or an array says what is inside it, as JSON.
            or _same_column(column) in _same_column(c.type)
            for c in inputs
        )
    )
    return _pass_if(not used), f"uses {', '.join(used)}" if used else "none is used"


def _same_column(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _pass_if(condition: bool) -> Outcome:
    return Outcome.PASSED if condition else Outcome.FAILED


def _number(snapshot: Snapshot, name: str) -> tuple[float | None, str]:
    metric = snapshot.metric(name)
    if metric is None:
        return None, f"{name} is not recorded"
    number = metric.number
    if number is None:
        return None, f"{name} is {metric.text}, which is no number to compare"
    return number, ""


def _against_champion(check: NotWorseThanProduction, at: Situation) -> tuple[Outcome, str]:
    value, problem = _number(at.candidate, check.metric)
    if value is None:
        return Outcome.FAILED, problem
    if at.champion is None:
        return Outcome.PASSED, "nothing is in Production to compare with"
    base, problem = _number(at.champion, check.metric)
    if base is None:
        return Outcome.FAILED, f"in Production (v{at.champion.version}) {problem}"
    worse_by = _exactly(base) - _exactly(value)
    if not check.higher_is_better:
        worse_by = -worse_by
    return (
        _pass_if(worse_by <= _exactly(check.tolerance)),
        f"{check.metric} is {value:.4g}, in Production (v{at.champion.version}) {base:.4g}",
    )


def _exactly(number: float) -> Decimal:
    """As it is written: 0.75 is 0.05 more than 0.7, which two floats are not."""
    return Decimal(repr(number))


def _validated(check: ValidatedAfterStaging, at: Situation) -> tuple[Outcome, str]:
    if at.entered_staging_at is None:
        return Outcome.FAILED, "it is not in Staging, by our record"
    for metric in sorted(at.candidate.metrics, key=lambda m: m.run_id):
        if _is_validation(metric, check, at):
            number = metric.number
            if number is None:
                continue
            says = f"{check.metric} is {number:.4g}, as {metric.run_user} claims"
            if number >= check.limit:
                return Outcome.PASSED, f"{says} in run {metric.run_id}"
    return Outcome.WAITING, f"no {check.metric} from {check.role} that passes yet"


def _is_validation(metric: Metric, check: ValidatedAfterStaging, at: Situation) -> bool:
    if metric.name != check.metric or metric.origin is not MetricOrigin.LOGGED_MODEL:
        return False
    started = metric.run_started_at
    if started is None or at.entered_staging_at is None or started <= at.entered_staging_at:
        return False
    person = at.roster.by_claim(metric.run_user)
    return person is not None and check.role in person.roles and person.id not in at.makers


def _soak(rule: StageRule, at: Situation, *, now: datetime) -> CheckResult:
    seconds = rule.soak.total_seconds()
    check = f"{seconds:g} s in Staging"
    if at.entered_staging_at is None:
        return CheckResult(
            check=check,
            outcome=Outcome.FAILED,
            finding="it is not in Staging, by our record",
        )
    ready_at = at.entered_staging_at + rule.soak
    if now >= ready_at:
        return CheckResult(check=check, outcome=Outcome.PASSED, finding="soaked long enough")
    return CheckResult(
        check=check,
        outcome=Outcome.WAITING,
        finding=f"in Staging since {at.entered_staging_at:%Y-%m-%d %H:%M:%S} UTC",
        passes_at=ready_at,
    )

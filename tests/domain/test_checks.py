"""Checks: what is missing, or is no number, never passes; boundaries are where they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.checks import Outcome, Situation, evaluate
from governance.domain.evidence import Column, MetricOrigin, Snapshot, Stage
from governance.domain.identity import PersonId, Role
from governance.domain.policy import (
    Check,
    ColumnsNotUsed,
    DatasetRecorded,
    MetricAtLeast,
    MetricAtMost,
    NotWorseThanProduction,
    SignatureRecorded,
    TagRecorded,
    ValidatedAfterStaging,
)
from tests.builders import NOON, a_metric, a_roster, a_rule, a_snapshot

NAME = "auc_validation"
PASSED, FAILED, WAITING = Outcome.PASSED, Outcome.FAILED, Outcome.WAITING
VALIDATED = ValidatedAfterStaging(metric="auc_holdout", limit=0.7, role=Role("validator"))


def a_situation(candidate: Snapshot | None = None, champion: Snapshot | None = None) -> Situation:
    """v4, an hour in Staging, against v3; dana made it."""
    return Situation(
        candidate=candidate or a_snapshot(),
        champion=champion,
        entered_staging_at=NOON - timedelta(hours=1),
        roster=a_roster(),
        makers=frozenset({PersonId("dana")}),
    )


def outcome_of(check: Check, situation: Situation) -> Outcome:
    """What one check says."""
    (result,) = evaluate(a_rule(checks=(check,)), situation, now=NOON)
    assert result.check
    assert result.finding
    return result.outcome


def with_metric(text: str, **more: object) -> Snapshot:
    """A version whose metric is this."""
    return a_snapshot(metrics=(replace(a_metric(text=text), **more),))  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("text", "at_least", "at_most"),
    [("0.7", PASSED, PASSED), ("0.7000001", PASSED, FAILED), ("0.6999999", FAILED, PASSED)],
)
def test_a_limit_is_part_of_what_it_allows(text: str, at_least: Outcome, at_most: Outcome) -> None:
    """Before, at and after."""
    situation = a_situation(with_metric(text))
    assert outcome_of(MetricAtLeast(metric=NAME, limit=0.7), situation) is at_least
    assert outcome_of(MetricAtMost(metric=NAME, limit=0.7), situation) is at_most


finite = st.floats(allow_nan=False, allow_infinity=False)
no_number = st.sampled_from(["nan", "NaN", "inf", "-inf", "Infinity", "", "high", "0,7", "1e999"])


@given(finite, no_number)
def test_what_is_no_number_never_passes(limit: float, text: str) -> None:
    """Whatever the limit is; and it is shown as it was recorded."""
    situation = a_situation(with_metric(text), champion=a_snapshot(3))
    for check in _comparing(NAME, limit):
        assert outcome_of(check, situation) is FAILED


@given(finite)
def test_what_is_not_recorded_never_passes(limit: float) -> None:
    """Also when Production has it."""
    situation = a_situation(a_snapshot(metrics=()), champion=a_snapshot(3))
    for check in _comparing(NAME, limit):
        assert outcome_of(check, situation) is FAILED


def _comparing(metric: str, limit: float) -> tuple[Check, ...]:
    return (
        MetricAtLeast(metric=metric, limit=limit),
        MetricAtMost(metric=metric, limit=limit),
        NotWorseThanProduction(metric=metric, tolerance=abs(limit)),
        NotWorseThanProduction(metric=metric, tolerance=abs(limit), higher_is_better=False),
    )


@given(finite, finite)
def test_at_least_and_at_most_agree_on_equality_alone(limit: float, value: float) -> None:
    """One of them passes, and both only at the limit."""
    situation = a_situation(with_metric(repr(value)))
    both = {
        outcome_of(MetricAtLeast(metric=NAME, limit=limit), situation),
        outcome_of(MetricAtMost(metric=NAME, limit=limit), situation),
    }
    assert (both == {PASSED}) == (value == limit)
    assert PASSED in both


@pytest.mark.parametrize(
    ("value", "higher_is_better", "outcome"),
    [
        ("0.70", True, PASSED),  # 0.05 below 0.75, which two floats would not say
        ("0.6999", True, FAILED),
        ("0.99", True, PASSED),
        ("0.80", False, PASSED),
        ("0.8001", False, FAILED),
        ("0.1", False, PASSED),
    ],
)
def test_not_worse_than_production_by_more_than_was_said(
    value: str, higher_is_better: bool, outcome: Outcome
) -> None:
    """In either direction, to the last decimal."""
    check = NotWorseThanProduction(metric=NAME, tolerance=0.05, higher_is_better=higher_is_better)
    champion = replace(a_snapshot(3), metrics=(a_metric(text="0.75"),))
    assert outcome_of(check, a_situation(with_metric(value), champion)) is outcome


def test_the_first_version_has_nothing_to_be_worse_than() -> None:
    """But it has to have the metric."""
    check = NotWorseThanProduction(metric=NAME, tolerance=0.0)
    assert outcome_of(check, a_situation()) is PASSED
    assert outcome_of(check, a_situation(a_snapshot(metrics=()))) is FAILED


@pytest.mark.parametrize("metrics", [(), (a_metric(text="nan"),)])
def test_a_production_version_without_the_metric_is_no_free_pass(metrics: tuple[()]) -> None:
    """Nobody can tell, so it fails and says which version lacks it."""
    check = NotWorseThanProduction(metric=NAME, tolerance=0.05)
    situation = a_situation(champion=replace(a_snapshot(3), metrics=metrics))
    (result,) = evaluate(a_rule(checks=(check,)), situation, now=NOON)
    assert result.outcome is FAILED
    assert "in Production (v3)" in result.finding


@pytest.mark.parametrize(
    ("tags", "equals", "outcome"),
    [
        ({}, None, FAILED),
        ({"bias": ""}, None, FAILED),
        ({"bias": "  "}, None, FAILED),
        ({"bias": "open"}, None, PASSED),
        ({"bias": "open"}, "passed", FAILED),
        ({"bias": "PASSED"}, "passed", FAILED),
        ({"bias": " passed "}, "passed", PASSED),
        ({"Bias": "passed"}, "passed", FAILED),
    ],
)
def test_a_tag_is_there_and_says_what_was_asked(
    tags: dict[str, str], equals: str | None, outcome: Outcome
) -> None:
    """Exactly, save for spaces around it."""
    situation = a_situation(a_snapshot(tags=tags))
    assert outcome_of(TagRecorded(tag="bias", equals=equals), situation) is outcome


def test_data_set_and_signature_are_recorded_or_fail() -> None:
    """An empty signature is none."""
    assert outcome_of(DatasetRecorded(), a_situation()) is PASSED
    assert outcome_of(SignatureRecorded(), a_situation()) is PASSED
    bare = replace(a_snapshot(), datasets=(), inputs=None)
    assert outcome_of(DatasetRecorded(), a_situation(bare)) is FAILED
    assert outcome_of(SignatureRecorded(), a_situation(bare)) is FAILED
    empty = a_situation(replace(bare, inputs=()))
    assert outcome_of(SignatureRecorded(), empty) is FAILED


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        (("age", "income"), PASSED),
        (("age", "foreign_worker"), FAILED),
        (("foreign_worker_2",), PASSED),
        ((), FAILED),
    ],
)
def test_a_column_that_must_not_be_used_fails(columns: tuple[str, ...], outcome: Outcome) -> None:
    """And so does a model that does not say what it reads."""
    situation = a_situation(a_snapshot(columns=columns))
    assert outcome_of(ColumnsNotUsed(columns=("foreign_worker",)), situation) is outcome


def a_validation(text: str = "0.7", *, user: str = "ana", after: float = 60) -> Snapshot:
    """Ana measured it a minute after it entered Staging."""
    entered = NOON - timedelta(hours=1)
    metric = replace(
        a_metric(text=text),
        name="auc_holdout",
        origin=MetricOrigin.LOGGED_MODEL,
        run_id="run-of-validation",
        run_user=user,
        run_started_at=entered + timedelta(seconds=after),
    )
    return a_snapshot(metrics=(a_metric(), metric))


@pytest.mark.parametrize(
    ("snapshot", "outcome"),
    [
        (a_validation(), PASSED),
        (a_validation("0.69"), WAITING),
        (a_validation("nan"), WAITING),
        (a_validation(user="dana"), WAITING),  # made it
        (a_validation(user="raj"), WAITING),  # is no validator
        (a_validation(user="nobody"), WAITING),
        (a_validation(user=""), WAITING),
        (a_validation(user="ci-pipeline"), WAITING),
        (a_validation(after=0), WAITING),  # not before it entered Staging, and not as it did
        (a_validation(after=-1), WAITING),
        (a_validation(after=0.001), PASSED),
        (a_snapshot(), WAITING),
    ],
)
def test_a_validation_is_somebody_elses_and_comes_after_staging(
    snapshot: Snapshot, outcome: Outcome
) -> None:
    """Waiting until there is one that passes."""
    assert outcome_of(VALIDATED, a_situation(snapshot)) is outcome


def test_a_validator_who_made_the_version_validates_nothing() -> None:
    """The role alone is not enough."""
    situation = replace(a_situation(a_validation()), makers=frozenset({PersonId("ana")}))
    assert outcome_of(VALIDATED, situation) is WAITING


def test_a_metric_of_the_run_alone_is_no_validation() -> None:
    """Anybody who trained could have written it there."""
    found = a_validation()
    of_run = replace(found.metrics[1], origin=MetricOrigin.RUN)
    situation = a_situation(replace(found, metrics=(found.metrics[0], of_run)))
    assert outcome_of(VALIDATED, situation) is WAITING


def test_a_version_that_was_never_in_staging_fails_what_counts_from_there() -> None:
    """By our record, whatever MLflow says."""
    situation = replace(a_situation(a_validation()), entered_staging_at=None)
    assert outcome_of(VALIDATED, situation) is FAILED
    soaking = a_rule(checks=(), soak=timedelta(days=1))
    (soak,) = evaluate(soaking, situation, now=NOON)
    assert (soak.outcome, soak.passes_at) == (FAILED, None)


@pytest.mark.parametrize(("after_seconds", "outcome"), [(-1, WAITING), (0, PASSED), (1, PASSED)])
def test_the_soak_time_ends_at_its_moment(after_seconds: float, outcome: Outcome) -> None:
    """Before, at and after; and it says when."""
    soaking = a_rule(Stage.PRODUCTION, checks=(), soak=timedelta(hours=2))
    ready = NOON + timedelta(hours=1)
    now = ready + timedelta(seconds=after_seconds)
    (soak,) = evaluate(soaking, a_situation(), now=now)
    assert soak.outcome is outcome
    assert soak.passes_at == (ready if outcome is WAITING else None)


def test_results_keep_the_order_of_the_policy_and_the_soak_comes_last() -> None:
    """As a reader of the policy expects."""
    rule = a_rule(checks=(SignatureRecorded(), DatasetRecorded()), soak=timedelta(hours=2))
    found = [r.outcome for r in evaluate(rule, a_situation(), now=NOON)]
    assert found == [PASSED, PASSED, WAITING]
    assert len({r.check for r in evaluate(rule, a_situation(), now=NOON)}) == 3


@pytest.mark.parametrize(
    "column",
    [
        Column(name="#0", type="tensor"),
        Column(name="Foreign_Worker", type="string"),
        Column(name=" foreign_worker ", type="string"),
        Column(name="who", type='object {"properties":{"foreign_worker":{"type":"string"}}}'),
    ],
)
def test_a_column_that_hides_in_another_spelling_fails(column: Column) -> None:
    """A tensor names nothing, so nobody can tell."""
    situation = a_situation(replace(a_snapshot(), inputs=(column,)))
    assert outcome_of(ColumnsNotUsed(columns=("foreign_worker",)), situation) is FAILED

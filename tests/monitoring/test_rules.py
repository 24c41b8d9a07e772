"""What the rules say, and that they never say it of too little."""

from __future__ import annotations

import json
import math
import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.monitoring.baseline import Baseline, auc_baseline, scored_baseline
from governance.domain.monitoring.measures import hanley_mcneil
from governance.domain.monitoring.plan import Expected, plan
from governance.domain.monitoring.rules import DelongBound, Evidence, PsiLimit, Threshold
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import (
    Bad,
    DelongSpec,
    EProcessSpec,
    PsiSpec,
    SteadySpec,
    ThresholdSpec,
)
from governance.domain.monitoring.verdict import Estimate, Verdict
from governance.use_cases.automatic import first_clause

BASELINE = auc_baseline(0.783, 7000, 3000)
WEEK = timedelta(days=7)


def an_auc(value: float, goods: int = 1017, bads: int = 187) -> Estimate:
    """As measured on so many."""
    return Estimate(value=value, variance=hanley_mcneil(value, goods, bads), goods=goods, bads=bads)


def a_threshold(bad: Bad = Bad.FALLS) -> Threshold:
    """0.05, on 200 goods and 50 bads."""
    return Threshold(metric="AUC", drop=0.05, bad=bad, minimum_goods=200, minimum_bads=50)


def a_delong() -> DelongBound:
    """0.05 and z 2.33."""
    return DelongBound(
        metric="AUC", drop=0.05, z=2.33, bad=Bad.FALLS, minimum_goods=200, minimum_bads=50
    )


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.784, Verdict.HEALTHY), (0.7331, Verdict.HEALTHY), (0.7329, Verdict.REGRESSED)],
)
def test_a_threshold_says_regressed_beyond_its_drop(value: float, verdict: Verdict) -> None:
    """Before and after."""
    assert a_threshold().judge(BASELINE, an_auc(value)).verdict is verdict


@pytest.mark.parametrize(
    ("bad", "value", "verdict"),
    [
        (Bad.RISES, 0.85, Verdict.REGRESSED),
        (Bad.RISES, 0.6, Verdict.HEALTHY),
        (Bad.MOVES, 0.85, Verdict.REGRESSED),
        (Bad.MOVES, 0.7, Verdict.REGRESSED),
        (Bad.FALLS, 0.85, Verdict.HEALTHY),
    ],
)
def test_only_the_bad_way_counts(bad: Bad, value: float, verdict: Verdict) -> None:
    """A loss rises, an AUC falls, a rate may do both."""
    assert a_threshold(bad).judge(BASELINE, an_auc(value)).verdict is verdict


@pytest.mark.parametrize(("goods", "bads"), [(199, 50), (200, 49), (0, 0)])
def test_too_few_outcomes_are_inconclusive_however_bad(goods: int, bads: int) -> None:
    """And the sentence says how many are missing."""
    measured = Estimate(value=0.1, variance=0.0, goods=goods, bads=bads)
    for found in (
        a_threshold().judge(BASELINE, measured),
        a_delong().judge(BASELINE, measured, an_auc(0.1)),
        a_delong().judge(BASELINE, an_auc(0.1), measured),
    ):
        assert found.verdict is Verdict.INCONCLUSIVE
        assert f"{goods} of 200 goods, {bads} of 50 bads" in found.sentence
    assert a_threshold().judge(BASELINE, None).verdict is Verdict.INCONCLUSIVE


def test_delong_needs_two_windows_and_a_sure_drop() -> None:
    """One bad window is not enough, nor are two small ones."""
    rule = a_delong()
    bad, good = an_auc(0.68), an_auc(0.78)
    unsure = an_auc(0.70, goods=200, bads=50)
    assert rule.judge(BASELINE, bad, bad).verdict is Verdict.REGRESSED
    assert rule.judge(BASELINE, bad, good).verdict is Verdict.HEALTHY
    assert rule.judge(BASELINE, good, bad).verdict is Verdict.HEALTHY
    assert rule.judge(BASELINE, unsure, unsure).verdict is Verdict.HEALTHY


def test_evidence_decides_and_the_value_is_only_shown() -> None:
    """Below, at and above the limit; before the first bet nothing is known."""
    rule = Evidence(metric="AUC", tolerance=0.01, alpha=0.01, limit=100, is_steady=False)

    def judged(evidence: float, bets: int = 50) -> Verdict:
        return rule.judge(BASELINE, an_auc(0.6), bound=0.76, evidence=evidence, bets=bets).verdict

    assert [judged(e) for e in (99.99, 100.0, 1e9)] == [
        Verdict.HEALTHY,
        Verdict.REGRESSED,
        Verdict.REGRESSED,
    ]
    assert judged(1e9, bets=0) is Verdict.INCONCLUSIVE


def test_what_is_waited_for_is_what_the_metric_is_counted_from() -> None:
    """The rate of approvals needs no outcomes."""

    def waiting(*, needs_outcomes: bool) -> str:
        rule = Evidence(
            metric="approval rate",
            tolerance=0.01,
            alpha=0.01,
            limit=100,
            is_steady=True,
            needs_outcomes=needs_outcomes,
        )
        return rule.judge(BASELINE, None, bound=0.7, evidence=0, bets=0).sentence

    assert "no outcome is mature" in waiting(needs_outcomes=True)
    assert waiting(needs_outcomes=False) == "Nothing was compared yet: no decision is there yet."


def test_a_regulator_understands_what_is_said() -> None:
    """And the trail prints its first clause."""
    rule = Evidence(metric="AUC", tolerance=0.01, alpha=0.01, limit=100, is_steady=False)
    said = rule.judge(BASELINE, an_auc(0.722), bound=0.76, evidence=150, bets=60).sentence
    assert said.startswith("AUC fell 0.061 below baseline (0.722 ")
    assert "1,204 outcomes with 187 bads" in said
    assert "at most once in 100 deployments, however often we look" in said
    assert first_clause(said) == "AUC fell 0.061 below baseline"
    simple = a_threshold().judge(BASELINE, an_auc(0.722)).sentence
    assert first_clause(simple) == "AUC fell 0.061 below baseline"


@given(st.sampled_from([math.nan, math.inf, -math.inf]))
def test_what_is_no_number_is_an_error_and_no_verdict(value: float) -> None:
    """Never healthy, never regressed."""
    measured = Estimate(value=value, variance=0.01, goods=999, bads=999)
    for found in (
        a_threshold().judge(BASELINE, measured),
        a_delong().judge(BASELINE, measured, measured),
        Evidence(metric="AUC", tolerance=0.01, alpha=0.01, limit=1, is_steady=True).judge(
            BASELINE, measured, bound=0.7, evidence=9, bets=9
        ),
    ):
        assert found.verdict is Verdict.ERROR
        assert all(math.isfinite(x) for x in found.numbers.values())


def test_psi_says_what_moved_and_needs_enough() -> None:
    """Ten rows say nothing."""
    dice = random.Random(1)
    before = ScoreCounts.of((dice.random(), False) for _ in range(3000))
    after = ScoreCounts.of((dice.random() ** 3, False) for _ in range(3000))
    few = ScoreCounts.of((dice.random() ** 3, False) for _ in range(10))
    rule = PsiLimit(limit=0.1, minimum_rows=500)
    assert rule.judge(before, before).verdict is Verdict.HEALTHY
    assert rule.judge(before, after).verdict is Verdict.REGRESSED
    assert rule.judge(before, few).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("baseline", "may_act"),
    [
        (auc_baseline(0.78, 700, 300), True),
        (auc_baseline(0.78, None, None), False),
        (auc_baseline(0.78, 700, 300, in_sample=True), False),
    ],
)
def test_a_rollback_rests_on_a_baseline_that_is_known_how_well(
    baseline: Baseline, may_act: bool
) -> None:
    """Held out, and counted; and it comes back from the store as it went."""
    assert baseline.may_act is may_act
    assert Baseline.from_json(json.loads(json.dumps(baseline.to_json()))) == baseline


def test_a_baseline_from_scores_keeps_them_for_psi() -> None:
    """And survives the store."""
    found = scored_baseline([(0.9, True), (0.2, False), (0.8, True), (0.4, False)])
    assert found is not None
    again = Baseline.from_json(json.loads(json.dumps(found.to_json())))
    assert again.estimate == found.estimate
    assert again.scores is not None
    assert again.scores.n_rows == 4
    assert scored_baseline([(0.9, True)]) is None


# --- plans ------------------------------------------------------------------------------------

EXPECTED = Expected(
    auc=0.78, baseline_goods=7000, baseline_bads=3000, bad_share=0.3, rows_a_day=500
)


def test_a_plan_shows_that_larger_drops_are_seen_sooner() -> None:
    """And that the e-process is not wrong."""
    found = plan(
        EProcessSpec(tolerance=0.01, alpha=0.01),
        EXPECTED,
        drops=(0.05, 0.15),
        dice=random.Random(1),
    )
    small, large = found.drops
    assert found.false_alarm_percent <= 5
    assert large.found_percent == 100
    assert large.rows is not None
    assert small.rows is None or large.rows < small.rows
    assert large.bads == pytest.approx(large.rows * 0.3)


def test_a_plan_shows_that_a_small_window_is_wrong() -> None:
    """What made this whole family of rules necessary."""

    def wrong(days: int) -> float:
        rule = ThresholdSpec(
            drop=0.05, window=timedelta(days=days), minimum_goods=1, minimum_bads=1
        )
        few_bads = Expected(
            auc=0.78, baseline_goods=9200, baseline_bads=800, bad_share=0.08, rows_a_day=500
        )
        return plan(rule, few_bads, drops=(), dice=random.Random(1)).false_alarm_percent

    assert wrong(2) > 60
    assert wrong(14) < wrong(2)


def test_two_windows_are_wrong_less_often_than_one() -> None:
    """At the price of time."""
    one = ThresholdSpec(drop=0.05, window=timedelta(days=1), minimum_goods=1, minimum_bads=1)
    two = DelongSpec(drop=0.05, z=2.33, window=timedelta(days=1), minimum_goods=1, minimum_bads=1)
    single = plan(one, EXPECTED, drops=(0.15,), dice=random.Random(1))
    double = plan(two, EXPECTED, drops=(0.15,), dice=random.Random(1))
    assert double.false_alarm_percent <= single.false_alarm_percent
    assert (double.drops[0].rows or 0) > (single.drops[0].rows or 0)


def test_a_window_that_never_fills_never_fires() -> None:
    """Inconclusive for ever is not seen as an alarm."""
    rule = ThresholdSpec(drop=0.05, window=WEEK, minimum_goods=1, minimum_bads=10**6)
    found = plan(rule, EXPECTED, drops=(0.15,), dice=random.Random(1))
    assert (found.false_alarm_percent, found.drops[0].rows) == (0, None)


def test_the_same_dice_give_the_same_plan() -> None:
    """So that two people can talk about it."""
    rule = SteadySpec(tolerance=0.01, alpha=0.05, horizon=100)
    assert plan(rule, EXPECTED, drops=(), dice=random.Random(4)) == plan(
        rule, EXPECTED, drops=(), dice=random.Random(4)
    )


def test_what_cannot_be_planned_is_refused() -> None:
    """A rule that judges no AUC, and a model that is none."""
    with pytest.raises(ValueError, match="does not judge AUC"):
        plan(
            PsiSpec(limit=0.1, window=WEEK, minimum_rows=9),
            EXPECTED,
            drops=(),
            dice=random.Random(1),
        )

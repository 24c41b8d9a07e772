"""Measures from counts by score: the same as from rows, and as others compute them."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

from governance.domain.monitoring.measures import (
    CHI2_9_AT_1E_4,
    approval_rate,
    auc,
    brier,
    delong,
    hanley_mcneil,
    precision,
    psi,
    psi_limit,
    rate,
    recall,
)
from governance.domain.monitoring.score_counts import BINS, ScoreCounts, bin_of

ROWS = st.lists(
    st.tuples(st.integers(0, BINS - 1).map(lambda b: (b + 0.5) / BINS), st.booleans()),
    min_size=2,
    max_size=60,
)
TIED = st.lists(
    st.tuples(st.sampled_from([0.10005, 0.20005, 0.30005]), st.booleans()), min_size=2, max_size=40
)
Rows = list[tuple[float, bool]]


def both_classes(rows: Rows) -> bool:
    """Whether an AUC exists."""
    return len({bad for _score, bad in rows}) == 2


@given(st.one_of(ROWS, TIED))
def test_auc_of_counts_is_that_of_scikit_learn(rows: Rows) -> None:
    """Ties count half; without one class there is none."""
    found = auc(ScoreCounts.of(rows))
    if not both_classes(rows):
        assert found is None
        return
    assert found is not None
    truth = roc_auc_score([bad for _s, bad in rows], [score for score, _b in rows])
    assert found.value == pytest.approx(truth, abs=1e-12)
    assert (found.goods, found.bads) == (
        sum(not bad for _s, bad in rows),
        sum(bad for _s, bad in rows),
    )


@given(st.one_of(ROWS, TIED))
def test_its_variance_is_delong_s_by_brute_force(rows: Rows) -> None:
    """Every pair, one by one."""
    goods = [s for s, bad in rows if not bad]
    bads = [s for s, bad in rows if bad]
    found = auc(ScoreCounts.of(rows))
    if len(goods) < 2 or len(bads) < 2:
        assert found is None or found.variance is None
        return

    def wins(bad: float, good: float) -> float:
        return 1.0 if bad > good else 0.5 if bad == good else 0.0

    v10 = [sum(wins(b, g) for g in goods) / len(goods) for b in bads]
    v01 = [sum(wins(b, g) for b in bads) / len(bads) for g in goods]
    area = sum(v10) / len(bads)
    truth = sum((x - area) ** 2 for x in v10) / (len(bads) - 1) / len(bads)
    truth += sum((x - area) ** 2 for x in v01) / (len(goods) - 1) / len(goods)
    assert found is not None
    assert found.variance == pytest.approx(truth, abs=1e-12)


@given(ROWS)
def test_rows_and_counts_agree(rows: Rows) -> None:
    """Scores in the middle of a bin lose nothing."""
    one, other = delong(rows), auc(ScoreCounts.of(rows))
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert (one.variance or 0) == pytest.approx(other.variance or 0, abs=1e-12)


@given(ROWS, st.integers(0, 60))
def test_counts_add_up_across_shards(rows: Rows, cut: int) -> None:
    """In any number of pieces, in any order."""
    whole = ScoreCounts.of(rows)
    first, second = ScoreCounts.of(rows[:cut]), ScoreCounts.of(rows[cut:])
    for summed in (
        first + second,
        second + first,
        first + second + ScoreCounts.empty(),
        ScoreCounts.total([first, ScoreCounts.empty(), second]),
    ):
        assert dict(summed.goods) == dict(whole.goods)
        assert dict(summed.bads) == dict(whole.bads)


def test_bins_lose_less_than_a_hundred_thousandth() -> None:
    """Continuous scores."""
    dice = random.Random(5)
    rows = [
        (min(max(dice.gauss(0.55 if bad else 0.45, 0.15), 0.0), 1.0), bad)
        for bad in (dice.random() < 0.2 for _ in range(20_000))
    ]
    exact, binned = delong(rows), auc(ScoreCounts.of(rows))
    assert exact is not None
    assert binned is not None
    assert abs(exact.value - binned.value) < 1e-5


@pytest.mark.parametrize("score", [-0.001, 1.001, math.nan, math.inf])
def test_a_score_that_is_none_has_no_bin(score: float) -> None:
    """Refused, never clipped."""
    with pytest.raises(ValueError, match="not between 0 and 1"):
        bin_of(score)


def test_one_falls_into_the_last_bin_and_zero_into_the_first() -> None:
    """Both ends."""
    assert (bin_of(0.0), bin_of(0.00009999), bin_of(0.0001), bin_of(1.0)) == (0, 0, 1, BINS - 1)


def test_hanley_and_mcneil_by_hand() -> None:
    """AUC 0.8 of 50 and 50: Q1 = 2/3, Q2 = 32/45."""
    by_hand = (0.8 * 0.2 + 49 * (2 / 3 - 0.64) + 49 * (32 / 45 - 0.64)) / 2500
    assert hanley_mcneil(0.8, 50, 50) == pytest.approx(by_hand)


@given(ROWS, st.sampled_from([0.0, 0.25, 0.5, 0.6, 0.9]))
def test_shares_are_those_of_scikit_learn(rows: Rows, threshold: float) -> None:
    """A score at or above the threshold is declined."""
    counts = ScoreCounts.of(rows)
    truth = [bad for _s, bad in rows]
    declined = [score >= threshold for score, _b in rows]
    found = precision(counts, threshold)
    assert (found is None) == (not any(declined))
    if found is not None:
        assert found.value == pytest.approx(precision_score(truth, declined, zero_division=0))
    found = recall(counts, threshold)
    assert (found is None) == (not any(truth))
    if found is not None:
        assert found.value == pytest.approx(recall_score(truth, declined, zero_division=0))
    found = approval_rate(counts, threshold)
    assert found is not None
    assert found.value == pytest.approx(1 - sum(declined) / len(rows))


@given(ROWS)
def test_brier_is_that_of_scikit_learn(rows: Rows) -> None:
    """To a ten-thousandth."""
    found = brier(ScoreCounts.of(rows))
    assert found is not None
    truth = brier_score_loss([b for _s, b in rows], [s for s, _b in rows], labels=[False, True])
    assert found.value == pytest.approx(truth, abs=1e-4)


def test_psi_of_the_same_scores_is_nothing_and_of_others_much() -> None:
    """And it does not matter which class a row has."""
    dice = random.Random(1)
    before = ScoreCounts.of((dice.random(), False) for _ in range(5000))
    shifted = ScoreCounts.of((dice.random() ** 3, True) for _ in range(5000))
    assert psi(before, before) == pytest.approx(0.0)
    found = psi(before, shifted)
    assert found is not None
    assert found > 0.5
    assert psi(before, ScoreCounts.empty()) is None


def test_psi_by_chance_stays_below_its_limit() -> None:
    """At a hundred rows a plain 0.1 would be wrong every third time."""
    dice = random.Random(2)

    def draw(count: int) -> ScoreCounts:
        return ScoreCounts.of((dice.random(), False) for _ in range(count))

    found = [psi(draw(2000), draw(100)) or 0.0 for _ in range(300)]
    limit = psi_limit(0.1, 2000, 100)
    assert sum(x > 0.1 for x in found) > 60
    assert sum(x > limit for x in found) == 0


def test_the_chi_square_quantile_is_that_of_scipy() -> None:
    """Nine degrees of freedom, one in ten thousand."""
    from scipy.stats import chi2

    assert pytest.approx(chi2.ppf(1 - 1e-4, 9), abs=1e-4) == CHI2_9_AT_1E_4


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Two-sided 95 %, over many samples."""
    dice = random.Random(3)
    distance = 1.092  # AUC 0.78
    inside = 0
    for _ in range(300):
        rows = [
            (dice.gauss(distance if bad else 0, 1), bad)
            for bad in itertools.islice(itertools.cycle([True, False, False]), 300)
        ]
        found = delong(rows)
        assert found is not None
        inside += found.lower(0.975) <= 0.78 <= found.upper(0.975)
    assert 270 <= inside <= 297


@given(rows=st.integers(1, 10_000), part=st.floats(0, 1))
def test_the_interval_of_a_share_has_a_width_and_stays_between_none_and_all(
    rows: int, part: float
) -> None:
    """Also where nobody, or everybody, is counted; the share is inside."""
    found = rate(round(rows * part), rows)
    assert found is not None
    low, high = found.lower(0.975), found.upper(0.975)
    assert -1e-9 <= low <= found.value + 1e-9
    assert found.value <= high + 1e-9
    assert high <= 1 + 1e-9
    assert high - low > 0.5 / rows


def test_the_interval_of_a_share_is_wilsons() -> None:
    """None of 25: up to z² / (n + z²), which is 13 %."""
    found = rate(0, 25)
    assert found is not None
    assert found.upper(0.975) == pytest.approx(3.8415 / 28.8415, abs=1e-4)


def test_an_auc_that_shows_no_doubt_claims_no_interval() -> None:
    """Two goods below two bads: nobody knows from four rows that it is 1."""
    rows = [(0.10005, False), (0.20005, False), (0.80005, True), (0.90005, True)]
    found = auc(ScoreCounts.of(rows))
    assert found is not None
    assert (found.value, found.has_interval) == (1.0, False)
    share = rate(0, 25)
    assert share is not None
    assert share.has_interval

"""Evidence by betting: seldom wrong however often one looks, and soon right."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from governance.domain.monitoring.baseline import (
    alpha_of_bets,
    auc_baseline,
    mu0,
    rate_bounds,
    share_baseline,
    student_t,
    sure_bounds,
)
from governance.domain.monitoring.betting import (
    LONGEST_QUEUE,
    BettingState,
    EProcess,
    RateProcess,
    SteadyEProcess,
)
from governance.domain.monitoring.measures import delong, hanley_mcneil
from governance.domain.monitoring.spec import Bad
from governance.domain.monitoring.verdict import Estimate

SCORED = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=80)
DISTANCES = {0.78: 1.092, 0.63: 0.469, 0.7: 0.742}


def outcomes(
    dice: random.Random, auc: float, count: int, *, bads: float = 0.3
) -> Iterator[tuple[float, bool]]:
    """Scores of normal goods and bads whose distance gives the AUC."""
    for _ in range(count):
        is_bad = dice.random() < bads
        yield dice.gauss(DISTANCES[auc] if is_bad else 0.0, 1.0), is_bad


@given(SCORED, st.integers(0, 80), st.sampled_from([0.05, 0.3, 0.6]))
def test_in_pieces_is_all_at_once(rows: list[tuple[float, bool]], cut: int, rate: float) -> None:
    """To the last bit, also after the state was stored and read."""
    for process in (
        EProcess(mu0=0.7, base_rate=rate, alpha=0.01),
        SteadyEProcess(mu0=0.7, base_rate=rate, alpha=0.01, horizon=500),
    ):
        whole = process.advance(process.begin(), rows)
        half = process.advance(process.begin(), rows[:cut])
        read = BettingState.from_json(json.loads(json.dumps(half.to_json())))
        assert read == half
        assert process.advance(read, rows[cut:]) == whole


@given(SCORED)
def test_every_good_is_used_once_and_every_bad_waits_for_enough(
    rows: list[tuple[float, bool]],
) -> None:
    """Two goods for each bad at a third of bads."""
    process = EProcess(mu0=0.7, base_rate=1 / 3, alpha=0.01)
    state = process.advance(process.begin(), rows)
    goods = sum(not bad for _s, bad in rows)
    bads = len(rows) - goods
    assert state.bets == min(bads, goods // 2)
    assert len(state.goods_waiting) == goods - 2 * state.bets
    assert len(state.bads_waiting) == bads - state.bets


def test_a_tie_counts_half() -> None:
    """Wealth after one bet of Z = ½, by hand."""
    process = EProcess(mu0=0.7, base_rate=0.5, alpha=0.01)
    state = process.advance(process.begin(), [(0.5, True), (0.5, False)])
    stakes = [x for x in (0.15, 0.3, 0.6, 1.0, 1.6, 2.4) if x < 1 / 0.3]
    by_hand = sum(1 - x * (0.5 - 0.7) for x in stakes) / len(stakes)
    assert process.evidence(state) == pytest.approx(by_hand)


def test_wealth_is_a_fair_game_under_the_hypothesis() -> None:
    """With Z of mean mu0 its expectation stays one, whatever Z is made of."""
    stakes = (0.15, 0.3, 0.6, 1.0, 1.6, 2.4)
    expected = [
        0.7 * (1 - s * (1.0 - 0.7)) + 0.3 * (1 - s * (0.0 - 0.7)) for s in stakes if s < 1 / 0.3
    ]
    assert expected == pytest.approx([1.0] * len(expected))


@pytest.mark.parametrize("mean", [0.05, 0.3, 0.55, 0.78, 0.97])
def test_no_bet_can_lose_everything(mean: float) -> None:
    """The largest stake stays below 1/(1 − μ0), so that one outcome never ends the game."""
    process = EProcess(mu0=mean, base_rate=0.5, alpha=0.01)
    state = process.advance(process.begin(), [(0.9, True), (0.1, False)] * 500)
    assert all(math.isfinite(x) for x in state.logs)


def test_a_healthy_model_is_seldom_accused() -> None:
    """200 lives of 1,500 outcomes at α = 0.1: Ville allows 20, four standard deviations more 37."""
    dice = random.Random(11)
    wrong = 0
    for _ in range(200):
        process = EProcess(mu0=0.78, base_rate=0.3, alpha=0.1)
        state = process.advance(process.begin(), outcomes(dice, 0.78, 1500))
        wrong += process.fires(state)
    assert wrong <= 37


def test_a_drop_of_fifteen_points_is_found() -> None:
    """And once it has fired, it has fired."""
    dice = random.Random(12)
    process = EProcess(mu0=0.77, base_rate=0.3, alpha=0.01)
    found = 0
    for _ in range(20):
        state = process.advance(process.begin(), outcomes(dice, 0.63, 1500))
        found += process.fires(state)
        after = process.advance(state, outcomes(dice, 0.78, 3000))
        assert process.fires(after) >= process.fires(state)
    assert found >= 18


def test_a_change_in_mid_life_is_found_by_the_steady_form() -> None:
    """After 3,000 healthy outcomes, when the e-process since release has lost its stake."""
    dice = random.Random(13)
    steady = SteadyEProcess(mu0=0.77, base_rate=0.3, alpha=0.05, horizon=500)
    state = steady.advance(steady.begin(), outcomes(dice, 0.78, 3000))
    assert not steady.fires(state)
    state = steady.advance(state, outcomes(dice, 0.63, 2000))
    assert steady.fires(state)


def test_the_approval_rate_is_watched_both_ways() -> None:
    """Rises and falls are found, what stays is not, and only the bad way counts."""
    dice = random.Random(14)

    def approvals(rate: float, count: int) -> list[bool]:
        return [dice.random() < rate for _ in range(count)]

    both = RateProcess(low=0.37, high=0.43, alpha=0.05, horizon=6000, bad=Bad.MOVES)
    calm = both.advance(both.begin(), approvals(0.4, 6000))
    assert not both.fires(calm)
    assert both.fires(both.advance(calm, approvals(0.6, 2000)))
    assert both.fires(both.advance(calm, approvals(0.2, 2000)))
    only_up = RateProcess(low=0.37, high=0.43, alpha=0.05, horizon=6000, bad=Bad.RISES)
    assert not only_up.fires(only_up.advance(only_up.begin(), approvals(0.2, 4000)))


def test_a_number_that_is_none_is_refused() -> None:
    """Whole: nothing of the batch counts."""
    process = EProcess(mu0=0.7, base_rate=0.5, alpha=0.01)
    with pytest.raises(ValueError, match="no finite number"):
        process.advance(process.begin(), [(0.5, True), (math.nan, False)])


@pytest.mark.parametrize(("mean", "rate"), [(0.0, 0.5), (1.0, 0.5), (0.7, 0.0), (0.7, 1.0)])
def test_what_nobody_could_bet_on_is_refused(mean: float, rate: float) -> None:
    """An AUC or a share of bads at its end."""
    process = EProcess(mu0=mean, base_rate=rate, alpha=0.01)
    with pytest.raises(ValueError, match="between"):
        process.advance(process.begin(), [(0.5, True)])


def test_a_queue_never_grows_without_bound_and_pieces_are_the_whole() -> None:
    """Where a kind is far rarer than thought, the oldest of the other go unused, at the same place
    however the rows are cut."""
    dice = random.Random(15)
    rows = [(dice.random(), dice.random() < 0.02) for _ in range(9_000)]
    many_bads = [(score, not bad) for score, bad in rows]
    for given_rows, rate in ((rows, 0.3), (many_bads, 0.1)):
        process = EProcess(mu0=0.7, base_rate=rate, alpha=0.01)
        whole = process.advance(process.begin(), given_rows)
        pieces = process.begin()
        for begin in range(0, len(given_rows), 700):
            pieces = process.advance(pieces, given_rows[begin : begin + 700])
        assert pieces == whole
        assert len(whole.goods_waiting) <= LONGEST_QUEUE
        assert len(whole.bads_waiting) <= LONGEST_QUEUE
        assert max(len(whole.goods_waiting), len(whole.bads_waiting)) == LONGEST_QUEUE


def test_each_process_fires_exactly_at_its_limit() -> None:
    """1/α since release, H/α in mid-life, and twice that for a rate that may move either way."""
    release = EProcess(mu0=0.7, base_rate=0.3, alpha=0.01)
    steady = SteadyEProcess(mu0=0.7, base_rate=0.3, alpha=0.05, horizon=500)
    one_way = RateProcess(low=0.37, high=0.43, alpha=0.05, horizon=6000, bad=Bad.RISES)
    both = RateProcess(low=0.37, high=0.43, alpha=0.05, horizon=6000, bad=Bad.MOVES)
    for process, limit in ((release, 100), (steady, 10_000), (one_way, 120_000), (both, 240_000)):
        assert process.limit == pytest.approx(limit)
        for evidence, fires in ((limit * 0.999, False), (limit * 1.001, True)):
            state = replace(process.begin(), highest=math.log(evidence))
            assert process.fires(state) is fires
            assert process.evidence(state) == pytest.approx(evidence)


def test_a_small_validation_gives_a_low_bound() -> None:
    """The baseline is taken at its lower end: 300 rows allow for more than 10,000."""
    small, large = auc_baseline(0.78, 210, 90), auc_baseline(0.78, 7000, 3000)
    assert mu0(small, 0.01, 0.1) == pytest.approx(0.78 - 1.645 * 0.0311 - 0.01, abs=0.01)
    assert mu0(small, 0.01, 0.01) < 0.78 - 2.576 * 0.0311 - 0.01
    assert mu0(large, 0.01, 0.01) == pytest.approx(0.78 - 2.576 * 0.0053 - 0.01, abs=0.001)
    assert mu0(small, 0.01, 0.01) < mu0(large, 0.01, 0.01) < 0.77


def test_the_bound_is_never_less_sure_than_95_percent() -> None:
    """However large alpha is; and bound and bets together never spend more than alpha."""
    small = auc_baseline(0.78, 210, 90)
    assert mu0(small, 0.01, 0.5) == mu0(small, 0.01, 0.1)
    for alpha in (0.001, 0.01, 0.05):
        sure, _high = sure_bounds(small.estimate, 1 - (alpha - alpha_of_bets(alpha)))
        assert mu0(small, 0.0, alpha) == pytest.approx(sure)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 23, 149, 10_000, 10**7])
def test_students_quantile_is_that_of_scipy(degrees: int) -> None:
    """At every confidence that a policy can ask for."""
    for confidence in (0.6, 0.9, 0.95, 0.975, 0.995, 0.9995, 0.99995):
        expected = float(stats.t.ppf(confidence, degrees))
        assert student_t(confidence, degrees) == pytest.approx(expected, rel=1e-4)


def test_bounds_hold_what_they_promise() -> None:
    """2,000 validations of 24 bads and 276 goods: the lower bound at 99 % lies above the truth in
    one of a hundred, where the plain normal bound does in one of thirty."""
    dice = random.Random(16)
    above = plain = 0
    for _ in range(2_000):
        rows = [(dice.gauss(1.092, 1.0), True) for _ in range(24)]
        rows += [(dice.gauss(0.0, 1.0), False) for _ in range(276)]
        found = delong(rows)
        assert found is not None
        above += sure_bounds(found, 0.99)[0] > 0.78
        plain += found.lower(0.99) > 0.78
    assert above <= 2_000 * 0.01 + 4 * math.sqrt(2_000 * 0.01 * 0.99)
    assert plain > above


@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 1), st.floats(0.6, 0.999))
def test_bounds_lie_around_the_value_and_within_its_range(
    goods: int, bads: int, value: float, confidence: float
) -> None:
    """Also where everything was right, and nothing is sure."""
    estimate = Estimate(
        value=value, variance=hanley_mcneil(value, goods, bads), goods=goods, bads=bads
    )
    low, high = sure_bounds(estimate, confidence)
    assert 0.0 <= low <= high <= 1.0
    if 0.01 < value < 0.99:
        assert low <= value + 1e-9
        assert high >= value - 1e-9
    if value == 1.0:
        assert low < 1.0


def test_an_estimated_rate_is_not_taken_for_exact() -> None:
    """30 months at α = 0.05, each with a baseline on 300 decisions: with the doubt about it, at
    most 6 alarm (5 % and four standard deviations); taken as exact, many more would."""
    dice = random.Random(17)
    wrong = naive = 0
    for _ in range(30):
        approved = sum(dice.random() < 0.4 for _ in range(300))
        baseline = share_baseline(approved / 300, 300, 0, rows=300)
        month = [dice.random() < 0.4 for _ in range(6_000)]
        low, high = rate_bounds(baseline, 0.03, 0.05, ways=2)
        careful = RateProcess(
            low=low, high=high, alpha=alpha_of_bets(0.05), horizon=6_000, bad=Bad.MOVES
        )
        exact = RateProcess(
            low=approved / 300 - 0.03,
            high=approved / 300 + 0.03,
            alpha=0.05,
            horizon=6_000,
            bad=Bad.MOVES,
        )
        wrong += careful.fires(careful.advance(careful.begin(), month))
        naive += exact.fires(exact.advance(exact.begin(), month))
    assert wrong <= 6
    assert naive > wrong


def test_a_baseline_without_variance_is_taken_as_it_is() -> None:
    """Nobody knows how sure it is, so nothing may rest on it but an alert."""
    bare = share_baseline(0.4, None, None, rows=None)
    assert rate_bounds(bare, 0.05, 0.05, ways=1) == pytest.approx((0.35, 0.45))

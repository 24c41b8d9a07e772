"""Beforehand: how long a drop takes to be seen, and how often a rule would be wrong.

By simulation, so that nobody has to believe a formula: scores of goods and bads are normal with
the distance that gives the AUC, and the baseline itself is drawn as uncertain as its counts make
it. Pure: no clock, no IO, no vendor; the same seed gives the same plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, sqrt
from statistics import NormalDist, fmean
from typing import Protocol

from governance.domain.monitoring.baseline import Baseline, alpha_of_bets, mu0
from governance.domain.monitoring.betting import EProcess, SteadyEProcess, goods_each
from governance.domain.monitoring.measures import hanley_mcneil
from governance.domain.monitoring.spec import (
    DelongSpec,
    EProcessSpec,
    RuleSpec,
    SteadySpec,
    ThresholdSpec,
)
from governance.domain.monitoring.verdict import Estimate

DAYS = 30
RUNS = 100
"""Of each kind. What never happened in so many may still happen in 3 of 100 (the rule of three)."""
_MOST_BADS = 6_000
"""Bets of one run: a busier model is simulated for fewer days, and the plan says for how many."""
_BETS_A_LOOK = 20
_BLOCKS = 40
"""A sliding window is simulated as so many blocks, each with its share of the window's noise."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The model and its traffic, as somebody expects them."""

    auc: float
    baseline_goods: int | None
    baseline_bads: int | None
    bad_share: float
    rows_a_day: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a drop of `drop` is seen; delays are means over the runs that saw it."""

    drop: float
    found_percent: float
    rows: float | None
    bads: float | None
    days: float | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to expect of a rule."""

    days: float
    """How long each run lasted: 30 days, or as many as the largest simulated number of bads."""
    false_alarm_percent: float
    """Of `RUNS` runs; 0 means less than 3."""
    drops: tuple[Seen, ...]


class Dice(Protocol):
    """Chance, such as `random.Random(1)`."""

    def random(self) -> float:
        """Uniform in 0 ≤ x < 1."""

    def gauss(self, mu: float, sigma: float) -> float:
        """Normal."""


def plan(rule: RuleSpec, expected: Expected, *, drops: Sequence[float], dice: Dice) -> Plan:
    """Simulate a rule on AUC.

    Raises:
        ValueError: a rule that does not judge AUC, or numbers that no model has.
    """
    if not 0.5 < expected.auc < 1 or not 0 < expected.bad_share < 1 or expected.rows_a_day < 1:
        raise ValueError("an AUC between 0.5 and 1, a share of bads, and some rows a day")
    rows = DAYS * expected.rows_a_day
    if isinstance(rule, EProcessSpec | SteadySpec):
        rows = min(rows, int(_MOST_BADS / expected.bad_share))
    run = _runner(rule, expected, rows)
    wrong = [run(dice, expected.auc) is not None for _ in range(RUNS)]
    seen: list[Seen] = []
    for drop in drops:
        delays = [run(dice, max(expected.auc - drop, 0.01)) for _ in range(RUNS)]
        found = [d for d in delays if d is not None]
        mean = fmean(found) if found else None
        seen.append(
            Seen(
                drop=drop,
                found_percent=100 * len(found) / RUNS,
                rows=mean,
                bads=None if mean is None else mean * expected.bad_share,
                days=None if mean is None else mean / expected.rows_a_day,
            )
        )
    return Plan(
        days=rows / expected.rows_a_day,
        false_alarm_percent=100 * sum(wrong) / RUNS,
        drops=tuple(seen),
    )


_Run = Callable[[Dice, float], float | None]
"""One history with a true AUC: after how many rows the rule fires, None when never."""


def _runner(rule: RuleSpec, expected: Expected, rows: int) -> _Run:
    match rule:
        case EProcessSpec() | SteadySpec():
            return lambda dice, auc: _bet(rule, expected, rows, dice, auc)
        case ThresholdSpec():
            return lambda dice, auc: _slide(rule, expected, rows, dice, auc, z=None)
        case DelongSpec():
            return lambda dice, auc: _slide(rule, expected, rows, dice, auc, z=rule.z)
        case _:
            raise ValueError("this rule does not judge AUC")


def _drawn_baseline(expected: Expected, dice: Dice) -> Estimate:
    """What a validation on so many goods and bads would have measured."""
    goods, bads = expected.baseline_goods, expected.baseline_bads
    if not goods or not bads:
        return Estimate(value=expected.auc, variance=None, goods=0, bads=0)
    variance = hanley_mcneil(expected.auc, goods, bads)
    value = min(max(dice.gauss(expected.auc, sqrt(variance)), 0.501), 0.999)
    return Estimate(value=value, variance=hanley_mcneil(value, goods, bads), goods=goods, bads=bads)


def _bet(
    rule: EProcessSpec | SteadySpec,
    expected: Expected,
    rows: int,
    dice: Dice,
    auc: float,
) -> float | None:
    baseline = Baseline(estimate=_drawn_baseline(expected, dice))
    against = mu0(baseline, rule.tolerance, rule.alpha)
    against = min(max(against, 0.01), 0.99)
    alpha = alpha_of_bets(rule.alpha)
    process: EProcess | SteadyEProcess
    if isinstance(rule, EProcessSpec):
        process = EProcess(mu0=against, base_rate=expected.bad_share, alpha=alpha)
    else:
        process = SteadyEProcess(
            mu0=against, base_rate=expected.bad_share, alpha=alpha, horizon=rule.horizon
        )
    distance = NormalDist().inv_cdf(auc) * sqrt(2)
    partners, normal = goods_each(expected.bad_share), NormalDist()
    state, bads = process.begin(), int(rows * expected.bad_share)
    for begun in range(0, bads, _BETS_A_LOOK):
        # A good loses against a bad of this score with this chance, so Z is a binomial share.
        chances = [normal.cdf(dice.gauss(distance, 1.0)) for _ in range(_BETS_A_LOOK)]
        values = [
            sum(dice.random() < chance for _ in range(partners)) / partners for chance in chances
        ]
        state = process.bet(state, values)
        if process.fires(state):
            return (begun + _BETS_A_LOOK) / expected.bad_share
    return None


def _slide(
    rule: ThresholdSpec | DelongSpec,
    expected: Expected,
    rows: int,
    dice: Dice,
    auc: float,
    *,
    z: float | None,
) -> float | None:
    """A window's AUC as the mean of its blocks' noise: what overlaps is shared, as in a real
    sliding window. With z, two windows that do not overlap have to agree."""
    window = max(rule.window / timedelta(days=1) * expected.rows_a_day, 1.0)
    bads = window * expected.bad_share
    goods = window - bads
    if bads < max(rule.minimum_bads, 1) or goods < max(rule.minimum_goods, 1):
        return None  # never enough outcomes: it stays inconclusive for ever
    baseline = _drawn_baseline(expected, dice)
    noise = sqrt(hanley_mcneil(auc, ceil(goods), ceil(bads)) * _BLOCKS)
    sure = sqrt(hanley_mcneil(auc, ceil(goods), ceil(bads)) + (baseline.variance or 0.0))
    blocks: list[float] = []
    needed = _BLOCKS if z is None else 2 * _BLOCKS
    for number in range(1, int(rows / window * _BLOCKS) + 1):
        blocks.append(dice.gauss(0.0, noise))
        if number < needed:
            continue
        parts = [blocks[-_BLOCKS:]] if z is None else [blocks[-_BLOCKS:], blocks[-needed:-_BLOCKS]]
        worse = [baseline.value - (auc + fmean(part)) for part in parts]
        if all(w > rule.drop and (z is None or w / sure > z) for w in worse):
            return number / _BLOCKS * window
    return None

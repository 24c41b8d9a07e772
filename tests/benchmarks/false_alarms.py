"""How often each rule on AUC is wrong within 30 days, and how late it is when it is right.

Scores of goods and bads are normal, at the distance that gives an AUC of 0.78; 2,000 outcomes
mature in a day. The baseline is drawn anew in each run, from a validation of so many rows. A drop
is there from release for the e-process, and begins after a healthy first part for all others. Numpy
repeats the formulas for many runs at once; in each cell some runs are judged by the rules
themselves as well, and the figures are printed only if both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from governance.domain.monitoring.baseline import Baseline, alpha_of_bets, mu0, scored_baseline
from governance.domain.monitoring.betting import LAMBDAS, EProcess, SteadyEProcess
from governance.domain.monitoring.rules import DelongBound, Threshold
from governance.domain.monitoring.spec import Bad
from governance.domain.monitoring.verdict import Estimate, Verdict
from tests.benchmarks import without_outcomes
from tests.benchmarks.goals import Goal

AUC = 0.78
DROPS = (0.0, 0.05, 0.15)
BASELINES = (300, 1_000, 10_000)
RATES = (0.08, 0.30)
ROWS_A_DAY = 2_000
ROWS = 30 * ROWS_A_DAY
TOLERANCE = ALPHA = 0.01
MOST_WRONG = 0.01
"""Share of healthy months in which the default rule may fire."""
BETS = alpha_of_bets(ALPHA)
DROP, Z = 0.05, 2.33
RUNS_OF_BETS = 1_000
HEALTHY_RUNS = 5_000
"""Of the default rule where nothing is wrong: so many tell 0.3 % from 1 %."""
RUNS_OF_WINDOWS = 300
LOOK_EVERY = 100
AGREED = 2
"""Runs of each cell that the rules themselves judge as well."""

Floats = npt.NDArray[np.float64]
DEFAULT = "e-process (default)"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One rule, one baseline, one share of bads: outcomes until it fired, NaN for never."""

    rule: str
    rate: float
    baseline_rows: int
    fired: tuple[Floats, ...]
    """For each of DROPS."""


def main() -> list[Goal]:
    """Print the table; the default rule may be wrong in one month of 100."""
    print(
        f"\nFalse alarms and delays: AUC {AUC}, {ROWS_A_DAY:,} outcomes a day, 30 days; "
        f"{RUNS_OF_BETS:,} runs of the e-processes, {RUNS_OF_WINDOWS} of the windows,\n"
        f"looked at every {LOOK_EVERY} outcomes; delays are means over the runs that saw the drop"
    )
    print(
        f"{'rule':<26}{'bads':>5}{'baseline':>10}{'wrong in 30 d':>15}"
        + "".join(f"{f'{drop:.2f}: seen':>12}{'outcomes':>10}{'bads':>7}" for drop in DROPS[1:])
    )
    for rate in RATES:
        for cell in [*_windows(rate), *_bets(rate)]:
            print(_line(cell))
    without_outcomes.main()
    print(f"\nThe default rule where nothing is wrong, in {HEALTHY_RUNS:,} months each:")
    worst = 0.0
    for rate in RATES:
        for rows in BASELINES:
            wrong = _wrong_months(rate, rows)
            share = wrong / HEALTHY_RUNS
            upper = share + 1.645 * sqrt(max(share, 1 / HEALTHY_RUNS) / HEALTHY_RUNS)
            worst = max(worst, upper)
            print(f"  {rate:.0%} bads, baseline on {rows:,}: {share:.2%}, surely below {upper:.2%}")
    print(f"so it is wrong in less than {worst:.2%} of months (95 % sure)")
    return [
        Goal(
            name="healthy months in which the default rule fires (95 % sure)",
            measured=worst,
            at_most=MOST_WRONG,
        )
    ]


def _wrong_months(rate: float, rows: int) -> int:
    """Healthy months in which the default rule fires. A good loses against a bad of score s with
    chance Φ(s), so the share of wins against its partners is drawn at once."""
    dice = np.random.default_rng(4)
    goods_each, bets = int((1 - rate) / rate + 1e-9), int(ROWS * rate)
    wrong = 0
    for _chunk in range(HEALTHY_RUNS // 100):
        bounds = np.array(
            [
                mu0(_baseline(drawn, rows, rate), TOLERANCE, ALPHA)
                for drawn in _drawn_baselines(rows, rate, 100, dice)
            ]
        )
        chances = norm.cdf(dice.normal(_distance(AUC), 1.0, (100, bets)))
        z = dice.binomial(goods_each, chances) / goods_each
        wrong += int(np.sum(~np.isnan(_first_of_eprocess(z, bounds))))
    return wrong


def _line(cell: Cell) -> str:
    text = f"{cell.rule:<26}{cell.rate:>5.0%}{cell.baseline_rows:>10,}"
    text += f"{_share(cell.fired[0]):>15.1%}"
    for fired in cell.fired[1:]:
        seen = fired[~np.isnan(fired)]
        delay = f"{'–':>10}{'–':>7}"
        if len(seen):
            delay = f"{seen.mean():>10,.0f}{seen.mean() * cell.rate:>7,.0f}"
        text += f"{_share(fired):>12.0%}{delay}"
    return text


def _share(fired: Floats) -> float:
    return float(np.mean(~np.isnan(fired)))


def _distance(auc: float) -> float:
    return NormalDist().inv_cdf(auc) * sqrt(2)


# --- baselines ------------------------------------------------------------------------------------


def _drawn_baselines(rows: int, rate: float, runs: int, dice: np.random.Generator) -> Floats:
    """(AUC, variance) of so many validations, by DeLong; shape (runs, 2)."""
    found = np.empty((runs, 2))
    for run in range(runs):
        is_bad = np.zeros(rows, dtype=bool)
        is_bad[: max(2, dice.binomial(rows, rate))] = True
        scores = dice.normal(size=rows) + is_bad * _distance(AUC)
        found[run] = _delong(scores, is_bad)
        if run < AGREED:
            shown = NormalDist()
            domain = scored_baseline(
                [(shown.cdf(s / 4), bool(b)) for s, b in zip(scores, is_bad, strict=True)]
            )
            assert domain is not None
            assert domain.estimate.variance is not None
            assert np.allclose(found[run], (domain.estimate.value, domain.estimate.variance))
    return found


def _delong(scores: Floats, is_bad: npt.NDArray[np.bool_]) -> tuple[float, float]:
    bads, goods = scores[is_bad], scores[~is_bad]
    ranks = rankdata(scores)
    of_bads = (ranks[is_bad] - rankdata(bads)) / len(goods)
    of_goods = 1 - (ranks[~is_bad] - rankdata(goods)) / len(bads)
    variance = np.var(of_bads, ddof=1) / len(bads) + np.var(of_goods, ddof=1) / len(goods)
    return float(of_bads.mean()), float(variance)


def _baseline(drawn: Floats, rows: int, rate: float) -> Baseline:
    bads = round(rows * rate)
    estimate = Estimate(
        value=float(drawn[0]), variance=float(drawn[1]), goods=rows - bads, bads=bads
    )
    return Baseline(estimate=estimate)


# --- bets -----------------------------------------------------------------------------------------


def _bets(rate: float) -> Sequence[Cell]:
    dice = np.random.default_rng(1)
    goods_each = int((1 - rate) / rate + 1e-9)
    bets = int(ROWS * rate)
    runs = RUNS_OF_BETS
    fired = {
        (rule, rows): [np.full(runs, np.nan) for _ in DROPS]
        for rule in (DEFAULT, "e-process, steady state")
        for rows in BASELINES
    }
    against = {
        rows: np.array(
            [
                mu0(_baseline(drawn, rows, rate), TOLERANCE, ALPHA)
                for drawn in _drawn_baselines(rows, rate, runs, dice)
            ]
        )
        for rows in BASELINES
    }
    for which, drop in enumerate(DROPS):
        for begin in range(0, runs, 50):
            chunk = slice(begin, begin + 50)
            bads = dice.normal(_distance(AUC - drop), 1.0, (50, bets))
            goods = dice.normal(0.0, 1.0, (50, bets, goods_each))
            z = (bads[:, :, None] > goods).mean(axis=2)
            healthy = (
                dice.normal(_distance(AUC), 1.0, (50, bets // 3))[:, :, None]
                > dice.normal(0.0, 1.0, (50, bets // 3, goods_each))
            ).mean(axis=2)
            for rows in BASELINES:
                bounds = against[rows][chunk]
                first = _first_of_eprocess(z, bounds)
                fired[DEFAULT, rows][which][chunk] = first / rate
                late = z if drop == 0 else np.concatenate([healthy, z], axis=1)
                since = _first_of_steady(late, bounds, bets) - (0 if drop == 0 else bets // 3)
                since[since <= 0] = np.nan  # wrong before the drop began: no delay of it
                fired["e-process, steady state", rows][which][chunk] = since / rate
                if begin == 0:
                    _bets_agree(bads, goods, bounds, rate, first)
                    _steady_agrees(bads, goods, bounds, rate, bets)
    return [
        Cell(rule=rule, rate=rate, baseline_rows=rows, fired=tuple(found))
        for (rule, rows), found in fired.items()
    ]


def _first_of_eprocess(z: Floats, bounds: Floats) -> Floats:
    """Bets until wealth reached 1/α, for each run; NaN for never."""
    wealth = np.zeros_like(z)
    count = np.zeros((len(z), 1))
    for stake in LAMBDAS:
        usable = (stake < 1 / (1 - bounds))[:, None]
        factor = np.where(usable, 1 - stake * (z - bounds[:, None]), 1.0)
        logs = np.minimum(np.cumsum(np.log(factor), axis=1), 600.0)  # nothing is that rich
        wealth += np.where(usable, np.exp(logs), 0.0)
        count += usable
    return _first(wealth / count >= 1 / BETS)


def _first_of_steady(z: Floats, bounds: Floats, horizon: int) -> Floats:
    stakes = np.array(LAMBDAS)
    usable = stakes < 1 / (1 - bounds[:, None])
    value = np.zeros((len(z), len(stakes)))
    found = np.full(len(z), np.nan)
    for bet in range(z.shape[1]):
        factor = 1 - stakes * (z[:, bet, None] - bounds[:, None])
        value = np.where(usable, (value + 1) * factor, 0.0)
        now = value.sum(axis=1) / usable.sum(axis=1) >= horizon / BETS
        found[now & np.isnan(found)] = bet + 1
        value = np.minimum(value, 1e200)
    return found


def _first(fires: npt.NDArray[np.bool_]) -> Floats:
    found: Floats = np.argmax(fires, axis=1).astype(np.float64) + 1
    found[~fires.any(axis=1)] = np.nan
    return found


def _in_order(bads: Floats, goods: Floats) -> list[tuple[float, bool]]:
    """A run's outcomes: each bad after its own goods."""
    found: list[tuple[float, bool]] = []
    for bad, partners in zip(bads, goods, strict=True):
        found += [(float(good), False) for good in partners]
        found.append((float(bad), True))
    return found


def _bets_agree(bads: Floats, goods: Floats, bounds: Floats, rate: float, first: Floats) -> None:
    for run in range(AGREED):
        rule = EProcess(mu0=float(bounds[run]), base_rate=rate, alpha=BETS)
        bets = bads.shape[1] if np.isnan(first[run]) else int(first[run])
        state = rule.advance(rule.begin(), _in_order(bads[run, : bets - 1], goods[run, : bets - 1]))
        assert not rule.fires(state)
        state = rule.advance(
            state, _in_order(bads[run, slice(bets - 1, bets)], goods[run, slice(bets - 1, bets)])
        )
        assert rule.fires(state) == (not np.isnan(first[run]))


def _steady_agrees(bads: Floats, goods: Floats, bounds: Floats, rate: float, horizon: int) -> None:
    for run in range(AGREED):
        rule = SteadyEProcess(mu0=float(bounds[run]), base_rate=rate, alpha=BETS, horizon=horizon)
        z = (bads[run : run + 1, :, None] > goods[run : run + 1]).mean(axis=2)
        first = _first_of_steady(z, bounds[run : run + 1], horizon)[0]
        state = rule.advance(rule.begin(), _in_order(bads[run], goods[run]))
        assert rule.fires(state) == (not np.isnan(first)), (run, first)
        assert first != first or state.highest >= log(rule.limit)


# --- windows --------------------------------------------------------------------------------------

_EDGES = np.linspace(-4.5, 6.0, 2_000)


def _windows(rate: float) -> Sequence[Cell]:
    dice = np.random.default_rng(2)
    baselines = {rows: _drawn_baselines(rows, rate, RUNS_OF_WINDOWS, dice) for rows in BASELINES}
    names = ("threshold, window 1,000", "threshold, window 5,000", "DeLong, 2 windows of 1,000")
    fired = {
        (name, rows): [np.full(RUNS_OF_WINDOWS, np.nan) for _ in DROPS]
        for name in names
        for rows in BASELINES
    }
    for which, drop in enumerate(DROPS):
        for run in range(RUNS_OF_WINDOWS):
            short, long = _estimates(rate, drop, dice, (1_000, 5_000))
            for rows in BASELINES:
                drawn = baselines[rows][run]
                looks = (
                    _threshold(short, drawn),
                    _threshold(long, drawn),
                    _two_windows(short, drawn, 1_000 // LOOK_EVERY),
                )
                for name, fires, (skip, bare) in zip(
                    names, looks, ((5_000, short), (5_000, long), (5_000, short)), strict=True
                ):
                    first = _first_look(fires, skip)
                    fired[name, rows][which][run] = first
                    if run < AGREED:
                        _windows_agree(name, bare, drawn, fires, rows, rate)
    return [
        Cell(rule=rule, rate=rate, baseline_rows=rows, fired=tuple(found))
        for (rule, rows), found in fired.items()
    ]


def _estimates(
    rate: float, drop: float, dice: np.random.Generator, windows: Sequence[int]
) -> list[Floats]:
    """One history: 5,000 healthy outcomes, then 30 days. For each window, AUC and variance at every
    look, shape (looks, 4) with goods and bads; NaN until the window is full."""
    rows = 5_000 + ROWS
    is_bad = dice.random(rows) < rate
    distance = np.where(np.arange(rows) < 5_000, _distance(AUC), _distance(AUC - drop))
    scores = dice.normal(size=rows) + is_bad * distance
    looks = rows // LOOK_EVERY
    bins = np.digitize(scores, _EDGES)
    width = len(_EDGES) + 1
    place = np.arange(rows) // LOOK_EVERY * width + bins
    both = [
        np.bincount(place[chosen], minlength=looks * width).reshape(looks, width).cumsum(axis=0)
        for chosen in (~is_bad, is_bad)
    ]
    found = []
    for window in windows:
        steps = window // LOOK_EVERY
        goods, bads = (c[steps - 1 :] - np.vstack([np.zeros((1, width)), c[:-steps]]) for c in both)
        one = np.full((looks, 4), np.nan)
        one[steps - 1 :] = _auc_of_counts(goods, bads)
        found.append(one)
    return found


def _auc_of_counts(goods: Floats, bads: Floats) -> Floats:
    """AUC, DeLong variance, goods and bads of each row of counts by bin."""
    n, p = goods.sum(axis=1, keepdims=True), bads.sum(axis=1, keepdims=True)
    v10 = (goods.cumsum(axis=1) - goods / 2) / n
    v01 = (p - bads.cumsum(axis=1) + bads / 2) / p
    auc = (bads * v10).sum(axis=1, keepdims=True) / p
    variance = (bads * (v10 - auc) ** 2).sum(axis=1, keepdims=True) / ((p - 1) * p)
    variance += (goods * (v01 - auc) ** 2).sum(axis=1, keepdims=True) / ((n - 1) * n)
    return np.asarray(np.hstack([auc, variance, n, p]), dtype=np.float64)


def _threshold(looks: Floats, baseline: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(baseline[0] - looks[:, 0] > DROP, dtype=bool)


def _two_windows(looks: Floats, baseline: Floats, apart: int) -> npt.NDArray[np.bool_]:
    worse = baseline[0] - looks[:, 0]
    surely = (worse > DROP) & (worse / np.sqrt(looks[:, 1] + baseline[1]) > Z)
    both = np.zeros(len(looks), dtype=bool)
    both[apart:] = surely[apart:] & surely[:-apart]
    return both


def _first_look(fires: npt.NDArray[np.bool_], skip: int) -> float:
    """Outcomes after the healthy part until it fires; NaN for never."""
    later = fires[skip // LOOK_EVERY :]
    return float((np.argmax(later) + 1) * LOOK_EVERY) if later.any() else float("nan")


def _windows_agree(
    name: str,
    looks: Floats,
    drawn: Floats,
    fires: npt.NDArray[np.bool_],
    rows: int,
    rate: float,
) -> None:
    """The rule itself, at every fiftieth look."""
    baseline = _baseline(drawn, rows, rate)
    judge = _judge_of(name, baseline)
    for look in range(100, len(looks), 50):
        regressed = judge(_estimate(looks[look]), _estimate(looks[look - 1_000 // LOOK_EVERY]))
        assert regressed == bool(fires[look]), (name, look)


def _judge_of(name: str, baseline: Baseline) -> Callable[[Estimate, Estimate], bool]:
    if name.startswith("DeLong"):
        bound = DelongBound(
            metric="AUC", drop=DROP, z=Z, bad=Bad.FALLS, minimum_goods=1, minimum_bads=1
        )
        return lambda now, then: bound.judge(baseline, now, then).verdict is Verdict.REGRESSED
    rule = Threshold(metric="AUC", drop=DROP, bad=Bad.FALLS, minimum_goods=1, minimum_bads=1)
    return lambda now, then: rule.judge(baseline, now).verdict is Verdict.REGRESSED


def _estimate(look: Floats) -> Estimate:
    auc, variance, goods, bads = (float(x) for x in look)
    return Estimate(value=auc, variance=variance, goods=int(goods), bads=int(bads))


if __name__ == "__main__":
    main()

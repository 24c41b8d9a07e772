"""How often the rules that need no outcome are wrong within 30 days, and how soon they are right.

2,000 decisions a day, 40 % of them approved; the baseline is drawn anew in each run. A shift of so
many points in the approval rate begins after ten healthy days. The rules themselves judge.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from governance.domain.monitoring.baseline import alpha_of_bets, rate_bounds, share_baseline
from governance.domain.monitoring.betting import RateProcess
from governance.domain.monitoring.rules import PsiLimit
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.spec import Bad
from governance.domain.monitoring.verdict import Verdict

APPROVED = 0.40
SHIFTS = (0.0, 0.05, 0.15)
BASELINES = (300, 1_000, 10_000)
A_DAY, DAYS, HEALTHY_DAYS = 2_000, 30, 10
TOLERANCE, ALPHA = 0.03, 0.05
RUNS = 30
_STEP = 100

Run = Callable[[np.random.Generator, float, int], float | None]
"""One history with a shift and a baseline on so many rows: decisions until it fired."""


def main() -> None:
    """Print the table."""
    print(
        f"\nWithout outcomes: {A_DAY:,} decisions a day, {APPROVED:.0%} approved, {RUNS} runs; a "
        f"shift begins after {HEALTHY_DAYS} days"
    )
    print(
        f"{'rule':<38}{'baseline':>10}{'wrong in 30 d':>15}"
        + "".join(f"{f'{s:.2f}: seen':>12}{'decisions':>11}" for s in SHIFTS[1:])
    )
    for name, run in (
        (f"approval rate, steady, tolerance {TOLERANCE}", _rate),
        ("PSI, limit 0.1, window of a day", _psi),
    ):
        for rows in BASELINES:
            print(_line(name, rows, run))


def _line(name: str, rows: int, run: Run) -> str:
    dice = np.random.default_rng(6)
    text = f"{name:<38}{rows:>10,}"
    for shift in SHIFTS:
        fired = [run(dice, shift, rows) for _ in range(RUNS)]
        seen = [f for f in fired if f is not None and (shift == 0 or f > 0)]
        share = len(seen) / RUNS
        if shift == 0:
            text += f"{share:>15.1%}"
        else:
            text += f"{share:>12.0%}" + (f"{np.mean(seen):>11,.0f}" if seen else f"{'–':>11}")
    return text


def _rate(dice: np.random.Generator, shift: float, rows: int) -> float | None:
    approved = int(dice.binomial(rows, APPROVED))
    baseline = share_baseline(approved / rows, rows, 0, rows=rows)
    low, high = rate_bounds(baseline, TOLERANCE, ALPHA, ways=2)
    rule = RateProcess(
        low=low, high=high, alpha=alpha_of_bets(ALPHA), horizon=A_DAY * DAYS, bad=Bad.MOVES
    )
    healthy = HEALTHY_DAYS * A_DAY if shift else 0
    state = rule.begin()
    for begun in range(0, DAYS * A_DAY, _STEP):
        rate = APPROVED + (shift if begun >= healthy else 0.0)
        state = rule.advance(state, (dice.random(_STEP) < rate).tolist())
        if rule.fires(state):
            return float(begun + _STEP - healthy)
    return None


def _psi(dice: np.random.Generator, shift: float, rows: int) -> float | None:
    """Scores are normal probabilities, moved so far that the approval rate shifts."""
    moved = norm.ppf(APPROVED + shift) - norm.ppf(APPROVED)
    expected = _counts(dice.normal(size=rows))
    rule = PsiLimit(limit=0.1, minimum_rows=500)
    healthy = HEALTHY_DAYS if shift else 0
    for day in range(DAYS):
        scores = dice.normal(size=A_DAY) - (moved if day >= healthy else 0.0)
        if rule.judge(expected, _counts(scores)).verdict is Verdict.REGRESSED:
            return float((day + 1 - healthy) * A_DAY)
    return None


def _counts(scores: np.ndarray) -> ScoreCounts:
    return ScoreCounts.of((float(s), False) for s in norm.cdf(scores))


if __name__ == "__main__":
    main()

"""Measures of a scoring model from counts by score, each with its sampling variance.

Pure: no clock, no IO, no vendor. A score is the probability of *bad*; a score at or above the
decision threshold is declined.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from math import isfinite, log

from governance.domain.monitoring.score_counts import BINS, ScoreCounts
from governance.domain.monitoring.verdict import Estimate

CHI2_9_AT_1E_4 = 33.71995
"""The upper 1e-4 quantile of the chi-square distribution with 9 degrees of freedom."""
_PSI_BINS = 10
_SMOOTHING = 0.5


def auc(counts: ScoreCounts) -> Estimate | None:
    """Area under the ROC curve, ties counting half; None while a class is missing.

    With p bads and n goods in a bin: v10 = (goods below + n/2) / N and v01 = (bads above + p/2) / P
    are DeLong's components, and Var = Σp(v10 − A)² / ((P − 1)P) + Σn(v01 − A)² / ((N − 1)N).

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988); Sun & Xu (2014). The variance
    is None with a single row of a class.
    """
    bads_in_all, goods_in_all = counts.n_bads, counts.n_goods
    if not bads_in_all or not goods_in_all:
        return None
    components: list[tuple[int, float, int, float]] = []
    goods_below = bads_below = 0
    area = 0.0
    for position in sorted(counts.goods.keys() | counts.bads.keys()):
        p, n = counts.bads.get(position, 0), counts.goods.get(position, 0)
        v10 = (goods_below + n / 2) / goods_in_all
        v01 = (bads_in_all - bads_below - p / 2) / bads_in_all
        components.append((p, v10, n, v01))
        area += p * v10
        goods_below += n
        bads_below += p
    value = area / bads_in_all
    variance = None
    if bads_in_all > 1 and goods_in_all > 1:
        of_bads = sum(p * (v10 - value) ** 2 for p, v10, _n, _v in components)
        of_goods = sum(n * (v01 - value) ** 2 for _p, _v, n, v01 in components)
        variance = of_bads / ((bads_in_all - 1) * bads_in_all) + of_goods / (
            (goods_in_all - 1) * goods_in_all
        )
    return Estimate(value=value, variance=variance, goods=goods_in_all, bads=bads_in_all)


def delong(scored: Sequence[tuple[float, bool]]) -> Estimate | None:
    """AUC with DeLong's variance from (score, is bad) themselves, without bins. Scores need not
    lie in 0..1. None while a class is missing.

    Raises:
        ValueError: a score that is no finite number.
    """
    if not all(isfinite(score) for score, _bad in scored):
        raise ValueError("a score is no finite number")
    goods: dict[int, int] = {}
    bads: dict[int, int] = {}
    ordered = sorted(scored, key=lambda row: row[0])
    for rank, (_score, tied) in enumerate(groupby(ordered, key=lambda row: row[0])):
        labels = [is_bad for _s, is_bad in tied]
        bads[rank] = sum(labels)
        goods[rank] = len(labels) - bads[rank]
    return auc(ScoreCounts(goods=goods, bads=bads))


def hanley_mcneil(value: float, goods: int, bads: int) -> float:
    """Variance of an AUC of which only the counts are known.

    Q1 = A/(2 − A), Q2 = 2A²/(1 + A),
    Var = (A(1 − A) + (P − 1)(Q1 − A²) + (N − 1)(Q2 − A²)) / (P·N).
    Source: Hanley & McNeil, Radiology 143 (1982).

    Raises:
        ValueError: an AUC outside 0..1, or a class without rows.
    """
    if not 0.0 <= value <= 1.0 or goods < 1 or bads < 1:
        raise ValueError("an AUC lies in 0..1 and rests on goods and bads")
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    return (value * (1 - value) + (bads - 1) * (q1 - value**2) + (goods - 1) * (q2 - value**2)) / (
        goods * bads
    )


def precision(counts: ScoreCounts, threshold: float) -> Estimate | None:
    """Of those at or above the threshold, the part that is bad; None when there are none.
    Rows are counted by bin, so the threshold is exact to 1e-4."""
    goods, bads = _declined(counts, threshold)
    return _share(bads, goods + bads, goods=goods, bads=bads)


def recall(counts: ScoreCounts, threshold: float) -> Estimate | None:
    """Of the bads, the part at or above the threshold; None when there are no bads."""
    _goods, caught = _declined(counts, threshold)
    return _share(caught, counts.n_bads, goods=counts.n_goods, bads=counts.n_bads)


def approval_rate(counts: ScoreCounts, threshold: float) -> Estimate | None:
    """The part of all whose score is below the threshold; None without rows."""
    goods, bads = _declined(counts, threshold)
    return rate(counts.n_rows - goods - bads, counts.n_rows)


def rate(hits: int, rows: int) -> Estimate | None:
    """A share of rows whose outcomes are not known; None without rows."""
    return _share(hits, rows, goods=rows, bads=0)


def brier(counts: ScoreCounts) -> Estimate | None:
    """Mean squared difference between score and outcome, each score taken at the middle of its
    bin: the error is below 1e-4. None without rows."""
    rows = counts.n_rows
    if not rows:
        return None
    total = squares = 0.0
    for of_class, outcome in ((counts.goods, 0.0), (counts.bads, 1.0)):
        for position, number in of_class.items():
            loss = ((position + 0.5) / BINS - outcome) ** 2
            total += number * loss
            squares += number * loss * loss
    mean = total / rows
    variance = max(squares / rows - mean * mean, 0.0) / rows
    return Estimate(value=mean, variance=variance, goods=counts.n_goods, bads=counts.n_bads)


def psi(expected: ScoreCounts, observed: ScoreCounts) -> float | None:
    """Population stability index Σ (o − e)·ln(o / e) over ten bins at the deciles of `expected`;
    None while either is empty. Half a row is added to each bin, so that an empty one is no
    infinity."""
    if not expected.n_rows or not observed.n_rows:
        return None
    edges = _deciles(expected)
    e, o = _spread(expected, edges), _spread(observed, edges)
    n, m = sum(e), sum(o)
    return sum((y / m - x / n) * log((y / m) / (x / n)) for x, y in zip(e, o, strict=True))


def psi_limit(limit: float, expected_rows: int, observed_rows: int) -> float:
    """What PSI has to exceed: the limit, or what chance alone brings with so few rows. Under no
    change, PSI / (1/n + 1/m) is close to chi-square with 9 degrees of freedom."""
    return max(limit, CHI2_9_AT_1E_4 * (1 / expected_rows + 1 / observed_rows))


def _declined(counts: ScoreCounts, threshold: float) -> tuple[int, int]:
    first = _bin_of_threshold(threshold)
    return (
        sum(n for position, n in counts.goods.items() if position >= first),
        sum(n for position, n in counts.bads.items() if position >= first),
    )


def _bin_of_threshold(threshold: float) -> int:
    """The first bin at or above it: 0.6 has to be bin 6000, whatever its last binary digit."""
    return round(threshold * BINS)


def _share(hits: int, rows: int, *, goods: int, bads: int) -> Estimate | None:
    if not rows:
        return None
    share = hits / rows
    variance = share * (1 - share) / rows
    return Estimate(value=share, variance=variance, goods=goods, bads=bads, trials=rows)


def _deciles(counts: ScoreCounts) -> list[int]:
    """Nine bins at which the next decile begins; equal ones where scores are heavily tied."""
    edges: list[int] = []
    seen = 0
    for position in sorted(counts.goods.keys() | counts.bads.keys()):
        while len(edges) < _PSI_BINS - 1 and seen * _PSI_BINS >= counts.n_rows * (len(edges) + 1):
            edges.append(position)
        seen += counts.goods.get(position, 0) + counts.bads.get(position, 0)
    return edges + [BINS] * (_PSI_BINS - 1 - len(edges))


def _spread(counts: ScoreCounts, edges: Sequence[int]) -> list[float]:
    spread = [_SMOOTHING] * _PSI_BINS
    for of_class in (counts.goods, counts.bads):
        for position, number in of_class.items():
            spread[bisect_right(edges, position)] += number
    return spread

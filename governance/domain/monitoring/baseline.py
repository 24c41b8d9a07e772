"""What a version is held against, and how sure that is. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, expm1, log, pi, sqrt, tan
from statistics import NormalDist

from governance.domain.canonical import Json
from governance.domain.monitoring.measures import delong, hanley_mcneil
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.verdict import Estimate

_LEAST_CONFIDENCE = 0.95
"""Of the one-sided bound that stands for an estimated baseline. It alone is not enough: it lies
above the truth once in 20 times, and then a long stay alarms almost surely."""


def sure_bounds(estimate: Estimate, confidence: float) -> tuple[float, float]:
    """One-sided lower and upper bounds of a share or an AUC, each at this confidence; the value
    itself where no variance is known.

    On the logit scale, with Student's t at as many degrees of freedom as the rarer class has rows,
    less one. On the plain scale with normal quantiles, 24 bads gave a lower bound at 99.5 % that
    lay above the truth in 2.8 % of validations, and this one in 0.8 % (`false_alarms.py`).
    """
    value = estimate.value
    if estimate.variance is None:
        return value, value
    rows = max(1, min(estimate.goods, estimate.bads) or max(estimate.goods, estimate.bads))
    spread = sqrt(estimate.variance)
    if not 0.0 < value < 1.0 or spread == 0.0:
        # Everything, or nothing: half a row says how sure that is.
        value = min(max(value, 0.5 / (rows + 1)), 1 - 0.5 / (rows + 1))
        spread = sqrt(value * (1 - value) / rows)
    width = student_t(confidence, max(1, rows - 1)) * spread / (value * (1 - value))
    middle = log(value / (1 - value))
    return _logistic(middle - width), _logistic(middle + width)


def student_t(confidence: float, degrees: int) -> float:
    """The quantile of Student's t distribution for a confidence in 0.5..1.

    Source: Hill, Communications of the ACM 13 (1970), algorithm 396; one and two degrees of freedom
    are exact. Its error is below 1e-4 from three on (compared with SciPy in the tests).
    """
    tail = 2 * (1 - confidence)
    if degrees == 1:
        return 1 / tan(pi * tail / 2)
    if degrees == 2:
        return sqrt(2 / (tail * (2 - tail)) - 2)
    a = 1 / (degrees - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * degrees
    y = (d * tail) ** (2 / degrees)
    if y > 0.05 + a:
        x = -NormalDist().inv_cdf(1 - tail / 2)
        y = x * x
        if degrees < 5:
            c += 0.3 * (degrees - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = expm1(a * y * y)
    else:
        y = (
            (
                1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3)
                + 0.5 / (degrees + 4)
            )
            * y
            - 1
        ) * (degrees + 1) / (degrees + 2) + 1 / y
    return sqrt(degrees * y)


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A number with its counts, and where PSI needs it, the scores behind it."""

    estimate: Estimate
    in_sample: bool = False
    scores: ScoreCounts | None = None

    @property
    def may_act(self) -> bool:
        """Whether a rollback may rest on it: measured on held-out data, and known how well."""
        return not self.in_sample and self.estimate.variance is not None

    @property
    def base_rate(self) -> float | None:
        """The share of bads; None where counts are unknown."""
        rows = self.estimate.rows
        return self.estimate.bads / rows if rows and self.estimate.bads else None

    def to_json(self) -> Mapping[str, Json]:
        """Plain values; numbers as text, so that they come back exactly."""
        variance = self.estimate.variance
        return {
            "value": repr(self.estimate.value),
            "variance": None if variance is None else repr(variance),
            "goods": self.estimate.goods,
            "bads": self.estimate.bads,
            "in_sample": self.in_sample,
            "scores": None
            if self.scores is None
            else [_pairs(self.scores.goods), _pairs(self.scores.bads)],
        }

    @staticmethod
    def from_json(value: Mapping[str, Json]) -> Baseline:
        """The same again."""
        variance = value["variance"]
        scores = value["scores"]
        counts = None
        if isinstance(scores, Sequence) and not isinstance(scores, str):
            counts = ScoreCounts(goods=_counts(scores[0]), bads=_counts(scores[1]))
        return Baseline(
            estimate=Estimate(
                value=float(str(value["value"])),
                variance=None if variance is None else float(str(variance)),
                goods=int(str(value["goods"])),
                bads=int(str(value["bads"])),
            ),
            in_sample=value["in_sample"] is True,
            scores=counts,
        )


def auc_baseline(
    value: float, goods: int | None, bads: int | None, *, in_sample: bool = False
) -> Baseline:
    """From an AUC and its counts (Hanley–McNeil); without counts nobody knows how sure it is.

    Raises:
        ValueError: an AUC outside 0..1, or a class without rows.
    """
    if goods is None or bads is None:
        if not 0.0 <= value <= 1.0:
            raise ValueError("an AUC lies in 0..1")
        return Baseline(
            estimate=Estimate(value=value, variance=None, goods=0, bads=0), in_sample=in_sample
        )
    variance = hanley_mcneil(value, goods, bads)
    return Baseline(
        estimate=Estimate(value=value, variance=variance, goods=goods, bads=bads),
        in_sample=in_sample,
    )


def share_baseline(
    value: float, goods: int | None, bads: int | None, *, rows: int | None, in_sample: bool = False
) -> Baseline:
    """From a share (precision, recall, a rate) of `rows` rows: binomial variance. For a Brier
    score the same is an upper bound, since no variable in 0..1 varies more."""
    variance = value * (1 - value) / rows if rows and 0.0 <= value <= 1.0 else None
    return Baseline(
        estimate=Estimate(value=value, variance=variance, goods=goods or 0, bads=bads or 0),
        in_sample=in_sample,
    )


def scored_baseline(scored: Sequence[tuple[float, bool]]) -> Baseline | None:
    """From the validation's own scores and labels (DeLong). None while a class is missing.

    Raises:
        ValueError: a score outside 0..1.
    """
    found = delong(scored)
    if found is None:
        return None
    return Baseline(estimate=found, scores=ScoreCounts.of(scored))


def mu0(baseline: Baseline, tolerance: float, alpha: float) -> float:
    """What the e-process bets against: the lower bound of the baseline, less what is tolerated.

    Half of `alpha` is the chance that the bound lies above the truth (never more than 5 %), the
    other half is for the bets: together they are wrong with probability `alpha` at most.
    """
    low, _high = sure_bounds(baseline.estimate, max(_LEAST_CONFIDENCE, 1 - alpha / 2))
    return low - tolerance


def rate_bounds(
    baseline: Baseline, tolerance: float, alpha: float, *, ways: int
) -> tuple[float, float]:
    """What a rate may lie between: the baseline's bounds, widened by what is tolerated. As in
    `mu0`, half of `alpha` pays for them, shared by as many ways as count as bad."""
    confidence = max(_LEAST_CONFIDENCE, 1 - alpha / 2 / ways)
    low, high = sure_bounds(baseline.estimate, confidence)
    return low - tolerance, high + tolerance


def alpha_of_bets(alpha: float) -> float:
    """What `mu0` and `rate_bounds` leave."""
    return alpha / 2


def _pairs(counts: Mapping[int, int]) -> list[Json]:
    return [[position, number] for position, number in sorted(counts.items())]


def _counts(pairs: Json) -> dict[int, int]:
    if not isinstance(pairs, Sequence) or isinstance(pairs, str):
        raise ValueError("counts are pairs of bin and number")
    found: dict[int, int] = {}
    for pair in pairs:
        if isinstance(pair, Sequence) and not isinstance(pair, str):
            found[int(str(pair[0]))] = int(str(pair[1]))
    return found

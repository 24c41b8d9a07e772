"""What a version is held against, and how sure that is. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.domain.canonical import Json
from governance.domain.monitoring.measures import delong, hanley_mcneil
from governance.domain.monitoring.score_counts import ScoreCounts
from governance.domain.monitoring.verdict import Estimate

_LEAST_CONFIDENCE = 0.95
"""Of the one-sided bound that stands for an estimated baseline. It alone is not enough: it lies
above the truth once in 20 times, and then a long stay alarms almost surely."""


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
    return baseline.estimate.lower(max(_LEAST_CONFIDENCE, 1 - alpha / 2)) - tolerance


def alpha_of_bets(alpha: float) -> float:
    """What `mu0` leaves."""
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

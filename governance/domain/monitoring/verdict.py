"""The four verdicts, and what a rule answers. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import sqrt
from statistics import NormalDist


class Verdict(StrEnum):
    """What a monitor says. Only *regressed* may act, and only to reduce exposure."""

    HEALTHY = "healthy"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    """Too little is known yet; it never passes and never rolls back."""
    ERROR = "error"
    """The source cannot be read or cannot be believed."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured number with its sampling variance and the counts that it rests on."""

    value: float
    variance: float | None
    """None where nobody knows it, as for a number without counts."""
    goods: int
    bads: int
    trials: int | None = None
    """Of how many the value is a share; None for a number that is no share."""

    @property
    def rows(self) -> int:
        """Outcomes in all."""
        return self.goods + self.bads

    @property
    def has_interval(self) -> bool:
        """Whether its doubt is known. A variance of 0 of anything but a share, as of an AUC of 1,
        comes from rows that are too few to show one."""
        return self.variance is not None and (self.variance > 0 or self.trials is not None)

    def lower(self, confidence: float = 0.95) -> float:
        """One-sided lower bound: of a share by Wilson's score (Wilson 1927, J. Am. Stat. Assoc. 22,
        which has a width at 0 and 1 too), otherwise by the normal approximation; the value where
        no variance is known."""
        return self._bounds(confidence)[0]

    def upper(self, confidence: float = 0.95) -> float:
        """One-sided upper bound, as `lower`."""
        return self._bounds(confidence)[1]

    def _bounds(self, confidence: float) -> tuple[float, float]:
        if self.variance is None:
            return self.value, self.value
        z = NormalDist().inv_cdf(confidence)
        if self.trials is None:
            width = z * sqrt(self.variance)
            return self.value - width, self.value + width
        extra = z * z / self.trials
        middle = (self.value + extra / 2) / (1 + extra)
        width = z * sqrt(self.variance + extra / (4 * self.trials)) / (1 + extra)
        return middle - width, middle + width


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule says, the numbers it says it by, and one sentence for a regulator."""

    verdict: Verdict
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    """By their names: `baseline`, `value`, `bound`, `evidence`, `goods`, `bads`, …"""

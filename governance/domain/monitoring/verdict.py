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

    @property
    def rows(self) -> int:
        """Outcomes in all."""
        return self.goods + self.bads

    def lower(self, confidence: float = 0.95) -> float:
        """One-sided lower bound by the normal approximation; the value where no variance is
        known."""
        return self.value - self._width(confidence)

    def upper(self, confidence: float = 0.95) -> float:
        """One-sided upper bound, as `lower`."""
        return self.value + self._width(confidence)

    def _width(self, confidence: float) -> float:
        if self.variance is None:
            return 0.0
        return NormalDist().inv_cdf(confidence) * sqrt(self.variance)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule says, the numbers it says it by, and one sentence for a regulator."""

    verdict: Verdict
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    """By their names: `baseline`, `value`, `bound`, `evidence`, `goods`, `bads`, …"""

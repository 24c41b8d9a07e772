"""Outcomes counted by score: what any engine can add up, and all that most measures need.

Pure: no clock, no IO, no vendor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import floor

BINS = 10_000
"""Width 1e-4: the error in AUC stays below 1e-5 (measured), while deciles are off by 0.008."""
NUDGE = 1e-6
"""Added before the floor, in bins: 0.57 × 10⁴ is 5699.999…, and has to fall into bin 5700."""


def bin_of(score: float) -> int:
    """The bin of a score from 0 to 1; 1 itself falls into the last one.

    Raises:
        ValueError: outside 0..1, or no number.
    """
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"a score of {score!r} is not between 0 and 1")
    return min(floor(score * BINS + NUDGE), BINS - 1)


@dataclass(frozen=True, kw_only=True)
class ScoreCounts:
    """How many goods and bads fell into each bin. Adds up over days, shards and engines."""

    goods: Mapping[int, int]
    bads: Mapping[int, int]

    @staticmethod
    def empty() -> ScoreCounts:
        """Nothing counted."""
        return ScoreCounts(goods={}, bads={})

    @staticmethod
    def of(scored: Iterable[tuple[float, bool]]) -> ScoreCounts:
        """Count (score, is bad) one by one. Raises ValueError as `bin_of`."""
        goods: Counter[int] = Counter()
        bads: Counter[int] = Counter()
        for score, is_bad in scored:
            (bads if is_bad else goods)[bin_of(score)] += 1
        return ScoreCounts(goods=goods, bads=bads)

    @staticmethod
    def total(parts: Iterable[ScoreCounts]) -> ScoreCounts:
        """All together, as `+` of any two, in one pass."""
        goods: Counter[int] = Counter()
        bads: Counter[int] = Counter()
        for part in parts:
            goods.update(part.goods)
            bads.update(part.bads)
        return ScoreCounts(goods=goods, bads=bads)

    @cached_property
    def n_goods(self) -> int:
        """Goods in all."""
        return sum(self.goods.values())

    @cached_property
    def n_bads(self) -> int:
        """Bads in all."""
        return sum(self.bads.values())

    @property
    def n_rows(self) -> int:
        """Both."""
        return self.n_goods + self.n_bads

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        return ScoreCounts(
            goods=Counter(self.goods) + Counter(other.goods),
            bads=Counter(self.bads) + Counter(other.bads),
        )

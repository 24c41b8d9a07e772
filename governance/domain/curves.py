"""How well scores separate bads from goods, and whether they mean what they say, as lines.

Pure: no clock, no IO, no vendor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

_CALIBRATED = 10
"""Groups of equally many rows: fewer hide a bend, more are noise."""
_POINTS = 200
"""So many points of a curve are kept: more cannot be seen."""

Scored = Sequence[tuple[float, bool]]
"""(score, is bad), the score a probability of bad."""


class NoCurve(ValueError):
    """Nothing can be drawn: the reason is its text."""


@dataclass(frozen=True, kw_only=True)
class CalibrationPoint:
    """A group of rows with about the same score."""

    score: float
    """Their mean score."""
    bad_share: float
    """The share of them that were bad."""
    rows: int


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The ROC curve of one version with the area under it, and its calibration."""

    goods: int
    bads: int
    auc: float
    roc: tuple[tuple[float, float], ...]
    """(share of goods flagged, share of bads flagged), from (0, 0) to (1, 1)."""
    calibration: tuple[CalibrationPoint, ...]
    """Ascending by score."""
    calibration_error: float
    """Mean distance of score and share of bads, each group by its rows (ECE)."""


def curves_of(scored: Scored) -> Curves:
    """ROC and calibration of scored rows. Ties are one step, so that their order tells nothing.

    Raises:
        NoCurve: a class is missing, or a score is no number from 0 to 1.
    """
    if not all(0.0 <= score <= 1.0 for score, _bad in scored):
        raise NoCurve("a score is no number from 0 to 1")
    bads = sum(1 for _score, is_bad in scored if is_bad)
    goods = len(scored) - bads
    if not goods or not bads:
        raise NoCurve("there are no goods, or no bads")
    calibration = _calibration(scored)
    error = sum(abs(p.score - p.bad_share) * p.rows for p in calibration) / len(scored)
    points = _roc(scored, goods, bads)
    return Curves(
        goods=goods,
        bads=bads,
        auc=_area(points),
        roc=_thinned(points),
        calibration=calibration,
        calibration_error=error,
    )


def _roc(scored: Scored, goods: int, bads: int) -> list[tuple[float, float]]:
    points = [(0.0, 0.0)]
    good_so_far = bad_so_far = 0
    falling = sorted(scored, key=lambda row: -row[0])
    for _score, tied in groupby(falling, key=lambda row: row[0]):
        labels = [is_bad for _s, is_bad in tied]
        bad_so_far += sum(labels)
        good_so_far += len(labels) - sum(labels)
        points.append((good_so_far / goods, bad_so_far / bads))
    return points


def _area(points: Sequence[tuple[float, float]]) -> float:
    """By trapezoids, which gives ties their half."""
    pairs = pairwise(points)
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairs)


def _thinned(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    if len(points) <= _POINTS:
        return tuple(points)
    step = (len(points) - 1) / (_POINTS - 1)
    return tuple(points[round(n * step)] for n in range(_POINTS))


def _calibration(scored: Scored) -> tuple[CalibrationPoint, ...]:
    ordered = sorted(scored, key=lambda row: row[0])
    groups = min(_CALIBRATED, len(ordered))
    found: list[CalibrationPoint] = []
    for number in range(groups):
        rows = ordered[number * len(ordered) // groups : (number + 1) * len(ordered) // groups]
        found.append(
            CalibrationPoint(
                score=sum(score for score, _bad in rows) / len(rows),
                bad_share=sum(is_bad for _score, is_bad in rows) / len(rows),
                rows=len(rows),
            )
        )
    return tuple(found)

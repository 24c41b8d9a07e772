"""Pictures beside a comparison, as PNG bytes: ROC and calibration of two versions, or their metrics
against the policy's limits. Pure: values in, bytes out; nothing is kept.

Readable where they are 360 pixels wide; told apart by line, marker and hatch as well as by colour
(Okabe and Ito, 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from bot.chart import INK, OTHER, VALUE, Picture, alt_of, folded_label
from governance.domain.curves import Curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BARS = 6
_NAME = 30


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One version with its curves."""

    name: str
    """`v4`."""
    curves: Curves


@dataclass(frozen=True, kw_only=True)
class CurvesChart:
    """Two versions, or one where nothing is in Production."""

    title: str
    after: Candidate
    before: Candidate | None


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One metric of both versions and what policy asks of it."""

    metric: str
    before: float | None
    after: float | None
    limit: float | None = None
    is_minimum: bool = True
    """Whether `limit` is the least or the most that policy takes."""

    def __post_init__(self) -> None:
        """Raises ValueError for what is no finite number."""
        values = (self.before, self.after, self.limit)
        if not all(v is None or isfinite(v) for v in values):
            raise ValueError(f"{self.metric} is no finite number")

    @property
    def is_met(self) -> bool | None:
        """Whether the later version keeps the limit; None without one."""
        if self.limit is None or self.after is None:
            return None
        return self.after >= self.limit if self.is_minimum else self.after <= self.limit


@dataclass(frozen=True, kw_only=True)
class BarsChart:
    """Metrics of two versions, each on its own scale."""

    title: str
    before_name: str
    """Empty where nothing is in Production."""
    after_name: str
    bars: tuple[Bar, ...]


def curves_alt(chart: CurvesChart) -> str:
    """What the picture shows, for those who do not see it."""
    parts = [f"ROC and calibration curves of {chart.title}."]
    for one in (chart.after, chart.before):
        if one is not None:
            curves = one.curves
            parts.append(
                f"{one.name}: AUC {curves.auc:.3f}, mean calibration error "
                f"{curves.calibration_error:.3f}, on {curves.goods} goods and {curves.bads} bads."
            )
    if chart.before is not None:
        difference = chart.after.curves.auc - chart.before.curves.auc
        parts.append(f"Difference in AUC {difference:+.3f}.")
    return alt_of(parts)


def bars_alt(chart: BarsChart) -> str:
    """What the picture shows, for those who do not see it."""
    parts = [f"Metrics of {chart.title}."]
    for bar in chart.bars[:_MOST_BARS]:
        text = f"{bar.metric}: {chart.after_name} {_number(bar.after)}"
        if chart.before_name:
            text += f", {chart.before_name} {_number(bar.before)}"
        if bar.limit is not None:
            side = "at least" if bar.is_minimum else "at most"
            verdict = {True: "kept", False: "not kept", None: "not recorded"}[bar.is_met]
            text += f", policy asks for {side} {bar.limit:.4g}: {verdict}"
        parts.append(f"{text}.")
    if len(chart.bars) > _MOST_BARS:
        parts.append(f"{len(chart.bars) - _MOST_BARS} more metrics are not drawn.")
    return alt_of(parts)


def draw_curves(chart: CurvesChart) -> bytes:
    """The picture, 1080 × 1800 PNG, ROC above calibration: side by side neither is readable on a
    phone.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    picture = Picture(chart.title, height_inches=12.0)
    roc, calibration = picture.figure.subplots(2, 1)
    _draw_roc(roc, chart)
    _draw_calibration(calibration, chart)
    return picture.png()


def draw_bars(chart: BarsChart) -> bytes:
    """The picture, 1080 pixels wide, a row for each metric.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        ValueError: there is no metric to draw.
    """
    shown = chart.bars[:_MOST_BARS]
    if not shown:
        raise ValueError("there is no metric to draw")
    picture = Picture(chart.title, height_inches=1.2 + 1.9 * len(shown))
    for axes, bar in zip(_rows(picture, len(shown)), shown, strict=True):
        _draw_bar(axes, chart, bar)
    return picture.png()


def _rows(picture: Picture, count: int) -> Sequence[Axes]:
    return [picture.figure.add_subplot(count, 1, number + 1) for number in range(count)]


@dataclass(frozen=True, kw_only=True)
class _Line:
    """How a line is told apart."""

    color: str
    width: float
    style: str
    marker: str | None = None
    marker_size: float = 0.0
    marker_face: str | None = None


_DIAGONAL = _Line(color="#777777", width=2.5, style=":")
_AFTER = _Line(color=VALUE, width=3.5, style="-", marker="o", marker_size=11)
_BEFORE = _Line(color=OTHER, width=3.5, style="--", marker="s", marker_size=10, marker_face="white")
_BENEATH = replace(_BEFORE, width=7, marker_size=15)
"""Where both are equal, the one below still shows at its sides."""


def _lines(chart: CurvesChart) -> list[tuple[Candidate, _Line]]:
    """The later version is drawn last, on top."""
    if chart.before is None:
        return [(chart.after, _AFTER)]
    is_hidden = chart.before.curves == chart.after.curves
    return [(chart.before, _BENEATH if is_hidden else _BEFORE), (chart.after, _AFTER)]


def _draw_roc(axes: Axes, chart: CurvesChart) -> None:
    for one, line in _lines(chart):
        label = f"{one.name}: AUC {one.curves.auc:.3f}"
        _plot(axes, one.curves.roc, label, line, mark_every=0.12)
    _plot(axes, _CORNERS, "by chance", _DIAGONAL)
    _label(axes, "ROC", "share of goods flagged", "share of bads flagged")


def _draw_calibration(axes: Axes, chart: CurvesChart) -> None:
    for one, line in _lines(chart):
        points = [(p.score, p.bad_share) for p in one.curves.calibration]
        _plot(axes, points, f"{one.name}: off by {one.curves.calibration_error:.3f}", line)
    _plot(axes, _CORNERS, "as it should be", _DIAGONAL)
    _label(axes, "Calibration", "score", "share of bads")


_CORNERS = ((0.0, 0.0), (1.0, 1.0))


def _plot(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    label: str,
    line: _Line,
    *,
    mark_every: float | None = None,
) -> None:
    axes.plot(
        [x for x, _y in points],
        [y for _x, y in points],
        label=label,
        color=line.color,
        linewidth=line.width,
        linestyle=line.style,
        marker=line.marker,
        markersize=line.marker_size,
        markerfacecolor=line.marker_face or line.color,
        markevery=mark_every,
    )


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, fontsize=22, loc="left", color=INK, fontweight="bold")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.tick_params(labelsize=18, colors=INK)
    axes.set_xlabel(across, fontsize=19, color=INK)
    axes.set_ylabel(up, fontsize=19, color=INK)
    axes.grid(color="#dddddd", linewidth=1)
    axes.legend(
        loc="lower right" if title == "ROC" else "upper left",
        fontsize=19,
        framealpha=0.9,
        handlelength=2.6,
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _draw_bar(axes: Axes, chart: BarsChart, bar: Bar) -> None:
    values = [v for v in (bar.after, bar.before, bar.limit) if v is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    span = (high - low) or 1.0
    rows = [(chart.after_name, bar.after, VALUE, "")]
    if chart.before_name:
        rows.append((chart.before_name, bar.before, OTHER, "//"))
    for number, (_name, value, colour, hatch) in enumerate(rows):
        if value is not None:
            axes.barh(-number, value, color=colour, hatch=hatch, edgecolor="white", height=0.8)
        axes.text(
            max(value or 0.0, 0.0) + span * 0.02,
            -number,
            _number(value),
            va="center",
            fontsize=19,
            fontweight="bold",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.85},
        )
    title = folded_label(bar.metric, _NAME)
    if bar.limit is not None:
        axes.axvline(bar.limit, color=INK, linestyle="--", linewidth=3)
        sign = "≥" if bar.is_minimum else "≤"
        mark = {True: "✓", False: "✗ not kept", None: "?"}[bar.is_met]
        title += f"   {sign} {bar.limit:.4g} {mark}"
    axes.set_title(title, fontsize=19, loc="left", color=INK, parse_math=False)
    axes.set_yticks([-n for n in range(len(rows))], [name for name, *_rest in rows], fontsize=19)
    axes.set_ylim(-len(rows) + 0.45, 0.55)
    axes.set_xlim(low - (span * 0.02 if low < 0 else 0), high + span * 0.25)
    axes.set_xticks([])
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _number(value: float | None) -> str:
    return "not recorded" if value is None else f"{value:.4g}"

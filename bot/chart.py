"""Pictures of what a monitor saw, as PNG bytes. Pure: values in, bytes out; nothing is kept.

Readable where it is 360 pixels wide: few ticks, large letters, words at the lines instead of a
legend; told apart by shape as well as by colour (Okabe and Ito, 2008).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.mrkdwn import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter, Locator

INK, VALUE, OTHER, BAD = "#222222", "#0072B2", "#E69F00", "#D55E00"
_INK, _VALUE, _BASELINE, _ACTION = INK, VALUE, "#555555", BAD
_WIDTH_INCHES, _HEIGHT_INCHES, _DOTS = 7.2, 4.8, 150
_TITLE = 42
_LONGEST_ALT = 1000


@dataclass(frozen=True, kw_only=True)
class ChartPoint:
    """What one look measured, with its 95 % interval where that is known."""

    at: datetime
    value: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A moment that matters."""

    at: datetime
    label: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A metric over time, what it is held against, and what was done when."""

    title: str
    metric: str
    points: tuple[ChartPoint, ...]
    baseline: float | None = None
    bound: float | None = None
    marks: tuple[Mark, ...] = ()


def alt_text(chart: Chart) -> str:
    """What the picture shows, for those who do not see it."""
    parts = [f"{chart.metric} of {chart.title} over time."]
    if chart.points:
        first, last = chart.points[0], chart.points[-1]
        parts.append(
            f"From {first.value:.3f} on {when(first.at)} to {last.value:.3f} on {when(last.at)}."
        )
        if last.lower is not None and last.upper is not None:
            parts.append(f"95 % interval {last.lower:.3f} to {last.upper:.3f}.")
    else:
        parts.append("Nothing was measured.")
    if chart.baseline is not None:
        parts.append(f"Baseline {chart.baseline:.3f}.")
    if chart.bound is not None:
        parts.append(f"Bound {chart.bound:.3f}.")
    parts += [f"{mark.label} at {when(mark.at)}." for mark in chart.marks]
    return alt_of(parts)


def alt_of(parts: Iterable[str]) -> str:
    """Sentences as the words of a picture, as long as Slack takes them."""
    told = " ".join(visible(part) for part in parts)
    return told if len(told) <= _LONGEST_ALT else told[: _LONGEST_ALT - 1] + "…"


class Picture:
    """An empty picture with its title, 1080 pixels wide. Needs the extra `monitors`.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """

    def __init__(self, title: str, *, height_inches: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(_WIDTH_INCHES, height_inches), dpi=_DOTS)
        with_margin(self.figure)
        self._canvas = FigureCanvasAgg(self.figure)
        self.figure.suptitle(
            folded_label(title, _TITLE),
            fontsize=20,
            x=0.02,
            ha="left",
            color=INK,
            parse_math=False,
        )

    def png(self) -> bytes:
        """What was drawn."""
        out = io.BytesIO()
        self._canvas.print_png(out)  # type: ignore[no-untyped-call]  # matplotlib's own gap
        return out.getvalue()


def draw(chart: Chart) -> bytes:
    """The picture, 1080 × 720 PNG. Needs the extra `monitors`.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES), dpi=_DOTS)
    with_margin(figure)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    title = _folded(f"{chart.metric} · {chart.title}")
    axes.set_title(title, fontsize=17, loc="left", color=_INK, parse_math=False)
    _draw_points(axes, chart)
    _draw_lines(axes, chart)
    _draw_marks(axes, chart)
    _dress(axes, chart)
    out = io.BytesIO()
    canvas.print_png(out)  # type: ignore[no-untyped-call]  # matplotlib's own gap
    return out.getvalue()


def _draw_points(axes: Axes, chart: Chart) -> None:
    points = chart.points
    if not points:
        axes.text(
            0.5, 0.5, "nothing was measured", transform=axes.transAxes, ha="center", fontsize=16
        )
        return
    at = [as_days(p.at) for p in points]
    if all(p.lower is not None and p.upper is not None for p in points):
        low = [p.lower if p.lower is not None else p.value for p in points]
        high = [p.upper if p.upper is not None else p.value for p in points]
        if len(points) > 1:
            axes.fill_between(at, low, high, color=_VALUE, alpha=0.18, linewidth=0)
        else:
            axes.vlines(at, low, high, color=_VALUE, linewidth=3, alpha=0.5)
    few = len(points) <= 30
    axes.plot(
        at,
        [p.value for p in points],
        color=_VALUE,
        linewidth=3,
        marker="o" if few else None,
        markersize=8,
    )
    last = points[-1]
    axes.annotate(
        f"{last.value:.3f}",
        (as_days(newest_label_at(chart)), last.value),
        xytext=(10, -4),
        textcoords="offset points",
        fontsize=17,
        fontweight="bold",
        color=_VALUE,
        annotation_clip=False,
    )


def newest_label_at(chart: Chart) -> datetime:
    """Where the newest value is written: right of its point, and of every mark that stands so near
    that it would strike the number through."""
    moments = [p.at for p in chart.points] + [m.at for m in chart.marks]
    near = (max(moments) - min(moments)) * 0.2
    at = chart.points[-1].at
    for mark in sorted(m.at for m in chart.marks):
        if timedelta() <= mark - at <= near:
            at = mark
    return at


def _draw_lines(axes: Axes, chart: Chart) -> None:
    for value, name, style, way in (
        (chart.baseline, "baseline", "--", "bottom"),
        (chart.bound, "bound", ":", "top"),
    ):
        if value is None:
            continue
        axes.axhline(value, color=_BASELINE, linestyle=style, linewidth=2.5)
        axes.annotate(
            f"{name} {value:.3f}",
            (0.01, value),
            xycoords=("axes fraction", "data"),
            xytext=(0, 4 if way == "bottom" else -4),
            textcoords="offset points",
            va=way,
            fontsize=14,
            color=_BASELINE,
        )


def _draw_marks(axes: Axes, chart: Chart) -> None:
    for number, mark in enumerate(chart.marks):
        axes.axvline(as_days(mark.at), color=_ACTION, linestyle="-.", linewidth=3)
        axes.annotate(
            f"{_folded(mark.label)} ",
            (as_days(mark.at), 0.98 - 0.09 * (number % 6)),
            xycoords=("data", "axes fraction"),
            ha="right",
            va="top",
            fontsize=15,
            fontweight="bold",
            color=_ACTION,
            parse_math=False,
        )


def _dress(axes: Axes, chart: Chart) -> None:
    axes.set_xlabel("UTC", fontsize=13, color=_INK)
    moments = [p.at for p in chart.points] + [m.at for m in chart.marks]
    if moments:
        # Room for the last value at the right, and for labels left of an early mark.
        span = max(max(moments) - min(moments), timedelta(seconds=10))
        axes.set_xlim(as_days(min(moments) - span * 0.08), as_days(max(moments) + span * 0.18))
        write_times(axes, max(moments) - span, max(moments))
    else:
        axes.set_xticks([])
    values = [v for p in chart.points for v in (p.value, p.lower, p.upper) if v is not None]
    values += [v for v in (chart.baseline, chart.bound) if v is not None]
    if values:
        room = max((max(values) - min(values)) * 0.15, 0.01)
        axes.set_ylim(min(values) - room, max(values) + room)
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(labelsize=14, colors=_INK)
    axes.grid(axis="y", color="#dddddd", linewidth=1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def with_margin(figure: Figure) -> None:
    """Nothing sticks to the upper or the lower edge; the width is left to long labels."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure.set_layout_engine(ConstrainedLayoutEngine(h_pad=0.12))


def write_times(axes: Axes, since: datetime, until: datetime) -> None:
    """A few ticks, each a time or a date that can be read alone; what day it is stands below where
    the ticks are times."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    few: Callable[..., Locator] = AutoDateLocator
    written: Callable[..., Formatter] = DateFormatter
    axes.xaxis.set_major_locator(few(tz=UTC, minticks=2, maxticks=4))
    axes.xaxis.set_major_formatter(written(time_format(until - since), tz=UTC))
    if until - since < _HOURS:
        axes.set_xlabel(f"UTC, {until.astimezone(UTC):%Y-%m-%d}")


_SECONDS, _HOURS, _DAYS = timedelta(minutes=10), timedelta(days=1), timedelta(days=4)
_MONTHS = timedelta(days=300)
"""Spans below which ticks are written with seconds, as times, and as times with their day; and
above which days would say too little."""


def time_format(span: timedelta) -> str:
    """How ticks over so long a time are written."""
    if span < _SECONDS:
        return "%H:%M:%S"
    if span < _HOURS:
        return "%H:%M"
    if span < _DAYS:
        return "%H:%M\n%d %b"
    return "%d %b" if span < _MONTHS else "%b %Y"


def as_days(at: datetime) -> float:
    """As matplotlib counts time: days since 1970."""
    return at.timestamp() / 86_400


def _folded(text: str) -> str:
    return folded_label(text, _TITLE)


def folded_label(text: str, longest: int) -> str:
    """Literal and short; letters that the font lacks are shown by their code."""
    shown = "".join(c if ord(c) < 0x2500 else f"\\u{ord(c):04x}" for c in visible(text))
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def when(at: datetime) -> str:
    """A moment as pictures write it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

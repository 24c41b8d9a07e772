"""When which version was in Production, as a PNG: one row for each stay, rollbacks marked. Pure:
values in, bytes out; nothing is kept. Readable where it is 360 pixels wide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.chart import BAD, INK, OTHER, VALUE, Picture, alt_of, as_days, when, write_times

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 10
_ROOM = 0.45
"""Of the whole width: what the longest words take."""
_SHORTEST = 0.012
"""Of the whole width: a stay of a minute in a year is still to be seen."""


@dataclass(frozen=True, kw_only=True)
class Stay:
    """One stay of a version in Production; `until` None while it lasts."""

    version: int
    since: datetime
    until: datetime | None
    rolled_back: bool = False
    """It ended by a rollback."""
    restored: bool = False
    """It began by one."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """All stays, oldest first, as of `now`."""

    title: str
    stays: tuple[Stay, ...]
    now: datetime


def timeline_alt(timeline: Timeline) -> str:
    """What the picture shows, for those who do not see it; newest first, since a long text is
    cut."""
    parts = [f"Versions of {timeline.title} in Production."]
    shown = timeline.stays[-_MOST:]
    for stay in reversed(shown):
        end = f"until {when(stay.until)}" if stay.until else "still there"
        began = ", restored by a rollback" if stay.restored else ""
        ended = ", rolled back" if stay.rolled_back else ""
        parts.append(f"v{stay.version} from {when(stay.since)}{began}, {end}{ended}.")
    if not shown:
        parts.append("None was there yet.")
    return alt_of([*parts, *_older(timeline)])


def draw_timeline(timeline: Timeline) -> bytes:
    """The picture, 1080 pixels wide and as high as it has rows; newest on top. Older stays than
    the newest ten are counted.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    shown = timeline.stays[-_MOST:]
    picture = Picture(
        f"In Production · {timeline.title}", height_inches=2.2 + 0.72 * max(len(shown), 1)
    )
    axes = picture.figure.add_subplot()
    if not shown:
        axes.text(0.5, 0.5, "nothing yet", transform=axes.transAxes, ha="center", fontsize=20)
        axes.set_axis_off()
        return picture.png()
    start = min(s.since for s in shown)
    span = max(timeline.now - start, timedelta(seconds=10))
    _dress(axes, shown, start, span)
    for row, stay in enumerate(shown):
        _draw_stay(axes, row, stay, timeline.now, span)
    for line in _older(timeline):
        axes.set_xlabel(f"UTC · {line}", fontsize=17, color=INK)
    return picture.png()


def _older(timeline: Timeline) -> list[str]:
    count = len(timeline.stays) - _MOST
    if count <= 0:
        return []
    return [f"{count} older stay is not shown." if count == 1 else f"{count} older not shown."]


def _draw_stay(axes: Axes, row: int, stay: Stay, now: datetime, span: timedelta) -> None:
    since, until = as_days(stay.since), as_days(stay.until or now)
    width = max(until - since, span / timedelta(days=1) * _SHORTEST)
    is_running = stay.until is None
    colour = VALUE if is_running else BAD if stay.rolled_back else OTHER
    axes.barh(
        row,
        width,
        left=since,
        color=colour,
        hatch="" if is_running else "xx" if stay.rolled_back else "//",
        edgecolor="white",
        height=0.62,
    )
    words = ["restored"] if stay.restored else []
    words += ["now"] if is_running else ["✗ rolled back"] if stay.rolled_back else []
    _say(axes, row, ", ".join(words), (since, since + width))


def _say(axes: Axes, row: int, words: str, bar: tuple[float, float]) -> None:
    """Beside the bar where there is more room, or on it where there is none."""
    low, high = axes.get_xlim()
    left, right = bar[0] - low, high - bar[1]
    if max(left, right) < _ROOM * (high - low):
        at, shift, way = sum(bar) / 2, 0, "center"
    elif right >= left:
        at, shift, way = bar[1], 8, "left"
    else:
        at, shift, way = bar[0], -8, "right"
    axes.annotate(
        words,
        (at, row),
        xytext=(shift, 0),
        textcoords="offset points",
        ha=way,
        va="center",
        fontsize=18,
        fontweight="bold",
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
    )


def _dress(axes: Axes, shown: tuple[Stay, ...], start: datetime, span: timedelta) -> None:
    axes.set_yticks(range(len(shown)), [f"v{s.version}" for s in shown], fontsize=20)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(as_days(start - span * 0.03), as_days(start + span * 1.04))
    axes.set_xlabel("UTC", fontsize=17, color=INK)
    write_times(axes, start, start + span)
    axes.tick_params(axis="x", labelsize=17, colors=INK)
    axes.grid(axis="x", color="#dddddd", linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)

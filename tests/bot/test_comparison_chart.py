"""Pictures of a comparison and of a timeline: they are there whatever they hold, and their words
say the same."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest
from PIL import Image

from bot.comparison_chart import (
    Bar,
    BarsChart,
    Candidate,
    CurvesChart,
    bars_alt,
    curves_alt,
    draw_bars,
    draw_curves,
)
from bot.timeline_chart import Stay, Timeline, draw_timeline, timeline_alt
from governance.domain.curves import Curves, curves_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["$\\frac{1}{0}$", "\u202eevil", "模型", "x" * 5000, "a\nb\x00c", "\ud800", "%s {0} &<>"]


def some_curves(rows: int = 200, *, sure: bool = True) -> Curves:
    """Bads score higher, surely or by a little."""
    high = 0.9 if sure else 0.55
    return curves_of(
        [
            ((high if n % 3 == 0 else 0.4) * (0.5 + n / (2 * rows)), n % 3 == 0 or n % 7 == 0)
            for n in range(rows)
        ]
    )


def a_curves_chart(**changes: object) -> CurvesChart:
    """v4 against v3."""
    values: dict[str, object] = {
        "title": "credit_scoring v4 against v3",
        "after": Candidate(name="v4", curves=some_curves()),
        "before": Candidate(name="v3", curves=some_curves(sure=False)),
        **changes,
    }
    return CurvesChart(**values)  # type: ignore[arg-type]  # a table of changes


def a_bars_chart(*bars: Bar, **changes: object) -> BarsChart:
    """One metric with its limit."""
    values: dict[str, object] = {
        "title": "credit_scoring v4 against v3",
        "before_name": "v3",
        "after_name": "v4",
        "bars": bars or (Bar(metric="auc", before=0.78, after=0.76, limit=0.73),),
        **changes,
    }
    return BarsChart(**values)  # type: ignore[arg-type]  # a table of changes


def a_timeline(count: int) -> Timeline:
    """A version every ten days; each fifth is rolled back, and one of them lasts."""
    stays = tuple(
        Stay(
            version=number,
            since=NEW_YEAR + timedelta(days=10 * number),
            until=None if number == count - 1 else NEW_YEAR + timedelta(days=10 * number + 10),
            rolled_back=number % 5 == 3 and number != count - 1,
            restored=number % 5 == 4,
        )
        for number in range(count)
    )
    return Timeline(
        title="credit_scoring", stays=stays, now=NEW_YEAR + timedelta(days=10 * count + 5)
    )


def size(png: bytes) -> tuple[int, int]:
    """Of a PNG."""
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.size


def test_curves_are_drawn_for_a_phone() -> None:
    """One above the other; also of one version, of few rows and of equal curves."""
    both = a_curves_chart()
    assert size(draw_curves(both)) == (1080, 1800)
    pictures = {
        draw_curves(both),
        draw_curves(a_curves_chart(before=None)),
        draw_curves(a_curves_chart(before=Candidate(name="v3", curves=some_curves()))),
        draw_curves(a_curves_chart(after=Candidate(name="v4", curves=some_curves(3)))),
    }
    assert len(pictures) == 4


def test_equal_curves_are_both_to_be_seen() -> None:
    """The one beneath is wider: its colour is not covered."""
    equal = a_curves_chart(before=Candidate(name="v3", curves=some_curves()))
    colours = Image.open(io.BytesIO(draw_curves(equal))).convert("RGB").getcolors(1 << 24) or []
    counts = {colour: count for count, colour in colours}
    assert counts.get((0xE6, 0x9F, 0x00), 0) > 2000
    assert counts.get((0x00, 0x72, 0xB2), 0) > 2000


def test_the_words_of_curves_say_their_numbers() -> None:
    """For those who do not see them."""
    chart = a_curves_chart()
    told = curves_alt(chart)
    for part in (
        "ROC and calibration curves of credit_scoring v4 against v3.",
        f"v4: AUC {chart.after.curves.auc:.3f}, mean calibration error",
        "goods and",
        "v3: AUC",
        "Difference in AUC +",
    ):
        assert part in told
    assert "v3" not in curves_alt(a_curves_chart(title="t", before=None))


@pytest.mark.parametrize("count", [1, 6, 40])
def test_bars_are_drawn_of_any_number_of_metrics(count: int) -> None:
    """Six at most; the words say how many are left out."""
    bars = tuple(Bar(metric=f"m{n}", before=-1.0, after=float(n)) for n in range(count))
    chart = a_bars_chart(*bars)
    width, height = size(draw_bars(chart))
    assert width == 1080
    assert height <= 2000
    assert ("34 more metrics are not drawn" in bars_alt(chart)) is (count == 40)


def test_bars_that_differ_look_different() -> None:
    """The limit, its side, a missing number and a single version are all to be seen."""
    pictures = {
        draw_bars(a_bars_chart()),
        draw_bars(a_bars_chart(Bar(metric="auc", before=0.78, after=0.76))),
        draw_bars(a_bars_chart(Bar(metric="auc", before=0.78, after=0.76, limit=0.77))),
        draw_bars(
            a_bars_chart(Bar(metric="auc", before=0.78, after=0.76, limit=0.73, is_minimum=False))
        ),
        draw_bars(a_bars_chart(Bar(metric="auc", before=None, after=0.76, limit=0.73))),
        draw_bars(a_bars_chart(before_name="")),
        draw_bars(a_bars_chart(Bar(metric="auc", before=0.0, after=0.0))),
        draw_bars(a_bars_chart(Bar(metric="auc", before=None, after=None))),
    }
    assert len(pictures) == 8


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        (Bar(metric="a", before=0.7, after=0.8, limit=0.8), "v4 0.8, v3 0.7, policy asks for at "),
        (Bar(metric="a", before=0.7, after=0.8, limit=0.8), "at least 0.8: kept"),
        (Bar(metric="a", before=0.7, after=0.79, limit=0.8), "at least 0.8: not kept"),
        (
            Bar(metric="a", before=0.7, after=0.9, limit=0.8, is_minimum=False),
            "at most 0.8: not kept",
        ),
        (Bar(metric="a", before=None, after=None, limit=0.8), "not recorded"),
    ],
)
def test_the_words_of_bars_say_their_numbers(bar: Bar, said: str) -> None:
    """And whether the limit is kept, at it and beside it."""
    assert said in bars_alt(a_bars_chart(bar))


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_no_number_is_refused(number: float) -> None:
    """A bar of it would be a lie."""
    for before, after, limit in ((number, 0.8, 0.5), (0.7, number, 0.5), (0.7, 0.8, number)):
        with pytest.raises(ValueError, match="no finite number"):
            Bar(metric="auc", before=before, after=after, limit=limit)


def test_nothing_is_no_picture() -> None:
    """Rather than an empty one."""
    chart = BarsChart(title="t", before_name="", after_name="v1", bars=())
    with pytest.raises(ValueError, match="no metric"):
        draw_bars(chart)


@pytest.mark.parametrize(("count", "height"), [(0, 438), (1, 438), (10, 1410), (40, 1410)])
def test_a_timeline_is_drawn_of_any_number_of_stays(count: int, height: int) -> None:
    """The newest ten; the words say how many are older."""
    timeline = a_timeline(count)
    assert size(draw_timeline(timeline)) == (1080, height)
    told = timeline_alt(timeline)
    assert ("30 older not shown" in told) is (count == 40)
    assert ("None was there yet." in told) is (count == 0)


def test_the_words_of_a_timeline_say_who_was_there_when() -> None:
    """Newest first, with rollbacks and what was restored."""
    told = timeline_alt(a_timeline(6))
    parts = (
        "v5 from 2026-02-20 00:00 UTC, still there.",
        "v4 from 2026-02-10 00:00 UTC, restored by a rollback, until 2026-02-20 00:00 UTC.",
        "v3 from 2026-01-31 00:00 UTC, until 2026-02-10 00:00 UTC, rolled back.",
        "v0 from 2026-01-01 00:00 UTC",
    )
    assert [part in told for part in parts] == [True] * 4
    assert told.index("v5") < told.index("v4") < told.index("v0")


def test_a_rollback_looks_different_from_another_end() -> None:
    """By its hatch and its words."""
    end = NEW_YEAR + timedelta(days=1)
    stays = [
        Stay(version=1, since=NEW_YEAR, until=end, rolled_back=rolled_back, restored=restored)
        for rolled_back in (False, True)
        for restored in (False, True)
    ]
    assert len({draw_timeline(Timeline(title="t", stays=(s,), now=end)) for s in stays}) == 4


def test_a_stay_of_no_time_is_still_to_be_seen() -> None:
    """A minute in a year."""
    year = NEW_YEAR + timedelta(days=365)
    long = Stay(version=1, since=NEW_YEAR, until=year)
    short = Stay(version=2, since=year, until=year)
    now = year + timedelta(minutes=1)
    with_it = draw_timeline(Timeline(title="t", stays=(long, short), now=now))
    assert with_it != draw_timeline(Timeline(title="t", stays=(long,), now=now))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_literally_and_breaks_nothing(name: str) -> None:
    """No mathematics, no direction, no length."""
    curves = a_curves_chart(title=name)
    bars = a_bars_chart(Bar(metric=name, before=0.1, after=0.2, limit=0.1), title=name)
    timeline = Timeline(title=name, stays=a_timeline(3).stays, now=a_timeline(3).now)
    drawn = (draw_curves(curves), draw_bars(bars), draw_timeline(timeline))
    assert all(png.startswith(b"\x89PNG") for png in drawn)
    for told in (curves_alt(curves), bars_alt(bars), timeline_alt(timeline)):
        assert len(told) <= 1000
        assert "\u202e" not in told

"""Pictures of alerts: they are there whatever they hold, and their words say the same."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.chart import Chart, ChartPoint, Mark, alt_text, draw, newest_label_at, time_format

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def a_chart(count: int = 20, **changes: object) -> Chart:
    """AUC falling from 0.78, and a rollback at the end."""
    points = tuple(
        ChartPoint(
            at=TWO + timedelta(minutes=n),
            value=0.78 - n * 0.2 / max(count, 1),
            lower=0.7 - n * 0.2 / max(count, 1),
            upper=0.86 - n * 0.2 / max(count, 1),
        )
        for n in range(count)
    )
    values: dict[str, object] = {
        "title": "credit_scoring v4",
        "metric": "AUC",
        "points": points,
        "baseline": 0.778,
        "marks": (Mark(at=TWO + timedelta(minutes=count), label="v4 → v3"),),
        **changes,
    }
    return Chart(**values)  # type: ignore[arg-type]  # a table of changes


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_picture_is_drawn_of_any_number_of_points(count: int) -> None:
    """In the size that Slack and a phone take."""
    picture = Image.open(io.BytesIO(draw(a_chart(count))))
    assert (picture.format, picture.size) == ("PNG", (1080, 720))


def test_two_charts_that_differ_look_different() -> None:
    """A line that is not drawn would not be missed otherwise."""
    pictures = {
        draw(a_chart()),
        draw(a_chart(baseline=None)),
        draw(a_chart(bound=0.7)),
        draw(a_chart(marks=())),
        draw(a_chart(title="credit_scoring v5")),
        draw(a_chart(10)),
    }
    assert len(pictures) == 6


@pytest.mark.parametrize(
    "name",
    ["$\\frac{1}{0}$", "\u202eevil", "模型", "x" * 5000, "a\nb\x00c", "\ud800", "%s {0} &<>"],
)
def test_a_name_is_shown_literally_and_breaks_nothing(name: str) -> None:
    """No mathematics, no direction, no length."""
    chart = a_chart(title=name, metric=name, marks=(Mark(at=TWO, label=name),))
    assert draw(chart).startswith(b"\x89PNG")
    told = alt_text(chart)
    assert len(told) <= 1000
    assert "\u202e" not in told


def test_its_words_say_what_it_shows() -> None:
    """For those who do not see it."""
    told = alt_text(a_chart(bound=0.728))
    for part in (
        "AUC of credit_scoring v4",
        "From 0.780 on 2026-03-01 02:00 UTC",
        "to 0.590 on 2026-03-01 02:19 UTC",
        "95 % interval 0.510 to 0.670",
        "Baseline 0.778",
        "Bound 0.728",
        "v4 → v3 at 2026-03-01 02:20 UTC",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("span", "tick"),
    [
        (timedelta(minutes=9), "02:00:00"),
        (timedelta(minutes=10), "02:00"),
        (timedelta(hours=23), "02:00"),
        (timedelta(days=2), "02:00\n01 Mar"),
        (timedelta(days=30), "01 Mar"),
        (timedelta(days=400), "Mar 2026"),
    ],
)
def test_a_tick_can_be_read_alone(span: timedelta, tick: str) -> None:
    """41, 42, 43 are no times."""
    assert TWO.strftime(time_format(span)) == tick


def test_the_newest_value_is_written_beside_the_marks_that_are_near_it() -> None:
    """A line through a number is read as its end; one that is far away leaves it alone."""
    last = a_chart().points[-1].at
    near = Mark(at=last + timedelta(minutes=1), label="v4 → v3")
    assert newest_label_at(a_chart(marks=(near,))) == near.at
    assert newest_label_at(a_chart(marks=(Mark(at=TWO, label="v4"),))) == last
    far = Mark(at=last + timedelta(hours=1), label="v4 → v3")
    assert newest_label_at(a_chart(marks=(far,))) == last


def test_a_title_does_not_stick_to_the_edge() -> None:
    """The first rows of the picture are empty."""
    picture = Image.open(io.BytesIO(draw(a_chart()))).convert("L")
    assert picture.crop((0, 0, 1080, 12)).getextrema() == (255, 255)

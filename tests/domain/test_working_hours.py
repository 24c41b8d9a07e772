"""Reminders come inside working hours, after enough of them, and no later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.domain.working_hours import WorkingHours, next_reminder, working_hours

OFFICE = working_hours("Mon-Fri 09:00-17:00")
FIRST = timedelta(hours=4)
ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Antarctica/Troll",
)

_zones = st.sampled_from(ZONES).map(ZoneInfo)
_moments = st.datetimes(
    min_value=datetime(2011, 12, 1),  # noqa: DTZ001  Hypothesis adds the zone
    max_value=datetime(2027, 12, 1),  # noqa: DTZ001  Hypothesis adds the zone
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(second=0, microsecond=0))
_waits = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9)).map(
    lambda wait: timedelta(minutes=wait // timedelta(minutes=1))
)
_hours = st.builds(
    lambda days, begins, length: WorkingHours(
        days=days, begins=begins, ends=min(begins + length, 1440)
    ),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 23 * 60),
    st.integers(15, 1440),
)


def at(zone: str, *when: int) -> datetime:
    """A moment by the clock on somebody's wall."""
    return datetime(*when, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]  # year to minute


def due(last: datetime, *, sent: int = 0, zone: str = "Europe/Amsterdam") -> datetime:
    """When the next one comes, looked at right after the last."""
    return next_reminder(
        last=last, sent=sent, first=FIRST, hours=OFFICE, zone=ZoneInfo(zone), now=last
    )


@given(last=_moments, wait=_waits, sent=st.integers(0, 3), zone=_zones, hours=_hours)
def test_a_reminder_is_never_outside_working_hours_nor_in_the_past(
    last: datetime, wait: timedelta, sent: int, zone: ZoneInfo, hours: WorkingHours
) -> None:
    """Whatever the hours, the zone, the changes of its clocks, and how long the bot was away."""
    now = last + wait
    found = next_reminder(last=last, sent=sent, first=FIRST, hours=hours, zone=zone, now=now)
    assert found >= now
    assert hours.is_inside(found, zone)


@settings(max_examples=60)
@given(last=_moments, wait=_waits, sent=st.integers(0, 2), zone=_zones)
def test_it_is_the_first_minute_that_is_late_enough(
    last: datetime, wait: timedelta, sent: int, zone: ZoneInfo
) -> None:
    """Agrees with counting every working minute from the last one on."""
    now = last + wait
    wanted = FIRST * 2**sent // timedelta(minutes=1)
    moment, worked = last, 0
    while worked < wanted or moment < now or not OFFICE.is_inside(moment, zone):
        worked += OFFICE.is_inside(moment, zone)
        moment += timedelta(minutes=1)
    found = next_reminder(last=last, sent=sent, first=FIRST, hours=OFFICE, zone=zone, now=now)
    assert found == moment


@given(last=_moments, sent=st.integers(0, 3), zone=_zones, hours=_hours)
def test_what_is_due_stays_due_until_the_end_of_the_working_day(
    last: datetime, sent: int, zone: ZoneInfo, hours: WorkingHours
) -> None:
    """Asked again at the moment that it gave, it gives that moment."""
    first = next_reminder(last=last, sent=sent, first=FIRST, hours=hours, zone=zone, now=last)
    again = next_reminder(last=last, sent=sent, first=FIRST, hours=hours, zone=zone, now=first)
    assert again == first


@pytest.mark.parametrize(
    ("asked", "reminded"),
    [
        ((2026, 3, 2, 9, 0), (2026, 3, 2, 13, 0)),
        ((2026, 3, 2, 12, 59), (2026, 3, 2, 16, 59)),
        ((2026, 3, 2, 13, 0), (2026, 3, 3, 9, 0)),  # 17:00 is no working hour any more
        ((2026, 3, 2, 13, 1), (2026, 3, 3, 9, 1)),
        ((2026, 3, 2, 22, 0), (2026, 3, 3, 13, 0)),
        ((2026, 3, 6, 16, 0), (2026, 3, 9, 12, 0)),  # over a weekend
        ((2026, 3, 7, 11, 0), (2026, 3, 9, 13, 0)),  # asked on a Saturday
        ((2026, 3, 27, 16, 0), (2026, 3, 30, 12, 0)),  # clocks go forward on the 29th
        ((2026, 10, 23, 16, 0), (2026, 10, 26, 12, 0)),  # and back on the 25th
    ],
)
def test_the_first_reminder_comes_after_four_working_hours(
    asked: tuple[int, ...], reminded: tuple[int, ...]
) -> None:
    """By the clock in Amsterdam."""
    assert due(at("Europe/Amsterdam", *asked)) == at("Europe/Amsterdam", *reminded)


def test_each_reminder_waits_twice_as_long() -> None:
    """4, 8, 16 working hours: half a day, a day, two days."""
    monday = at("Europe/Amsterdam", 2026, 3, 2, 9, 0)
    first = due(monday)
    second = due(first, sent=1)
    third = due(second, sent=2)
    assert first == at("Europe/Amsterdam", 2026, 3, 2, 13, 0)
    assert second == at("Europe/Amsterdam", 2026, 3, 3, 13, 0)
    assert third == at("Europe/Amsterdam", 2026, 3, 5, 13, 0)


def test_a_day_that_a_zone_left_out_is_no_working_day() -> None:
    """Samoa had no 2011-12-30, a Friday: what was asked on Thursday waits for Monday."""
    thursday = at("Pacific/Apia", 2011, 12, 29, 16, 0)
    assert due(thursday, zone="Pacific/Apia") == at("Pacific/Apia", 2012, 1, 2, 12, 0)


def test_an_hour_that_comes_twice_is_no_working_hour_before_the_shift_begins() -> None:
    """Clocks go back from 2:00 to 1:00: three quarters of an hour after the first 1:30 it is 1:15
    again, when a shift that begins at 1:30 has not begun."""
    zone = ZoneInfo("America/New_York")
    night = working_hours("Sun 01:30-09:00")
    found = next_reminder(
        last=at("America/New_York", 2026, 10, 31, 20, 0),
        sent=0,
        first=timedelta(minutes=45),
        hours=night,
        zone=zone,
        now=at("America/New_York", 2026, 10, 31, 20, 0),
    )
    assert found == datetime(2026, 11, 1, 7, 15, tzinfo=UTC)
    assert night.is_inside(found, zone)


def test_somebody_far_east_is_asleep_when_the_requester_asks() -> None:
    """Monday morning in New York is Monday night in Kathmandu, at a quarter past."""
    asked = at("America/New_York", 2026, 3, 2, 11, 0)
    assert due(asked, zone="Asia/Kathmandu") == at("Asia/Kathmandu", 2026, 3, 3, 13, 0)


@pytest.mark.parametrize(
    ("words", "days", "begins", "ends"),
    [
        ("Mon-Fri 09:00-17:00", {0, 1, 2, 3, 4}, 540, 1020),
        ("Sun-Thu 08:30-16:00", {6, 0, 1, 2, 3}, 510, 960),
        ("Sat 00:00-24:00", {5}, 0, 1440),
        ("Mon-Sun 09:00-17:00", set(range(7)), 540, 1020),
    ],
)
def test_working_hours_read_and_say_themselves(
    words: str, days: set[int], begins: int, ends: int
) -> None:
    """As they are written."""
    hours = working_hours(words)
    assert hours == WorkingHours(days=frozenset(days), begins=begins, ends=ends)
    assert hours.words == words


@pytest.mark.parametrize(
    "words",
    [
        "",
        "09:00-17:00",
        "Mon-Fri",
        "mon-fri 09:00-17:00",
        "Mon-Fri 9-17",
        "Mon-Fri 17:00-09:00",
        "Mon-Fri 09:00-09:00",
        "Mon-Fri 09:00-24:01",
        "Mon-Fri 29:00-30:00",
        "Mon,Tue 09:00-17:00",
    ],
)
def test_what_is_no_working_time_is_refused(words: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match="write Mon-Fri 09:00-17:00"):
        working_hours(words)


@pytest.mark.parametrize(
    ("minute", "inside"), [(8 * 60 + 59, False), (9 * 60, True), (1019, True), (1020, False)]
)
def test_working_hours_begin_with_their_first_minute_and_end_before_their_last(
    minute: int, inside: bool
) -> None:
    """On a Monday."""
    monday = datetime.combine(date(2026, 3, 2), datetime.min.time(), ZoneInfo("UTC"))
    assert OFFICE.is_inside(monday + timedelta(minutes=minute), ZoneInfo("UTC")) is inside

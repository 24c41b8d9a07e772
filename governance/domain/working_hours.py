"""When somebody who was asked is reminded: inside their working hours, each time after twice as
much working time. Pure: no clock, no IO, no vendor; the time zone is an argument."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = "|".join(_DAYS)
_WORDS = re.compile(rf"({_DAY})(?:-({_DAY}))? ([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")
_MINUTES_A_DAY = 24 * 60
_MOST_DOUBLINGS = 8
"""After 4 h that is 1,024 working hours: half a year."""


@dataclass(frozen=True, kw_only=True)
class WorkingHours:
    """The same hours on some days of the week, from `begins` up to but not including `ends`, in
    minutes of the day by the clock on that person's wall."""

    days: frozenset[int]
    """0 is Monday."""
    begins: int
    ends: int

    @property
    def words(self) -> str:
        """As `working_hours` reads it, days one by one where they are not in a row."""
        row = sorted(self.days)
        first = next((d for d in row if (d - 1) % 7 not in self.days), 0)
        last = (first + len(row) - 1) % 7
        in_a_row = all((first + n) % 7 in self.days for n in range(len(row)))
        days = ", ".join(_DAYS[d] for d in row)
        if in_a_row and len(row) > 1:
            days = f"{_DAYS[first]}-{_DAYS[last]}"
        return f"{days} {_clock(self.begins)}-{_clock(self.ends)}"

    def is_inside(self, moment: datetime, zone: tzinfo) -> bool:
        """Whether the clock on the wall shows a working hour then."""
        wall = moment.astimezone(zone)
        return wall.weekday() in self.days and self.begins <= wall.hour * 60 + wall.minute < (
            self.ends
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def working_hours(words: str) -> WorkingHours:
    """Read `Mon-Fri 09:00-17:00`; days may run over the week's end, hours not over midnight.

    Raises:
        ValueError: with what to write instead.
    """
    found = _WORDS.fullmatch(words.strip())
    if found is None:
        raise ValueError("is no working time; write Mon-Fri 09:00-17:00")
    first, last = _DAYS.index(found[1]), _DAYS.index(found[2] or found[1])
    count = (last - first) % 7 + 1
    begins = int(found[3]) * 60 + int(found[4])
    ends = int(found[5]) * 60 + int(found[6])
    if not begins < ends <= _MINUTES_A_DAY:
        raise ValueError("ends before it begins, or after 24:00; write Mon-Fri 09:00-17:00")
    return WorkingHours(
        days=frozenset((first + n) % 7 for n in range(count)), begins=begins, ends=ends
    )


def next_reminder(
    *,
    last: datetime,
    sent: int,
    first: timedelta,
    hours: WorkingHours,
    zone: tzinfo,
    now: datetime,
) -> datetime:
    """The first moment at or after `now`, inside working hours, at which `first` · 2^`sent` of
    working time has passed since `last`: when they were asked, or reminded the last time. Due when
    the answer is `now` itself."""
    wanted = first * 2 ** min(sent, _MOST_DOUBLINGS)
    due = last
    for begins, ends in _stretches(last, hours, zone):
        due = begins + wanted
        if due < ends:
            break
        wanted -= ends - begins
    if due >= now:
        return due
    return next(begins for begins, _ends in _stretches(now, hours, zone))


def _stretches(
    since: datetime, hours: WorkingHours, zone: tzinfo
) -> Iterator[tuple[datetime, datetime]]:
    """Working time from `since` on, in UTC, without end and without overlaps. Where clocks are
    changed at the very beginning or end of working hours, the shorter reading counts: of a day that
    a zone left out (Samoa, 2011-12-30), nothing."""
    since = since.astimezone(UTC)
    day = since.astimezone(zone).date() - timedelta(days=1)
    while True:
        if day.weekday() in hours.days:
            begins = max(_readings(day, hours.begins, zone))
            ends = min(_readings(day, hours.ends, zone))
            if ends > since and ends > begins:
                yield max(begins, since), ends
                since = ends
        day += timedelta(days=1)


def _readings(day: date, minute: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """A time on the wall, as both moments that it can mean where clocks are changed."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)

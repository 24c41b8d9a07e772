"""Who is away, who stands in for them, and with whose voice somebody decides. Pure: no clock, no
IO, no vendor.

Depth one: a stand-in has what the absent person's own roles give, never what was lent to that
person; whoever is away stands in for nobody. Each person has one voice on a request: their own
decision, or else the first that a stand-in made for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from governance.domain.approval import Decision
from governance.domain.errors import Refused
from governance.domain.identity import PersonId, Role

MOST_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class Absence:
    """One person is away, up to and including a day; over when now ≥ ends_at."""

    person: PersonId
    stand_in: PersonId | None
    account: str
    """The account with which the absent person said so."""
    began_at: datetime
    last_day: date
    ends_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Over when now ≥ ends_at."""
        return now >= self.ends_at


def end_of(last_day: date, zone: tzinfo) -> datetime:
    """The moment at which a day is over by the clock on that person's wall."""
    return datetime.combine(last_day + timedelta(days=1), time(), zone)


def refuse_bad_day(last_day: date, today: date) -> None:
    """An absence ends, today at the earliest and in `MOST_DAYS` days at the latest.

    Raises:
        Refused: `bad_day`.
    """
    latest = today + timedelta(days=MOST_DAYS)
    if not today <= last_day <= latest:
        raise Refused(
            "bad_day",
            f"An absence ends between today and {latest.isoformat()}, {MOST_DAYS} days ahead; "
            f"{last_day.isoformat()} is not. It can be made longer later.",
        )


def naming(absences: Iterable[Absence], now: datetime) -> Mapping[PersonId, tuple[Absence, ...]]:
    """Stand-in → the running absences that name them: whose conflicts they have, also while they
    are away themselves."""
    found: dict[PersonId, tuple[Absence, ...]] = {}
    for absence in sorted(absences, key=lambda a: a.person):
        if absence.stand_in is not None and not absence.is_over(now):
            found[absence.stand_in] = (*found.get(absence.stand_in, ()), absence)
    return found


def standing_in(
    absences: Iterable[Absence], now: datetime
) -> Mapping[PersonId, tuple[Absence, ...]]:
    """Stand-in → the absences in which they stand in now, and so have that person's voice."""
    told = tuple(absences)
    away = {a.person for a in told if not a.is_over(now)}
    return {who: named for who, named in naming(told, now).items() if who not in away}


def voices(
    decisions: Sequence[Decision],
) -> Mapping[PersonId, Mapping[PersonId, frozenset[Role]]]:
    """Voter → the persons for whom they stood in when they decided → the roles that this gives
    them: none where that person decided themselves, or another stand-in decided for them before.
    Decisions are those in force, oldest first; a person without a role stays in the answer, for
    their conflicts are the stand-in's too."""
    spoken = {d.person for d in decisions}
    found: dict[PersonId, dict[PersonId, frozenset[Role]]] = {}
    for decision in decisions:
        for stood in decision.standing_in:
            roles = frozenset[Role]() if stood.absent in spoken else stood.roles
            found.setdefault(decision.person, {})[stood.absent] = roles
        spoken |= {stood.absent for stood in decision.standing_in if stood.roles}
    return found

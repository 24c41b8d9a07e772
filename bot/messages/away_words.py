"""Who is away, who stands in, and what both are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bot.messages.request_words import day
from governance.domain.absence import Absence
from governance.domain.canonical import Json
from governance.domain.identity import PersonId, Roster

ABOUT = "raj stands in; alone: who is away"
NOBODY = "Nobody is away."


def away_line(absence: Absence, roster: Roster) -> str:
    """Who is away, and who stands in; for everybody to see."""
    who = f"{roster.name_of(absence.person)} is away until {day(absence.last_day)}"
    if absence.stand_in is None:
        return f"{who}, without a stand-in"
    return f"{who}; {roster.name_of(absence.stand_in)} stands in"


def gone(absence: Absence, roster: Roster) -> str:
    """To the person who is away now."""
    line = away_line(absence, roster).replace(f"{roster.name_of(absence.person)} is", "You are", 1)
    seats = (
        " They may fill the seats that your roles could fill, one in all; what you decide yourself "
        "takes the place of what they decided for you."
        if absence.stand_in
        else " Nobody decides for you meanwhile."
    )
    return f"{line}. {day(absence.last_day)} is the last day.{seats} /foureyes back ends it sooner."


def back(ended: Absence, roster: Roster) -> str:
    """To the person who is back."""
    if ended.stand_in is None:
        return "Welcome back."
    return (
        f"Welcome back: {roster.name_of(ended.stand_in)} no longer stands in for you. What was "
        "decided for you stays decided."
    )


def told_of_absence(what: str, facts: Mapping[str, Json], roster: Roster) -> str:
    """A direct message to a stand-in, or to whoever lost theirs."""
    if what == "stand_in_gone":
        name = roster.name_of(PersonId(str(facts["stand_in"])))
        return (
            f"{name}, who stands in for you, is away too now, so nobody decides for you. You can "
            "name somebody else: /foureyes away until DAY NAME."
        )
    name = roster.name_of(PersonId(str(facts["person"])))
    if what == "stands_in_back":
        return f"{name} is back: you no longer stand in for them. What you decided stays decided."
    last = day(date.fromisoformat(str(facts["last_day"])))
    return (
        f"You stand in for {name} until {last}: you may fill the seats that their roles could "
        "fill, one in all with your own. Where either of you made or asked for a version, or is "
        "barred as its owner, you are barred."
    )

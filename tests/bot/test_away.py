"""Away and back, as people type and read it."""

from __future__ import annotations

from dataclasses import replace

from governance.domain.identity import PersonId
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL


def _may_stand_in(office: Office) -> None:
    """Otto for Ana, in people.yaml."""
    rules = office.desk.rules.rules
    ana = replace(rules.roster.people[PersonId("ana")], stand_ins=frozenset({PersonId("otto")}))
    roster = replace(rules.roster, people={**rules.roster.people, ana.id: ana})
    office.desk.rules.rules = replace(rules, roster=roster)


def test_a_stand_in_decides_and_everybody_sees_for_whom(office: Office) -> None:
    """The answer, the channel, the direct messages, the seat, and `/foureyes away`."""
    _may_stand_in(office)
    ana, otto = office.person("ana"), office.person("otto")
    ana.type(CHANNEL, "/foureyes away until 2026-03-24 otto")
    office.reads("ana", "You are away until 24 Mar; Otto stands in")
    office.channel_says("Ana is away until 24 Mar; Otto stands in")
    office.reads("otto", "You stand in for Ana until 24 Mar")
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    assert "Ana is away until 24 Mar; Otto stands in" in otto.sees(message)
    office.reads("otto", "asks for your decision")
    otto.click(message, "Approve")
    office.slack.wait_for(
        lambda: (
            "validator: Otto for Ana (away until 24 Mar)"
            in otto.sees(otto.latest(message) or message)
        )
    )
    assert not [m for m in ana.direct_messages() if "asks for your decision" in ana.sees(m)]
    office.person("vera").type(CHANNEL, "/foureyes away")
    office.reads("vera", "Ana is away until 24 Mar; Otto stands in")
    ana.type(CHANNEL, "/foureyes back")
    office.reads("ana", "Welcome back")
    office.channel_says("Ana is back; Otto no longer stands in")


def test_a_day_that_is_none_and_a_stand_in_who_may_not_are_answered(office: Office) -> None:
    """With what to write instead."""
    ana = office.person("ana")
    ana.type(CHANNEL, "/foureyes away tomorrow")
    office.reads("ana", "Write the last day")
    ana.type(CHANNEL, "/foureyes away until 2026-03-24 raj")
    office.reads("ana", "people.yaml does not name raj under your stand_ins")


def test_who_had_no_stand_in_is_not_told_that_nobody_stands_in_any_more(office: Office) -> None:
    """Nothing was decided for them."""
    ana = office.person("ana")
    ana.type(CHANNEL, "/foureyes away until 2026-03-24")
    office.reads("ana", "You are away until 24 Mar")
    ana.type(CHANNEL, "/foureyes back")
    said = ana.sees(office.reads("ana", "Welcome back"))
    assert "stand" not in said
    assert "decided" not in said

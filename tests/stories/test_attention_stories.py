"""Who is asked, who is reminded and when, and what happens to a seat that stays empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.domain.approval import RequestId, Verdict
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Stage
from governance.domain.identity import PersonId, Role, Roster, SlackAccount
from governance.domain.ledger import EventKind
from governance.domain.policy import Escalation, ModelPolicy, Seats
from governance.domain.promotion import State
from governance.domain.working_hours import working_hours
from governance.ports import NoticeKind
from governance.use_cases.attention import Reminding, look_after
from governance.use_cases.world import World
from tests.builders import (
    MODEL,
    PEOPLE,
    a_person,
    a_policy,
    a_roster,
    a_rule,
    a_snapshot,
    some_rules,
)
from tests.stories.desk import Desk

REMINDING = Reminding(first=timedelta(hours=4), hours=working_hours("Mon-Fri 09:00-17:00"))
"""The clock of the desk shows noon on a Monday."""


def attend(desk: Desk, world: World | None = None) -> None:
    """What the ticker does."""
    assert look_after(world or desk.world, REMINDING) == []


def sent(desk: Desk, what: str) -> list[str]:
    """Who is asked or reminded since the last time."""
    return sorted(
        str(n.person) for n in desk.notices() if n.kind is NoticeKind.ASK and n.what == what
    )


def with_a_lead(after: timedelta = timedelta(hours=4)) -> tuple[ModelPolicy, Roster]:
    """The seat of risk opens to the head of risk, who is lea; dana and her made nothing alike."""
    seats = (
        Seats(role=Role("validator"), count=1),
        Seats(role=Role("risk"), count=1, escalation=Escalation(after=after, to=Role("lead"))),
    )
    people = (*PEOPLE, a_person("lea", "lead"), a_person("lex", "lead"))
    return a_policy(a_rule(Stage.STAGING), a_rule(seats=seats)), a_roster(*people)


@pytest.fixture
def escalating(desk: Desk) -> Desk:
    """A desk whose seat of risk opens to a second role after four hours."""
    desk.rules.rules = some_rules(*with_a_lead())
    return desk


# --- reminders --------------------------------------------------------------------------------


def test_whoever_has_not_decided_is_reminded_after_four_working_hours(desk: Desk) -> None:
    """Not a minute before; the second time after twice as long; each is in the record."""
    request = desk.promote()
    assert sent(desk, "ask") == ["ana", "raj", "rosa", "vera"]
    attend(desk)
    desk.clock.advance(hours=3, minutes=59)
    attend(desk)
    assert sent(desk, "reminder") == []
    desk.clock.advance(minutes=1)
    attend(desk)
    assert sent(desk, "reminder") == ["ana", "raj", "rosa", "vera"]
    attend(desk)
    desk.clock.advance(hours=23)
    attend(desk)
    assert sent(desk, "reminder") == []  # Tuesday, 15:00: seven working hours later
    desk.clock.advance(hours=1)
    attend(desk)
    assert sent(desk, "reminder") == ["ana", "raj", "rosa", "vera"]
    told = [e for e in desk.events() if e["kind"] == EventKind.REMINDED.value]
    assert {e["request"] for e in told} == {request.id}
    assert [e["facts"] for e in told if e["facts"]["person"] == "ana"] == [  # type: ignore[index,call-overload]  # JSON of the record
        {"person": "ana", "number": 1},
        {"person": "ana", "number": 2},
    ]


def test_a_reminder_waits_for_the_working_hours_of_that_person(desk: Desk) -> None:
    """Ana is in New York, Vera says when she works, Raj's zone is none that anybody knows."""
    roster = desk.rules.rules.roster
    vera = replace(
        roster.people[PersonId("vera")], working_hours=working_hours("Mon-Fri 20:00-24:00")
    )
    people = {**roster.people, vera.id: vera}
    desk.rules.rules = replace(desk.rules.rules, roster=replace(roster, people=people))
    desk.accounts.zones = {"U0ANA": "America/New_York", "U0RAJ": "Middle/Earth"}
    desk.promote()
    when: dict[str, datetime] = {}
    for _ in range(36):
        desk.clock.advance(hours=1)
        attend(desk)
        for name in sent(desk, "reminder"):
            when.setdefault(name, desk.clock.now)
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert when == {
        "raj": monday + timedelta(hours=16),
        "rosa": monday + timedelta(hours=16),
        "ana": monday + timedelta(hours=18),  # asked at 7:00 there, at work from 9:00 on
        "vera": monday + timedelta(hours=44),  # her shift of four hours ends with the fourth
    }


def test_a_reminder_stops_when_they_decided_or_the_seat_is_filled(desk: Desk) -> None:
    """Ana fills the validator's seat: Vera could fill none any more, the officers of risk could."""
    request = desk.promote()
    attend(desk)
    desk.vote(request, "ana")
    desk.clock.advance(hours=4)
    attend(desk)
    assert sent(desk, "reminder") == ["raj", "rosa"]


def test_who_asked_for_changes_has_decided(desk: Desk) -> None:
    """The requester is the one to act."""
    request = desk.promote()
    desk.vote(request, "vera", Verdict.ASK_FOR_CHANGES, "Which data?")
    desk.clock.advance(hours=4)
    attend(desk)
    assert "vera" not in sent(desk, "reminder")


@pytest.mark.parametrize("end", ["withdrawn", "expired", "rejected", "approved"])
def test_a_reminder_stops_when_the_request_ends(desk: Desk, end: str) -> None:
    """However it ends."""
    request = desk.promote()
    attend(desk)
    if end == "withdrawn":
        desk.withdraw(request, "dana")
    elif end == "rejected":
        desk.vote(request, "ana", Verdict.REJECT, "No.")
    elif end == "approved":
        desk.vote(request, "ana")
        desk.vote(request, "raj")
    else:
        desk.clock.advance(days=2)
    desk.clock.advance(hours=4)
    attend(desk)
    assert sent(desk, "reminder") == []


def test_a_seat_that_opens_again_is_asked_for_anew(desk: Desk) -> None:
    """Ana takes her vote back: she and Vera are asked, and reminded from the beginning."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.notices()
    desk.clock.advance(hours=3)
    desk.withdraw_vote(request, "ana")
    assert sent(desk, "ask") == ["ana", "vera"]
    desk.clock.advance(hours=1)
    attend(desk)
    assert sent(desk, "reminder") == ["raj", "rosa"]


def test_who_may_fill_a_seat_by_now_is_asked_at_the_next_look(desk: Desk) -> None:
    """Vera lost her role for an hour; nothing else happened on the request."""
    desk.promote()
    desk.with_roles("vera")
    attend(desk)
    desk.notices()
    desk.with_roles("vera", "validator")
    attend(desk)
    assert sent(desk, "ask") == ["vera"]


def test_nobody_is_asked_or_reminded_who_is_barred(desk: Desk) -> None:
    """Raj made it, Dana asks, Otto holds no role, and Vera's account is new."""
    desk.registry.change(MODEL, 4, author_claims=a_snapshot(author="raj").author_claims)
    desk.promote()
    assert sent(desk, "ask") == ["ana", "rosa", "vera"]
    roster = desk.rules.rules.roster
    vera = replace(roster.people[PersonId("vera")], slack=frozenset({SlackAccount("U0NEW")}))
    people = {**roster.people, vera.id: vera}
    desk.rules.rules = replace(desk.rules.rules, roster=replace(roster, people=people))
    attend(desk)
    desk.clock.advance(hours=4)
    attend(desk)
    assert sent(desk, "reminder") == ["ana", "rosa"]


def test_while_slack_does_not_say_the_time_zone_nobody_is_reminded_and_nobody_is_lost(
    desk: Desk,
) -> None:
    """Not at midnight by guess; the next look sends it."""
    desk.promote()
    desk.clock.advance(hours=4)
    desk.accounts.is_down = True
    assert [type(p) for p in look_after(desk.world, REMINDING)] == [Unavailable]
    assert sent(desk, "reminder") == []
    desk.accounts.is_down = False
    attend(desk)
    assert sent(desk, "reminder") == ["ana", "raj", "rosa", "vera"]


@pytest.fixture
def other(desk: Desk, database_url: str) -> Iterator[World]:
    """A second replica with nothing in common but the database."""
    heads = HeadFile(desk.heads.path)
    store = open_store(database_url, heads, clock=desk.clock)
    yield replace(desk.world, store=store, heads=heads, holder="the other replica")
    store.close()


def test_two_replicas_remind_once(desk: Desk, other: World) -> None:
    """Both read that it is due; the store gives it to one."""
    desk.promote()
    desk.clock.advance(hours=4)
    with desk.store.read() as tx:
        seen = tx.due_asks()
    with desk.store.transaction() as tx:
        assert [tx.claim_reminder(ask) for ask in seen] == [True] * 4
    with other.store.transaction() as tx:
        assert [tx.claim_reminder(ask) for ask in seen] == [False] * 4
    attend(desk, other)
    attend(desk)
    assert sent(desk, "reminder") == []


# --- escalation -------------------------------------------------------------------------------


def test_an_empty_seat_is_opened_to_the_second_role_and_its_people_are_asked(
    escalating: Desk,
) -> None:
    """Not before its time; recorded once, told in the thread, and the seat is filled by Lea."""
    desk = escalating
    request = desk.promote()
    assert "lea" not in sent(desk, "ask")
    desk.clock.advance(hours=3, minutes=59)
    attend(desk)
    with pytest.raises(Refused, match="asks for risk or validator, and Lea is none"):
        desk.vote(request, "lea")
    desk.clock.advance(minutes=1)
    attend(desk)
    attend(desk)
    notices = desk.notices()
    told = [n for n in notices if n.what == "escalated"]
    assert [n.facts for n in told] == [{"role": "risk", "to": "lead", "after_ms": 14_400_000}]
    asked = {str(n.person) for n in notices if n.kind is NoticeKind.ASK and n.what == "ask"}
    assert asked == {"lea", "lex"}
    assert desk.kinds().count(EventKind.SEAT_ESCALATED.value) == 1
    desk.vote(request, "ana")
    approved = desk.vote(request, "lea")
    assert approved.state is State.APPROVED
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert seats(desk, request.id) == [["risk", "lea"], ["validator", "ana"]]


def test_a_vote_of_the_second_role_opens_the_seat_itself_when_its_time_has_come(
    escalating: Desk,
) -> None:
    """Nobody is refused because the ticker is late."""
    desk = escalating
    request = desk.promote()
    desk.clock.advance(hours=4)
    desk.vote(request, "lea")
    assert desk.kinds().count(EventKind.SEAT_ESCALATED.value) == 1


def test_a_seat_that_was_filled_in_time_is_not_opened(escalating: Desk) -> None:
    """And one that was opened stays open when its vote is taken back."""
    desk = escalating
    request = desk.promote()
    desk.vote(request, "raj")
    desk.clock.advance(hours=5)
    attend(desk)
    assert EventKind.SEAT_ESCALATED.value not in desk.kinds()
    desk.withdraw_vote(request, "raj")
    attend(desk)
    assert desk.request(request.id).escalated == {"risk"}


def test_escalation_lets_nobody_in_who_made_it(escalating: Desk) -> None:
    """Lea asked for it: Lex is asked, she is not, and her click is refused."""
    desk = escalating
    request = desk.promote(by="lea")
    desk.notices()
    desk.clock.advance(hours=4)
    attend(desk)
    assert sent(desk, "ask") == ["lex"]
    with pytest.raises(Refused, match="Lea opened this request"):
        desk.vote(request, "lea")


def test_somebody_added_to_the_second_role_later_does_not_count(escalating: Desk) -> None:
    """As for every role."""
    desk = escalating
    request = desk.promote()
    desk.with_roles("otto", "lead")
    desk.notices()
    desk.clock.advance(hours=4)
    attend(desk)
    assert "otto" not in sent(desk, "ask")
    with pytest.raises(Refused, match="Otto was none of these when it was opened"):
        desk.vote(request, "otto")


def test_a_request_opened_under_another_escalation_is_void(escalating: Desk) -> None:
    """Who may approve is part of what an approval binds."""
    desk = escalating
    request = desk.promote()
    desk.rules.rules = some_rules(*with_a_lead(timedelta(hours=1)))
    desk.clock.advance(hours=4)
    attend(desk)
    assert desk.request(request.id).escalated == frozenset()
    desk.look_around()
    assert desk.request(request.id).state is State.VOIDED


def seats(desk: Desk, request_id: RequestId) -> object:
    """Who filled which seat, by the record."""
    intended = [
        e
        for e in desk.events()
        if e["kind"] == EventKind.TRANSITION_INTENDED.value and e["request"] == request_id
    ]
    facts = intended[-1]["facts"]
    assert isinstance(facts, dict)
    return facts["seats"]

"""What a person's Home tells is what they could do at that moment, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from bot.messages.home_words import asked_text
from governance.adapters.sql_store import SqlStore
from governance.domain.approval import Verdict
from governance.domain.errors import Refused
from governance.domain.evidence import Stage
from governance.domain.identity import Actor, PersonId, Role, SlackAccount
from governance.domain.ledger import EventKind
from governance.domain.policy import Seats
from governance.domain.promotion import State
from governance.ports import Drill
from governance.use_cases.home import Home, home_for, read_board
from tests.builders import (
    MODEL,
    a_content,
    a_policy,
    a_roster,
    a_rule,
    a_snapshot,
    some_rules,
)
from tests.stories.desk import Desk


def home(desk: Desk, name: str, account: str | None = None) -> Home:
    """What somebody's Home tells now."""
    rules = desk.rules.current()
    with desk.store.read() as tx:
        board = read_board(tx, rules, [PersonId(name)])
    found = home_for(board, desk.actor(name, account))
    assert found is not None
    return found


def waits_for(desk: Desk, *names: str) -> list[str]:
    """Those of these people for whom something waits."""
    return [name for name in names if home(desk, name).waiting]


EVERYBODY = ("dana", "ana", "vera", "raj", "rosa", "otto")


def test_a_request_waits_for_those_whose_approval_fills_a_seat(desk: Desk) -> None:
    """Until the seat is taken; whoever holds both roles is asked as long as one is free."""
    request = desk.promote()
    assert waits_for(desk, *EVERYBODY) == ["ana", "vera", "raj", "rosa"]
    desk.vote(request, "ana")
    assert waits_for(desk, *EVERYBODY) == ["raj", "rosa"]
    desk.withdraw_vote(request, "ana")
    assert waits_for(desk, *EVERYBODY) == ["ana", "vera", "raj", "rosa"]
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    assert waits_for(desk, *EVERYBODY) == []


def test_what_waits_could_be_approved_at_that_moment(desk: Desk) -> None:
    """Home and the vote agree, for everybody."""
    request = desk.promote()
    waiting = waits_for(desk, *EVERYBODY)
    counted = []
    for name in EVERYBODY:
        try:
            desk.vote(request, name)
        except Refused:
            continue
        counted.append(name)
        desk.withdraw_vote(request, name)
    assert counted == waiting


def test_an_account_that_was_added_later_is_not_asked(desk: Desk) -> None:
    """Ana's second account came after the request was opened."""
    desk.promote()
    people = [
        replace(p, slack=p.slack | {SlackAccount("U0ANA2")}) if p.id == "ana" else p
        for p in desk.rules.rules.roster.people.values()
    ]
    desk.rules.rules = some_rules(roster=a_roster(*people))
    assert home(desk, "ana").waiting
    assert not home(desk, "ana", "U0ANA2").waiting


def test_nobody_is_asked_for_what_a_vote_would_only_end(desk: Desk) -> None:
    """The policy changed, or the time is over, and the ticker has not been there yet."""
    desk.promote()
    assert home(desk, "ana").waiting
    three = a_rule(seats=(Seats(role=Role("validator"), count=2),))
    changed = a_policy(a_rule(Stage.STAGING), three)
    before = desk.rules.rules
    desk.rules.rules = some_rules(changed)
    assert not home(desk, "ana").waiting
    desk.rules.rules = before
    assert home(desk, "ana").waiting
    desk.clock.advance(days=2)
    assert not home(desk, "ana").waiting


def test_whoever_asked_for_changes_is_still_asked_and_the_requester_reads_which(
    desk: Desk,
) -> None:
    """The request goes on."""
    request = desk.promote()
    desk.vote(request, "raj", Verdict.ASK_FOR_CHANGES, "Name the data set.")
    (waiting,) = home(desk, "raj").waiting
    assert waiting.said is Verdict.ASK_FOR_CHANGES
    (asked,) = home(desk, "dana").asked
    assert asked.changes == ((PersonId("raj"), "Name the data set."),)


def test_what_ended_lately_is_told_to_whoever_asked(desk: Desk) -> None:
    """With how it ended, five at most, and for thirty days."""
    for _time in range(6):
        request = desk.promote()
        desk.vote(request, "raj", Verdict.REJECT, "no")
        desk.clock.advance(minutes=1)
    last = desk.promote()
    asked = home(desk, "dana").asked
    assert asked[0].request.id == last.id
    assert [a.request.state for a in asked] == [State.PENDING, *[State.REJECTED] * 5]
    assert home(desk, "ana").asked == ()
    desk.withdraw(last, "dana")
    desk.clock.advance(days=31)
    assert home(desk, "dana").asked == ()


def test_a_request_that_was_carried_out_says_what_replaced_its_version(desk: Desk) -> None:
    """“Done” alone would be read as if that version still ran."""
    request = desk.promoted()
    assert home(desk, "dana").asked[0].replaced is None
    desk.roll_back()
    (asked,) = home(desk, "dana").asked
    assert asked.request.id == request.id
    assert asked.replaced is not None
    assert asked.replaced.version == 3
    said = asked_text(asked, desk.rules.current().roster).splitlines()
    assert said[-1].startswith("v3 is in Production instead since <!date^")


def test_an_owner_sees_production_as_the_record_has_it(desk: Desk) -> None:
    """Adopted, promoted, rolled back; also while MLflow is down."""
    assert [m.production for m in home(desk, "dana").models] == [3]
    desk.promoted()
    desk.registry.is_down = True
    assert [m.production for m in home(desk, "dana").models] == [4]
    desk.registry.is_down = False
    desk.roll_back()
    assert [m.production for m in home(desk, "dana").models] == [3]
    assert home(desk, "ana").models == ()


def test_an_owner_of_a_glob_sees_each_of_its_models(desk: Desk) -> None:
    """Those that are in Production."""
    desk.rules.rules = some_rules(replace(a_policy(), pattern="credit_*"))
    assert [m.model for m in home(desk, "dana").models] == [MODEL]


def test_recent_decisions_are_those_that_concern_a_person(desk: Desk) -> None:
    """Their own, those on their requests, those about their models; nobody else's."""
    request = desk.promote(by="otto")
    desk.vote(request, "ana")
    for name, sees in (("ana", True), ("otto", True), ("dana", True), ("raj", False)):
        kinds = [h.kind for h in home(desk, name).lately]
        assert (EventKind.DECISION_MADE in kinds) == sees, name


def test_an_account_of_nobody_has_no_home(desk: Desk) -> None:
    """Whatever is open."""
    desk.promote()
    with desk.store.read() as tx:
        board = read_board(tx, desk.rules.current(), [])
    assert home_for(board, Actor(person=None, account="U0MALLORY", via="slack")) is None
    gone = Actor(person=PersonId("gone"), account="U0GONE", via="slack")
    assert home_for(board, gone) is None


@pytest.mark.parametrize("everybody", [("ana",), EVERYBODY])
def test_home_is_read_in_as_many_statements_for_twenty_requests_as_for_one(
    desk: Desk, everybody: tuple[str, ...]
) -> None:
    """However many people look, and however many models they own."""
    assert isinstance(desk.store, SqlStore)
    engine: Engine = desk.store._engine  # the only place where statements are seen
    statements: list[str] = []

    def seen(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    def read() -> int:
        statements.clear()
        with desk.store.read() as tx:
            board = read_board(tx, desk.rules.current(), [PersonId(n) for n in everybody])
        for name in everybody:
            assert home_for(board, desk.actor(name)) is not None
        return len(statements)

    desk.promote()
    event.listen(engine, "before_cursor_execute", seen)
    one = read()
    event.remove(engine, "before_cursor_execute", seen)
    for number in range(10, 30):
        desk.registry.add(a_snapshot(number), a_content(number))
        desk.staged(number)
        desk.promote(number)
    event.listen(engine, "before_cursor_execute", seen)
    many = read()
    event.remove(engine, "before_cursor_execute", seen)
    assert many == one
    assert len(home(desk, "ana").waiting) == 21


def test_an_owner_is_told_of_a_drill_that_does_not_hold(desk: Desk) -> None:
    """As `/model` tells it."""
    drill = Drill(model=MODEL, drilled_at=desk.clock.now, passed=False, findings=())
    with desk.store.transaction() as tx:
        tx.save_drill(drill)
    (owned,) = home(desk, "dana").models
    assert owned.drill == drill

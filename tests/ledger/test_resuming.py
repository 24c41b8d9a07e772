"""After any attack an operator says what happened, promotions go on, and the excuse covers nothing
that comes later."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from governance.domain.errors import IntegrityViolation, Refused
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import EventKind, Head
from governance.domain.promotion import Request, State
from governance.use_cases.audit import quick_check, resume, verify
from tests.ledger.owner import (
    Owner,
    a_cut_tail,
    a_record_less,
    an_edited_name,
    an_empty_log,
    bodies,
    write_anew,
)
from tests.stories.desk import Desk

OPERATOR = Actor(person=PersonId("otto"), account="otto", via="command line")


@pytest.mark.parametrize("attack", [an_edited_name, a_cut_tail, an_empty_log])
def test_a_promotion_that_was_stopped_goes_through_after_the_gap_is_recorded(
    desk: Desk, owner: Owner, attack: Callable[[Connection], None]
) -> None:
    """Its approvals still count; each contradiction is a recorded gap, and none is lost."""
    desk.promoted()
    request = _approved_again(desk)
    with owner.at_work() as connection:
        attack(connection)
    desk.push_on()
    assert desk.production() == (4,)
    before = verify(desk.store, desk.heads).problems
    resumed(desk)
    found = verify(desk.store, desk.heads)
    assert found.problems == ()
    assert set(found.gaps) >= set(before)
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert desk.production() == (5,)
    assert not desk.roll_back(from_version=5, to_version=4).record_in_doubt


def test_a_record_that_is_missing_in_the_middle_cannot_be_excused(desk: Desk, owner: Owner) -> None:
    """The heads become gaps, and each record that stands in another's place stays wrong: those
    bytes have to be restored."""
    desk.promoted()
    with owner.at_work() as connection:
        a_record_less(connection)
        moved = len(bodies(connection)) - 1
    resumed(desk)
    found = verify(desk.store, desk.heads)
    places = range(2, 2 + moved)
    assert found.problems == tuple(f"record {place} says it is another one" for place in places)
    assert found.gaps


def test_the_record_says_who_resumed_why_and_over_what(desk: Desk, owner: Owner) -> None:
    """Both heads, the kept one and the one that was found, and each problem."""
    desk.promoted()
    kept = desk.heads.all()[-1].head
    with owner.at_work() as connection:
        a_cut_tail(connection)
    found = verify(desk.store, desk.heads)
    after = resumed(desk)
    event = desk.events()[-1]
    assert event["kind"] == EventKind.GAP_RECORDED.value
    assert (event["person"], event["via"]) == ("otto", "command line")
    assert event["why"] == "restored a backup"
    assert event["facts"] == {
        "head_size": kept.size,
        "head_root": kept.root.hex(),
        "log_size": found.head.size,
        "log_root": found.head.root.hex(),
        "problems": list(found.problems),
        "more_problems": 0,
        "tables": [
            "the table of stays says otherwise of credit_scoring than the record",
            "the table of requests says otherwise of credit_scoring than the record",
        ],
    }
    last = desk.heads.all()[-1]
    assert (last.head, last.resumed) == (after, True)


@pytest.mark.parametrize("attack", [an_edited_name, a_cut_tail])
def test_every_later_contradiction_is_one_again(
    desk: Desk, owner: Owner, attack: Callable[[Connection], None]
) -> None:
    """Also one of the records that stood before the gap; and it can be recorded in its turn."""
    desk.promoted()
    with owner.at_work() as connection:
        a_cut_tail(connection)
    resumed(desk)
    request = _approved_again(desk)
    with owner.at_work() as connection:
        attack(connection)
    desk.push_on()
    assert desk.production() == (4,)
    assert not verify(desk.store, desk.heads).ok
    with desk.store.read() as tx, pytest.raises(IntegrityViolation):
        quick_check(tx, desk.heads)
    assert desk.roll_back().record_in_doubt
    assert desk.production() == (3,)
    assert desk.request(request.id).state is not State.COMPLETED


def test_a_gap_that_the_attacker_records_excuses_nothing(desk: Desk, owner: Owner) -> None:
    """A forged excuse in the log has no resumption among the heads."""
    desk.promoted()
    kept = desk.heads.all()
    lines = desk.heads.path.read_bytes()
    with owner.at_work() as connection:
        a_cut_tail(connection)
    resumed(desk)
    desk.heads.path.write_bytes(lines)  # the log holds the record of a gap, and nobody resumed
    assert [k.resumed for k in kept] == [False] * len(kept)
    found = verify(desk.store, desk.heads)
    assert not found.ok
    assert found.gaps == ()


def test_a_resumption_whose_record_is_cut_excuses_nothing(desk: Desk, owner: Owner) -> None:
    """The line among the heads is not enough either."""
    desk.promoted()
    with owner.at_work() as connection:
        a_cut_tail(connection)
    resumed(desk)
    with owner.at_work() as connection:
        write_anew(connection, bodies(connection)[:-1])
    found = verify(desk.store, desk.heads)
    assert not found.ok
    assert found.gaps == ()


def test_heads_that_were_deleted_stop_a_promotion_until_somebody_says_why(desk: Desk) -> None:
    """A rollback is marked meanwhile, and not afterwards."""
    desk.promoted()
    request = _approved_again(desk)
    desk.heads.path.unlink()
    desk.push_on()
    assert desk.production() == (4,)
    assert "no head of it is kept" in desk.request(request.id).note
    found = verify(desk.store, desk.heads)
    assert found.problems == ("no head of this log is kept outside the database",)
    assert desk.heads.all() == ()
    resumed(desk)
    assert verify(desk.store, desk.heads).ok
    desk.push_on()
    assert desk.production() == (5,)
    assert not desk.roll_back(from_version=5, to_version=4).record_in_doubt


def test_nobody_resumes_a_record_that_holds_or_without_a_reason(desk: Desk, owner: Owner) -> None:
    """Nothing is recorded, and no head is kept for it."""
    desk.promoted()
    kept, kinds = desk.heads.all(), desk.kinds()
    with pytest.raises(Refused) as refusal:
        resumed(desk)
    assert refusal.value.code == "no_gap"
    assert (desk.heads.all(), desk.kinds()) == (kept, kinds)
    with owner.at_work() as connection:
        a_cut_tail(connection)
    with pytest.raises(Refused) as refusal:
        resume(desk.store, desk.heads, actor=OPERATOR, reason=" \n")
    assert refusal.value.code == "reason_missing"
    assert (desk.heads.all(), desk.kinds()) == (kept, kinds[:-2])


def resumed(desk: Desk) -> Head:
    """What `foureyes audit resume` does."""
    return resume(desk.store, desk.heads, actor=OPERATOR, reason="restored a backup")


def _approved_again(desk: Desk) -> Request:
    """v5, with every approval that it needs; nothing has tried to carry it out."""
    desk.staged(5)
    request = desk.promote(5)
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    assert desk.request(request.id).state is State.APPROVED
    return request

"""Whoever owns the database rewrites the record; the heads outside it tell. Each story ends with a
record that does not verify, with promotions that stop, and with a rollback that still works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from governance.adapters.sql_store import open_store
from governance.domain.errors import IntegrityViolation
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind
from governance.domain.promotion import Request, State
from governance.use_cases.audit import quick_check, verify
from tests.ledger.owner import ATTACKS, Owner, an_edited_name, bodies, write_anew
from tests.stories.desk import Desk

OPERATOR = Actor(person=PersonId("otto"), account="otto", via="command line")


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_the_owner_of_the_database_rewrites_shows(
    desk: Desk, owner: Owner, attack: Callable[[Connection], None]
) -> None:
    """All hashes in the database are right, and still: no promotion, a marked rollback."""
    desk.promoted()
    request = _asked_again(desk)
    with owner.at_work() as connection:
        attack(connection)
    assert not verify(desk.store, desk.heads).ok
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.push_on()
    assert desk.production() == (4,)
    assert desk.request(request.id).state is State.APPROVED
    assert "contradicts" in desk.request(request.id).note
    assert desk.roll_back().record_in_doubt
    assert desk.production() == (3,)


def test_an_older_copy_that_grew_again_shows(desk: Desk, owner: Owner) -> None:
    """As long as before, with other records: the head of that size is not this log's."""
    with owner.at_work() as connection:
        old = bodies(connection)
    request = _asked_again(desk)
    size = _size(desk)
    with owner.at_work() as connection:
        write_anew(connection, old)
    while _size(desk) < size:
        _something_happens(desk)
    assert not verify(desk.store, desk.heads).ok
    with desk.store.read() as tx, pytest.raises(IntegrityViolation):
        quick_check(tx, desk.heads)
    assert desk.request(request.id).is_open


def test_an_older_copy_of_the_database_is_no_way_back(
    desk: Desk, owner: Owner, tmp_path: Path
) -> None:
    """Raj took his approval back; the copy from before still holds it, with every row and trigger
    as it was. Its promotion does not happen, however often it is tried."""
    desk.promoted()
    request = _asked_again(desk)
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    copy = owner.copied(tmp_path)
    desk.withdraw_vote(request, "raj")
    older = open_store(copy, desk.heads, clock=desk.clock)
    desk.store = older
    assert desk.request(request.id).state is State.APPROVED
    for _ in range(3):
        desk.push_on()
        _something_happens(desk)
    assert desk.production() == (4,)
    assert "contradicts" in desk.request(request.id).note
    assert not verify(older, desk.heads).ok
    assert desk.roll_back().record_in_doubt
    older.close()


def test_heads_that_were_deleted_stop_promotions_too(desk: Desk) -> None:
    """A record that nothing vouches for is no record."""
    desk.promoted()
    desk.heads.path.unlink()
    _something_happens(desk)
    assert not verify(desk.store, desk.heads).ok
    with desk.store.read() as tx, pytest.raises(IntegrityViolation):
        quick_check(tx, desk.heads)


def test_heads_that_were_cut_back_vouch_for_less_and_say_so(desk: Desk) -> None:
    """An attacker with both can go back only to where both were: the answer names how far the
    record is vouched for."""
    desk.promoted()
    lines = desk.heads.path.read_text().splitlines(keepends=True)
    desk.heads.path.write_text("".join(lines[:2]))
    found = verify(desk.store, desk.heads)
    assert found.ok
    assert found.anchored_size < found.head.size


def test_what_is_recorded_after_an_attack_vouches_for_nothing(desk: Desk, owner: Owner) -> None:
    """Else the next record would make the forgery the newest head's own log."""
    desk.promoted()
    kept = desk.heads.all()
    with owner.at_work() as connection:
        an_edited_name(connection)
    _something_happens(desk)
    assert desk.heads.all() == kept
    assert not verify(desk.store, desk.heads).ok


def test_a_crash_after_the_very_first_record_stops_nobody(desk: Desk) -> None:
    """The head of the empty log was kept before it."""
    first = desk.heads.path.read_text().splitlines(keepends=True)[0]
    desk.heads.path.write_text(first)
    with desk.store.read() as tx:
        quick_check(tx, desk.heads)
    _something_happens(desk)
    found = verify(desk.store, desk.heads)
    assert found.ok
    assert found.anchored_size == found.head.size


def _asked_again(desk: Desk) -> Request:
    """A request for v5, which is in Staging."""
    desk.staged(5)
    return desk.promote(5)


def _size(desk: Desk) -> int:
    with desk.store.read() as tx:
        return tx.head().size


def _something_happens(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        tx.record(Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=OPERATOR))

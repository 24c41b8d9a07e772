"""Whoever owns the database rewrites the record; the heads outside it tell. Each story ends with a
record that does not verify, with promotions that stop, and with a rollback that still works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from governance.domain.errors import IntegrityViolation, Refused
from governance.domain.evidence import Stage
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind
from governance.domain.promotion import Request, State
from governance.use_cases.audit import quick_check, resume, verify
from tests.builders import MODEL
from tests.ledger.owner import ATTACKS, Owner, a_cut_tail, an_edited_name, bodies, write_anew
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


def test_a_body_that_was_changed_and_no_hash_shows_in_a_whole_verification(
    desk: Desk, owner: Owner
) -> None:
    """The newest root by itself would not tell; the tree does."""
    desk.promoted()
    with owner.at_work() as connection:
        changed = bodies(connection)[1].replace(b'"dana"', b'"vera"')
        connection.execute(text("UPDATE ledger SET body = :b WHERE seq = 2"), {"b": changed})
    found = verify(desk.store, desk.heads)
    assert any("the first" in problem or "head" in problem for problem in found.problems)


def test_an_operator_records_a_cut_and_promotions_go_on(desk: Desk, owner: Owner) -> None:
    """The gap is in the record for good, and in every verification from then on."""
    desk.promoted()
    with owner.at_work() as connection:
        a_cut_tail(connection)
    with pytest.raises(Refused, match="reason"):
        resume(desk.store, desk.heads, actor=OPERATOR, reason=" ")
    resume(desk.store, desk.heads, actor=OPERATOR, reason="restored Tuesday's backup")
    found = verify(desk.store, desk.heads)
    assert found.ok
    assert found.gaps
    with desk.store.read() as tx:
        quick_check(tx, desk.heads)
    assert desk.kinds()[-1] == EventKind.GAP_RECORDED.value
    with pytest.raises(Refused, match="nothing to resume"):
        resume(desk.store, desk.heads, actor=OPERATOR, reason="again")


def test_a_second_cut_after_a_recorded_gap_shows_again(desk: Desk, owner: Owner) -> None:
    """The excuse is for one gap alone, and it vanishes with its record."""
    desk.promoted()
    with owner.at_work() as connection:
        a_cut_tail(connection)
    resume(desk.store, desk.heads, actor=OPERATOR, reason="restored a backup")
    _asked_again(desk)
    with owner.at_work() as connection:
        a_cut_tail(connection)
    assert not verify(desk.store, desk.heads).ok
    with desk.store.read() as tx, pytest.raises(IntegrityViolation):
        quick_check(tx, desk.heads)


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
    desk.registry.change(MODEL, 5, stage=Stage.STAGING)
    desk.look_around()
    return desk.promote(5)


def _size(desk: Desk) -> int:
    with desk.store.read() as tx:
        return tx.head().size


def _something_happens(desk: Desk) -> None:
    with desk.store.transaction() as tx:
        tx.record(Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=OPERATOR))

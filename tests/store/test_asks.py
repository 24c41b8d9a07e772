"""Who is asked to decide: what the port promises, on both databases."""

from __future__ import annotations

from datetime import timedelta

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import RequestId
from governance.domain.identity import PersonId
from governance.ports import Ask
from tests.builders import NOON
from tests.stories.desk import HandClock

R1, R2 = RequestId("r1"), RequestId("r2")
ANA, RAJ = PersonId("ana"), PersonId("raj")


def test_somebody_is_asked_once_until_it_ends(store: SqlStore, clock: HandClock) -> None:
    """And anew after that, from the beginning."""
    with store.transaction() as tx:
        assert tx.begin_ask(R1, RAJ)
        assert tx.begin_ask(R1, ANA)
        assert tx.begin_ask(R2, ANA)
        assert not tx.begin_ask(R1, ANA)
        (asked, _raj) = tx.asks(R1)
        assert asked == Ask(request_id=R1, person=ANA, asked_at=NOON, last_at=NOON, reminders=0)
        assert tx.claim_reminder(asked)
        tx.end_ask(R1, ANA)
        tx.end_ask(R1, ANA)
        assert [a.person for a in tx.asks(R1)] == [RAJ]
        assert [a.person for a in tx.asks(R2)] == [ANA]
    clock.advance(hours=1)
    with store.transaction() as tx:
        assert tx.begin_ask(R1, ANA)
        later = NOON + timedelta(hours=1)
        assert tx.asks(R1)[0] == Ask(
            request_id=R1, person=ANA, asked_at=later, last_at=later, reminders=0
        )


def test_an_ask_is_due_until_it_is_planned_and_when_its_time_has_come(
    store: SqlStore, clock: HandClock
) -> None:
    """Due when now ≥ the moment."""
    with store.transaction() as tx:
        tx.begin_ask(R1, ANA)
        (ask,) = tx.due_asks()
        tx.plan_ask(ask, NOON + timedelta(hours=4))
        assert tx.due_asks() == ()
    clock.advance(hours=4, microseconds=-1)
    with store.read() as tx:
        assert tx.due_asks() == ()
    clock.advance(microseconds=1)
    with store.read() as tx:
        assert tx.due_asks() == (ask,)


def test_a_reminder_is_claimed_once_and_counted(store: SqlStore, clock: HandClock) -> None:
    """Whoever read it before somebody else claimed it, or before it ended, claims nothing."""
    with store.transaction() as tx:
        tx.begin_ask(R1, ANA)
        (ask,) = tx.asks(R1)
    clock.advance(hours=4)
    with store.transaction() as tx:
        assert tx.claim_reminder(ask)
    with store.transaction() as tx:
        assert not tx.claim_reminder(ask)
        tx.plan_ask(ask, NOON + timedelta(days=9))  # of what was read before: nothing
        (again,) = tx.due_asks()
        assert (again.reminders, again.last_at) == (1, NOON + timedelta(hours=4))
        tx.end_ask(R1, ANA)
        assert not tx.claim_reminder(again)
        tx.begin_ask(R1, ANA)
        assert not tx.claim_reminder(again)

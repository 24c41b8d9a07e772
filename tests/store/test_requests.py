"""Requests, decisions and intents: what the port promises of each, on both databases."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import RequestId, Verdict
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import PersonId
from governance.domain.promotion import State
from governance.ports import Intent, IntentId, IntentKind
from tests.builders import MODEL, NOON, a_decision, a_request, a_snapshot
from tests.stories.desk import HandClock

REQUEST = a_request()


class Broken(Exception):
    """Something inside the block."""


def test_a_request_comes_back_as_it_was_stored(store: SqlStore) -> None:
    """Every field, digests and snapshots too."""
    with store.transaction() as tx:
        tx.add_request(REQUEST)
    with store.read() as tx:
        assert tx.request(REQUEST.id) == REQUEST
        assert tx.open_requests() == (REQUEST,)
        assert tx.open_requests(ModelName("other")) == ()
        assert tx.requests(MODEL) == (REQUEST,)


def test_nothing_is_stored_when_the_block_fails(store: SqlStore) -> None:
    """All or nothing."""
    with suppress(Broken), store.transaction() as tx:
        tx.add_request(REQUEST)
        tx.add_decision(a_decision("ana"))
        raise Broken
    with store.read() as tx:
        assert tx.open_requests() == ()
        assert tx.past_decisions(REQUEST.id) == ()
    with store.read() as tx, pytest.raises(Refused) as refusal:
        tx.request(REQUEST.id)
    assert refusal.value.code == "no_such_request"


def test_one_request_is_open_for_a_version_and_stage(store: SqlStore) -> None:
    """Another stage, another version, or a later one is fine; the transaction goes on."""
    with store.transaction() as tx:
        tx.add_request(REQUEST)
        with pytest.raises(Conflict) as conflict:
            tx.add_request(replace(REQUEST, id=RequestId("r2")))
        assert conflict.value.code == "already_open"
        tx.add_request(replace(REQUEST, id=RequestId("r3"), target=Stage.STAGING))
        other = replace(REQUEST, id=RequestId("r4"), version=Version(5), snapshot=a_snapshot(5))
        tx.add_request(other)
        tx.save_request(replace(REQUEST, state=State.WITHDRAWN))
        tx.add_request(replace(REQUEST, id=RequestId("r5")))
    with store.read() as tx:
        assert {r.id for r in tx.open_requests(MODEL)} == {"r3", "r4", "r5"}
        assert len(tx.requests(MODEL, limit=2)) == 2


def test_a_request_that_changed_meanwhile_is_not_written_over(store: SqlStore) -> None:
    """The revision decides, not who comes last."""
    with store.transaction() as tx:
        tx.add_request(REQUEST)
    with store.transaction() as tx:
        seen = tx.request(REQUEST.id)
        assert tx.save_request(replace(seen, note="first")).revision == seen.revision + 1
    with store.transaction() as tx:
        with pytest.raises(Conflict) as conflict:
            tx.save_request(replace(seen, note="second"))
        assert conflict.value.code == "changed_meanwhile"
        assert tx.request(REQUEST.id).note == "first"


def test_one_decision_of_a_person_is_in_force(store: SqlStore, clock: HandClock) -> None:
    """Ask for changes, then approve, withdraw, approve again: all are kept, one counts."""
    with store.transaction() as tx:
        tx.add_request(REQUEST)
        tx.add_decision(a_decision("ana", Verdict.ASK_FOR_CHANGES, comment="data?"))
        tx.add_decision(a_decision("ana"))
        tx.add_decision(a_decision("raj"))
        with pytest.raises(Refused) as refusal:
            tx.add_decision(a_decision("ana"))
        assert refusal.value.code == "already_decided"
    clock.advance(minutes=1)
    with store.transaction() as tx:
        assert tx.end_decision(REQUEST.id, PersonId("ana"), "withdrawn") == a_decision("ana")
        assert tx.end_decision(REQUEST.id, PersonId("ana"), "withdrawn") is None
        assert tx.decisions(REQUEST.id) == (a_decision("raj"),)
        tx.add_decision(a_decision("ana"))
    with store.read() as tx:
        past = tx.past_decisions(REQUEST.id)
        assert [(p.decision.person, p.decision.verdict.value, p.ended_why) for p in past] == [
            ("ana", "ask_for_changes", "replaced by a later decision"),
            ("ana", "approve", "withdrawn"),
            ("raj", "approve", ""),
            ("ana", "approve", ""),
        ]
        assert past[1].ended_at == clock.now


def test_one_intent_stands_for_a_request_and_is_closed_once(store: SqlStore) -> None:
    """Rollbacks have none, and may be many."""
    intent = Intent(
        id=IntentId(0),
        kind=IntentKind.PROMOTION,
        model=MODEL,
        from_version=Version(3),
        to_version=Version(4),
        stage=Stage.PRODUCTION,
        request_id=REQUEST.id,
        person=PersonId("dana"),
        account="U0DANA",
        via="slack",
        why="better",
        created_at=NOON,
    )
    rollback = replace(intent, kind=IntentKind.ROLLBACK, request_id=None)
    with store.transaction() as tx:
        first = tx.add_intent(intent)
        with pytest.raises(Conflict) as conflict:
            tx.add_intent(intent)
        assert conflict.value.code == "already_intended"
        others = [tx.add_intent(rollback), tx.add_intent(replace(rollback, model=ModelName("b")))]
    with store.transaction() as tx:
        assert [i.id for i in tx.open_intents()] == [first, *others]
        assert tx.open_intents(MODEL)[0] == replace(intent, id=first)
        assert tx.close_intent(first, "done")
        assert not tx.close_intent(first, "done")
        assert [i.id for i in tx.open_intents(MODEL)] == [others[0]]

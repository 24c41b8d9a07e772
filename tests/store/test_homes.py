"""Whose Home is kept up to date, and what a Home is told from, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import RequestId, Verdict
from governance.domain.canonical import digest_of
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.promotion import State
from governance.ports import WantedLook
from tests.builders import MODEL, a_decision, a_request
from tests.stories.desk import HandClock


def test_a_home_is_drawn_until_nobody_is_there(store: SqlStore) -> None:
    """Opened, drawn, opened again (to be drawn again), forgotten twice."""
    with store.transaction() as tx:
        tx.home_opened("U0RAJ", "")
        tx.home_opened("U0ANA", "guests cannot act")
        tx.home_drawn("U0ANA", "d" * 64)
        tx.home_drawn("U0NOBODY", "d" * 64)
        ana, raj = tx.open_homes(tx.now)
        assert (ana.account, ana.barred, ana.drawn) == ("U0ANA", "guests cannot act", "d" * 64)
        assert (raj.account, raj.barred, raj.drawn) == ("U0RAJ", "", "")
        tx.home_opened("U0ANA", "")
        assert [(h.account, h.barred, h.drawn) for h in tx.open_homes(tx.now)] == [
            ("U0ANA", "", ""),
            ("U0RAJ", "", ""),
        ]
        for _time in range(2):
            tx.forget_home("U0ANA")
        assert [h.account for h in tx.open_homes(tx.now)] == ["U0RAJ"]


def test_a_home_that_nobody_opened_lately_is_left_out(store: SqlStore, clock: HandClock) -> None:
    """Opened exactly at that moment counts."""
    with store.transaction() as tx:
        tx.home_opened("U0ANA", "")
    clock.advance(days=7)
    with store.read() as tx:
        assert len(tx.open_homes(tx.now - timedelta(days=7))) == 1
        assert tx.open_homes(tx.now - timedelta(days=7) + timedelta(microseconds=1)) == ()


def test_decisions_of_all_open_requests_are_read_at_once(store: SqlStore) -> None:
    """In force alone, oldest first, and none of a request that is over."""
    first, second = a_request(), replace(a_request(), id=RequestId("r2"), version=Version(5))
    over = replace(a_request(state=State.REJECTED), id=RequestId("r3"), version=Version(6))
    with store.transaction() as tx:
        for request in (first, second, over):
            tx.add_request(request)
        for request in (first, over):
            tx.add_decision(replace(a_decision("ana"), request_id=request.id))
        tx.add_decision(a_decision("raj", Verdict.ASK_FOR_CHANGES, comment="x"))
        tx.add_decision(a_decision("rosa"))
        tx.end_decision(first.id, PersonId("rosa"), "withdrawn")
        found = tx.decisions_of_open_requests()
        assert {r: [d.person for d in ds] for r, ds in found.items()} == {"r1": ["ana", "raj"]}
        assert found[first.id] == tx.decisions(first.id)


def test_requests_are_read_by_name_newest_first(store: SqlStore) -> None:
    """Unknown ones are left out."""
    with store.transaction() as tx:
        for number in (1, 2, 3):
            opened = a_request().opened_at + timedelta(minutes=number)
            tx.add_request(
                replace(
                    a_request(opened_at=opened),
                    id=RequestId(f"r{number}"),
                    version=Version(number),
                )
            )
        named = [RequestId("r1"), RequestId("r3"), RequestId("r9")]
        assert [r.id for r in tx.requests_named(named)] == ["r3", "r1"]
        assert tx.requests_named([]) == ()


def test_the_newest_records_of_some_kinds_come_first(store: SqlStore) -> None:
    """At most so many."""
    kinds = (EventKind.DECISION_MADE, EventKind.ALERT_RAISED, EventKind.ROLLBACK_DONE)
    with store.transaction() as tx:
        for number in range(9):
            tx.record(
                Event(kind=kinds[number % 3], at=tx.now, actor=Actor.automatic("test"), model=MODEL)
            )
        wanted = {EventKind.DECISION_MADE, EventKind.ROLLBACK_DONE}
        assert [e["seq"] for e in tx.newest_events(wanted, limit=3)] == [9, 7, 6]
        assert tx.newest_events({EventKind.GAP_RECORDED}, limit=3) == ()


def test_monitors_of_many_models_are_read_at_once(store: SqlStore) -> None:
    """Newest version first, and none of another model's."""
    keys = [
        MonitorKey(ModelName(model), Version(version), "auc")
        for model in ("a", "b", "c")
        for version in (1, 2)
    ]
    with store.transaction() as tx:
        look = WantedLook(spec=digest_of("spec"), every=timedelta(minutes=5))
        for state in tx.claim_looks(dict.fromkeys(keys, look), timedelta(minutes=1)).values():
            tx.save_look(state, tx.now)
        found = tx.monitor_states_of([ModelName("a"), ModelName("c"), ModelName("z")])
        assert all(isinstance(s, MonitorState) for s in found)
        assert [(s.key.model, s.key.version) for s in found] == [
            ("a", 2),
            ("a", 1),
            ("c", 2),
            ("c", 1),
        ]
        assert tx.monitor_states_of([]) == ()

"""Inbox and outbox: once in, in order out, on both databases."""

from __future__ import annotations

from datetime import timedelta

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import RequestId
from governance.domain.evidence import ModelName
from governance.ports import Notice, NoticeKind, SentMessage, Transaction
from tests.builders import MODEL
from tests.stories.desk import HandClock

LEASE = timedelta(seconds=90)


def a_notice(what: str, *, request: str | None = None, model: ModelName = MODEL) -> Notice:
    """For a request's lane, or else for its model's."""
    return Notice(
        kind=NoticeKind.CHANNEL,
        what=what,
        model=model,
        request_id=RequestId(request) if request else None,
        facts={"text": "é <!channel> \u202e", "list": [1, {"a": None}]},
    )


def due(tx: Transaction) -> list[str]:
    """What may be sent now."""
    return [q.notice.what for q in tx.due_notices(10)]


def test_a_key_is_taken_once(store: SqlStore) -> None:
    """Slack sends things twice; the transaction goes on after the second."""
    with store.transaction() as tx:
        first = tx.accept("vote", "k", '{"a": 1}')
        assert first is not None
        assert tx.accept("vote", "k", '{"a": 2}') is None
        assert tx.accept("vote", "k2", "{}") is not None
    with store.read() as tx:
        assert [i.payload for i in tx.waiting_items(10)] == ['{"a": 1}', "{}"]


def test_an_item_is_worked_on_by_one_until_its_lease_ends(
    store: SqlStore, clock: HandClock
) -> None:
    """At the boundary it is free again."""
    with store.transaction() as tx:
        item = tx.accept("vote", "k", "{}")
        assert item is not None
        claimed = tx.claim(item, LEASE)
        assert claimed is not None
        assert claimed.attempts == 1
        assert tx.claim(item, LEASE) is None
        assert tx.waiting_items(10) == ()
    clock.advance(seconds=89)
    with store.transaction() as tx:
        assert tx.claim(item, LEASE) is None
        assert tx.inbox_age_seconds() == 89
    clock.advance(seconds=1)
    with store.transaction() as tx:
        assert [i.id for i in tx.waiting_items(10)] == [item]
        again = tx.claim(item, LEASE)
        assert again is not None
        assert again.attempts == 2


def test_what_is_done_is_not_worked_on_again_and_its_words_are_gone(
    store: SqlStore, clock: HandClock
) -> None:
    """Its key stays, so a late duplicate is still one."""
    with store.transaction() as tx:
        item = tx.accept("vote", "k", '{"text": "what somebody typed"}')
        assert item is not None
        tx.item_done(item, "done")
    clock.advance(hours=1)
    with store.transaction() as tx:
        assert tx.claim(item, LEASE) is None
        assert tx.waiting_items(10) == ()
        assert tx.inbox_age_seconds() == 0
        assert tx.accept("vote", "k", "{}") is None


def test_notices_of_one_lane_follow_one_another(store: SqlStore) -> None:
    """Those of another request or model overtake."""
    with store.transaction() as tx:
        for what, request in (("a", None), ("b", None), ("c", "r1"), ("d", "r1")):
            tx.notify(a_notice(what, request=request))
        tx.notify(a_notice("e", model=ModelName("other")))
        assert due(tx) == ["a", "c", "e"]
        tx.notice_sent(tx.due_notices(1)[0].id)
        assert due(tx) == ["b", "c", "e"]


def test_a_notice_comes_out_as_it_was_put_in(store: SqlStore) -> None:
    """Facts too, however deep."""
    with store.transaction() as tx:
        tx.notify(a_notice("a", request="r1"))
    with store.read() as tx:
        (queued,) = tx.due_notices(10)
    assert queued.notice == a_notice("a", request="r1")
    assert queued.attempts == 0


def test_a_delayed_notice_holds_back_its_lane_until_its_time(
    store: SqlStore, clock: HandClock
) -> None:
    """Due at the moment that was named, with one more attempt."""
    with store.transaction() as tx:
        tx.notify(a_notice("a"))
        tx.notify(a_notice("b"))
        tx.notice_delayed(tx.due_notices(1)[0].id, tx.now + timedelta(seconds=30), "ratelimited")
        assert due(tx) == []
    clock.advance(seconds=30)
    with store.transaction() as tx:
        assert [(q.notice.what, q.attempts) for q in tx.due_notices(10)] == [("a", 1)]
        tx.notice_dropped(tx.due_notices(1)[0].id, "is_archived")
        assert due(tx) == ["b"]


def test_where_a_message_stands_is_remembered(store: SqlStore) -> None:
    """And replaced when it is posted again."""
    with store.transaction() as tx:
        assert tx.message("request r1") is None
        tx.save_message("request r1", SentMessage(channel="C1", ts="1.1"))
        tx.save_message("request r1", SentMessage(channel="C1", ts="2.1", drawn="d" * 64))
    with store.read() as tx:
        found = tx.message("request r1")
    assert found == SentMessage(channel="C1", ts="2.1", drawn="d" * 64)


def test_the_messages_of_a_request_are_its_own_alone(store: SqlStore) -> None:
    """Not those of another whose name begins alike."""
    keys = ("request r1", "request r1 to ana", "request r10", "request r1x to ana", "alert 1")
    with store.transaction() as tx:
        for number, key in enumerate(keys):
            tx.save_message(key, SentMessage(channel="C1", ts=f"{number}.0", drawn="d"))
        found = tx.messages_of(RequestId("r1"))
        assert [(key, m.ts) for key, m in found.items()] == [
            ("request r1", "0.0"),
            ("request r1 to ana", "1.0"),
        ]
        assert tx.messages_of(RequestId("r_")) == {}

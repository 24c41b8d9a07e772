"""The record inside a transaction, the lock on a model, and the two kinds of transaction: what the
port promises of each, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import SqlStore, open_store
from governance.adapters.sql_store.transaction import SqlTransaction
from governance.domain.approval import RequestId
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind, Head, KeptHead, Peaks, encode
from governance.ports import Transaction
from governance.use_cases.audit import quick_check, verify
from tests.builders import MODEL, NOON
from tests.stories.desk import HandClock

OTHER = ModelName("other")
LEASE = timedelta(seconds=60)


class Broken(Exception):
    """Something inside the block."""


def an_event(
    tx: Transaction, why: str, *, model: ModelName | None = None, request: str | None = None
) -> Event:
    """Of some kind, now."""
    return Event(
        kind=EventKind.REQUEST_OPENED,
        at=tx.now,
        actor=Actor.automatic("test"),
        model=model,
        request_id=RequestId(request) if request else None,
        why=why,
    )


def test_what_is_committed_is_on_the_disk(database_url: str, heads: HeadFile, raw: Engine) -> None:
    """Also after a loss of power, whatever the default of the database is."""
    if raw.dialect.name == "postgresql":
        with raw.connect() as connection:
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
            connection.commit()
    store = open_store(database_url, heads)
    with store.transaction() as tx:
        assert isinstance(tx, SqlTransaction)
        ask = tx.connection.exec_driver_sql
        if raw.dialect.name == "sqlite":
            found = [ask(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")]
            assert found == [2, "wal"]
        else:
            assert ask("SHOW synchronous_commit").scalar() == "on"
    store.close()


def test_records_are_numbered_from_one_and_read_as_they_were_written(store: SqlStore) -> None:
    """In order, from any place, and within the transaction that wrote them."""
    with store.transaction() as tx:
        events = [an_event(tx, why) for why in ("a", "é <!channel> \u202e", "c")]
        assert [tx.record(event) for event in events] == [1, 2, 3]
        written = [encode(event, number) for number, event in enumerate(events, 1)]
        assert list(tx.records()) == written
    with store.read() as tx:
        assert list(tx.records()) == written
        assert list(tx.records(after=2)) == written[2:]
        assert list(tx.records(after=3)) == []


def test_more_records_than_one_page_come_out_once_each(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read a page at a time; here a page holds three."""
    monkeypatch.setattr("governance.adapters.sql_store.ledger_part._PAGE", 3)
    with store.transaction() as tx:
        event = an_event(tx, "many")
        for size in range(1, 8):
            tx.record(event)
            written = [encode(event, number) for number in range(1, size + 1)]
            assert list(tx.records()) == written
            assert list(tx.records(after=2)) == written[2:]


def test_events_are_found_by_model_and_by_request(store: SqlStore) -> None:
    """All of them when neither is named."""
    with store.transaction() as tx:
        tx.record(an_event(tx, "a", model=MODEL, request="r1"))
        tx.record(an_event(tx, "b", model=OTHER))
        tx.record(an_event(tx, "c", model=MODEL, request="r2"))
        tx.record(an_event(tx, "d"))
    with store.read() as tx:
        assert [e["why"] for e in tx.events()] == ["a", "b", "c", "d"]
        assert [e["why"] for e in tx.events(model=MODEL)] == ["a", "c"]
        assert [e["why"] for e in tx.events(request_id=RequestId("r2"))] == ["c"]
        assert [e["why"] for e in tx.events(model=OTHER, request_id=RequestId("r2"))] == []


def test_the_head_at_each_size_is_that_of_the_first_records(
    store: SqlStore, heads: HeadFile
) -> None:
    """Kept outside at the end of each transaction, and once for the empty log before them."""
    expected = [Peaks.empty()]
    with store.transaction() as tx:
        assert tx.head() == tx.head_at(0) == Peaks.empty().head
        assert tx.head_at(1) is None
        for why in ("a", "b"):
            tx.record(an_event(tx, why))
    with store.transaction() as tx:
        tx.record(an_event(tx, "c"))
    with store.read() as tx:
        for record in tx.records():
            expected.append(expected[-1].append(record))
        assert [tx.head_at(size) for size in range(4)] == [p.head for p in expected]
        assert tx.head() == expected[3].head
        assert tx.head_at(4) is None
    assert [k.head for k in heads.all()] == [expected[n].head for n in (0, 2, 3)]


def test_a_block_that_fails_leaves_no_record_and_no_head_of_it(
    store: SqlStore, heads: HeadFile
) -> None:
    """Its number is given again."""
    with store.transaction() as tx:
        tx.record(an_event(tx, "a"))
    kept: list[Head] = [k.head for k in heads.all()]
    with suppress(Broken), store.transaction() as tx:
        assert tx.record(an_event(tx, "b")) == 2
        raise Broken
    assert [k.head for k in heads.all()] == kept
    with store.transaction() as tx:
        assert tx.record(an_event(tx, "c")) == 2
        assert [e["why"] for e in tx.events()] == ["a", "c"]


@dataclass
class HeadsOnAFullDisk:
    """What is kept can be read, and while `full` nothing is added to it."""

    kept: HeadFile
    full: bool = False

    def append(self, head: Head, *, resumed: bool = False) -> None:
        """Refused as `HeadFile` refuses it."""
        if self.full:
            raise Unavailable("heads_unwritable", "no room")
        self.kept.append(head, resumed=resumed)

    def all(self) -> Sequence[KeptHead]:
        """As kept."""
        return self.kept.all()

    def newest(self) -> KeptHead | None:
        """As kept."""
        return self.kept.newest()


def test_a_record_whose_head_was_not_kept_stays_and_the_next_head_vouches_for_it(
    database_url: str, heads: HeadFile, clock: HandClock
) -> None:
    """The caller is told; the record holds meanwhile, as far as it is vouched for."""
    disk = HeadsOnAFullDisk(heads)
    store = open_store(database_url, disk, clock=clock)
    with store.transaction() as tx:
        tx.record(an_event(tx, "a"))
    disk.full = True
    with pytest.raises(Unavailable) as problem, store.transaction() as tx:
        tx.record(an_event(tx, "b"))
    assert problem.value.code == "heads_unwritable"
    with store.read() as tx:
        assert [e["why"] for e in tx.events()] == ["a", "b"]
        quick_check(tx, disk)
    found = verify(store, disk)
    assert (found.problems, found.anchored_size) == ((), 1)
    disk.full = False
    with store.transaction() as tx:
        tx.record(an_event(tx, "c"))
    found = verify(store, disk)
    assert (found.problems, found.anchored_size) == ((), 3)
    store.close()


def test_a_transaction_has_one_moment(store: SqlStore, clock: HandClock) -> None:
    """However long it takes; the next one has its own."""
    with store.transaction() as tx:
        assert tx.now == NOON
        clock.advance(seconds=5)
        assert tx.now == NOON
    with store.read() as tx:
        assert tx.now == NOON + timedelta(seconds=5)


def test_a_clock_that_is_set_back_does_not_put_a_record_before_its_elder(
    store: SqlStore, clock: HandClock
) -> None:
    """The moment stands still until the clock has caught up."""
    with store.transaction() as tx:
        tx.record(an_event(tx, "a"))
    clock.advance(hours=-1)
    with store.transaction() as tx:
        assert tx.now == NOON
    clock.advance(hours=1, microseconds=1)
    with store.transaction() as tx:
        assert tx.now == NOON + timedelta(microseconds=1)


def test_a_read_sees_one_moment_of_the_database(store: SqlStore) -> None:
    """What is committed after it began is not in it."""
    with store.read() as tx:
        assert tx.quarantined(MODEL) == {}
        with store.transaction() as other:
            other.quarantine(MODEL, Version(4), "x")
        assert tx.quarantined(MODEL) == {}
    with store.read() as tx:
        assert set(tx.quarantined(MODEL)) == {4}


def test_the_lock_on_a_model_is_held_by_one(store: SqlStore, clock: HandClock) -> None:
    """Its holder may take it again, which renews the lease; another model's is another lock."""
    assert store.lock_model(MODEL, "one", LEASE)
    assert not store.lock_model(MODEL, "other", LEASE)
    assert store.lock_model(OTHER, "other", LEASE)
    clock.advance(seconds=59)
    assert store.lock_model(MODEL, "one", LEASE)
    clock.advance(seconds=59)
    assert not store.lock_model(MODEL, "other", LEASE)
    clock.advance(seconds=1)  # at the boundary it is free
    assert store.lock_model(MODEL, "other", LEASE)
    assert not store.lock_model(MODEL, "one", LEASE)


def test_only_its_holder_gives_a_lock_back(store: SqlStore) -> None:
    """Somebody whose lease ran out does not free what another has by now."""
    assert store.lock_model(MODEL, "one", LEASE)
    store.unlock_model(MODEL, "other")
    assert not store.lock_model(MODEL, "other", LEASE)
    store.unlock_model(MODEL, "one")
    store.unlock_model(MODEL, "one")
    assert store.lock_model(MODEL, "other", LEASE)


def test_a_moment_without_a_time_zone_is_refused(store: SqlStore, clock: HandClock) -> None:
    """Nobody knows which moment that is."""
    clock.now = NOON.replace(tzinfo=None)
    with store.transaction() as tx, pytest.raises(ValueError, match="time zone"):
        tx.record(an_event(tx, "a"))


def test_writing_through_a_read_is_an_error(store: SqlStore) -> None:
    """It would be lost without a word; a write afterwards works."""
    with store.read() as tx, pytest.raises((Unavailable, SQLAlchemyError)):
        tx.quarantine(MODEL, Version(4), "x")
    with store.transaction() as tx:
        tx.quarantine(MODEL, Version(4), "x")
    with store.read() as tx:
        assert set(tx.quarantined(MODEL)) == {4}

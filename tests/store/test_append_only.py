"""What the databases refuse by themselves, whoever asks: the record only grows, and a decision only
ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from governance.adapters.sql_store import SqlStore
from governance.domain.approval import Verdict
from governance.domain.break_glass import GlassId
from governance.domain.errors import IntegrityViolation
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.review import ReviewState
from tests.builders import a_decision, a_request, a_review

_COPY = (
    "INSERT INTO ledger (seq, body, root, peaks, kind, at) "
    "SELECT {seq}, body, root, peaks, kind, at FROM ledger WHERE seq = 1"
)
BOTH = (
    "UPDATE ledger SET body = body",
    "UPDATE ledger SET kind = 'other' WHERE seq = 2",
    "DELETE FROM ledger",
    "DELETE FROM ledger WHERE seq = 2",
    _COPY.format(seq=2),
    _COPY.format(seq=7),
    _COPY.format(seq=0),
    _COPY.format(seq=-1),
    _COPY.format(seq="NULL"),
    f"{_COPY.format(seq=2)} ON CONFLICT (seq) DO UPDATE SET body = excluded.body",
    "UPDATE ledger SET seq = seq + 1 WHERE seq = 2",
    "DELETE FROM decisions",
    "UPDATE decisions SET body = '{}'",
    "UPDATE decisions SET person = 'vera'",
    "UPDATE decisions SET verdict = 'reject'",
    "UPDATE decisions SET request_id = 'another'",
    "UPDATE decisions SET id = id + 10",
    "UPDATE decisions SET ended_at = NULL WHERE ended_at IS NOT NULL",
    "UPDATE decisions SET ended_why = 'other' WHERE ended_at IS NOT NULL",
    "DELETE FROM reviews",
    "UPDATE reviews SET id = 'another'",
    "UPDATE reviews SET model = 'another'",
    "UPDATE reviews SET person = 'ana'",
    "UPDATE reviews SET due_at = '2036-01-01T00:00:00.000000+00:00'",
    "UPDATE reviews SET is_open = true WHERE id = 'over'",
    "UPDATE reviews SET body = '{}' WHERE id = 'over'",
)
ONLY = {
    "sqlite": (
        "REPLACE INTO ledger SELECT * FROM ledger WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE seq = 2",
        "UPDATE OR REPLACE ledger SET seq = 1 WHERE seq = 2",
        "REPLACE INTO decisions SELECT 1, request_id, 'vera', 'reject', '{}', NULL, '' "
        "FROM decisions WHERE id = 1",
        "REPLACE INTO decisions SELECT 9, request_id, person, 'reject', '{}', NULL, '' "
        "FROM decisions WHERE id = 1",
        "UPDATE OR REPLACE decisions SET id = 2 WHERE id = 1",
        "REPLACE INTO reviews SELECT * FROM reviews WHERE id = 'over'",
    ),
    "postgresql": (
        "TRUNCATE ledger",
        "TRUNCATE decisions",
        "TRUNCATE reviews",
        "TRUNCATE ledger, decisions CASCADE",
        "SET session_replication_role = replica; DELETE FROM ledger",
    ),
}


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """Two records; of decisions and of reviews one in force and one that has ended."""
    with store.transaction() as tx:
        for _ in range(2):
            tx.record(Event(kind=EventKind.REQUEST_OPENED, at=tx.now, actor=Actor.automatic("t")))
        tx.add_request(a_request())
        tx.add_decision(a_decision("ana"))
        tx.add_decision(a_decision("raj", Verdict.APPROVE))
        tx.end_decision(a_request().id, a_decision("raj").person, "withdrawn")
        tx.add_review(a_review())
        over = replace(a_review().glass, id=GlassId("over"))
        tx.add_review(replace(a_review(), glass=over, state=ReviewState.ACCEPTED))
    return store


@pytest.mark.usefixtures("filled")
def test_the_database_refuses_to_change_what_was_recorded(raw: Engine) -> None:
    """By trigger, for its owner too; what is there stays as it was after each."""
    for statement in BOTH:
        _refused(raw, statement)


@pytest.mark.usefixtures("filled")
def test_the_database_refuses_its_own_ways_around(raw: Engine) -> None:
    """REPLACE deletes without a delete trigger, TRUNCATE without any row's, and a replica's
    session fires none that is not set to fire always."""
    for statement in ONLY[raw.dialect.name]:
        _refused(raw, statement)


def _refused(raw: Engine, statement: str) -> None:
    with raw.connect() as connection:
        before = _contents(raw)
        *before_it, last = statement.split(";")
        for part in before_it:
            connection.execute(text(part))
        refusal = r"append-only|next record|never deleted|ended, once|stays"
        try:
            with pytest.raises(DBAPIError, match=refusal):
                connection.execute(text(last))
        except pytest.fail.Exception as taken:
            raise AssertionError(f"taken: {statement}") from taken
    assert _contents(raw) == before


def _contents(raw: Engine) -> list[object]:
    with raw.connect() as connection:
        return [
            connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all()
            for table in ("ledger", "decisions", "reviews")
        ]


def test_every_trigger_is_there_after_the_migrations(store: SqlStore) -> None:
    """And the tables are of this version."""
    assert store.missing_triggers() == ()
    assert store.is_current()


def test_a_migration_that_loses_a_trigger_is_not_committed(store: SqlStore, raw: Engine) -> None:
    """Alembic's batch mode drops them without a word."""
    drop = "DROP TRIGGER ledger_no_delete"
    with raw.begin() as connection:
        connection.execute(text(drop if raw.dialect.name == "sqlite" else f"{drop} ON ledger"))
    assert store.missing_triggers() == ("ledger_no_delete",)
    with pytest.raises(IntegrityViolation, match="ledger_no_delete") as problem:
        store.upgrade()
    assert problem.value.code == "triggers_missing"


def test_a_trigger_that_was_switched_off_is_missing(store: SqlStore, raw: Engine) -> None:
    """PostgreSQL can disable one without dropping it; SQLite cannot."""
    if raw.dialect.name == "sqlite":
        with raw.begin() as connection:
            connection.execute(text("DROP TRIGGER ledger_no_update"))
    else:
        with raw.begin() as connection:
            connection.execute(text("ALTER TABLE ledger DISABLE TRIGGER ledger_no_update"))
    assert store.missing_triggers() == ("ledger_no_update",)

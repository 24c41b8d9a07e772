"""A store that cannot be written is named, without its address, and nothing is half done."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import SqlStore, open_store
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.evidence import Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from tests.builders import MODEL
from tests.databases import PostgresServer, fail_over, new_sqlite


def _record(store: SqlStore, why: str = "") -> None:
    with store.transaction() as tx:
        tx.record(
            Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=Actor.automatic("t"), why=why)
        )


@contextmanager
def _opened(url: str, tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(url, HeadFile(tmp_path / "heads"))
    try:
        yield store
    finally:
        store.close()


def _is_named(problem: FoureyesError) -> None:
    assert problem.code == "store_unavailable"
    assert "Nothing was changed" in problem.sentence
    assert "foureyes doctor" in problem.sentence


def test_a_full_disk_is_named_and_nothing_is_lost_when_there_is_room(tmp_path: Path) -> None:
    """No file of this process may grow, as on a disk without room."""
    with _opened(new_sqlite(tmp_path), tmp_path) as store:
        _record(store)
        most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(Unavailable) as problem:
                _record(store, "x" * 2_000_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        _is_named(problem.value)
        _record(store, "x" * 2_000_000)
        with store.read() as tx:
            assert tx.head().size == 2


def test_a_read_only_file_is_named_and_can_be_read(tmp_path: Path) -> None:
    """A volume that was mounted so, or an owner that changed."""
    url = new_sqlite(tmp_path)
    with _opened(url, tmp_path) as store:
        _record(store)
        path = make_url(url).database
        with _opened(f"sqlite:///file:{path}?mode=ro&uri=true", tmp_path) as read_only:
            with pytest.raises(Unavailable) as problem:
                _record(read_only)
            _is_named(problem.value)
            with read_only.read() as tx:
                assert tx.head().size == 1


def test_a_file_that_somebody_else_holds_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup tool that locks it for longer than anybody waits."""
    monkeypatch.setattr("governance.adapters.sql_store.engine.BUSY_TIMEOUT_MS", 50)
    url = new_sqlite(tmp_path)
    with _opened(url, tmp_path) as store:
        with closing(sqlite3.connect(str(make_url(url).database))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="locked") as problem:
                _record(store)
            _is_named(problem.value)
        _record(store)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    """Whoever reads the channel is not the platform team."""
    with _opened("postgresql://bot:hunter2@127.0.0.1:9/foureyes", tmp_path) as store:
        with pytest.raises(Unavailable) as problem:
            _record(store)
        _is_named(problem.value)
        assert "hunter2" not in problem.value.sentence
        assert "hunter2" not in store.describe()


def test_a_standby_takes_nothing_and_is_left_when_it_is_promoted(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Sessions that the failover ended are opened again."""
    url = postgres.new_database()
    with _opened(url, tmp_path) as store:
        _record(store)
        fail_over(url, read_only=True)
        with pytest.raises(Unavailable) as problem:
            _record(store)
        _is_named(problem.value)
        with store.read() as tx:
            assert tx.head().size == 1
        fail_over(url, read_only=False)
        _record(store)


def test_a_session_that_ends_in_the_middle_leaves_nothing(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The server was restarted between two statements of one transaction."""
    url = postgres.new_database()
    with _opened(url, tmp_path) as store:
        with pytest.raises(Unavailable) as problem, store.transaction() as tx:  # noqa: PT012  # the end of the block is what fails
            tx.quarantine(MODEL, Version(4), "x")
            fail_over(url, read_only=False)
            tx.quarantine(MODEL, Version(5), "x")
        _is_named(problem.value)
        with store.read() as tx:
            assert tx.quarantined(MODEL) == {}


def test_no_other_database_is_taken(tmp_path: Path) -> None:
    """And none in memory: a record that ends with its process is none."""
    for url in ("mysql://x", "sqlite://", "sqlite:///:memory:", "no address", ""):
        with pytest.raises(Refused) as refusal:
            open_store(url, HeadFile(tmp_path / "heads"))
        assert refusal.value.code == "database_url"

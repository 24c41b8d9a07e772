"""A question has its time, whatever the engine does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.adapters.metric_sources import asking
from governance.adapters.metric_sources.asking import Asking
from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.engines import connect
from governance.domain.errors import Unavailable
from tests.databases import PostgresServer
from tests.sources.feed import (
    ADDRESS,
    DuckdbFeed,
    Feed,
    ParquetFeed,
    PostgresFeed,
    SqliteFeed,
    a_source,
    some_applicants,
)

SOURCE = a_source()
_FOR_EVER = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT sum(x) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
    "duckdb": "SELECT sum(a.range * b.range % 7) FROM range(10000000) a, range(10000000) b",
}


@pytest.fixture(params=["sqlite", "postgresql", "duckdb", "parquet"])
def slow(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Feed, str]:
    """A feed, and a statement of its engine that does not end."""
    match request.param:
        case "sqlite":
            feed: Feed = SqliteFeed(tmp_path)
        case "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            feed = PostgresFeed(server.new_database())
        case "duckdb":
            feed = DuckdbFeed(tmp_path)
        case _:
            feed = ParquetFeed(tmp_path)
    feed.write(some_applicants(9))
    engine = "duckdb" if request.param == "parquet" else request.param
    return feed, _FOR_EVER[engine]


def test_what_takes_too_long_is_cut_off_and_the_next_question_is_answered(
    slow: tuple[Feed, str],
) -> None:
    """The sentence says after how long; the engine is free again."""
    feed, statement = slow
    asked = Asking(feed.environ, timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 seconds"):
        asked.ask(SOURCE, lambda connection: _run(connection, statement))
    assert time.monotonic() - began < 60
    assert asked.ask(SOURCE, lambda connection: _run(connection, "SELECT 7")) == 7
    asked.close()


def _run(connection: Connection, statement: str) -> object:
    return connection.backend.con.execute(statement).fetchone()[0]


class Hanging:
    """An engine that nobody can stop, opened over a real one."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.opened = 0

    def connect(self, address: str, *, timeout_seconds: float) -> Connection:
        """As `engines.connect`, but for that."""
        self.opened += 1
        real = connect(address, timeout_seconds=timeout_seconds)
        return Connection(
            backend=real.backend,
            timeout_seconds=timeout_seconds,
            stop=lambda: None,
            can_be_stopped=False,
            close=lambda: None,
        )


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """In place of every engine; let go at the end."""
    engine = Hanging()
    monkeypatch.setattr(asking, "connect", engine.connect)
    yield engine
    engine.let.set()


def test_an_engine_that_cannot_be_stopped_is_left_behind(tmp_path: Path, hanging: Hanging) -> None:
    """Whoever asked goes on; a new connection answers; after four of them no more are begun."""
    feed = SqliteFeed(tmp_path)
    feed.write(some_applicants(9))
    asked = Asking({ADDRESS: feed.environ[ADDRESS]}, timeout_seconds=0.2)
    assert asked.ask(SOURCE, lambda _connection: 7) == 7
    for number in range(4):
        with pytest.raises(Unavailable, match="did not answer within"):
            asked.ask(SOURCE, lambda _connection: hanging.let.wait(60))
        assert hanging.opened == number + 1
    with pytest.raises(Unavailable, match="4 earlier questions still have no answer"):
        asked.ask(SOURCE, lambda _connection: 7)
    hanging.let.set()
    for _time in range(100):
        try:
            assert asked.ask(SOURCE, lambda _connection: 7) == 7
            break
        except Unavailable:
            time.sleep(0.05)
    else:
        pytest.fail("it was never asked again")


def test_what_an_unstoppable_engine_raises_is_told(tmp_path: Path, hanging: Hanging) -> None:
    """As of any other engine."""
    feed = SqliteFeed(tmp_path)
    feed.write(some_applicants(9))
    asked = Asking(feed.environ, timeout_seconds=5)

    def broken(_connection: Connection) -> object:
        raise RuntimeError("secret://address")

    with pytest.raises(Unavailable, match="it answered with RuntimeError") as told:
        asked.ask(SOURCE, broken)
    assert "secret" not in told.value.sentence


def test_a_connection_that_the_engine_let_go_is_opened_anew(postgres: PostgresServer) -> None:
    """As it does with those that are idle for an hour: the look after that is answered."""
    feed = PostgresFeed(postgres.new_database())
    feed.write(some_applicants(9))
    asked = Asking(feed.environ, timeout_seconds=30)
    first = asked.ask(SOURCE, lambda connection: _run(connection, "SELECT pg_backend_pid()"))
    feed.run(f"SELECT pg_terminate_backend({first})")
    second = asked.ask(SOURCE, lambda connection: _run(connection, "SELECT pg_backend_pid()"))
    assert second != first
    with pytest.raises(Unavailable, match="it answered with UndefinedTable"):
        asked.ask(SOURCE, lambda connection: _run(connection, "SELECT 1 FROM nowhere"))
    asked.close()


def test_a_client_that_never_gives_up_opening_is_left_behind(hanging: Hanging) -> None:
    """Some try for ten minutes; a look has its time."""

    def connect(_address: str, *, timeout_seconds: float) -> Connection:
        hanging.let.wait(60)
        raise AssertionError(timeout_seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "connect", connect)
        asked = Asking({ADDRESS: "trino://me:secret@127.0.0.1:9/bank"}, timeout_seconds=0.2)
        with pytest.raises(Unavailable, match="did not answer within") as told:
            asked.ask(SOURCE, lambda _connection: 7)
    assert "secret" not in told.value.sentence

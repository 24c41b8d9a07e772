"""A real Spark Connect server: the engine is the one of `test_spark`, so a part of the suite shows
that its tables are read the same; and what no other engine has, sessions that end."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from governance.adapters.metric_sources import IbisSources, engines
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version
from tests.sources.feed import ADDRESS, Feed, a_source, some_applicants
from tests.sources.test_sources import (  # noqa: F401  # each is a test of this module too
    test_a_mark_changes_when_something_arrives,
    test_a_range_holds_its_beginning_and_not_its_end,
    test_a_table_that_is_gone_is_unavailable,
    test_approvals_are_counted,
    test_names_are_never_code,
    test_outcomes_are_counted_by_day_and_score,
    test_reading_in_pieces_is_reading_at_once,
    test_threads_ask_at_once_and_get_the_same,
    test_too_many_ids_to_compare_at_once_are_compared_in_parts,
)
from tests.system.conftest import SPARK_WARNS, SparkConnectFeed, SparkConnectServer

MODEL = ModelName("credit_scoring")
pytestmark = SPARK_WARNS


@pytest.fixture
def feed(spark_connect: SparkConnectServer, tmp_path: Path) -> Feed:
    """Tables in the server's catalog."""
    return SparkConnectFeed(tmp_path, spark_connect)


def test_rows_that_a_job_adds_to_a_table_are_seen(
    spark_connect: SparkConnectServer, tmp_path: Path
) -> None:
    """Spark remembers a table's files for as long as a session lives; each question looks again."""
    feed = SparkConnectFeed(tmp_path, spark_connect)
    sources = IbisSources(feed.environ, timeout_seconds=120)
    feed.write(some_applicants(30))
    before = sources.mark(a_source(), MODEL, Version(3))
    spark_connect.run(
        "INSERT INTO predictions VALUES"
        " ('new', TIMESTAMP '2026-03-02 00:00:00Z', 3, 0.5D, true, 'credit_scoring')"
    )
    assert sources.mark(a_source(), MODEL, Version(3)).predictions == before.predictions + 1
    sources.close()


def test_a_session_that_the_server_let_go_is_opened_anew(
    spark_connect: SparkConnectServer, tmp_path: Path
) -> None:
    """As it does after an hour without a question."""
    feed = SparkConnectFeed(tmp_path, spark_connect)
    feed.write(some_applicants(30))
    sources = IbisSources(feed.environ, timeout_seconds=120)
    before = sources.mark(a_source(), MODEL, Version(3))
    (kept,) = sources._asking._open().values()  # the session that a look would find
    kept.backend._session.client.release_session()
    assert sources.mark(a_source(), MODEL, Version(3)) == before
    sources.close()


def test_a_session_that_is_collected_waits_for_nobody(
    spark_connect: SparkConnectServer, tmp_path: Path
) -> None:
    """Anywhere, also where a thread that asks holds PySpark's lock and waits for this very one."""
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

    feed = SparkConnectFeed(tmp_path, spark_connect)
    feed.write(some_applicants(9))
    sources = IbisSources(feed.environ, timeout_seconds=120)
    sources.mark(a_source(), MODEL, Version(3))
    (kept,) = sources._asking._open().values()
    collecting = threading.Thread(target=kept.backend._session.__del__, daemon=True)
    with ExecutePlanResponseReattachableIterator._lock:
        collecting.start()
        collecting.join(10)
        assert not collecting.is_alive()
    sources.close()
    assert kept.backend._session.is_stopped


def test_nobody_there_is_said_in_time(java: str) -> None:
    """Its client tries again for ten minutes; whoever asks goes on. No token is repeated."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"sc://127.0.0.1:{silent.getsockname()[1]}/;token=tell-nobody"
        sources = IbisSources({ADDRESS: address}, timeout_seconds=2)
        with pytest.raises(Unavailable, match="did not answer within 2 seconds") as told:
            sources.mark(a_source(), MODEL, Version(3))
    assert "tell-nobody" not in told.value.sentence


def test_a_server_that_is_gone_keeps_nobody_at_the_door() -> None:
    """Its client says good-bye again and again; the bot ends all the same."""
    over, said = threading.Event(), list[bool]()
    engines._in_a_moment(lambda: said.append(over.wait(60)))
    assert said == []
    over.set()

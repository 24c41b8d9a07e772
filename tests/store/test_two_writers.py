"""The bot and the command line write at once, and one of them is killed: no record is lost, none is
there twice, and every kept head is of this log."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import SqlStore, open_store
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.use_cases.audit import quick_check, verify

MANY = 40


def _start(url: str, heads: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.writer", url, str(heads), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _record(store: SqlStore, name: str) -> int:
    with store.transaction() as tx:
        return tx.record(
            Event(kind=EventKind.DECISION_REFUSED, at=tx.now, actor=Actor.automatic(name))
        )


def test_two_processes_and_many_threads_write_one_log(database_url: str, tmp_path: Path) -> None:
    """Each number is given once, and the record holds."""
    heads = HeadFile(tmp_path / "heads")
    store = open_store(database_url, heads)
    other = _start(database_url, heads.path, "the command line", MANY)
    assert other.stdout is not None
    given = [int(other.stdout.readline())]  # it writes: from here on both do
    with ThreadPoolExecutor(4) as threads:
        given += threads.map(lambda n: _record(store, f"thread {n % 4}"), range(MANY))
    given += [int(line) for line in other.stdout]
    assert other.wait(30) == 0
    other.stdout.close()
    assert sorted(given) == list(range(1, 2 * MANY + 1))
    found = verify(store, heads)
    assert found.problems == ()
    assert found.anchored_size == found.head.size == 2 * MANY
    with store.read() as tx:
        assert {e["via"] for e in tx.events()} > {"the command line"}
    store.close()


def test_a_writer_that_is_killed_leaves_a_record_that_holds(
    database_url: str, tmp_path: Path
) -> None:
    """Whatever it had told as committed is there, and the next writer goes on at once."""
    heads = HeadFile(tmp_path / "heads")
    writer = _start(database_url, heads.path, "the bot", 100_000)
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    writer.wait(30)
    told += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.stdout.close()
    store = open_store(database_url, heads)
    with store.read() as tx:
        assert tx.head().size >= told[-1]
        quick_check(tx, heads)
    assert verify(store, heads).problems == ()
    _record(store, "its successor")
    found = verify(store, heads)
    assert found.problems == ()
    assert found.anchored_size == found.head.size
    store.close()

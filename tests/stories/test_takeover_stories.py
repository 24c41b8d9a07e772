"""A process that was killed holds nothing for its successor on the same machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

from governance.adapters.sql_store.holders import is_dead, this_process
from governance.adapters.sql_store.store import SqlStore
from tests.builders import MODEL
from tests.stories.desk import Desk

LONG = timedelta(hours=1)


def _dead_pid() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_lock_of_a_killed_process_is_taken_over_at_start(desk: Desk) -> None:
    """Nobody waits for its lease."""
    assert isinstance(desk.store, SqlStore)
    killed = f"{socket.gethostname()}:{_dead_pid()}:x"
    assert desk.store.lock_model(MODEL, killed, LONG)
    assert not desk.store.lock_model(MODEL, "another-host:1:y", LONG)
    assert desk.store.release_dead_holders() == 1
    assert desk.store.lock_model(MODEL, "another-host:1:y", LONG)


def test_a_lock_of_another_machine_runs_out_by_time_alone(desk: Desk) -> None:
    """Nothing is known of its processes here."""
    assert isinstance(desk.store, SqlStore)
    assert desk.store.lock_model(MODEL, "another-host:1:y", LONG)
    assert desk.store.release_dead_holders() == 0
    assert not desk.store.lock_model(MODEL, "z", LONG)
    desk.clock.advance(hours=1)
    assert desk.store.lock_model(MODEL, "z", LONG)


def test_an_inbox_item_of_an_earlier_start_waits_for_no_lease(desk: Desk) -> None:
    """In a container every start has the same process id."""
    assert isinstance(desk.store, SqlStore)
    with desk.store.transaction() as tx:
        item = tx.accept("vote", "key", "{}")
        assert item is not None
        assert tx.claim(item, LONG) is not None
    with desk.store.read() as tx:
        assert tx.waiting_items(10) == ()
    desk.store.release_dead_holders()
    with desk.store.read() as tx:
        assert [i.id for i in tx.waiting_items(10)] == [item]


def test_a_living_process_of_this_machine_is_not_dead() -> None:
    """The parent of this one lives."""
    assert not is_dead(f"{socket.gethostname()}:{os.getppid()}:x")
    assert is_dead(this_process())

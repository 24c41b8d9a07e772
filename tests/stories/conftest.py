"""The desk, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from tests.stories.desk import Desk, HandClock


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """v3 adopted in Production, v4 in Staging."""
    heads = HeadFile(tmp_path / "heads")
    clock = HandClock()
    store = open_store(f"sqlite:///{tmp_path / 'record.db'}", heads, clock=clock)
    store.upgrade()
    yield Desk(store=store, heads=heads, clock=clock)
    store.close()

"""The desk, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from tests.stories.desk import Desk, HandClock


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    """v3 adopted in Production, v4 in Staging."""
    heads = HeadFile(tmp_path / "heads")
    clock = HandClock()
    store = open_store(database_url, heads, clock=clock)
    yield Desk(store=store, heads=heads, clock=clock)
    store.close()

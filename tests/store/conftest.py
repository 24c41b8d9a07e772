"""A store on each database, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import SqlStore, open_store
from tests.stories.desk import HandClock


@pytest.fixture
def clock() -> HandClock:
    """Noon, until it is moved."""
    return HandClock()


@pytest.fixture
def heads(tmp_path: Path) -> HeadFile:
    """A file of its own."""
    return HeadFile(tmp_path / "heads")


@pytest.fixture
def store(database_url: str, heads: HeadFile, clock: HandClock) -> Iterator[SqlStore]:
    """Migrated and empty."""
    opened = open_store(database_url, heads, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def raw(database_url: str) -> Iterator[Engine]:
    """The database past the store."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()

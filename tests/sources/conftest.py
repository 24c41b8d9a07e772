"""Every engine with the same rows, opened as the bot opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.adapters.metric_sources import IbisSources
from tests.databases import PostgresServer
from tests.sources.feed import CsvFeed, DuckdbFeed, Feed, ParquetFeed, PostgresFeed, SqliteFeed


@pytest.fixture(scope="session")
def bank(postgres: PostgresServer) -> str:
    """One database of a bank's for the whole run: every feed replaces the tables in it."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", "postgresql", "duckdb", "parquet", "csv"])
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
    """An engine whose tables are written by the test."""
    match request.param:
        case "sqlite":
            return SqliteFeed(tmp_path)
        case "postgresql":
            return PostgresFeed(request.getfixturevalue("bank"))
        case "duckdb":
            return DuckdbFeed(tmp_path)
        case "parquet":
            return ParquetFeed(tmp_path)
        case _:
            return CsvFeed(tmp_path)


@pytest.fixture
def sources(feed: Feed) -> Iterator[IbisSources]:
    """As the bot opens them."""
    opened = IbisSources(feed.environ)
    yield opened
    opened.close()

"""SQL is written once in a process. SQLAlchemy keeps the text of a statement with the engine, which
suits one that lives as long as its process; here each test has an engine of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_WRITTEN: dict[Any, Any] = {}


class _OneDialect:
    """Texts are kept by dialect and statement; all dialects of one class write the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Called by SQLAlchemy with each new engine."""
        engine.update_execution_options(compiled_cache=_WRITTEN)


class Sqlite(_OneDialect, SQLiteDialect_pysqlite):
    """The driver of Python itself."""

    supports_statement_cache = True


class Postgresql(_OneDialect, PGDialect_psycopg):
    """psycopg 3."""

    supports_statement_cache = True


def share_statements() -> None:
    """From now on, for all engines of this process."""
    registry.register("sqlite", __name__, "Sqlite")
    registry.register("postgresql.psycopg", __name__, "Postgresql")

"""Engines for the two databases, and their errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from governance.domain.errors import Refused, Unavailable

BUSY_TIMEOUT_MS = 10_000


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…`.

    Raises:
        Refused: `database_url`, for any other database or an address that cannot be read.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise Refused("database_url", "FOUREYES_DATABASE_URL is no database address.") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": 5, "options": _POSTGRES_OPTIONS},
        )
    raise Refused("database_url", f"Foureyes runs on SQLite or PostgreSQL, not on {backend}.")


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise Refused("database_url", "A record in memory is no record: give SQLite a file.")
    engine = create_engine(
        url, poolclass=QueuePool, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transactions begin late and fail under two writers: ours begin here.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


_POSTGRES_OPTIONS = "-c statement_timeout=15000 -c synchronous_commit=on"
"""Whatever the server's default: a decision that was answered survives a loss of power."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database cannot do now into `Unavailable`.

    Unique violations pass: their meaning is known only where they happen.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable("store_unavailable", _sentence(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated or "readonly" in str(error.orig).replace("-", ""):
            raise Unavailable("store_unavailable", _sentence(error)) from error
        raise


def _sentence(error: DBAPIError) -> str:
    """The vendor's first line without its address, which may hold a password."""
    text = str(error.orig).strip().splitlines()
    first = text[0] if text else type(error).__name__
    return (
        f"The database of Foureyes does not take this now ({first[:200]}). Nothing was changed. "
        "The platform team has to look at it: foureyes doctor says more."
    )

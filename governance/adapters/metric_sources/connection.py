"""Opens an engine by its address, to read and to be cut off; never repeats the address.

Addresses: `sqlite:///FILE`, `duckdb:///FILE`, `parquet:///FOLDER` and `csv:///FOLDER` (files read
by DuckDB), `postgresql://…`, `spark://local` (PySpark on this machine), and whatever else
`ibis.connect` knows (Trino, Snowflake, BigQuery).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis
from ibis import BaseBackend
from ibis.expr.types import Table

from governance.domain.errors import Refused, Unavailable


class _Interruptible(Protocol):
    def interrupt(self) -> None:
        """Ends the statement that runs, from another thread."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One engine, for one thread."""

    backend: BaseBackend
    folder: Path | None
    """Where files stand for tables; None where the engine has tables of its own."""
    timeout_seconds: float

    @property
    def is_sqlite(self) -> bool:
        """SQLite alone keeps moments as text."""
        return bool(self.backend.name == "sqlite")

    def table(self, name: str) -> Table:
        """A table, or a file of the folder.

        Raises:
            Refused: a file outside the folder. Whatever the engine raises for one that is gone.
        """
        if self.folder is None:
            database, _dot, bare = name.rpartition(".")
            if database:
                return self.backend.table(bare, database=database)
            return self.backend.table(name)
        return _file(self.backend, self.folder, name)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """End whatever runs inside after the timeout. PostgreSQL does so by itself."""
        raw = getattr(self.backend, "con", None)
        if raw is None or not hasattr(raw, "interrupt"):
            yield
            return
        timer = threading.Timer(self.timeout_seconds, cast(_Interruptible, raw).interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let the engine go."""
        self.backend.disconnect()


def connect(address: str, *, timeout_seconds: float) -> Connection:
    """Open an engine.

    Raises:
        Unavailable: `source_unavailable`, when nothing is there. Whatever the engine raises.
    """
    parts = urlsplit(address)
    folder: Path | None = None
    match parts.scheme:
        case "sqlite":
            backend = _sqlite(_local(address, "sqlite"))
        case "duckdb":
            backend = _duckdb(ibis.duckdb.connect(str(_local(address, "duckdb")), read_only=True))
        case "parquet" | "csv":
            folder = _local(address, parts.scheme)
            backend = _duckdb(ibis.duckdb.connect())
        case "postgresql" | "postgres":
            milliseconds = int(timeout_seconds * 1000)
            named = {
                "host": parts.hostname,
                "port": str(parts.port or 5432),
                "user": unquote(parts.username or "") or None,
                "password": unquote(parts.password or "") or None,
                "database": parts.path.lstrip("/") or None,
                **dict(parse_qsl(parts.query)),
            }
            backend = ibis.postgres.connect(
                **named,
                connect_timeout=max(2, int(timeout_seconds)),
                options=f"-c statement_timeout={milliseconds} -c timezone=UTC "
                "-c default_transaction_read_only=on",
            )
        case "spark":
            backend = _spark()
        case _:
            backend = ibis.connect(address)
    return Connection(backend=backend, folder=folder, timeout_seconds=timeout_seconds)


def _local(address: str, scheme: str) -> Path:
    path = Path(unquote(address.removeprefix(f"{scheme}://")).split("?", 1)[0])
    if not path.exists():
        raise Unavailable(
            "source_unavailable", "there is nothing at the path that its address names"
        )
    return path


def _sqlite(path: Path) -> BaseBackend:
    backend = ibis.sqlite.connect(str(path))
    backend.con.execute("PRAGMA query_only = ON")
    return cast(BaseBackend, backend)


def _duckdb(backend: BaseBackend) -> BaseBackend:
    backend.raw_sql("SET TimeZone = 'UTC'")
    backend.raw_sql("SET preserve_insertion_order = false")
    return backend


def _spark() -> BaseBackend:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.appName("foureyes")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return cast(BaseBackend, ibis.pyspark.connect(session))


def _file(backend: BaseBackend, folder: Path, name: str) -> Table:
    """`predictions` is predictions.parquet, predictions.csv, or the Parquet files of a folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise Refused("source_wrong", f"The table {name} would lie outside the source's folder.")
    for path, reader in (
        (folder / f"{name}.parquet", "read_parquet"),
        (folder / f"{name}.csv", "read_csv"),
        (folder / name, "read_parquet"),
    ):
        if path.is_dir():
            return cast(Table, getattr(backend, reader)(str(path / "*.parquet")))
        if path.is_file():
            chosen = "read_csv" if path.suffix == ".csv" else reader
            return cast(Table, getattr(backend, chosen)(str(path)))
    raise ibis.common.exceptions.TableNotFound(name)

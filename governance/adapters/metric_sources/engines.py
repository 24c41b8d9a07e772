"""Opens an engine by its address, to read and to be cut off; never repeats the address.

Addresses: `sqlite:///FILE`, `duckdb:///FILE`, `parquet:///FOLDER` and `csv:///FOLDER` (files that
DuckDB reads), `postgresql://…`, `spark://local/FOLDER` (files that PySpark reads on this machine;
without a folder, the tables of its catalog), `sc://HOST:PORT` (a Spark Connect server and the
tables of its catalog; `/;token=…;use_ssl=true` behind it, as Spark spells it), and whatever else
`ibis.connect` knows.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import ibis
from ibis import BaseBackend

from governance.adapters.metric_sources.connection import Connection
from governance.adapters.metric_sources.written import write_once
from governance.domain.errors import Unavailable

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession as ConnectSession

_SLOWER_THAN_THE_SERVER_SECONDS = 1.0
"""PostgreSQL ends a slow statement by itself; the line is cut only where that does not reach us."""
_GOODBYE_SECONDS = 3.0
_SPARK_STARTS = threading.Lock()
_NO_PYSPARK = "PySpark is not installed; it comes with `pip install 'foureyes[spark]'`"
_OPENS_AT_ONCE = frozenset(
    {"sqlite", "duckdb", "parquet", "csv", "postgresql", "postgres", "spark"}
)
"""These have a time limit of their own, or only start something on this machine."""

# Every engine flattens nested selects itself; that Ibis does it first costs a quarter of the time
# of asking, which is mostly the making of the statement.
ibis.options.sql.fuse_selects = False


def may_hang(address: str) -> bool:
    """Whether opening may take longer than any question: a client that tries again and again."""
    return urlsplit(address).scheme.partition("+")[0] not in _OPENS_AT_ONCE


def connect(address: str, *, timeout_seconds: float) -> Connection:
    """Open an engine.

    Raises:
        Unavailable: `source_unavailable`, when nothing is there. Whatever the engine raises.
    """
    connection = _connected(address, timeout_seconds)
    write_once(connection.backend)
    return connection


def _connected(address: str, timeout_seconds: float) -> Connection:
    parts = urlsplit(address)
    match parts.scheme.partition("+")[0]:
        case "sqlite":
            return _sqlite(_local(parts), timeout_seconds)
        case "duckdb":
            backend = ibis.duckdb.connect(str(_local(parts)), read_only=True)
            return replace(_duckdb(backend, None, timeout_seconds), is_brief=True)
        case "parquet" | "csv":
            return _duckdb(ibis.duckdb.connect(), _local(parts), timeout_seconds)
        case "postgresql" | "postgres":
            return _postgres(address, timeout_seconds)
        case "spark":
            return _spark(parts, timeout_seconds)
        case "sc":
            return _spark_connect(address, timeout_seconds)
        case _:
            backend = ibis.connect(address)
            return Connection(
                backend=backend,
                timeout_seconds=timeout_seconds,
                stop=lambda: None,
                can_be_stopped=False,
                close=backend.disconnect,
            )


def _local(parts: SplitResult) -> Path:
    """What stands after three slashes, from the root or else from the working folder."""
    path = Path(unquote(f"{parts.netloc}{parts.path}"))
    for candidate in (path, Path(str(path).lstrip("/"))):
        if str(candidate) != "." and candidate.exists():
            return candidate
    raise Unavailable("source_unavailable", "there is nothing at the path that its address names")


def _sqlite(path: Path, timeout_seconds: float) -> Connection:
    # Read-only for SQLite itself: not even a statement of a view could write.
    raw = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    return Connection(
        backend=ibis.sqlite.from_connection(raw),
        timeout_seconds=timeout_seconds,
        stop=raw.interrupt,
        close=raw.close,
    )


def _duckdb(backend: BaseBackend, folder: Path | None, timeout_seconds: float) -> Connection:
    backend.raw_sql("SET TimeZone = 'UTC'")
    backend.raw_sql("SET preserve_insertion_order = false")
    # Days by places are counted in an array then, up to 2^22 of them: 10^8 rows take two thirds of
    # the time that a hash table takes.
    backend.raw_sql("SET perfect_ht_threshold = 22")
    return Connection(
        backend=backend,
        folder=folder,
        timeout_seconds=timeout_seconds,
        stop=backend.con.interrupt,
        close=backend.disconnect,
    )


def _postgres(address: str, timeout_seconds: float) -> Connection:
    parts = urlsplit(address)
    own = dict(parse_qsl(parts.query)).get("options", "")
    milliseconds = int(timeout_seconds * 1000)
    backend = ibis.postgres.connect(
        conninfo=parts._replace(scheme="postgresql").geturl(),
        port=None,  # or Ibis would put its own in the place of the address's
        connect_timeout=max(2, int(timeout_seconds)),
        options=f"{own} -c statement_timeout={milliseconds} -c timezone=UTC "
        "-c default_transaction_read_only=on",
    )

    def stop() -> None:
        # The driver may not be called from here; its wait ends when the line does.
        with socket.socket(fileno=os.dup(backend.con.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    return Connection(
        backend=backend,
        timeout_seconds=timeout_seconds,
        grace_seconds=_SLOWER_THAN_THE_SERVER_SECONDS,
        stop=stop,
        close=backend.disconnect,
    )


def _spark_connect(address: str, timeout_seconds: float) -> Connection:
    try:
        # Not by the builder of `pyspark.sql`: that one turns the whole process to Spark Connect,
        # and spark://local beside it would end.
        from pyspark.sql.connect.session import SparkSession
    except ImportError:  # PySpark is not there, or what it needs for Connect is not
        raise Unavailable("source_unavailable", _NO_PYSPARK) from None
    with _SPARK_STARTS:
        session = SparkSession.builder.remote(address).create()
    stop = _stop_of(session)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return Connection(
        backend=ibis.pyspark.connect(session),
        timeout_seconds=timeout_seconds,
        stop=session.interruptAll,
        close=lambda: _in_a_moment(stop),
        look_again=_look_again(session.catalog.refreshTable),
    )


def _stop_of(session: ConnectSession) -> Callable[[], None]:
    """How to end a session, which the collector of garbage does not do from here on: PySpark waits
    there for a lock, which may be held by a thread that waits for the collecting one. A channel
    that nobody ends is closed by gRPC itself."""
    close = session.client.close
    session.client.close = _nothing

    def stop() -> None:
        session.stop()
        close()

    return stop


def _nothing() -> None:
    """Instead of an end."""


def _in_a_moment(goodbye: Callable[[], None]) -> None:
    """A server that is gone is told good-bye for minutes, again and again: nobody waits for it."""
    saying = threading.Thread(target=goodbye, daemon=True)
    saying.start()
    saying.join(_GOODBYE_SECONDS)


def _look_again(refresh: Callable[[str], None]) -> Callable[[str], None]:
    """Spark remembers the files of a table for as long as a session lives."""

    def look_again(name: str) -> None:
        with suppress(Exception):  # whether it is there is found out by reading it
            refresh(".".join(f"`{part.replace('`', '``')}`" for part in name.split(".")))

    return look_again


def _spark(parts: SplitResult, timeout_seconds: float) -> Connection:
    if parts.netloc != "local":
        raise Unavailable(
            "source_unavailable",
            "spark://local is Spark on this machine; a Spark elsewhere is sc://HOST:PORT",
        )
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise Unavailable("source_unavailable", _NO_PYSPARK) from None
    folder = None if parts.path in ("", "/") else Path(unquote(parts.path))
    with _SPARK_STARTS:
        session = (
            SparkSession.builder.appName("foureyes")
            .master("local[*]")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate()
        )
    # One Spark for the whole process: it is never stopped, and each thread has a group of jobs.
    group = f"foureyes-{threading.get_ident()}"
    session.sparkContext.setJobGroup(group, "metric source", interruptOnCancel=True)
    return Connection(
        backend=ibis.pyspark.connect(session),
        folder=folder,
        timeout_seconds=timeout_seconds,
        stop=lambda: session.sparkContext.cancelJobGroup(group),
        close=lambda: None,
        look_again=_look_again(session.catalog.refreshTable),
    )

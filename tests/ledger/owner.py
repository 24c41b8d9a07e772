"""Whoever owns the database, and what they can do to the record with every hash in it right."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from governance.domain.ledger import Peaks

GUARDED = ("ledger", "decisions", "tenures", "reviews", "absences")


@dataclass(frozen=True)
class Owner:
    """Full rights on the database: triggers go, and come back afterwards."""

    url: str

    @contextmanager
    def at_work(self) -> Iterator[Connection]:
        """No trigger refuses anything in this block."""
        url = self.url.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url)
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                for table in GUARDED:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                yield connection
                for table in GUARDED:
                    connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
            else:
                triggers = connection.execute(
                    text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                ).all()
                for name, _sql in triggers:
                    connection.execute(text(f"DROP TRIGGER {name}"))
                yield connection
                for _name, sql in triggers:
                    connection.exec_driver_sql(sql)
        engine.dispose()

    def copied(self, folder: Path) -> str:
        """The URL of a whole copy of the database as it is now; PostgreSQL ends every session for
        that."""
        if self.url.startswith("sqlite"):
            copy = folder / "older.db"
            with closing(sqlite3.connect(str(make_url(self.url).database))) as connection:
                connection.execute("VACUUM INTO ?", (str(copy),))
            return f"sqlite:///{copy}"
        parsed = make_url(self.url)
        copied = parsed.set(database=f"{parsed.database}_older")
        admin = parsed.set(database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                (parsed.database,),
            )
            statement = f"CREATE DATABASE {copied.database} TEMPLATE {parsed.database}"
            connection.execute(statement.encode())
        return copied.render_as_string(hide_password=False)


def bodies(connection: Connection) -> list[bytes]:
    """Every record as stored."""
    return [
        bytes(b) for b in connection.execute(text("SELECT body FROM ledger ORDER BY seq")).scalars()
    ]


def write_anew(connection: Connection, records: Sequence[bytes]) -> None:
    """A whole log with every hash right, as Foureyes itself would have computed them."""
    rows = connection.execute(
        text("SELECT seq, kind, model, request_id, at FROM ledger ORDER BY seq")
    ).all()
    connection.execute(text("DELETE FROM ledger"))
    peaks = Peaks.empty()
    for record, row in zip(records, rows, strict=False):
        peaks = peaks.append(record)
        connection.execute(
            text(
                "INSERT INTO ledger (seq, body, root, peaks, kind, model, request_id, at) "
                "VALUES (:seq, :body, :root, :peaks, :kind, :model, :request_id, :at)"
            ),
            {
                "seq": peaks.size,
                "body": record,
                "root": peaks.head.root,
                "peaks": b"".join(peaks.hashes),
                **{k: getattr(row, k) for k in ("kind", "model", "request_id", "at")},
            },
        )


def an_edited_name(connection: Connection) -> None:
    """Ana's vote becomes Vera's, and every hash is computed anew."""
    write_anew(connection, [b.replace(b'"ana"', b'"vera"') for b in bodies(connection)])


def an_earlier_date(connection: Connection) -> None:
    """Everything happened a month before."""
    write_anew(connection, [b.replace(b"2026-03", b"2026-02") for b in bodies(connection)])


def a_cut_tail(connection: Connection) -> None:
    """The last two records never were."""
    write_anew(connection, bodies(connection)[:-2])


def a_record_less(connection: Connection) -> None:
    """One in the middle is gone, and the rest moves up."""
    found = bodies(connection)
    write_anew(connection, found[:1] + found[2:])


def an_empty_log(connection: Connection) -> None:
    """Nothing happened."""
    connection.execute(text("DELETE FROM ledger"))


ATTACKS = (an_edited_name, an_earlier_date, a_cut_tail, a_record_less, an_empty_log)

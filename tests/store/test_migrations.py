"""Step by step from an empty database to this version: what makes the record append-only is there
after every migration, and not only after the last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

import governance.adapters.sql_store as sql_store
from tests.databases import PostgresServer

BOTH = {
    ("ledger", "ledger_no_update"),
    ("ledger", "ledger_no_delete"),
    ("ledger", "ledger_next_only"),
    ("decisions", "decisions_no_delete"),
    ("decisions", "decisions_end_once"),
}
EXPECTED = {
    "sqlite": BOTH,
    "postgresql": BOTH | {("ledger", "ledger_no_truncate"), ("decisions", "decisions_no_truncate")},
}
SINCE = {
    "0004": {("tenures", "tenures_no_delete"), ("tenures", "tenures_end_once")},
    "0009": {("absences", "absences_no_delete"), ("absences", "absences_end_once")},
    "0010": {("reviews", "reviews_stay_about")},
    "0005": {("reviews", "reviews_no_delete"), ("reviews", "reviews_end_once")},
}
"""Written out here a second time: a guard that vanishes from the code's own list is missed too."""

QUERIES = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgrelid::regclass::text, tgname FROM pg_trigger "
    "WHERE NOT tgisinternal AND tgenabled = 'A'",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of each kind that no migration has touched."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database(template="template0")
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


def test_the_guards_are_there_after_each_migration(empty: Engine) -> None:
    """On the tables they belong to, and switched on for every session."""
    config = Config()
    migrations = Path(sql_store.__file__).parent / "migrations"
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    revisions = [r.revision for r in ScriptDirectory.from_config(config).walk_revisions()]
    assert len(revisions) == len(list((migrations / "versions").glob("*.py")))
    expected = EXPECTED[empty.dialect.name]
    for revision in reversed(revisions):
        expected = expected | SINCE.get(revision, set())
        with empty.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
        with empty.connect() as connection:
            missing = expected - triggers(connection)
        assert not missing, f"after {revision}"


def triggers(connection: Connection) -> set[tuple[str, str]]:
    """What the database itself lists: table and trigger."""
    return {tuple(row) for row in connection.execute(text(QUERIES[connection.dialect.name]))}


def test_a_database_of_an_older_version_gets_what_is_new(empty: Engine) -> None:
    """The columns that came later are added to tables that hold rows."""
    config = Config()
    config.set_main_option("script_location", str(Path(sql_store.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with empty.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(text("ALTER TABLE monitors DROP COLUMN looked_at"))
        connection.execute(
            text(
                "INSERT INTO monitors (model, version, monitor, spec, next_look_at, body) "
                "VALUES ('m', 1, 'auc', 'x', '2026-03-01 00:00:00', '{}')"
            )
        )
        connection.commit()
    with empty.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    with empty.connect() as connection:
        assert connection.execute(text("SELECT looked_at FROM monitors")).scalars().all() == [None]

"""The version of the tables: migrations, and the triggers that must be there after each."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from governance.adapters.sql_store.triggers import NAMES
from governance.domain.errors import IntegrityViolation


def upgrade(engine: Engine) -> None:
    """Run every migration that is missing, then look for the triggers: Alembic's batch mode
    drops them silently.

    Raises:
        IntegrityViolation: `triggers_missing`.
    """
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(config, "head")
        missing = missing_triggers(connection)
        if missing:
            connection.rollback()
            raise IntegrityViolation(
                "triggers_missing",
                f"The database lost what makes its log append-only: {', '.join(missing)}. "
                "The migration was not committed.",
            )
        connection.commit()


def is_current(connection: Connection) -> bool:
    """Whether the newest migration has run."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def missing_triggers(connection: Connection) -> tuple[str, ...]:
    """Triggers that should be there and are not."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
    present = set(connection.execute(text(query)).scalars())
    return tuple(sorted(NAMES[connection.dialect.name] - present))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config

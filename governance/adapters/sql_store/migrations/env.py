"""Runs migrations on the connection that `schema.upgrade` brings; nothing is read from a file."""

from __future__ import annotations

from alembic import context

from governance.adapters.sql_store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()

"""Stays in a stage are never deleted, and end once: rollback targets are found by them."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.triggers import STAYS

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the triggers."""
    connection = op.get_bind()
    for statement in STAYS[connection.dialect.name]:
        connection.exec_driver_sql(statement)

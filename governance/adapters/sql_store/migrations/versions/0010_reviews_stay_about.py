"""What a review is about stays as it was when it was opened."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.triggers import REVIEWED

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trigger."""
    connection = op.get_bind()
    for statement in REVIEWED[connection.dialect.name]:
        connection.exec_driver_sql(statement)

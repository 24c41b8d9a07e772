"""Who is away, and who stands in: never deleted, and ended once."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.attention_tables import absences
from governance.adapters.sql_store.tables import metadata
from governance.adapters.sql_store.triggers import ABSENCES

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its triggers."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[absences])
    for statement in ABSENCES[connection.dialect.name]:
        connection.exec_driver_sql(statement)

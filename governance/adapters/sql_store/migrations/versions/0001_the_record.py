"""The first tables and what the database itself enforces."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.attention_tables import ATTENTION
from governance.adapters.sql_store.tables import metadata
from governance.adapters.sql_store.triggers import STATEMENTS
from governance.adapters.sql_store.watch_tables import WATCHING

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table and trigger of the first version."""
    connection = op.get_bind()
    later = (*WATCHING, *ATTENTION)
    metadata.create_all(connection, tables=[t for t in metadata.sorted_tables if t not in later])
    for statement in STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)

"""Reviews of break-glass: never deleted, and ended once."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.review_tables import reviews
from governance.adapters.sql_store.tables import metadata
from governance.adapters.sql_store.triggers import REVIEWS

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its triggers."""
    connection = op.get_bind()
    metadata.create_all(connection, tables=[reviews])
    for statement in REVIEWS[connection.dialect.name]:
        connection.exec_driver_sql(statement)

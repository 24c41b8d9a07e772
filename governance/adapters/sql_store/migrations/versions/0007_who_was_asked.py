"""Who was asked to decide, and when they are reminded."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.attention_tables import asks
from governance.adapters.sql_store.tables import metadata

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    metadata.create_all(op.get_bind(), tables=[asks])

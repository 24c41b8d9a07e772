"""What monitors remember, alerts, drills, and how far a webhook was told."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.tables import metadata
from governance.adapters.sql_store.watch_tables import WATCHING

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of watching."""
    metadata.create_all(op.get_bind(), tables=list(WATCHING))

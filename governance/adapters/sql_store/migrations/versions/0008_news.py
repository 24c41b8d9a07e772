"""How far a channel was told of a model's versions, and the pictures that Slack has."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.news_tables import NEWS
from governance.adapters.sql_store.tables import metadata

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    metadata.create_all(op.get_bind(), tables=list(NEWS))

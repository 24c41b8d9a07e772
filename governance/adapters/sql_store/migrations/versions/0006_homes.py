"""Whose Home is kept up to date."""

from __future__ import annotations

from alembic import op

from governance.adapters.sql_store.tables import homes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, where the first migration did not."""
    homes.create(op.get_bind(), checkfirst=True)

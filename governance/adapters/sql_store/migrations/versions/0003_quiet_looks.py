"""When each monitor was looked at, beside what it remembers: a quiet look changes nothing else."""

from __future__ import annotations

from governance.adapters.sql_store.new_columns import add_column
from governance.adapters.sql_store.watch_tables import monitors

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    add_column(monitors.c.looked_at)

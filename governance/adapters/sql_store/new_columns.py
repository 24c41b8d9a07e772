"""New columns for tables of an older version. The first migrations create tables as the code has
them now, so on a new database the column is there already."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import Column, inspect


def add_column(column: Column[Any]) -> None:
    """Add it where it is missing; it has to be nullable."""
    table = column.table.name
    present = {known["name"] for known in inspect(op.get_bind()).get_columns(table)}
    if column.name not in present:
        op.add_column(table, Column(column.name, column.type, nullable=True))

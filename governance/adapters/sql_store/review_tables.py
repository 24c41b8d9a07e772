"""The table of reviews: what was done past policy, and what those who were skipped say to it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from governance.adapters.sql_store.tables import UtcMoment, metadata

reviews = Table(
    "reviews",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("model", String(300), nullable=False),
    Column("person", String(200), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("opened_at", UtcMoment, nullable=False),
    Column("due_at", UtcMoment, nullable=False),
    Column("body", Text, nullable=False),
    Index("reviews_by_model", "model", "opened_at"),
)

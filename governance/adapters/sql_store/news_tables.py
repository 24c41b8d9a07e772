"""The tables of news: up to which version a model's channel was told, and pictures in Slack."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from governance.adapters.sql_store.tables import metadata

noticed = Table(
    "noticed",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("up_to", Integer, nullable=False),
)
"""The newest version that was there at the first look, or that was announced since."""

pictures = Table(
    "pictures",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("file_id", String(40), nullable=False),
    Column("alt_text", Text, nullable=False),
)
"""What was uploaded to Slack, so that every replica shows it and none uploads it again."""

NEWS = (noticed, pictures)

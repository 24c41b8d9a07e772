"""The tables of people's attention: who was asked, and when they are reminded."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from governance.adapters.sql_store.tables import UtcMoment, metadata

asks = Table(
    "asks",
    metadata,
    Column("request_id", String(40), primary_key=True),
    Column("person", String(200), primary_key=True),
    Column("asked_at", UtcMoment, nullable=False),
    Column("last_at", UtcMoment, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("next_at", UtcMoment),
    Column("ended_at", UtcMoment),
    Index(
        "asks_running",
        "next_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
"""One row for each person and request; `next_at` is empty while nothing is planned."""

absences = Table(
    "absences",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("person", String(200), nullable=False),
    Column("stand_in", String(200)),
    Column("account", String(200), nullable=False),
    Column("began_at", UtcMoment, nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("ends_at", UtcMoment, nullable=False),
    Column("ended_at", UtcMoment),
    Column("ended_why", Text, nullable=False, server_default=""),
    Index(
        "one_absence_in_force",
        "person",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

ATTENTION = (asks, absences)

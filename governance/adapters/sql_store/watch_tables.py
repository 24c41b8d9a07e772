"""The tables of watching: what monitors remember, alerts, drills, and how far others were told."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from governance.adapters.sql_store.tables import UtcMoment, metadata

_Key = BigInteger().with_variant(Integer, "sqlite")

monitors = Table(
    "monitors",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("monitor", String(100), nullable=False),
    Column("spec", String(64), nullable=False),
    Column("next_look_at", UtcMoment, nullable=False),
    Column("looked_at", UtcMoment),
    Column("body", Text, nullable=False),
    UniqueConstraint("model", "version", "monitor", name="one_row_a_monitor"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("monitor", String(100), nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("raised_at", UtcMoment, nullable=False),
    Column("remind_at", UtcMoment),
    Column("body", Text, nullable=False),
    Index("alerts_by_model", "model", "id"),
    Index(
        "one_open_alert",
        "model",
        "version",
        "monitor",
        unique=True,
        sqlite_where=text("is_open"),
        postgresql_where=text("is_open"),
    ),
)

drills = Table(
    "drills",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("drilled_at", UtcMoment, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("findings", Text, nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("seq", _Key, nullable=False),
)
"""How far in the record somebody outside was told."""

WATCHING = (monitors, alerts, drills, told)

"""The tables, as SQLAlchemy sees them. What the database itself must enforce beside them
(append-only, one in force) is in `migrations/`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData()
_Key = BigInteger().with_variant(Integer, "sqlite")


class UtcMoment(TypeDecorator[datetime]):
    """An aware moment, stored as ISO 8601 text in UTC with microseconds: sorts as text, and is
    the same in both databases. Naive moments are refused."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse a naive moment; write the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone is refused")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Aware, UTC."""
        return None if value is None else datetime.fromisoformat(value)


ledger = Table(
    "ledger",
    metadata,
    Column("seq", _Key, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("model", String(300)),
    Column("request_id", String(40)),
    Column("at", UtcMoment, nullable=False),
    Index("ledger_by_model", "model", "seq"),
    Index("ledger_by_request", "request_id", "seq"),
    Index("ledger_by_kind", "kind", "seq"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("target", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("opened_at", UtcMoment, nullable=False),
    Column("expires_at", UtcMoment, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("requests_by_model", "model", "opened_at"),
    Index(
        "one_open_request",
        "model",
        "version",
        "target",
        unique=True,
        sqlite_where=text("is_open"),
        postgresql_where=text("is_open"),
    ),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("request_id", String(40), nullable=False),
    Column("person", String(200), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("ended_at", UtcMoment),
    Column("ended_why", Text, nullable=False, server_default=""),
    Index("decisions_by_request", "request_id", "id"),
    Index(
        "one_decision_in_force",
        "request_id",
        "person",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

tenures = Table(
    "tenures",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("started_at", UtcMoment, nullable=False),
    Column("origin", String(30), nullable=False),
    Column("request_id", String(40)),
    Column("ended_at", UtcMoment),
    Column("ending", String(30)),
    Index("tenures_by_model", "model", "id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("why", Text, nullable=False),
    Column("since", UtcMoment, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("taken_at", UtcMoment, nullable=False),
    Column("body", Text, nullable=False),
    Column("content", Text),
    Index("snapshots_by_version", "model", "version", "id"),
)

observations = Table(
    "observations",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("seen_at", UtcMoment, nullable=False),
    Column("body", Text, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("model", String(300), nullable=False),
    Column("request_id", String(40)),
    Column("body", Text, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("closed_at", UtcMoment),
    Column("outcome", String(40)),
    UniqueConstraint("request_id", name="one_intent_a_request"),
    Index("intents_by_model", "model", "id"),
)

policy_loads = Table(
    "policy_loads",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("loaded_at", UtcMoment, nullable=False),
    Column("texts", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("lane", String(320), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcMoment, nullable=False),
    Column("due_at", UtcMoment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ended_at", UtcMoment),
    Column("problem", Text, nullable=False, server_default=""),
    Index(
        "outbox_waiting",
        "id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("ts", String(40), nullable=False),
    Column("drawn", String(64), nullable=False),
)

homes = Table(
    "homes",
    metadata,
    Column("account", String(60), primary_key=True),
    Column("opened_at", UtcMoment, nullable=False),
    Column("barred", Text, nullable=False),
    Column("drawn", String(64), nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("key", String(300), nullable=False),
    Column("payload", Text, nullable=False),
    Column("received_at", UtcMoment, nullable=False),
    Column("leased_until", UtcMoment),
    Column("leased_by", String(300), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("done_at", UtcMoment),
    Column("outcome", Text, nullable=False, server_default=""),
    UniqueConstraint("key", name="one_inbox_row_a_key"),
    Index(
        "inbox_waiting",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)

locks = Table(
    "locks",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("leased_until", UtcMoment, nullable=False),
)

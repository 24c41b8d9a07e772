"""The store over SQLite or PostgreSQL: transactions, the lock on a model, the schema."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import schema
from governance.adapters.sql_store.engine import make_engine, translated
from governance.adapters.sql_store.holders import is_dead
from governance.adapters.sql_store.tables import inbox, locks
from governance.adapters.sql_store.transaction import SqlTransaction
from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName
from governance.ports import KeptHeads, Transaction


class SqlStore:
    """Implements `governance.ports.Store`."""

    def __init__(
        self, engine: Engine, heads: KeptHeads, clock: Callable[[], datetime] | None
    ) -> None:
        self._engine = engine
        self._heads = heads
        self._clock = clock
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writing = threading.Lock()
        """SQLite: one writer per process; waiting here is cheaper than in the database."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A write transaction; after it, the head of what was recorded is kept outside."""
        with self._one_writer(), translated(), self._engine.connect() as connection:
            self._begin(connection, is_write=True)
            tx = SqlTransaction(connection, clock=self._clock, heads=self._heads, is_write=True)
            try:
                yield tx
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
            if tx.appended is not None:
                # Still under the writer's lock, so that heads stand in the order of commits.
                self._heads.append(tx.appended)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent read: one snapshot of the database."""
        with translated(), self._engine.connect() as connection:
            self._begin(connection, is_write=False)
            try:
                yield SqlTransaction(
                    connection, clock=self._clock, heads=self._heads, is_write=False
                )
            finally:
                connection.rollback()
                if self._is_sqlite:
                    connection.exec_driver_sql("PRAGMA query_only = OFF")

    def lock_model(self, model: ModelName, holder: str, lease: timedelta) -> bool:
        """Take the lock on a model's transitions, or renew it."""
        with self.transaction() as tx:
            connection, now = _connection_of(tx), tx.now
            taken = connection.execute(
                update(locks)
                .where(
                    locks.c.model == model,
                    (locks.c.holder == holder) | (locks.c.leased_until <= now),
                )
                .values(holder=holder, leased_until=now + lease)
            )
            if taken.rowcount == 1:
                return True
            try:
                with connection.begin_nested():
                    connection.execute(
                        insert(locks).values(model=model, holder=holder, leased_until=now + lease)
                    )
            except IntegrityError:
                return False
            return True

    def unlock_model(self, model: ModelName, holder: str) -> None:
        """Give the lock back; only its holder can."""
        with self.transaction() as tx:
            _connection_of(tx).execute(
                delete(locks).where(locks.c.model == model, locks.c.holder == holder)
            )

    def release_dead_holders(self) -> int:
        """Give back what killed processes of this machine hold; asked once, at start. Returns how
        many locks and inbox items were released."""
        with self.transaction() as tx:
            connection = _connection_of(tx)
            holders = set(connection.execute(select(locks.c.holder)).scalars())
            leased = select(inbox.c.leased_by).where(inbox.c.done_at.is_(None)).distinct()
            holders |= set(connection.execute(leased).scalars())
            dead = [holder for holder in holders if is_dead(holder)]
            if not dead:
                return 0
            freed = connection.execute(delete(locks).where(locks.c.holder.in_(dead))).rowcount
            returned = connection.execute(
                update(inbox)
                .where(inbox.c.done_at.is_(None), inbox.c.leased_by.in_(dead))
                .values(leased_until=None, leased_by="")
            ).rowcount
            return freed + returned

    def upgrade(self) -> None:
        """Bring the tables to this version, and look that every trigger is there."""
        with self._one_writer(), translated():
            schema.upgrade(self._engine)

    def is_current(self) -> bool:
        """Whether the tables are of this version."""
        with translated(), self._engine.connect() as connection:
            return schema.is_current(connection)

    def missing_triggers(self) -> tuple[str, ...]:
        """Triggers that should be there and are not, by name."""
        with translated(), self._engine.connect() as connection:
            return schema.missing_triggers(connection)

    def describe(self) -> str:
        """The address without its secrets."""
        return self._engine.url.render_as_string(hide_password=True)

    def ping(self) -> None:
        """Write nothing, but be able to. Raises Unavailable."""
        with self.transaction() as tx:
            _connection_of(tx).execute(select(text("1")))
            if not inspect(_connection_of(tx)).has_table("ledger"):
                raise Unavailable(
                    "store_unavailable",
                    "The database has no tables yet. Run foureyes db upgrade.",
                )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if not self._is_sqlite:
            yield
            return
        with self._writing:
            yield

    def _begin(self, connection: Connection, *, is_write: bool) -> None:
        if self._is_sqlite:
            if not is_write:
                connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
        elif not is_write:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _connection_of(tx: Transaction) -> Connection:
    if not isinstance(tx, SqlTransaction):
        raise TypeError("a transaction of another store")
    return tx.connection


def open_store(
    url: str, heads: KeptHeads, *, clock: Callable[[], datetime] | None = None
) -> SqlStore:
    """Open a store; nothing is migrated and nothing is created but SQLite's empty file.

    Raises:
        Refused: `database_url`.
    """
    return SqlStore(make_engine(url), heads, clock)

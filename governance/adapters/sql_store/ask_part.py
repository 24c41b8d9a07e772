"""Who is asked to decide, and their reminders, inside a transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, insert, or_, select, update

from governance.adapters.sql_store.attention_tables import asks
from governance.domain.approval import RequestId
from governance.domain.identity import PersonId
from governance.ports import Ask


class AskPart:
    """One row for each request and person."""

    connection: Connection

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def begin_ask(self, request_id: RequestId, person: PersonId) -> bool:
        """Somebody is asked to decide; False when they are asked already."""
        key = (asks.c.request_id == request_id, asks.c.person == person)
        fresh = {"asked_at": self.now, "last_at": self.now, "reminders": 0, "next_at": None}
        ended = self.connection.execute(select(asks.c.ended_at).where(*key)).first()
        if ended is None:
            self.connection.execute(
                insert(asks).values(request_id=request_id, person=person, **fresh)
            )
            return True
        if ended.ended_at is None:
            return False
        self.connection.execute(update(asks).where(*key).values(**fresh, ended_at=None))
        return True

    def asks(self, request_id: RequestId) -> tuple[Ask, ...]:
        """Those who are asked, by person."""
        return self._asks(
            select(asks)
            .where(asks.c.request_id == request_id, asks.c.ended_at.is_(None))
            .order_by(asks.c.person)
        )

    def due_asks(self) -> tuple[Ask, ...]:
        """Due, or not planned yet."""
        return self._asks(
            select(asks)
            .where(
                asks.c.ended_at.is_(None),
                or_(asks.c.next_at.is_(None), asks.c.next_at <= self.now),
            )
            .order_by(asks.c.asked_at, asks.c.request_id, asks.c.person)
        )

    def plan_ask(self, ask: Ask, at: datetime) -> None:
        """When to look at it again."""
        self._change(ask, next_at=at)

    def claim_reminder(self, ask: Ask) -> bool:
        """Count one more, unless somebody else did."""
        return self._change(ask, reminders=ask.reminders + 1, last_at=self.now, next_at=None)

    def end_ask(self, request_id: RequestId, person: PersonId) -> None:
        """They are not asked any more."""
        self.connection.execute(
            update(asks)
            .where(
                asks.c.request_id == request_id,
                asks.c.person == person,
                asks.c.ended_at.is_(None),
            )
            .values(ended_at=self.now)
        )

    def _change(self, ask: Ask, **values: datetime | int | None) -> bool:
        """Only what nobody else changed since `ask` was read."""
        done = self.connection.execute(
            update(asks)
            .where(
                asks.c.request_id == ask.request_id,
                asks.c.person == ask.person,
                asks.c.asked_at == ask.asked_at,
                asks.c.reminders == ask.reminders,
                asks.c.ended_at.is_(None),
            )
            .values(**values)
        )
        return done.rowcount == 1

    def _asks(self, query: Select[tuple[object, ...]]) -> tuple[Ask, ...]:
        return tuple(
            Ask(
                request_id=RequestId(row["request_id"]),
                person=PersonId(row["person"]),
                asked_at=row["asked_at"],
                last_at=row["last_at"],
                reminders=row["reminders"],
            )
            for row in self.connection.execute(query).mappings()
        )

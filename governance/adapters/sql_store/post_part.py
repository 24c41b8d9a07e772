"""Inbox and outbox inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from governance.adapters.sql_store import codecs
from governance.adapters.sql_store.holders import this_process
from governance.adapters.sql_store.tables import inbox, messages, outbox
from governance.domain.approval import RequestId
from governance.ports import InboxId, InboxItem, Notice, NoticeId, QueuedNotice, SentMessage


class PostPart:
    """What came in, and what is to go out."""

    connection: Connection

    @property
    def now(self) -> datetime:
        """The transaction's moment."""
        raise AssertionError("the ledger part answers this")

    def notify(self, notice: Notice) -> None:
        """Queue a notice behind its elders of the same request or model."""
        lane = f"request {notice.request_id}" if notice.request_id else f"model {notice.model}"
        if notice.request_id is None and notice.model is None:
            lane = f"person {notice.person}"
        self.connection.execute(
            insert(outbox).values(
                lane=lane,
                body=codecs.notice_text(notice),
                created_at=self.now,
                due_at=self.now,
            )
        )

    def due_notices(self, limit: int) -> tuple[QueuedNotice, ...]:
        """Unsent notices whose time has come and whose elders are sent."""
        elder = outbox.alias("elder")
        rows = self.connection.execute(
            select(outbox)
            .where(
                outbox.c.ended_at.is_(None),
                outbox.c.due_at <= self.now,
                ~exists().where(
                    elder.c.lane == outbox.c.lane,
                    elder.c.id < outbox.c.id,
                    elder.c.ended_at.is_(None),
                ),
            )
            .order_by(outbox.c.id)
            .limit(limit)
        ).mappings()
        return tuple(
            QueuedNotice(
                id=NoticeId(row["id"]),
                notice=codecs.notice_of(row["body"]),
                created_at=row["created_at"],
                attempts=row["attempts"],
            )
            for row in rows
        )

    def notice_sent(self, notice_id: NoticeId) -> None:
        """It arrived."""
        self._end_notice(notice_id, "")

    def notice_delayed(self, notice_id: NoticeId, until: datetime, error: str) -> None:
        """Try again later."""
        self.connection.execute(
            update(outbox)
            .where(outbox.c.id == notice_id)
            .values(due_at=until, attempts=outbox.c.attempts + 1, problem=error)
        )

    def notice_dropped(self, notice_id: NoticeId, error: str) -> None:
        """It can never arrive."""
        self._end_notice(notice_id, error)

    def _end_notice(self, notice_id: NoticeId, problem: str) -> None:
        self.connection.execute(
            update(outbox)
            .where(outbox.c.id == notice_id, outbox.c.ended_at.is_(None))
            .values(ended_at=self.now, problem=problem)
        )

    def save_message(self, key: str, message: SentMessage) -> None:
        """Remember where a message stands."""
        self.connection.execute(delete(messages).where(messages.c.key == key))
        self.connection.execute(
            insert(messages).values(
                key=key, channel=message.channel, ts=message.ts, drawn=message.drawn
            )
        )

    def message(self, key: str) -> SentMessage | None:
        """Where the message with this key stands."""
        row = self.connection.execute(select(messages).where(messages.c.key == key)).first()
        return None if row is None else SentMessage(channel=row.channel, ts=row.ts, drawn=row.drawn)

    def messages_of(self, request_id: RequestId) -> Mapping[str, SentMessage]:
        """Every message of a request, by key."""
        key = f"request {request_id}"
        rows = self.connection.execute(
            select(messages)
            .where(
                or_(messages.c.key == key, messages.c.key.startswith(f"{key} ", autoescape=True))
            )
            .order_by(messages.c.key)
        )
        return {
            row.key: SentMessage(channel=row.channel, ts=row.ts, drawn=row.drawn) for row in rows
        }

    def accept(self, kind: str, key: str, payload: str) -> InboxId | None:
        """Store what came in; None when it was stored before."""
        try:
            with self.connection.begin_nested():
                found = self.connection.execute(
                    insert(inbox)
                    .values(kind=kind, key=key, payload=payload, received_at=self.now)
                    .returning(inbox.c.id)
                ).scalar_one()
        except IntegrityError:
            return None
        return InboxId(found)

    def claim(self, inbox_id: InboxId, lease: timedelta) -> InboxItem | None:
        """Take one item to work on."""
        row = (
            self.connection.execute(
                update(inbox)
                .where(
                    inbox.c.id == inbox_id,
                    inbox.c.done_at.is_(None),
                    or_(inbox.c.leased_until.is_(None), inbox.c.leased_until <= self.now),
                )
                .values(
                    leased_until=self.now + lease,
                    leased_by=this_process(),
                    attempts=inbox.c.attempts + 1,
                )
                .returning(inbox)
            )
            .mappings()
            .first()
        )
        return None if row is None else _item(row)

    def waiting_items(self, limit: int) -> tuple[InboxItem, ...]:
        """Items that nobody works on, oldest first."""
        rows = self.connection.execute(
            select(inbox)
            .where(
                inbox.c.done_at.is_(None),
                or_(inbox.c.leased_until.is_(None), inbox.c.leased_until <= self.now),
            )
            .order_by(inbox.c.id)
            .limit(limit)
        ).mappings()
        return tuple(_item(row) for row in rows)

    def item_delayed(self, inbox_id: InboxId, until: datetime) -> None:
        """Held by nobody, so that no dead holder's release brings it back sooner."""
        self.connection.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id, inbox.c.done_at.is_(None))
            .values(leased_until=until, leased_by="")
        )

    def item_held(self, inbox_id: InboxId, lease: timedelta) -> None:
        """Only by who has it."""
        self.connection.execute(
            update(inbox)
            .where(
                inbox.c.id == inbox_id,
                inbox.c.done_at.is_(None),
                inbox.c.leased_by == this_process(),
            )
            .values(leased_until=self.now + lease)
        )

    def item_done(self, inbox_id: InboxId, outcome: str) -> None:
        """Worked off; the payload is cleared."""
        self.connection.execute(
            update(inbox)
            .where(inbox.c.id == inbox_id)
            .values(done_at=self.now, outcome=outcome, payload="", leased_until=None)
        )

    def inbox_age_seconds(self) -> float:
        """Age of the oldest item that is not done."""
        oldest = self.connection.execute(
            select(inbox.c.received_at)
            .where(inbox.c.done_at.is_(None))
            .order_by(inbox.c.id)
            .limit(1)
        ).scalar()
        return 0.0 if oldest is None else max(0.0, (self.now - oldest).total_seconds())


def _item(row: RowMapping) -> InboxItem:
    return InboxItem(
        id=InboxId(row["id"]),
        kind=row["kind"],
        key=row["key"],
        payload=row["payload"],
        received_at=row["received_at"],
        attempts=row["attempts"],
    )

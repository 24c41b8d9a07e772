"""Appending to and reading the audit log inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, text

from governance.adapters.sql_store.tables import ledger
from governance.domain.approval import RequestId
from governance.domain.canonical import Json
from governance.domain.errors import IntegrityViolation, Unavailable
from governance.domain.evidence import ModelName
from governance.domain.ledger import Event, EventKind, Hash, Head, Peaks, decode, encode
from governance.ports import KeptHeads

_HASH_BYTES = 32
_PAGE = 1000
_ADVISORY_LOCK = 4919131
"""One number for all of Foureyes: appends follow one another across processes."""


class LedgerPart:
    """The record."""

    connection: Connection
    clock: Callable[[], datetime] | None
    heads: KeptHeads
    appended: Head | None
    """The head to keep outside after the commit; None while nothing may vouch for the log."""
    _now: datetime | None
    _appending: bool
    _vouched: bool

    @property
    def now(self) -> datetime:
        """The store's clock, once per transaction; never before the newest record."""
        if self._now is None:
            if self.clock is not None:
                now = self.clock()
            elif self.connection.dialect.name == "postgresql":
                now = self.connection.execute(select(func.clock_timestamp())).scalar_one()
            else:
                now = utc_now()
            newest = self.connection.execute(
                select(ledger.c.at).order_by(ledger.c.seq.desc()).limit(1)
            ).scalar()
            now = as_utc(now)
            self._now = now if newest is None or now >= newest else newest
        return self._now

    def record(self, event: Event) -> int:
        """Append one event; return its sequence number."""
        before = self._hold_appends()
        body = encode(event, before.size + 1)
        peaks = before.append(body)
        head = peaks.head
        self.connection.execute(
            insert(ledger).values(
                seq=peaks.size,
                body=body,
                root=head.root,
                peaks=b"".join(peaks.hashes),
                kind=event.kind.value,
                model=event.model,
                request_id=event.request_id,
                at=event.at,
            )
        )
        self.appended = head if self._vouched else None
        return peaks.size

    def records(self, *, after: int = 0) -> Iterator[bytes]:
        """The stored bytes in order, a page at a time."""
        while True:
            rows = self.connection.execute(
                select(ledger.c.seq, ledger.c.body)
                .where(ledger.c.seq > after)
                .order_by(ledger.c.seq)
                .limit(_PAGE)
            ).all()
            if not rows:
                return
            for row in rows:
                yield bytes(row.body)
            after = rows[-1].seq

    def events(
        self, *, model: ModelName | None = None, request_id: RequestId | None = None
    ) -> tuple[Mapping[str, Json], ...]:
        """Decoded records of one model or request, in order.

        Raises:
            IntegrityViolation: `record_unreadable`, for bytes that Foureyes did not write.
        """
        query = select(ledger.c.body).order_by(ledger.c.seq)
        if model is not None:
            query = query.where(ledger.c.model == model)
        if request_id is not None:
            query = query.where(ledger.c.request_id == request_id)
        return tuple(_event(bytes(b)) for b in self.connection.execute(query).scalars())

    def newest_events(
        self, kinds: Collection[EventKind], *, limit: int
    ) -> tuple[Mapping[str, Json], ...]:
        """The newest decoded records of these kinds, newest first. Raises as `events` does."""
        bodies = self.connection.execute(
            select(ledger.c.body)
            .where(ledger.c.kind.in_(sorted(kinds)))
            .order_by(ledger.c.seq.desc())
            .limit(limit)
        ).scalars()
        return tuple(_event(bytes(b)) for b in bodies)

    def misfiled(self) -> tuple[int, ...]:
        """Compared row by row with the bytes."""
        rows = self.connection.execute(
            select(
                ledger.c.seq, ledger.c.body, ledger.c.model, ledger.c.request_id, ledger.c.kind
            ).order_by(ledger.c.seq)
        )
        return tuple(
            row.seq
            for row in rows
            if _is_misfiled(bytes(row.body), (row.model, row.request_id, row.kind))
        )

    def head(self) -> Head:
        """Size and root as stored."""
        return self._peaks().head

    def head_at(self, size: int) -> Head | None:
        """The stored head at an earlier size."""
        if size == 0:
            return Peaks.empty().head
        root = self.connection.execute(select(ledger.c.root).where(ledger.c.seq == size)).scalar()
        return None if root is None else Head(size=size, root=Hash(bytes(root)))

    def _peaks(self) -> Peaks:
        row = self.connection.execute(
            select(ledger.c.seq, ledger.c.peaks).order_by(ledger.c.seq.desc()).limit(1)
        ).first()
        if row is None:
            return Peaks.empty()
        joined = bytes(row.peaks)
        hashes = (joined[i : i + _HASH_BYTES] for i in range(0, len(joined), _HASH_BYTES))
        return Peaks(size=row.seq, hashes=tuple(Hash(h) for h in hashes))

    def _hold_appends(self) -> Peaks:
        """Let nobody else append until this transaction ends; the peaks so far."""
        if self._appending:
            return self._peaks()
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
            )
        self._appending = True
        before = self._peaks()
        self._vouched = self._continues(before)
        return before

    def _continues(self, before: Peaks) -> bool:
        """Whether the log up to here is the one that the newest kept head vouches for. A head of
        a log that contradicts it would vouch for the forgery: none is kept until an operator has
        recorded the gap."""
        try:
            newest = self.heads.newest()
        except (IntegrityViolation, Unavailable):
            return False  # transitions ask by themselves, and stop
        if newest is None:
            if before.size > 0:
                return False
            # A crash right after the very first record must not leave it without any head.
            self.heads.append(before.head)
            return True
        return self.head_at(newest.head.size) == newest.head


def utc_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a clock without a time zone is refused")
    return moment.astimezone(UTC)


def _is_misfiled(body: bytes, filed: tuple[str | None, str | None, str]) -> bool:
    said = decode(body)
    if said is None:
        return False  # bytes of nobody: the tree tells of them
    return filed != (said.get("model"), said.get("request"), said.get("kind"))


def _event(body: bytes) -> Mapping[str, Json]:
    event = decode(body)
    if event is None:
        raise IntegrityViolation(
            "record_unreadable",
            "The record holds bytes that Foureyes did not write, so it cannot be shown.",
        )
    return event

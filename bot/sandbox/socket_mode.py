"""Socket Mode: who is connected, what was sent to whom, what was acknowledged in time.

Guarantees that an envelope goes to one open connection, that without an ack in time an event is
sent again while everything else is lost. Knows neither WebSockets nor what envelopes mean.
"""

from __future__ import annotations

import json
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.clock import Clock
from bot.sandbox.json_values import Json, JsonObject, text_of
from bot.sandbox.limits import Limits


class EnvelopeKind(StrEnum):
    """The `type` of an envelope."""

    SLASH_COMMAND = "slash_commands"
    INTERACTIVE = "interactive"
    EVENT = "events_api"


class NoConnection(Exception):
    """No app is connected that could take the envelope."""


class NoAck(Exception):
    """The app did not acknowledge in time."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Something the app did wrong where the wire has no way to tell it."""

    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Connection:
    """One open socket. `send` and `close` may be called from any thread."""

    id: str
    send: Callable[[str], None]
    close: Callable[[], None]


@dataclass(kw_only=True, eq=False)
class Delivery:
    """One envelope on its way. `answer` is the ack's payload, empty when there was none."""

    envelope_id: str
    kind: EnvelopeKind
    payload: JsonObject
    accepts_answer: bool
    connection_id: str
    deadline_seconds: float
    is_acked: bool = False
    is_lost: bool = False
    answer: JsonObject = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class _Event:
    payload: JsonObject
    retries: int = 0
    next_at_seconds: float = 0.0
    delivery: Delivery | None = None


class SocketMode:
    """The hub. Public methods take the workspace's lock themselves."""

    def __init__(self, *, changed: threading.Condition, clock: Clock, limits: Limits) -> None:
        self._changed = changed
        self._clock = clock
        self._limits = limits
        self._tickets: dict[str, float] = {}
        self._connections: list[Connection] = []
        self._deliveries: dict[str, Delivery] = {}
        self._events: list[_Event] = []
        self.violations: list[Violation] = []
        self.lost_events: list[JsonObject] = []

    # connections

    def issue_ticket(self) -> str:
        """A ticket that opens one connection, soon."""
        with self._changed:
            ticket = secrets.token_urlsafe(24)
            self._tickets[ticket] = self._clock.now_seconds() + self._limits.ticket_seconds
            return ticket

    def redeem_ticket(self, ticket: str) -> bool:
        with self._changed:
            expires_at = self._tickets.pop(ticket, None)
            return expires_at is not None and self._clock.now_seconds() < expires_at

    def attach(self, connection: Connection, *, app_id: str) -> bool:
        """Greet a new connection; False when there are as many as allowed already."""
        with self._changed:
            if len(self._connections) >= self._limits.connections:
                connection.send(_disconnect("too_many_websockets"))
                return False
            self._connections.append(connection)
            hello: JsonObject = {
                "type": "hello",
                "num_connections": len(self._connections),
                "debug_info": {"host": "sandbox", "approximate_connection_time": 18_060},
                "connection_info": {"app_id": app_id},
            }
            connection.send(json.dumps(hello))
            self._changed.notify_all()
            return True

    def detach(self, connection: Connection) -> None:
        with self._changed:
            if connection in self._connections:
                self._connections.remove(connection)
            self._changed.notify_all()

    @property
    def connection_count(self) -> int:
        with self._changed:
            return len(self._connections)

    def ask_to_reconnect(self, reason: str) -> None:
        """Send `disconnect` to every connection and close it."""
        with self._changed:
            leaving, self._connections = self._connections, []
            for connection in leaving:
                connection.send(_disconnect(reason))
                connection.close()
            self._changed.notify_all()

    def drop_all(self) -> None:
        """Close every connection without a word, as a network failure does."""
        with self._changed:
            leaving, self._connections = self._connections, []
            for connection in leaving:
                connection.close()
            self._changed.notify_all()

    # envelopes that a person waits for

    def send(self, kind: EnvelopeKind, payload: JsonObject, *, accepts_answer: bool) -> Delivery:
        """Send to one open connection, chosen at random. Raises: NoConnection."""
        with self._changed:
            return self._send(kind, payload, accepts_answer=accepts_answer, retries=0)

    def wait(self, delivery: Delivery) -> JsonObject:
        """Wait for the ack and give its payload. Raises: NoAck; the envelope is lost then."""
        with self._changed:
            while not delivery.is_acked:
                now = self._clock.now_seconds()
                if now >= delivery.deadline_seconds:
                    delivery.is_lost = True
                    raise NoAck(delivery.envelope_id)
                self._changed.wait(self._clock.seconds_to_wait(delivery.deadline_seconds))
            return delivery.answer

    def receive(self, raw: str) -> None:
        """Take what an app sent over a socket; what makes no sense becomes a violation."""
        with self._changed:
            message = self._message(raw)
            if message is not None:
                self._acknowledge(message)
            self._changed.notify_all()

    def _message(self, raw: str) -> JsonObject | None:
        try:
            parsed: Json = json.loads(raw)
        except (ValueError, RecursionError):
            self._blame("not_json", raw[:200])
            return None
        if not isinstance(parsed, dict):
            self._blame("not_an_object", raw[:200])
            return None
        return parsed

    def _acknowledge(self, message: JsonObject) -> None:
        envelope_id = text_of(message, "envelope_id")
        delivery = self._deliveries.get(envelope_id)
        if delivery is None:
            self._blame("unknown_envelope", envelope_id or json.dumps(message)[:200])
            return
        extra = sorted(set(message) - {"envelope_id", "payload"})
        if extra:
            self._blame("unknown_property", f"{', '.join(extra)} in the ack of {envelope_id}")
        if delivery.is_acked:
            self._blame("acked_twice", envelope_id)
            return
        if delivery.is_lost or self._clock.now_seconds() >= delivery.deadline_seconds:
            self._blame("acked_late", f"{delivery.kind.value} {envelope_id}")
            return
        answer = message.get("payload")
        if answer is not None and not isinstance(answer, dict):
            self._blame("answer_not_an_object", envelope_id)
        elif answer and not delivery.accepts_answer:
            self._blame("answer_not_accepted", f"{delivery.kind.value} takes no payload")
        elif answer:
            delivery.answer = answer
        delivery.is_acked = True

    # events, which are sent again

    def publish(self, payload: JsonObject) -> None:
        """Send an event; without an ack it is sent again on Slack's schedule."""
        with self._changed:
            self._events.append(_Event(payload=payload))
            self.redeliver_due()
            self._changed.notify_all()

    def redeliver_due(self) -> None:
        """Send what is due now. Whoever runs the workspace calls this when time has passed."""
        with self._changed:
            for event in list(self._events):
                self._advance(event, self._clock.now_seconds())

    def next_due_seconds(self) -> float | None:
        """When `redeliver_due` has something to do next; None when nothing is under way."""
        with self._changed:
            moments = [
                e.next_at_seconds if e.delivery is None else e.delivery.deadline_seconds
                for e in self._events
                if e.delivery is None or not e.delivery.is_acked
            ]
            return min(moments, default=None)

    def _advance(self, event: _Event, now: float) -> None:
        delivery = event.delivery
        if delivery is not None and delivery.is_acked:
            self._events.remove(event)
            return
        if delivery is not None and now >= delivery.deadline_seconds:
            delivery.is_lost = True
            event.delivery = None
            self._schedule_retry(event, delivery.deadline_seconds)
        if event in self._events and event.delivery is None and now >= event.next_at_seconds:
            try:
                event.delivery = self._send(
                    EnvelopeKind.EVENT, event.payload, accepts_answer=False, retries=event.retries
                )
            except NoConnection:
                self._schedule_retry(event, now)

    def _schedule_retry(self, event: _Event, failed_at_seconds: float) -> None:
        schedule = self._limits.redelivery_after_seconds
        if event.retries >= len(schedule):
            self._events.remove(event)
            self.lost_events.append(event.payload)
            self._changed.notify_all()
            return
        event.next_at_seconds = failed_at_seconds + schedule[event.retries]
        event.retries += 1

    def _send(
        self, kind: EnvelopeKind, payload: JsonObject, *, accepts_answer: bool, retries: int
    ) -> Delivery:
        if not self._connections:
            raise NoConnection()
        connection = secrets.choice(self._connections)
        delivery = Delivery(
            envelope_id=str(uuid.uuid4()),
            kind=kind,
            payload=payload,
            accepts_answer=accepts_answer,
            connection_id=connection.id,
            deadline_seconds=self._clock.now_seconds() + self._limits.ack_seconds,
        )
        self._deliveries[delivery.envelope_id] = delivery
        envelope: JsonObject = {
            "envelope_id": delivery.envelope_id,
            "type": kind.value,
            "accepts_response_payload": accepts_answer,
            "payload": payload,
        }
        if kind is EnvelopeKind.EVENT:
            envelope["retry_attempt"] = retries
            envelope["retry_reason"] = "timeout" if retries else ""
        connection.send(json.dumps(envelope))
        return delivery

    def blame(self, code: str, detail: str) -> None:
        """Note what the app did wrong."""
        with self._changed:
            self._blame(code, detail)

    def _blame(self, code: str, detail: str) -> None:
        self.violations.append(Violation(code=code, detail=detail))


def _disconnect(reason: str) -> str:
    message: JsonObject = {
        "type": "disconnect",
        "reason": reason,
        "debug_info": {"host": "sandbox"},
    }
    return json.dumps(message)

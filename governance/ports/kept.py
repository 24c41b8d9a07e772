"""What the store keeps beside requests and the record: notices, what came in, intents, messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from governance.domain.approval import Decision, RequestId
from governance.domain.break_glass import BrokenGlass
from governance.domain.canonical import Digest, Json
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import PersonId
from governance.domain.monitoring.alert import AlertId

InboxId = NewType("InboxId", int)
NoticeId = NewType("NoticeId", int)
IntentId = NewType("IntentId", int)

HEADS_UNREADABLE = "heads_unreadable"
HEADS_UNWRITABLE = "heads_unwritable"
"""Codes of `Unavailable`: a rollback goes on in spite of both."""


class NoticeKind(StrEnum):
    """What the outbox holds: facts for people; the words are the sender's."""

    REQUEST_CHANGED = "request_changed"
    """Draw the request's message, or draw it again."""
    TIMELINE = "timeline"
    """One line in the request's thread."""
    ASK = "ask"
    """Ask `person`, whose approval would fill a seat."""
    TELL = "tell"
    """Tell `person` something about a request or a model."""
    CHANNEL = "channel"
    """A message in the model's channel."""
    ALERT = "alert"
    """Draw an alert's message, or draw it again; `facts` hold its `alert`."""
    ALERT_LINE = "alert_line"
    """One line in an alert's thread."""
    REVIEW = "review"
    """Draw the message of a break-glass and its review, or draw it again; `facts` hold its
    `review`."""
    REVIEW_LINE = "review_line"
    """One line in a review's thread."""
    REVIEW_ASK = "review_ask"
    """Ask `person` for their review."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One fact that somebody is to be told. `what` says which; `facts` are its particulars."""

    kind: NoticeKind
    what: str
    model: ModelName | None = None
    request_id: RequestId | None = None
    person: PersonId | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueuedNotice:
    """A notice with its place in the outbox."""

    id: NoticeId
    notice: Notice
    created_at: datetime
    attempts: int


@dataclass(frozen=True, kw_only=True)
class InboxItem:
    """What a person clicked or typed, as the sender gave it."""

    id: InboxId
    kind: str
    key: str
    payload: str
    """JSON text."""
    received_at: datetime
    attempts: int


class IntentKind(StrEnum):
    """What Foureyes has set out to do in the registry."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A transition that was decided and recorded, and whose outcome is not recorded yet."""

    id: IntentId
    kind: IntentKind
    model: ModelName
    from_version: Version | None
    to_version: Version
    stage: Stage
    request_id: RequestId | None
    person: PersonId | None
    account: str
    via: str
    why: str
    created_at: datetime
    alert: AlertId | None = None
    """The alert that an automatic rollback answers."""
    last_known_good: bool = True
    """Of a rollback: whether it goes to the last known good version; else somebody chose it."""
    record_in_doubt: bool = False
    """Of a rollback: the log contradicted its kept heads when it was ordered."""
    glass: BrokenGlass | None = None
    """Of a rollback: ordered past policy, and reviewed afterwards."""


@dataclass(frozen=True, kw_only=True)
class DoneRollback:
    """A rollback whose outcome is recorded."""

    intent: Intent
    done_at: datetime


@dataclass(frozen=True, kw_only=True)
class PastDecision:
    """A decision with what became of it; `ended_at` is None while it is in force."""

    decision: Decision
    ended_at: datetime | None
    ended_why: str


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """Where a message stands in Slack: channel id and timestamp."""

    channel: str
    ts: str
    drawn: str = ""
    """Digest of what it shows; empty when that is not known."""


@dataclass(frozen=True, kw_only=True)
class OpenHome:
    """The app's Home of one Slack account that has opened it."""

    account: str
    opened_at: datetime
    barred: str
    """Why the account may not act, as Slack said when it opened Home; empty when it may."""
    drawn: str = ""
    """Digest of what it shows; empty while nothing was drawn since it was opened."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One person who was asked to decide on a request and can still fill a seat of it."""

    request_id: RequestId
    person: PersonId
    asked_at: datetime
    last_at: datetime
    """When they were asked, or reminded the last time."""
    reminders: int
    """How many reminders were sent."""


@dataclass(frozen=True, kw_only=True)
class SentPicture:
    """A picture that Slack has: the file's id, and what it shows in words."""

    file_id: str
    alt_text: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """When a monitor is looked at next, and by which description."""

    spec: Digest
    next_look_at: datetime


@dataclass(frozen=True, kw_only=True)
class WantedLook:
    """How a monitor is described now, and how often it is looked at."""

    spec: Digest
    every: timedelta

    def is_due(self, known: Look, *, now: datetime, lease: timedelta) -> bool:
        """Due when now ≥ its time; also when it is described otherwise, and when its time lies so
        far ahead that only a clock that went back explains it."""
        if known.next_look_at <= now or known.spec != self.spec:
            return True
        return known.next_look_at > now + self.every + lease


@dataclass(frozen=True, kw_only=True)
class Drill:
    """What the newest rollback drill of a model found."""

    model: ModelName
    drilled_at: datetime
    passed: bool
    findings: tuple[tuple[str, bool, str], ...]
    """(what was checked, whether it held, what was seen)."""
    unchecked: tuple[tuple[str, str], ...] = ()
    """(what this process could not check, and why). Only the record keeps it."""


@dataclass(frozen=True, kw_only=True)
class PolicyLoad:
    """One recorded load of the policy files."""

    digest: str
    loaded_at: datetime
    texts: Mapping[str, str]
    """File name → content."""

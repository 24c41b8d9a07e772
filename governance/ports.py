"""What the use cases need of the world, written as guarantees.

Knows the domain and nothing of any vendor. Every implementation translates its vendor's errors:
`Unavailable` when something does not answer, `Conflict` when somebody else got there first,
`Refused` when asking again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Protocol

from governance.domain.approval import Decision, RequestId
from governance.domain.canonical import Json
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.identity import PersonId, Roster, Standing
from governance.domain.ledger import Event, Head, KeptHead
from governance.domain.policy import PolicySet
from governance.domain.promotion import Request
from governance.domain.tenure import Ending, Tenure

InboxId = NewType("InboxId", int)
NoticeId = NewType("NoticeId", int)
IntentId = NewType("IntentId", int)

HEADS_UNREADABLE = "heads_unreadable"
HEADS_UNWRITABLE = "heads_unwritable"
"""Codes of `Unavailable`: a rollback goes on in spite of both."""


# --- the registry -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ProductionState:
    """What the registry says is in production: by stage, and by the alias."""

    staged: tuple[Version, ...]
    """Every version in stage Production, ascending; more than one is a fault to heal."""
    alias: Version | None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The stages and the alias of a model as they were last seen, or last made by us."""

    stages: Mapping[Version, Stage]
    """Versions that are in any stage but None."""
    alias: Version | None

    @property
    def production(self) -> tuple[Version, ...]:
        """Every version in stage Production, ascending."""
        return tuple(sorted(v for v, s in self.stages.items() if s is Stage.PRODUCTION))


@dataclass(frozen=True, kw_only=True)
class VersionSummary:
    """One row of a model's version list."""

    version: Version
    stage: Stage
    run_id: str
    registered_at: datetime


class Registry(Protocol):
    """The model registry. No call lasts longer than 10 s; none is retried blindly."""

    def server_version(self) -> str:
        """The server's version. Raises Unavailable."""

    def models(self) -> tuple[ModelName, ...]:
        """All registered models, by name."""

    def versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        """Every version, ascending. Raises Refused `no_such_model`, Unavailable."""

    def snapshot(self, model: ModelName, version: Version) -> Snapshot:
        """Read everything about one version now.

        Raises Refused `no_such_model` or `no_such_version`, Unavailable. A run that was deleted
        is Refused `no_run`: what cannot be read cannot be bound.
        """

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """SHA-256 of every file of a version, streamed, never from a cache.

        `progress(done_bytes, total_bytes)` is called as it goes. Raises Refused `too_large` or
        `source_not_readable`, Unavailable.
        """

    def content_to_show(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """As `content`, for what people are shown: a file that was read before and has the same
        path, size and ETag is not read again. An execution never relies on it."""

    def production(self, model: ModelName) -> ProductionState:
        """What is in production now, from the list of versions, not from 'latest'.
        A model that is not registered has nothing in production."""

    def is_in_production(self, state: ProductionState, version: Version) -> bool:
        """Whether `version` alone is in production by every means that this registry is set to
        write (stage, alias, or both)."""

    def set_production(self, model: ModelName, version: Version) -> ProductionState:
        """Make `version` the only one in production: stage with all others there archived, and
        the alias. Idempotent; reads back and repeats once if not exactly one is there.

        Raises Refused `no_such_version`, Unavailable (the outcome is then unknown: read).
        """

    def set_staging(self, model: ModelName, version: Version) -> Stage:
        """Move one version to Staging; nothing is archived, no alias set. Idempotent; returns
        the stage read back."""


class Accounts(Protocol):
    """What the workspace says of an account now."""

    def standing(self, account: str) -> Standing:
        """Raises Unavailable `workspace_unavailable`; an account that is not there any more is
        answered as deleted."""


# --- policies and people --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Rules:
    """One load of policies and people, together: a policy is never read with other people."""

    policies: PolicySet
    roster: Roster


class RuleSource(Protocol):
    """Where policies and people come from. `current` never touches the disk or the network."""

    def current(self) -> Rules:
        """The rules in force in this process."""


# --- the store ------------------------------------------------------------------------------


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
class PolicyLoad:
    """One recorded load of the policy files."""

    digest: str
    loaded_at: datetime
    texts: Mapping[str, str]
    """File name → content."""


class Transaction(Protocol):
    """One atomic piece of work. Everything below commits together or not at all.

    Reads see the transaction's own writes. Write transactions that touch the same request or
    model follow one another. `now` is fixed once per transaction, from the store's clock.
    """

    @property
    def now(self) -> datetime:
        """The store's clock, aware, UTC, the same for the whole transaction."""

    # the record
    def record(self, event: Event) -> int:
        """Append one event; return its sequence number, from 1. After the commit the head is
        appended and fsynced outside the database, unless the log contradicts the newest head
        there: then nothing vouches for it until an operator has recorded the gap."""

    def records(self, *, after: int = 0) -> Iterator[bytes]:
        """The stored bytes in order, from the one after sequence number `after`."""

    def events(
        self, *, model: ModelName | None = None, request_id: RequestId | None = None
    ) -> tuple[Mapping[str, Json], ...]:
        """Decoded records of one model or request, in order; all of them when neither is named."""

    def head(self) -> Head:
        """Size and root as stored; O(1)."""

    def head_at(self, size: int) -> Head | None:
        """The stored head at an earlier size, or None when the log is shorter."""

    # requests and decisions
    def add_request(self, request: Request) -> None:
        """Store a new request. Raises Conflict `already_open` when one is open for the same
        model, version and target."""

    def request(self, request_id: RequestId) -> Request:
        """Read one request and hold it for this transaction.
        Raises Refused `no_such_request`."""

    def save_request(self, request: Request) -> Request:
        """Write a changed request; returns it with the next revision. Raises Conflict
        `changed_meanwhile` when its revision is not the stored one."""

    def open_requests(self, model: ModelName | None = None) -> tuple[Request, ...]:
        """Requests that are not over, oldest first."""

    def requests(self, model: ModelName, *, limit: int = 50) -> tuple[Request, ...]:
        """Requests of a model, newest first."""

    def add_decision(self, decision: Decision) -> None:
        """Append a decision and put it in force. Raises Refused `already_decided` when the
        same person's same verdict is in force; another verdict of theirs is ended by it."""

    def end_decision(self, request_id: RequestId, person: PersonId, why: str) -> Decision | None:
        """End the decision of one person that is in force; None when there is none."""

    def decisions(self, request_id: RequestId) -> tuple[Decision, ...]:
        """Those in force, oldest first."""

    def past_decisions(self, request_id: RequestId) -> tuple[PastDecision, ...]:
        """All, oldest first."""

    # versions in stages
    def tenures(self, model: ModelName) -> tuple[Tenure, ...]:
        """All stays of a model's versions, oldest first."""

    def begin_tenure(self, tenure: Tenure) -> None:
        """A version entered a stage. In Production it ends nothing: say so with `end_tenure`."""

    def end_tenure(
        self, model: ModelName, version: Version, stage: Stage, ending: Ending, at: datetime
    ) -> bool:
        """End a stay that is still running; False when there is none."""

    def quarantined(self, model: ModelName) -> Mapping[Version, str]:
        """Quarantined versions and why."""

    def quarantine(self, model: ModelName, version: Version, why: str) -> None:
        """Bar a version until it is approved again. Idempotent."""

    def lift_quarantine(self, model: ModelName, version: Version) -> bool:
        """A new approval lifts it; False when there was none."""

    def save_snapshot(self, snapshot: Snapshot, content: Content | None) -> None:
        """Keep what a version looked like, for comparisons after its run is gone."""

    def saved_snapshot(
        self, model: ModelName, version: Version
    ) -> tuple[Snapshot, Content | None, datetime] | None:
        """The newest snapshot kept, its content if known, and when it was taken."""

    def first_snapshot(self, model: ModelName, version: Version) -> Snapshot | None:
        """The oldest snapshot kept: who made the version, before anybody changed a tag."""

    def kept_versions(self, model: ModelName) -> frozenset[Version]:
        """Versions of which there is a snapshot."""

    def observed(self, model: ModelName) -> Observed | None:
        """What was last seen of a model in the registry; None before the first look."""

    def save_observed(self, model: ModelName, observed: Observed) -> None:
        """Replace what was last seen; commits together with the record that tells of it."""

    # intents
    def add_intent(self, intent: Intent) -> IntentId:
        """Record what is about to be done; `intent.id` is ignored. Raises Conflict
        `already_intended` when the same request has one."""

    def open_intents(self, model: ModelName | None = None) -> tuple[Intent, ...]:
        """Those without an outcome, oldest first."""

    def close_intent(self, intent_id: IntentId, outcome: str) -> bool:
        """Record the outcome; False when somebody else already did."""

    # what was loaded
    def policy_load(self) -> PolicyLoad | None:
        """The newest load, or None."""

    def save_policy_load(self, load: PolicyLoad) -> None:
        """Append a load."""

    # outbox
    def notify(self, notice: Notice) -> None:
        """Queue a notice. It is sent at least once, after the commit, in order for one request
        and one channel."""

    def due_notices(self, limit: int) -> tuple[QueuedNotice, ...]:
        """Unsent notices whose time has come, oldest first. A notice with an unsent elder of
        the same request or model is not due."""

    def notice_sent(self, notice_id: NoticeId) -> None:
        """It arrived."""

    def notice_delayed(self, notice_id: NoticeId, until: datetime, error: str) -> None:
        """It did not; try again later."""

    def notice_dropped(self, notice_id: NoticeId, error: str) -> None:
        """It can never arrive (an archived channel, say); kept with the reason."""

    def save_message(self, key: str, message: SentMessage) -> None:
        """Remember where a message stands, so that it can be updated in place."""

    def message(self, key: str) -> SentMessage | None:
        """Where the message with this key stands."""

    # inbox
    def accept(self, kind: str, key: str, payload: str) -> InboxId | None:
        """Store what came in; None when `key` was stored before (Slack sends things twice)."""

    def claim(self, inbox_id: InboxId, lease: timedelta) -> InboxItem | None:
        """Take one item to work on; None when it is done or somebody else has it."""

    def waiting_items(self, limit: int) -> tuple[InboxItem, ...]:
        """Items that nobody works on: never claimed, or the lease ran out; oldest first."""

    def item_done(self, inbox_id: InboxId, outcome: str) -> None:
        """Worked off; the payload is cleared, `outcome` stays."""

    def inbox_age_seconds(self) -> float:
        """Age of the oldest item that is not done; 0 when there is none."""


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A write transaction: commits at the end of the block, rolls back on an exception.
        Raises Unavailable `store_unavailable` when the store is full, read-only or gone."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent read; writing through it is an error."""

    def lock_model(self, model: ModelName, holder: str, lease: timedelta) -> bool:
        """Take the lock on a model's transitions, a row with a lease that holds across
        processes; False while somebody else has it. The same holder may take it again."""

    def unlock_model(self, model: ModelName, holder: str) -> None:
        """Give the lock back; only its holder can."""


class KeptHeads(Protocol):
    """Heads of the log outside the database: appended and fsynced, never rewritten."""

    def append(self, head: Head, *, resumed: bool = False) -> None:
        """Append one line and fsync. Raises Unavailable `heads_unwritable`."""

    def all(self) -> Sequence[KeptHead]:
        """Every kept head in order. Raises IntegrityViolation `heads_unreadable` for a line
        that is none; a cut last line (a crash while writing) is left out."""

    def newest(self) -> KeptHead | None:
        """The largest one since the last resumption; reads what was appended since the last
        call. Raises as `all` does."""

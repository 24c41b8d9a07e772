"""The database, as one transaction at a time, and the heads that are kept outside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from governance.domain.absence import Absence
from governance.domain.approval import Decision, RequestId
from governance.domain.break_glass import GlassId
from governance.domain.canonical import Json
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.identity import PersonId
from governance.domain.ledger import Event, EventKind, Head, KeptHead
from governance.domain.monitoring.alert import Alert, AlertId
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.promotion import Request
from governance.domain.review import Review
from governance.domain.tenure import Ending, Observed, Tenure
from governance.ports.kept import (
    Ask,
    DoneRollback,
    Drill,
    InboxId,
    InboxItem,
    Intent,
    IntentId,
    Look,
    Notice,
    NoticeId,
    OpenHome,
    PastDecision,
    PolicyLoad,
    QueuedNotice,
    SentMessage,
    SentPicture,
    WantedLook,
)


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

    def newest_events(
        self, kinds: Collection[EventKind], *, limit: int
    ) -> tuple[Mapping[str, Json], ...]:
        """The newest decoded records of these kinds, newest first."""

    def misfiled(self) -> tuple[int, ...]:
        """Records that are filed otherwise than their bytes say: what is looked up by model,
        request or kind is not hashed."""

    def known_models(self) -> tuple[ModelName, ...]:
        """Every model of which the tables hold a stay, a request, a quarantine or a review."""

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

    def requests_named(self, ids: Collection[RequestId]) -> tuple[Request, ...]:
        """Those of these requests that there are, newest first."""

    def decisions_of_open_requests(self) -> Mapping[RequestId, tuple[Decision, ...]]:
        """Those in force on every request that is not over, oldest first, in one read."""

    def add_decision(self, decision: Decision) -> None:
        """Append a decision and put it in force. Raises Refused `already_decided` when the
        same person's same verdict is in force; another verdict of theirs is ended by it."""

    def end_decision(self, request_id: RequestId, person: PersonId, why: str) -> Decision | None:
        """End the decision of one person that is in force; None when there is none."""

    def decisions(self, request_id: RequestId) -> tuple[Decision, ...]:
        """Those in force, oldest first."""

    def past_decisions(self, request_id: RequestId) -> tuple[PastDecision, ...]:
        """All, oldest first."""

    # who was asked
    def begin_ask(self, request_id: RequestId, person: PersonId) -> bool:
        """Somebody is asked to decide; False when they are asked already. Asked anew after an
        end, they are reminded from the beginning."""

    def asks(self, request_id: RequestId) -> tuple[Ask, ...]:
        """Those who are asked, by person."""

    def due_asks(self) -> tuple[Ask, ...]:
        """Those whose reminder is due or not planned yet, oldest first."""

    def plan_ask(self, ask: Ask, at: datetime) -> None:
        """When to look at it again; nothing when it was reminded or ended meanwhile."""

    def claim_reminder(self, ask: Ask) -> bool:
        """Count one more reminder, sent now; False when somebody else did, or it has ended. At
        most one caller gets True for the same `ask`."""

    def end_ask(self, request_id: RequestId, person: PersonId) -> None:
        """They decided, or can fill no seat any more. Idempotent."""

    # who is away
    def absences(self) -> tuple[Absence, ...]:
        """Those that nobody ended, by person; one that is over by the clock is among them until
        it is ended."""

    def begin_absence(self, absence: Absence) -> None:
        """Somebody is away. Raises Conflict `already_away` when they are."""

    def end_absence(self, person: PersonId, why: str) -> Absence | None:
        """They are back; None when they were not away."""

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

    # reviews of what was done past policy
    def add_review(self, review: Review) -> None:
        """Store a new one. Raises Conflict `already_reviewed` when there is one for the same
        break-glass."""

    def review(self, glass_id: GlassId) -> Review:
        """Read one and hold it for this transaction. Raises Refused `no_such_review`."""

    def save_review(self, review: Review) -> None:
        """Write a changed review. One that is over stays as it is: raises Conflict
        `changed_meanwhile`."""

    def open_reviews(self) -> tuple[Review, ...]:
        """Those that are not over, of every model, oldest first."""

    def reviews(self, model: ModelName) -> tuple[Review, ...]:
        """All of a model, oldest first."""

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

    def messages_of(self, request_id: RequestId) -> Mapping[str, SentMessage]:
        """Where every message of a request stands, by key: `request ID`, alone or with more words
        behind it."""

    def home_opened(self, account: str, barred: str) -> None:
        """Somebody opened the app's Home: from now on it is drawn again as it changes. `barred`
        says why the account may not act; empty when it may."""

    def open_homes(self, since: datetime) -> tuple[OpenHome, ...]:
        """Every Home that was opened since then, by account."""

    def home_drawn(self, account: str, drawn: str) -> None:
        """It shows this now; a digest."""

    def forget_home(self, account: str) -> None:
        """Nobody is there to see it any more. Idempotent."""

    # watching
    def in_production(self) -> Mapping[ModelName, Tenure]:
        """Every model's running stay in Production by our record; the newest where there are
        several."""

    def looks(self) -> Mapping[MonitorKey, Look]:
        """When each monitor is looked at next."""

    def claim_looks(
        self, wanted: Mapping[MonitorKey, WantedLook], lease: timedelta
    ) -> Mapping[MonitorKey, MonitorState]:
        """Take monitors to look at: those that are due, new, or described otherwise than before
        (these begin anew), and those whose next look lies further ahead than their rhythm and the
        lease, as after a clock went back. Nobody else gets them until the lease is over; those
        that somebody else has are left out."""

    def save_look(self, state: MonitorState, next_look_at: datetime) -> None:
        """Keep what a look found, and give the monitor back."""

    def save_quiet_looks(self, looked: Mapping[MonitorKey, datetime]) -> None:
        """These monitors were looked at now and found as before; each with its next look."""

    def monitor_states(self, model: ModelName) -> tuple[tuple[MonitorState, datetime], ...]:
        """All of a model, with their next look, newest version first."""

    def monitor_states_of(self, models: Collection[ModelName]) -> tuple[MonitorState, ...]:
        """All of these models, newest version first, in one read."""

    def raise_alert(self, alert: Alert) -> Alert | None:
        """Store an alert; its `id` is ignored. None when one for the same model, version and
        monitor is open."""

    def alert(self, alert_id: AlertId) -> Alert:
        """Read one and hold it for this transaction. Raises Refused `no_such_alert`."""

    def save_alert(self, alert: Alert) -> None:
        """Write a changed alert."""

    def open_alerts(self, model: ModelName | None = None) -> tuple[Alert, ...]:
        """Those that are not over, oldest first."""

    def pending_alerts(self) -> tuple[Alert, ...]:
        """Those whose rollback is still to be made, oldest first."""

    def due_reminders(self) -> tuple[Alert, ...]:
        """Open alerts that nobody acknowledged and whose reminder is due, oldest first."""

    def rollbacks_since(
        self, since: datetime, model: ModelName | None = None
    ) -> tuple[DoneRollback, ...]:
        """Rollbacks that were done since then, oldest first."""

    def save_drill(self, drill: Drill) -> None:
        """Replace what is known of a model's drill."""

    def drills(self) -> Mapping[ModelName, Drill]:
        """The newest drill of each model."""

    def told_up_to(self, name: str) -> int | None:
        """How far in the record somebody outside was told; None before the first time."""

    def save_told(self, name: str, sequence: int) -> None:
        """They were told up to this record."""

    # news
    def noticed(self) -> Mapping[ModelName, Version]:
        """Of each model, the newest version that its channel need not be told of: it was there at
        the first look, or it was announced. 0 for a model that had none."""

    def save_noticed(self, model: ModelName, before: Version | None, up_to: Version) -> bool:
        """Move on from `before` (None: nothing yet); False, and nothing is written, when
        somebody else moved on meanwhile. Commits together with the record that tells of it."""

    def save_picture(self, key: str, picture: SentPicture | None) -> None:
        """Remember what was uploaded for something that is shown; None forgets it."""

    def picture(self, key: str) -> SentPicture | None:
        """What was uploaded under this key."""

    # inbox
    def accept(self, kind: str, key: str, payload: str) -> InboxId | None:
        """Store what came in; None when `key` was stored before (Slack sends things twice)."""

    def claim(self, inbox_id: InboxId, lease: timedelta) -> InboxItem | None:
        """Take one item to work on; None when it is done or somebody else has it."""

    def waiting_items(self, limit: int) -> tuple[InboxItem, ...]:
        """Items that nobody works on: never claimed, or the lease ran out; oldest first."""

    def item_delayed(self, inbox_id: InboxId, until: datetime) -> None:
        """It could not be worked off yet: nobody takes it before then."""

    def item_held(self, inbox_id: InboxId, lease: timedelta) -> None:
        """This process still works on it: nobody takes it before the lease is over. Nothing when
        it is done or somebody else has it."""

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

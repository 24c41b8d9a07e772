"""A governed model on a desk: store, registry, people, and the verbs of the use cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.domain.approval import RequestId, Verdict
from governance.domain.canonical import Json
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId, Role
from governance.domain.ledger import Event, EventKind
from governance.domain.promotion import Request, State
from governance.domain.tenure import moves_of_promotion
from governance.ports import MetricSources, Notice, Store, Traffic, Transaction
from governance.use_cases import reconcile, restore, roll_back
from governance.use_cases.answer import answer
from governance.use_cases.decide import Ballot, decide, withdraw_request, withdraw_vote
from governance.use_cases.draft import Wish
from governance.use_cases.observe import apply_moves, read_observed
from governance.use_cases.promote import promote
from governance.use_cases.roll_back import Offer
from governance.use_cases.rounds import round_of
from governance.use_cases.transition import EXECUTOR
from governance.use_cases.world import World
from tests.builders import MODEL, NOON, a_content, a_snapshot, some_rules
from tests.fakes import FakeAccounts, FakeRegistry, FixedRules


@dataclass
class HandClock:
    """A clock that a test moves."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """The moment it shows."""
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


def promoted_before(tx: Transaction, model: ModelName, version: Version, stage: Stage) -> None:
    """A promotion whose request this test does not need."""
    tx.record(
        Event(
            kind=EventKind.TRANSITION_DONE,
            at=tx.now,
            actor=EXECUTOR,
            model=model,
            version=version,
            facts={"target": stage.value},
        )
    )
    moves = moves_of_promotion(tx.tenures(model), model, version, stage, None, tx.now)
    apply_moves(tx, model, moves)


@dataclass
class Desk:
    """v3 is adopted in Production, v4 is in Staging, made by dana."""

    store: Store
    heads: HeadFile
    clock: HandClock
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    rules: FixedRules = field(default_factory=lambda: FixedRules(some_rules()))
    sources: Callable[[], MetricSources] | None = None
    traffic: Traffic | None = None
    elapsed: Callable[[], float] | None = None
    """Seconds on a monotonic clock; by default those of the clock that a test moves."""

    def __post_init__(self) -> None:
        for number, stage in ((3, Stage.PRODUCTION), (4, Stage.STAGING), (5, Stage.NONE)):
            self.registry.add(a_snapshot(number, stage=stage), a_content(number))
        self.registry.aliases[MODEL] = Version(3)
        reconcile.look_around(self.world)

    @property
    def world(self) -> World:
        """What use cases work with; a new process each time, as after a restart."""
        return World(
            store=self.store,
            registry=self.registry,
            rules=self.rules,
            accounts=self.accounts,
            heads=self.heads,
            elapsed=self.elapsed or (lambda: self.clock.now.timestamp()),
            holder="desk",
            pause=_no_pause,
            sources=self.sources,
            traffic=self.traffic,
            lock_patience=timedelta(0),
        )

    def actor(self, name: str, account: str | None = None) -> Actor:
        """Somebody in Slack."""
        return Actor(person=PersonId(name), account=account or f"U0{name.upper()}", via="slack")

    def promote(
        self,
        version: int = 4,
        *,
        by: str = "dana",
        target: Stage | None = Stage.PRODUCTION,
        reason: str = "better",
        downgrade: bool = False,
        follows: RequestId | None = None,
        shown: str | None = None,
    ) -> Request:
        """Ask for a version."""
        actor = self.actor(by)
        return promote(
            self.world,
            Wish(
                model=MODEL,
                version=Version(version),
                target=target,
                reason=reason,
                downgrade=downgrade,
                follows=follows,
                shown=self.asks_of(follows) if shown is None and follows else shown or "",
            ),
            actor=actor,
            standing=self.accounts.standing(actor.account),
            progress=lambda _done, _total: None,
        )

    def vote(
        self,
        request: Request,
        by: str,
        verdict: Verdict = Verdict.APPROVE,
        comment: str = "",
        *,
        account: str | None = None,
        drawing: str | None = None,
    ) -> Request:
        """Decide on what the message shows now, or on an older drawing."""
        actor = self.actor(by, account)
        shown = drawing if drawing is not None else self.request(request.id).drawing
        return decide(
            self.world,
            Ballot(request_id=request.id, verdict=verdict, comment=comment, drawing=shown),
            actor=actor,
            standing=self.accounts.standing(actor.account),
        )

    def asks_of(self, request_id: RequestId) -> str:
        """What its requester is shown of what is asked now."""
        with self.store.read() as tx:
            decisions = tx.decisions(request_id)
        return round_of([d for d in decisions if d.verdict is Verdict.ASK_FOR_CHANGES])

    def answer(
        self, request: Request, text: str, *, by: str = "dana", shown: str | None = None
    ) -> Request:
        """Answer in words what approvers asked for, now or as they were shown before."""
        actor = self.actor(by)
        return answer(
            self.world,
            request.id,
            text,
            shown=self.asks_of(request.id) if shown is None else shown,
            actor=actor,
            standing=self.accounts.standing(actor.account),
        )

    def withdraw_vote(self, request: Request, by: str) -> Request:
        """Take a vote back."""
        return withdraw_vote(self.world, request.id, actor=self.actor(by))

    def withdraw(self, request: Request, by: str) -> Request:
        """Take a request back."""
        return withdraw_request(self.world, request.id, actor=self.actor(by), why="mistake")

    def push_on(self) -> reconcile.Tick:
        """What the ticker does every few seconds."""
        return reconcile.push_on(self.world)

    def look_around(self) -> reconcile.Tick:
        """What the ticker does every minute."""
        return reconcile.look_around(self.world)

    def roll_back(
        self,
        *,
        by: str = "otto",
        from_version: int = 4,
        to_version: int = 3,
        offered_at: datetime | None = None,
    ) -> restore.Restored:
        """Click the button."""
        actor = self.actor(by)
        return roll_back.roll_back(
            self.world,
            roll_back.Order(
                model=MODEL,
                from_version=Version(from_version),
                to_version=Version(to_version),
                why="approvals spiked",
                offered_at=offered_at,
            ),
            actor=actor,
            standing=self.accounts.standing(actor.account),
        )

    def offer(self, by: str = "otto", version: int | None = None) -> Offer:
        """Type the command."""
        actor = self.actor(by)
        return roll_back.offer(
            self.world,
            MODEL,
            actor=actor,
            standing=self.accounts.standing(actor.account),
            version=None if version is None else Version(version),
        )

    def staged(self, version: int) -> None:
        """A version that the rule for Staging let in some time ago."""
        self.registry.change(MODEL, version, stage=Stage.STAGING)
        with self.store.transaction() as tx:
            promoted_before(tx, MODEL, Version(version), Stage.STAGING)
            tx.save_observed(MODEL, read_observed(self.world, MODEL))

    def promoted(self, version: int = 4) -> Request:
        """A request that went all the way."""
        request = self.promote(version)
        self.vote(request, "ana")
        self.vote(request, "raj")
        self.push_on()
        done = self.request(request.id)
        assert done.state is State.COMPLETED, done.note
        return done

    def request(self, request_id: RequestId) -> Request:
        """A request as it stands."""
        with self.store.read() as tx:
            return tx.request(request_id)

    def kinds(self) -> list[str]:
        """The kinds of all records, in order."""
        return [str(e["kind"]) for e in self.events()]

    def events(self) -> tuple[Mapping[str, Json], ...]:
        """All records."""
        with self.store.read() as tx:
            return tx.events()

    def notices(self) -> list[Notice]:
        """Everything in the outbox, taken out in order."""
        found: list[Notice] = []
        while True:
            with self.store.transaction() as tx:
                due = tx.due_notices(100)
                for queued in due:
                    tx.notice_sent(queued.id)
            if not due:
                return found
            found.extend(queued.notice for queued in due)

    def production(self) -> tuple[Version, ...]:
        """What the registry has in Production."""
        return self.registry.production(MODEL).staged

    def with_roles(self, name: str, *roles: str) -> None:
        """Change somebody's roles in people.yaml."""
        roster = self.rules.rules.roster
        person = roster.people[PersonId(name)]
        changed = replace(person, roles=frozenset(Role(r) for r in roles))
        people = {**roster.people, person.id: changed}
        self.rules.rules = replace(self.rules.rules, roster=replace(roster, people=people))


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each database."""
    heads = HeadFile(tmp_path / "heads")
    clock = HandClock()
    store = open_store(database_url, heads, clock=clock)
    yield Desk(store=store, heads=heads, clock=clock)
    store.close()


def _no_pause(_seconds: float) -> None:
    return None

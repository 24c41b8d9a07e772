"""One life of the bot's own parts in this process, and what a look at its remains finds.

The process may be killed in the middle: whatever is needed afterwards stands in the store, in
MLflow, in Slack and in the file of heads.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slack_sdk import WebClient

from bot.announcer import Announcer
from bot.assembly import build_world
from bot.desk import Desk
from bot.directory import SlackAccounts
from bot.errands import Errands
from bot.outbox import Outbox
from governance.adapters.head_file import HeadFile
from governance.adapters.metric_sources import IbisSources
from governance.adapters.mlflow_registry import MlflowRegistry
from governance.adapters.sql_store import SqlStore, open_store
from governance.domain.approval import Verdict
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.monitoring.spec import Watching
from governance.domain.promotion import Request
from governance.use_cases import automatic, reconcile
from governance.use_cases.audit import verify
from governance.use_cases.break_glass_promotion import plan_promotion
from governance.use_cases.decide import Ballot, decide
from governance.use_cases.draft import Wish
from governance.use_cases.promote import promote
from governance.use_cases.watch import Watch
from governance.use_cases.world import World
from tests.builders import PEOPLE, a_policy, a_roster, some_rules
from tests.fakes import FixedRules
from tests.sources.feed import SqliteFeed, a_source, some_applicants
from tests.stories.glass import RULE
from tests.stories.watching import a_monitor

OLD, NEW = Version(1), Version(2)
_NOT_AGAIN = timedelta(days=1)
"""The monitor looks once: what a second look would mend shows."""
_LATER = timedelta(seconds=90)
"""The successor starts that much later, so that nothing waits for the real clock."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything stands."""

    database_url: str
    heads: Path
    mlflow: str
    model: ModelName
    slack_api: str
    slack_token: str


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What is found after the successor has done its work."""

    production: tuple[int, ...]
    alias: int | None
    state: str
    kinds: dict[str, int]
    open_intents: int
    unsent: int
    record_problems: tuple[str, ...]


class Life:
    """The parts that one process of the bot builds, without its threads."""

    def __init__(self, place: Place, store: SqlStore, heads: HeadFile) -> None:
        watching = Watching(sources=(a_source(),), monitors=(a_monitor(every=_NOT_AGAIN),))
        policy = replace(
            a_policy(),
            model=place.model,
            pattern=str(place.model),
            watching=watching,
            break_glass=RULE,
        )
        few = a_roster(*(p for p in PEOPLE if p.id in ("dana", "ana", "raj", "otto")))
        rules = some_rules(policy, few)
        client = WebClient(token=place.slack_token, base_url=place.slack_api)
        self.model = place.model
        self._form = place.heads.parent / "glass.json"
        self.store = store
        self.heads = heads
        self.feed = SqliteFeed(place.heads.parent)
        world = build_world(
            store,
            registry=MlflowRegistry(place.mlflow),
            rules=FixedRules(rules),
            accounts=SlackAccounts(client),
            heads=heads,
        )
        self.world: World = replace(world, sources=lambda: IbisSources(self.feed.environ))
        self.outbox = Outbox(world=self.world, announcer=Announcer(world=self.world, client=client))
        errands = Errands(
            world=self.world,
            client=client,
            rollback_click=timedelta(minutes=5),
            after_work=_nothing,
        )
        self.desk = Desk(errands)

    def open_request(self) -> Request:
        """Dana asks for the new version, and Ana approves: one vote is missing."""
        reconcile.look_around(self.world)
        dana = _actor("dana")
        request = promote(
            self.world,
            Wish(model=self.model, version=NEW, target=Stage.PRODUCTION, reason="better"),
            actor=dana,
            standing=self.world.accounts.standing(dana.account),
            progress=_silent,
        )
        ana = _actor("ana")
        return decide(
            self.world,
            Ballot(
                request_id=request.id,
                verdict=Verdict.APPROVE,
                comment="",
                drawing=request.drawing,
            ),
            actor=ana,
            standing=self.world.accounts.standing(ana.account),
        )

    def request(self) -> Request:
        """The newest one."""
        with self.store.read() as tx:
            return tx.requests(self.model, limit=1)[0]

    def last_vote(self) -> None:
        """Raj's click: stored and worked off."""
        request = self.request()
        self._click("vote", "U0RAJ", request=request.id, drawing=request.drawing, verdict="approve")

    def rollback_click(self) -> None:
        """Otto's click, on a button that was drawn a moment ago."""
        with self.store.read() as tx:
            now = tx.now
        value = {"model": self.model, "from": NEW, "to": OLD, "why": "x", "at": now.isoformat()}
        self._click("roll_back", "U0OTTO", value=json.dumps(value))

    def open_glass_form(self) -> None:
        """Otto looks at what breaking glass would skip; what he confirms is kept in a file."""
        otto = _actor("otto")
        plan = plan_promotion(
            self.world,
            self.model,
            NEW,
            downgrade=False,
            actor=otto,
            standing=self.world.accounts.standing(otto.account),
        )
        with self.store.read() as tx:
            now = tx.now
        confirmed = {
            "what": "promotion",
            "model": self.model,
            "version": str(NEW),
            "from": str(OLD),
            "request": plan.request_id,
            "downgrade": "no",
            "marks": json.dumps(sorted(plan.skipped.marks)),
            "at": now.isoformat(),
            "reason": "the other approver is on a plane",
            "incident": "INC-7",
        }
        self._form.write_text(json.dumps(confirmed), encoding="utf-8")

    def break_glass_click(self) -> None:
        """Otto confirms it."""
        confirmed = json.loads(self._form.read_text(encoding="utf-8"))
        self._click("break_glass", "U0OTTO", **confirmed)

    def go_bad(self) -> None:
        """Applicants whom the new version scored at random, a moment ago."""
        with self.store.read() as tx:
            now = tx.now
        rows = some_applicants(600, version=NEW)
        moments = (now + timedelta(microseconds=n) for n in range(len(rows)))
        dice = random.Random(3)
        self.feed.write(
            [
                replace(r, at=at, bad=int(dice.random() < 0.3))
                for r, at in zip(rows, moments, strict=True)
            ]
        )

    def look(self) -> None:
        """What the ticker does: look at what is due, and act."""
        Watch(self.world).look_now()

    def _click(self, kind: str, account: str, **values: str) -> None:
        payload = {"user": account, "channel": "", **values}
        with self.store.transaction() as tx:
            item = tx.accept(kind, f"the {kind}", json.dumps(payload))
        if item is not None:
            self.desk.work(item)

    def come_back(self, click: Callable[[Life], object]) -> None:
        """What the successor does by itself; the person clicks again if Slack said that the click
        was lost, which is when it was never stored."""
        self.store.release_dead_holders()
        click(self)  # stored before: a duplicate, and nothing happens
        self.desk.work_off()
        reconcile.push_on(self.world)
        automatic.react_to_all(self.world)
        self.outbox.send_due()
        reconcile.look_around(self.world)

    def remains(self) -> Remains:
        """Read MLflow, the record and the outbox."""
        production = self.world.registry.production(self.model)
        with self.store.read() as tx:
            kinds = Counter(str(e["kind"]) for e in tx.events())
            intents = len(tx.open_intents())
            unsent = len(tx.due_notices(100))
        return Remains(
            production=tuple(int(v) for v in production.staged),
            alias=production.alias,
            state=self.request().state.value,
            kinds=dict(kinds),
            open_intents=intents,
            unsent=unsent,
            record_problems=tuple(verify(self.store, self.heads).problems),
        )


@contextmanager
def living(place: Place, *, later: bool = False) -> Iterator[Life]:
    """Build the parts; everything is closed afterwards, unless the process is killed."""
    heads = HeadFile(place.heads)
    offset = _LATER if later else timedelta()
    store = open_store(place.database_url, heads, clock=lambda: datetime.now(UTC) + offset)
    try:
        yield Life(place, store, heads)
    finally:
        store.close()


def _actor(name: str) -> Actor:
    return Actor(person=PersonId(name), account=f"U0{name.upper()}", via="slack")


def _nothing() -> None:
    return None


def _silent(_done: int, _total: int) -> None:
    return None

"""Home with 200 open requests: from the read to the view, beside reading the requests alone; and
the same until the workspace shows it."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from slack_sdk import WebClient

from bot.home_view import home_view
from bot.homes import Homes
from bot.sandbox import Limits, Workspace, serve
from governance.adapters.head_file import HeadFile
from governance.adapters.sql_store import open_store
from governance.domain.approval import RequestId, Verdict
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind
from governance.domain.tenure import Origin, Tenure
from governance.ports import Store
from governance.use_cases.home import home_for, read_board
from governance.use_cases.world import World
from tests.benchmarks.goals import Goal
from tests.builders import a_content, a_decision, a_policy, a_request, a_snapshot, some_rules
from tests.fakes import FakeAccounts, FakeRegistry, FixedRules

REQUESTS = 200
MODELS = 50
ROUNDS = 7
PEOPLE = ("ana", "raj", "dana", "otto", "rosa", "vera")


def main() -> list[Goal]:
    """Print seconds."""
    with tempfile.TemporaryDirectory(prefix="foureyes-bench-") as folder:
        heads = HeadFile(Path(folder) / "heads")
        store = open_store(f"sqlite:///{Path(folder) / 'record.db'}", heads)
        store.upgrade()
        _fill(store)
        rules = _rules()
        bare = _median(lambda: _requests_alone(store))
        one = _median(lambda: _drawn(store, rules, PEOPLE[:1]))
        six = _median(lambda: _drawn(store, rules, PEOPLE))
        print(
            f"Home with {REQUESTS} open requests, read and drawn: {one:.3f} s, for {len(PEOPLE)} "
            f"people at once {six:.3f} s; reading the requests alone {bare:.3f} s; ratio "
            f"{one / bare:.2f}"
        )
        world = World(
            store=store,
            registry=FakeRegistry(),
            rules=rules,
            accounts=FakeAccounts(),
            heads=heads,
            elapsed=time.monotonic,
            holder="bench",
            pause=time.sleep,
        )
        print(f"the same until all {len(PEOPLE)} see it in the workspace: {_shown(world):.3f} s")
        store.close()
    return [Goal(name="Home read and drawn, share of one second", measured=one, at_most=1.0)]


def _rules() -> FixedRules:
    policies = {
        name: replace(a_policy(), model=ModelName(name), pattern=name)
        for name in (f"model_{n}" for n in range(MODELS))
    }
    rules = some_rules()
    return FixedRules(replace(rules, policies=replace(rules.policies, policies=policies)))


def _fill(store: Store) -> None:
    """Four open requests of each model, half of them approved by a validator."""
    for number in range(REQUESTS):
        model, version = ModelName(f"model_{number % MODELS}"), Version(4 + number // MODELS)
        snapshot = replace(a_snapshot(int(version)), model=model)
        policy = replace(a_policy(), model=model, pattern=model)
        base = a_request(snapshot=snapshot, policy=policy)
        with store.transaction() as tx:
            request = replace(
                base,
                id=RequestId(f"r{number}"),
                model=model,
                content=a_content(int(version)),
                opened_at=tx.now,
                expires_at=tx.now + (base.expires_at - base.opened_at),
            )
            tx.add_request(request)
            actor = Actor(person=PersonId("dana"), account="U0DANA", via="bench")
            tx.record(_event(EventKind.REQUEST_OPENED, tx.now, actor, request.id, model))
            if number % 2:
                tx.add_decision(replace(a_decision("vera"), request_id=request.id))
                facts = {"verdict": Verdict.APPROVE.value}
                happened = _event(EventKind.DECISION_MADE, tx.now, actor, request.id, model)
                tx.record(replace(happened, facts=facts))
            if version == 4:
                tx.begin_tenure(
                    Tenure(
                        model=model,
                        version=Version(3),
                        stage=Stage.PRODUCTION,
                        started_at=tx.now,
                        origin=Origin.PROMOTION,
                        request_id=None,
                    )
                )


def _event(
    kind: EventKind, at: datetime, actor: Actor, request: RequestId, model: ModelName
) -> Event:
    return Event(kind=kind, at=at, actor=actor, model=model, request_id=request)


def _requests_alone(store: Store) -> None:
    with store.read() as tx:
        assert len(tx.open_requests()) == REQUESTS


def _drawn(store: Store, rules: FixedRules, people: tuple[str, ...]) -> None:
    with store.read() as tx:
        board = read_board(tx, rules.current(), [PersonId(p) for p in people])
    for name in people:
        home = home_for(
            board, Actor(person=PersonId(name), account=f"U0{name.upper()}", via="slack")
        )
        assert home is not None
        json.dumps(home_view(home, rules.current().roster))


def _shown(world: World) -> float:
    workspace = Workspace(limits=Limits(posts_per_second=0), home_tab=True)
    for name in PEOPLE:
        workspace.add_person(name, user_id=f"U0{name.upper()}")
    with serve(workspace) as server:
        homes = Homes(
            world=world, client=WebClient(token=server.bot_token, base_url=server.api_url)
        )
        with world.store.transaction() as tx:
            for name in PEOPLE:
                tx.home_opened(f"U0{name.upper()}", "")
        began = time.perf_counter()
        assert homes.refresh() == len(PEOPLE)
        return time.perf_counter() - began


def _median(work: Callable[[], None]) -> float:
    seconds = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()

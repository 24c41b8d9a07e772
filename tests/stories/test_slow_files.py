"""A model whose files take long to read holds up no other model's promotion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from governance.domain.approval import Verdict
from governance.domain.evidence import Content, ModelName, Stage, Version
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, PolicySet
from governance.domain.promotion import State
from governance.use_cases.decide import Ballot, decide
from governance.use_cases.draft import Wish
from governance.use_cases.promote import promote
from governance.use_cases.pushing import Pushing
from tests.builders import MODEL, a_content, a_policy, a_snapshot, some_rules
from tests.fakes import FakeRegistry
from tests.stories.desk import Desk, promoted_before

SLOW = ModelName("slow_scoring")


class _SlowFiles(FakeRegistry):
    """Reads the files of one model only when it is let."""

    let: Event
    asked: int = 0

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        if model == SLOW:
            self.asked += 1
            assert self.let.wait(timeout=60)
        return super().content(model, version, progress=progress)

    def content_to_show(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        return super().content(model, version, progress=progress)


@pytest.fixture
def slow(desk: Desk) -> _SlowFiles:
    """Both models with a version in Staging, under one policy each."""
    registry = _SlowFiles(
        snapshots=desk.registry.snapshots,
        contents=desk.registry.contents,
        aliases=desk.registry.aliases,
    )
    registry.let = Event()
    registry.add(replace(a_snapshot(4, stage=Stage.STAGING), model=SLOW), a_content(4))
    desk.registry = registry
    both: dict[str, ModelPolicy] = {
        m: replace(a_policy(), model=m, pattern=m) for m in (MODEL, SLOW)
    }
    rules = some_rules()
    policies = PolicySet(policies=both, digest=rules.policies.digest)
    desk.rules.rules = replace(rules, policies=policies)
    with desk.store.transaction() as tx:
        promoted_before(tx, SLOW, Version(4), Stage.STAGING)
    return registry


def asked_and_approved(desk: Desk, model: ModelName) -> str:
    """Dana asks for v4, Ana and Raj approve."""
    dana = desk.actor("dana")
    request = promote(
        desk.world,
        Wish(model=model, version=Version(4), target=Stage.PRODUCTION, reason="better"),
        actor=dana,
        standing=desk.accounts.standing(dana.account),
        progress=lambda _done, _total: None,
    )
    for name in ("ana", "raj"):
        actor = desk.actor(name)
        decide(
            desk.world,
            Ballot(
                request_id=request.id,
                verdict=Verdict.APPROVE,
                comment="",
                drawing=request.drawing,
            ),
            actor=actor,
            standing=desk.accounts.standing(actor.account),
        )
    return request.id


def test_a_slow_model_holds_up_no_other_and_is_begun_once(desk: Desk, slow: _SlowFiles) -> None:
    """It ends when its files were read, and is told by the tick after."""
    pushing = Pushing(desk.world, waited_for=timedelta(seconds=0.05))
    asked_and_approved(desk, SLOW)
    assert pushing.tick().finished == []
    quick = asked_and_approved(desk, MODEL)
    finished: list[str] = []
    while not finished:
        finished += pushing.tick().finished
    assert finished == [f"{quick} {State.COMPLETED.value}"]
    assert slow.asked == 1
    assert not pushing.is_idle(timedelta())
    slow.let.set()
    assert pushing.is_idle(timedelta(seconds=30))
    assert [f.split()[1] for f in pushing.tick().finished] == [State.COMPLETED.value]
    done = [e for e in desk.events() if e["kind"] == EventKind.TRANSITION_DONE.value]
    assert [e["model"] for e in done][-2:] == [MODEL, SLOW]

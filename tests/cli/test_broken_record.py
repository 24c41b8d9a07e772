"""A record that was tampered with: told once, and not once a second."""

from __future__ import annotations

import pytest

from bot.assembly import NoWorkspace, RulesInForce, StoppableHeads, build_world, open_registry
from bot.settings import read_settings
from governance.adapters.head_file import HeadFile
from governance.adapters.policy_files import load_rules
from governance.adapters.sql_store import SqlStore
from governance.domain.errors import IntegrityViolation
from governance.domain.ledger import EventKind
from governance.use_cases import reconcile
from governance.use_cases.audit import quick_check
from governance.use_cases.world import World
from tests.cli.deployment import Deployment
from tests.cli.program import POLICIES


def a_world(deployment: Deployment, store: SqlStore, heads: StoppableHeads) -> World:
    """The world of the bot; nothing here asks MLflow, and nothing listens at its address."""
    settings = read_settings({**deployment.settings, "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    return build_world(
        store,
        registry=open_registry(settings),
        rules=RulesInForce(load_rules(POLICIES)),
        accounts=NoWorkspace(),
        heads=heads,
    )


def test_a_cut_log_is_announced_once_although_the_announcement_makes_it_longer(
    deployment: Deployment,
) -> None:
    """One record and one message for each channel until an operator resumes, whatever ticks."""
    deployment.keep_records(5)
    deployment.tamper("DELETE FROM ledger WHERE seq > 3")
    with deployment.store() as store:
        world = a_world(deployment, store, StoppableHeads(HeadFile(deployment.heads)))
        assert [reconcile.check_record(world) for _ in range(3)] == [False, False, False]
        with store.read() as tx:
            kinds = [e["kind"] for e in tx.events()]
            notices = tx.due_notices(10)
    assert kinds.count(EventKind.INTEGRITY_BROKEN.value) == 1
    assert [n.notice.what for n in notices] == ["record_broken"]


def test_transitions_stop_when_the_record_as_a_whole_is_wrong(deployment: Deployment) -> None:
    """The newest head matches by itself when something in the middle was rewritten."""
    deployment.keep_records(2)
    heads = StoppableHeads(HeadFile(deployment.heads))
    with deployment.store() as store:
        with store.read() as tx:
            quick_check(tx, heads)
        heads.stop(IntegrityViolation("record_broken", "record 1 was rewritten"))
        with store.read() as tx, pytest.raises(IntegrityViolation, match="rewritten"):
            quick_check(tx, heads)
        heads.stop(None)
        with store.read() as tx:
            quick_check(tx, heads)

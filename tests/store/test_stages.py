"""Tenures, quarantine, snapshots, what was last seen, what was loaded, on both databases."""

from __future__ import annotations

from datetime import timedelta

from governance.adapters.sql_store import SqlStore
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.tenure import Ending, Observed
from governance.ports import PolicyLoad
from tests.builders import MODEL, NOON, a_content, a_snapshot, a_tenure
from tests.stories.desk import HandClock


def test_a_tenure_ends_once_and_says_how(store: SqlStore) -> None:
    """Only one that still runs; another model's stays."""
    later = NOON + timedelta(hours=2)
    with store.transaction() as tx:
        tx.begin_tenure(a_tenure(3, 0))
        tx.begin_tenure(a_tenure(4, 1, stage=Stage.STAGING))
        assert tx.end_tenure(MODEL, Version(3), Stage.PRODUCTION, Ending.PROMOTION, later)
        assert not tx.end_tenure(MODEL, Version(3), Stage.PRODUCTION, Ending.ROLLBACK, later)
        assert not tx.end_tenure(MODEL, Version(4), Stage.PRODUCTION, Ending.ROLLBACK, later)
    with store.read() as tx:
        assert tx.tenures(MODEL) == (
            a_tenure(3, 0, 2, Ending.PROMOTION),
            a_tenure(4, 1, stage=Stage.STAGING),
        )
        assert tx.tenures(ModelName("other")) == ()


def test_quarantine_is_put_on_and_lifted(store: SqlStore) -> None:
    """Twice is once."""
    with store.transaction() as tx:
        tx.quarantine(MODEL, Version(4), "approvals spiked")
        tx.quarantine(MODEL, Version(4), "again")
        assert set(tx.quarantined(MODEL)) == {4}
        assert tx.quarantined(ModelName("other")) == {}
        assert tx.lift_quarantine(MODEL, Version(4))
        assert not tx.lift_quarantine(MODEL, Version(4))
        assert tx.quarantined(MODEL) == {}


def test_the_newest_snapshot_is_kept_with_its_time(store: SqlStore, clock: HandClock) -> None:
    """For comparisons after the run is gone."""
    with store.transaction() as tx:
        assert tx.saved_snapshot(MODEL, Version(4)) is None
        tx.save_snapshot(a_snapshot(4), None)
    clock.advance(hours=1)
    changed = a_snapshot(4, parameters={"C": "2.0"})
    with store.transaction() as tx:
        tx.save_snapshot(changed, a_content(4))
    with store.read() as tx:
        assert tx.saved_snapshot(MODEL, Version(4)) == (changed, a_content(4), clock.now)
        assert tx.first_snapshot(MODEL, Version(4)) == a_snapshot(4)
        assert tx.first_snapshot(MODEL, Version(5)) is None
        assert tx.kept_versions(MODEL) == {4}
        assert tx.kept_versions(ModelName("other")) == frozenset()


def test_what_was_last_seen_is_replaced(store: SqlStore) -> None:
    """None before the first look."""
    first = Observed(stages={Version(3): Stage.PRODUCTION}, alias=Version(3))
    with store.transaction() as tx:
        assert tx.observed(MODEL) is None
        tx.save_observed(MODEL, first)
        tx.save_observed(MODEL, Observed(stages={}, alias=None))
        tx.save_observed(MODEL, first)
    with store.read() as tx:
        assert tx.observed(MODEL) == first


def test_the_newest_load_of_policies_is_found(store: SqlStore, clock: HandClock) -> None:
    """With the texts as they were, whatever is in them."""
    texts = {"people.yaml": "é: \u202e\n", "credit.yaml": "a: 1\n"}
    with store.transaction() as tx:
        assert tx.policy_load() is None
        tx.save_policy_load(PolicyLoad(digest="d1", loaded_at=clock.now, texts={}))
        tx.save_policy_load(PolicyLoad(digest="d2", loaded_at=clock.now, texts=texts))
    with store.read() as tx:
        assert tx.policy_load() == PolicyLoad(digest="d2", loaded_at=clock.now, texts=texts)

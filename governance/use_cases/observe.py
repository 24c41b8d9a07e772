"""What the registry shows against what the record says: adoption at first sight, and changes
that were made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from governance.domain.canonical import Json
from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.tenure import (
    Moves,
    Observed,
    moves_of_adoption,
    moves_of_change_elsewhere,
)
from governance.ports import Notice, NoticeKind, ProductionState, Transaction
from governance.use_cases.world import World

_RECONCILER = Actor.automatic("reconciler")
_FIRST_SIGHTS = 5


def observe(world: World, model: ModelName) -> bool:
    """Compare MLflow's actual state with the record; record and alert what differs.

    Returns True when something was adopted or had changed. Does nothing while a transition of
    the model is unfinished: its own change is no drift.

    Raises:
        Conflict: a transition runs. Unavailable: MLflow or the store.
    """
    with world.model_locked(model):
        with world.store.read() as tx:
            if tx.open_intents(model):
                return False
        actual = read_observed(world, model)
        with world.store.transaction() as tx:
            before = tx.observed(model)
            if before is None:
                _adopt(tx, model, actual)
                return True
            if dict(before.stages) == dict(actual.stages) and before.alias == actual.alias:
                return False
            _changed_elsewhere(tx, model, before, actual)
            return True


def keep_first_sights(world: World, model: ModelName) -> int:
    """Keep what new versions look like, newest first and a few at a time: whoever made one cannot
    hide it afterwards, and it can be compared when its run is gone. Returns how many were kept.

    Raises:
        Unavailable: MLflow or the store.
    """
    with world.store.read() as tx:
        kept = tx.kept_versions(model)
    try:
        versions = [v.version for v in world.registry.versions(model)]
    except Refused:
        return 0  # a policy may come before its model
    count = 0
    for version in sorted(set(versions) - kept, reverse=True)[:_FIRST_SIGHTS]:
        try:
            snapshot = world.registry.snapshot(model, version)
        except FoureyesError:
            continue  # its run is gone, or its storage does not answer: the others are kept
        with world.store.transaction() as tx:
            tx.save_snapshot(snapshot, None)
        count += 1
    return count


def read_observed(world: World, model: ModelName) -> Observed:
    """Every version that is in a stage, and the alias, as the registry shows them now."""
    state = world.registry.production(model)
    if not state.staged and state.alias is None and model not in world.registry.models():
        return Observed(stages={}, alias=None)
    stages = {
        v.version: v.stage for v in world.registry.versions(model) if v.stage is not Stage.NONE
    }
    return Observed(stages=stages, alias=state.alias)


def after_production(before: Observed | None, state: ProductionState) -> Observed:
    """What is to be seen after a transition of ours that was read back as `state`."""
    stages = dict(before.stages) if before else {}
    for version in [v for v, s in stages.items() if s is Stage.PRODUCTION]:
        stages[version] = state.replaced_in
    stages.update(dict.fromkeys(state.staged, Stage.PRODUCTION))
    shown = {v: s for v, s in stages.items() if s is not Stage.NONE}
    return Observed(stages=shown, alias=state.alias)


def observed_facts(observed: Observed) -> Mapping[str, Json]:
    """An observation as it goes into the record."""
    return {
        "stages": [[v, s.value] for v, s in sorted(observed.stages.items())],
        "alias": observed.alias,
    }


def _adopt(tx: Transaction, model: ModelName, actual: Observed) -> None:
    tx.record(
        Event(
            kind=EventKind.VERSION_ADOPTED,
            at=tx.now,
            actor=_RECONCILER,
            model=model,
            version=actual.production[0] if len(actual.production) == 1 else None,
            why="Found in MLflow when Foureyes first looked.",
            facts=observed_facts(actual),
        )
    )
    tx.save_observed(model, actual)
    apply_moves(tx, model, moves_of_adoption(model, actual, tx.now))


def _changed_elsewhere(
    tx: Transaction, model: ModelName, before: Observed, actual: Observed
) -> None:
    difference = describe(before, actual)
    tx.record(
        Event(
            kind=EventKind.CHANGED_ELSEWHERE,
            at=tx.now,
            actor=_RECONCILER,
            model=model,
            why=difference,
            facts={"before": observed_facts(before), "after": observed_facts(actual)},
        )
    )
    tx.save_observed(model, actual)
    moves = moves_of_change_elsewhere(tx.tenures(model), model, before, actual, tx.now)
    apply_moves(tx, model, moves)
    tx.notify(
        Notice(
            kind=NoticeKind.CHANNEL,
            what="changed_elsewhere",
            model=model,
            facts={"difference": difference, "several": len(actual.production) > 1},
        )
    )


def apply_moves(tx: Transaction, model: ModelName, moves: Moves) -> None:
    """Write what an event does to the stays of a model."""
    for version, stage, ending in moves.ended:
        tx.end_tenure(model, version, stage, ending, tx.now)
    for tenure in moves.begun:
        tx.begin_tenure(tenure)


def describe(before: Observed, actual: Observed) -> str:
    """The difference between two observations in words."""
    parts: list[str] = []
    for version in sorted(before.stages.keys() | actual.stages.keys()):
        old = before.stages.get(version, Stage.NONE)
        new = actual.stages.get(version, Stage.NONE)
        if old is not new:
            parts.append(f"v{version} went from {old.value} to {new.value}")
    if before.alias != actual.alias:
        parts.append(f"the alias moved from {_named(before.alias)} to {_named(actual.alias)}")
    return "; ".join(parts)


def _named(version: Version | None) -> str:
    return "nothing" if version is None else f"v{version}"

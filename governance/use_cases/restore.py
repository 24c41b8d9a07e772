"""The switch itself: the intent is recorded, traffic and the registry are moved and read back, the
outcome is recorded. Killed anywhere, it is finished by being called again.

Who may order it, and to which version, is decided before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from governance.domain.break_glass import BrokenGlass
from governance.domain.canonical import Json
from governance.domain.errors import (
    Conflict,
    FoureyesError,
    IntegrityViolation,
    Refused,
    Unavailable,
)
from governance.domain.evidence import Content, ModelName, Stage, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.alert import AlertId, Outcome
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import State
from governance.domain.tenure import moves_of_rollback
from governance.ports import (
    HEADS_UNREADABLE,
    HEADS_UNWRITABLE,
    Intent,
    IntentId,
    IntentKind,
    Notice,
    NoticeKind,
    ProductionState,
    Transaction,
)
from governance.use_cases import alerts
from governance.use_cases.audit import quick_check
from governance.use_cases.observe import after_production, apply_moves, observed_facts
from governance.use_cases.reviews import begin_review, record_broken, redraw_demands
from governance.use_cases.settle import move
from governance.use_cases.transition import finish_if_done, record_failure
from governance.use_cases.world import World


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a rollback did, and what was verified."""

    model: ModelName
    from_version: Version | None
    to_version: Version
    production: ProductionState
    seconds: float
    """From the order to MLflow read back."""
    record_in_doubt: bool
    """The log contradicted its kept heads: the rollback worked, and is marked."""
    traffic_problem: str = ""
    """Why traffic could not be told, in words; it is tried again every few seconds."""


def serve_quietly(world: World, model: ModelName, version: Version) -> str:
    """Tell traffic which version is served. A file that cannot be written must not keep the
    registry from being moved: the reason is returned, and the reconciler tries again."""
    if world.traffic is None:
        return ""
    try:
        world.traffic.serve(model, version)
    except Unavailable as problem:
        return problem.sentence
    return ""


def current_production(production: ProductionState, model: ModelName) -> Version:
    """What a rollback replaces. Raises Refused `nothing_in_production`."""
    current = production.current
    if current is None:
        raise Refused(
            "nothing_in_production", f"Nothing of {model} is in Production, so nothing goes back."
        )
    return current


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What is to be done, once it is decided."""

    model: ModelName
    from_version: Version
    to_version: Version
    why: str
    last_known_good: bool
    """Whether that is the last known good version; else somebody chose it."""
    alert: AlertId | None = None
    """What an automatic rollback answers."""
    glass: BrokenGlass | None = None
    """Ordered past policy, by whom and why."""


def intend(world: World, wanted: Switch, actor: Actor) -> Intent:
    """Record what is about to be done; that the record is in doubt stops promotions and no
    rollback. The model must be locked.

    Raises:
        Conflict: `rollback_runs`. Unavailable: the store.
    """
    with _heads_do_not_matter(), world.store.transaction() as tx:
        if any(i.kind is IntentKind.ROLLBACK for i in tx.open_intents(wanted.model)):
            raise Conflict(
                "rollback_runs", f"A rollback of {wanted.model} is already being finished."
            )
        intent = Intent(
            id=IntentId(0),
            kind=IntentKind.ROLLBACK,
            model=wanted.model,
            from_version=wanted.from_version,
            to_version=wanted.to_version,
            stage=Stage.PRODUCTION,
            request_id=None,
            person=actor.person,
            account=actor.account,
            via=actor.via,
            why=wanted.why,
            created_at=tx.now,
            alert=wanted.alert,
            last_known_good=wanted.last_known_good,
            record_in_doubt=_is_in_doubt(world, tx),
            glass=wanted.glass,
        )
        if wanted.glass is not None:
            record_broken(tx, wanted.glass, actor, model=wanted.model, version=wanted.to_version)
        # From here on no promotion overtakes it: its approvers compared with what goes now.
        why = f"{wanted.model} is being rolled back to v{wanted.to_version}: {wanted.why}"
        stop_requests(tx, wanted.model, why.rstrip(": "))
        intent_id = tx.add_intent(intent)
        facts: dict[str, Json] = {
            "from": wanted.from_version,
            "to": wanted.to_version,
            "last_known_good": wanted.last_known_good,
            "record_in_doubt": intent.record_in_doubt,
        }
        tx.record(
            Event(
                kind=EventKind.ROLLBACK_INTENDED,
                at=tx.now,
                actor=actor,
                model=wanted.model,
                version=wanted.to_version,
                why=wanted.why,
                facts={**facts, **_alert_fact(intent)},
            )
        )
    return replace(intent, id=intent_id)


def _is_in_doubt(world: World, tx: Transaction) -> bool:
    try:
        quick_check(tx, world.heads)
    except IntegrityViolation:
        return True
    except Unavailable as problem:
        if problem.code != HEADS_UNREADABLE:
            raise
        return True
    return False


def _alert_fact(intent: Intent) -> dict[str, Json]:
    return {} if intent.alert is None else {"alert": intent.alert}


def switch(world: World, intent: Intent, actor: Actor, *, began: float) -> Restored:
    """Traffic first, the registry second, read back, and only then the outcome. The model must be
    locked; `began` is when the order or the verdict came, on the monotonic clock.

    Raises:
        Refused: MLflow does not know the version; recorded as failed. Unavailable: MLflow did not
        answer; the intent stands, and the reconciler finishes it.
    """
    told = serve_quietly(world, intent.model, intent.to_version)
    try:
        production = world.registry.set_production(intent.model, intent.to_version)
    except Refused as refusal:
        _fail(world, intent, actor, refusal.sentence)
        raise
    seconds = world.elapsed() - began
    restored = Restored(
        model=intent.model,
        from_version=intent.from_version,
        to_version=intent.to_version,
        production=production,
        seconds=seconds,
        record_in_doubt=intent.record_in_doubt,
        traffic_problem=told,
    )
    with _heads_do_not_matter(), world.store.transaction() as tx:
        if tx.close_intent(intent.id, "done"):
            _record_done(tx, intent, actor, restored)
    return restored


def finish(world: World, intent: Intent) -> Restored | None:
    """Finish a rollback that stopped between intent and outcome. The model must be locked.

    Returns None when it was given up, because Production is neither what it came from nor what
    it goes to.
    """
    actor = Actor(person=intent.person, account=intent.account, via=intent.via)
    production = world.registry.production(intent.model)
    expected = {intent.from_version, intent.to_version}
    if production.staged and not set(production.staged) <= expected:
        _fail(world, intent, actor, "Production was changed elsewhere in between.")
        return None
    with world.store.read() as tx:
        waited = (tx.now - intent.created_at).total_seconds()
    return switch(world, intent, actor, began=world.elapsed() - max(0.0, waited))


def finish_what_is_done(world: World, model: ModelName) -> None:
    """Record the outcome of a transition that MLflow shows already, as after a crash: else the
    version before would not have ended well yet, and would be no target. The model is locked."""
    with world.store.read() as tx:
        unfinished = [(i, i.request_id) for i in tx.open_intents(model)]
        requests = {r: tx.request(r) for _intent, r in unfinished if r is not None}
    for intent, request_id in unfinished:
        if request_id is not None:
            finish_if_done(world, requests[request_id], half_is_enough=True)
        elif intent.kind is IntentKind.ROLLBACK:
            finish(world, intent)


def stop_requests(tx: Transaction, model: ModelName, why: str) -> None:
    """A rollback ends every open request of its model; their people are told."""
    actor = Actor.automatic("rollback")
    for request in tx.open_requests(model):
        if request.state is State.EXECUTING:
            record_failure(tx, request, why)
        else:
            move(tx, request, Happening.BINDING_BROKEN, actor, why)


def verify_restored(world: World, model: ModelName, version: Version) -> str | None:
    """After the switch: whether the restored files are those that were approved. Returns the
    difference in words, or None when they are the same; the channel is told of a difference."""
    with world.store.read() as tx:
        approved = approved_content(tx, model, version)
    if approved is None:
        return "The content of this version was never approved here, so it was not compared."
    try:
        content = world.registry.content(model, version, progress=lambda _done, _total: None)
    except FoureyesError as problem:
        return f"The restored files could not be read: {problem.sentence}"
    if content.digest == approved.digest:
        return None
    difference = f"The files of v{version} are not those that were approved."
    with world.store.transaction() as tx:
        tx.notify(
            Notice(
                kind=NoticeKind.CHANNEL,
                what="restored_differs",
                model=model,
                facts={"version": version, "difference": difference},
            )
        )
    return difference


@contextmanager
def _heads_do_not_matter() -> Iterator[None]:
    """A rollback goes on although the head of its record could not be kept: the record is stored,
    and the next head that can be kept vouches for it."""
    try:
        yield
    except Unavailable as problem:
        if problem.code != HEADS_UNWRITABLE:
            raise


def _record_done(tx: Transaction, intent: Intent, actor: Actor, restored: Restored) -> None:
    observed = after_production(tx.observed(intent.model), restored.production)
    tx.save_observed(intent.model, observed)
    tenures = tx.tenures(intent.model)
    moves = moves_of_rollback(tenures, intent.model, intent.to_version, tx.now)
    apply_moves(tx, intent.model, moves)
    if intent.from_version is not None:
        why = f"Rolled back on {tx.now:%Y-%m-%d %H:%M} UTC: {intent.why}"
        tx.quarantine(intent.model, intent.from_version, why)
    tx.record(
        Event(
            kind=EventKind.ROLLBACK_DONE,
            at=tx.now,
            actor=actor,
            model=intent.model,
            version=intent.to_version,
            why=intent.why,
            facts={
                "from": intent.from_version,
                "to": intent.to_version,
                "last_known_good": intent.last_known_good,
                "seconds": f"{restored.seconds:.3f}",
                "record_in_doubt": restored.record_in_doubt,
                "traffic_problem": restored.traffic_problem,
                **_alert_fact(intent),
                **({"break_glass": intent.glass.id} if intent.glass else {}),
                **observed_facts(observed),
            },
        )
    )
    redraw_demands(tx, intent.model, intent.from_version)
    if intent.glass is not None:
        begin_review(
            tx,
            intent.glass,
            model=intent.model,
            from_version=intent.from_version,
            version=intent.to_version,
            request_id=None,
        )
    if intent.alert is not None:
        alerts.rolled_back(
            tx,
            intent.alert,
            restored.to_version,
            restored.seconds,
            note=_traffic_note(restored),
        )
        return
    tx.notify(
        Notice(
            kind=NoticeKind.CHANNEL,
            what="rolled_back",
            model=intent.model,
            facts={
                "from": intent.from_version,
                "to": intent.to_version,
                "by": intent.person,
                "why": intent.why,
                "seconds": f"{restored.seconds:.2f}",
                "record_in_doubt": restored.record_in_doubt,
                "traffic_problem": restored.traffic_problem,
            },
        )
    )


def _traffic_note(restored: Restored) -> str:
    if not restored.traffic_problem:
        return ""
    return f"Traffic could not be told: {restored.traffic_problem} It is tried again."


def _fail(world: World, intent: Intent, actor: Actor, why: str) -> None:
    with world.store.transaction() as tx:
        if not tx.close_intent(intent.id, "failed"):
            return
        tx.record(
            Event(
                kind=EventKind.ROLLBACK_FAILED,
                at=tx.now,
                actor=actor,
                model=intent.model,
                version=intent.to_version,
                why=why,
                facts={"from": intent.from_version, "to": intent.to_version},
            )
        )
        if intent.alert is not None:
            alerts.settle(tx, intent.alert, Outcome.FAILED, why)
            return
        tx.notify(
            Notice(
                kind=NoticeKind.CHANNEL,
                what="rollback_failed",
                model=intent.model,
                facts={"from": intent.from_version, "to": intent.to_version, "why": why},
            )
        )


def approved_content(tx: Transaction, model: ModelName, version: Version) -> Content | None:
    """The files that the newest approval for Production bound; none for an adopted version."""
    for tenure in reversed(tx.tenures(model)):
        at = (tenure.version, tenure.stage)
        if at == (version, Stage.PRODUCTION) and tenure.request_id is not None:
            return tx.request(tenure.request_id).content
    return None

"""Put a version that was good before back into Production: one authorised person, about a second.

The record comes first and the registry second, as everywhere; the digests come after, because a
rollback does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.domain.errors import (
    Conflict,
    FoureyesError,
    IntegrityViolation,
    Refused,
    Unavailable,
)
from governance.domain.evidence import Content, ModelName, Stage, Version
from governance.domain.identity import Actor, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import State
from governance.domain.tenure import (
    Ending,
    Origin,
    RollbackOptions,
    Tenure,
    rollback_options,
)
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
from governance.use_cases.audit import quick_check
from governance.use_cases.execute import finish_if_done, record_failure
from governance.use_cases.observe import after_production, observe, observed_facts
from governance.use_cases.promote import REASON_LIMIT, refuse_long_text
from governance.use_cases.settle import move
from governance.use_cases.world import (
    World,
    require_person,
    require_policy,
    require_standing,
)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What `/rollback` proposes before anybody clicks."""

    model: ModelName
    current: Version
    target: Version | None
    options: RollbackOptions


@dataclass(frozen=True, kw_only=True)
class Order:
    """A rollback that somebody means: from what, to what, why. `offered_at` is when the button
    was drawn; None from the command line, where nothing lies between reading and acting."""

    model: ModelName
    from_version: Version
    to_version: Version
    why: str
    offered_at: datetime | None = None
    valid_for: timedelta = timedelta(minutes=5)


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


def offer(
    world: World,
    model: ModelName,
    *,
    actor: Actor,
    standing: Standing | None,
    version: Version | None = None,
) -> Offer:
    """Find the target for a person who may roll back; nothing is changed.

    Raises:
        Refused: not this person, nothing in Production, or a version that is no target; recorded.
    """
    with world.refusals_recorded(EventKind.ROLLBACK_REFUSED, actor, model=model, version=version):
        _require_may_roll_back(world, model, actor, standing)
        observe(world, model)
        with world.model_locked(model):
            _finish_what_is_done(world, model)
            current = _current(world.registry.production(model), model)
        existing = frozenset(v.version for v in world.registry.versions(model))
        with world.store.read() as tx:
            options = _options(tx, model, current, existing)
        target = options.target if version is None else version
        if version is not None and version not in options.eligible:
            raise Refused("not_eligible", _why_not(options, model, version, current))
        return Offer(model=model, current=current, target=target, options=options)


def roll_back(world: World, order: Order, *, actor: Actor, standing: Standing | None) -> Restored:
    """Switch now, read back, then say so.

    Raises:
        Refused: not this person, Production moved since the offer, or the target is none;
        recorded. Conflict: another transition runs. Unavailable: MLflow did not answer; the
        intent stands, and the reconciler finishes it.
    """
    with world.refusals_recorded(
        EventKind.ROLLBACK_REFUSED, actor, model=order.model, version=order.to_version
    ):
        began = world.elapsed()
        _require_may_roll_back(world, order.model, actor, standing)
        refuse_long_text("reason", order.why, REASON_LIMIT)
        with world.model_locked(order.model):
            _finish_what_is_done(world, order.model)
            _refuse_unless_still_true(world, order)
            intent, in_doubt = _intend(world, order, actor)
            return _switch(world, intent, actor, began=began, in_doubt=in_doubt)


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
    return _switch(world, intent, actor, began=world.elapsed(), in_doubt=False)


def verify_restored(world: World, model: ModelName, version: Version) -> str | None:
    """After the switch: whether the restored files are those that were approved. Returns the
    difference in words, or None when they are the same; the channel is told of a difference."""
    with world.store.read() as tx:
        approved = _approved_content(tx, model, version)
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


def _approved_content(tx: Transaction, model: ModelName, version: Version) -> Content | None:
    """The files that the newest approval for Production bound; none for an adopted version."""
    for tenure in reversed(tx.tenures(model)):
        at = (tenure.version, tenure.stage)
        if at == (version, Stage.PRODUCTION) and tenure.request_id is not None:
            return tx.request(tenure.request_id).content
    return None


def _require_may_roll_back(
    world: World, model: ModelName, actor: Actor, standing: Standing | None
) -> None:
    rules = world.rules.current()
    if standing is not None:
        require_standing(standing)
    person = require_person(rules, actor)
    policy = require_policy(rules, model)
    if not person.has_any_role(policy.rollback_roles):
        roles = " or ".join(sorted(policy.rollback_roles))
        on_call = ", ".join(rules.roster.name_of(p) for p in policy.on_call) or "nobody"
        raise Refused(
            "may_not_roll_back",
            f"Rolling back {model} needs the role {roles}, which {person.name} does not have. "
            f"On call: {on_call}.",
        )


def _current(production: ProductionState, model: ModelName) -> Version:
    if len(production.staged) > 1:
        # Whatever is not the alias's version came in beside it: that one is what goes.
        others = [v for v in production.staged if v != production.alias]
        return others[-1] if others else production.staged[-1]
    current = production.staged[0] if production.staged else production.alias
    if current is None:
        raise Refused(
            "nothing_in_production", f"Nothing of {model} is in Production, so nothing goes back."
        )
    return current


def _options(
    tx: Transaction, model: ModelName, current: Version, existing: frozenset[Version]
) -> RollbackOptions:
    return rollback_options(
        tx.tenures(model),
        current=current,
        quarantined=frozenset(tx.quarantined(model)),
        existing=existing,
    )


def _why_not(options: RollbackOptions, model: ModelName, version: Version, current: Version) -> str:
    if version == current:
        return f"v{version} of {model} is what is in Production now."
    known = dict(options.reasons)
    reason = known.get(version, "it was never in Production by our record")
    listed = ", ".join(f"v{v}" for v in options.eligible) or "none"
    return (
        f"v{version} of {model} is no rollback target: {reason}. Eligible: {listed}. "
        f"Any other version is a promotion: /promote {model} {version}."
    )


def _refuse_unless_still_true(world: World, order: Order) -> None:
    current = _current(world.registry.production(order.model), order.model)
    with world.store.read() as tx:
        if order.offered_at is not None and tx.now > order.offered_at + order.valid_for:
            minutes = order.valid_for // timedelta(minutes=1)
            raise Refused(
                "offer_too_old",
                f"This button is older than {minutes} minutes, so nothing was changed. "
                f"Type /rollback {order.model} again.",
            )
        tenures = tx.tenures(order.model)
        quarantined = frozenset(tx.quarantined(order.model))
    if current != order.from_version:
        raise Refused(
            "production_moved",
            f"Production of {order.model} is v{current}, no longer v{order.from_version}; nothing "
            f"was changed. Type /rollback {order.model} to see what would happen now.",
        )
    # That the target still exists, MLflow itself says at the switch: one read less at 2 a.m.
    known = frozenset(t.version for t in tenures)
    options = rollback_options(tenures, current=current, quarantined=quarantined, existing=known)
    if order.to_version not in options.eligible:
        raise Refused("not_eligible", _why_not(options, order.model, order.to_version, current))


def _intend(world: World, order: Order, actor: Actor) -> tuple[Intent, bool]:
    with _heads_do_not_matter(), world.store.transaction() as tx:
        in_doubt = False
        try:
            quick_check(tx, world.heads)
        except IntegrityViolation:
            in_doubt = True
        except Unavailable as problem:
            if problem.code != HEADS_UNREADABLE:
                raise
            in_doubt = True
        if any(i.kind is IntentKind.ROLLBACK for i in tx.open_intents(order.model)):
            raise Conflict(
                "rollback_runs", f"A rollback of {order.model} is already being finished."
            )
        intent = Intent(
            id=IntentId(0),
            kind=IntentKind.ROLLBACK,
            model=order.model,
            from_version=order.from_version,
            to_version=order.to_version,
            stage=Stage.PRODUCTION,
            request_id=None,
            person=actor.person,
            account=actor.account,
            via=actor.via,
            why=order.why,
            created_at=tx.now,
        )
        _stop_what_is_not_done(tx, order.model)
        intent_id = tx.add_intent(intent)
        tx.record(
            Event(
                kind=EventKind.ROLLBACK_INTENDED,
                at=tx.now,
                actor=actor,
                model=order.model,
                version=order.to_version,
                why=order.why,
                facts={
                    "from": order.from_version,
                    "to": order.to_version,
                    "record_in_doubt": in_doubt,
                },
            )
        )
        intended = replace(intent, id=intent_id)
    return intended, in_doubt


@contextmanager
def _heads_do_not_matter() -> Iterator[None]:
    """A rollback goes on although the head of its record could not be kept: the record is stored,
    and the next head that can be kept vouches for it."""
    try:
        yield
    except Unavailable as problem:
        if problem.code != HEADS_UNWRITABLE:
            raise


def _finish_what_is_done(world: World, model: ModelName) -> None:
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


def _stop_what_is_not_done(tx: Transaction, model: ModelName) -> None:
    """A promotion to Production that was begun and did not reach MLflow does not come after the
    rollback."""
    for intent in tx.open_intents(model):
        if intent.request_id is not None and intent.stage is Stage.PRODUCTION:
            request = tx.request(intent.request_id)
            record_failure(tx, request, "A rollback was ordered before MLflow had carried it out.")


def _switch(
    world: World, intent: Intent, actor: Actor, *, began: float, in_doubt: bool
) -> Restored:
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
        record_in_doubt=in_doubt,
    )
    with _heads_do_not_matter(), world.store.transaction() as tx:
        if tx.close_intent(intent.id, "done"):
            _record_done(tx, intent, actor, restored)
    return restored


def _record_done(tx: Transaction, intent: Intent, actor: Actor, restored: Restored) -> None:
    observed = after_production(tx.observed(intent.model), restored.production)
    tx.save_observed(intent.model, observed)
    for tenure in tx.tenures(intent.model):
        if tenure.stage is Stage.PRODUCTION and tenure.ended_at is None:
            tx.end_tenure(intent.model, tenure.version, Stage.PRODUCTION, Ending.ROLLBACK, tx.now)
    tx.begin_tenure(
        Tenure(
            model=intent.model,
            version=intent.to_version,
            stage=Stage.PRODUCTION,
            started_at=tx.now,
            origin=Origin.ROLLBACK,
            request_id=None,
        )
    )
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
                "seconds": f"{restored.seconds:.3f}",
                "record_in_doubt": restored.record_in_doubt,
                **observed_facts(observed),
            },
        )
    )
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
            },
        )
    )
    stop_requests(tx, intent.model, f"{intent.model} was rolled back to v{intent.to_version}.")


def stop_requests(tx: Transaction, model: ModelName, why: str) -> None:
    """A rollback ends every open request of its model; their people are told."""
    actor = Actor.automatic("rollback")
    for request in tx.open_requests(model):
        if request.state is State.EXECUTING:
            record_failure(tx, request, why)
        else:
            move(tx, request, Happening.BINDING_BROKEN, actor, why)


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
        tx.notify(
            Notice(
                kind=NoticeKind.CHANNEL,
                what="rollback_failed",
                model=intent.model,
                facts={"from": intent.from_version, "to": intent.to_version, "why": why},
            )
        )

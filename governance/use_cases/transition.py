"""One transition of a request in the registry, from its recorded intent to its recorded outcome:
moved, read back, and only then told. Decides nothing: whoever calls has looked at everything."""

from __future__ import annotations

from governance.domain.approval import FilledSeat
from governance.domain.break_glass import BrokenGlass
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Stage
from governance.domain.identity import Actor
from governance.domain.ledger import EventKind
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request, State
from governance.domain.tenure import Observed, moves_of_promotion
from governance.ports import (
    Intent,
    IntentId,
    IntentKind,
    Notice,
    NoticeKind,
    ProductionState,
    Transaction,
)
from governance.use_cases.observe import after_production, apply_moves, observed_facts
from governance.use_cases.recording import record_of
from governance.use_cases.reviews import begin_review
from governance.use_cases.settle import move
from governance.use_cases.world import World

EXECUTOR = Actor.automatic("executor")


def intend_transition(
    tx: Transaction,
    request: Request,
    production: ProductionState,
    seats: tuple[FilledSeat, ...],
    actor: Actor,
) -> None:
    """Record what is about to be done in MLflow, and who filled which seat."""
    tx.add_intent(
        Intent(
            id=IntentId(0),
            kind=IntentKind.PROMOTION,
            model=request.model,
            from_version=production.current,
            to_version=request.version,
            stage=request.target,
            request_id=request.id,
            person=request.requester,
            account=request.requester_account,
            via=actor.via,
            why=request.reason,
            created_at=tx.now,
        )
    )
    record_of(
        tx,
        request,
        EventKind.TRANSITION_INTENDED,
        actor,
        why=request.reason,
        facts={
            "target": request.target.value,
            "from": production.current,
            "seats": [[s.seat.role, s.person] for s in seats],
            "standing_in": [[s.person, s.absent] for s in seats if s.absent],
        },
    )


def finish_if_done(
    world: World, request: Request, *, half_is_enough: bool = False
) -> Request | None:
    """Record the outcome of an executing request whose transition MLflow already shows; None when
    it does not. Reads no file: a rollback may be waiting, and to it a version that is in
    Production by its stage alone is there. The model must be locked.

    Raises:
        Unavailable: MLflow or the store.
    """
    production = world.registry.production(request.model)
    if request.target is Stage.PRODUCTION:
        done = world.registry.is_in_production(production, request.version) or (
            half_is_enough and request.version in production.staged
        )
    else:
        stages = {v.version: v.stage for v in world.registry.versions(request.model)}
        done = stages.get(request.version) is request.target
    return succeeded(world, request, production) if done else None


def carry_out(world: World, request: Request) -> Request:
    """Move the registry, read it back and record the outcome of a request whose intent is
    recorded. The model must be locked.

    Raises:
        Unavailable: MLflow did not answer; called again, this goes on from there.
    """
    try:
        if request.target is Stage.PRODUCTION:
            production = world.registry.set_production(request.model, request.version)
            if not world.registry.is_in_production(production, request.version):
                raise Unavailable(
                    "not_as_asked",
                    f"MLflow does not show v{request.version} alone in Production yet.",
                )
        else:
            world.registry.set_staging(request.model, request.version)
            production = world.registry.production(request.model)
    except Refused as refusal:
        return failed(world, request, refusal.sentence)
    return succeeded(world, request, production)


def succeeded(world: World, request: Request, production: ProductionState) -> Request:
    """Record what MLflow shows done: the stay, the outcome, the end of other requests, and the
    review where it went past policy."""
    with world.store.transaction() as tx:
        request = tx.request(request.id)
        if request.state is not State.EXECUTING:
            return request
        for intent in tx.open_intents(request.model):
            if intent.request_id == request.id:
                tx.close_intent(intent.id, "done")
        before = tx.observed(request.model)
        if request.target is Stage.PRODUCTION:
            observed = after_production(before, production)
        else:
            stages = dict(before.stages) if before else {}
            observed = Observed(
                stages={**stages, request.version: request.target}, alias=production.alias
            )
        tx.save_observed(request.model, observed)
        tenures = tx.tenures(request.model)
        moves = moves_of_promotion(
            tenures, request.model, request.version, request.target, request.id, tx.now
        )
        apply_moves(tx, request.model, moves)
        lifted = False
        if request.glass is not None:
            tx.quarantine(request.model, request.version, _until_reviewed(request.glass))
        elif request.target is Stage.PRODUCTION:
            lifted = tx.lift_quarantine(request.model, request.version)
        record_of(
            tx,
            request,
            EventKind.TRANSITION_DONE,
            EXECUTOR,
            why=request.reason,
            facts={
                "target": request.target.value,
                "quarantine_lifted": lifted,
                **({"break_glass": request.glass.id} if request.glass else {}),
                **observed_facts(observed),
            },
        )
        done = move(
            tx,
            request,
            Happening.TRANSITION_DONE,
            EXECUTOR,
            f"MLflow shows v{request.version} in {request.target.value}.",
        )
        if request.target is Stage.PRODUCTION:
            supersede_others(tx, done)
        if request.glass is not None:
            begin_review(
                tx,
                request.glass,
                model=request.model,
                from_version=request.binding.expected_production,
                version=request.version,
                request_id=request.id,
            )
        return done


def _until_reviewed(glass: BrokenGlass) -> str:
    return (
        f"Put into Production past policy (incident {glass.incident}); no target of a rollback "
        "until its review is accepted."
    )


def supersede_others(tx: Transaction, winner: Request) -> None:
    """The winner ends every other request for Production: its approvers compared against a
    version that is no longer there."""
    for other in tx.open_requests(winner.model):
        if other.id == winner.id or other.target is not winner.target:
            continue
        why = f"v{winner.version} went to {winner.target.value} first. Ask again if it is needed."
        if other.state is State.EXECUTING:
            continue
        move(tx, other, Happening.SUPERSEDED, EXECUTOR, why)


def failed(world: World, request: Request, why: str) -> Request:
    """Record that a transition cannot be made. What went past policy and is in Production by its
    stage was made, and is reviewed. The model must be locked."""
    if request.glass is not None:
        done = finish_if_done(world, request, half_is_enough=True)
        if done is not None:
            return done
    with world.store.transaction() as tx:
        return record_failure(tx, tx.request(request.id), why)


def record_failure(tx: Transaction, request: Request, why: str) -> Request:
    """End an executing request whose transition cannot be made; its intent is closed."""
    if request.state is not State.EXECUTING:
        return request
    for intent in tx.open_intents(request.model):
        if intent.request_id == request.id:
            tx.close_intent(intent.id, "failed")
    record_of(
        tx,
        request,
        EventKind.TRANSITION_FAILED,
        EXECUTOR,
        why=why,
    )
    if request.glass is not None:
        tx.notify(
            Notice(
                kind=NoticeKind.CHANNEL,
                what="break_glass_failed",
                model=request.model,
                facts={"version": request.version, "by": request.glass.person, "why": why},
            )
        )
    return move(tx, request, Happening.TRANSITION_FAILED, EXECUTOR, why)

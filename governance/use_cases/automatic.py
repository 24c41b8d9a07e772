"""What follows a regressed verdict: the last known good version is put back, once.

Level-triggered: whoever finds a pending alert goes on from what MLflow shows now. Two monitors,
two replicas, a person with the same button or a crash in the middle end in one rollback.
"""

from __future__ import annotations

from datetime import timedelta

from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.ports import IntentKind
from governance.use_cases import alerts
from governance.use_cases.restore import (
    Restored,
    Switch,
    current_production,
    finish_what_is_done,
    intend,
    switch,
    verify_restored,
)
from governance.use_cases.roll_back import options_for
from governance.use_cases.world import World

ONCE_IN = timedelta(hours=24)
"""At most one automatic rollback of a model in this time: what flaps needs a person."""


def react(world: World, alert_id: AlertId, *, verdict_at: float | None = None) -> Restored | None:
    """Do what a pending alert asks for. `verdict_at` is when the verdict fell, on the monotonic
    clock; None when that was in another life of the process.

    Returns None when nothing was switched; the alert says why.

    Raises:
        Conflict: another transition of the model runs. Unavailable: MLflow or the store did not
        answer; the alert stays pending and is tried again.
    """
    began = world.elapsed() if verdict_at is None else verdict_at
    with world.store.read() as tx:
        alert = tx.alert(alert_id)
    if alert.outcome is not Outcome.PENDING:
        return None
    with world.model_locked(alert.model):
        finish_what_is_done(world, alert.model)
        with world.store.read() as tx:
            alert = tx.alert(alert_id)
            if any(i.kind is IntentKind.ROLLBACK for i in tx.open_intents(alert.model)):
                raise Conflict("rollback_runs", f"A rollback of {alert.model} is being finished.")
        if alert.outcome is not Outcome.PENDING:
            return None
        wanted = _decide(world, alert)
        if wanted is None:
            return None
        intent = intend(world, wanted, alerts.WATCHER)
        return switch(world, intent, alerts.WATCHER, began=began)


def react_to_all(world: World) -> list[str]:
    """Every pending alert, one after the other; what went wrong with one is told at its next try.
    Returns what was done, in words.

    Raises:
        Unavailable: of the first that did not answer, after all were tried.
    """
    with world.store.read() as tx:
        pending = tx.pending_alerts()
    done: list[str] = []
    problems: list[Exception] = []
    for alert in pending:
        try:
            restored = react(world, alert.id)
        except Conflict:
            continue
        except Refused:
            continue  # recorded with the alert
        except Exception as problem:  # one model's trouble holds up no other's
            problems.append(problem)
            continue
        if restored is not None:
            verify_restored(world, restored.model, restored.to_version)
            done.append(f"{restored.model} rolled back to v{restored.to_version}")
    if problems:
        raise problems[0]
    return done


def _decide(world: World, alert: Alert) -> Switch | None:
    """From what is so now; None when nothing is to be switched, which is recorded with why."""
    model = alert.model
    try:
        current = current_production(world.registry.production(model), model)
    except Refused as nothing:
        _withhold(world, alert, Outcome.MOVED, nothing.sentence)
        return None
    if current != alert.version:
        _withhold(
            world,
            alert,
            Outcome.MOVED,
            f"Production was v{current} by then, no longer v{alert.version}.",
        )
        return None
    existing = frozenset(v.version for v in world.registry.versions(model))
    with world.store.read() as tx:
        recent = [
            r for r in tx.rollbacks_since(tx.now - ONCE_IN, model) if r.intent.alert is not None
        ]
        options = options_for(tx, model, current, existing)
    if recent:
        _withhold(world, alert, Outcome.LIMITED, _limited(model))
        return None
    if options.target is None:
        reasons = "; ".join(f"v{v}: {why}" for v, why in options.reasons)
        _withhold(
            world,
            alert,
            Outcome.NO_TARGET,
            f"There is no known good version of {model} to put back"
            + (f" ({reasons})." if reasons else "."),
        )
        return None
    return Switch(
        model=model,
        from_version=current,
        to_version=options.target,
        why=first_clause(alert.sentence),
        last_known_good=True,
        alert=alert.id,
    )


def _limited(model: ModelName) -> str:
    return (
        f"{model} was rolled back automatically within the last 24 hours already. A second time "
        "needs a person."
    )


def _withhold(world: World, alert: Alert, outcome: Outcome, note: str) -> None:
    with world.store.transaction() as tx:
        alerts.settle(tx, alert.id, outcome, note)


def first_clause(sentence: str) -> str:
    """What the trail prints of a verdict: up to the first colon or bracket."""
    for mark in (":", " ("):
        sentence = sentence.split(mark, 1)[0]
    return sentence.rstrip(". ")

"""Alerts from raised to over: one row, one message, and a record of each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from governance.domain.canonical import Json
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor, Person, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.tenure import Origin, Tenure
from governance.ports import Notice, NoticeKind, Transaction
from governance.use_cases.grouped import rules_for
from governance.use_cases.world import World, require_person, require_standing

WATCHER = Actor.automatic("automatic")
"""Who acts when a monitor does; the trail shows it in brackets."""


def raise_alert(tx: Transaction, alert: Alert, policy: ModelPolicy) -> Alert | None:
    """Store, record and announce an alert, together with whatever else the transaction holds.
    None when one for the same model, version and monitor is open already."""
    reminders = policy.watching.reminders
    first = tx.now + reminders.on_call_after if reminders else None
    stored = tx.raise_alert(replace(alert, remind_at=first))
    if stored is None:
        return None
    tx.record(
        Event(
            kind=EventKind.ALERT_RAISED,
            at=tx.now,
            actor=WATCHER,
            model=stored.model,
            version=stored.version,
            why=stored.sentence,
            facts={
                "alert": stored.id,
                "monitor": stored.monitor,
                "then": stored.wanted.value,
                "numbers": _spelled(stored.numbers),
            },
        )
    )
    draw(tx, stored)
    return stored


def rolled_back(
    tx: Transaction, alert_id: AlertId, to_version: Version, seconds: float, *, note: str
) -> Alert:
    """The rollback that an alert asked for is done and recorded; its message says so, and what did
    not work beside it."""
    alert = tx.alert(alert_id)
    done = replace(
        alert,
        outcome=Outcome.ROLLED_BACK,
        note=note,
        to_version=to_version,
        acted_at=tx.now,
        seconds=seconds,
    )
    tx.save_alert(done)
    draw(tx, done)
    return done


def settle(tx: Transaction, alert_id: AlertId, outcome: Outcome, note: str) -> Alert:
    """No rollback came of an alert: recorded, and shown loudly."""
    alert = tx.alert(alert_id)
    if alert.outcome is not Outcome.PENDING:
        return alert
    done = replace(alert, outcome=outcome, note=note)
    tx.save_alert(done)
    tx.record(
        Event(
            kind=EventKind.AUTOMATIC_ROLLBACK_WITHHELD,
            at=tx.now,
            actor=WATCHER,
            model=alert.model,
            version=alert.version,
            why=note,
            facts={"alert": alert.id, "outcome": outcome.value},
        )
    )
    draw(tx, done)
    return done


def acknowledge(
    world: World, alert_id: AlertId, *, actor: Actor, standing: Standing | None
) -> Alert:
    """Somebody has seen it and takes it on: it is repeated to nobody any more.

    Raises:
        Refused: not this person. Conflict: somebody acknowledged it already.
    """
    if standing is not None:
        require_standing(standing)
    rules = rules_for(world, actor)
    person = require_person(rules, actor)
    with world.store.transaction() as tx:
        alert = tx.alert(alert_id)
        _require_concerned(person, policy_for(rules.policies, alert.model), alert.model)
        if alert.acknowledged_by is not None:
            raise Conflict(
                "already_acknowledged",
                f"{rules.roster.name_of(alert.acknowledged_by)} acknowledged this already.",
            )
        done = replace(alert, acknowledged_by=person.id, acknowledged_at=tx.now, remind_at=None)
        tx.save_alert(done)
        tx.record(
            Event(
                kind=EventKind.ALERT_ACKNOWLEDGED,
                at=tx.now,
                actor=actor,
                model=alert.model,
                version=alert.version,
                facts={"alert": alert.id},
            )
        )
        draw(tx, done)
        say(tx, done, "acknowledged", {"by": person.id})
        if done.recovered_at is not None:
            return close(tx, done, f"Healthy again since {done.recovered_at:%Y-%m-%d %H:%M} UTC.")
        return done


def is_left_behind(alert: Alert, running: Tenure | None) -> bool:
    """Whether what runs in Production now is none of an alert's business any more: another version,
    or a new stay of the same one, to which nobody rolled back."""
    if running is None or running.version not in alert.concerns:
        return True
    return running.origin is not Origin.ROLLBACK and running.started_at > alert.raised_at


def recovered(tx: Transaction, alert: Alert, why: str) -> Alert:
    """The version that an alert concerns is healthy again. It is over if somebody acknowledged it;
    else it goes on being repeated until somebody does. Idempotent."""
    alert = tx.alert(alert.id)
    if not alert.is_open or alert.recovered_at is not None:
        return alert
    done = replace(alert, recovered_at=tx.now)
    if alert.acknowledged_at is not None:
        tx.save_alert(done)
        return close(tx, done, why)
    tx.save_alert(done)
    draw(tx, done)
    say(tx, done, "recovered", {"why": why})
    return done


def close(tx: Transaction, alert: Alert, why: str) -> Alert:
    """It is over; the thread says why. Idempotent."""
    alert = tx.alert(alert.id)
    if not alert.is_open:
        return alert
    done = replace(alert, closed_at=tx.now, closed_why=why, remind_at=None)
    tx.save_alert(done)
    tx.record(
        Event(
            kind=EventKind.ALERT_CLOSED,
            at=tx.now,
            actor=WATCHER,
            model=alert.model,
            version=alert.version,
            why=why,
            facts={"alert": alert.id},
        )
    )
    draw(tx, done)
    say(tx, done, "closed", {"why": why})
    return done


def remind(world: World) -> int:
    """Repeat what nobody acknowledged: to who is on call first, then to the owners too, and so on
    until somebody does. Returns how many were repeated."""
    rules = world.rules.current()
    with world.store.transaction() as tx:
        due = tx.due_reminders()
        for alert in due:
            policy = policy_for(rules.policies, alert.model)
            reminders = policy.watching.reminders if policy else None
            if policy is None or reminders is None:
                tx.save_alert(replace(alert, remind_at=None))
                continue
            to_owners = tx.now - alert.raised_at >= reminders.owners_after
            people = [*policy.on_call, *(sorted(policy.owners) if to_owners else ())]
            for person in dict.fromkeys(people):
                tx.notify(
                    Notice(
                        kind=NoticeKind.TELL,
                        what="alert_reminder",
                        model=alert.model,
                        person=person,
                        facts={"alert": alert.id},
                    )
                )
            tx.record(
                Event(
                    kind=EventKind.ALERT_REPEATED,
                    at=tx.now,
                    actor=WATCHER,
                    model=alert.model,
                    version=alert.version,
                    facts={"alert": alert.id, "to": [str(p) for p in dict.fromkeys(people)]},
                )
            )
            wait = reminders.owners_after if to_owners else _until_owners(alert, policy, tx)
            tx.save_alert(replace(alert, reminders=alert.reminders + 1, remind_at=tx.now + wait))
    return len(due)


def _until_owners(alert: Alert, policy: ModelPolicy, tx: Transaction) -> timedelta:
    reminders = policy.watching.reminders
    owners_at = alert.raised_at + (reminders.owners_after if reminders else timedelta())
    return max(owners_at - tx.now, timedelta())


def _require_concerned(person: Person, policy: ModelPolicy | None, model: ModelName) -> None:
    if policy is None or is_concerned(person, policy):
        return
    raise Refused(
        "not_concerned",
        f"{person.name} is neither on call for {model} nor an owner, nor may roll it back, so "
        "this does not count as acknowledged.",
    )


def is_concerned(person: Person, policy: ModelPolicy) -> bool:
    """Whether an alert about a model is this person's business: on call for it, an owner, or able
    to roll it back."""
    if person.id in policy.on_call or person.id in policy.owners:
        return True
    return person.has_any_role(policy.rollback_roles)


def draw(tx: Transaction, alert: Alert) -> None:
    """Queue the alert's message to be drawn as it stands."""
    tx.notify(
        Notice(kind=NoticeKind.ALERT, what="alert", model=alert.model, facts={"alert": alert.id})
    )


def say(tx: Transaction, alert: Alert, what: str, facts: Mapping[str, Json]) -> None:
    """Queue one line in the alert's thread."""
    tx.notify(
        Notice(
            kind=NoticeKind.ALERT_LINE,
            what=what,
            model=alert.model,
            facts={**facts, "alert": alert.id},
        )
    )


def _spelled(numbers: Mapping[str, float]) -> Json:
    """Numbers as the record holds them: text, because a float has no single spelling."""
    return {name: f"{value:.6g}" for name, value in sorted(numbers.items())}

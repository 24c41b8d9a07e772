"""What is served: traffic follows the record, and after a rollback the platform itself is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Version
from governance.domain.policy import policy_for
from governance.ports import DoneRollback, Notice, NoticeKind, ServingProbe
from governance.use_cases import alerts
from governance.use_cases.world import World

ASKED_FOR = timedelta(seconds=60)
"""So long a rollback is given to reach what serves."""
_FORGOTTEN_AFTER = timedelta(minutes=10)


def follow(world: World) -> int:
    """Write what is served where it is not what the record says is in Production: after a
    promotion, a change made elsewhere, or a crash. Returns how many models were written.

    Raises:
        Unavailable: the file or the store.
    """
    if world.traffic is None:
        return 0
    rules = world.rules.current()
    with world.store.read() as tx:
        production = tx.in_production()
        # Whoever moves a version tells traffic first: the record is behind for a moment.
        moving = {i.model for i in tx.open_intents()}
    count = 0
    for model, stay in production.items():
        if model in moving or policy_for(rules.policies, model) is None:
            continue
        if world.traffic.serving(model) != stay.version:
            world.traffic.serve(model, stay.version)
            count += 1
    return count


def ask_what_is_served(world: World) -> int:
    """After each rollback of a model that names a probe: ask until the platform serves the
    version, or a minute is over; say which. Returns how many were answered."""
    if world.probe is None:
        return 0
    rules = world.rules.current()
    with world.store.read() as tx:
        now = tx.now
        waiting = [
            done
            for done in tx.rollbacks_since(now - _FORGOTTEN_AFTER)
            if tx.told_up_to(_mark(done)) is None
        ]
    count = 0
    for done in waiting:
        policy = policy_for(rules.policies, done.intent.model)
        url = policy.watching.probe_url if policy else None
        if url is None:
            continue
        said = _ask(world.probe, url, done, is_last=now - done.done_at >= ASKED_FOR)
        if said is not None:
            _say(world, done, said)
            count += 1
    return count


def _ask(probe: ServingProbe, url: str, done: DoneRollback, *, is_last: bool) -> str | None:
    """What to say; None to ask once more."""
    try:
        served = probe.served_version(url, done.intent.model)
    except (Unavailable, Refused) as problem:
        return f"What is served could not be asked: {problem.sentence}" if is_last else None
    if served == done.intent.to_version:
        return f"serving v{served}"
    return f"still serving {_named(served)} a minute after the rollback" if is_last else None


def _say(world: World, done: DoneRollback, said: str) -> None:
    intent = done.intent
    with world.store.transaction() as tx:
        if tx.told_up_to(_mark(done)) is not None:
            return
        tx.save_told(_mark(done), 0)
        served = said
        if said.startswith("serving"):
            served = f"{said} since {tx.now:%H:%M:%S} UTC"
        sentence = f"{served[0].upper()}{served[1:].rstrip('.')}."
        if intent.alert is None:
            tx.notify(
                Notice(
                    kind=NoticeKind.CHANNEL,
                    what="served",
                    model=intent.model,
                    facts={"served": sentence, "to": intent.to_version},
                )
            )
            return
        alert = replace(tx.alert(intent.alert), served=sentence)
        tx.save_alert(alert)
        alerts.draw(tx, alert)
        alerts.say(tx, alert, "served", {"served": sentence})


def _mark(done: DoneRollback) -> str:
    return f"served after rollback {done.intent.id}"


def _named(version: Version | None) -> str:
    return "nothing" if version is None else f"v{version}"

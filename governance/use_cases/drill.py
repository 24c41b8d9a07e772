"""A rollback drill: all that a rollback needs is tried for real, short of moving the stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, policy_for
from governance.ports import NOT_ASKED, Drill, Notice, NoticeKind
from governance.use_cases.restore import approved_content, current_production
from governance.use_cases.roll_back import options_for
from governance.use_cases.world import World, require_policy

DRILLER = Actor.automatic("drill")


class _Findings:
    """What was tried, whether it held, and what was seen."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool, str]] = []
        self.unchecked: list[tuple[str, str]] = []

    @contextmanager
    def trying(self, what: str) -> Iterator[Callable[[str], None]]:
        """One part; whatever it raises is its finding, and the others are tried all the same."""
        seen: list[str] = []
        try:
            yield seen.append
        except FoureyesError as problem:
            if problem.code == NOT_ASKED:
                self.unchecked.append((what, problem.sentence))
            else:
                self.found.append((what, False, problem.sentence))
        else:
            self.found.append((what, True, "; ".join(seen)))


def drill(world: World, model: ModelName, *, actor: Actor = DRILLER) -> Drill:
    """Try it, record it, and tell the channel when it does not hold. What this process cannot ask
    Slack is left unchecked and fails nothing: a rollback needs no Slack.

    Raises:
        Refused: `not_governed`. Unavailable: the store.
    """
    policy = require_policy(world.rules.current(), model)
    findings = _Findings()
    target = _try_target(world, model, findings)
    if target is not None:
        _try_files(world, model, target, findings)
    with findings.trying("MLflow is writable") as seen:
        with world.store.read() as tx:
            proof = tx.now.isoformat(timespec="seconds")
        world.registry.prove_writable(model, proof)
        seen("a tag was written; no stage was moved")
    if world.traffic is not None:
        with findings.trying("traffic can be told") as seen:
            served = world.traffic.serving(model)
            if served is not None:
                world.traffic.serve(model, served)
            seen("nothing is served yet" if served is None else f"it says v{served}")
    with findings.trying("the channel can be reached") as seen:
        world.accounts.verify_channel(policy.channel)
        seen(policy.channel)
    _try_on_call(world, policy, findings)
    return _keep(world, model, findings, actor)


def drill_what_is_due(world: World) -> list[str]:
    """Each governed model in Production whose policy names a rhythm, when its time has come;
    returns what was drilled, in words."""
    rules = world.rules.current()
    with world.store.read() as tx:
        now, production, drills = tx.now, tx.in_production(), tx.drills()
    done: list[str] = []
    for model in sorted(production):
        policy = policy_for(rules.policies, model)
        every = policy.watching.drill_every if policy else None
        if every is None or now < _last(world, model, drills.get(model), now) + every:
            continue
        found = drill(world, model)
        done.append(f"{model} drilled: {'holds' if found.passed else 'does not hold'}")
    return done


def _last(world: World, model: ModelName, drill: Drill | None, now: datetime) -> datetime:
    """The newest drill; before the first one, when the model first had a version in Production:
    the very first version has nothing to go back to, and nobody has to be told."""
    if drill is not None:
        return drill.drilled_at
    with world.store.read() as tx:
        stays = [t.started_at for t in tx.tenures(model) if t.stage is Stage.PRODUCTION]
    return min(stays, default=now)


def _try_target(world: World, model: ModelName, findings: _Findings) -> Version | None:
    target: Version | None = None
    with findings.trying("there is a version to go back to") as seen:
        current = current_production(world.registry.production(model), model)
        existing = frozenset(v.version for v in world.registry.versions(model))
        with world.store.read() as tx:
            options = options_for(tx, model, current, existing)
        if options.target is None:
            reasons = "; ".join(f"v{v}: {why}" for v, why in options.reasons) or "none was there"
            raise Refused("no_target", f"No version before v{current} is known good ({reasons}).")
        target = options.target
        seen(f"v{current} → v{target}")
    return target


def _try_files(world: World, model: ModelName, target: Version, findings: _Findings) -> None:
    with findings.trying("its files are those that were approved") as seen:
        content = world.registry.content(model, target, progress=lambda _done, _total: None)
        with world.store.read() as tx:
            approved = approved_content(tx, model, target)
        if approved is None:
            seen(f"{len(content.files)} files can be read; v{target} was never approved here")
        elif approved.digest != content.digest:
            raise Refused(
                "content_differs", f"The files of v{target} are not those that were approved."
            )
        else:
            seen(f"{len(content.files)} files of v{target}")


def _try_on_call(world: World, policy: ModelPolicy, findings: _Findings) -> None:
    roster = world.rules.current().roster
    with findings.trying("who is on call can be reached") as seen:
        accounts: list[tuple[str, str]] = []
        for name in policy.on_call:
            person = roster.people.get(name)
            if person is None or not person.slack:
                raise Refused("on_call_unmapped", f"{name} has no Slack account in people.yaml.")
            accounts.append((person.name, min(person.slack)))
        for who, account in accounts:
            barred = world.accounts.standing(account).why_barred()
            if barred is not None:
                raise Refused("on_call_barred", f"{who}: {barred}.")
            seen(who)


def _keep(world: World, model: ModelName, findings: _Findings, actor: Actor) -> Drill:
    failed = [f"{what}: {seen}" for what, held, seen in findings.found if not held]
    with world.store.transaction() as tx:
        before = tx.drills().get(model)
        found = Drill(
            model=model,
            drilled_at=tx.now,
            passed=not failed,
            findings=tuple(findings.found),
            unchecked=tuple(findings.unchecked),
        )
        if failed or not found.unchecked:
            # One that was not whole stands for no drill of the policy's rhythm, and takes back
            # nothing that a whole one found.
            tx.save_drill(found)
        tx.record(
            Event(
                kind=EventKind.ROLLBACK_DRILLED,
                at=tx.now,
                actor=actor,
                model=model,
                why="; ".join(failed) or _holding(found),
                facts={
                    "passed": found.passed,
                    "findings": [list(finding) for finding in findings.found],
                    "unchecked": [list(part) for part in findings.unchecked],
                },
            )
        )
        what = None
        if failed:
            what = "drill_failed"
        elif before is not None and not before.passed and not found.unchecked:
            what = "drill_holds_again"
        if what is not None:
            tx.notify(
                Notice(
                    kind=NoticeKind.CHANNEL,
                    what=what,
                    model=model,
                    facts={"why": "; ".join(failed)},
                )
            )
    return found


def _holding(found: Drill) -> str:
    unchecked = ", ".join(what for what, _why in found.unchecked)
    return (
        f"Every part that was checked holds; not checked: {unchecked}."
        if unchecked
        else ("Every part holds.")
    )

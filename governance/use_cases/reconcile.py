"""Recovery as the normal path: finish what stopped, look again at what is open, compare MLflow
with the record. Level-triggered: every call looks at the actual state and goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from governance.domain.approval import RequestId
from governance.domain.checks import Outcome
from governance.domain.comparison import evidence_changes, summed_up
from governance.domain.errors import (
    Conflict,
    FoureyesError,
    IntegrityViolation,
    Refused,
    Unavailable,
)
from governance.domain.evidence import ModelName, Stage, evidence_digest
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind, kind_of
from governance.domain.policy import policy_for
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request, State, is_expired
from governance.ports import IntentKind, Notice, NoticeKind, Transaction
from governance.use_cases import restore
from governance.use_cases.attention import ask_those_who_could_fill
from governance.use_cases.audit import quick_check
from governance.use_cases.execute import (
    accounts_of_voters,
    check_again,
    drop_invalid_votes,
    execute,
    expire_if_due,
    note_problem,
)
from governance.use_cases.news import announce_new_versions
from governance.use_cases.observe import keep_first_sights, observe
from governance.use_cases.settle import move, redraw, settle, void_votes
from governance.use_cases.transition import failed
from governance.use_cases.world import World

_ACTOR = Actor.automatic("reconciler")


@dataclass
class Tick:
    """What one pass did, and what stood in its way; for health, metrics and logs."""

    finished: list[str] = field(default_factory=list)
    problems: list[FoureyesError] = field(default_factory=list)

    @contextmanager
    def carrying_on(self) -> Iterator[None]:
        """One model's trouble never holds up another's."""
        try:
            yield
        except FoureyesError as problem:
            self.problems.append(problem)
        except Exception as defect:  # whatever MLflow answered, the others go on
            self.problems.append(_defect(defect))


def _defect(error: Exception) -> FoureyesError:
    return Unavailable("defect", f"A defect of Foureyes: {type(error).__name__}: {error}")


def push_on(world: World) -> Tick:
    """Every few seconds: finish rollbacks, carry out what is approved, held or executing, end
    what has expired."""
    tick = Tick()
    with tick.carrying_on():
        for requests in begin_push(world, tick).values():
            for request_id in requests:
                with tick.carrying_on():
                    attempt(world, request_id, tick)
    return tick


def begin_push(world: World, tick: Tick) -> Mapping[ModelName, Sequence[RequestId]]:
    """Finish rollbacks and end what has expired; returns what is to be attempted, by model, oldest
    first."""
    _finish_rollbacks(world, tick)
    with world.store.read() as tx:
        open_requests = tx.open_requests()
        now = tx.now
    found: dict[ModelName, list[RequestId]] = {}
    for request in open_requests:
        if request.state is State.PENDING:
            if now >= request.expires_at:
                with tick.carrying_on(), world.store.transaction() as tx:
                    expire_if_due(tx, tx.request(request.id))
        elif _worth_trying(request, now=now):
            found.setdefault(request.model, []).append(request.id)
    return found


def attempt(world: World, request_id: RequestId, tick: Tick) -> Request | None:
    """Try to carry out one request; what stops it is noted on the request."""
    try:
        request = execute(world, request_id)
    except Conflict:
        return None
    except IntegrityViolation as problem:
        tick.problems.append(problem)
        announce_broken_record(world, problem)
        note_problem(world, request_id, problem)
        return None
    except (Unavailable, Refused) as problem:
        tick.problems.append(problem)
        if isinstance(problem, Refused):
            void(world, request_id, problem)
        else:
            note_problem(world, request_id, problem)
        return None
    tick.finished.append(f"{request.id} {request.state.value}")
    return request


def void(world: World, request_id: RequestId, problem: Refused) -> None:
    """A version that can no longer be read (deleted, without its run) cannot be what was
    approved."""
    with world.store.read() as tx:
        request = tx.request(request_id)
    if request.state is State.EXECUTING:
        with world.model_locked(request.model):
            failed(world, request, problem.sentence)
        return
    with world.store.transaction() as tx:
        request = tx.request(request_id)
        if request.is_open and request.state is not State.EXECUTING:
            move(tx, request, Happening.BINDING_BROKEN, _ACTOR, problem.sentence)


def look_around(world: World) -> Tick:
    """Every minute: adopt and notice changes made elsewhere for each governed model, and look
    again at what open requests were approved on."""
    tick = Tick()
    rules = world.rules.current()
    models: tuple[ModelName, ...] = ()
    with tick.carrying_on():
        models = tuple(m for m in world.registry.models() if policy_for(rules.policies, m))
    with world.store.read() as tx:
        open_requests = tx.open_requests()
    known = {r.model for r in open_requests} | set(models) | _exact_names(world)
    for model in sorted(known):
        with tick.carrying_on():
            if observe(world, model):
                tick.finished.append(f"{model} observed")
            keep_first_sights(world, model)
        with tick.carrying_on():
            announced = announce_new_versions(world, model)
            tick.finished += [f"{model} v{version} announced" for version in announced]
    for request in open_requests:
        if request.state in (State.PENDING, State.HELD):
            with tick.carrying_on():
                look_again(world, request.id)
    return tick


def look_again(world: World, request_id: RequestId) -> Request:
    """Compare an open request with what is there now: a changed evidence voids its votes, a
    changed policy or production version voids the request. Content is compared at execution.

    Raises:
        Unavailable: MLflow or Slack did not answer.
    """
    rules = world.rules.current()
    with world.store.read() as tx:
        request = tx.request(request_id)
        voters = accounts_of_voters(tx.decisions(request_id))
    try:
        snapshot = world.registry.snapshot(request.model, request.version)
    except Refused as problem:
        void(world, request_id, problem)
        with world.store.read() as tx:
            return tx.request(request_id)
    production = world.registry.production(request.model)
    barred = [
        (person, reason)
        for person, account in voters
        if (reason := world.accounts.standing(account).why_barred()) is not None
    ]
    with world.store.transaction() as tx:
        request = expire_if_due(tx, tx.request(request_id))
        if request.state not in (State.PENDING, State.APPROVED, State.HELD):
            return request
        policy = policy_for(rules.policies, request.model)
        if policy is None or policy.digest != request.binding.policy:
            why = "The policy changed after this request was opened. Ask again under the new one."
            return move(tx, request, Happening.BINDING_BROKEN, _ACTOR, why)
        moved = production.current != request.binding.expected_production
        # Two at once are a fault to heal: while they last, nothing is carried out.
        if request.target is Stage.PRODUCTION and len(production.staged) <= 1 and moved:
            why = "Production changed since this request was opened. Ask again against it."
            return move(tx, request, Happening.BINDING_BROKEN, _ACTOR, why)
        request = drop_invalid_votes(tx, request, rules, policy, snapshot, tuple(barred))
        named = policy.named(request.target)
        evidence = evidence_digest(snapshot, named)
        checks = check_again(tx, request, rules, policy, snapshot)
        if evidence != request.binding.evidence:
            differs = summed_up(evidence_changes(request.snapshot, snapshot, named))
            voters_told = void_votes(
                tx, request, f"what this version claims changed after you voted: {differs}", _ACTOR
            )
            ended = _ended(len(voters_told), len(tx.decisions(request.id)))
            changed = replace(
                request,
                binding=replace(request.binding, evidence=evidence),
                snapshot=snapshot,
                checks=checks,
            )
            tx.save_snapshot(snapshot, request.content)
            request = move(
                tx,
                changed,
                Happening.EVIDENCE_CHANGED,
                _ACTOR,
                f"What it claims changed: {differs}. {ended} Look again.",
            )
            ask_those_who_could_fill(tx, rules, policy, request)
            return request
        if checks != request.checks:
            request = tx.save_request(replace(request, checks=checks))
            redraw(tx, request)
        return settle(tx, rules, policy, request, _ACTOR)


def _ended(votes: int, still_asked: int) -> str:
    if still_asked:
        asked = "What was asked for is still to be answered."
        return f"{_ended(votes, 0)} {asked}" if votes else asked
    if votes == 0:
        return "No vote was cast yet."
    return "1 vote is void." if votes == 1 else f"{votes} votes are void."


def check_record(world: World) -> bool:
    """Hold the newest kept head against the log; announce once when it does not match."""
    try:
        with world.store.read() as tx:
            quick_check(tx, world.heads)
    except IntegrityViolation as problem:
        announce_broken_record(world, problem)
        return False
    return True


def announce_broken_record(world: World, problem: IntegrityViolation) -> None:
    """Record and tell every governed channel, once until an operator resumes: the announcement
    itself makes the log longer, so the next look finds the same trouble in other numbers."""
    with world.store.transaction() as tx:
        if _is_announced(tx):
            return
        tx.record(
            Event(kind=EventKind.INTEGRITY_BROKEN, at=tx.now, actor=_ACTOR, why=problem.sentence)
        )
        for pattern, policy in sorted(world.rules.current().policies.policies.items()):
            tx.notify(
                Notice(
                    kind=NoticeKind.CHANNEL,
                    what="record_broken",
                    model=policy.model,
                    facts={"pattern": pattern, "why": problem.sentence},
                )
            )


def _is_announced(tx: Transaction) -> bool:
    """Read from the bytes, because a record that was tampered with may be no event any more."""
    newest: str | None = None
    for record in tx.records():
        kind = kind_of(record)
        if kind in (EventKind.INTEGRITY_BROKEN.value, EventKind.GAP_RECORDED.value):
            newest = kind
    return newest == EventKind.INTEGRITY_BROKEN.value


def _finish_rollbacks(world: World, tick: Tick) -> None:
    with world.store.read() as tx:
        intents = [i for i in tx.open_intents() if i.kind is IntentKind.ROLLBACK]
    for intent in intents:
        with tick.carrying_on(), world.model_locked(intent.model):
            with world.store.read() as tx:
                still_open = any(i.id == intent.id for i in tx.open_intents(intent.model))
            if still_open:
                restore.finish(world, intent)
                tick.finished.append(f"{intent.model} rolled back")


def _worth_trying(request: Request, *, now: datetime) -> bool:
    """Whether an attempt can get through: a held one that waits for more than the clock is
    looked at again every minute, and reading all its files in between would tell nothing."""
    if request.state is not State.HELD or is_expired(request.expires_at, now):
        return True
    waiting = [c for c in request.checks if c.outcome is Outcome.WAITING]
    return all(c.passes_at is not None and now >= c.passes_at for c in waiting)


def _exact_names(world: World) -> set[ModelName]:
    """Governed models that are named exactly: seen from the first look on, even while empty."""
    patterns = world.rules.current().policies.policies
    return {ModelName(p) for p in patterns if not any(c in p for c in "*?[")}

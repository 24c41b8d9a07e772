"""Carry out an approved request: everything is looked at again, the intent is recorded, the
registry is moved and read back, the outcome is recorded. Killed anywhere, it is finished by
being called again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from governance.domain.approval import Decision, RequestId, Verdict
from governance.domain.checks import CheckResult, Outcome, Situation, evaluate
from governance.domain.comparison import evidence_changes, summed_up
from governance.domain.errors import Conflict, FoureyesError, Unavailable
from governance.domain.evidence import (
    Content,
    Snapshot,
    Stage,
    evidence_digest,
)
from governance.domain.identity import PersonId
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request, State, is_expired
from governance.ports import (
    ProductionState,
    Rules,
    Transaction,
)
from governance.use_cases.attention import ask_those_who_could_fill
from governance.use_cases.audit import quick_check
from governance.use_cases.candidate import entered_staging, why_staging_was_skipped
from governance.use_cases.grouped import Members, members_of, narrowed, roles_asked
from governance.use_cases.makers import keep_makers, named_authors
from governance.use_cases.settle import (
    end_vote,
    lent_among,
    move,
    quorum_of,
    redraw,
    settle,
    what_failed,
)
from governance.use_cases.transition import (
    EXECUTOR,
    carry_out,
    failed,
    finish_if_done,
    intend_transition,
    succeeded,
)
from governance.use_cases.world import World

_CARRIED_OUT_FROM = (State.APPROVED, State.HELD, State.EXECUTING)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was read again just before acting."""

    snapshot: Snapshot
    content: Content
    production: ProductionState
    barred_voters: tuple[tuple[PersonId, str], ...]
    """Voters whose account no longer stands, and why."""
    members: Members
    """Who is in the user groups of the roles that were asked for."""


def execute(world: World, request_id: RequestId) -> Request:
    """Try to carry out a request that is approved, held or executing.

    Returns the request as it stands afterwards: completed, still held, back to pending, voided,
    failed or expired.

    Raises:
        Conflict: another transition of the model runs. Unavailable: MLflow, Slack or the store
        did not answer; nothing is lost and the next attempt goes on from here.
        IntegrityViolation: the log contradicts its kept heads; promotions stop.
    """
    with world.store.read() as tx:
        quick_check(tx, world.heads)
    with world.store.transaction() as tx:
        request = expire_if_due(tx, tx.request(request_id))
    if request.state not in _CARRIED_OUT_FROM:
        return request
    if request.state is State.EXECUTING:
        with world.model_locked(request.model):
            done = finish_if_done(world, request) or _finish_half_done(world, request)
        if done is not None:
            return done
    # Reading every byte takes as long as the model is large, so it comes before the lock:
    # a rollback never waits for a digest.
    evidence = read_again(world, request)
    with world.model_locked(request.model):
        evidence = replace(
            evidence,
            snapshot=world.registry.snapshot(request.model, request.version),
            production=world.registry.production(request.model),
        )
        rules = as_they_count(world.rules.current(), request, evidence)
        policy = policy_for(rules.policies, request.model)
        with world.store.transaction() as tx:
            request = tx.request(request_id)
            if request.state in (State.APPROVED, State.HELD):
                request = _recheck(tx, request, rules, policy, evidence)
                resuming = False
            else:
                resuming = True
        if request.state is not State.EXECUTING:
            return request
        if resuming:
            return _resume(world, request, policy, evidence)
        return carry_out(world, request)


def expire_if_due(tx: Transaction, request: Request) -> Request:
    """End a request whose time is over, unless it is executing: then MLflow's answer decides."""
    if request.state is State.EXECUTING or not request.is_open:
        return request
    if not is_expired(request.expires_at, tx.now):
        return request
    if request.state is State.APPROVED:
        # An approved request waits for nothing but MLflow, Slack or the store.
        why = f"Approved, but it could not be carried out in time. {request.note}"
        return move(tx, request, Happening.GAVE_UP, EXECUTOR, why.strip())
    return move(tx, request, Happening.EXPIRED, EXECUTOR, "Not decided and executed in time.")


def read_again(world: World, request: Request) -> Evidence:
    """Everything that a request was approved on, read now; every byte of its files."""
    snapshot = world.registry.snapshot(request.model, request.version)
    content = world.registry.content(request.model, request.version, progress=_silent)
    production = world.registry.production(request.model)
    voters: list[tuple[PersonId, str]] = []
    if request.state is not State.EXECUTING:  # past that, votes are not asked again
        with world.store.read() as tx:
            voters = accounts_of_voters(tx.decisions(request.id))
    barred: list[tuple[PersonId, str]] = []
    for person, account in voters:
        reason = world.accounts.standing(account).why_barred()
        if reason is not None:
            barred.append((person, reason))
    rules = world.rules.current()
    asked = roles_asked(policy_for(rules.policies, request.model), request.target)
    members = {} if request.state is State.EXECUTING else members_of(world, rules.roster, asked)
    return Evidence(
        snapshot=snapshot,
        content=content,
        production=production,
        barred_voters=tuple(barred),
        members=members,
    )


def accounts_of_voters(decisions: Iterable[Decision]) -> list[tuple[PersonId, str]]:
    """Every account that a vote rests on: the voter's, and those of whom they stood in for."""
    return [
        (d.person, account)
        for d in decisions
        for account in (d.account, *(s.account for s in d.standing_in if s.roles))
    ]


def as_they_count(rules: Rules, request: Request, evidence: Evidence) -> Rules:
    """The rules with the roles that a request asks for held by those alone whom Slack shows in
    their user groups; where a group was not asked about, by nobody."""
    asked = roles_asked(policy_for(rules.policies, request.model), request.target)
    return narrowed(rules, evidence.members, asked)


def _silent(_done: int, _total: int) -> None:
    """Nobody watches the digest that is computed at execution."""


def _recheck(
    tx: Transaction,
    request: Request,
    rules: Rules,
    policy: ModelPolicy | None,
    evidence: Evidence,
) -> Request:
    """Everything again, in one transaction that ends with the intent or with the reason why not.

    Raises:
        Conflict: `model_busy`, another intent of the model has no outcome yet.
    """
    if any(i.request_id != request.id for i in tx.open_intents(request.model)):
        raise Conflict(
            "model_busy", f"Another transition of {request.model} is being finished first."
        )
    difference = what_differs(request, policy, evidence)
    if difference is None and policy is not None:
        difference = why_staging_was_skipped(policy, evidence.snapshot, tx.tenures(request.model))
    if difference is not None or policy is None:
        why = difference or "There is no policy for this model any more."
        return move(tx, request, Happening.BINDING_BROKEN, EXECUTOR, why)
    request = drop_invalid_votes(
        tx, request, rules, policy, evidence.snapshot, evidence.barred_voters
    )
    if not quorum_of(tx, rules, policy, request).met:
        request = settle(tx, rules, policy, request, EXECUTOR)
        ask_those_who_could_fill(tx, rules, policy, request)
        return request
    checks = check_again(tx, request, rules, policy, evidence.snapshot)
    if any(c.outcome is Outcome.FAILED for c in checks):
        return move(tx, request, Happening.BINDING_BROKEN, EXECUTOR, what_failed(checks))
    if checks != request.checks:
        request = tx.save_request(replace(request, checks=checks))
        redraw(tx, request)
    if any(c.outcome is Outcome.WAITING for c in checks):
        return settle(tx, rules, policy, request, EXECUTOR)
    seats = quorum_of(tx, rules, policy, request).seats
    intend_transition(tx, request, evidence.production, seats, EXECUTOR)
    return move(tx, request, Happening.EXECUTION_BEGAN, EXECUTOR, "Every check has passed.")


def what_differs(request: Request, policy: ModelPolicy | None, now: Evidence) -> str | None:
    """The first difference between what was approved and what is there, or None."""
    if policy is None or policy.digest != request.binding.policy:
        return "The policy changed after this request was opened."
    if now.content.digest != request.binding.content:
        return f"The content of v{request.version} changed: {_changed_files(request, now.content)}."
    named = policy.named(request.target)
    if evidence_digest(now.snapshot, named) != request.binding.evidence:
        changed = summed_up(evidence_changes(request.snapshot, now.snapshot, named))
        return f"What was approved changed: {changed}."
    sources = policy.stages[request.target].from_stages
    if request.glass is not None:
        sources |= {request.snapshot.stage}  # where it came from was passed over with the rest
    if now.snapshot.stage not in sources:
        return f"v{request.version} is in stage {now.snapshot.stage.value} by now."
    if request.target is not Stage.PRODUCTION:
        return None
    if len(now.production.staged) > 1:
        return "More than one version is in Production in MLflow."
    was, current = request.binding.expected_production, now.production.current
    if current != was:
        return (
            f"Production is {'empty' if current is None else f'v{current}'}, and approvers "
            f"compared against {'nothing' if was is None else f'v{was}'}."
        )
    return None


def _changed_files(request: Request, content: Content) -> str:
    old = {f.path: f.sha256 for f in request.content.files}
    new = {f.path: f.sha256 for f in content.files}
    paths = sorted(p for p in old.keys() | new.keys() if old.get(p) != new.get(p))
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "") or (
        "run, model id or source"
    )


def drop_invalid_votes(
    tx: Transaction,
    request: Request,
    rules: Rules,
    policy: ModelPolicy,
    snapshot: Snapshot,
    barred_voters: tuple[tuple[PersonId, str], ...],
) -> Request:
    """Void the votes of those who left, lost their role, whose account no longer stands, or whom
    MLflow names as an author by now, and of those who stood in for such an author. The request
    that is returned knows its new makers."""
    reasons = dict(barred_voters)
    authors = named_authors((snapshot,), policy, rules.roster).persons
    grown = keep_makers(tx, request, authors, EXECUTOR)
    is_changed, request = grown is not request, grown
    authors |= request.makers - {request.requester}
    lent = lent_among(tx.decisions(request.id), rules, request)
    for decision in tx.decisions(request.id):
        person = rules.roster.people.get(decision.person)
        # A name in MLflow takes an approval away, and answers nothing that was asked.
        conflicted = authors if decision.verdict is not Verdict.ASK_FOR_CHANGES else frozenset()
        if decision.person in conflicted:
            reasons.setdefault(decision.person, "MLflow names them as an author by now")
        for stood in decision.standing_in:
            if stood.absent in conflicted:
                name = rules.roster.name_of(stood.absent)
                reason = f"MLflow names {name}, for whom they stood in, as an author by now"
                reasons.setdefault(decision.person, reason)
        if person is None:
            reasons.setdefault(decision.person, "no longer in people.yaml")
        elif decision.account not in {str(a) for a in person.slack}:
            reasons.setdefault(decision.person, "this account is no longer theirs")
        elif decision.verdict is Verdict.APPROVE and not (
            decision.roles & request.countable_roles(person.id, person.roles)
            or any(lent.get(person.id, {}).values())
        ):
            lost = "the role was taken away"
            if any(s.roles for s in decision.standing_in):
                lost = "what they decided it with is no longer lent to them"
            outside = person.why_outside(decision.roles)
            reasons.setdefault(decision.person, outside.strip(" .") or lost)
    for person_id, reason in sorted(reasons.items()):
        end_vote(tx, request, person_id, reason, EXECUTOR)
    if reasons or is_changed:
        redraw(tx, request)
    return request


def check_again(
    tx: Transaction, request: Request, rules: Rules, policy: ModelPolicy, snapshot: Snapshot
) -> tuple[CheckResult, ...]:
    """The checks of a request as they stand now."""
    return evaluate(
        policy.stages[request.target],
        Situation(
            candidate=snapshot,
            champion=request.champion,
            entered_staging_at=entered_staging(tx.tenures(request.model), request.version),
            roster=rules.roster,
            makers=request.makers,
        ),
        now=tx.now,
    )


def _resume(
    world: World, request: Request, policy: ModelPolicy | None, evidence: Evidence
) -> Request:
    """Go on after a crash between intent and outcome: what MLflow actually shows decides."""
    production = evidence.production
    if request.target is Stage.PRODUCTION:
        done = world.registry.is_in_production(production, request.version)
    else:
        done = evidence.snapshot.stage is request.target
    if done:
        return succeeded(world, request, production)
    if not _half_done(request, production):
        difference = what_differs(request, policy, evidence)
        if difference is not None:
            return failed(world, request, difference)
        with world.store.read() as tx:
            expired = is_expired(request.expires_at, tx.now)
        if expired:
            return failed(world, request, "MLflow did not answer before the request expired.")
    return carry_out(world, request)


def _half_done(request: Request, production: ProductionState) -> bool:
    """Our own transition, cut between stage and alias or before the archiving."""
    return (
        request.target is Stage.PRODUCTION
        and request.version in production.staged
        and set(production.staged) <= {request.version, request.binding.expected_production}
    )


def _finish_half_done(world: World, request: Request) -> Request | None:
    """Go on with our own transition where it was cut: what it moves was looked at before, and it
    is in Production by its stage already, whatever its files say by now. The model is locked."""
    if not _half_done(request, world.registry.production(request.model)):
        return None
    return carry_out(world, request)


def note_problem(world: World, request_id: RequestId, problem: FoureyesError) -> None:
    """Show on the request why its last attempt did not get through; it is tried again."""
    note = problem.sentence
    if isinstance(problem, Unavailable):
        note += " It is tried again until this request expires."
    with world.store.transaction() as tx:
        request = tx.request(request_id)
        if request.is_open and request.note != note:
            redraw(tx, tx.save_request(replace(request, note=note)))

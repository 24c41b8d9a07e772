"""A promotion to Production past policy: frozen and digested as every request, carried out at once
by the same steps as an approved one, and reviewed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from governance.domain.approval import Quorum, RequestId, tally
from governance.domain.break_glass import (
    BrokenGlass,
    Bypass,
    Skipped,
    SkippedRule,
    barred_from_review,
    skipped_of_promotion,
)
from governance.domain.checks import CheckResult, evaluate
from governance.domain.errors import Conflict, Refused, Unavailable
from governance.domain.evidence import ModelName, Snapshot, Stage, Version, evidence_digest
from governance.domain.identity import Actor, PersonId, Standing
from governance.domain.ledger import EventKind
from governance.domain.policy import StageRule
from governance.domain.promotion import Event as Happening
from governance.domain.promotion import Request
from governance.ports import ProductionState, Rules, Transaction
from governance.use_cases.audit import quick_check
from governance.use_cases.break_glass import (
    Entitled,
    Plan,
    Plea,
    entitled,
    new_glass,
    plan_of,
    require_plea,
)
from governance.use_cases.candidate import (
    already_there,
    champion_of,
    entered_staging,
    snapshot_of,
    why_staging_was_skipped,
)
from governance.use_cases.draft import (
    Draft,
    Wish,
    draft_of,
    record_opened,
    refuse_wrong_direction,
    situation_of,
)
from governance.use_cases.execute import (
    as_they_count,
    check_again,
    drop_invalid_votes,
    note_problem,
    read_again,
    what_differs,
)
from governance.use_cases.grouped import members_of, narrowed, roles_asked
from governance.use_cases.makers import authors_of
from governance.use_cases.observe import observe
from governance.use_cases.reviews import record_broken
from governance.use_cases.settle import barred_for, move, quorum_of, refuse_over
from governance.use_cases.sides import with_profile
from governance.use_cases.transition import EXECUTOR, carry_out, intend_transition
from governance.use_cases.world import World


@dataclass(frozen=True, kw_only=True)
class Order:
    """A promotion past policy as it was shown and confirmed."""

    model: ModelName
    version: Version
    from_version: Version | None
    """What was in Production then: nothing else is replaced."""
    request_id: RequestId | None
    """The open request for which it was shown: that one is carried out, or nothing is."""
    downgrade: bool


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What is skipped, who may not review it, and the checks as they stand."""

    checks: tuple[CheckResult, ...]
    quorum: Quorum
    skipped: Skipped
    barred: Mapping[PersonId, str]


def plan_promotion(
    world: World,
    model: ModelName,
    version: Version,
    *,
    downgrade: bool,
    actor: Actor,
    standing: Standing,
) -> Plan:
    """What breaking glass for a version would skip, and what follows. Changes nothing.

    Raises:
        Refused: not this person, or something that break-glass does not pass; recorded.
    """
    with world.refusals_recorded(
        EventKind.BREAK_GLASS_REFUSED, actor, model=model, version=version
    ):
        about = entitled(world, model, actor, standing)
        with world.registry.together():
            observe(world, model)
            found = _open_request(world, about, model, version)
            rules = _as_they_count(world, about)
            if found is not None:
                with world.store.read() as tx:
                    case, now = _of_request(tx, about, rules, found, found.snapshot), tx.now
                champion = found.champion
            else:
                wish = Wish(
                    model=model,
                    version=version,
                    target=Stage.PRODUCTION,
                    reason="",
                    downgrade=downgrade,
                )
                rule, draft = _considered(world, about, wish)
                with world.store.read() as tx:
                    case, now = _of_draft(tx, about, rules, rule, draft), tx.now
                champion = draft.champion
        return plan_of(
            about,
            Bypass.PROMOTION,
            from_version=champion.version if champion else None,
            version=version,
            request_id=found.id if found else None,
            skipped=case.skipped,
            barred=case.barred,
            now=now,
        )


def break_glass_to_promote(
    world: World,
    order: Order,
    plea: Plea,
    *,
    actor: Actor,
    standing: Standing,
    progress: Callable[[int, int], None],
) -> Request:
    """Put a version into Production now, past policy. A request that is open for it is carried out
    as it is; otherwise one is opened, with everything that it freezes.

    Returns the request: completed, failed, voided because it no longer is what it was, or still
    executing while MLflow does not answer (then the reconciler goes on).

    Raises:
        Refused: not this person, the request that was shown is over, or something that break-glass
        does not pass; recorded.
        Conflict: Production is another than was shown, more would be skipped, or another
        transition runs.
        IntegrityViolation: the record contradicts its kept heads: promotions stop, this one too.
    """
    model, version = order.model, order.version
    with world.refusals_recorded(
        EventKind.BREAK_GLASS_REFUSED, actor, model=model, version=version
    ):
        about = entitled(world, model, actor, standing)
        require_plea(plea)
        with world.store.read() as tx:
            quick_check(tx, world.heads)
        observe(world, model)
        found = _ordered_request(world, about, order)
        if found is not None:
            return _of_open_request(world, about, found, order, plea, actor)
        wish = Wish(
            model=model,
            version=version,
            target=Stage.PRODUCTION,
            reason=plea.reason,
            ticket=plea.incident,
            downgrade=order.downgrade,
        )
        rule, draft = _considered(world, about, wish)
        rules = _as_they_count(world, about)
        # Read now and never from what was known: nobody else looks before it is carried out.
        content = world.registry.content(model, version, progress=progress)
        with world.model_locked(model):
            production = _unchanged_production(world, about, draft, order)
            with world.store.transaction() as tx:
                _refuse_busy(tx, model)
                case = _of_draft(tx, about, rules, rule, draft)
                glass = new_glass(
                    tx,
                    about,
                    Bypass.PROMOTION,
                    plea,
                    actor=actor,
                    skipped=case.skipped,
                    barred=case.barred,
                )
                request = record_opened(tx, about.rules, about.policy, rule, draft, content, actor)
                request = _begin(tx, request, glass, case, production, actor)
            return _carry_out(world, request)


def _of_open_request(
    world: World, about: Entitled, request: Request, order: Order, plea: Plea, actor: Actor
) -> Request:
    evidence = read_again(world, request)
    with world.model_locked(request.model):
        evidence = replace(
            evidence,
            snapshot=world.registry.snapshot(request.model, request.version),
            production=world.registry.production(request.model),
        )
        _refuse_moved(order, evidence.production)
        rules = as_they_count(about.rules, request, evidence)
        with world.store.transaction() as tx:
            request = tx.request(request.id)
            refuse_over(tx, request)
            _refuse_busy(tx, request.model)
            difference = what_differs(request, about.policy, evidence)
            if difference is not None:
                return move(tx, request, Happening.BINDING_BROKEN, EXECUTOR, difference)
            request = drop_invalid_votes(
                tx, request, rules, about.policy, evidence.snapshot, evidence.barred_voters
            )
            case = _of_request(tx, about, rules, request, evidence.snapshot)
            glass = new_glass(
                tx,
                about,
                Bypass.PROMOTION,
                plea,
                actor=actor,
                skipped=case.skipped,
                barred=case.barred,
            )
            request = _begin(tx, request, glass, case, evidence.production, actor)
        return _carry_out(world, request)


def _as_they_count(world: World, about: Entitled) -> Rules:
    """The rules with the roles that a promotion asks for held by those alone whom Slack shows in
    their user groups: nothing is asked again before it is carried out."""
    asked = roles_asked(about.policy, Stage.PRODUCTION)
    return narrowed(about.rules, members_of(world, about.rules.roster, asked), asked)


def _begin(
    tx: Transaction,
    request: Request,
    glass: BrokenGlass,
    case: _Case,
    production: ProductionState,
    actor: Actor,
) -> Request:
    """Record the bypass and the intent: from here on it is finished like every other."""
    record_broken(
        tx,
        glass,
        actor,
        model=request.model,
        version=request.version,
        request_id=request.id,
    )
    broken = replace(request, glass=glass, checks=case.checks)
    intend_transition(tx, broken, production, case.quorum.seats, actor)
    why = f"Break-glass (incident {glass.incident}): {glass.reason}"
    return move(tx, broken, Happening.GLASS_BROKEN, actor, why)


def _carry_out(world: World, request: Request) -> Request:
    try:
        return carry_out(world, request)
    except Unavailable as problem:
        note_problem(world, request.id, problem)
        with world.store.read() as tx:
            return tx.request(request.id)


def _open_request(
    world: World, about: Entitled, model: ModelName, version: Version
) -> Request | None:
    """The request for this very version that people are deciding on."""
    with world.store.read() as tx:
        for request in tx.open_requests(model):
            if (request.version, request.target) == (version, Stage.PRODUCTION):
                refuse_over(tx, request)
                if about.policy.digest != request.binding.policy:
                    raise Refused(
                        "policy_changed",
                        "The policy changed after this request was opened, so it ends within a "
                        "minute. Break glass then.",
                    )
                return request
    return None


def _ordered_request(world: World, about: Entitled, order: Order) -> Request | None:
    """The request to carry out; None where one is to be opened, which never takes the place of a
    request that was shown."""
    found = _open_request(world, about, order.model, order.version)
    if order.request_id is None or (found is not None and found.id == order.request_id):
        return found
    with world.store.read() as tx:
        state = tx.request(order.request_id).state
    raise Refused(
        "request_over",
        f"Request {order.request_id}, which you looked at, is {state.value} by now; nothing was "
        "done. Look at it again.",
    )


def _refuse_moved(order: Order, production: ProductionState) -> None:
    """Raises Conflict `changed_meanwhile` when Production is another than was shown."""
    if production.current != order.from_version:
        now, was = (
            "empty" if v is None else f"v{v}" for v in (production.current, order.from_version)
        )
        raise Conflict(
            "changed_meanwhile",
            f"Production is {now} by now, and was {was} when you looked; nothing was done. "
            "Look at it again.",
        )


def _considered(world: World, about: Entitled, wish: Wish) -> tuple[StageRule, Draft]:
    """What is asked for, and that nothing stands against it that break-glass does not pass."""
    rule = about.policy.rule(Stage.PRODUCTION)
    if rule is None:
        raise Refused(
            "stage_not_governed",
            f"The policy of {wish.model} has no rule for Production, so nobody could review it.",
        )
    with world.store.read() as tx:
        _refuse_busy(tx, wish.model)
        tenures = tx.tenures(wish.model)
        first = tx.first_snapshot(wish.model, wish.version)
        quarantined = tx.quarantined(wish.model).get(wish.version, "")
    snapshot = snapshot_of(world, wish.model, wish.version)
    champion = champion_of(world, wish.model)
    if snapshot.stage is Stage.PRODUCTION or (champion and champion.version == wish.version):
        raise already_there(snapshot, Stage.PRODUCTION)
    refuse_wrong_direction(wish, rule, champion)
    seen = (snapshot,) if first is None else (first, snapshot)
    authors = authors_of(seen, about.policy, about.rules.roster)
    staged_at = entered_staging(tenures, wish.version)
    draft = draft_of(
        about.rules,
        wish,
        about.person,
        about.policy,
        rule,
        (
            with_profile(world, snapshot, about.policy),
            None if champion is None else with_profile(world, champion, about.policy),
        ),
        authors,
        staged_at,
    )
    return rule, replace(draft, quarantined=quarantined)


def _unchanged_production(
    world: World, about: Entitled, draft: Draft, order: Order
) -> ProductionState:
    """What is in Production, if neither that nor the version is another than before its files were
    read, nor Production another than was shown. Raises Conflict `changed_meanwhile`."""
    model, version = draft.snapshot.model, draft.snapshot.version
    named = about.policy.named(Stage.PRODUCTION)
    snapshot = world.registry.snapshot(model, version)
    production = world.registry.production(model)
    _refuse_moved(order, production)
    was = draft.champion.version if draft.champion else None
    same = evidence_digest(snapshot, named) == evidence_digest(draft.snapshot, named)
    if not same or snapshot.stage is not draft.snapshot.stage or production.current != was:
        raise Conflict(
            "changed_meanwhile",
            f"v{version} of {model}, or what is in Production, changed while its files were read; "
            "nothing was done. Look at it again.",
        )
    return production


def _of_draft(
    tx: Transaction, about: Entitled, rules: Rules, rule: StageRule, draft: Draft
) -> _Case:
    checks = evaluate(rule, situation_of(draft, rules), now=tx.now)
    quorum = tally(rule.seats, {}, barred_for(about.policy, draft.makers, about.person.id))
    other = (
        *_quarantine(tx, quorum, draft.snapshot),
        *_other_rules(rule, draft.snapshot),
        *_staging(tx, about, draft.snapshot),
    )
    return _Case(
        checks=checks,
        quorum=quorum,
        skipped=skipped_of_promotion(rule.seats, quorum, checks, other),
        barred=barred_from_review(
            about.policy,
            makers=draft.makers,
            requester=about.person.id,
            breaker=about.person.id,
        ),
    )


def _quarantine(tx: Transaction, quorum: Quorum, snapshot: Snapshot) -> tuple[SkippedRule, ...]:
    """Why the version was taken out of Production, where an approval that would lift that is
    among what is skipped."""
    why = tx.quarantined(snapshot.model).get(snapshot.version, "")
    if not why or not quorum.missing:
        return ()
    return (SkippedRule(what=f"v{snapshot.version} is quarantined", found=why),)


def _other_rules(rule: StageRule, snapshot: Snapshot) -> tuple[SkippedRule, ...]:
    if snapshot.stage in rule.from_stages:
        return ()
    sources = " or ".join(sorted(s.value for s in rule.from_stages))
    return (
        SkippedRule(
            what=f"Production takes versions from {sources}",
            found=f"it is in stage {snapshot.stage.value}",
        ),
    )


def _staging(tx: Transaction, about: Entitled, snapshot: Snapshot) -> tuple[SkippedRule, ...]:
    found = why_staging_was_skipped(about.policy, snapshot, tx.tenures(snapshot.model))
    return () if found is None else (SkippedRule(what="the rule for Staging", found=found),)


def _of_request(
    tx: Transaction, about: Entitled, rules: Rules, request: Request, snapshot: Snapshot
) -> _Case:
    rule = about.policy.stages[request.target]
    checks = check_again(tx, request, rules, about.policy, snapshot)
    quorum = quorum_of(tx, rules, about.policy, request)
    names = ", ".join(about.rules.roster.name_of(p) for p in quorum.unanswered)
    unanswered = SkippedRule(what="changes were asked for", found=f"{names} waits for an answer")
    other = (
        *_quarantine(tx, quorum, snapshot),
        *((unanswered,) if quorum.unanswered else ()),
        *_staging(tx, about, snapshot),
    )
    skipped = skipped_of_promotion(rule.seats, quorum, checks, other, escalated=request.escalated)
    # Where every seat is filled, those who sit look once more at what the checks say. Whoever
    # was stood in for has had their voice as well.
    seated = (p for s in quorum.seats for p in (s.person, s.absent) if p is not None)
    sitting = list(seated) if quorum.missing else []
    return _Case(
        checks=checks,
        quorum=quorum,
        skipped=skipped,
        barred=barred_from_review(
            about.policy,
            makers=request.makers,
            requester=request.requester,
            breaker=about.person.id,
            sitting=sitting,
        ),
    )


def _refuse_busy(tx: Transaction, model: ModelName) -> None:
    if tx.open_intents(model):
        raise Conflict(
            "model_busy",
            f"A transition of {model} is just being finished. Try again in a moment.",
        )

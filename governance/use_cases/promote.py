"""Open a promotion request: everything that approvers will be shown is read and frozen here."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from governance.domain.approval import Binding, RequestId, who_is_missing
from governance.domain.checks import CheckResult, Outcome, Situation, evaluate
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import (
    Content,
    ModelName,
    Snapshot,
    Stage,
    Version,
    evidence_digest,
)
from governance.domain.identity import Actor, Person, PersonId, Standing
from governance.domain.ledger import Event, EventKind
from governance.domain.policy import ModelPolicy, StageRule
from governance.domain.promotion import Request, State
from governance.domain.tenure import Tenure, staged_elsewhere
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.attention import ask_those_who_could_fill
from governance.use_cases.audit import quick_check
from governance.use_cases.debt import refuse_while_review_overdue
from governance.use_cases.makers import Authors, authors_of
from governance.use_cases.naming import nearest_named
from governance.use_cases.observe import observe
from governance.use_cases.rounds import end_followed, what_is_followed
from governance.use_cases.settle import barred_for, settle
from governance.use_cases.sides import with_profile
from governance.use_cases.world import (
    World,
    require_person,
    require_policy,
    require_standing,
)

REASON_LIMIT = 3000
_VERSIONS_NAMED = 10
TICKET_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for. `target` None means the next stage that policy allows."""

    model: ModelName
    version: Version
    target: Stage | None
    reason: str
    ticket: str = ""
    downgrade: bool = False
    """Said explicitly: the version is older than the one in production, and that is meant."""
    follows: RequestId | None = None
    """The request whose approvers asked for changes: this newer version is the answer."""
    shown: str = ""
    """What its requester was shown of what they asked, as `round_of` tells it."""


def promote(
    world: World,
    wish: Wish,
    *,
    actor: Actor,
    standing: Standing,
    progress: Callable[[int, int], None],
) -> Request:
    """Check a wish against policy and open the request; asks nobody when it cannot succeed.

    Raises:
        Refused: with the reason, which is recorded. Conflict: the same request is open.
        Unavailable: MLflow or the store does not answer; nothing was opened.
        IntegrityViolation: the record contradicts its kept heads.
    """
    recorded = world.refusals_recorded(
        EventKind.REQUEST_REFUSED, actor, model=wish.model, version=wish.version
    )
    with recorded, nearest_named(world, wish.model):
        rules = world.rules.current()
        require_standing(standing)
        person = require_person(rules, actor)
        _refuse_bad_text(wish)
        policy = require_policy(rules, wish.model)
        with world.registry.together():
            rule, draft = _considered(world, rules, policy, wish, person)
        content = world.registry.content_to_show(wish.model, wish.version, progress=progress)
    with world.store.transaction() as tx:
        return _open(tx, rules, policy, rule, draft, content, actor)


def _considered(
    world: World, rules: Rules, policy: ModelPolicy, wish: Wish, person: Person
) -> tuple[StageRule, Draft]:
    """What can be told without reading files: whether the request can succeed."""
    observe(world, wish.model)
    with world.store.read() as tx:
        quick_check(tx, world.heads)
        refuse_while_review_overdue(tx, rules, person)
        if tx.open_intents(wish.model):
            raise Conflict(
                "model_busy",
                f"A transition of {wish.model} is just being finished. Try again in a moment.",
            )
        tenures = tx.tenures(wish.model)
        first = tx.first_snapshot(wish.model, wish.version)
        quarantined = tx.quarantined(wish.model).get(wish.version, "")
    snapshot = snapshot_of(world, wish.model, wish.version)
    seen = (snapshot,) if first is None else (first, snapshot)
    champion = champion_of(world, wish.model)
    if wish.target is None and champion is not None and champion.version == wish.version:
        raise already_there(snapshot, Stage.PRODUCTION)  # perhaps by the alias alone
    target = wish.target or policy.next_stage(snapshot.stage)
    rule = _rule_for(policy, target, snapshot)
    skipped = why_staging_was_skipped(policy, snapshot, tenures)
    if skipped is not None:
        raise Refused("staged_elsewhere", skipped)
    refuse_wrong_direction(wish, rule, champion)
    if wish.follows is not None:
        successor = (wish.model, wish.version, rule.target)
        with world.store.read() as tx:
            what_is_followed(
                tx,
                rules,
                wish.follows,
                person=person.id,
                shown=wish.shown,
                successor=successor,
            )
    staged_at = entered_staging(tenures, wish.version)
    authors = authors_of(seen, policy, rules.roster)
    shown = (
        with_profile(world, snapshot, policy),
        None if champion is None else with_profile(world, champion, policy),
    )
    draft = draft_of(rules, wish, person, policy, rule, shown, authors, staged_at)
    draft = replace(draft, quarantined=quarantined)
    with world.store.read() as tx:
        now = tx.now
    _refuse_failed(evaluate(rule, situation_of(draft, rules), now=now))
    return rule, draft


def preview(
    world: World, model: ModelName, version: Version, target: Stage | None
) -> tuple[CheckResult, ...]:
    """The checks as they stand, without opening anything. Raises as `promote` does."""
    rules = world.rules.current()
    policy = require_policy(rules, model)
    with world.store.read() as tx:
        tenures = tx.tenures(model)
        first = tx.first_snapshot(model, version)
        now = tx.now
    with world.registry.together():
        snapshot = snapshot_of(world, model, version)
        champion = champion_of(world, model)
    seen = (snapshot,) if first is None else (first, snapshot)
    rule = _rule_for(policy, target or policy.next_stage(snapshot.stage), snapshot)
    situation = Situation(
        candidate=snapshot,
        champion=champion,
        entered_staging_at=entered_staging(tenures, version),
        roster=rules.roster,
        makers=authors_of(seen, policy, rules.roster).persons,
    )
    return evaluate(rule, situation, now=now)


def snapshot_of(world: World, model: ModelName, version: Version) -> Snapshot:
    """What a version looks like now. Raises as the registry does; of a version that is not there it
    says which are."""
    try:
        return world.registry.snapshot(model, version)
    except Refused as refusal:
        if refusal.code != "no_such_version":
            raise
        known = [v.version for v in world.registry.versions(model)]
        newest = ", ".join(f"v{v}" for v in known[-_VERSIONS_NAMED:])
        older = f" and {len(known) - _VERSIONS_NAMED} older" if len(known) > _VERSIONS_NAMED else ""
        raise Refused(
            refusal.code, f"{refusal.sentence} It has {newest or 'none'}{older}."
        ) from refusal


def entered_staging(tenures: tuple[Tenure, ...], version: Version) -> datetime | None:
    """When a version's running stay in Staging began by our record; None when there is none."""
    return next(
        (
            t.started_at
            for t in reversed(tenures)
            if t.version == version and t.stage is Stage.STAGING and t.ended_at is None
        ),
        None,
    )


def why_staging_was_skipped(
    policy: ModelPolicy, snapshot: Snapshot, tenures: tuple[Tenure, ...]
) -> str | None:
    """Why a version may not go on from Staging: somebody put it there past the rule for Staging.
    None when it came there by the rule, was adopted, or the policy has no such rule."""
    if snapshot.stage is not Stage.STAGING or policy.rule(Stage.STAGING) is None:
        return None
    if not staged_elsewhere(tenures, snapshot.version):
        return None
    model, version = snapshot.model, snapshot.version
    return (
        f"v{version} of {model} was put into Staging outside Foureyes, so the policy's rule for "
        f"Staging was never applied. Move it back to None in MLflow, then /promote {model} "
        f"{version} staging."
    )


def _refuse_bad_text(wish: Wish) -> None:
    if not wish.reason.strip():
        raise Refused("reason_missing", "A promotion needs a reason: say why this version.")
    refuse_long_text("reason", wish.reason, REASON_LIMIT)
    refuse_bad_reference("ticket", wish.ticket)


def refuse_long_text(field: str, text: str, limit: int) -> None:
    """Refuse text that is too long or holds control characters; it is never cut.

    Raises:
        Refused: `text_too_long` or `control_characters`.
    """
    if len(text) > limit:
        raise Refused(
            "text_too_long",
            f"The {field} has {len(text)} characters; at most {limit} fit. Link to the rest.",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise Refused("control_characters", f"The {field} holds control characters; type it again.")


def refuse_bad_reference(field: str, text: str) -> None:
    """The same of a reference, which is one line wherever it is shown.

    Raises:
        Refused: `line_break` too.
    """
    refuse_long_text(field, text, TICKET_LIMIT)
    if text.splitlines() not in ([], [text]):
        raise Refused("line_break", f"The {field} holds a line break; write it in one line.")


def already_there(snapshot: Snapshot, stage: Stage) -> Refused:
    """The refusal of a version for the stage that it is in."""
    return Refused(
        "already_there", f"v{snapshot.version} of {snapshot.model} is already in {stage.value}."
    )


def _rule_for(policy: ModelPolicy, target: Stage | None, snapshot: Snapshot) -> StageRule:
    name = f"v{snapshot.version}"
    if target is None:
        raise Refused(
            "nowhere_to_go",
            f"{name} of {snapshot.model} is in stage {snapshot.stage.value}, and its policy leads "
            "nowhere from there.",
        )
    if snapshot.stage is target:
        raise already_there(snapshot, target)
    rule = policy.rule(target)
    if rule is None:
        allowed = ", ".join(s.value for s in policy.stages)
        raise Refused(
            "stage_not_governed",
            f"The policy of {snapshot.model} has no rule for {target.value}; it has: {allowed}.",
        )
    if snapshot.stage not in rule.from_stages:
        sources = " or ".join(sorted(s.value for s in rule.from_stages))
        raise Refused(
            "wrong_stage",
            f"{name} is in stage {snapshot.stage.value}; {target.value} takes versions from "
            f"{sources}.",
        )
    return rule


def champion_of(world: World, model: ModelName) -> Snapshot | None:
    """What is in Production now. Raises Refused `several_in_production`."""
    state = world.registry.production(model)
    if len(state.staged) > 1:
        several = " and ".join(f"v{v}" for v in state.staged)
        raise Refused(
            "several_in_production",
            f"MLflow has {several} of {model} in Production at once. An owner must leave one "
            "there, then ask again.",
        )
    return world.registry.snapshot(model, state.current) if state.current is not None else None


def refuse_wrong_direction(wish: Wish, rule: StageRule, champion: Snapshot | None) -> None:
    """Raises Refused `downgrade` for an older version, unless that was said."""
    if rule.target is not Stage.PRODUCTION or champion is None or wish.downgrade:
        return
    if wish.version < champion.version:
        raise Refused(
            "downgrade",
            f"v{wish.version} is older than v{champion.version}, which is in Production. "
            f"To go back, use /rollback {wish.model} {wish.version}; if you mean a promotion, "
            f"write /promote {wish.model} {wish.version} production downgrade REASON.",
        )


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request that lacks only its content and the moment of opening."""

    request_id: RequestId
    wish: Wish
    person: Person
    snapshot: Snapshot
    champion: Snapshot | None
    makers: frozenset[PersonId]
    unmapped_authors: tuple[str, ...]
    author_unknown: bool
    entered_staging_at: datetime | None
    quarantined: str = ""


def draft_of(
    rules: Rules,
    wish: Wish,
    person: Person,
    policy: ModelPolicy,
    rule: StageRule,
    snapshots: tuple[Snapshot, Snapshot | None],
    authors: Authors,
    entered_staging_at: datetime | None,
) -> Draft:
    """What is asked for, with everything that it freezes but its files.

    Raises:
        Refused: `nobody_can_approve`.
    """
    snapshot, champion = snapshots
    makers = authors.persons | {person.id}
    barred = barred_for(policy, makers, person.id)
    everyone = {p.id: p.roles for p in rules.roster.people.values()}
    missing = who_is_missing(rule.seats, everyone, barred)
    if missing:
        names = ", ".join(sorted({rules.roster.name_of(m) for m in makers}))
        raise Refused(
            "nobody_can_approve",
            f"Nobody is left to approve this as {' and '.join(missing)}: {names} made it or asked "
            "for it and may not approve it. Somebody else must ask, or people.yaml needs another "
            f"{' and another '.join(sorted(set(missing)))}.",
        )
    return Draft(
        request_id=RequestId(uuid4().hex[:12]),
        wish=wish,
        person=person,
        snapshot=snapshot,
        champion=champion,
        makers=makers,
        unmapped_authors=authors.unmapped,
        author_unknown=authors.unknown,
        entered_staging_at=entered_staging_at,
    )


def situation_of(draft: Draft, rules: Rules) -> Situation:
    """What its checks look at."""
    return Situation(
        candidate=draft.snapshot,
        champion=draft.champion,
        entered_staging_at=draft.entered_staging_at,
        roster=rules.roster,
        makers=draft.makers,
    )


def _refuse_failed(checks: tuple[CheckResult, ...]) -> None:
    failed = [c for c in checks if c.outcome is Outcome.FAILED]
    if failed:
        listed = "; ".join(f"{c.check}: {c.finding}" for c in failed)
        raise Refused(
            "checks_failed", f"Policy refuses this version, and nobody was asked. {listed}."
        )


def _open(
    tx: Transaction,
    rules: Rules,
    policy: ModelPolicy,
    rule: StageRule,
    draft: Draft,
    content: Content,
    actor: Actor,
) -> Request:
    request = record_opened(tx, rules, policy, rule, draft, content, actor)
    end_followed(tx, rules, request, actor, draft.wish.shown)
    if rule.seats:
        ask_those_who_could_fill(tx, rules, policy, request)
        return request
    return settle(tx, rules, policy, request, actor)


def record_opened(
    tx: Transaction,
    rules: Rules,
    policy: ModelPolicy,
    rule: StageRule,
    draft: Draft,
    content: Content,
    actor: Actor,
) -> Request:
    """Store and record a request with everything that it froze; nobody is asked yet."""
    checks = evaluate(rule, situation_of(draft, rules), now=tx.now)
    production = draft.champion.version if draft.champion else None
    kept = None if production is None else tx.saved_snapshot(draft.wish.model, production)
    request = Request(
        id=draft.request_id,
        model=draft.wish.model,
        version=draft.wish.version,
        target=rule.target,
        requester=draft.person.id,
        requester_account=actor.account,
        reason=draft.wish.reason,
        ticket=draft.wish.ticket,
        state=State.PENDING,
        opened_at=tx.now,
        expires_at=tx.now + rule.expires_after,
        binding=Binding(
            content=content.digest,
            evidence=evidence_digest(draft.snapshot, policy.named(rule.target)),
            policy=policy.digest,
            expected_production=production if rule.target is Stage.PRODUCTION else None,
        ),
        snapshot=draft.snapshot,
        content=content,
        champion=draft.champion,
        checks=checks,
        makers=draft.makers,
        unmapped_authors=draft.unmapped_authors,
        author_unknown=draft.author_unknown,
        roles_at_opening={p.id: p.roles for p in rules.roster.people.values()},
        accounts_at_opening={
            p.id: frozenset(str(a) for a in p.slack) for p in rules.roster.people.values()
        },
        stand_ins_at_opening={
            p.id: p.stand_ins for p in rules.roster.people.values() if p.stand_ins
        },
        champion_content=kept[1] if kept else None,
        quarantined=draft.quarantined,
        follows=draft.wish.follows,
    )
    tx.add_request(request)
    tx.save_snapshot(draft.snapshot, content)
    tx.record(
        Event(
            kind=EventKind.REQUEST_OPENED,
            at=tx.now,
            actor=actor,
            model=request.model,
            version=request.version,
            request_id=request.id,
            why=request.reason,
            facts={
                "target": request.target.value,
                "ticket": request.ticket,
                **request.binding.facts,
                "makers": sorted(request.makers),
                "people": request.people_at_opening,
                "headline": [[name, text] for name, text in _headline(policy, draft.snapshot)],
                "checks": [[c.check, c.outcome.value, c.finding] for c in checks],
                "downgrade": request.is_downgrade,
                "quarantined": request.quarantined,
                "follows": request.follows,
                "expires_at": request.expires_at.isoformat(),
            },
        )
    )
    tx.notify(
        Notice(
            kind=NoticeKind.REQUEST_CHANGED,
            what="opened",
            model=request.model,
            request_id=request.id,
        )
    )
    return request


def _headline(policy: ModelPolicy, snapshot: Snapshot) -> list[tuple[str, str]]:
    """The metrics that the trail prints, as they were claimed when the request was opened."""
    found = [(name, snapshot.metric(name)) for name in policy.headline]
    return [(name, metric.text) for name, metric in found if metric is not None]

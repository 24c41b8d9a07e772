"""What becomes a request: what somebody wishes, everything that it freezes, and its opening in one
transaction with its record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from governance.domain.approval import Binding, RequestId, who_is_missing
from governance.domain.checks import Situation, evaluate
from governance.domain.errors import Refused
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version, evidence_digest
from governance.domain.identity import Actor, Person, PersonId
from governance.domain.ledger import EventKind
from governance.domain.policy import ModelPolicy, StageRule
from governance.domain.promotion import Request, State
from governance.ports import Notice, NoticeKind, Rules, Transaction
from governance.use_cases.makers import Authors
from governance.use_cases.recording import record_of
from governance.use_cases.settle import barred_for


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
    record_of(
        tx,
        request,
        EventKind.REQUEST_OPENED,
        actor,
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

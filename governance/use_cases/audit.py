"""The record: verify it and the tables beside it, stop when it contradicts its kept heads, resume,
and tell the trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from governance.domain.canonical import Json
from governance.domain.errors import IntegrityViolation, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.history import (
    Asked,
    ModelHistory,
    Reviewed,
    RolledBack,
    replay,
)
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind, Head, Verification
from governance.domain.ledger import verify as verify_records
from governance.domain.review import Answer, ReviewState
from governance.domain.tenure import Ending, Origin, Tenure
from governance.ports import KeptHeads, Store, Transaction
from governance.use_cases.tables import events_of, table_problems


def verify(store: Store, heads: KeptHeads) -> Verification:
    """Recompute the tree over every stored byte, hold each kept head against its prefix, and hold
    the tables that Foureyes works with against what the record says.

    Raises:
        Unavailable: the store or the heads. IntegrityViolation: a line of heads is none.
    """
    # Heads first: records that are appended meanwhile only make the log longer.
    kept = heads.all()
    with store.read() as tx:
        found = verify_records(tx.records(), kept)
        # A table is held against a record only once that record itself is vouched for.
        wrong = table_problems(tx) if found.ok else ()
        known = {told for event in events_of(tx) for told in _tables_told_of(event)}
        return replace(
            found,
            problems=(*found.problems, *(p for p in wrong if p not in known)),
            gaps=(*found.gaps, *(p for p in wrong if p in known)),
        )


def _tables_told_of(event: Mapping[str, Json]) -> Iterator[str]:
    """What an operator looked into and recorded with a gap."""
    facts = event.get("facts")
    if event["kind"] != EventKind.GAP_RECORDED.value or not isinstance(facts, Mapping):
        return
    told = facts.get("tables")
    if isinstance(told, Sequence) and not isinstance(told, str):
        yield from map(str, told)


def quick_check(tx: Transaction, heads: KeptHeads) -> None:
    """Whether the newest kept head is a prefix of the log; asked before each transition, O(1).

    Raises:
        IntegrityViolation: `log_contradicts_heads`.
    """
    newest = heads.newest()
    size = tx.head().size
    if newest is None:
        if size == 0:
            return
        raise _contradiction(f"the log has {size} records, and no head of it is kept")
    found = tx.head_at(newest.head.size)
    if found is None:
        raise _contradiction(
            f"a head of {newest.head.size} records was kept, and the log has {size}"
        )
    if found.root != newest.head.root:
        raise _contradiction(f"the first {newest.head.size} records are not those that were kept")


def resume(store: Store, heads: KeptHeads, *, actor: Actor, reason: str) -> Head:
    """Record the gap between the log and its kept heads, for good, and let promotions go on.

    Raises:
        Refused: without a reason, or when there is no contradiction to record.
    """
    if not reason.strip():
        raise Refused("reason_missing", "Say what happened: --reason is part of the record.")
    result = verify(store, heads)
    if result.ok:
        raise Refused("no_gap", "The log agrees with every kept head; there is nothing to resume.")
    kept = heads.all()
    last = kept[-1].head if kept else None
    with store.transaction() as tx:
        tables = table_problems(tx)
        tx.record(
            Event(
                kind=EventKind.GAP_RECORDED,
                at=tx.now,
                actor=actor,
                why=reason,
                facts={
                    "head_size": last.size if last else None,
                    "head_root": last.root.hex() if last else None,
                    "log_size": result.head.size,
                    "log_root": result.head.root.hex(),
                    "problems": list(result.problems[:20]),
                    "more_problems": max(0, len(result.problems) - 20),
                    "tables": list(tables),
                },
            )
        )
        head = tx.head()
    heads.append(head, resumed=True)
    return head


def _contradiction(facts: str) -> IntegrityViolation:
    return IntegrityViolation(
        "log_contradicts_heads",
        f"The record contradicts what was kept outside the database: {facts}. Promotions stop; "
        "rollback still works. The platform team has to find out why, and then run foureyes "
        "audit resume --reason.",
    )


# --- the trail ------------------------------------------------------------------------------


class Happened(StrEnum):
    """What one line of the trail tells."""

    PRODUCTION = "Production"
    STAGING = "Staging"
    ROLLED_BACK = "Rolled back"
    ADOPTED = "Adopted"
    ELSEWHERE = "Changed elsewhere"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Who approved, and the roles that counted."""

    person: PersonId
    roles: tuple[str, ...]
    absent: PersonId | None = None
    """For whom they stood in."""


@dataclass(frozen=True, kw_only=True)
class GlassLine:
    """A break-glass and its review."""

    person: PersonId
    incident: str
    due_at: datetime
    state: ReviewState
    accepted_by: tuple[PersonId, ...]
    demanded_by: PersonId | None


@dataclass(frozen=True, kw_only=True)
class TrailLine:
    """One thing that happened to a version."""

    version: Version
    stage: Stage
    """The one that it entered or left."""
    happened: Happened
    at: datetime
    metrics: tuple[tuple[str, str], ...] = ()
    requester: PersonId | None = None
    approvals: tuple[Approval, ...] = ()
    by: str = ""
    why: str = ""
    glass: GlassLine | None = None
    """It entered past policy."""


def trail(tx: Transaction, model: ModelName) -> tuple[TrailLine, ...]:
    """Everything that happened to a model's versions, oldest first, by the record alone."""
    history = replay(tx.events(model=model)).get(model, ModelHistory())
    rollbacks = {r.at: r for r in history.rollbacks}
    lines: list[TrailLine] = []
    for tenure in history.tenures:
        began = rollbacks.get(tenure.started_at)
        lines.append(_begun(history, tenure, began))
        if tenure.ending is Ending.ROLLBACK and tenure.ended_at is not None:
            ended = rollbacks.get(tenure.ended_at)
            lines.append(
                TrailLine(
                    version=tenure.version,
                    stage=tenure.stage,
                    happened=Happened.ROLLED_BACK,
                    at=tenure.ended_at,
                    by=ended.by if ended else "",
                    why=ended.why if ended else "",
                )
            )
    order = {Happened.ROLLED_BACK: 0}
    return tuple(sorted(lines, key=lambda x: (x.at, order.get(x.happened, 1))))


def stays_in_production(tx: Transaction, model: ModelName) -> tuple[Tenure, ...]:
    """Who was in Production when, oldest first, by the record alone."""
    history = replay(tx.events(model=model)).get(model, ModelHistory())
    return tuple(t for t in history.tenures if t.stage is Stage.PRODUCTION)


def _begun(history: ModelHistory, tenure: Tenure, rollback: RolledBack | None) -> TrailLine:
    if tenure.origin is Origin.ADOPTED:
        happened = Happened.ADOPTED
    elif tenure.origin is Origin.ELSEWHERE:
        happened = Happened.ELSEWHERE
    elif tenure.stage is Stage.STAGING:
        happened = Happened.STAGING
    else:
        happened = Happened.PRODUCTION
    asked = history.requests.get(tenure.request_id) if tenure.request_id is not None else None
    why = f"in {tenure.stage.value}" if tenure.origin in _FOUND else ""
    if tenure.origin is Origin.ROLLBACK:
        good = rollback is None or rollback.to_last_known_good
        why = "restored as last known good" if good else "restored, as chosen"
    return TrailLine(
        version=tenure.version,
        stage=tenure.stage,
        happened=happened,
        at=tenure.started_at,
        metrics=asked.headline if asked else (),
        requester=asked.requester if asked else None,
        approvals=_approvals(asked),
        why=why,
        glass=_glass(history, tenure, rollback),
    )


def _glass(history: ModelHistory, tenure: Tenure, rollback: RolledBack | None) -> GlassLine | None:
    found: Reviewed | None = None
    if tenure.origin is Origin.PROMOTION and tenure.stage is Stage.PRODUCTION:
        asked = tenure.request_id
        reviews = history.reviews.values()
        found = next((r for r in reviews if asked is not None and r.request == asked), None)
    elif tenure.origin is Origin.ROLLBACK and rollback is not None and rollback.glass is not None:
        found = history.reviews.get(rollback.glass)
    if found is None:
        return None
    accepted = tuple(p for p, a in found.answers.items() if a is Answer.ACCEPT)
    demanded = [p for p, a in found.answers.items() if a is Answer.DEMAND_ROLLBACK]
    return GlassLine(
        person=found.breaker,
        incident=found.incident,
        due_at=found.due_at,
        state=found.state,
        accepted_by=accepted,
        demanded_by=demanded[0] if demanded else None,
    )


_FOUND = (Origin.ADOPTED, Origin.ELSEWHERE)


def _approvals(asked: Asked | None) -> tuple[Approval, ...]:
    if asked is None:
        return ()
    roles: dict[PersonId, list[str]] = {}
    for role, person in asked.seats:
        if person is not None:
            roles.setdefault(person, []).append(role)
    return tuple(
        Approval(person=p, roles=tuple(r), absent=asked.stood_in.get(p))
        for p, r in sorted(roles.items())
    )


def render_trail(lines: Sequence[TrailLine], *, in_columns: bool = True) -> str:
    """The trail as text, one line each; times in UTC. Columns are for where letters are of one
    width."""
    width = number = 0
    if in_columns:
        width = max((len(line.happened.value) for line in lines), default=0)
        number = max((len(str(line.version)) for line in lines), default=0)
    return "\n".join(
        f"Version {line.version:<{number}}  {line.happened.value:<{width}}  "
        f"{line.at:%Y-%m-%d %H:%M}  {_told(line)}".rstrip()
        for line in lines
    )


def _told(line: TrailLine) -> str:
    if line.happened is Happened.ROLLED_BACK:
        return f"{line.why} ({line.by})" if line.by else line.why
    parts: list[str] = []
    if line.requester is not None:
        parts.append(f"requested by {line.requester}")
    if line.approvals:
        names = ", ".join(
            f"{a.person}{f' for {a.absent}' if a.absent else ''} ({', '.join(a.roles)})"
            for a in line.approvals
        )
        parts.append(f"approved by {names}")
    if line.glass is not None:
        parts.append(glass_told(line.glass))
    if line.why:
        parts.append(line.why)
    metrics = ", ".join(f"{_metric_name(name)} {_short(text)}" for name, text in line.metrics)
    return "  ".join(part for part in (metrics, " · ".join(parts)) if part)


def glass_told(glass: GlassLine) -> str:
    """Who broke glass, under which incident, and what became of the review."""
    told = f"break-glass by {glass.person} (incident {glass.incident}), "
    accepted = f"accepted by {', '.join(glass.accepted_by)}" if glass.accepted_by else ""
    match glass.state:
        case ReviewState.ACCEPTED:
            return told + accepted
        case ReviewState.ROLLBACK_DEMANDED:
            return f"{told}rollback demanded by {glass.demanded_by}"
        case ReviewState.OVERDUE:
            told += f"review overdue since {glass.due_at:%Y-%m-%d %H:%M}"
        case ReviewState.DUE:
            told += f"review due {glass.due_at:%Y-%m-%d %H:%M}"
    return f"{told}; {accepted}" if accepted else told


def _metric_name(name: str) -> str:
    return name.upper() if name.lower() == "auc" else name


def _short(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text

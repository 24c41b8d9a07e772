"""The record: verify it, stop when it contradicts its kept heads, resume, and tell the trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.domain.approval import Verdict
from governance.domain.errors import IntegrityViolation, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.ledger import Event, EventKind, Head, Verification
from governance.domain.ledger import verify as verify_records
from governance.domain.promotion import Request
from governance.domain.tenure import Ending, Origin, Tenure
from governance.ports import KeptHeads, Store, Transaction


def verify(store: Store, heads: KeptHeads) -> Verification:
    """Recompute the tree over every stored byte, and hold each kept head against its prefix.

    Raises:
        Unavailable: the store or the heads. IntegrityViolation: a line of heads is none.
    """
    # Heads first: records that are appended meanwhile only make the log longer.
    kept = heads.all()
    with store.read() as tx:
        return verify_records(tx.records(), kept)


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


@dataclass(frozen=True, kw_only=True)
class TrailLine:
    """One thing that happened to a version."""

    version: Version
    happened: Happened
    at: datetime
    metrics: tuple[tuple[str, str], ...] = ()
    requester: PersonId | None = None
    approvals: tuple[Approval, ...] = ()
    by: str = ""
    why: str = ""
    restored: bool = False


def trail(tx: Transaction, model: ModelName, headline: Sequence[str]) -> tuple[TrailLine, ...]:
    """Everything that happened to a model's versions, oldest first."""
    tenures = tx.tenures(model)
    rollbacks = [e for e in tx.events(model=model) if e["kind"] == EventKind.ROLLBACK_DONE.value]
    lines: list[TrailLine] = []
    for tenure in tenures:
        lines.append(_begun(tx, tenure, headline))
        if tenure.ending is Ending.ROLLBACK and tenure.ended_at is not None:
            ended = tenure.ended_at
            event = next(
                (e for e in rollbacks if datetime.fromisoformat(str(e["at"])) == ended), None
            )
            lines.append(
                TrailLine(
                    version=tenure.version,
                    happened=Happened.ROLLED_BACK,
                    at=ended,
                    by=str((event["person"] or event["via"]) if event else ""),
                    why=str(event["why"] if event else ""),
                )
            )
    order = {Happened.ROLLED_BACK: 0}
    return tuple(sorted(lines, key=lambda x: (x.at, order.get(x.happened, 1))))


def _begun(tx: Transaction, tenure: Tenure, headline: Sequence[str]) -> TrailLine:
    if tenure.origin is Origin.ADOPTED:
        happened = Happened.ADOPTED
    elif tenure.origin is Origin.ELSEWHERE:
        happened = Happened.ELSEWHERE
    elif tenure.stage is Stage.STAGING:
        happened = Happened.STAGING
    else:
        happened = Happened.PRODUCTION
    request = tx.request(tenure.request_id) if tenure.request_id is not None else None
    return TrailLine(
        version=tenure.version,
        happened=happened,
        at=tenure.started_at,
        metrics=_metrics(request, headline),
        requester=request.requester if request else None,
        approvals=_approvals(tx, request),
        why=f"in {tenure.stage.value}" if tenure.origin in _FOUND else "",
        restored=tenure.origin is Origin.ROLLBACK,
    )


_FOUND = (Origin.ADOPTED, Origin.ELSEWHERE)


def _metrics(request: Request | None, headline: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found = [(name, request.snapshot.metric(name) if request else None) for name in headline]
    return tuple((name, metric.text) for name, metric in found if metric is not None)


def _approvals(tx: Transaction, request: Request | None) -> tuple[Approval, ...]:
    if request is None:
        return ()
    return tuple(
        Approval(person=d.person, roles=tuple(sorted(d.roles)))
        for d in tx.decisions(request.id)
        if d.verdict is Verdict.APPROVE
    )


def render_trail(lines: Sequence[TrailLine]) -> str:
    """The trail as text, one line each; times in UTC."""
    width = max((len(line.happened.value) for line in lines), default=0)
    number = max((len(str(line.version)) for line in lines), default=0)
    return "\n".join(
        f"Version {line.version:<{number}}  {line.happened.value:<{width}}  "
        f"{line.at:%Y-%m-%d %H:%M}  {_told(line)}".rstrip()
        for line in lines
    )


def _told(line: TrailLine) -> str:
    if line.restored:
        return "restored as last known good"
    if line.happened is Happened.ROLLED_BACK:
        return f"{line.why} ({line.by})" if line.by else line.why
    parts: list[str] = []
    if line.requester is not None:
        parts.append(f"requested by {line.requester}")
    if line.approvals:
        names = ", ".join(f"{a.person} ({', '.join(a.roles)})" for a in line.approvals)
        parts.append(f"approved by {names}")
    if line.why:
        parts.append(line.why)
    metrics = ", ".join(f"{_metric_name(name)} {_short(text)}" for name, text in line.metrics)
    return "  ".join(part for part in (metrics, " · ".join(parts)) if part)


def _metric_name(name: str) -> str:
    return name.upper() if name.lower() == "auc" else name


def _short(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text

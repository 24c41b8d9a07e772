"""What is recorded of a request, always in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Mapping

from governance.domain.canonical import Json
from governance.domain.identity import Actor
from governance.domain.ledger import Event, EventKind
from governance.domain.promotion import Request
from governance.ports import Transaction


def record_of(
    tx: Transaction,
    request: Request,
    kind: EventKind,
    actor: Actor,
    *,
    why: str = "",
    facts: Mapping[str, Json] | None = None,
) -> None:
    """Append one event about a request to the record."""
    tx.record(
        Event(
            kind=kind,
            at=tx.now,
            actor=actor,
            model=request.model,
            version=request.version,
            request_id=request.id,
            why=why,
            facts=facts or {},
        )
    )

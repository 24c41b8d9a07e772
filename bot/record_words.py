"""A record as one line of plain text. Pure; whoever shows it escapes it."""

from __future__ import annotations

from collections.abc import Mapping

from governance.domain.canonical import Json
from governance.domain.ledger import EventKind

_VERDICTS: Mapping[str, str] = {
    EventKind.DECISION_MADE.value: "verdict",
    EventKind.REVIEW_GIVEN.value: "answer",
    EventKind.REQUEST_STATE_CHANGED.value: "to",
    EventKind.REVIEW_STATE_CHANGED.value: "to",
}
"""The fact without which a line of this kind says nothing."""


def record_line(event: Mapping[str, Json], *, names_model: bool = False) -> str:
    """Number, time in UTC, kind with its verdict, version, who, and why."""
    at = str(event["at"])[:19].replace("T", " ")
    who = event["person"] or event["via"]
    model = f" {event['model']}" if names_model and event["model"] else ""
    version = f" v{event['version']}" if event["version"] else ""
    kind = str(event["kind"]).replace("_", " ")
    why = f": {event['why']}" if event["why"] else ""
    return f"{event['seq']}. {at} {kind}{_verdict(event)}{model}{version} by {who}{why}"


def _verdict(event: Mapping[str, Json]) -> str:
    facts = event.get("facts")
    said = facts.get(_VERDICTS.get(str(event["kind"]), "")) if isinstance(facts, Mapping) else None
    return f" ({str(said).replace('_', ' ')})" if said else ""

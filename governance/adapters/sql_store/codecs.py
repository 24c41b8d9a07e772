"""Domain values to JSON text and back, whole: what was stored is what is read."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter

from governance.domain.approval import Decision
from governance.domain.canonical import Digest
from governance.domain.evidence import Content, ModelName, Snapshot, Version
from governance.domain.monitoring.alert import Alert
from governance.domain.monitoring.state import MonitorKey, MonitorState, SeriesPoint
from governance.domain.monitoring.verdict import Verdict
from governance.domain.promotion import Request
from governance.domain.review import Review
from governance.domain.tenure import Observed
from governance.ports import Intent, Notice, NoticeKind

T = TypeVar("T")

decision = TypeAdapter(Decision)
content = TypeAdapter(Content)
snapshot = TypeAdapter(Snapshot)
request = TypeAdapter(Request)
intent = TypeAdapter(Intent)
observed = TypeAdapter(Observed)
alert = TypeAdapter(Alert)
review = TypeAdapter(Review)


def to_text(adapter: TypeAdapter[T], value: T) -> str:
    """JSON text of a domain value."""
    return adapter.dump_json(value).decode("utf-8")


def notice_text(notice: Notice) -> str:
    """JSON text of a notice. Its facts are JSON already, of any depth, which a type adapter
    cannot describe."""
    return json.dumps(
        {
            "kind": notice.kind.value,
            "what": notice.what,
            "model": notice.model,
            "request_id": notice.request_id,
            "person": notice.person,
            "facts": notice.facts,
        }
    )


def notice_of(text: str) -> Notice:
    """The notice again."""
    value = json.loads(text)
    return Notice(**{**value, "kind": NoticeKind(value["kind"])})


def monitor_state_text(state: MonitorState) -> str:
    """JSON text of what a monitor remembers; floats survive exactly (shortest spelling)."""
    return json.dumps(
        {
            "key": list(state.key),
            "spec": state.spec,
            "verdict": state.verdict.value,
            "sentence": state.sentence,
            "numbers": dict(state.numbers),
            "since": _moment_text(state.since),
            "looked_at": _moment_text(state.looked_at),
            "progress": state.progress,
            "series": [[p.at.isoformat(), p.value, p.lower, p.upper] for p in state.series],
            "problem": state.problem,
        },
        allow_nan=False,
    )


def monitor_state_of(text: str) -> MonitorState:
    """What a monitor remembers, again."""
    value = json.loads(text)
    model, version, monitor = value["key"]
    return MonitorState(
        key=MonitorKey(ModelName(model), Version(version), monitor),
        spec=Digest(value["spec"]),
        verdict=Verdict(value["verdict"]),
        sentence=value["sentence"],
        numbers=value["numbers"],
        since=_moment_of(value["since"]),
        looked_at=_moment_of(value["looked_at"]),
        progress=value["progress"],
        series=tuple(
            SeriesPoint(at=datetime.fromisoformat(at), value=v, lower=low, upper=high)
            for at, v, low, high in value["series"]
        ),
        problem=value["problem"],
    )


def findings_text(findings: tuple[tuple[str, bool, str], ...]) -> str:
    """JSON text of what a drill found."""
    return json.dumps(findings)


def findings_of(text: str) -> tuple[tuple[str, bool, str], ...]:
    """What a drill found, again."""
    return tuple((str(what), bool(held), str(seen)) for what, held, seen in json.loads(text))


def _moment_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

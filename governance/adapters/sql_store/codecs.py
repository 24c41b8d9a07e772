"""Domain values to JSON text and back, whole: what was stored is what is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import TypeAdapter

from governance.domain.approval import Decision
from governance.domain.canonical import Json
from governance.domain.evidence import Content, Snapshot
from governance.domain.promotion import Request
from governance.ports import Intent, Notice, NoticeKind, Observed

T = TypeVar("T")

decision = TypeAdapter(Decision)
content = TypeAdapter(Content)
snapshot = TypeAdapter(Snapshot)
request = TypeAdapter(Request)
intent = TypeAdapter(Intent)
observed = TypeAdapter(Observed)


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


def decoded(record: bytes) -> Mapping[str, Json]:
    """A record of the log as a mapping."""
    return cast(Mapping[str, Json], json.loads(record))

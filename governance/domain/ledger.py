"""The audit log as mathematics: typed events, their bytes, and the tree over them.

Pure: no clock, no IO, no vendor. The bytes that are hashed are the bytes that are stored; nothing
is ever spelled again to be checked. The tree is that of RFC 6962 §2.1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

from governance.domain.approval import RequestId
from governance.domain.canonical import Json, canonical_bytes
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import Actor

Hash = NewType("Hash", bytes)
"""SHA-256, 32 bytes."""


class EventKind(StrEnum):
    """Everything that the record can hold. A closed list: readers can rely on it."""

    POLICY_LOADED = "policy_loaded"
    REQUEST_OPENED = "request_opened"
    REQUEST_REFUSED = "request_refused"
    DECISION_MADE = "decision_made"
    DECISION_WITHDRAWN = "decision_withdrawn"
    DECISION_REFUSED = "decision_refused"
    VOTES_VOIDED = "votes_voided"
    VOICE_ENDED = "voice_ended"
    MAKERS_GREW = "makers_grew"
    REQUEST_STATE_CHANGED = "request_state_changed"
    ABSENCE_BEGAN = "absence_began"
    ABSENCE_ENDED = "absence_ended"
    ABSENCE_REFUSED = "absence_refused"
    CHANGES_ANSWERED = "changes_answered"
    ANSWER_REFUSED = "answer_refused"
    SEAT_ESCALATED = "seat_escalated"
    REMINDED = "reminded"
    TRANSITION_INTENDED = "transition_intended"
    TRANSITION_DONE = "transition_done"
    TRANSITION_FAILED = "transition_failed"
    ROLLBACK_INTENDED = "rollback_intended"
    ROLLBACK_DONE = "rollback_done"
    ROLLBACK_FAILED = "rollback_failed"
    ROLLBACK_REFUSED = "rollback_refused"
    VERSION_ADOPTED = "version_adopted"
    CHANGED_ELSEWHERE = "changed_elsewhere"
    VERSIONS_NOTICED = "versions_noticed"
    INTEGRITY_BROKEN = "integrity_broken"
    GAP_RECORDED = "gap_recorded"
    ALERT_RAISED = "alert_raised"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_REPEATED = "alert_repeated"
    ALERT_CLOSED = "alert_closed"
    AUTOMATIC_ROLLBACK_WITHHELD = "automatic_rollback_withheld"
    MONITOR_BLIND = "monitor_blind"
    MONITOR_SEES_AGAIN = "monitor_sees_again"
    ROLLBACK_DRILLED = "rollback_drilled"
    GLASS_BROKEN = "glass_broken"
    BREAK_GLASS_REFUSED = "break_glass_refused"
    REVIEW_OPENED = "review_opened"
    REVIEW_GIVEN = "review_given"
    REVIEW_REFUSED = "review_refused"
    REVIEW_STATE_CHANGED = "review_state_changed"
    REVIEW_REPEATED = "review_repeated"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One typed fact: who, what, when, why, and the digests that bind it."""

    kind: EventKind
    at: datetime
    actor: Actor
    model: ModelName | None = None
    version: Version | None = None
    request_id: RequestId | None = None
    why: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """What is particular to this kind; no secrets, no floats."""


def encode(event: Event, sequence: int) -> bytes:
    """The bytes of an event as they are stored and hashed. `sequence` counts from 1.

    Raises:
        ValueError: `at` is not aware, or a fact has no single spelling.
    """
    if event.at.tzinfo is None:
        raise ValueError("an event needs an aware time")
    return canonical_bytes(
        {
            "seq": sequence,
            "kind": event.kind.value,
            "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "person": event.actor.person,
            "account": event.actor.account,
            "via": event.actor.via,
            "model": event.model,
            "version": event.version,
            "request": event.request_id,
            "why": event.why,
            "facts": event.facts,
        }
    )


@dataclass(frozen=True, kw_only=True)
class Head:
    """The log at one size: its Merkle root. A head kept elsewhere is what makes a cut, a rewrite
    or an old copy show."""

    size: int
    root: Hash


@dataclass(frozen=True, kw_only=True)
class Peaks:
    """The roots of the full subtrees of a log, largest first: all that is needed to append.

    A log of n records has one peak for each bit of n, so appending costs O(log n) hashes.
    """

    size: int
    hashes: tuple[Hash, ...]

    @staticmethod
    def empty() -> Peaks:
        """Of a log without records."""
        return Peaks(size=0, hashes=())

    def append(self, record: bytes) -> Peaks:
        """The peaks after one more record."""
        node = leaf_hash(record)
        hashes = list(self.hashes)
        size = self.size
        while size & 1:
            node = node_hash(hashes.pop(), node)
            size >>= 1
        return Peaks(size=self.size + 1, hashes=(*hashes, node))

    @property
    def head(self) -> Head:
        """Size and root. The root of an empty log is the hash of nothing (RFC 6962 §2.1)."""
        if not self.hashes:
            return Head(size=0, root=Hash(hashlib.sha256(b"").digest()))
        *rest, root = self.hashes
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return Head(size=self.size, root=root)


def leaf_hash(record: bytes) -> Hash:
    """Hash of one record: SHA-256(0x00 ‖ record), RFC 6962 §2.1."""
    return Hash(hashlib.sha256(b"\x00" + record).digest())


def node_hash(left: Hash, right: Hash) -> Hash:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1."""
    return Hash(hashlib.sha256(b"\x01" + left + right).digest())


@dataclass(frozen=True, kw_only=True)
class KeptHead:
    """A head from outside the database. `resumed` marks a line that an operator's
    `audit resume` left: contradictions of the heads before it are recorded, not hidden."""

    line: int
    head: Head
    resumed: bool = False


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The answer of `verify`."""

    head: Head
    problems: tuple[str, ...]
    gaps: tuple[str, ...]
    """Contradictions that an operator recorded with `audit resume`."""
    anchored_size: int
    """How many records are vouched for from outside; those after them are not yet."""

    @property
    def ok(self) -> bool:
        """Nothing contradicts the heads, save recorded gaps."""
        return not self.problems


def verify(records: Iterable[bytes], kept: Sequence[KeptHead]) -> Verification:
    """Recompute the tree over stored bytes and hold every kept head against its prefix.

    A record that is not the one of its place (`seq`) is a problem by itself. Without any kept
    head a log that holds records cannot be vouched for, and that is a problem too.
    """
    wanted: dict[int, list[KeptHead]] = {}
    for item in kept:
        wanted.setdefault(item.head.size, []).append(item)
    peaks = Peaks.empty()
    wrong: list[KeptHead] = []
    problems: list[str] = []
    resumed_over: set[tuple[int, str]] = set()
    anchored = 0
    for record in records:
        peaks = peaks.append(record)
        gap = _place_problem(record, peaks.size, problems)
        if gap is not None:
            resumed_over.add(gap)
        for item in wanted.pop(peaks.size, []):
            if item.head.root == peaks.head.root:
                anchored = peaks.size
            else:
                wrong.append(item)
    for size, items in wanted.items():
        if size == 0 and all(i.head == Peaks.empty().head for i in items):
            continue
        wrong.extend(items)
    gaps: list[str] = []
    resumptions = [k.line for k in kept if k.resumed]
    for item in sorted(wrong, key=lambda k: k.line):
        sentence = (
            f"kept head {item.line} says {item.head.size} records with root "
            f"{item.head.root.hex()[:16]}…, and the log does not"
        )
        if _is_recorded(item, kept, resumptions, resumed_over):
            gaps.append(sentence)
        else:
            problems.append(sentence)
    if peaks.size > 0 and not kept:
        problems.append("no head of this log is kept outside the database")
    return Verification(
        head=peaks.head, problems=tuple(problems), gaps=tuple(gaps), anchored_size=anchored
    )


def _is_recorded(
    item: KeptHead,
    kept: Sequence[KeptHead],
    resumptions: Sequence[int],
    resumed_over: set[tuple[int, str]],
) -> bool:
    """A contradiction is recorded when the log holds a gap record that names a head which stood
    at or after it, and an operator's resumption follows that head: the store's own head of the
    gap record may stand between the two."""
    return any(
        item.line <= named.line and any(named.line < line for line in resumptions)
        for named in kept
        if (named.head.size, named.head.root.hex()) in resumed_over
    )


def decode(record: bytes) -> Mapping[str, Json] | None:
    """A stored record as an object; None for bytes that are no record of ours, as in a log that
    was tampered with."""
    try:
        value = json.loads(record)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "kind" in value else None


def kind_of(record: bytes) -> str | None:
    """The kind of a stored record, as `decode`."""
    event = decode(record)
    return None if event is None else str(event["kind"])


def _place_problem(record: bytes, place: int, problems: list[str]) -> tuple[int, str] | None:
    """Check a record's own number; return the head that it names if it records a gap."""
    try:
        value = json.loads(record)
    except ValueError:
        problems.append(f"record {place} cannot be read")
        return None
    if not isinstance(value, dict) or value.get("seq") != place:
        problems.append(f"record {place} says it is another one")
        return None
    if value.get("kind") != EventKind.GAP_RECORDED.value:
        return None
    facts = value.get("facts")
    if not isinstance(facts, dict) or not isinstance(facts.get("head_size"), int):
        return None  # no head was kept when the gap was recorded, so it excuses none
    return facts["head_size"], str(facts.get("head_root"))

"""The life of a promotion request. Pure: no clock, no IO, no vendor.

The lifecycle is one table, `(state, event) → state`; a missing key is the refusal. Code, the
diagram in the documentation and the tests read the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from governance.domain.approval import Binding, RequestId
from governance.domain.break_glass import BrokenGlass
from governance.domain.canonical import Digest
from governance.domain.checks import CheckResult
from governance.domain.errors import Refused
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.domain.identity import PersonId, Role, people_digest


class State(StrEnum):
    """Where a request is."""

    PENDING = "pending"
    APPROVED = "approved"
    HELD = "held"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    VOIDED = "voided"


class Event(StrEnum):
    """What happens to a request."""

    QUORUM_MET = "quorum met"
    QUORUM_LOST = "quorum lost"
    CHECKS_WAIT = "checks wait"
    EXECUTION_BEGAN = "execution began"
    GLASS_BROKEN = "glass broken"
    TRANSITION_DONE = "transition done"
    TRANSITION_FAILED = "transition failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    GAVE_UP = "gave up"
    SUPERSEDED = "superseded"
    EVIDENCE_CHANGED = "evidence changed"
    BINDING_BROKEN = "binding broken"


_BEFORE_EXECUTION = (State.PENDING, State.APPROVED, State.HELD)
_ENDINGS = {
    Event.REJECTED: State.REJECTED,
    Event.WITHDRAWN: State.WITHDRAWN,
    Event.EXPIRED: State.EXPIRED,
    Event.SUPERSEDED: State.SUPERSEDED,
    Event.BINDING_BROKEN: State.VOIDED,
}

LIFECYCLE: Mapping[tuple[State, Event], State] = {
    (State.PENDING, Event.QUORUM_MET): State.APPROVED,
    (State.PENDING, Event.EVIDENCE_CHANGED): State.PENDING,
    (State.APPROVED, Event.CHECKS_WAIT): State.HELD,
    (State.APPROVED, Event.QUORUM_LOST): State.PENDING,
    (State.APPROVED, Event.EVIDENCE_CHANGED): State.PENDING,
    (State.APPROVED, Event.EXECUTION_BEGAN): State.EXECUTING,
    (State.APPROVED, Event.GAVE_UP): State.FAILED,
    (State.HELD, Event.QUORUM_LOST): State.PENDING,
    (State.HELD, Event.EVIDENCE_CHANGED): State.PENDING,
    (State.HELD, Event.EXECUTION_BEGAN): State.EXECUTING,
    (State.EXECUTING, Event.TRANSITION_DONE): State.COMPLETED,
    (State.EXECUTING, Event.TRANSITION_FAILED): State.FAILED,
    **{(s, Event.GLASS_BROKEN): State.EXECUTING for s in _BEFORE_EXECUTION},
    **{(s, event): end for s in _BEFORE_EXECUTION for event, end in _ENDINGS.items()},
}

OPEN = frozenset({*_BEFORE_EXECUTION, State.EXECUTING})
"""States in which a request is not over."""
TAKES_VOTES = frozenset(_BEFORE_EXECUTION)
"""States in which a decision counts, or can be withdrawn."""


def step(state: State, event: Event) -> State:
    """The state after `event`.

    Raises:
        Refused: `request_over` when the table has no such step.
    """
    try:
        return LIFECYCLE[state, event]
    except KeyError:
        raise Refused(
            "request_over", f"This request is {state.value}: “{event.value}” no longer applies."
        ) from None


def is_expired(expires_at: datetime, now: datetime) -> bool:
    """Expired when now ≥ expires_at."""
    return now >= expires_at


def diagram() -> str:
    """The lifecycle as a Mermaid state diagram, drawn from the table."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PENDING.value}"]
    merged: dict[tuple[State, State], list[str]] = {}
    for (state, event), target in LIFECYCLE.items():
        merged.setdefault((state, target), []).append(event.value)
    for (state, target), events in merged.items():
        lines.append(f"    {state.value} --> {target.value}: {', '.join(events)}")
    ended = sorted(set(LIFECYCLE.values()) - OPEN)
    lines.extend(f"    {state.value} --> [*]" for state in ended)
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the requester said to those who asked for changes."""

    at: datetime
    text: str
    to: tuple[PersonId, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A proposed version for a stage, with everything its approvers were shown."""

    id: RequestId
    model: ModelName
    version: Version
    target: Stage
    requester: PersonId
    requester_account: str
    reason: str
    ticket: str
    state: State
    opened_at: datetime
    expires_at: datetime
    binding: Binding
    snapshot: Snapshot
    content: Content
    champion: Snapshot | None
    """The production version that approvers compared against; None when there was none, and
    for Staging, where it is shown but not bound."""
    checks: tuple[CheckResult, ...]
    makers: frozenset[PersonId]
    unmapped_authors: tuple[str, ...]
    """Names beside a mapped author that nobody owns: shown as a warning."""
    author_unknown: bool
    """Nobody is known to have made it, and the policy allows that: shown."""
    roles_at_opening: Mapping[PersonId, frozenset[Role]]
    accounts_at_opening: Mapping[PersonId, frozenset[str]]
    """A person added, or given a role or account, after opening does not count here."""
    champion_content: Content | None = None
    """The champion's files where the record knows them: shown, and bound by nothing."""
    quarantined: str = ""
    """Why the version was quarantined when this was opened: shown; an approval lifts it."""
    stand_ins_at_opening: Mapping[PersonId, frozenset[PersonId]] = field(default_factory=dict)
    """Who might stand in for whom then; somebody named later does not count here."""
    escalated: frozenset[Role] = frozenset()
    """The seats, by their role, that another role may fill as well by now."""
    follows: RequestId | None = None
    """The request for an older version whose approvers asked for changes: this one answers."""
    followed_by: RequestId | None = None
    answers: tuple[Answer, ...] = ()
    """What the requester answered in words, oldest first."""
    note: str = ""
    """Why it ended, or what it waits for, in one sentence."""
    glass: BrokenGlass | None = None
    """Carried out past policy, by whom and why; reviewed afterwards."""
    revision: int = 0
    """Counts changes; guards updates against each other."""

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.state in OPEN

    @property
    def is_downgrade(self) -> bool:
        """Whether it would put an older version in the place of a newer one."""
        return (
            self.target is Stage.PRODUCTION
            and self.champion is not None
            and self.version < self.champion.version
        )

    @property
    def drawing(self) -> str:
        """What the message showed, as 16 hex digits: carried by its buttons, so that a click on
        an older drawing is not counted. Votes and states do not change it: they change nothing
        that a vote binds."""
        return self.binding.digest[:16]

    @property
    def people_at_opening(self) -> Digest:
        """Of who counts for this request, and with what."""
        return people_digest(
            self.roles_at_opening, self.accounts_at_opening, self.stand_ins_at_opening
        )

    def countable_roles(self, person: PersonId, now: frozenset[Role]) -> frozenset[Role]:
        """The roles that count for this request: held now and when it opened."""
        return now & self.roles_at_opening.get(person, frozenset())

    def lent_roles(
        self,
        absent: PersonId,
        stand_in: PersonId,
        now: frozenset[Role],
        allowed: frozenset[PersonId],
    ) -> frozenset[Role]:
        """The roles of somebody who is away that count for this request when `stand_in` uses them:
        held now and when it opened, where people.yaml allowed it then and allows it now."""
        at_opening = self.stand_ins_at_opening.get(absent, frozenset())
        if stand_in not in at_opening & allowed:
            return frozenset()
        return self.countable_roles(absent, now)

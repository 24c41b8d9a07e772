"""When a seat that stays empty is opened to a second role. Pure: no clock, no IO, no vendor.

Opens a seat to more people; who of them may sit is the tally's business, as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from governance.domain.identity import Role
from governance.domain.policy import Seats


def due_escalations(
    seats: Sequence[Seats],
    missing: Collection[Role],
    escalated: frozenset[Role],
    *,
    opened_at: datetime,
    now: datetime,
) -> tuple[Seats, ...]:
    """The seats to be opened now: empty, not opened before, and due when now ≥ opened_at + after.
    What was opened stays open: a vote that is withdrawn later closes it to nobody."""
    return tuple(
        s
        for s in seats
        if s.escalation is not None
        and s.role in missing
        and s.role not in escalated
        and now >= opened_at + s.escalation.after
    )


def may_fill(seats: Sequence[Seats], escalated: frozenset[Role]) -> frozenset[Role]:
    """Every role that may fill a seat by now."""
    second = {s.escalation.to for s in seats if s.escalation and s.role in escalated}
    return frozenset(s.role for s in seats) | second

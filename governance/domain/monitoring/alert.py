"""An alert from the moment it is raised until it is over. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId
from governance.domain.monitoring.spec import Action, Bad
from governance.domain.monitoring.state import SeriesPoint

AlertId = NewType("AlertId", int)


class Outcome(StrEnum):
    """What became of the version that an alert is about. Everything but *pending* is final."""

    PENDING = "pending"
    """To be rolled back; tried until it is clear what became of it."""
    ONLY_ALERTED = "only alerted"
    """The policy says `alert`."""
    ROLLED_BACK = "rolled back"
    LIMITED = "limited"
    """One automatic rollback within 24 hours was made already."""
    NO_TARGET = "no target"
    """There is no known good version."""
    MOVED = "moved"
    """Somebody else was first: the version is no longer in Production."""
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One thing that went bad, what was done, and who has seen it."""

    id: AlertId
    model: ModelName
    version: Version
    monitor: str
    metric: str
    """In words: AUC, approval rate."""
    bad: Bad
    wanted: Action
    raised_at: datetime
    sentence: str
    numbers: Mapping[str, float]
    series: tuple[SeriesPoint, ...]
    outcome: Outcome
    note: str = ""
    """Why it ended so, in words."""
    to_version: Version | None = None
    acted_at: datetime | None = None
    seconds: float | None = None
    """From the verdict to Production changed, read back."""
    acknowledged_by: PersonId | None = None
    acknowledged_at: datetime | None = None
    recovered_at: datetime | None = None
    """When the version that it concerns was healthy again; it is over when somebody has
    acknowledged it too."""
    closed_at: datetime | None = None
    closed_why: str = ""
    reminders: int = 0
    remind_at: datetime | None = None
    served: str = ""
    """What the probe of the serving platform says."""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Not over yet."""
        return self.closed_at is None

    @property
    def concerns(self) -> tuple[Version, ...]:
        """The versions whose health ends it: the bad one, or the one that was restored."""
        return (self.version,) if self.to_version is None else (self.version, self.to_version)

"""What a monitor remembers between two looks. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from governance.domain.canonical import Digest, Json
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.verdict import Finding, Verdict


class MonitorKey(NamedTuple):
    """One monitor of one version. Each stay in Production begins anew: the digest of the monitor's
    description names the stay."""

    model: ModelName
    version: Version
    monitor: str


@dataclass(frozen=True, kw_only=True)
class SeriesPoint:
    """What one look measured, for the chart."""

    at: datetime
    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class MonitorState:
    """A row of the store. `progress` is what the rule itself has to remember, as plain JSON; all
    of it can be replayed from the data."""

    key: MonitorKey
    spec: Digest
    """Of the monitor as the policy described it: a changed monitor begins anew."""
    verdict: Verdict = Verdict.INCONCLUSIVE
    sentence: str = "Not looked at yet."
    numbers: Mapping[str, float] = field(default_factory=dict)
    since: datetime | None = None
    """When this verdict began."""
    looked_at: datetime | None = None
    progress: Mapping[str, Json] = field(default_factory=dict)
    series: tuple[SeriesPoint, ...] = ()
    problem: str = ""
    """The trouble of which the owners are told once: its sentence, or which source does not
    answer; empty when there is none."""

    @property
    def finding(self) -> Finding:
        """The newest answer of the rule."""
        return Finding(verdict=self.verdict, sentence=self.sentence, numbers=self.numbers)


LONGEST_SERIES = 64


def thinned(series: tuple[SeriesPoint, ...]) -> tuple[SeriesPoint, ...]:
    """At most so many points: every second one goes, the first and the newest stay."""
    if len(series) <= LONGEST_SERIES:
        return series
    return (*series[:-1:2], series[-1])

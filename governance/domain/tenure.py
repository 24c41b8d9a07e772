"""Stays of versions in a stage, and which version to go back to. Pure: no clock, no IO.

The rollback target comes from our record alone: MLflow's Archived stage and "current − 1" were
both wrong in practice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.domain.approval import RequestId
from governance.domain.evidence import ModelName, Stage, Version


class Origin(StrEnum):
    """How a version came to its stage."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    ADOPTED = "adopted"
    ELSEWHERE = "changed elsewhere"


class Ending(StrEnum):
    """How a tenure ended. A rollback ends it badly; everything else ends it well."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    ELSEWHERE = "changed elsewhere"


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """One stay of a version in Staging or Production."""

    model: ModelName
    version: Version
    stage: Stage
    started_at: datetime
    origin: Origin
    request_id: RequestId | None
    ended_at: datetime | None = None
    ending: Ending | None = None

    @property
    def ended_well(self) -> bool:
        """Over, and not by a rollback."""
        return self.ending is not None and self.ending is not Ending.ROLLBACK


def staged_elsewhere(tenures: Sequence[Tenure], version: Version) -> bool:
    """Whether a version's running stay in Staging began outside Foureyes: no rule for Staging was
    ever applied to it."""
    return any(
        t.version == version
        and t.stage is Stage.STAGING
        and t.ended_at is None
        and t.origin is Origin.ELSEWHERE
        for t in tenures
    )


@dataclass(frozen=True, kw_only=True)
class RollbackOptions:
    """The answer of `rollback_options`: the default target, and everything eligible."""

    target: Version | None
    eligible: tuple[Version, ...]
    reasons: tuple[tuple[Version, str], ...]
    """Versions that were in Production and are no target, and why."""


def rollback_options(
    tenures: Sequence[Tenure],
    *,
    current: Version | None,
    quarantined: frozenset[Version],
    existing: frozenset[Version],
) -> RollbackOptions:
    """Find the last known good version: among versions other than the current one, that of the
    newest Production tenure that ended well.

    Eligible is what was approved for Production or adopted, still exists, and is not
    quarantined. A version that only came there by a change made elsewhere is none.
    """
    stays = [t for t in tenures if t.stage is Stage.PRODUCTION]
    vouched = {t.version for t in stays if t.origin in (Origin.PROMOTION, Origin.ADOPTED)}
    eligible: list[Version] = []
    reasons: list[tuple[Version, str]] = []
    for version in sorted({t.version for t in stays if t.version != current}, reverse=True):
        if version not in existing:
            reasons.append((version, "deleted in MLflow"))
        elif version in quarantined:
            reasons.append((version, "quarantined after a rollback until it is approved again"))
        elif version not in vouched:
            reasons.append((version, "put into Production elsewhere and never approved"))
        else:
            eligible.append(version)
    good = [t for t in stays if t.ended_well and t.version in eligible]
    # Oldest first, as the record has them: of two that ended at one moment the later one wins.
    newest = max(reversed(good), key=lambda t: t.ended_at or t.started_at, default=None)
    return RollbackOptions(
        target=newest.version if newest else None,
        eligible=tuple(eligible),
        reasons=tuple(reasons),
    )

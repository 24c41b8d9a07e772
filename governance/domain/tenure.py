"""Stays of versions in a stage, and which version to go back to. Pure: no clock, no IO.

The rollback target comes from our record alone: MLflow's Archived stage and "current − 1" were
both wrong in practice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The stages and the alias of a model as they were last seen, or last made by us."""

    stages: Mapping[Version, Stage]
    """Versions that are in any stage but None."""
    alias: Version | None

    @property
    def production(self) -> tuple[Version, ...]:
        """Every version in stage Production, ascending."""
        return tuple(sorted(v for v, s in self.stages.items() if s is Stage.PRODUCTION))

    @property
    def stays(self) -> frozenset[tuple[Version, Stage]]:
        """Versions that are in a stage of which stays are kept."""
        return frozenset((v, s) for v, s in self.stages.items() if s in _KEPT)


_KEPT = (Stage.STAGING, Stage.PRODUCTION)


# --- what each event does to the stays: the use cases write it, and a replay of the record finds it
# again


@dataclass(frozen=True, kw_only=True)
class Moves:
    """Stays that end and stays that begin, at one moment."""

    ended: tuple[tuple[Version, Stage, Ending], ...] = ()
    begun: tuple[Tenure, ...] = ()

    def applied(self, tenures: Sequence[Tenure], at: datetime) -> tuple[Tenure, ...]:
        """All stays afterwards, oldest first."""
        over = {(version, stage): ending for version, stage, ending in self.ended}
        kept = [
            replace(t, ended_at=at, ending=over[t.version, t.stage])
            if t.ended_at is None and (t.version, t.stage) in over
            else t
            for t in tenures
        ]
        return (*kept, *self.begun)


def moves_of_adoption(model: ModelName, seen: Observed, at: datetime) -> Moves:
    """Foureyes looks for the first time: what is in a stage is adopted there."""
    stays = set(seen.stays)
    if not seen.production and seen.alias is not None:
        stays.add((seen.alias, Stage.PRODUCTION))
    return Moves(begun=tuple(_begun(model, v, s, Origin.ADOPTED, at) for v, s in sorted(stays)))


def moves_of_change_elsewhere(
    tenures: Sequence[Tenure], model: ModelName, before: Observed, after: Observed, at: datetime
) -> Moves:
    """Somebody moved stages or the alias past Foureyes."""
    running = {(t.version, t.stage) for t in tenures if t.ended_at is None}
    now_there = set(after.stays)
    if not after.production and not before.production and after.alias is not None:
        now_there.add((after.alias, Stage.PRODUCTION))
    return Moves(
        ended=tuple((v, s, Ending.ELSEWHERE) for v, s in sorted(running - now_there)),
        begun=tuple(
            _begun(model, v, s, Origin.ELSEWHERE, at) for v, s in sorted(now_there - running)
        ),
    )


def moves_of_promotion(
    tenures: Sequence[Tenure],
    model: ModelName,
    version: Version,
    target: Stage,
    request_id: RequestId | None,
    at: datetime,
) -> Moves:
    """A request was carried out: the version leaves where it was, and succeeds what was in
    Production."""
    ended = []
    for tenure in tenures:
        if tenure.ended_at is not None:
            continue
        leaves_staging = tenure.version == version and tenure.stage is not target
        succeeded = target is Stage.PRODUCTION and tenure.stage is Stage.PRODUCTION
        if leaves_staging or succeeded:
            ended.append((tenure.version, tenure.stage, Ending.PROMOTION))
    begun = _begun(model, version, target, Origin.PROMOTION, at)
    return Moves(ended=tuple(ended), begun=(replace(begun, request_id=request_id),))


def moves_of_rollback(
    tenures: Sequence[Tenure], model: ModelName, version: Version, at: datetime
) -> Moves:
    """A version was put back: whatever ran in Production ends badly."""
    ended = tuple(
        (t.version, t.stage, Ending.ROLLBACK)
        for t in tenures
        if t.stage is Stage.PRODUCTION and t.ended_at is None
    )
    return Moves(
        ended=ended, begun=(_begun(model, version, Stage.PRODUCTION, Origin.ROLLBACK, at),)
    )


def _begun(
    model: ModelName, version: Version, stage: Stage, origin: Origin, at: datetime
) -> Tenure:
    return Tenure(
        model=model, version=version, stage=stage, started_at=at, origin=origin, request_id=None
    )


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


_NEVER_APPROVED = "put into Production elsewhere and never approved"


@dataclass(frozen=True, kw_only=True)
class RollbackOptions:
    """The answer of `rollback_options`: the default target, and everything eligible."""

    target: Version | None
    eligible: tuple[Version, ...]
    reasons: tuple[tuple[Version, str], ...]
    """Versions that were in Production and are no target, and why."""

    @property
    def never_approved(self) -> tuple[Version, ...]:
        """Of those, what nobody has found wanting: it was only never asked for."""
        return tuple(version for version, why in self.reasons if why == _NEVER_APPROVED)


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
            reasons.append((version, "quarantined until it is approved again"))
        elif version not in vouched:
            reasons.append((version, _NEVER_APPROVED))
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

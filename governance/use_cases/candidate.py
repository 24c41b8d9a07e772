"""A version that somebody may promote, as it is now: what it looks like, which rule it falls under,
and what is in Production beside it."""

from __future__ import annotations

from datetime import datetime

from governance.domain.errors import Refused
from governance.domain.evidence import ModelName, Snapshot, Stage, Version
from governance.domain.policy import ModelPolicy, StageRule
from governance.domain.tenure import Tenure, staged_elsewhere
from governance.use_cases.world import World

_VERSIONS_NAMED = 10


def snapshot_of(world: World, model: ModelName, version: Version) -> Snapshot:
    """What a version looks like now. Raises as the registry does; of a version that is not there it
    says which are."""
    try:
        return world.registry.snapshot(model, version)
    except Refused as refusal:
        if refusal.code != "no_such_version":
            raise
        known = [v.version for v in world.registry.versions(model)]
        newest = ", ".join(f"v{v}" for v in known[-_VERSIONS_NAMED:])
        older = f" and {len(known) - _VERSIONS_NAMED} older" if len(known) > _VERSIONS_NAMED else ""
        raise Refused(
            refusal.code, f"{refusal.sentence} It has {newest or 'none'}{older}."
        ) from refusal


def champion_of(world: World, model: ModelName) -> Snapshot | None:
    """What is in Production now. Raises Refused `several_in_production`."""
    state = world.registry.production(model)
    if len(state.staged) > 1:
        several = " and ".join(f"v{v}" for v in state.staged)
        raise Refused(
            "several_in_production",
            f"MLflow has {several} of {model} in Production at once. An owner must leave one "
            "there, then ask again.",
        )
    return world.registry.snapshot(model, state.current) if state.current is not None else None


def entered_staging(tenures: tuple[Tenure, ...], version: Version) -> datetime | None:
    """When a version's running stay in Staging began by our record; None when there is none."""
    return next(
        (
            t.started_at
            for t in reversed(tenures)
            if t.version == version and t.stage is Stage.STAGING and t.ended_at is None
        ),
        None,
    )


def why_staging_was_skipped(
    policy: ModelPolicy, snapshot: Snapshot, tenures: tuple[Tenure, ...]
) -> str | None:
    """Why a version may not go on from Staging: somebody put it there past the rule for Staging.
    None when it came there by the rule, was adopted, or the policy has no such rule."""
    if snapshot.stage is not Stage.STAGING or policy.rule(Stage.STAGING) is None:
        return None
    if not staged_elsewhere(tenures, snapshot.version):
        return None
    model, version = snapshot.model, snapshot.version
    return (
        f"v{version} of {model} was put into Staging outside Foureyes, so the policy's rule for "
        f"Staging was never applied. Move it back to None in MLflow, then /promote {model} "
        f"{version} staging."
    )


def rule_for(policy: ModelPolicy, target: Stage | None, snapshot: Snapshot) -> StageRule:
    """The rule by which a version may go from where it is to `target`; None is no stage at all.

    Raises:
        Refused: `nowhere_to_go`, `already_there`, `stage_not_governed` or `wrong_stage`.
    """
    name = f"v{snapshot.version}"
    if target is None:
        raise Refused(
            "nowhere_to_go",
            f"{name} of {snapshot.model} is in stage {snapshot.stage.value}, and its policy leads "
            "nowhere from there.",
        )
    if snapshot.stage is target:
        raise already_there(snapshot, target)
    rule = policy.rule(target)
    if rule is None:
        allowed = ", ".join(s.value for s in policy.stages)
        raise Refused(
            "stage_not_governed",
            f"The policy of {snapshot.model} has no rule for {target.value}; it has: {allowed}.",
        )
    if snapshot.stage not in rule.from_stages:
        sources = " or ".join(sorted(s.value for s in rule.from_stages))
        raise Refused(
            "wrong_stage",
            f"{name} is in stage {snapshot.stage.value}; {target.value} takes versions from "
            f"{sources}.{_first(policy, target, snapshot)}",
        )
    return rule


def _first(policy: ModelPolicy, target: Stage, snapshot: Snapshot) -> str:
    first = policy.stage_before(target, snapshot.stage)
    if first is None:
        return ""
    command = f"/promote {snapshot.model} {snapshot.version} {first.value.casefold()}"
    return f" {command} first."


def already_there(snapshot: Snapshot, stage: Stage) -> Refused:
    """The refusal of a version for the stage that it is in."""
    return Refused(
        "already_there", f"v{snapshot.version} of {snapshot.model} is already in {stage.value}."
    )

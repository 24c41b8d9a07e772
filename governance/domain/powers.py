"""What one person may do with one model, whoever asks and whatever is open. Pure: no clock, no IO,
no vendor.

Says what the policy grants by role; a certain request may still bar them, because they made the
version or asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from governance.domain.evidence import Stage
from governance.domain.identity import Person, Role
from governance.domain.policy import ModelPolicy


class Deed(StrEnum):
    """What a person can do with a model."""

    ASK = "ask"
    APPROVE = "approve"
    ROLL_BACK = "roll back"
    BREAK_GLASS = "break glass"


@dataclass(frozen=True, kw_only=True)
class Power:
    """One deed on one model, and whether this person may do it. `stage` is where to; None for a
    rollback."""

    deed: Deed
    stage: Stage | None
    granted: bool
    roles: tuple[Role, ...]
    """Granted: by which of their roles. Otherwise: of which they would need one."""
    is_barred_owner: bool = False
    """They hold a role for it, and the policy bars the owners of the model."""


def powers_of(person: Person, policy: ModelPolicy) -> tuple[Power, ...]:
    """Everything that a policy speaks of: asking for each stage, approving where there are seats,
    rolling back, and breaking glass where anybody may. Everybody of `people.yaml` may ask."""
    found: list[Power] = []
    for stage in sorted(policy.stages, key=lambda s: s is Stage.PRODUCTION):
        found.append(Power(deed=Deed.ASK, stage=stage, granted=True, roles=()))
        wanted = frozenset(s.role for s in policy.stages[stage].seats)
        if wanted:
            found.append(_approving(person, policy, stage, wanted))
    held = person.roles & policy.rollback_roles
    found.append(
        Power(
            deed=Deed.ROLL_BACK,
            stage=None,
            granted=bool(held),
            roles=tuple(sorted(held or policy.rollback_roles)),
        )
    )
    if policy.break_glass is not None:
        may = person.roles & policy.break_glass.roles
        found.append(
            Power(
                deed=Deed.BREAK_GLASS,
                stage=None,
                granted=bool(may),
                roles=tuple(sorted(may or policy.break_glass.roles)),
            )
        )
    return tuple(found)


def _approving(person: Person, policy: ModelPolicy, stage: Stage, wanted: frozenset[Role]) -> Power:
    held = person.roles & wanted
    barred = bool(held) and person.id in policy.owners and not policy.owners_may_approve
    return Power(
        deed=Deed.APPROVE,
        stage=stage,
        granted=bool(held) and not barred,
        roles=tuple(sorted(held or wanted)),
        is_barred_owner=barred,
    )

"""A model's name that nobody knows is answered with the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName
from governance.domain.policy import literal_characters, policy_for
from governance.domain.suggestion import nearest
from governance.use_cases.world import World

_UNKNOWN = frozenset({"not_governed", "no_such_model"})


@contextmanager
def nearest_named(world: World, model: ModelName) -> Iterator[None]:
    """Add the nearest governed model to a refusal of an unknown one.

    Raises:
        Refused: as the block did, with one more sentence where there is a near name.
    """
    try:
        yield
    except Refused as refusal:
        meant = _nearest(world, model) if refusal.code in _UNKNOWN else None
        if meant is None:
            raise
        raise Refused(refusal.code, f"{refusal.sentence} Did you mean {meant}?") from refusal


def _nearest(world: World, model: ModelName) -> str | None:
    policies = world.rules.current().policies
    known = {name for name in policies.policies if literal_characters(name) == len(name)}
    with suppress(FoureyesError):  # without MLflow, the names of the policies still help
        known |= {m for m in world.registry.models() if policy_for(policies, m) is not None}
    meant = nearest(model, known)
    return None if meant == model else meant

"""A model's name that nobody knows is answered with the one that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from governance.domain.errors import FoureyesError, Refused
from governance.domain.evidence import ModelName
from governance.domain.policy import ModelPolicy, literal_characters, policy_for
from governance.domain.suggestion import nearest
from governance.ports import Rules
from governance.use_cases.world import World, require_policy

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
        raise _with_nearest(refusal, model, lambda: _governed(world)) from refusal


def policy_named(
    rules: Rules, model: ModelName, *, known: Collection[ModelName] = ()
) -> ModelPolicy:
    """The policy of a model, for commands that do not ask MLflow; `known` are names that may be
    meant beside those of the policies.

    Raises:
        Refused: `not_governed`, with the nearest name where there is one.
    """
    try:
        return require_policy(rules, model)
    except Refused as refusal:
        raise _with_nearest(refusal, model, lambda: {*_literal(rules), *known}) from refusal


def _with_nearest(
    refusal: Refused, model: ModelName, known: Callable[[], Collection[str]]
) -> Refused:
    meant = nearest(model, known()) if refusal.code in _UNKNOWN else None
    if meant is None or meant == model:
        return refusal
    return Refused(refusal.code, f"{refusal.sentence} Did you mean {meant}?")


def _governed(world: World) -> Collection[str]:
    rules = world.rules.current()
    known = set(_literal(rules))
    with suppress(FoureyesError):  # without MLflow, the names of the policies still help
        known |= {m for m in world.registry.models() if policy_for(rules.policies, m) is not None}
    return known


def _literal(rules: Rules) -> Collection[str]:
    """Policies of one model each; a pattern is no name."""
    return {name for name in rules.policies.policies if literal_characters(name) == len(name)}

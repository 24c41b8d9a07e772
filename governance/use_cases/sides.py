"""The two sides of a comparison: what the registry, the record and the policy say of a version.
Decides nothing."""

from __future__ import annotations

from dataclasses import replace

from governance.domain.comparison import Comparison, Side, compare
from governance.domain.errors import Refused
from governance.domain.evidence import Content, Snapshot
from governance.domain.identity import Roster
from governance.domain.policy import ModelPolicy
from governance.domain.profile import MAX_BYTES, profile_in
from governance.use_cases.makers import named_authors
from governance.use_cases.world import World


def side_of(
    snapshot: Snapshot, content: Content | None, policy: ModelPolicy | None, roster: Roster
) -> Side:
    """One version with the names of the people who made it, and of nobody where none is known."""
    if policy is None:
        return Side(snapshot, content)
    authors = named_authors((snapshot,), policy, roster)
    names = {roster.name_of(person) for person in authors.persons}
    return Side(snapshot, content, frozenset({*names, *authors.unmapped}))


def compared(before: Side, after: Side, policy: ModelPolicy | None) -> Comparison:
    """What changed, with everything that the policy names for any of its stages."""
    if policy is None:
        return compare(before, after)
    tags = {tag for stage in policy.stages for tag in policy.named(stage).tags}
    return compare(
        before,
        after,
        tags=tags - set(policy.author_tags),
        threshold=policy.decision_threshold,
        directions=policy.directions,
    )


def with_profile(world: World, snapshot: Snapshot, policy: ModelPolicy) -> Snapshot:
    """The snapshot with the profile of its input columns, where policy names one and the run has
    it. One that cannot be understood is no profile, and says why.

    Raises:
        Unavailable: the registry does not answer.
    """
    if policy.input_profile is None:
        return snapshot
    try:
        text = world.registry.run_file(
            snapshot.model, snapshot.version, policy.input_profile, max_bytes=MAX_BYTES
        )
        return replace(snapshot, profile=profile_in(text))
    except Refused as refusal:
        return replace(snapshot, profile_problem=refusal.sentence)

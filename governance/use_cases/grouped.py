"""People as they count now: a role that a user group of Slack narrows is theirs only in that group.

Asked whenever somebody acts and again at execution. When Slack does not answer, nothing is
guessed: it is tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from governance.domain.evidence import Stage
from governance.domain.identity import Actor, PersonId, Role, Roster, UserGroup
from governance.domain.policy import ModelPolicy, ValidatedAfterStaging
from governance.ports import Rules
from governance.use_cases.world import World

Members = Mapping[UserGroup, frozenset[str]]


def rules_for(world: World, actor: Actor, also: Iterable[PersonId] = ()) -> Rules:
    """The rules in force, with the roles of whoever acts as they count now, and of `also`, for
    whom they stand in.

    Raises:
        Unavailable: Slack does not say who is in the user group of one of their roles.
    """
    rules = world.rules.current()
    person = rules.roster.people.get(actor.person) if actor.person is not None else None
    roles = person.roles if person else frozenset[Role]()
    absent = (rules.roster.people.get(p) for p in also)
    roles = roles.union(*(p.roles for p in absent if p is not None))
    return narrowed(rules, members_of(world, rules.roster, roles), roles)


def members_of(world: World, roster: Roster, roles: Collection[Role]) -> Members:
    """Who is in the user groups of these roles now. Raises as `rules_for` does."""
    groups = {g for role, g in roster.user_groups.items() if role in roles}
    return {group: world.accounts.members(group) for group in sorted(groups)}


def narrowed(rules: Rules, members: Members, roles: Collection[Role]) -> Rules:
    """The rules with each of these roles held only by those who are in its user group."""
    return replace(rules, roster=rules.roster.narrowed(members, roles))


def rules_shown(world: World) -> Rules:
    """The rules as people are shown what they could do; what Slack does not say is shown as
    people.yaml has it, because it is asked again before anything counts."""
    rules = world.rules.current()
    known = {g: world.accounts.members_shown(g) for g in set(rules.roster.user_groups.values())}
    members = {g: m for g, m in known.items() if m is not None}
    roles = [role for role, group in rules.roster.user_groups.items() if group in members]
    return narrowed(rules, members, roles)


def roles_asked(policy: ModelPolicy | None, target: Stage) -> frozenset[Role]:
    """Every role that a request for this stage may ask for: of its seats, of those to whom they
    may open, and of whoever validates."""
    rule = policy.rule(target) if policy else None
    if rule is None:
        return frozenset()
    validators = {c.role for c in rule.checks if isinstance(c, ValidatedAfterStaging)}
    seconds = {s.escalation.to for s in rule.seats if s.escalation is not None}
    return frozenset({s.role for s in rule.seats} | seconds | validators)

"""What changed between two loads of policies and people, in words. Pure: no clock, no IO.

A change that alters what an approval needs, who may give it or where messages go always has
words; a comment in a file has none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from governance.domain.evidence import ModelName
from governance.domain.identity import Person, PersonId, Role, Roster
from governance.domain.monitoring.words import differences, duration
from governance.domain.policy import (
    BreakGlassRule,
    ModelPolicy,
    PolicySet,
    StageRule,
    ValidatedAfterStaging,
    describe_check,
    policy_for,
)


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """One difference, and whom it concerns."""

    words: str
    models: tuple[str, ...]
    """The patterns of the policies concerned, before or after, sorted; empty when none names it."""


def policy_changes(
    *,
    old: PolicySet | None,
    old_people: Roster | None,
    new: PolicySet,
    new_people: Roster,
) -> tuple[PolicyChange, ...]:
    """Everything that differs: policies by pattern, then people by id.

    None stands for *nothing was loaded before*; then the people are not listed one by one.
    """
    known = old or PolicySet(policies={}, digest=new.digest)
    concerned = _Concerned(known.policies, new.policies)
    changes = list(_policies(known, new, concerned))
    if old_people is not None:
        changes += _people(old_people, new_people, concerned)
    return tuple(changes)


class _Concerned:
    def __init__(self, before: Mapping[str, ModelPolicy], after: Mapping[str, ModelPolicy]) -> None:
        self._all = [*before.items(), *after.items()]

    def change(self, words: str, where: Callable[[ModelPolicy], bool]) -> PolicyChange:
        """The change with every policy that satisfies `where` before or after."""
        found = [(pattern, policy) for pattern, policy in self._all if where(policy)]
        return PolicyChange(words=words, models=tuple(sorted({pattern for pattern, _ in found})))

    def everywhere(self, words: str) -> PolicyChange:
        """A change that can concern any model: whose account a name is decides who its author
        is, whatever the policy."""
        return self.change(words, lambda policy: True)


# --- policies -----------------------------------------------------------------------------------


def _policies(before: PolicySet, after: PolicySet, concerned: _Concerned) -> Iterator[PolicyChange]:
    for pattern in sorted({*before.policies, *after.policies}):
        for words in _one(pattern, before, after):
            yield concerned.change(f"{pattern}: {words}", _is(pattern))


def _one(pattern: str, before: PolicySet, after: PolicySet) -> Iterator[str]:
    """A policy that comes or goes is held against the glob that governs those models without it:
    it may ask for less."""
    old, new = before.policies.get(pattern), after.policies.get(pattern)
    wider_before = policy_for(before, ModelName(pattern))
    wider_after = policy_for(after, ModelName(pattern))
    if old is not None and new is not None:
        yield from _policy(old, new)
    elif old is None and new is not None:
        if wider_before is None:
            yield "is governed now"
        else:
            yield f"is governed by its own policy now, no longer by that of {wider_before.pattern}"
            yield from _policy(wider_before, new)
    elif old is not None and wider_after is None:
        yield "is not governed any more"
    elif old is not None and wider_after is not None:
        yield f"is governed by the policy of {wider_after.pattern} now, no longer by its own"
        yield from _policy(old, wider_after)


def _is(pattern: str) -> Callable[[ModelPolicy], bool]:
    return lambda policy: policy.pattern == pattern


def _policy(old: ModelPolicy, new: ModelPolicy) -> Iterator[str]:
    for stage in sorted({*old.stages, *new.stages}, reverse=True):
        before, after = old.stages.get(stage), new.stages.get(stage)
        if before is None:
            yield f"{stage} can be asked for now"
        elif after is None:
            yield f"{stage} cannot be asked for any more"
        else:
            yield from (f"{stage} {words}" for words in _rule(before, after))
    yield from _lists("may roll back", old.rollback_roles, new.rollback_roles)
    yield from _break_glass(old.break_glass, new.break_glass)
    yield from _lists("names an author", old.author_tags, new.author_tags, item="tag ")
    if old.unknown_author is not new.unknown_author:
        yield f"a version without an author is {_past(new)} instead of {_past(old)}"
    if old.owners_may_approve is not new.owners_may_approve:
        yield f"owners may {'now' if new.owners_may_approve else 'no longer'} approve"
    yield from _lists("is an owner", old.owners, new.owners)
    yield from _lists("is on call", old.on_call, new.on_call)
    yield from _lists("is printed in the trail", old.headline, new.headline)
    if old.decision_threshold != new.decision_threshold:
        yield (
            f"the decision threshold is in {new.decision_threshold or 'nothing'} instead of "
            f"{old.decision_threshold or 'nothing'}"
        )
    if old.input_profile != new.input_profile:
        yield (
            f"the profile of the input columns is in {new.input_profile or 'nothing'} instead of "
            f"{old.input_profile or 'nothing'}"
        )
    if old.repository != new.repository:
        yield (
            f"commits are in {new.repository or 'nothing'} instead of {old.repository or 'nothing'}"
        )
    yield from differences(old.watching, new.watching)
    if old.channel != new.channel:
        yield f"messages go to {new.channel} instead of {old.channel}"


def _break_glass(old: BreakGlassRule | None, new: BreakGlassRule | None) -> Iterator[str]:
    had, has = old.roles if old else frozenset(), new.roles if new else frozenset()
    yield from _lists("may break glass", had, has)
    if new is not None and (old is None or old.review_within != new.review_within):
        before = f" instead of {duration(old.review_within)}" if old else ""
        yield f"a break-glass is reviewed within {duration(new.review_within)}{before}"


def _past(policy: ModelPolicy) -> str:
    return "refused" if policy.unknown_author.value == "refuse" else "allowed"


def _lists(
    says: str, old: Collection[str], new: Collection[str], *, item: str = ""
) -> Iterator[str]:
    for word in sorted({*new} - {*old}):
        yield f"{item}{word} {says} now"
    for word in sorted({*old} - {*new}):
        yield f"{item}{word} {says} no longer"
    if tuple(old) != tuple(new) and set(old) == set(new) and isinstance(new, tuple):
        yield f"the order of who or what {says} is now {', '.join(new)}"


def _rule(old: StageRule, new: StageRule) -> Iterator[str]:
    yield from _seats(old, new)
    for stage in sorted(new.from_stages - old.from_stages):
        yield f"may be entered from {stage} now"
    for stage in sorted(old.from_stages - new.from_stages):
        yield f"may no longer be entered from {stage}"
    if old.soak != new.soak:
        yield f"needs {duration(new.soak)} in Staging instead of {duration(old.soak)}"
    checks_before = [describe_check(c) for c in old.checks]
    checks_after = [describe_check(c) for c in new.checks]
    for check in (c for c in checks_after if c not in checks_before):
        yield f"now checks: {check}"
    for check in (c for c in checks_before if c not in checks_after):
        yield f"no longer checks: {check}"
    if checks_before != checks_after and sorted(checks_before) == sorted(checks_after):
        yield "makes its checks in another order"
    if old.expires_after != new.expires_after:
        before, after = duration(old.expires_after), duration(new.expires_after)
        yield f"requests end after {after} instead of {before}"
    if old.rejections_to_end != new.rejections_to_end:
        yield (
            f"requests are ended by {_rejections(new.rejections_to_end)} instead of "
            f"{old.rejections_to_end}"
        )


def _seats(old: StageRule, new: StageRule) -> Iterator[str]:
    yield from _escalations(old, new)
    before = {s.role: s.count for s in old.seats}
    after = {s.role: s.count for s in new.seats}
    if before == after:
        return
    # The sum comes first: "1 instead of 2" is what a reviewer must not miss.
    total_before, total_after = sum(before.values()), sum(after.values())
    if total_before != total_after:
        yield f"needs {total_after} instead of {total_before}"
    for role in sorted({*before, *after}):
        if before.get(role) != after.get(role):
            yield f"needs {after.get(role, 0)} from {role} instead of {before.get(role, 0)}"


def _escalations(old: StageRule, new: StageRule) -> Iterator[str]:
    before = {s.role: s.escalation for s in old.seats}
    for seats in sorted(new.seats, key=lambda s: s.role):
        was, escalation = before.get(seats.role), seats.escalation
        if escalation == was:
            continue
        if escalation is None:
            yield f"opens the seat of {seats.role} to nobody else any more"
        else:
            yield (
                f"opens an empty seat of {seats.role} to {escalation.to} after "
                f"{duration(escalation.after)}"
                + (f" instead of to {was.to} after {duration(was.after)}" if was else "")
            )


def _rejections(count: int) -> str:
    return "1 rejection" if count == 1 else f"{count} rejections"


# --- people -------------------------------------------------------------------------------------


def _people(old: Roster, new: Roster, concerned: _Concerned) -> Iterator[PolicyChange]:
    for person in sorted({*old.people, *new.people}):
        before, after = old.people.get(person), new.people.get(person)
        if before is None and after is not None:
            roles = ", ".join(sorted(after.roles)) or "no role"
            yield concerned.everywhere(f"{person} is new, with {roles}")
        elif after is None:
            yield concerned.everywhere(f"{person} is gone")
        elif before is not None:
            yield from _person(person, before, after, concerned)
    for words in _lists("is a service account", old.service_accounts, new.service_accounts):
        yield concerned.everywhere(words)
    for role in sorted(new.roles - old.roles):
        yield concerned.change(f"there is a role {role} now", _asks(role))
    for role in sorted(old.roles - new.roles):
        yield concerned.change(f"there is no role {role} any more", _asks(role))
    for role in sorted({*old.user_groups, *new.user_groups}):
        had, has = old.user_groups.get(role), new.user_groups.get(role)
        if had != has:
            now = f"only in the user group {has}" if has else "without a user group"
            once = f" instead of {had}" if had else ""
            yield concerned.change(f"the role {role} counts {now}{once}", _asks(role))


def _person(
    person: PersonId, before: Person, after: Person, concerned: _Concerned
) -> Iterator[PolicyChange]:
    for role in sorted(after.roles - before.roles):
        yield concerned.change(f"{person} gains {role}", _asks(role))
    for role in sorted(before.roles - after.roles):
        yield concerned.change(f"{person} loses {role}", _asks(role))
    if before.name != after.name:
        yield concerned.everywhere(f"{person} is called {after.name} instead of {before.name}")
    for stand_in in sorted(after.stand_ins - before.stand_ins):
        yield concerned.everywhere(f"{person} may have {stand_in} as stand-in now")
    for stand_in in sorted(before.stand_ins - after.stand_ins):
        yield concerned.everywhere(f"{person} may have {stand_in} as stand-in no longer")
    if before.working_hours != after.working_hours:
        hours = after.working_hours.words if after.working_hours else "as everybody's"
        yield concerned.everywhere(f"{person} has other working hours: {hours}")
    kinds: tuple[tuple[str, Callable[[Person], Collection[str]]], ...] = (
        ("Slack account", lambda p: p.slack),
        ("MLflow user", lambda p: p.mlflow_users),
        ("git e-mail", lambda p: p.git_emails),
        ("OS login", lambda p: p.os_logins),
    )
    for called, accounts in kinds:
        had, has = {*accounts(before)}, {*accounts(after)}
        for account in sorted(has - had):
            yield concerned.everywhere(f"{person} gains the {called} {account}")
        for account in sorted(had - has):
            yield concerned.everywhere(f"{person} loses the {called} {account}")


def _asks(role: Role) -> Callable[[ModelPolicy], bool]:
    """Whether a policy gives `role` anything to say."""

    def asks(policy: ModelPolicy) -> bool:
        if role in policy.rollback_roles:
            return True
        if policy.break_glass is not None and role in policy.break_glass.roles:
            return True
        for rule in policy.stages.values():
            if any(role in (s.role, s.escalation and s.escalation.to) for s in rule.seats):
                return True
            if any(isinstance(c, ValidatedAfterStaging) and c.role == role for c in rule.checks):
                return True
        return False

    return asks

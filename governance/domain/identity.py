"""People are persons, not accounts. Pure: no clock, no IO, no vendor.

A person may have several Slack accounts, MLflow user names and e-mail addresses; whatever they
are called in another system, they vote once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NewType

from governance.domain.canonical import Digest, Json, digest_of
from governance.domain.working_hours import WorkingHours

PersonId = NewType("PersonId", str)
Role = NewType("Role", str)
SlackAccount = NewType("SlackAccount", str)
"""Slack's own user id, such as U024BE7LH; never a display name, which anybody can change."""
UserGroup = NewType("UserGroup", str)
"""A user group of Slack: its id, such as S0614TZR7, or its handle with the @."""


_ADDRESS = re.compile(r"[^<>]*<([^<>\s]+@[^<>\s]+)>")


def same_name(name: str) -> str:
    """A name as it is compared: letter case, spaces around it, invisible characters and the
    display name before an e-mail address make nobody somebody else."""
    plain = unicodedata.normalize("NFKC", name).strip()
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cc")).strip()
    found = _ADDRESS.fullmatch(plain)
    return (found.group(1) if found else plain).casefold()


@dataclass(frozen=True, kw_only=True)
class Person:
    """One human being, as `people.yaml` knows them."""

    id: PersonId
    name: str
    roles: frozenset[Role]
    slack: frozenset[SlackAccount] = frozenset()
    mlflow_users: frozenset[str] = frozenset()
    git_emails: frozenset[str] = frozenset()
    os_logins: frozenset[str] = frozenset()
    stand_ins: frozenset[PersonId] = frozenset()
    """Who may stand in for them while they are away."""
    working_hours: WorkingHours | None = None
    """When they may be reminded; None means the hours that the deployment sets."""
    outside: Mapping[Role, UserGroup] = field(default_factory=dict)
    """Roles that people.yaml gives them and that do not count now: Slack does not show them in the
    user group that narrows the role."""

    def why_outside(self, roles: Iterable[Role]) -> str:
        """One more sentence for a refusal, where one of `roles` does not count now; else nothing,
        with a space in front."""
        found = [(r, self.outside[r]) for r in sorted(roles) if r in self.outside]
        return "".join(
            f" The role {role} counts only in the user group {group}, and Slack does not show "
            f"{self.name} there."
            for role, group in found
        )

    def has_any_role(self, roles: Iterable[Role]) -> bool:
        """Whether this person holds at least one of `roles`; an empty list is never met."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Everyone of `people.yaml`. Slack accounts and OS logins are matched exactly; MLflow users and
    git e-mails as `same_name` has it."""

    people: Mapping[PersonId, Person]
    service_accounts: frozenset[str] = frozenset()
    roles: frozenset[Role] = frozenset()
    user_groups: Mapping[Role, UserGroup] = field(default_factory=dict)
    """Roles that count only for people who are in a user group of Slack too. A group takes roles
    away and never gives one."""

    def narrowed(
        self, members: Mapping[UserGroup, Collection[str]], roles: Collection[Role]
    ) -> Roster:
        """Everyone as they count when user groups have these members: each of `roles` that a group
        narrows is kept by those alone of whom one Slack account is in it, and by nobody where the
        group's members are not known."""
        groups = {r: g for r, g in self.user_groups.items() if r in roles}
        if not groups:
            return self
        return replace(
            self, people={i: _narrowed(p, groups, members) for i, p in self.people.items()}
        )

    def by_slack(self, account: SlackAccount) -> Person | None:
        """The person who owns a Slack account, or None when nobody does."""
        return next((p for p in self.people.values() if account in p.slack), None)

    def by_claim(self, name: str) -> Person | None:
        """The person whom a name in MLflow or git means; service accounts mean nobody."""
        if self.is_service(name):
            return None
        claimed = same_name(name)
        for person in self.people.values():
            if claimed in {same_name(n) for n in (*person.mlflow_users, *person.git_emails)}:
                return person
        return None

    def is_service(self, name: str) -> bool:
        """Whether a name in MLflow or git is a service account's."""
        return same_name(name) in {same_name(n) for n in self.service_accounts}

    def by_os_login(self, login: str) -> tuple[Person, ...]:
        """Everyone who claims an OS login; only a single answer identifies anybody."""
        return tuple(p for p in self.people.values() if login in p.os_logins)

    def holding(self, role: Role) -> tuple[Person, ...]:
        """Everyone who holds `role`, in order of their ids."""
        return tuple(self.people[i] for i in sorted(self.people) if role in self.people[i].roles)

    def name_of(self, person: PersonId) -> str:
        """The name to show; the id itself for somebody who is no longer in the file."""
        known = self.people.get(person)
        return known.name if known else str(person)


def _narrowed(
    person: Person, groups: Mapping[Role, UserGroup], members: Mapping[UserGroup, Collection[str]]
) -> Person:
    outside = {
        role: groups[role]
        for role in sorted(person.roles & groups.keys())
        if person.slack.isdisjoint(members.get(groups[role], ()))
    }
    if not outside:
        return person
    return replace(person, roles=person.roles.difference(outside), outside=outside)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What Slack says of an account at one moment. None means that Slack did not say.

    Source: Slack's `users.info`. A field that decides and is absent bars the account.
    """

    account: SlackAccount
    deleted: bool | None
    is_bot: bool | None
    is_guest: bool | None
    same_workspace: bool | None
    label: str = field(default="", compare=False)

    def why_barred(self) -> str | None:
        """The reason why this account may not act, or None when it may."""
        if self.deleted is not False:
            return "this Slack account is deactivated" if self.deleted else _UNSAID
        if self.is_bot is not False:
            return "a bot or an app cannot act for a person" if self.is_bot else _UNSAID
        if self.is_guest is not False:
            return "guests of the workspace cannot act" if self.is_guest else _UNSAID
        if self.same_workspace is not True:
            if self.same_workspace is None:
                return _UNSAID
            return "people from another workspace cannot act"
        return None


_UNSAID = "Slack did not say enough about this account"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did something, and how we know. `person` is None for automatic actions."""

    person: PersonId | None
    account: str
    via: str
    """What carried it: `slack`, `command line`, `reconciler`, …"""

    @staticmethod
    def automatic(name: str) -> Actor:
        """Foureyes itself, acting by rule."""
        return Actor(person=None, account="foureyes", via=name)


def people_digest(
    roles: Mapping[PersonId, frozenset[Role]],
    accounts: Mapping[PersonId, frozenset[str]],
    stand_ins: Mapping[PersonId, frozenset[PersonId]] | None = None,
) -> Digest:
    """Of who held which roles and accounts at a moment, and who might stand in for whom: recorded
    then, so that nobody is put among them afterwards unnoticed."""

    def plain(table: Mapping[PersonId, frozenset[str]]) -> Json:
        return [[person, sorted(held)] for person, held in sorted(table.items())]

    return digest_of([plain(roles), plain(accounts), plain(stand_ins or {})])

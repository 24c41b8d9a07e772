"""`people.yaml` as a roster: everybody once, and no account of two people.

Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from governance.adapters.policy_files.document import Document, Path, Plain, as_mapping
from governance.adapters.policy_files.problems import Finding
from governance.adapters.policy_files.schema import NarrowedRole, PeopleFile, PersonPart
from governance.adapters.policy_files.words import Known
from governance.domain.identity import (
    Person,
    PersonId,
    Role,
    Roster,
    SlackAccount,
    UserGroup,
    same_name,
)

_ACCOUNTS = {
    "slack": "Slack account",
    "mlflow_users": "MLflow user",
    "git_emails": "git e-mail",
    "os_logins": "OS login",
}


def declared(document: Document) -> Known:
    """The roles and people that the file names, however wrong the rest of it is."""
    file = as_mapping(document.value)
    roles = file.get("roles")
    named = _names(roles) if isinstance(roles, tuple) else None
    people = file.get("people")
    return Known(
        roles=frozenset(named) if named else None,
        people=frozenset(people) if isinstance(people, dict) and people else None,
    )


def _names(roles: tuple[Plain, ...]) -> list[str]:
    found = (as_mapping(r).get("name") if isinstance(r, dict) else r for r in roles)
    return [name for name in found if isinstance(name, str)]


def roster_of(file: PeopleFile) -> Roster:
    """The roster that a valid file describes."""
    narrowed = [r for r in file.roles if isinstance(r, NarrowedRole)]
    return Roster(
        people={PersonId(i): _person(PersonId(i), p) for i, p in sorted(file.people.items())},
        service_accounts=frozenset(file.service_accounts or ()),
        roles=frozenset(Role(r if isinstance(r, str) else r.name) for r in file.roles),
        user_groups={Role(r.name): UserGroup(r.user_group) for r in narrowed},
    )


def _person(person: PersonId, part: PersonPart) -> Person:
    return Person(
        id=person,
        name=part.name,
        roles=frozenset(Role(r) for r in part.roles or ()),
        slack=frozenset(SlackAccount(a) for a in part.slack or ()),
        mlflow_users=frozenset(part.mlflow_users or ()),
        git_emails=frozenset(part.git_emails or ()),
        os_logins=frozenset(part.os_logins or ()),
        stand_ins=frozenset(PersonId(p) for p in part.stand_ins or ()),
        working_hours=part.working_hours,
    )


def shared_accounts(document: Document) -> Iterator[Finding]:
    """Every account that would mean two people, or a person and a service account.

    Reads the document rather than the valid file, so that these are reported with the rest.
    MLflow users and git e-mails are one space: both are what a version's author is found by.
    """
    file = as_mapping(document.value)
    owners: dict[tuple[str, str], tuple[str, str]] = {}
    names: dict[str, str] = {}
    for person, part in as_mapping(file.get("people", "")).items():
        names.setdefault(same_name(person), person)
        for kind, called in _ACCOUNTS.items():
            accounts = as_mapping(part).get(kind)
            for number, account in enumerate(accounts if isinstance(accounts, tuple) else ()):
                if not isinstance(account, str):
                    continue
                path: Path = ("people", person, kind, number)
                names.setdefault(same_name(account), person)
                owner, as_kind = owners.setdefault(_space(kind, account), (person, called))
                if owner != person:
                    yield document.finding(
                        path,
                        f"the {called} `{account}` is already the {as_kind} of {owner}",
                        "An account belongs to one person; delete it from one of the two",
                    )
    services = file.get("service_accounts")
    for number, service in enumerate(services if isinstance(services, tuple) else ()):
        if isinstance(service, str) and same_name(service) in names:
            yield document.finding(
                ("service_accounts", number),
                f"`{service}` is a service account and also belongs to {names[same_name(service)]}",
                "A service account is nobody; delete it here or there",
            )


def own_stand_ins(document: Document) -> Iterator[Finding]:
    """Whoever would stand in for themselves."""
    people = as_mapping(as_mapping(document.value).get("people", ""))
    for person, part in people.items():
        stand_ins = as_mapping(part).get("stand_ins")
        for number, stand_in in enumerate(stand_ins if isinstance(stand_ins, tuple) else ()):
            if stand_in == person:
                yield document.finding(
                    ("people", person, "stand_ins", number),
                    f"{person} cannot stand in for themselves",
                    "Name somebody else, or delete the line",
                )


def _space(kind: str, account: str) -> tuple[str, str]:
    if kind in {"mlflow_users", "git_emails"}:
        return ("claim", same_name(account))
    return (kind, account)

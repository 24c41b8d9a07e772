"""Who sits at the command line, by what the operating system enforces, never by `$USER`.

Knows user ids and people.yaml; decides nothing about what a person may do.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from governance.domain.errors import Refused
from governance.domain.identity import Actor, Roster

VIA = "command line"


@dataclass(frozen=True, kw_only=True)
class OsLogin:
    """The login of this process."""

    uid: int
    name: str


def current_login() -> OsLogin:
    """The login that owns this process.

    Raises:
        Refused: `no_login` when the system has no name for the user id.
    """
    uid = os.getuid()
    try:
        return OsLogin(uid=uid, name=pwd.getpwuid(uid).pw_name)
    except KeyError:
        raise Refused(
            "no_login", f"This system has no login for the user id {uid}, so nobody can be named."
        ) from None


def actor_for_record(roster: Roster, login: OsLogin) -> Actor:
    """Who the record names for what an operator does: the login, and the person if one is meant.
    Root and service logins are written down as themselves."""
    people = () if _is_shared(roster, login) else roster.by_os_login(login.name)
    person = people[0].id if len(people) == 1 else None
    return Actor(person=person, account=login.name, via=VIA)


def person_at_command_line(roster: Roster, login: OsLogin) -> Actor:
    """The one person whom this login means, for what only a person may do.

    Raises:
        Refused: `no_person` for root, a service login, a login of nobody or of several people.
    """
    if login.uid == 0:
        raise Refused(
            "no_person",
            "root is nobody in particular, so it cannot act as a person. Run this from your own "
            "login.",
        )
    if login.name in roster.service_accounts:
        raise Refused(
            "no_person",
            f"{login.name} is a service account, so it cannot act as a person. Run this from your "
            "own login.",
        )
    people = roster.by_os_login(login.name)
    if not people:
        raise Refused(
            "no_person",
            f"The login {login.name} belongs to nobody in people.yaml (os_logins). A platform "
            "engineer can add it there.",
        )
    if len(people) > 1:
        names = " and ".join(p.name for p in people)
        raise Refused(
            "no_person",
            f"The login {login.name} belongs to {names}, so it does not say who is acting. Run "
            "this from a login of your own.",
        )
    return Actor(person=people[0].id, account=login.name, via=VIA)


def _is_shared(roster: Roster, login: OsLogin) -> bool:
    return login.uid == 0 or login.name in roster.service_accounts

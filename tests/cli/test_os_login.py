"""Who is acting at the command line: one person, or nobody."""

from __future__ import annotations

import pytest

from bot.os_login import OsLogin, actor_for_record, person_at_command_line
from governance.domain.errors import Refused
from governance.domain.identity import Person, PersonId, Role, Roster


def a_roster() -> Roster:
    """Otto alone owns otto; two people claim shared; root and ci are claimed in vain."""

    def person(name: str, *logins: str) -> Person:
        return Person(
            id=PersonId(name),
            name=name.title(),
            roles=frozenset({Role("on_call")}),
            os_logins=frozenset(logins),
        )

    people = (person("otto", "otto", "shared"), person("ana", "shared", "root", "ci"))
    return Roster(people={p.id: p for p in people}, service_accounts=frozenset({"ci"}))


def test_a_login_of_one_person_is_that_person() -> None:
    """The record says how the person was known."""
    actor = person_at_command_line(a_roster(), OsLogin(uid=1000, name="otto"))
    assert (actor.person, actor.account, actor.via) == ("otto", "otto", "command line")


@pytest.mark.parametrize(
    ("login", "why"),
    [
        (OsLogin(uid=0, name="root"), "root is nobody in particular"),
        (OsLogin(uid=0, name="otto"), "root is nobody in particular"),
        (OsLogin(uid=1001, name="ci"), "ci is a service account"),
        (OsLogin(uid=1002, name="nobody"), "belongs to nobody in people.yaml"),
        (OsLogin(uid=1003, name="shared"), "belongs to Otto and Ana"),
    ],
)
def test_a_login_that_names_no_single_person_is_refused(login: OsLogin, why: str) -> None:
    """Root, services, strangers and shared logins cannot act as a person."""
    with pytest.raises(Refused, match=why):
        person_at_command_line(a_roster(), login)


@pytest.mark.parametrize("login", [OsLogin(uid=0, name="root"), OsLogin(uid=1001, name="ci")])
def test_an_operator_without_a_person_is_recorded_as_the_login(login: OsLogin) -> None:
    """Loading policies is an operator's work; the record names the login and no person."""
    actor = actor_for_record(a_roster(), login)
    assert (actor.person, actor.account) == (None, login.name)

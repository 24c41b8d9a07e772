"""A user group takes roles away and never gives one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from governance.domain.identity import Role, Roster, SlackAccount, UserGroup
from tests.builders import PEOPLE, a_person, a_roster

RISK, VALIDATOR = Role("risk"), Role("validator")
OFFICERS, CHECKERS = UserGroup("S0RISK"), UserGroup("@checkers")
ACCOUNTS = sorted({str(a) for p in PEOPLE for a in p.slack} | {"U0STRANGER"})


def grouped() -> Roster:
    """Risk and validator are narrowed, on_call is not."""
    return replace(a_roster(), user_groups={RISK: OFFICERS, VALIDATOR: CHECKERS})


@given(
    st.dictionaries(
        st.sampled_from([OFFICERS, CHECKERS, UserGroup("S0OTHER")]),
        st.sets(st.sampled_from(ACCOUNTS)),
    ),
    st.sets(st.sampled_from([RISK, VALIDATOR, Role("on_call"), Role("nobody_holds")])),
)
def test_a_group_only_ever_narrows(members: dict[UserGroup, set[str]], roles: set[Role]) -> None:
    """Whoever is in it: nobody gains a role, only roles that were asked about and are narrowed are
    lost, and nobody comes or goes."""
    before, after = grouped(), grouped().narrowed(members, roles)
    assert after.people.keys() == before.people.keys()
    for person, now in after.people.items():
        held = before.people[person]
        assert now.roles <= held.roles
        lost = held.roles - now.roles
        assert lost <= roles & before.user_groups.keys()
        assert lost == now.outside.keys()
        for role in held.roles & roles & before.user_groups.keys():
            inside = bool(held.slack & members.get(before.user_groups[role], set()))
            assert (role in now.roles) == inside


def test_a_group_that_nobody_told_of_takes_the_role_from_everybody() -> None:
    """What is not known does not count."""
    after = grouped().narrowed({}, [RISK])
    assert after.holding(RISK) == ()
    assert [p.id for p in after.holding(VALIDATOR)] == ["ana", "rosa", "vera"]


def test_one_account_in_the_group_is_enough() -> None:
    """People are persons, not accounts."""
    twice = replace(
        a_person("raj", "risk"), slack=frozenset({SlackAccount("U0RAJ"), SlackAccount("U0RAJ2")})
    )
    roster = replace(a_roster(twice), user_groups={RISK: OFFICERS})
    assert roster.narrowed({OFFICERS: {"U0RAJ2"}}, [RISK]).holding(RISK)


def test_a_role_that_does_not_count_is_named_with_its_group() -> None:
    """So that the person knows whom to ask."""
    raj = grouped().narrowed({OFFICERS: set()}, [RISK]).people[PEOPLE[3].id]
    assert raj.why_outside([RISK]) == (
        " The role risk counts only in the user group S0RISK, and Slack does not show Raj there."
    )
    assert raj.why_outside([VALIDATOR]) == ""

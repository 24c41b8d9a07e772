"""What a person may do with a model is what the rules for voting and rolling back would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.domain.evidence import Stage
from governance.domain.identity import PersonId, Role
from governance.domain.policy import BreakGlassRule
from governance.domain.powers import Deed, Power, powers_of
from tests.builders import a_person, a_policy

ROLES = ("validator", "risk", "on_call", "data_scientist")


def power(found: tuple[Power, ...], deed: Deed, stage: Stage | None = None) -> Power:
    """The one about this deed."""
    (only,) = [p for p in found if p.deed is deed and p.stage is stage]
    return only


def test_a_validator_approves_and_does_not_roll_back() -> None:
    """And reads of which role they would need one."""
    found = powers_of(a_person("ana", "validator"), a_policy())
    approve = power(found, Deed.APPROVE, Stage.PRODUCTION)
    assert (approve.granted, approve.roles) == (True, ("validator",))
    roll_back = power(found, Deed.ROLL_BACK)
    assert (roll_back.granted, roll_back.roles) == (False, ("on_call",))


def test_nobody_approves_where_no_approval_is_asked() -> None:
    """Staging has no seats, so it is asked for and nothing more."""
    found = powers_of(a_person("ana", "validator"), a_policy())
    assert [p.deed for p in found if p.stage is Stage.STAGING] == [Deed.ASK]


@pytest.mark.parametrize("may", [True, False])
def test_an_owner_approves_only_where_the_policy_lets_owners(may: bool) -> None:
    """Whatever their role."""
    owned = replace(a_policy(), owners=frozenset({PersonId("ana")}), owners_may_approve=may)
    approve = power(powers_of(a_person("ana", "validator"), owned), Deed.APPROVE, Stage.PRODUCTION)
    assert (approve.granted, approve.is_barred_owner) == (may, not may)


@given(st.sets(st.sampled_from(ROLES)))
def test_powers_are_granted_by_roles_that_the_policy_names(roles: set[str]) -> None:
    """Never by another, and what is not granted names only roles that they lack."""
    person = a_person("ana", *roles)
    for found in powers_of(person, a_policy()):
        if found.deed is Deed.ASK:
            assert found.granted
        elif found.granted:
            assert found.roles
            assert set(found.roles) <= person.roles
        else:
            assert set(found.roles).isdisjoint(person.roles)
    asked = power(powers_of(person, a_policy()), Deed.APPROVE, Stage.PRODUCTION)
    assert asked.granted == person.has_any_role([Role("validator"), Role("risk")])


def test_breaking_glass_is_spoken_of_only_where_the_policy_lets_somebody() -> None:
    """By its own roles."""
    ana = a_person("ana", "validator")
    assert Deed.BREAK_GLASS not in {p.deed for p in powers_of(ana, a_policy())}
    rule = BreakGlassRule(roles=frozenset({Role("on_call")}), review_within=timedelta(hours=1))
    glass = replace(a_policy(), break_glass=rule)
    refused = power(powers_of(ana, glass), Deed.BREAK_GLASS)
    assert (refused.granted, refused.roles) == (False, ("on_call",))
    assert power(powers_of(a_person("otto", "on_call"), glass), Deed.BREAK_GLASS).granted

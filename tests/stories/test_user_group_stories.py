"""A role that a user group narrows counts only inside the group: when somebody acts, and again when
the version is moved. While Slack does not say, nothing is counted and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.domain.approval import Verdict
from governance.domain.errors import Refused, Unavailable
from governance.domain.identity import Role, UserGroup
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from governance.use_cases.grouped import rules_shown
from tests.stories.desk import Desk

OFFICERS = "S0RISK"


@pytest.fixture
def grouped(desk: Desk) -> Desk:
    """Risk officers and whoever rolls back have to be in their groups; Raj and Otto are."""
    roster = desk.rules.rules.roster
    groups = {Role("risk"): UserGroup(OFFICERS), Role("on_call"): UserGroup("S0CALL")}
    desk.rules.rules = replace(desk.rules.rules, roster=replace(roster, user_groups=groups))
    desk.accounts.groups = {OFFICERS: {"U0RAJ"}, "S0CALL": {"U0OTTO"}}
    return desk


def test_whoever_is_in_the_group_votes(grouped: Desk) -> None:
    """As without it."""
    request = grouped.promote()
    grouped.vote(request, "ana")
    grouped.vote(request, "raj")
    grouped.push_on()
    assert grouped.production() == (4,)


def test_whoever_is_not_in_the_group_is_told_so(grouped: Desk) -> None:
    """Recorded as every refusal; the role of people.yaml alone is not enough."""
    grouped.accounts.groups[OFFICERS] = set()
    request = grouped.promote()
    with pytest.raises(Refused, match="counts only in the user group S0RISK") as refused:
        grouped.vote(request, "raj")
    assert refused.value.code == "no_seat"
    assert grouped.kinds()[-1] == EventKind.DECISION_REFUSED.value


def test_a_group_gives_nobody_a_role(grouped: Desk) -> None:
    """Dana's friends put Otto into the group: he is no risk officer of people.yaml."""
    grouped.accounts.groups[OFFICERS] = {"U0OTTO", "U0MALLORY"}
    request = grouped.promote()
    with pytest.raises(Refused, match="is none"):
        grouped.vote(request, "otto")


def test_another_role_of_the_same_person_still_counts(grouped: Desk) -> None:
    """Rosa is outside the risk officers, and a validator all the same."""
    request = grouped.promote()
    counted = grouped.vote(request, "rosa")
    with grouped.store.read() as tx:
        (decision,) = tx.decisions(counted.id)
    assert decision.roles == {Role("validator")}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_vote_waits_while_slack_does_not_say(grouped: Desk, verdict: Verdict) -> None:
    """Not counted and not refused: whoever carries it tries again."""
    request = grouped.promote()
    before = grouped.kinds()
    grouped.accounts.groups_are_down = True
    with pytest.raises(Unavailable):
        grouped.vote(request, "raj", verdict, "because")
    assert grouped.kinds() == before
    grouped.accounts.groups_are_down = False
    grouped.vote(request, "raj", verdict, "because")
    assert EventKind.DECISION_MADE.value in grouped.kinds()


def test_who_left_the_group_before_execution_does_not_count(grouped: Desk) -> None:
    """MLflow was down when both had approved; the vote is void, the request is not."""
    request = grouped.promote()
    grouped.vote(request, "ana")
    grouped.vote(request, "raj")
    grouped.accounts.groups[OFFICERS] = set()
    grouped.push_on()
    back = grouped.request(request.id)
    assert back.state is State.PENDING
    assert grouped.production() == (3,)
    (voided,) = [e for e in grouped.events() if e["kind"] == EventKind.VOTES_VOIDED.value]
    assert "user group S0RISK" in str(voided["why"])
    grouped.accounts.groups[OFFICERS] = {"U0RAJ"}
    grouped.vote(request, "raj")
    grouped.push_on()
    assert grouped.production() == (4,)


def test_execution_waits_while_slack_does_not_say_who_is_in_the_group(grouped: Desk) -> None:
    """Both had approved; the version is moved once Slack answers."""
    request = grouped.promote()
    grouped.vote(request, "ana")
    grouped.vote(request, "raj")
    grouped.accounts.groups_are_down = True
    grouped.push_on()
    assert grouped.request(request.id).state is State.APPROVED
    assert grouped.production() == (3,)
    grouped.accounts.groups_are_down = False
    grouped.push_on()
    assert grouped.production() == (4,)


def test_who_left_the_group_rolls_nothing_back(grouped: Desk) -> None:
    """And reads which group it is about."""
    grouped.promoted()
    grouped.accounts.groups["S0CALL"] = set()
    with pytest.raises(Refused, match="counts only in the user group S0CALL") as refused:
        grouped.offer()
    assert refused.value.code == "may_not_roll_back"
    with pytest.raises(Refused, match="S0CALL"):
        grouped.roll_back()
    grouped.accounts.groups["S0CALL"] = {"U0OTTO"}
    grouped.roll_back()
    assert grouped.production() == (3,)


def test_without_groups_nobody_asks_slack_for_any(desk: Desk) -> None:
    """No scope is needed, and a vote costs no call more."""
    desk.promoted()
    desk.roll_back()
    assert rules_shown(desk.world) == desk.rules.rules
    assert desk.accounts.groups_asked == 0

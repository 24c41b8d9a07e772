"""User groups over Slack's own wire: who is in one is asked when it counts, and the answer fails
closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.directory import SlackAccounts
from governance.domain.errors import Unavailable
from governance.domain.identity import Role, UserGroup
from governance.domain.promotion import State
from governance.use_cases.attention import look_after
from tests.bot.office import Office, open_office
from tests.bot.test_attention import REMINDING
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL

BY_ID, BY_HANDLE = UserGroup("S0RISK"), UserGroup("@risk-officers")


def narrowed(office: Office, *members: str, named: UserGroup = BY_ID) -> None:
    """Risk officers have to be in the group, which has these members."""
    office.slack.add_user_group("S0RISK", members, handle="@risk-officers")
    rules = office.desk.rules
    roster = replace(rules.rules.roster, user_groups={Role("risk"): named})
    rules.rules = replace(rules.rules, roster=roster)


@pytest.mark.parametrize("named", [BY_ID, BY_HANDLE])
def test_members_are_those_that_slack_shows_now(office: Office, named: UserGroup) -> None:
    """By id or handle; nobody of a group that is disabled or not there."""
    accounts = SlackAccounts(office.client)
    office.slack.add_user_group("S0RISK", ["raj", "rosa"], handle="@risk-officers")
    assert accounts.members(named) == {"U0RAJ", "U0ROSA"}
    office.slack.add_user_group("S0RISK", ["raj"], handle="@risk-officers")
    assert accounts.members(named) == {"U0RAJ"}
    office.slack.set_flags("raj", deleted=True)
    assert accounts.members(named) == set()
    office.slack.set_flags("raj", deleted=False)
    office.slack.disable_user_group("S0RISK")
    assert accounts.members(named) == set()
    assert accounts.members(UserGroup("S0NOTHING")) == set()


@pytest.mark.parametrize("named", [BY_ID, BY_HANDLE])
def test_slack_that_does_not_answer_is_told_with_its_reason(
    office: Office, named: UserGroup
) -> None:
    """And with the seconds that it asked for."""
    accounts = SlackAccounts(office.client)
    office.slack.add_user_group("S0RISK", ["raj"], handle="@risk-officers")
    method = "usergroups.users.list" if named == BY_ID else "usergroups.list"
    office.slack.rate_limit_next(method, retry_after_seconds=17)
    with pytest.raises(Unavailable) as waits:
        accounts.members(named)
    assert waits.value.retry_after_seconds == 17
    office.slack.leave_paid_plan()
    with pytest.raises(Unavailable, match="plan has no user groups"):
        accounts.members(named)


def test_an_app_without_the_scope_counts_nobody(tmp_path: Path, database_url: str) -> None:
    """The person reads that it is stored and tried again, and why."""
    with open_office(database_url, tmp_path / "heads", more_scopes=()) as office:
        narrowed(office, "raj")
        request = office.desk.promote()
        office.conversation.send_due()
        office.person("raj").click(office.request(), "Approve")
        office.reads("raj", "lacks the scope usergroups:read")
        with office.desk.store.read() as tx:
            assert tx.decisions(request.id) == ()


def test_a_vote_is_counted_once_slack_says_who_is_in_the_group(office: Office) -> None:
    """Clicked once, stored, tried again."""
    narrowed(office, "raj")
    request = office.desk.promote()
    office.conversation.send_due()
    office.slack.fail_next("usergroups.users.list", "internal_error")
    # The question whether to ask him was answered already, and is kept for a minute.
    office.person("raj").click(office.request(), "Approve")
    office.reads("raj", "What you did is stored and is tried again")
    for _time in range(4):
        office.desk.clock.advance(seconds=5)
        office.conversation.work_off()
    with office.desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["raj"]


def test_who_is_in_no_group_is_neither_asked_nor_counted(office: Office) -> None:
    """Raj is a risk officer of people.yaml alone: no message, nothing in Home, no vote."""
    narrowed(office, "rosa")
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    office.reads("rosa", "asks for your decision")
    office.person("raj").open_home()
    office.home("raj", "Nothing waits for you")
    raj = office.person("raj")
    assert not [m for m in raj.direct_messages() if "asks for your decision" in raj.sees(m)]
    raj.click(message, "Approve")
    office.reads("raj", "counts only in the user group S0RISK")
    raj.type(CHANNEL, "/foureyes")
    office.reads("raj", "risk: only in the user group S0RISK, where Slack does not show you")
    office.person("ana").click(office.request(), "Approve")
    office.slack.wait_for(lambda: "1 of 2" in raj.sees(office.request()))
    office.person("rosa").click(office.request(), "Approve")
    office.reads("dana", "completed")
    assert office.desk.production() == (4,)


def test_whoever_joins_the_group_is_asked_in_home_within_a_minute(office: Office) -> None:
    """What is shown may be a minute old; what counts is asked at once."""
    narrowed(office)
    request = office.desk.promote()
    office.person("raj").open_home()
    office.home("raj", "Nothing waits for you")
    office.slack.add_user_group("S0RISK", ["raj"], handle="@risk-officers")
    office.desk.clock.advance(seconds=61)
    office.person("raj").click(office.home("raj", "v4 → Production"), "Approve")
    office.home("raj", "Nothing waits for you")
    with office.desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["raj"]
    assert office.desk.request(request.id).state is State.PENDING


def test_whoever_joins_the_group_is_asked_by_a_direct_message_too(office: Office) -> None:
    """The ticker that looks after requests sees it within a minute."""
    narrowed(office)
    accounts = SlackAccounts(office.client, elapsed=office.desk.world.elapsed)
    world = replace(office.desk.world, accounts=accounts)
    office.desk.promote()
    office.conversation.send_due()
    office.reads("rosa", "asks for your decision")
    assert look_after(world, REMINDING) == []
    raj = office.person("raj")
    assert not raj.direct_messages()
    office.slack.add_user_group("S0RISK", ["raj"], handle="@risk-officers")
    office.desk.clock.advance(seconds=61)
    assert look_after(world, REMINDING) == []
    office.conversation.send_due()
    office.reads("raj", "asks for your decision")
    rosa = office.person("rosa")
    assert len([m for m in rosa.direct_messages() if "asks for" in rosa.sees(m)]) == 1

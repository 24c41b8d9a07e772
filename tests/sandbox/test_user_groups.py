"""User groups on the wire: who is in them, who is not told of them, and whom they notify."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.sandbox import RunningServer, Workspace
from tests.sandbox.stage import CHANNEL, error_of

RISK = "S0RISK"


@pytest.fixture
def group(workspace: Workspace) -> str:
    return workspace.add_user_group(RISK, ["ana", "raj"], handle="risk-officers")


def test_members_are_listed_in_order(client: WebClient, workspace: Workspace, group: str) -> None:
    """By their ids, whoever was named by a handle."""
    ids = [workspace.as_person(handle).id for handle in ("ana", "raj")]
    assert client.usergroups_users_list(usergroup=group)["users"] == ids
    workspace.add_user_group(group, ["raj"], handle="risk-officers")
    assert client.usergroups_users_list(usergroup=group)["users"] == ids[1:]


def test_a_deactivated_account_is_in_no_group(
    client: WebClient, workspace: Workspace, group: str
) -> None:
    """Slack takes whoever leaves out of every group."""
    workspace.set_flags("raj", deleted=True)
    ana = workspace.as_person("ana").id
    assert client.usergroups_users_list(usergroup=group)["users"] == [ana]
    [listed] = client.usergroups_list(include_users=True, include_count=True)["usergroups"]
    assert (listed["users"], listed["user_count"]) == ([ana], 1)


def test_members_and_their_number_are_listed_only_when_asked_for(
    client: WebClient, group: str
) -> None:
    """What was not asked for is absent, not empty."""
    [listed] = client.usergroups_list()["usergroups"]
    assert (listed["id"], listed["handle"], listed["name"]) == (
        group,
        "risk-officers",
        "Risk officers",
    )
    assert not {"users", "user_count"} & set(listed)
    [counted] = client.usergroups_list(include_count=True)["usergroups"]
    assert counted["user_count"] == 2
    assert "users" not in counted


def test_a_disabled_group_is_told_only_to_who_asks_for_it(
    client: WebClient, workspace: Workspace, group: str
) -> None:
    """It keeps its members, and says when it was switched off."""
    workspace.disable_user_group(group)
    assert client.usergroups_list()["usergroups"] == []
    assert error_of(client, "usergroups.users.list", usergroup=group) == "no_such_subteam"
    [listed] = client.usergroups_list(include_disabled=True)["usergroups"]
    assert listed["date_delete"] > 0
    assert len(client.usergroups_users_list(usergroup=group, include_disabled=True)["users"]) == 2


def test_a_workspace_on_the_free_plan_has_no_groups(
    client: WebClient, workspace: Workspace, group: str
) -> None:
    """Both methods say that it takes a paid plan."""
    workspace.leave_paid_plan()
    assert error_of(client, "usergroups.list") == "plan_upgrade_required"
    assert error_of(client, "usergroups.users.list", usergroup=group) == "plan_upgrade_required"


def test_a_mention_shows_the_groups_handle(
    client: WebClient, server: RunningServer, group: str
) -> None:
    """As people know it, not by its id."""
    workspace = server.workspace
    where = workspace.state.channels.get(CHANNEL).id
    client.chat_postMessage(channel=where, text=f"<!subteam^{group}> please look")
    [message] = workspace.messages(CHANNEL)
    assert workspace.render_plain(message) == "@risk-officers please look"


def test_two_groups_cannot_have_one_handle(workspace: Workspace, group: str) -> None:
    """A mention would mean both."""
    with pytest.raises(ValueError, match="risk-officers"):
        workspace.add_user_group("S0OTHER", [], handle="@risk-officers")

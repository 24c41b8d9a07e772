"""`foureyes doctor` and Slack: every finding against a workspace on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.doctor_slack import examine_slack
from bot.finding import Finding, Level
from bot.manifest import BOT_SCOPES
from bot.sandbox import RunningServer, Workspace, serve
from bot.settings import Secret
from governance.adapters.policy_files import load_rules
from governance.domain.identity import Role, UserGroup
from tests.cli.program import POLICIES

CHANNEL = "#credit-models"


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A workspace with the channel that the shipped policy names."""
    workspace = Workspace()
    workspace.add_person("dana")
    workspace.add_channel(CHANNEL, members=["dana"])
    with serve(workspace) as running:
        yield running


def examined(
    server: RunningServer,
    *,
    bot_token: str | None = None,
    app_token: str | None = None,
    user_group: str | None = None,
) -> dict[str, Finding]:
    """What is found, by what it is about."""
    rules = load_rules(POLICIES)
    if user_group is not None:
        groups = {Role("risk"): UserGroup(user_group)}
        rules = replace(rules, roster=replace(rules.roster, user_groups=groups))
    findings = examine_slack(
        api_url=server.api_url,
        bot_token=Secret(bot_token or server.bot_token),
        app_token=Secret(app_token or server.app_token),
        rules=rules,
    )
    return {finding.about: finding for finding in findings}


def test_a_workspace_that_is_set_up_is_fine(server: RunningServer) -> None:
    """Tokens, scopes and the channel: nothing to do."""
    found = examined(server)
    assert {f.level for f in found.values()} == {Level.FINE}
    assert set(found) == {"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "scopes", f"channel {CHANNEL}"}


def test_exchanged_and_unknown_tokens_are_told_apart_from_an_outage(server: RunningServer) -> None:
    """Slack's own word, and what to do about it."""
    found = examined(server, bot_token="xoxb-unknown", app_token=server.bot_token)
    assert found["SLACK_BOT_TOKEN"].found == "Slack says invalid_auth"
    assert found["SLACK_APP_TOKEN"].found == "Slack says not_allowed_token_type"
    assert "exchanged" in found["SLACK_APP_TOKEN"].remedy


def test_a_channel_without_the_bot_is_named(server: RunningServer) -> None:
    """With what to type."""
    server.workspace.remove_bot(CHANNEL)
    found = examined(server)[f"channel {CHANNEL}"]
    assert (found.level, found.found) == (Level.WRONG, "the bot is not a member")
    assert "/invite" in found.remedy


def test_an_archived_channel_is_named(server: RunningServer) -> None:
    """Messages to it would never arrive."""
    server.workspace.archive(CHANNEL)
    assert examined(server)[f"channel {CHANNEL}"].found == "archived"


def test_a_slack_that_does_not_answer_is_no_wrong_token() -> None:
    """The advice is about the network."""
    findings = list(
        examine_slack(
            api_url="http://127.0.0.1:9/api/",
            bot_token=Secret("xoxb-1"),
            app_token=Secret("xapp-1"),
            rules=None,
        )
    )
    assert {f.about for f in findings} == {"Slack"}
    assert all("SLACK_API_URL" in f.remedy for f in findings)


def test_a_finding_fits_a_terminal_and_obeys_nobody() -> None:
    """80 columns; control characters are shown, not obeyed."""
    finding = Finding(
        level=Level.WRONG, about="x", found="a long word \x1b[2J " * 12, remedy="Do it."
    )
    lines = finding.text().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "\x1b" not in finding.text()
    assert lines[-1] == "         → Do it."


@pytest.mark.parametrize("named", ["S0RISK", "@risk-officers"])
def test_a_user_group_that_narrows_a_role_is_looked_for(server: RunningServer, named: str) -> None:
    """There, not there any more, or not in the plan."""
    server.workspace.add_user_group("S0RISK", ["dana"], handle="@risk-officers")
    found = examined(server, user_group=named)[f"user group {named}"]
    assert (found.level, found.found) == (Level.FINE, "1 members")
    server.workspace.disable_user_group("S0RISK")
    found = examined(server, user_group=named)[f"user group {named}"]
    assert (found.level, found.found.split(",")[0]) == (Level.WRONG, "not there")
    server.workspace.leave_paid_plan()
    found = examined(server, user_group=named)["user groups"]
    assert found.found == "Slack says plan_upgrade_required"


def test_the_scope_for_user_groups_is_missed_only_where_one_is_named() -> None:
    """Least privilege for everybody else."""
    workspace = Workspace(scopes=BOT_SCOPES)
    workspace.add_channel(CHANNEL)
    with serve(workspace) as server:
        assert "user groups" not in examined(server)
        missed = examined(server, user_group="S0RISK")["user groups"]
    assert missed.level is Level.WRONG
    assert "usergroups:read" in missed.found
    assert "--user-groups" in missed.remedy

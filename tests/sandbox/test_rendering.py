"""What people see of a message, and whom it notifies."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.sandbox import Message, Pings, Workspace, message_pings, pings, render_mrkdwn, unescape
from bot.sandbox.json_values import JsonObject
from bot.sandbox.rendering import render_plain
from tests.sandbox.stage import CHANNEL


def shown(text: str, tz: str = "UTC") -> str:
    return render_mrkdwn(text, names=lambda some_id: f"name-of-{some_id}", tz=tz)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi <@U1>", Pings(users=frozenset({"U1"}))),
        ("hi <@U1|dana> and <@U2>", Pings(users=frozenset({"U1", "U2"}))),
        ("<!channel>", Pings(channel_wide=frozenset({"channel"}))),
        ("<!here|here> <!everyone>", Pings(channel_wide=frozenset({"here", "everyone"}))),
        ("<!subteam^S1|@risk>", Pings(groups=frozenset({"S1"}))),
        ("&lt;@U1&gt; &lt;!channel&gt; @dana", Pings()),
        ("<https://x.example|@channel>", Pings()),
    ],
)
def test_only_unescaped_mentions_notify(text: str, expected: Pings) -> None:
    """What was escaped is text, whatever it spells."""
    assert pings(text) == expected
    assert bool(pings(text)) is (expected != Pings())


def test_mentions_in_plain_text_notify_nobody() -> None:
    """Only mrkdwn is read for mentions, in blocks and in text."""
    blocks: tuple[JsonObject, ...] = (
        {"type": "header", "text": {"type": "plain_text", "text": "<@U1>"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "<@U2>"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!here>"}]},
    )
    message = Message(
        channel="C", ts="1", author="B", from_app=True, text="<@U3>", blocks=blocks, is_mrkdwn=False
    )
    assert message_pings(message) == Pings(
        users=frozenset({"U2"}), channel_wide=frozenset({"here"})
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("<@U1> in <#C1|models>", "@name-of-U1 in #models"),
        ("<https://x.example/4|run 4> <https://x.example>", "run 4 https://x.example"),
        ("<!here> <!subteam^S1|@risk>", "@here @risk"),
    ],
)
def test_mrkdwn_reads_as_people_see_it(text: str, expected: str) -> None:
    """Tokens become names and labels; entities become characters, once."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("form", "tz", "expected"),
    [
        ("{date_num} {time}", "UTC", "2025-12-10 14:02"),
        ("{date_num} {time_secs}", "Asia/Tokyo", "2025-12-10 23:02:00"),
        ("until {date_short_pretty} at {time}", "Europe/Amsterdam", "until Dec 10, 2025 at 15:02"),
        ("{date_long}", "UTC", "Wednesday, December 10th, 2025"),
        ("{date}", "Pacific/Kiritimati", "December 11th, 2025"),
    ],
)
def test_dates_are_shown_in_the_readers_zone(form: str, tz: str, expected: str) -> None:
    """Each reader sees the moment in their own time zone."""
    assert shown(f"<!date^1765375320^{form}|fallback>", tz) == expected


def test_unescape_undoes_slacks_three_entities() -> None:
    """No other entity exists in Slack."""
    assert unescape("&lt;&gt;&amp;&quot;") == "<>&&quot;"


def test_message_reads_line_by_line(client: WebClient, workspace: Workspace) -> None:
    """Header, fields, buttons and context as one person sees them."""
    dana = workspace.as_person("dana")
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"asked by <@{dana.id}> &amp; co"},
        "fields": [{"type": "mrkdwn", "text": "AUC 0.92"}],
    }
    button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}}
    client.chat_postMessage(
        channel=CHANNEL,
        text="x",
        blocks=[
            {"type": "header", "text": {"type": "plain_text", "text": "v4 & <b>"}},
            section,
            {"type": "divider"},
            {"type": "actions", "elements": [button]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "1 of 2"}]},
        ],
    )
    [message] = workspace.messages(CHANNEL)
    expected = "v4 & <b>\nasked by @dana & co\nAUC 0.92\n---\n[Approve]\n1 of 2"
    assert dana.sees(message) == workspace.render_plain(message) == expected


def test_text_that_is_no_mrkdwn_keeps_its_tokens() -> None:
    """With mrkdwn switched off only the entities are read."""
    message = Message(
        channel="C", ts="1", author="B", from_app=True, text="<@U1> &amp;", is_mrkdwn=False
    )
    assert render_plain(message, names=str, tz="UTC") == "<@U1> &"

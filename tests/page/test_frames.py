"""What the page is sent: what differs, as spans, for the person who sits there and nobody else."""

from __future__ import annotations

import json
import re
from typing import Any

from slack_sdk import WebClient

from bot.sandbox import Page, RunningServer, Workspace
from bot.sandbox.block_kit.elements import IN_ACTIONS, IN_INPUT, IN_SECTION
from bot.sandbox.block_kit.surface import IN_MESSAGES, IN_MODALS
from bot.sandbox.content import Content
from bot.sandbox.page.screen import MOST_MESSAGES
from bot.sandbox.page.spans import Kind, Style
from tests.page.tab import Tab, open_tab, text_of
from tests.page.test_script import STATIC
from tests.sandbox.stage import CHANNEL


def where(workspace: Workspace) -> str:
    return workspace.state.channels.get(CHANNEL).id


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def test_the_first_frame_tells_who_is_where(tab: Tab) -> None:
    """People with their titles, channels, the app, its commands, and the tour."""
    assert tab.me()["handle"] == "dana"
    assert {p["handle"] for p in tab.around["people"]} == {"dana", "ana", "raj"}
    assert tab.channel("credit-models")["members"] == 4
    assert tab.around["app"]["handle"] == "foureyes"
    assert tab.around["commands"] == [{"name": "/promote", "about": "Ask", "usage": "[model]"}]
    assert [step["title"] for step in tab.around["guide"]["steps"]] == ["Ask", "Break"]


def test_a_frame_holds_only_what_differs(tab: Tab, client: WebClient, workspace: Workspace) -> None:
    """One message more is one message sent."""
    client.chat_postMessage(channel=where(workspace), text="first")
    tab.until(lambda: tab.keys("first"))
    sent: list[Any] = []
    remember = tab.read

    def read(timeout_seconds: float = 5.0) -> None:
        before = dict(tab.messages)
        remember(timeout_seconds)
        sent.extend(key for key in tab.messages if tab.messages[key] is not before.get(key))

    tab.read = read  # type: ignore[method-assign]  # listens in on the same tab
    client.chat_postMessage(channel=where(workspace), text="second")
    [key] = tab.until(lambda: tab.keys("second"))
    assert sent == [key]


def test_a_message_that_is_changed_or_deleted_is_so_on_the_page(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """In place, and without a reload."""
    ts = client.chat_postMessage(channel=where(workspace), text="before")["ts"]
    [key] = tab.until(lambda: tab.keys("before"))
    client.chat_update(channel=where(workspace), ts=ts, text="after")
    assert tab.until(lambda: tab.keys("after")) == [key]
    client.chat_delete(channel=where(workspace), ts=ts)
    tab.until(lambda: key not in tab.messages)


def test_text_arrives_as_spans_and_never_as_markup(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """What a browser would run is text, in mrkdwn and in plain text."""
    evil = "<img src=x onerror=alert(1)>"
    client.chat_postMessage(
        channel=where(workspace),
        text="x",
        blocks=[
            section(evil, "plain_text"),
            section("&lt;script&gt; *bold* <https://a.example|go>"),
        ],
    )
    [key] = tab.until(lambda: tab.keys("onerror"))
    first, second = tab.messages[key]["blocks"]
    assert first["text"]["spans"] == [{"kind": "text", "text": evil}]
    assert [span["text"] for span in second["text"]["spans"]] == ["<script> ", "bold", " ", "go"]
    assert second["text"]["spans"][3]["url"] == "https://a.example"


def test_what_a_button_carries_stays_with_the_workspace(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """The page cannot send another value than the one that the app gave."""
    text = {"type": "plain_text", "text": "Approve"}
    button = {"type": "button", "text": text, "value": "secret-17", "action_id": "approve"}
    client.chat_postMessage(
        channel=where(workspace), text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    [key] = tab.until(lambda: tab.keys("Approve"))
    assert "secret-17" not in json.dumps(tab.messages[key])


def test_what_only_one_person_sees_is_sent_to_nobody_else(
    tab: Tab, server: RunningServer, page: Page, client: WebClient
) -> None:
    """Ephemeral messages and direct messages."""
    workspace = server.workspace
    dana, ana = (workspace.as_person(handle).id for handle in ("dana", "ana"))
    with open_tab(server, page) as other:
        other.be("ana")
        client.chat_postEphemeral(channel=where(workspace), user=dana, text="psst dana")
        client.chat_postMessage(channel=dana, text="dear dana")
        client.chat_postMessage(channel=ana, text="dear ana")
        tab.until(lambda: tab.keys("psst dana") and tab.keys("dear dana"))
        other.until(lambda: other.keys("dear ana"))
        assert not other.keys("psst dana")
        assert not other.keys("dear dana")
        assert not tab.keys("dear ana")
        [psst] = tab.keys("psst dana")
        assert tab.messages[psst]["only_you"]


def test_somebody_else_sees_their_own_screen(tab: Tab, client: WebClient) -> None:
    """Nothing of the person before stays on it."""
    workspace_id = tab.channel("credit-models")["id"]
    client.chat_postEphemeral(channel=workspace_id, user=tab.me()["id"], text="for dana alone")
    tab.until(lambda: tab.keys("for dana alone"))
    tab.be("ana")
    assert not tab.keys("for dana alone")
    tab.be("dana")
    assert tab.until(lambda: tab.keys("for dana alone"))


def test_nobody_can_sit_down_as_the_app_or_as_a_stranger(tab: Tab) -> None:
    """The line goes on, as the person before."""
    for handle in ("foureyes", "nobody", ""):
        tab.send_raw(json.dumps({"do": "be", "person": handle}))
    assert tab.do("press", button="break")["said"] == "Broken."
    assert tab.me()["handle"] == "dana"


def test_unread_marks_count_what_others_wrote_since_one_looked(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """A mention is a number, the rest is bold, and one's own is neither."""
    place, dana = where(workspace), workspace.as_person("dana").id
    workspace.as_person("dana").type(CHANNEL, "mine")
    client.chat_postMessage(channel=place, text="theirs")
    tab.until(lambda: tab.channel("credit-models")["unread"] == 1)
    assert tab.channel("credit-models")["pings"] == 0
    newest = client.chat_postMessage(channel=place, text=f"<@{dana}> look")["ts"]
    tab.until(lambda: tab.channel("credit-models")["pings"] == 1)
    client.chat_postMessage(channel=place, text="<!here> all")
    tab.until(lambda: tab.channel("credit-models")["pings"] == 2)
    tab.do("read", where=place, upto=newest)
    tab.until(lambda: tab.channel("credit-models")["unread"] == 1)
    assert tab.channel("credit-models")["pings"] == 1


def test_a_mention_of_a_group_pings_its_members(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """Nobody else, and nobody when it is switched off."""
    place = where(workspace)
    workspace.add_user_group("S0MINE", ["dana"], handle="mine")
    workspace.add_user_group("S0OTHER", ["raj"], handle="others")
    workspace.add_user_group("S0OFF", ["dana"], handle="off")
    workspace.disable_user_group("S0OFF")
    for group in ("S0MINE", "S0OTHER", "S0OFF"):
        client.chat_postMessage(channel=place, text=f"<!subteam^{group}> look")
    tab.until(lambda: tab.channel("credit-models")["unread"] == 3)
    assert tab.channel("credit-models")["pings"] == 1
    assert tab.keys("@mine")


def test_direct_messages_that_wait_are_shown_beside_each_person(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """So that one knows whom to be next; reading them takes the number away."""
    client.chat_postMessage(channel=workspace.as_person("ana").id, text="please decide")
    tab.until(lambda: tab.person("ana")["waiting"] == 1)
    tab.be("ana")
    [key] = tab.keys("please decide")
    channel, ts = key.split()
    tab.do("read", where=channel, upto=ts)
    tab.until(lambda: tab.person("ana")["waiting"] == 0)


def test_a_hundred_thousand_letters_arrive_whole(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """Three messages as long as Slack takes one are on one screen."""
    for letter in "abc":
        client.chat_postMessage(channel=where(workspace), text=letter * 39_000)
    tab.until(lambda: len(tab.keys("a" * 39_000) + tab.keys("c" * 39_000)) == 2)
    assert sum(len(text_of(message)) for message in tab.messages.values()) > 100_000


def test_a_long_history_is_drawn_from_its_newest_end(tab: Tab, workspace: Workspace) -> None:
    """The page holds what can be looked through."""
    dana = workspace.as_person("dana")
    for number in range(MOST_MESSAGES + 5):
        dana.type(CHANNEL, f"number {number:03}")
    tab.until(lambda: tab.keys(f"number {MOST_MESSAGES + 4:03}"))
    tab.until(lambda: len(tab.messages) == MOST_MESSAGES)
    assert not tab.keys("number 004")


def test_a_picture_is_named_by_where_the_page_finds_it(
    tab: Tab, client: WebClient, workspace: Workspace
) -> None:
    """Below the page's own address."""
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 50
    file_id = client.files_upload_v2(content=png, filename="x.png", alt_txt="a curve")["file"]["id"]
    block = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a curve"}
    client.chat_postMessage(channel=where(workspace), text="a picture", blocks=[block])
    [message] = tab.until(lambda: [m for m in tab.messages.values() if m["blocks"]])
    assert message["blocks"][0]["source"] == f"files/{file_id}"


def test_a_tour_is_part_of_the_frame(tab: Tab) -> None:
    """Also how far the scene is set, and which button breaks something."""
    tour = tab.around["guide"]
    assert (tour["title"], tour["about"], tour["percent"]) == (
        "Try it",
        "You are everybody here.",
        None,
    )
    assert tour["steps"][1]["button"] == {"id": "break", "label": "Break it", "is_danger": False}
    tab.do("press", button="break")
    tab.until(lambda: tab.around["guide"]["steps"][1]["is_done"])


def test_a_block_that_the_wire_would_refuse_reaches_the_page_by_its_name(
    tab: Tab, workspace: Workspace
) -> None:
    """It is shown as what cannot be shown (see the browser's tests), never left out."""
    state = workspace.state
    content = Content(text="x", blocks=({"type": "table", "rows": []},))
    state.put_message(state.channels.get(CHANNEL), content)
    [message] = tab.until(lambda: [m for m in tab.messages.values() if m["blocks"]])
    assert message["blocks"] == [{"type": "table", "rows": []}]


def table_in(script: str, name: str) -> set[str]:
    """The keys of a table in a script."""
    text = (STATIC / script).read_text(encoding="utf-8")
    found = re.search(rf"^const {name} = \{{\n(.*?)^\}};", text, flags=re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return set(re.findall(r"^  (\w+):", found[1], flags=re.MULTILINE))


def test_whatever_the_wire_takes_has_a_drawing() -> None:
    """Every block, element and kind of text that an app may send; nothing is drawn in vain."""
    assert table_in("blocks.js", "BLOCKS") == {*IN_MESSAGES, *IN_MODALS}
    assert table_in("blocks.js", "ELEMENTS") == {*IN_ACTIONS, *IN_SECTION, *IN_INPUT}
    spans = (STATIC / "spans.js").read_text(encoding="utf-8")
    assert set(re.findall(r'case "(\w+)":', spans)) == {kind.value for kind in Kind}
    assert set(re.findall(r"(\w+): \"\w+\"", spans.partition("TAGS = {")[2].partition("}")[0])) == {
        style.value for style in Style
    }

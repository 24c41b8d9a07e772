"""What somebody does on the page: done as that person, at what they saw; or a sentence why not."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.sandbox import Page, RunningServer, Workspace
from bot.sandbox.page.gestures import LONGEST_TYPED
from tests.page.conftest import ShortTour
from tests.page.tab import Tab, open_tab, text_of
from tests.sandbox.stage import CHANNEL, Connect

MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def actions(*labels: str) -> dict[str, Any]:
    """A row of buttons; each carries its label."""
    elements = [
        {
            "type": "button",
            "action_id": label.lower(),
            "value": label,
            "text": {"type": "plain_text", "text": label},
        }
        for label in labels
    ]
    return {"type": "actions", "block_id": "decide", "elements": elements}


@pytest.fixture
def place(workspace: Workspace) -> str:
    return workspace.state.channels.get(CHANNEL).id


def posted(tab: Tab, client: WebClient, place: str, *labels: str) -> str:
    """The key of a message with buttons."""
    client.chat_postMessage(channel=place, text="decide", blocks=[actions(*labels)])
    [key] = tab.until(lambda: tab.keys(labels[0]))
    return key


def test_what_is_typed_is_said_by_whoever_sits_there(
    tab: Tab, workspace: Workspace, place: str
) -> None:
    """Also after sitting down as somebody else."""
    assert tab.do("type", where=place, text="hello") == {"done": 1}
    tab.be("raj")
    tab.do("type", where=place, text="hello yourself")
    said = [(m.author, m.text) for m in workspace.messages(CHANNEL)]
    dana, raj = (workspace.as_person(handle).id for handle in ("dana", "raj"))
    assert said == [(dana, "hello"), (raj, "hello yourself")]


def test_a_reply_goes_into_its_thread(tab: Tab, workspace: Workspace, place: str) -> None:
    """And is drawn there."""
    tab.do("type", where=place, text="a question")
    [key] = tab.until(lambda: tab.keys("a question"))
    tab.do("type", where=place, text="an answer", thread=key)
    [answer] = tab.until(lambda: tab.keys("an answer"))
    assert tab.messages[answer]["thread"] == key.split()[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to send"),
        (" \n", "nothing to send"),
        ("x" * (LONGEST_TYPED + 1), "12001"),
        ("x" * 100_000, "100000"),
    ],
)
def test_what_slack_would_not_send_is_not_sent(
    tab: Tab, workspace: Workspace, place: str, text: str, said: str
) -> None:
    """Nothing, and more than a message holds."""
    assert said in tab.do("type", where=place, text=text)["error"]
    assert workspace.messages(CHANNEL) == []


def test_a_command_reaches_the_app_and_its_answer_the_page(
    tab: Tab, app: App, connect: Connect, place: str
) -> None:
    """The answer is for that person alone."""

    @app.command("/promote")
    def promote(ack: Ack, command: dict[str, Any]) -> None:
        ack(f"asked by {command['user_name']}: {command['text']}")

    connect(app)
    tab.do("type", where=place, text="/promote m 4")
    [key] = tab.until(lambda: tab.keys("asked by dana: m 4"))
    assert tab.messages[key]["only_you"]


def test_a_command_that_nobody_answers_says_so(tab: Tab, place: str) -> None:
    """As Slack does, with the app's error under the composer."""
    assert "/promote" in tab.do("type", where=place, text="/promote m 4")["error"]
    assert "/nothing" in tab.do("type", where=place, text="/nothing")["error"]


def test_a_click_carries_what_its_drawing_carried(
    tab: Tab, app: App, connect: Connect, client: WebClient, place: str
) -> None:
    """Who clicked, which button, and its value."""
    clicked: list[tuple[str, str]] = []

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        clicked.append((body["user"]["username"], action["value"]))
        ack()

    connect(app)
    key = posted(tab, client, place, "Approve", "Reject")
    tab.be("ana")
    assert "error" not in tab.do("click", message=key, element="decide/approve")
    assert clicked == [("ana", "Approve")]


def test_a_click_on_what_is_not_there_any_more_says_so(
    tab: Tab, client: WebClient, workspace: Workspace, place: str
) -> None:
    """A deleted message, an unknown button, a message that this person does not see."""
    key = posted(tab, client, place, "Approve")
    assert "not on the screen" in tab.do("click", message=key, element="decide/other")["error"]
    assert "deleted" in tab.do("click", message="C0 1.2", element="decide/approve")["error"]
    raj = workspace.as_person("raj").id
    client.chat_postMessage(channel=raj, text="private", blocks=[actions("Secret")])
    mine = workspace.as_person("raj").direct_messages()[0]
    hidden = f"{mine.channel} {mine.ts}"
    assert "deleted" in tab.do("click", message=hidden, element="decide/secret")["error"]


def test_a_modal_is_filled_and_submitted(
    tab: Tab, app: App, connect: Connect, client: WebClient, place: str
) -> None:
    """An objection stands under its input; what is accepted closes the form."""
    entered: list[str] = []

    @app.action("reject")
    def reject(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("why")
    def why(ack: Ack, view: dict[str, Any]) -> None:
        text = view["state"]["values"]["why"]["text"]["value"]
        entered.append(text)
        if len(text) < 5:
            ack(response_action="errors", errors={"why": "Say more."})
        else:
            ack()

    connect(app)
    tab.do("click", message=posted(tab, client, place, "Reject"), element="decide/reject")
    view = tab.until(lambda: tab.around["modal"])
    assert (view["title"], view["submit"], view["close"]) == ("Reject", "Send", "Cancel")
    empty = tab.do("submit", view=view["id"], answers={"why/text": None})
    assert "required" in empty["errors"]["why"]
    assert entered == []
    short = tab.do("submit", view=view["id"], answers={"why/text": "no"})
    assert short["errors"] == {"why": "Say more."}
    done = tab.do("submit", view=view["id"], answers={"why/text": "Show me the bads"})
    assert done["errors"] == {}
    tab.until(lambda: tab.around["modal"] is None)
    assert entered == ["no", "Show me the bads"]
    assert "not on the screen" in tab.do("submit", view=view["id"], answers={})["error"]


def test_a_modal_can_be_left(
    tab: Tab, app: App, connect: Connect, client: WebClient, place: str
) -> None:
    """Nothing is submitted."""

    @app.action("reject")
    def reject(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    connect(app)
    tab.do("click", message=posted(tab, client, place, "Reject"), element="decide/reject")
    view = tab.until(lambda: tab.around["modal"])
    tab.do("close", view=view["id"])
    tab.until(lambda: tab.around["modal"] is None)


def test_the_home_is_opened_drawn_and_clicked(
    tab: Tab, app: App, connect: Connect, workspace: Workspace
) -> None:
    """The app hears who opened it, and publishes; a click there says in which view."""
    clicked: list[str] = []

    @app.event("app_home_opened")
    def opened(event: dict[str, Any], client: WebClient) -> None:
        if event["tab"] == "home":
            view = {"type": "home", "blocks": [actions("Approve")]}
            client.views_publish(user_id=event["user"], view=view)

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any]) -> None:
        clicked.append(body["view"]["type"])
        ack()

    connect(app)
    tab.do("open", tab="home")
    home = tab.until(lambda: tab.around["home"])
    assert "Approve" in text_of(home["blocks"])
    tab.do("click", view=home["id"], element="decide/approve", answers={})
    assert clicked == ["home"]
    tab.be("ana")
    assert tab.around["home"] is None


def test_only_ones_own_ephemeral_messages_can_be_dismissed(
    tab: Tab, client: WebClient, workspace: Workspace, place: str
) -> None:
    """A message that everybody sees stays."""
    dana = workspace.as_person("dana")
    client.chat_postEphemeral(channel=place, user=dana.id, text="psst")
    client.chat_postMessage(channel=place, text="for all")
    [psst] = tab.until(lambda: tab.keys("psst"))
    [lasting] = tab.until(lambda: tab.keys("for all"))
    tab.do("dismiss", message=lasting)
    tab.do("dismiss", message=psst)
    tab.until(lambda: psst not in tab.messages)
    assert dana.ephemerals() == []
    assert [m.text for m in workspace.messages(CHANNEL)] == ["for all"]


def test_a_button_of_the_tour_answers_with_a_sentence(tab: Tab, tour: ShortTour) -> None:
    """It belongs to the tour, not to the workspace."""
    assert tab.do("press", button="break") == {"done": 1, "said": "Broken."}
    assert tour.pressed == ["break"]


@pytest.mark.parametrize(
    "gesture",
    [
        {"do": "delete everything"},
        {},
        {"do": None},
        {"do": "type", "where": "C404", "text": "x"},
        {"do": "type", "where": ["#credit-models"], "text": {"a": 1}},
        {"do": "click", "message": 5, "element": []},
        {"do": "click", "view": "V404", "element": "x"},
        {"do": "submit"},
        {"do": "submit", "view": "V404", "answers": [1]},
        {"do": "close"},
    ],
)
def test_a_gesture_that_makes_no_sense_breaks_nothing(tab: Tab, gesture: dict[str, Any]) -> None:
    """It is answered, and the line goes on."""
    tab.send_raw(json.dumps({"id": 900, **gesture}))
    assert tab.do("press", button="break")["said"] == "Broken."


@pytest.mark.parametrize("raw", ["{", "[]", "null", '"x"', "[" * 50_000, "x" * 300_000, "\ud800"])
def test_what_is_no_gesture_is_left_alone(tab: Tab, raw: str) -> None:
    """Whatever a broken script could send."""
    tab.send_raw(raw.encode("utf-8", "replace").decode())
    assert tab.do("press", button="break")["said"] == "Broken."


def test_a_gesture_longer_than_any_hand_makes_is_not_read(
    tab: Tab, workspace: Workspace, place: str
) -> None:
    """However harmless its beginning is."""
    gesture = json.dumps({"id": 1, "do": "type", "where": place, "text": "hidden"})
    tab.send_raw(gesture[:-1] + " " * 200_000 + "}")
    tab.do("type", where=place, text="seen")
    assert [m.text for m in workspace.messages(CHANNEL)] == ["seen"]


def test_a_tab_that_closes_leaves_nothing_behind(
    server: RunningServer, page: Page, tab: Tab, workspace: Workspace, place: str
) -> None:
    """What it was about to do is done, its thread ends, and the others go on."""

    def showing() -> int:
        return sum(thread.name == "sandbox-page" for thread in threading.enumerate())

    before = showing()
    with open_tab(server, page) as other:
        assert showing() == before + 1
        other.send_raw(json.dumps({"id": 1, "do": "type", "where": place, "text": "goodbye"}))
    tab.until(lambda: tab.keys("goodbye"))
    workspace.wait_for(lambda: showing() == before)
    tab.do("type", where=place, text="still here")
    assert workspace.messages(CHANNEL)[-1].text == "still here"

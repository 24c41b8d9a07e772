"""What no story has: strange text, blocks that nobody knows, and a person without a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.sandbox import Page, RunningServer, Workspace, serve
from bot.sandbox.content import Content
from tests.page.conftest import ShortTour
from tests.sandbox.stage import CHANNEL, FAST, bolt_app, connected, furnished
from tests.system.page.conftest import seated
from tests.system.page.seat import PHONE, Screen, Seat

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def page() -> Page:
    return Page(first_person="dana", guide=ShortTour(links=()))


@pytest.fixture
def server(page: Page) -> Iterator[RunningServer]:
    with serve(furnished(Workspace(limits=FAST)), page=page) as running:
        yield running


@pytest.fixture
def seat(browser: Browser, server: RunningServer, page: Page, screen: Screen) -> Iterator[Seat]:
    """A tab that must have complained of nothing."""
    with seated(browser, f"{server.origin}{page.path}", screen) as sat:
        yield sat
        assert sat.trouble == []
        assert sat.too_wide() == []
        assert sat.nameless() == []
        assert sat.too_faint_in_any_light() == []


@pytest.fixture
def app(server: RunningServer) -> Iterator[App]:
    """An app that listens; its listeners are added by the test."""
    made = bolt_app(server)
    with connected(server, made):
        yield made


def section(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def button(label: str, **more: object) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": label.lower(), "text": text, "value": "1", **more}


def post(server: RunningServer, *blocks: dict[str, Any], text: str = "a message") -> None:
    client = WebClient(token=server.bot_token, base_url=server.api_url)
    where = server.workspace.state.channels.get(CHANNEL).id
    client.chat_postMessage(channel=where, text=text, blocks=[*blocks])


def test_what_the_page_does_not_know_is_shown_as_an_error(
    seat: Seat, server: RunningServer
) -> None:
    """By its name, beside the rest of its message: nothing is left out in silence."""
    state = server.workspace.state
    timepicker: dict[str, Any] = {"type": "timepicker"}
    strange: dict[str, Any] = {"type": "actions", "block_id": "b", "elements": [timepicker]}
    table: dict[str, Any] = {"type": "table", "rows": []}
    blocks = (section("before"), table, strange, section("after"))
    state.put_message(state.channels.get(CHANNEL), Content(text="x", blocks=blocks))
    seat.says("after")
    shown = seat.message("before").get_by_role("note").all_inner_texts()
    assert shown == [
        "This page cannot show the block “table”.",
        "This page cannot show the element “timepicker”.",
    ]


@pytest.mark.parametrize(
    "evil",
    [
        "<img src=x onerror=\"document.title='owned'\">",
        "<script>document.title='owned'</script>",
        "\"><svg onload=document.title='owned'>",
        "javascript:document.title='owned'",
        "\u202etxet lived\u202c אבג مرحبا",
    ],
)
def test_strange_text_is_text(seat: Seat, server: RunningServer, evil: str) -> None:
    """Typed by a person, sent by an app, and as somebody's name."""
    server.workspace.add_person("eve", name=evil, title=evil)
    server.workspace.add_to_channel(CHANNEL, "eve")
    server.workspace.as_person("eve").type(CHANNEL, evil)
    escaped = evil.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    post(server, section(evil), section(escaped, "mrkdwn"), section(f"<{escaped}|go>", "mrkdwn"))
    seat.says("go")
    first, second = seat.message("go").locator(".section").all()[:2]
    assert first.inner_text() == second.inner_text() == evil
    assert seat.page.locator("#log :is(script, svg, iframe), #log img:not(.avatar)").count() == 0
    assert seat.page.title().startswith(CHANNEL)


def test_a_hundred_thousand_letters_are_shown_and_the_page_goes_on(
    seat: Seat, server: RunningServer
) -> None:
    """Without a space to break a line at; the newest message is in sight."""
    client = WebClient(token=server.bot_token, base_url=server.api_url)
    where = server.workspace.state.channels.get(CHANNEL).id
    for letter in "abc":
        client.chat_postMessage(channel=where, text=letter * 39_000)
    seat.says("c" * 1000)
    seat.write("still here")
    seat.says("still here")
    assert seat.message("still here").evaluate(
        "shown => shown.getBoundingClientRect().bottom <= innerHeight"
    )


def test_a_message_that_is_too_long_to_send_stays_in_its_field(seat: Seat) -> None:
    """With a sentence why, so that nothing that was written is lost."""
    seat.write("x" * 100_000)
    seat.page.get_by_role("alert").filter(has_text="100000 characters").wait_for()
    assert len(seat.page.locator("#typed").input_value()) == 100_000
    seat.write("short")
    seat.says("short")


def test_what_comes_while_somebody_reads_does_not_move_them(
    seat: Seat, server: RunningServer
) -> None:
    """A button leads to it."""
    for number in range(40):
        post(server, section(f"number {number}\nsecond line"))
    seat.says("number 39")
    seat.page.locator("#log").evaluate("log => log.scrollTop = 0")
    seat.page.wait_for_timeout(200)
    post(server, section("the newest"))
    newer = seat.page.get_by_role("button", name="Newer messages below")
    newer.wait_for()
    assert seat.page.locator("#log").evaluate("log => log.scrollTop") == 0
    seat.press(newer)
    newer.wait_for(state="hidden")
    assert seat.message("the newest").evaluate(
        "shown => shown.getBoundingClientRect().bottom <= innerHeight"
    )


def test_a_room_that_shrinks_keeps_its_newest_message_in_sight(
    seat: Seat, server: RunningServer
) -> None:
    """The tour grows by a sentence, and takes its place on a phone from the conversation."""
    for number in range(30):
        post(server, section(f"number {number}\nsecond line"))
    seat.says("number 29")
    for width in (seat.screen.width, seat.screen.width):
        seat.page.set_viewport_size({"width": width, "height": seat.screen.height - 150})
        post(server, section("while it shrinks"))
        seat.says("while it shrinks")
        seat.page.set_viewport_size({"width": width, "height": seat.screen.height})
    seat.page.wait_for_timeout(200)
    assert seat.page.get_by_role("button", name="Newer messages below").count() == 0
    assert seat.message("while it shrinks").evaluate(
        "shown => shown.getBoundingClientRect().bottom <= innerHeight"
    )


def test_a_dangerous_button_asks_first(seat: Seat, server: RunningServer, app: App) -> None:
    """A dialog of its own; saying no sends nothing."""
    clicked: list[str] = []

    @app.action("stop")
    def stop(ack: Ack, action: dict[str, Any]) -> None:
        clicked.append(action["value"])
        ack()

    confirm = {
        "title": {"type": "plain_text", "text": "Are you sure?"},
        "text": {"type": "plain_text", "text": "This stops it."},
        "confirm": {"type": "plain_text", "text": "Yes, stop it"},
        "deny": {"type": "plain_text", "text": "No"},
        "style": "danger",
    }
    post(server, {"type": "actions", "elements": [button("Stop", confirm=confirm)]})
    seat.press(seat.button("Stop"))
    sure = seat.modal("Are you sure?")
    assert seat.too_faint() == []
    seat.press(sure.get_by_role("button", name="No"))
    seat.modal_is_gone()
    assert clicked == []
    seat.press(seat.button("Stop"))
    seat.press(seat.modal("Are you sure?").get_by_role("button", name="Yes, stop it"))
    seat.modal_is_gone()
    server.workspace.wait_for(lambda: clicked == ["1"])


def test_the_page_says_when_the_workspace_is_gone(seat: Seat, server: RunningServer) -> None:
    """And goes on by itself when it is back: the line breaks, and is there again."""
    seat.page.context.set_offline(True)
    seat.page.evaluate("() => 0")
    seat.page.context.set_offline(False)
    post(server, section("after the break"))
    seat.says("after the break")


def test_everything_can_be_done_with_keys_alone(
    seat: Seat, server: RunningServer, app: App
) -> None:
    """Skip to the message field, say something, be somebody else, press a button, choose in a
    menu, leave with Escape: where the focus is can always be seen."""
    if seat.screen is PHONE:
        seat.page.get_by_role("button", name="Tour").press("Enter")
    done: list[tuple[str, str]] = []

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any]) -> None:
        done.append((body["user"]["username"], "approve"))
        ack()

    @app.action("more")
    def more(ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        done.append((body["user"]["username"], action["selected_option"]["value"]))
        ack()

    options = [
        {"text": {"type": "plain_text", "text": label}, "value": label} for label in ("one", "two")
    ]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    post(server, {"type": "actions", "elements": [button("Approve"), menu]})
    seat.says("Approve")
    keys = seat.page.keyboard
    seat.reach("Skip to the message field", from_start=True)
    keys.press("Enter")
    keys.type("hello")
    keys.press("Enter")
    seat.says("hello")
    seat.reach("Ana", from_start=True)
    keys.press("Enter")
    seat.page.locator("#people [data-key=ana][aria-pressed=true]").wait_for()
    seat.reach("Approve")
    keys.press("Enter")
    server.workspace.wait_for(lambda: ("ana", "approve") in done)
    seat.reach("More actions")
    keys.press("Enter")
    keys.press("ArrowDown")
    assert seat.focused() == "two"
    keys.press("Enter")
    server.workspace.wait_for(lambda: ("ana", "two") in done)
    seat.reach("More actions")
    keys.press("Enter")
    keys.press("Escape")
    assert seat.focused() == "More actions"
    seat.reach("Reply in thread")
    keys.press("Enter")
    keys.type("a reply")
    keys.press("Enter")
    seat.page.get_by_role("complementary", name="Thread").get_by_text("a reply").wait_for()
    keys.press("Escape")
    seat.page.locator("#thread").wait_for(state="hidden")

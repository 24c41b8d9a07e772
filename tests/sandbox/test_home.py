"""The app's Home: published, opened and clicked over the wire, by Bolt and the SDK unpatched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import RunningServer, ShownError, View, Workspace, serve
from tests.sandbox.stage import FAST, Connect, bolt_app, connected, error_of, furnished


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A workspace in which the app has a Home tab and hears when it is opened."""
    furnishing = Workspace(limits=FAST, events=("app_home_opened",), home_tab=True)
    with serve(furnished(furnishing)) as running:
        yield running


def a_home(said: str, button: str = "Approve") -> dict[str, Any]:
    """One sentence, one input and one button."""
    return {
        "type": "home",
        "callback_id": "home",
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": said}},
            {
                "type": "input",
                "block_id": "note",
                "label": {"type": "plain_text", "text": "Note"},
                "element": {"type": "plain_text_input", "action_id": "text"},
            },
            {
                "type": "actions",
                "block_id": "decide",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "approve",
                        "text": {"type": "plain_text", "text": button},
                        "value": said,
                    }
                ],
            },
        ],
    }


def test_a_home_is_published_when_it_is_opened_and_clicked(
    workspace: Workspace, app: App, connect: Connect
) -> None:
    """The event tells who opened it; the click tells which view, what it said and what was
    entered; the second opening shows the app its own view."""
    opened: list[dict[str, Any]] = []
    clicked: list[dict[str, Any]] = []

    @app.event("app_home_opened")
    def home(event: dict[str, Any], client: WebClient) -> None:
        opened.append(event)
        client.views_publish(user_id=event["user"], view=a_home("two requests wait"))

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        clicked.append(body)
        client.views_publish(
            user_id=body["user"]["id"], view=a_home("one waits"), hash=body["view"]["hash"]
        )

    connect(app)
    ana = workspace.as_person("ana")
    assert ana.home() is None
    ana.open_home()
    view = workspace.wait_for(ana.home)
    assert ana.sees(view).startswith("two requests wait")
    ana.enter(view, {"note": "before lunch"})
    ana.click(view, "Approve")

    def redrawn() -> View | None:
        shown = ana.home()
        return shown if shown is not None and "one waits" in ana.sees(shown) else None

    after = workspace.wait_for(redrawn)
    assert after.id == view.id
    assert after.hash != view.hash
    (body,) = clicked
    assert body["container"] == {"type": "view", "view_id": view.id}
    assert body["view"]["type"] == "home"
    assert body["view"]["state"]["values"]["note"]["text"]["value"] == "before lunch"
    assert body["actions"][0]["value"] == "two requests wait"
    assert "response_url" not in body
    assert "title" not in body["view"]
    ana.open_home()
    workspace.wait_for(lambda: len(opened) == 2)
    assert [e["tab"] for e in opened] == ["home", "home"]
    assert "view" not in opened[0]
    assert opened[1]["view"]["id"] == view.id
    raj = workspace.as_person("raj")
    assert raj.home() is None


def test_a_click_on_an_older_home_carries_the_older_value(
    server: RunningServer, workspace: Workspace, client: WebClient
) -> None:
    """It was on its way when the app published anew."""
    app = bolt_app(server)
    values: list[str] = []

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        values.append(body["actions"][0]["value"])

    ana = workspace.as_person("ana")
    client.views_publish(user_id=ana.id, view=a_home("old"))
    old = ana.home()
    assert old is not None
    client.views_publish(user_id=ana.id, view=a_home("new"))
    with connected(server, app):
        ana.click_as_drawn(old, "Approve")
        ana.click(old, "Approve")
    assert values == ["old", "new"]


def test_a_trigger_of_a_home_opens_a_modal_over_it(
    workspace: Workspace, app: App, connect: Connect
) -> None:
    """As from a message."""
    modal = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Why?"},
        "blocks": [{"type": "divider"}],
    }

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal)

    connect(app)
    ana = workspace.as_person("ana")
    app.client.views_publish(user_id=ana.id, view=a_home("x"))
    home = ana.home()
    assert home is not None
    ana.click(home, "Approve")
    assert workspace.wait_for(ana.modal).title == "Why?"
    assert ana.home() == home


def test_what_slack_refuses_of_a_home(client: WebClient, workspace: Workspace) -> None:
    """Each with its own error."""
    ana = workspace.as_person("ana").id
    workspace.set_flags("raj", deleted=True)
    raj = workspace.as_person("raj").id
    view = a_home("x")

    def refused(**arguments: object) -> str:
        return error_of(client, "views.publish", **arguments)

    assert refused(user_id="U404", view=view) == "invalid_arguments"
    assert refused(user_id=raj, view=view) == "invalid_arguments"
    assert refused(user_id=ana, view={**view, "title": "Home"}) == "invalid_arguments"
    assert refused(user_id=ana, view={**view, "type": "modal"}) == "invalid_arguments"
    assert refused(user_id=ana, view=view, hash="1.2") == "hash_conflict"
    assert refused(user_id=ana, view={**view, "external_id": "mine"}) == ""
    assert refused(user_id=ana, view={**view, "external_id": "mine"}) == ""
    dana = workspace.as_person("dana").id
    assert refused(user_id=dana, view={**view, "external_id": "mine"}) == "duplicate_external_id"
    assert refused(user_id=ana, view=view, hash="1.2") == "hash_conflict"
    many = {**view, "blocks": [{"type": "divider"}] * 101}
    assert refused(user_id=ana, view=many) == "invalid_arguments"
    texts = [
        {"type": "section", "text": {"type": "plain_text", "text": "é" * 3000}} for _ in range(20)
    ]
    assert refused(user_id=ana, view={**view, "blocks": texts}) == "view_too_large"


def test_a_home_is_no_modal(client: WebClient, workspace: Workspace) -> None:
    """`views.update` finds modals alone, and nothing but a modal is opened."""
    ana = workspace.as_person("ana")
    client.views_publish(user_id=ana.id, view=a_home("x"))
    home = ana.home()
    assert home is not None
    with pytest.raises(SlackApiError, match="not_found"):
        client.views_update(view_id=home.id, view=a_home("y"))


def test_without_a_home_tab_nothing_is_published() -> None:
    """The app's settings decide, not its code."""
    with serve(furnished(Workspace())) as server:
        client = WebClient(token=server.bot_token, base_url=server.api_url)
        ana = server.workspace.as_person("ana").id
        assert error_of(client, "views.publish", user_id=ana, view=a_home("x")) == "not_enabled"


def test_whoever_is_deactivated_opens_no_home(workspace: Workspace) -> None:
    """Slack has logged them out."""
    workspace.set_flags("ana", deleted=True)
    with pytest.raises(ShownError, match="account_inactive"):
        workspace.as_person("ana").open_home()

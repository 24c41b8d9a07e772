"""Bolt and the SDK, unpatched, through a whole story over the wire."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient

from bot.sandbox import Workspace
from tests.sandbox.stage import CHANNEL, Connect

MODAL = {
    "type": "modal",
    "callback_id": "promote",
    "title": {"type": "plain_text", "text": "Promote"},
    "submit": {"type": "plain_text", "text": "Ask"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def request_blocks(text: str, *, with_button: bool) -> list[dict[str, Any]]:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    if not with_button:
        return [section]
    button = {
        "type": "button",
        "action_id": "approve",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": "digest-1",
    }
    return [section, {"type": "actions", "block_id": "decide", "elements": [button]}]


def test_command_modal_message_click_and_update(
    workspace: Workspace, app: App, connect: Connect
) -> None:
    """A slash command opens a modal, its submission posts a message, a click updates it."""

    @app.command("/promote")
    def promote(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("promote")
    def submitted(ack: Ack, view: dict[str, Any], client: WebClient) -> None:
        reason = view["state"]["values"]["reason"]["text"]["value"]
        if len(reason) < 5:
            ack(response_action="errors", errors={"reason": "Say more."})
            return
        ack()
        client.chat_postMessage(
            channel=CHANNEL, text=reason, blocks=request_blocks(reason, with_button=True)
        )

    @app.action("approve")
    def approve(ack: Ack, body: dict[str, Any], client: WebClient, respond: Respond) -> None:
        ack()
        assert body["actions"][0]["value"] == "digest-1"
        client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text="approved",
            blocks=request_blocks("approved", with_button=False),
        )
        respond("Thank you.")

    connect(app)
    dana, ana = workspace.as_person("dana"), workspace.as_person("ana")

    assert dana.type(CHANNEL, "/promote credit_scoring 4") is None
    modal = workspace.wait_for(dana.modal)
    assert modal.title == "Promote"
    refused = dana.fill_and_submit(modal, {"Reason": "no"})
    assert refused.errors == {"reason": "Say more."}
    assert dana.fill_and_submit(modal, {"reason/text": "AUC 0.92, was 0.88"}).is_accepted
    assert dana.modal() is None

    [message] = workspace.wait_for(lambda: ana.messages(CHANNEL))
    assert message.buttons == ("Approve",)
    ana.click(message, "Approve")
    workspace.wait_for(lambda: not ana.messages(CHANNEL)[0].buttons)
    assert ana.sees(ana.messages(CHANNEL)[0]) == "approved"
    [thanks] = workspace.wait_for(lambda: ana.ephemerals(CHANNEL))
    assert thanks.text == "Thank you."
    assert dana.ephemerals() == []
    assert workspace.violations == ()

"""Buttons and menus of messages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot import messages, modals
from bot.block_kit import Block
from bot.intake import Intake
from bot.shown import shown_request
from governance.domain.approval import RequestId, Verdict
from governance.domain.errors import FoureyesError
from governance.ports import InboxId
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.clicks")

Body = Mapping[str, Any]
"""Slack's own JSON; every value is read by name and checked where it is used."""


def register(app: App, intake: Intake, world: World) -> None:
    """Add the listeners."""

    def take(kind: str, body: Body, ack: Ack, extra: Mapping[str, str]) -> InboxId | None:
        try:
            stored = intake.store(kind, str(body["trigger_id"]), {**_payload(body), **extra})
        except FoureyesError:
            ack()
            _tell_not_stored(body)
            return None
        ack()
        return stored

    @app.action("approve")
    def approve(body: Body, ack: Ack) -> None:
        extra = {**_value(body), "verdict": Verdict.APPROVE.value}
        intake.hand_over(take("vote", body, ack, extra))

    @app.action("reject")
    def reject(body: Body, ack: Ack, client: WebClient) -> None:
        _open_comment(Verdict.REJECT, body, ack, client)

    @app.action("ask_for_changes")
    def ask_for_changes(body: Body, ack: Ack, client: WebClient) -> None:
        _open_comment(Verdict.ASK_FOR_CHANGES, body, ack, client)

    def _open_comment(verdict: Verdict, body: Body, ack: Ack, client: WebClient) -> None:
        stored = take("open_comment", body, ack, {})
        if stored is None:
            return
        modal = modals.comment_modal(verdict, json.dumps(_value(body)), _channel(body))
        _open(client, str(body["trigger_id"]), modal)
        intake.hand_over(stored)

    @app.action("details")
    def details(body: Body, ack: Ack, client: WebClient) -> None:
        stored = take("open_details", body, ack, {})
        if stored is None:
            return
        try:
            with world.store.read() as tx:
                shown = shown_request(tx, world.rules.current(), RequestId(_value(body)["request"]))
            modal = modals.details_modal(shown)
        except FoureyesError as problem:
            modal = modals.sentence_modal(problem.sentence)
        _open(client, str(body["trigger_id"]), modal)
        intake.hand_over(stored)

    @app.action("more")
    def more(body: Body, ack: Ack) -> None:
        kind, _space, request = str(body["actions"][0]["selected_option"]["value"]).partition(" ")
        if kind not in ("withdraw_vote", "withdraw_request"):
            ack()
            return
        intake.hand_over(take(kind, body, ack, {"request": request}))

    @app.action("roll_back")
    def roll_back(body: Body, ack: Ack) -> None:
        value = str(body["actions"][0]["value"])
        intake.hand_over(take("roll_back", body, ack, {"value": value}), urgent=True)


def _open(client: WebClient, trigger_id: str, modal: Block) -> None:
    try:
        client.views_open(trigger_id=trigger_id, view=modal)
    except (SlackApiError, OSError) as error:
        # The trigger ran out or Slack is gone: Slack itself shows the person that nothing opened.
        _log.warning("a modal could not be opened: %s", type(error).__name__)


def _tell_not_stored(body: Body) -> None:
    url = body.get("response_url")
    if not url:
        return
    send: Callable[..., object] = WebhookClient(str(url)).send
    try:
        send(text=messages.NOT_STORED, response_type="ephemeral", replace_original=False)
    except OSError:
        _log.warning("the person could not be told that nothing was stored")


def _value(body: Body) -> dict[str, str]:
    """Request and drawing of a button of ours; anything else names no request."""
    try:
        value = json.loads(str(body["actions"][0]["value"]))
        return {"request": str(value["request"]), "drawing": str(value["drawing"])}
    except (KeyError, ValueError, TypeError):
        return {"request": "", "drawing": ""}


def _channel(body: Body) -> str:
    return str((body.get("channel") or {}).get("id") or "")


def _payload(body: Body) -> dict[str, str]:
    payload = {"user": str(body["user"]["id"]), "channel": _channel(body)}
    url = body.get("response_url")
    return {**payload, "response_url": str(url)} if url else payload

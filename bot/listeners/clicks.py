"""Buttons and menus of messages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot import modals
from bot.block_kit import Block
from bot.drawings import Drawings
from bot.glass_form import GlassForm
from bot.glass_view import Wanted
from bot.intake import Intake
from bot.listeners.forms import PromoteForm
from bot.messages import answer_words, request_words
from bot.shown import shown_request
from governance.domain.approval import RequestId, Verdict
from governance.domain.break_glass import Bypass
from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId, SlackAccount
from governance.ports import InboxId
from governance.use_cases.rounds import round_of, what_is_asked
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.clicks")

Body = Mapping[str, Any]
"""Slack's own JSON; every value is read by name and checked where it is used."""


@dataclass(frozen=True, kw_only=True)
class _Clicked:
    """What a button of an alert or an announcement says; never trusted further."""

    alert: int
    model: str
    version: int


def register(
    app: App,
    intake: Intake,
    world: World,
    form: PromoteForm,
    glass: GlassForm,
    drawings: Drawings,
) -> None:
    """Add the listeners."""

    def take(kind: str, body: Body, ack: Ack, extra: Mapping[str, str]) -> InboxId | None:
        try:
            stored = intake.store(kind, str(body["trigger_id"]), {**payload_of(body), **extra})
        except FoureyesError:
            ack()
            tell_not_stored(body)
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
        modal = modals.comment_modal(verdict, json.dumps(_value(body)), channel_of(body))
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
            view_id = _open(client, str(body["trigger_id"]), modals.details_modal(shown))
            picture = drawings.of_request(shown.request)
            if view_id and picture:  # the words came first
                _add_picture(client, view_id, modals.details_modal(shown, picture))
        except FoureyesError as problem:
            _open(client, str(body["trigger_id"]), modals.sentence_modal(problem.sentence))
        intake.hand_over(stored)

    @app.action("answer")
    def answer(body: Body, ack: Ack, client: WebClient) -> None:
        stored = take("open_answer", body, ack, {})
        if stored is None:
            return
        rules = world.rules.current()
        person = rules.roster.by_slack(SlackAccount(str(body["user"]["id"])))
        try:
            with world.store.read() as tx:
                request, asked = what_is_asked(
                    tx,
                    rules,
                    RequestId(_value(body)["request"]),
                    person.id if person else PersonId(""),
                )
            lines = request_words.round_lines(request, asked, rules.roster)
            modal = modals.answer_modal(request, lines, round_of(asked), channel_of(body))
        except FoureyesError as problem:
            modal = modals.sentence_modal(problem.sentence)
        _open(client, str(body["trigger_id"]), modal)
        intake.hand_over(stored)

    @app.action("more")
    def more(body: Body, ack: Ack) -> None:
        kind, _space, request = str(body["actions"][0]["selected_option"]["value"]).partition(" ")
        if kind == "break_glass":
            _open_break_glass(body, ack, RequestId(request))
            return
        if kind not in ("withdraw_vote", "withdraw_request"):
            ack()
            return
        intake.hand_over(take(kind, body, ack, {"request": request}))

    def _open_break_glass(body: Body, ack: Ack, request_id: RequestId) -> None:
        stored = take("open_break_glass", body, ack, {})
        if stored is None:
            return
        try:
            with world.store.read() as tx:
                request = tx.request(request_id)
        except FoureyesError as problem:
            _log.warning("no form for breaking glass: %s", problem.sentence)
            return
        wanted = Wanted(
            bypass=Bypass.PROMOTION,
            model=request.model,
            version=request.version,
            downgrade=request.is_downgrade,
        )
        glass.open(str(body["trigger_id"]), wanted, str(body["user"]["id"]), channel_of(body))
        intake.hand_over(stored)

    @app.action("acknowledge")
    def acknowledge(body: Body, ack: Ack) -> None:
        intake.hand_over(take("acknowledge", body, ack, {"alert": str(_alert(body).alert)}))

    @app.action("offer_rollback")
    def offer_rollback(body: Body, ack: Ack) -> None:
        text = f'"{_alert(body).model}"'
        intake.hand_over(take("rollback", body, ack, {"text": text}), urgent=True)

    @app.action("open_record")
    def open_record(body: Body, ack: Ack, client: WebClient) -> None:
        stored = take("open_record", body, ack, {})
        if stored is None:
            return
        clicked = _alert(body)
        try:
            with world.store.read() as tx:
                events = tx.events(model=ModelName(clicked.model))
            modal = modals.record_modal(clicked.model, events)
        except FoureyesError as problem:
            modal = modals.sentence_modal(problem.sentence)
        _open(client, str(body["trigger_id"]), modal)
        intake.hand_over(stored)

    @app.action("promote_again")
    def promote_again(body: Body, ack: Ack) -> None:
        stored = take("open_promote", body, ack, {})
        if stored is None:
            return
        clicked = _alert(body)
        typed = f'"{clicked.model}" {clicked.version}'
        form.open(str(body["trigger_id"]), typed, channel_of(body))
        intake.hand_over(stored)

    @app.action("promote_version")
    def promote_version(body: Body, ack: Ack) -> None:
        stored = take("open_promote", body, ack, {})
        if stored is None:
            return
        clicked = _alert(body)
        form.open_known(
            str(body["trigger_id"]),
            ModelName(clicked.model),
            Version(clicked.version),
            channel_of(body),
        )
        intake.hand_over(stored)

    @app.action("roll_back")
    def roll_back(body: Body, ack: Ack) -> None:
        value = str(body["actions"][0]["value"])
        intake.hand_over(take("roll_back", body, ack, {"value": value}), urgent=True)


def _open(client: WebClient, trigger_id: str, modal: Block) -> str:
    """The id of the view; empty when it could not be opened."""
    try:
        return str(client.views_open(trigger_id=trigger_id, view=modal)["view"]["id"])
    except (SlackApiError, OSError) as error:
        # The trigger ran out or Slack is gone: Slack itself shows the person that nothing opened.
        _log.warning("a modal could not be opened: %s", type(error).__name__)
        return ""


def _add_picture(client: WebClient, view_id: str, modal: Block) -> None:
    try:
        client.views_update(view_id=view_id, view=modal)
    except (SlackApiError, OSError) as error:
        _log.info("details go without their picture: %s", type(error).__name__)


def tell_not_stored(body: Body) -> None:
    """To a person whose click could not be stored."""
    url = body.get("response_url")
    if not url:
        return
    send: Callable[..., object] = WebhookClient(str(url)).send
    try:
        send(text=answer_words.NOT_STORED, response_type="ephemeral", replace_original=False)
    except OSError:
        _log.warning("the person could not be told that nothing was stored")


def _value(body: Body) -> dict[str, str]:
    """Request and drawing of a button of ours; anything else names no request."""
    try:
        value = json.loads(str(body["actions"][0]["value"]))
        return {"request": str(value["request"]), "drawing": str(value["drawing"])}
    except (KeyError, ValueError, TypeError):
        return {"request": "", "drawing": ""}


def _alert(body: Body) -> _Clicked:
    try:
        value = json.loads(str(body["actions"][0]["value"]))
        return _Clicked(
            alert=int(value["alert"]) if "alert" in value else 0,
            model=str(value["model"]),
            version=int(value["version"]),
        )
    except (KeyError, ValueError, TypeError):
        return _Clicked(alert=0, model="", version=0)


def channel_of(body: Body) -> str:
    """Where it was clicked; empty where that is no channel."""
    return str((body.get("channel") or {}).get("id") or "")


def payload_of(body: Body) -> dict[str, str]:
    """Who clicked, where, and how to answer."""
    payload = {"user": str(body["user"]["id"]), "channel": channel_of(body)}
    url = body.get("response_url")
    return {**payload, "response_url": str(url)} if url else payload

"""Buttons and menus of messages."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import modals
from bot.block_kit import Block
from bot.drawings import Drawings
from bot.glass_form import GlassForm
from bot.glass_view import Wanted
from bot.listeners.reception import (
    Body,
    Reception,
    button_value,
    channel_of,
    open_modal,
    refuse_people_from_elsewhere,
)
from bot.messages import request_words
from bot.promote_form import PromoteForm, newer_versions
from bot.shown import shown_request
from governance.domain.approval import RequestId, Verdict
from governance.domain.break_glass import Bypass
from governance.domain.errors import FoureyesError
from governance.domain.evidence import ModelName, Version
from governance.domain.identity import PersonId, SlackAccount
from governance.use_cases.rounds import answered_rounds, round_of, what_is_asked
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.clicks")


@dataclass(frozen=True, kw_only=True)
class _Clicked:
    """What a button of an alert or an announcement says; never trusted further."""

    alert: int
    model: str
    version: int


def register(
    app: App,
    reception: Reception,
    world: World,
    form: PromoteForm,
    glass: GlassForm,
    drawings: Drawings,
) -> None:
    """Add the listeners."""
    intake = reception.intake

    @app.action("approve")
    def approve(body: Body, ack: Ack) -> None:
        extra = {**_value(body), "verdict": Verdict.APPROVE.value}
        intake.hand_over(reception.click("vote", body, ack, extra))

    @app.action("reject")
    def reject(body: Body, ack: Ack, client: WebClient) -> None:
        _open_comment(Verdict.REJECT, body, ack, client)

    @app.action("ask_for_changes")
    def ask_for_changes(body: Body, ack: Ack, client: WebClient) -> None:
        _open_comment(Verdict.ASK_FOR_CHANGES, body, ack, client)

    def _open_comment(verdict: Verdict, body: Body, ack: Ack, client: WebClient) -> None:
        stored = reception.click("open_comment", body, ack)
        if stored is None:
            return
        modal = modals.comment_modal(verdict, json.dumps(_value(body)), channel_of(body))
        open_modal(client, body, modal)
        intake.hand_over(stored)

    @app.action("details")
    def details(body: Body, ack: Ack, client: WebClient) -> None:
        stored = reception.click("open_details", body, ack)
        if stored is None:
            return
        try:
            refuse_people_from_elsewhere(body)
            with world.store.read() as tx:
                shown = shown_request(tx, world.rules.current(), RequestId(_value(body)["request"]))
            view_id = open_modal(client, body, modals.details_modal(shown))
            picture = drawings.of_request(shown.request)
            if view_id and picture:  # the words came first
                _add_picture(client, view_id, modals.details_modal(shown, picture))
        except FoureyesError as problem:
            open_modal(client, body, modals.sentence_modal(problem.sentence))
        intake.hand_over(stored)

    @app.action("answer")
    def answer(body: Body, ack: Ack, client: WebClient) -> None:
        stored = reception.click("open_answer", body, ack)
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
                newer = newer_versions(tx, rules, request)
                before = answered_rounds(tx, request)
            lines = request_words.round_lines(request, asked, before, rules.roster)
            modal = modals.answer_modal(
                request,
                lines,
                round_of(asked),
                channel_of(body),
                newer.offered,
                newer.elsewhere,
            )
        except FoureyesError as problem:
            modal = modals.sentence_modal(problem.sentence)
        open_modal(client, body, modal)
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
        intake.hand_over(reception.click(kind, body, ack, {"request": request}))

    def _open_break_glass(body: Body, ack: Ack, request_id: RequestId) -> None:
        stored = reception.click("open_break_glass", body, ack)
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
        intake.hand_over(
            reception.click("acknowledge", body, ack, {"alert": str(_alert(body).alert)})
        )

    @app.action("offer_rollback")
    def offer_rollback(body: Body, ack: Ack) -> None:
        text = f'"{_alert(body).model}"'
        intake.hand_over(reception.click("rollback", body, ack, {"text": text}), urgent=True)

    @app.action("open_record")
    def open_record(body: Body, ack: Ack, client: WebClient) -> None:
        stored = reception.click("open_record", body, ack)
        if stored is None:
            return
        clicked = _alert(body)
        try:
            refuse_people_from_elsewhere(body)
            with world.store.read() as tx:
                events = tx.events(model=ModelName(clicked.model))
            modal = modals.record_modal(clicked.model, events)
        except FoureyesError as problem:
            modal = modals.sentence_modal(problem.sentence)
        open_modal(client, body, modal)
        intake.hand_over(stored)

    @app.action("promote_again")
    def promote_again(body: Body, ack: Ack) -> None:
        stored = reception.click("open_promote", body, ack)
        if stored is None:
            return
        clicked = _alert(body)
        typed = f'"{clicked.model}" {clicked.version}'
        form.open(str(body["trigger_id"]), typed, channel_of(body))
        intake.hand_over(stored)

    @app.action("promote_version")
    def promote_version(body: Body, ack: Ack) -> None:
        stored = reception.click("open_promote", body, ack)
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
        value = button_value(body)
        intake.hand_over(reception.click("roll_back", body, ack, {"value": value}), urgent=True)


def _add_picture(client: WebClient, view_id: str, modal: Block) -> None:
    try:
        client.views_update(view_id=view_id, view=modal)
    except (SlackApiError, OSError) as error:
        _log.info("details go without their picture: %s", type(error).__name__)


def _value(body: Body) -> dict[str, str]:
    """Request and drawing of a button of ours; anything else names no request."""
    try:
        value = json.loads(button_value(body))
        return {"request": str(value["request"]), "drawing": str(value["drawing"])}
    except (KeyError, ValueError, TypeError, OverflowError):
        return {"request": "", "drawing": ""}


def _alert(body: Body) -> _Clicked:
    try:
        value = json.loads(button_value(body))
        return _Clicked(
            alert=int(value["alert"]) if "alert" in value else 0,
            model=str(value["model"]),
            version=int(value["version"]),
        )
    except (KeyError, ValueError, TypeError, OverflowError):
        return _Clicked(alert=0, model="", version=0)

"""Buttons and modals of breaking glass and of its reviews."""

from __future__ import annotations

import json

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.glass_desk import demanded_rollback
from bot.glass_form import GlassForm, wanted_of
from bot.glass_view import demand_modal
from bot.listeners.reception import (
    Body,
    Reception,
    Submitted,
    button_value,
    channel_of,
    open_modal,
    tell_not_stored,
)
from bot.messages import glass_words
from governance.domain.break_glass import Bypass, GlassId
from governance.domain.errors import FoureyesError
from governance.domain.review import Answer
from governance.use_cases.world import World


def register(app: App, reception: Reception, world: World, form: GlassForm) -> None:
    """Add the listeners."""
    intake = reception.intake

    @app.action("break_glass")
    def open_break_glass(body: Body, ack: Ack) -> None:
        wanted = wanted_of(button_value(body))
        if wanted is None:
            ack()
            return
        stored = reception.click("open_break_glass", body, ack)
        if stored is None:
            return
        form.open(str(body["trigger_id"]), wanted, str(body["user"]["id"]), channel_of(body))
        intake.hand_over(stored)

    @app.view("break_glass")
    def confirmed(body: Body, ack: Ack) -> None:
        filled = Submitted(body)
        reason = filled.text("reason", missing=glass_words.SAY_WHY)
        incident = filled.reference("incident", missing=glass_words.SAY_INCIDENT)
        if not filled.is_ticked("confirm"):
            filled.wrong("confirm", glass_words.CONFIRM_IT)
        if filled.is_refused(ack):
            return
        try:
            with world.store.read() as tx:
                now = tx.now
        except FoureyesError:
            reception.form_not_stored(ack, "reason")
            return
        what = str(filled.about["what"])
        payload = {
            "channel": str(filled.about["channel"]),
            "what": what,
            "model": str(filled.about["model"]),
            "version": str(filled.about["version"]),
            "from": str(filled.about["from"] or ""),
            "request": str(filled.about.get("request") or ""),
            "downgrade": "yes" if filled.about["downgrade"] is True else "no",
            "marks": json.dumps(filled.about["marks"]),
            "at": now.isoformat(),
            "reason": reason,
            "incident": incident,
        }
        urgent = what == Bypass.ROLLBACK.value
        reception.form("break_glass", body, ack, payload, field="reason", urgent=urgent)

    @app.action("accept_review")
    def accept(body: Body, ack: Ack) -> None:
        extra = {"review": button_value(body), "answer": Answer.ACCEPT.value}
        intake.hand_over(reception.click("review", body, ack, extra))

    @app.action("demand_rollback")
    def demand(body: Body, ack: Ack, client: WebClient) -> None:
        stored = reception.click("open_demand", body, ack)
        if stored is None:
            return
        open_modal(client, body, demand_modal(button_value(body), channel_of(body)))
        intake.hand_over(stored)

    @app.view("demand_rollback")
    def demanded(body: Body, ack: Ack) -> None:
        filled = Submitted(body)
        comment = filled.text("comment", missing=glass_words.SAY_WHY)
        if filled.is_refused(ack):
            return
        payload = {
            "channel": str(filled.about["channel"]),
            "review": str(filled.about["review"]),
            "answer": Answer.DEMAND_ROLLBACK.value,
            "comment": comment,
        }
        reception.form("review", body, ack, payload, field="comment")

    @app.action("roll_back_demanded")
    def roll_back_demanded(body: Body, ack: Ack) -> None:
        try:
            with world.store.read() as tx:
                review = GlassId(button_value(body))
                value = demanded_rollback(tx, world.rules.current(), review)
        except FoureyesError:
            ack()
            tell_not_stored(body)
            return
        stored = reception.click("roll_back", body, ack, {"value": value})
        intake.hand_over(stored, urgent=True)

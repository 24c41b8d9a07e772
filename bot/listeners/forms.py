"""Submitted modals: validated on what is there, inside the ack."""

from __future__ import annotations

import json

from slack_bolt import Ack, App

from bot.listeners.reception import Body, Reception, Submitted
from bot.messages import form_words
from bot.promote_form import PromoteForm
from bot.typed import version_number


def register(app: App, reception: Reception, form: PromoteForm) -> None:
    """Add the listeners."""

    @app.action("promote_model")
    def choose_model(body: Body, ack: Ack) -> None:
        ack()
        view = body["view"]
        model = str(body["actions"][0]["selected_option"]["value"])
        channel = str(json.loads(view["private_metadata"])["channel"])
        form.fill_soon(str(view["id"]), model, channel)

    @app.view("promote_form")
    def submitted(body: Body, ack: Ack) -> None:
        filled = Submitted(body)
        reason = filled.text("reason", missing=form_words.NO_REASON)
        ticket = filled.reference("ticket")
        if filled.is_refused(ack):
            return
        payload = {
            "channel": str(filled.about["channel"]),
            "model": str(filled.about["model"]),
            "version": filled.chosen("version"),
            "stage": filled.chosen("stage"),
            "reason": reason,
            "ticket": ticket,
        }
        reception.form("promote_form", body, ack, payload, field="reason")

    @app.view("decision")
    def decided(body: Body, ack: Ack) -> None:
        filled = Submitted(body)
        comment = filled.text("comment", missing=form_words.NO_COMMENT)
        if filled.is_refused(ack):
            return
        payload = {
            "channel": str(filled.about["channel"]),
            "request": str(filled.about["request"]),
            "drawing": str(filled.about["drawing"]),
            "verdict": str(filled.about["verdict"]),
            "comment": comment,
        }
        reception.form("decision", body, ack, payload, field="comment")

    @app.view("answer")
    def answered(body: Body, ack: Ack) -> None:
        filled = Submitted(body)
        text = filled.text("answer", missing=form_words.NO_ANSWER)
        version = version_number(filled.chosen("version"))
        if filled.is_refused(ack):
            return
        payload = {
            "channel": str(filled.about["channel"]),
            "request": str(filled.about["request"]),
            "shown": str(filled.about.get("shown", "")),
            "answer": text,
            "version": str(version or ""),
        }
        reception.form("answer", body, ack, payload, field="answer")

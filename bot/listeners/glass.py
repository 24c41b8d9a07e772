"""Buttons and modals of breaking glass and of its reviews."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.glass_desk import demanded_rollback
from bot.glass_form import GlassForm, wanted_of
from bot.glass_view import demand_modal
from bot.intake import Intake
from bot.listeners.clicks import channel_of, payload_of, tell_not_stored
from bot.listeners.forms import reference_problems, text_problems
from bot.messages import answer_words, glass_words
from governance.domain.break_glass import Bypass, GlassId
from governance.domain.errors import FoureyesError
from governance.domain.review import Answer
from governance.ports import InboxId
from governance.use_cases.promote import REASON_LIMIT
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.glass")

Body = Mapping[str, Any]
"""Slack's own JSON; every value is read by name and checked where it is used."""


def register(app: App, intake: Intake, world: World, form: GlassForm) -> None:
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

    @app.action("break_glass")
    def open_break_glass(body: Body, ack: Ack) -> None:
        wanted = wanted_of(str(body["actions"][0]["value"]))
        if wanted is None:
            ack()
            return
        stored = take("open_break_glass", body, ack, {})
        if stored is None:
            return
        form.open(str(body["trigger_id"]), wanted, str(body["user"]["id"]), channel_of(body))
        intake.hand_over(stored)

    @app.view("break_glass")
    def confirmed(body: Body, ack: Ack) -> None:
        view = body["view"]
        about = json.loads(view["private_metadata"])
        values = view["state"]["values"]
        reason = str(values["reason"]["reason"].get("value") or "")
        incident = str(values["incident"]["incident"].get("value") or "")
        errors = text_problems(reason=(reason, REASON_LIMIT))
        errors |= reference_problems(incident=incident)
        if not reason.strip():
            errors["reason"] = glass_words.SAY_WHY
        if not incident.strip():
            errors["incident"] = glass_words.SAY_INCIDENT
        if not values["confirm"]["confirm"].get("selected_options"):
            errors["confirm"] = glass_words.CONFIRM_IT
        if errors:
            ack(response_action="errors", errors=errors)
            return
        try:
            stored = intake.store(
                "break_glass", str(body["trigger_id"]), _order(body, about, reason, incident)
            )
        except FoureyesError:
            ack(response_action="errors", errors={"reason": answer_words.NOT_STORED})
            return
        ack()
        intake.hand_over(stored, urgent=str(about["what"]) == Bypass.ROLLBACK.value)

    def _order(body: Body, about: Mapping[str, Any], reason: str, incident: str) -> dict[str, str]:
        with world.store.read() as tx:
            now = tx.now
        return {
            "user": str(body["user"]["id"]),
            "channel": str(about["channel"]),
            "what": str(about["what"]),
            "model": str(about["model"]),
            "version": str(about["version"]),
            "from": str(about["from"] or ""),
            "request": str(about.get("request") or ""),
            "downgrade": "yes" if about["downgrade"] is True else "no",
            "marks": json.dumps(about["marks"]),
            "at": now.isoformat(),
            "reason": reason,
            "incident": incident,
        }

    @app.action("accept_review")
    def accept(body: Body, ack: Ack) -> None:
        extra = {"review": _review(body), "answer": Answer.ACCEPT.value}
        intake.hand_over(take("review", body, ack, extra))

    @app.action("demand_rollback")
    def demand(body: Body, ack: Ack, client: WebClient) -> None:
        stored = take("open_demand", body, ack, {})
        if stored is None:
            return
        modal = demand_modal(_review(body), channel_of(body))
        try:
            client.views_open(trigger_id=str(body["trigger_id"]), view=modal)
        except (SlackApiError, OSError) as error:
            _log.warning("a modal could not be opened: %s", type(error).__name__)
        intake.hand_over(stored)

    @app.view("demand_rollback")
    def demanded(body: Body, ack: Ack) -> None:
        view = body["view"]
        about = json.loads(view["private_metadata"])
        comment = str(view["state"]["values"]["comment"]["comment"].get("value") or "")
        errors = text_problems(comment=(comment, REASON_LIMIT))
        if not comment.strip():
            errors["comment"] = glass_words.SAY_WHY
        if errors:
            ack(response_action="errors", errors=errors)
            return
        payload = {
            "user": str(body["user"]["id"]),
            "channel": str(about["channel"]),
            "review": str(about["review"]),
            "answer": Answer.DEMAND_ROLLBACK.value,
            "comment": comment,
        }
        try:
            stored = intake.store("review", str(body["trigger_id"]), payload)
        except FoureyesError:
            ack(response_action="errors", errors={"comment": answer_words.NOT_STORED})
            return
        ack()
        intake.hand_over(stored)

    @app.action("roll_back_demanded")
    def roll_back_demanded(body: Body, ack: Ack) -> None:
        try:
            with world.store.read() as tx:
                value = demanded_rollback(tx, world.rules.current(), GlassId(_review(body)))
        except FoureyesError:
            ack()
            tell_not_stored(body)
            return
        intake.hand_over(take("roll_back", body, ack, {"value": value}), urgent=True)


def _review(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")

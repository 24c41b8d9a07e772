"""Somebody opens the app's Home. What they click there are the buttons of messages."""

from __future__ import annotations

import logging

from slack_bolt import Ack, App

from bot.intake import Intake
from bot.listeners.reception import Body
from governance.domain.errors import FoureyesError

_log = logging.getLogger("foureyes.home")


def register(app: App, intake: Intake) -> None:
    """Add the listener."""

    @app.event("app_home_opened")
    def opened(body: Body, ack: Ack) -> None:
        event = body["event"]
        if event.get("tab") != "home":
            ack()
            return
        payload = {"user": str(event["user"]), "channel": ""}
        try:
            stored = intake.store("open_home", str(body["event_id"]), payload)
        except FoureyesError as problem:
            # Not acked: Slack sends an event again.
            _log.warning("a Home was opened and could not be stored: %s", problem.sentence)
            return
        ack()
        intake.hand_over(stored)

"""Slash commands, under their own names or with a prefix in front."""

from __future__ import annotations

import re

from slack_bolt import Ack, App

from bot import foureyes_words, views
from bot.desk import Desk
from bot.intake import Intake
from bot.messages import answer_words
from bot.promote_form import PromoteForm
from bot.typed import needs_form
from governance.domain.errors import FoureyesError

Command = dict[str, str]


def register(app: App, intake: Intake, desk: Desk, form: PromoteForm) -> None:
    """Add the listeners."""

    def take(kind: str, command: Command, ack: Ack) -> None:
        try:
            stored = intake.store(kind, command["trigger_id"], _payload(command))
        except FoureyesError:
            ack(answer_words.NOT_STORED)
            return
        ack()
        intake.hand_over(stored, urgent=kind == "rollback")

    @app.command(_named("promote"))
    def promote(command: Command, ack: Ack) -> None:
        if not needs_form(command.get("text", "")):
            take("promote", command, ack)
            return
        try:
            stored = intake.store("open_promote", command["trigger_id"], _payload(command))
        except FoureyesError:
            ack(answer_words.NOT_STORED)
            return
        ack()
        if stored is not None:
            form.open(command["trigger_id"], command.get("text", ""), command["channel_id"])
            intake.hand_over(stored)

    @app.command(_named("rollback"))
    def rollback(command: Command, ack: Ack) -> None:
        take("rollback", command, ack)

    @app.command(_named("model"))
    def model(command: Command, ack: Ack) -> None:
        take("model", command, ack)

    @app.command(_named("foureyes"))
    def foureyes(command: Command, ack: Ack) -> None:
        take("foureyes", command, ack)

    @app.command(re.compile(r"/.*"))
    def unknown(command: Command, ack: Ack) -> None:
        """Registered with Slack, and none of ours: a manifest that somebody edited."""
        drawn = views.sentence(foureyes_words.no_such_command(command["command"]))
        ack(text=drawn.text, blocks=drawn.blocks)


def _named(name: str) -> re.Pattern[str]:
    return re.compile(rf"/(?:[a-z0-9_-]{{0,20}})?{name}")


def _payload(command: Command) -> dict[str, str]:
    return {
        "user": command["user_id"],
        "channel": command["channel_id"],
        "command": command["command"],
        "text": command.get("text", "").strip(),
        "response_url": command["response_url"],
    }

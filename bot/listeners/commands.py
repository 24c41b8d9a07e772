"""Slash commands, under their own names or with a prefix in front."""

from __future__ import annotations

import re

from slack_bolt import Ack, App

from bot import foureyes_words, views
from bot.listeners.reception import Command, Reception
from bot.promote_form import PromoteForm
from bot.typed import needs_form


def register(app: App, reception: Reception, form: PromoteForm) -> None:
    """Add the listeners."""

    def take(kind: str, command: Command, ack: Ack) -> None:
        stored = reception.command(kind, command, ack)
        reception.intake.hand_over(stored, urgent=kind == "rollback")

    @app.command(_named("promote"))
    def promote(command: Command, ack: Ack) -> None:
        if not needs_form(command.get("text", "")):
            take("promote", command, ack)
            return
        stored = reception.command("open_promote", command, ack)
        if stored is not None:
            form.open(command["trigger_id"], command.get("text", ""), command["channel_id"])
            reception.intake.hand_over(stored)

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

"""How every listener receives: stored first, acked then, and whoever sent it told when it could
not be stored."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.block_kit import Block
from bot.intake import Intake
from bot.messages import answer_words
from governance.domain.errors import FoureyesError, Refused
from governance.domain.texts import REASON_LIMIT, refuse_bad_reference, refuse_long_text
from governance.ports import InboxId

_log = logging.getLogger("foureyes.reception")

Body = Mapping[str, Any]
"""Slack's own JSON; every value is read by name and checked where it is used."""
Command = dict[str, str]
"""A slash command as Bolt gives it."""


@dataclass(frozen=True)
class Reception:
    """Takes what people type, click and submit."""

    intake: Intake

    def command(self, kind: str, command: Command, ack: Ack) -> InboxId | None:
        """Store a slash command; None when there is nothing to begin."""
        payload = {
            "user": command["user_id"],
            "channel": command["channel_id"],
            "command": command["command"],
            "text": command.get("text", "").strip(),
            "response_url": command["response_url"],
        }
        try:
            stored = self.intake.store(kind, command["trigger_id"], payload)
        except FoureyesError:
            ack(answer_words.NOT_STORED)
            return None
        ack()
        return stored

    def click(
        self, kind: str, body: Body, ack: Ack, extra: Mapping[str, str] | None = None
    ) -> InboxId | None:
        """Store a click, with where it was made; None when there is nothing to begin."""
        try:
            payload = {**_place_of(body), **(extra or {})}
            stored = self.intake.store(kind, str(body["trigger_id"]), payload)
        except FoureyesError:
            ack()
            tell_not_stored(body)
            return None
        ack()
        return stored

    def form(
        self,
        kind: str,
        body: Body,
        ack: Ack,
        payload: Mapping[str, str],
        *,
        field: str,
        urgent: bool = False,
    ) -> None:
        """Store what was submitted and begin the work. Where it cannot be stored, the modal stays
        and says so at `field`."""
        payload = {"user": str(body["user"]["id"]), **payload}
        try:
            stored = self.intake.store(kind, str(body["trigger_id"]), payload)
        except FoureyesError:
            self.form_not_stored(ack, field)
            return
        ack()
        self.intake.hand_over(stored, urgent=urgent)

    def form_not_stored(self, ack: Ack, field: str) -> None:
        """The modal stays, and says so."""
        ack(response_action="errors", errors={field: answer_words.NOT_STORED})


class Submitted:
    """What somebody filled in, with everything that is wrong with it by field. Each input of ours
    has the same name as its block."""

    def __init__(self, body: Body) -> None:
        view = body["view"]
        self.about: Mapping[str, Any] = json.loads(view["private_metadata"])
        """What the modal was opened about."""
        self._values: Mapping[str, Any] = view["state"]["values"]
        self._problems: dict[str, str] = {}

    def text(self, field: str, *, missing: str) -> str:
        """A reason, a comment or an answer; `missing` says what to do without any."""
        return self._checked(
            field, lambda text: refuse_long_text(field, text, REASON_LIMIT), missing
        )

    def reference(self, field: str, *, missing: str = "") -> str:
        """A reference, which is one line; needed when `missing` says what to do without one."""
        return self._checked(field, lambda text: refuse_bad_reference(field, text), missing)

    def chosen(self, field: str) -> str:
        """The value of the option that was selected in a menu; empty without one."""
        chosen = self._values.get(field, {}).get(field, {}).get("selected_option") or {}
        return str(chosen.get("value") or "")

    def is_ticked(self, field: str) -> bool:
        """Whether anything is ticked."""
        return bool(self._values[field][field].get("selected_options"))

    def wrong(self, field: str, sentence: str) -> None:
        """Something else is wrong with a field."""
        self._problems[field] = sentence

    def is_refused(self, ack: Ack) -> bool:
        """Whether anything is wrong; then it was acked with that, and the modal stays."""
        if self._problems:
            ack(response_action="errors", errors=self._problems)
        return bool(self._problems)

    def _checked(self, field: str, refuse: Callable[[str], None], missing: str) -> str:
        text = str(self._values[field][field].get("value") or "")
        try:
            refuse(text)
        except Refused as refusal:
            self.wrong(field, refusal.sentence)
        if missing and not text.strip():
            self.wrong(field, missing)
        return text


def open_modal(client: WebClient, body: Body, modal: Block) -> str:
    """Open a modal with the trigger of a click; the id of the view, or nothing."""
    try:
        opened = client.views_open(trigger_id=str(body["trigger_id"]), view=modal)
    except (SlackApiError, OSError) as error:
        # The trigger ran out or Slack is gone: Slack itself shows the person that nothing opened.
        _log.warning("a modal could not be opened: %s", type(error).__name__)
        return ""
    return str(opened["view"]["id"])


def refuse_people_from_elsewhere(body: Body) -> None:
    """A shared channel shows a message to another company; the record behind it is not theirs.
    Where an app is installed for a whole organisation, Slack names no workspace to compare with.

    Raises:
        Refused: `from_elsewhere`, for an account of another workspace.
    """
    own = (body.get("team") or {}).get("id")
    if own is not None and body["user"].get("team_id", own) != own:
        raise Refused("from_elsewhere", answer_words.FROM_ELSEWHERE)


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


def button_value(body: Body) -> str:
    """What the button says that was clicked."""
    return str(body["actions"][0].get("value") or "")


def channel_of(body: Body) -> str:
    """Where it was clicked; empty where that is no channel."""
    return str((body.get("channel") or {}).get("id") or "")


def _place_of(body: Body) -> dict[str, str]:
    """Who clicked, where, and how to answer."""
    place = {"user": str(body["user"]["id"]), "channel": channel_of(body)}
    url = body.get("response_url")
    return {**place, "response_url": str(url)} if url else place

"""An answer to one person: beside what they did, or in a direct message. Decides nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.turns import retry_after_seconds
from bot.views import Drawn

_log = logging.getLogger("foureyes.answers")

Payload = Mapping[str, str]
_LONGEST_WAIT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Where somebody acted, they are answered."""

    client: WebClient
    wait: Callable[[float], None] = time.sleep

    def give(self, payload: Payload, drawn: Drawn) -> None:
        """Tell this person alone: beside what they did, else in a direct message. An answer that
        cannot be given is logged; what was done is in the record all the same."""
        try:
            if self._by_response_url(payload, drawn):
                return
            if payload.get("channel") and self._ephemeral(payload, drawn):
                return
            self._directly(payload["user"], drawn)
        except (SlackApiError, OSError) as error:
            _log.warning("an answer could not be given: %s", type(error).__name__)

    def follow(self, payload: Payload, drawn: Drawn) -> bool:
        """Add something beside what they did, and nowhere else; False when Slack does not take it
        (yet)."""
        try:
            if self._by_response_url(payload, drawn):
                return True
            return bool(payload.get("channel")) and self._ephemeral(payload, drawn)
        except OSError:
            return False

    def _directly(self, user: str, drawn: Drawn) -> None:
        """As somebody in the app's Home is answered, where Slack gives no other place; after as
        long as Slack asks, if that is no longer than a person waits."""
        for is_last in (False, False, True):
            try:
                opened = self.client.conversations_open(users=[user])
                self.client.chat_postMessage(
                    channel=str(opened["channel"]["id"]), text=drawn.text, blocks=drawn.blocks
                )
                return
            except SlackApiError as error:
                asked = retry_after_seconds(error)
                if is_last or asked is None or asked > _LONGEST_WAIT_SECONDS:
                    raise
                self.wait(asked)

    def _by_response_url(self, payload: Payload, drawn: Drawn) -> bool:
        url = payload.get("response_url")
        if not url:
            return False
        try:
            answer = WebhookClient(url).send(
                text=drawn.text, blocks=drawn.blocks, response_type="ephemeral"
            )
        except OSError:
            return False
        return answer.status_code == 200

    def _ephemeral(self, payload: Payload, drawn: Drawn) -> bool:
        try:
            self.client.chat_postEphemeral(
                channel=payload["channel"],
                user=payload["user"],
                text=drawn.text,
                blocks=drawn.blocks,
            )
        except SlackApiError:
            return False
        return True

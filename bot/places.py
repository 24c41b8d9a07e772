"""Where messages go: a channel by its name or id, a person's direct message. Each is looked up
once; Slack keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field

from slack_sdk import WebClient

from bot.turns import Turns

_PAGE = 200


class Undeliverable(Exception):
    """This notice can never arrive; the reason is kept with it."""


@dataclass
class Places:
    """Ids of channels and of direct messages."""

    client: WebClient
    turns: Turns
    _channels: dict[str, str] = field(default_factory=dict)
    _directs: dict[str, str] = field(default_factory=dict)

    def channel(self, named: str) -> str:
        """The id of a channel that a policy names, with # or by its id.

        Raises:
            Undeliverable: there is none, or the bot cannot see it. Busy, SlackApiError, OSError.
        """
        if not named.startswith("#"):
            return named
        name = named.removeprefix("#")
        if name not in self._channels:
            self._channels.update(self._list())
        if name not in self._channels:
            raise Undeliverable(f"there is no channel {named}, or the bot cannot see it")
        return self._channels[name]

    def direct(self, account: str) -> str:
        """The direct message with an account, opened the first time.

        Raises:
            Busy, SlackApiError, OSError.
        """
        if account not in self._directs:
            with self.turns.take("conversations.open"):
                opened = self.client.conversations_open(users=[account])
            self._directs[account] = str(opened["channel"]["id"])
        return self._directs[account]

    def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            with self.turns.take("conversations.list"):
                page = self.client.conversations_list(
                    types="public_channel,private_channel", limit=_PAGE, cursor=cursor
                )
            channels: list[dict[str, object]] = page.get("channels") or []
            found.update({str(c["name"]): str(c["id"]) for c in channels})
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

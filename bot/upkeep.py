"""Looks whether the messages of open requests still stand; what somebody deleted is drawn again,
also when nothing else happens to the request. A few requests at a time, in turn.

Asks Slack for a message's address and reads no message: that needs no scope.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.turns import Busy, Turns
from governance.domain.approval import RequestId
from governance.ports import SentMessage
from governance.use_cases.settle import redraw
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.upkeep")
_AT_ONCE = 5


@dataclass
class Upkeep:
    """One process's round through the open requests."""

    world: World
    client: WebClient
    _last: str = ""
    """The request that was looked at last."""

    def __post_init__(self) -> None:
        self._turns = Turns(self.world.elapsed)

    def look(self) -> int:
        """Look at the next few requests; how many have to be drawn again.

        Raises:
            Unavailable: the store. What Slack does not answer is looked at in the next round.
        """
        with self.world.store.read() as tx:
            batch = self._next(sorted(r.id for r in tx.open_requests()))
            standing = {request_id: tx.messages_of(request_id) for request_id in batch}
        drawn_again = 0
        for request_id, found in standing.items():
            gone = {key: m for key, m in found.items() if m.drawn and self._is_gone(m)}
            if gone:
                _log.info("a message of request %s was deleted", request_id)
                drawn_again += self._draw_again(request_id, gone)
        return drawn_again

    def _next(self, ids: Sequence[RequestId]) -> list[RequestId]:
        later = [i for i in ids if i > self._last]
        batch = [*later, *(i for i in ids if i <= self._last)][:_AT_ONCE]
        self._last = batch[-1] if batch else ""
        return batch

    def _is_gone(self, message: SentMessage) -> bool:
        try:
            with self._turns.take("chat.getPermalink"):
                self.client.chat_getPermalink(channel=message.channel, message_ts=message.ts)
        except SlackApiError as error:
            return str(error.response.get("error")) == "message_not_found"
        except (Busy, OSError):
            return False
        return False

    def _draw_again(self, request_id: RequestId, gone: Mapping[str, SentMessage]) -> int:
        with self.world.store.transaction() as tx:
            # Somebody may have drawn it again since: then it stands elsewhere.
            still = {k: m for k, m in gone.items() if (now := tx.message(k)) and now.ts == m.ts}
            request = tx.request(request_id)
            if not still or not request.is_open:
                return 0
            for key, message in still.items():
                tx.save_message(key, replace(message, drawn=""))
            redraw(tx, request)
            return 1

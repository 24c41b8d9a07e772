"""Messages at their places in Slack: posted once, drawn again in place, posted anew where somebody
deleted them. Knows what each is called, and not what it says."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.places import Places, Undeliverable
from bot.turns import Turns
from bot.views import Drawn
from governance.domain.evidence import ModelName
from governance.domain.identity import PersonId
from governance.domain.policy import policy_for
from governance.ports import SentMessage
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.posts")

_COPY_IS_GONE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "user_disabled"})
"""A direct message that cannot be drawn again hinders nobody else's."""


@dataclass
class Posts:
    """What the bot has posted, by keys of its own; waits its turn where Slack asked for that."""

    world: World
    client: WebClient

    def __post_init__(self) -> None:
        self._turns = Turns(self.world.elapsed)
        self._places = Places(self.client, self._turns)

    def put_copy(self, key: str, where: str, drawn: Drawn) -> None:
        """As `put`; a direct message that is out of reach is only logged."""
        try:
            self.put(key, where, drawn)
        except SlackApiError as error:
            if error.response.get("error") not in _COPY_IS_GONE:
                raise
            _log.warning("a direct message cannot be drawn again: %s", error.response.get("error"))

    def put(self, key: str, where: str, drawn: Drawn) -> None:
        """Update the message with this key in place, or post it where it is not (any more)."""
        there = self.sent(key)
        digest = digest_of(drawn)
        if there is not None and there.drawn == digest:
            return
        if there is None or not self._update(there, drawn):
            there = self.post(where, drawn)
        with self.world.store.transaction() as tx:
            tx.save_message(key, replace(there, drawn=digest))

    def _update(self, there: SentMessage, drawn: Drawn) -> bool:
        """Draw a message again; False when somebody deleted it."""
        try:
            with self._turns.take("chat.update"):
                self.client.chat_update(
                    channel=there.channel, ts=there.ts, text=drawn.text, blocks=drawn.blocks
                )
        except SlackApiError as error:
            if error.response.get("error") != "message_not_found":
                raise
            return False
        return True

    def post(self, where: str, drawn: Drawn) -> SentMessage:
        """A new message."""
        with self._turns.take(f"chat.postMessage to {where}"):
            answer = self.client.chat_postMessage(
                channel=where, text=drawn.text, blocks=drawn.blocks, unfurl_links=False
            )
        return SentMessage(channel=str(answer["channel"]), ts=str(answer["ts"]))

    def sent(self, key: str) -> SentMessage | None:
        """Where the message with this key stands."""
        with self.world.store.read() as tx:
            return tx.message(key)

    def post_in_thread(self, there: SentMessage, drawn: Drawn) -> None:
        """A reply below a message."""
        with self._turns.take(f"chat.postMessage to {there.channel}"):
            self.client.chat_postMessage(
                channel=there.channel,
                thread_ts=there.ts,
                text=drawn.text,
                blocks=drawn.blocks,
                unfurl_links=False,
            )

    def channel_of(self, model: ModelName) -> str:
        """The id of the channel that a model's policy names. Raises Undeliverable."""
        policies = self.world.rules.current().policies
        policy = policy_for(policies, model) or policies.policies.get(model)
        if policy is None:
            raise Undeliverable("no policy names a channel for this model any more")
        return self.channel_named(policy.channel)

    def channel_named(self, channel: str) -> str:
        """The id of a channel by its name. Raises Undeliverable."""
        return self._places.channel(channel)

    def direct_channel(self, person: PersonId) -> str:
        """Where a person is written to directly. Raises Undeliverable."""
        known = self.world.rules.current().roster.people.get(person)
        accounts = sorted(known.slack) if known else []
        if not accounts:
            raise Undeliverable(f"{person} has no Slack account in people.yaml")
        return self._places.direct(str(accounts[0]))


def digest_of(drawn: Drawn) -> str:
    """What a message shows: one that shows the same is left alone."""
    return hashlib.sha256(json.dumps([drawn.text, drawn.blocks]).encode()).hexdigest()

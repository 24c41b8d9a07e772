"""What a person sees in their Slack client. Changes nothing."""

from __future__ import annotations

from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.people import Person
from bot.sandbox.rendering import render_blocks, render_plain
from bot.sandbox.state import State


class ShownError(Exception):
    """What Slack itself shows a person instead of a result. `code` is Slack's word for it."""

    def __init__(self, code: str, shown: str) -> None:
        super().__init__(f"{code}: {shown}")
        self.code = code
        self.shown = shown


class Reader:
    """The workspace through one person's eyes."""

    def __init__(self, state: State, person: Person) -> None:
        self._state = state
        self.id = person.id
        self.handle = person.handle

    def messages(self, where: str) -> list[Message]:
        """Messages of a channel outside threads, oldest first."""
        with self._state.changed:
            channel = self._place(where)
            found = self._state.messages.in_channel(channel.id)
            return [message for message in found if not message.is_reply]

    def thread(self, message: Message) -> list[Message]:
        """Replies to a message, oldest first, without the message."""
        with self._state.changed:
            thread = self._state.messages.thread(message.channel, message.ts)
            return [reply for reply in thread if reply.ts != message.ts]

    def ephemerals(self, where: str | None = None) -> list[Message]:
        """Messages that only this person sees, oldest first."""
        with self._state.changed:
            found = self._state.messages.ephemerals(self.id)
            if where is None:
                return found
            channel = self._place(where)
            return [message for message in found if message.channel == channel.id]

    def direct_messages(self) -> list[Message]:
        """Messages between this person and the app, oldest first."""
        with self._state.changed:
            channel = self._state.channels.direct_with(self.id)
            return [] if channel is None else self._state.messages.in_channel(channel.id)

    def latest(self, message: Message) -> Message | None:
        """How that message looks now; None when it is gone."""
        with self._state.changed:
            return self._state.messages.find(message.channel, message.ts)

    def modal(self) -> View | None:
        """The modal on this person's screen."""
        with self._state.changed:
            return self._state.modals.top(self.id)

    def home(self) -> View | None:
        """The app's Home as this person has it; None before the app published one."""
        with self._state.changed:
            return self._state.homes.of(self.id)

    def sees(self, shown: Message | View) -> str:
        """A message or modal as plain text, in this person's time zone."""
        with self._state.changed:
            tz = self._state.people.get(self.id).tz
            if isinstance(shown, View):
                blocks = render_blocks(shown.blocks, names=self._state.name_of, tz=tz)
                return blocks if shown.is_home else f"{shown.title}\n{blocks}"
            return render_plain(shown, names=self._state.name_of, tz=tz)

    def _place(self, where: str) -> Channel:
        state = self._state
        if where == f"@{state.identity.bot_handle}":
            return state.direct_channel(self.id)
        channel = state.channels.get(where)
        if not channel.has(self.id) and channel.kind is not ChannelKind.PUBLIC:
            raise ShownError("channel_not_found", f"{self.handle} cannot see {where}.")
        return channel

"""Messages as they stand now, in order; edits replace, deletions remove. Knows no rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.json_values import JsonObject, as_list, copied, object_of, objects_of, text_of


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message at one moment; an edit makes another one with the same channel and ts.

    `visible_to` is set for an ephemeral message: the only user who sees it.
    """

    channel: str
    ts: str
    author: str
    from_app: bool
    text: str = ""
    blocks: tuple[JsonObject, ...] = ()
    thread_ts: str | None = None
    visible_to: str | None = None
    edited_ts: str | None = None
    is_mrkdwn: bool = True
    metadata: JsonObject | None = None

    @property
    def is_ephemeral(self) -> bool:
        return self.visible_to is not None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of the buttons that the message shows, in order."""
        return tuple(
            text_of(object_of(element, "text"), "text")
            for _, element in elements_of(self.blocks)
            if text_of(element, "type") == "button"
        )

    def to_wire(self, *, bot_id: str, app_id: str, team_id: str) -> JsonObject:
        """The message object as the Web API and events carry it."""
        wire: JsonObject = {
            "type": "message",
            "user": self.author,
            "ts": self.ts,
            "text": self.text,
            "team": team_id,
        }
        if self.from_app:
            wire |= {"bot_id": bot_id, "app_id": app_id}
        if self.blocks:
            wire["blocks"] = as_list(self.blocks)
        if self.thread_ts is not None:
            wire["thread_ts"] = self.thread_ts
        if self.edited_ts is not None:
            wire["edited"] = {"user": self.author, "ts": self.edited_ts}
        if self.metadata is not None:
            wire["metadata"] = copied(self.metadata)
        return wire


def elements_of(blocks: tuple[JsonObject, ...]) -> list[tuple[JsonObject, JsonObject]]:
    """Every interactive element with the block that holds it, in the order shown."""
    found: list[tuple[JsonObject, JsonObject]] = []
    for block in blocks:
        kind = text_of(block, "type")
        if kind == "actions":
            found += [(block, element) for element in objects_of(block, "elements")]
        elif kind == "section" and "accessory" in block:
            found.append((block, object_of(block, "accessory")))
        elif kind == "input":
            found.append((block, object_of(block, "element")))
    return found


class Messages:
    """All messages, ephemeral ones too. The caller holds the workspace's lock."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Message] = {}

    def put(self, message: Message) -> Message:
        """Add it, or replace the one with the same channel and ts."""
        self._by_key[message.channel, message.ts] = message
        return message

    def remove(self, channel: str, ts: str) -> None:
        self._by_key.pop((channel, ts), None)

    def find(self, channel: str, ts: str) -> Message | None:
        """What stands there now, ephemeral or not."""
        return self._by_key.get((channel, ts))

    def lasting(self, channel: str, ts: str) -> Message | None:
        """What stands there now, if everyone in the channel can see it."""
        message = self.find(channel, ts)
        return None if message is None or message.is_ephemeral else message

    def in_channel(self, channel: str) -> list[Message]:
        """Lasting messages of a channel, replies included, oldest first."""
        return sorted(
            (m for m in self._by_key.values() if m.channel == channel and not m.is_ephemeral),
            key=lambda message: message.ts,
        )

    def thread(self, channel: str, parent_ts: str) -> list[Message]:
        """The parent and its lasting replies, oldest first."""
        return [m for m in self.in_channel(channel) if parent_ts in (m.ts, m.thread_ts)]

    def ephemerals(self, user_id: str) -> list[Message]:
        return sorted(
            (m for m in self._by_key.values() if m.visible_to == user_id),
            key=lambda message: message.ts,
        )

    def edit(
        self,
        message: Message,
        *,
        text: str,
        blocks: tuple[JsonObject, ...],
        edited_ts: str | None,
        metadata: JsonObject | None,
    ) -> Message:
        return self.put(
            replace(message, text=text, blocks=blocks, edited_ts=edited_ts, metadata=metadata)
        )

"""Channels and direct messages: who is in them, whether they are archived. Knows no messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.json_values import JsonObject


class ChannelKind(StrEnum):
    """Which family of scopes guards a conversation (`channels:read`, `groups:history`, …)."""

    PUBLIC = "channels"
    PRIVATE = "groups"
    DIRECT = "im"


@dataclass(kw_only=True)
class Channel:
    """One conversation. For a direct message `members` are the app and one person."""

    id: str
    name: str
    kind: ChannelKind
    creator: str
    created_seconds: int
    members: list[str] = field(default_factory=list)
    is_archived: bool = False

    def has(self, user_id: str) -> bool:
        return user_id in self.members

    def to_wire(self, *, app_user: str, with_count: bool = False) -> JsonObject:
        """The conversation object, as the app's token sees it."""
        is_direct = self.kind is ChannelKind.DIRECT
        wire: JsonObject = {
            "id": self.id,
            "created": self.created_seconds,
            "is_archived": self.is_archived,
            "is_im": is_direct,
            "is_org_shared": False,
        }
        if is_direct:
            others = [member for member in self.members if member != app_user]
            wire |= {"user": others[0], "is_user_deleted": False}
            return wire
        wire |= {
            "name": self.name,
            "name_normalized": self.name,
            "creator": self.creator,
            "is_channel": self.kind is ChannelKind.PUBLIC,
            "is_group": False,
            "is_mpim": False,
            "is_private": self.kind is ChannelKind.PRIVATE,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": self.has(app_user),
        }
        if with_count:
            wire["num_members"] = len(self.members)
        return wire


class Channels:
    """Every conversation. The caller holds the workspace's lock."""

    def __init__(self) -> None:
        self._by_id: dict[str, Channel] = {}

    def add(self, channel: Channel) -> Channel:
        if channel.kind is not ChannelKind.DIRECT and self.find(channel.name) is not None:
            raise ValueError(f"there is already a channel called #{channel.name}")
        self._by_id[channel.id] = channel
        return channel

    def by_id(self, channel_id: str) -> Channel | None:
        return self._by_id.get(channel_id)

    def find(self, where: str) -> Channel | None:
        """By id, or by name with or without #."""
        known = self._by_id.get(where)
        if known is not None:
            return known
        name = where.removeprefix("#")
        named = (c for c in self._by_id.values() if c.kind is not ChannelKind.DIRECT)
        return next((channel for channel in named if channel.name == name), None)

    def get(self, where: str) -> Channel:
        channel = self.find(where)
        if channel is None:
            raise LookupError(f"no channel {where!r} in this workspace")
        return channel

    def direct_with(self, user_id: str) -> Channel | None:
        return next(
            (c for c in self._by_id.values() if c.kind is ChannelKind.DIRECT and c.has(user_id)),
            None,
        )

    def everything(self) -> list[Channel]:
        return list(self._by_id.values())

"""Everything that the workspace is at a moment, behind one lock. Holds no rule of the wire."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bot.sandbox.app_identity import AppIdentity
from bot.sandbox.channels import Channel, ChannelKind, Channels
from bot.sandbox.clock import Clock
from bot.sandbox.content import Content
from bot.sandbox.files import Files
from bot.sandbox.json_values import JsonObject
from bot.sandbox.limits import Faults, Limits, Throttle
from bot.sandbox.messages import Message, Messages
from bot.sandbox.modals import Homes, Modals
from bot.sandbox.passes import Passes
from bot.sandbox.people import People, Person
from bot.sandbox.socket_mode import SocketMode
from bot.sandbox.user_groups import UserGroups


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One Web API call that the app made, for tests that count or look."""

    method: str
    arguments: JsonObject
    error: str | None


class State:
    """The stores and their lock. `changed` is notified after every change."""

    def __init__(
        self,
        *,
        identity: AppIdentity,
        clock: Clock,
        limits: Limits,
        scopes: tuple[str, ...],
        app_scopes: tuple[str, ...],
        commands: tuple[str, ...],
        events: frozenset[str],
        has_home_tab: bool,
    ) -> None:
        self.identity = identity
        self.clock = clock
        self.limits = limits
        self.scopes = scopes
        self.app_scopes = app_scopes
        self.commands = commands
        self.events = events
        self.has_home_tab = has_home_tab
        self.changed = threading.Condition(threading.RLock())
        self.people = People()
        self.channels = Channels()
        self.messages = Messages()
        self.modals = Modals()
        self.homes = Homes()
        self.files = Files()
        self.passes = Passes(limits)
        self.throttle = Throttle(limits)
        self.faults = Faults()
        self.user_groups = UserGroups()
        self.socket_mode = SocketMode(changed=self.changed, clock=clock, limits=limits)
        self.calls: list[ApiCall] = []
        self.origin = "http://127.0.0.1"
        self.is_token_revoked = False
        self._last_ts = 0
        self._last_number = 1
        clock.on_change(self.wake)
        self.people.add(
            Person(
                id=identity.bot_user,
                handle=identity.bot_handle,
                name=identity.bot_handle.capitalize(),
                email="",
                is_bot=True,
                bot_id=identity.bot_id,
            )
        )

    def wake(self) -> None:
        """Have everyone who waits look again."""
        with self.changed:
            self.changed.notify_all()

    def now_seconds(self) -> float:
        return self.clock.now_seconds()

    def next_ts(self) -> str:
        """A message's timestamp: its moment, and unique in the workspace."""
        micros = max(int(self.now_seconds() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """A new id: U for users, C for channels, D for direct messages, V for views, …"""
        self._last_number += 1
        return f"{prefix}{self._last_number:08d}"

    def direct_channel(self, user_id: str) -> Channel:
        """The direct message between the app and a person, opened if need be."""
        known = self.channels.direct_with(user_id)
        if known is not None:
            return known
        return self.channels.add(
            Channel(
                id=self.next_id("D"),
                name="directmessage",
                kind=ChannelKind.DIRECT,
                creator=self.identity.bot_user,
                created_seconds=int(self.now_seconds()),
                members=[self.identity.bot_user, user_id],
            )
        )

    def put_message(
        self,
        channel: Channel,
        content: Content,
        *,
        author: str | None = None,
        thread_ts: str | None = None,
        visible_to: str | None = None,
        is_mrkdwn: bool = True,
        metadata: JsonObject | None = None,
    ) -> Message:
        """Write a message; without an author it is the app's."""
        with self.changed:
            message = self.messages.put(
                Message(
                    channel=channel.id,
                    ts=self.next_ts(),
                    author=author or self.identity.bot_user,
                    from_app=author is None,
                    text=content.text,
                    blocks=content.blocks,
                    thread_ts=thread_ts,
                    visible_to=visible_to,
                    is_mrkdwn=is_mrkdwn,
                    metadata=metadata,
                )
            )
            self.changed.notify_all()
            return message

    def message_wire(self, message: Message) -> JsonObject:
        return message.to_wire(
            bot_id=self.identity.bot_id,
            app_id=self.identity.app_id,
            team_id=self.identity.team_id,
        )

    def name_of(self, some_id: str) -> str:
        """A person's or a user group's handle, or a channel's name; an unknown id stays."""
        person = self.people.by_id(some_id) or self.user_groups.by_id(some_id)
        if person is not None:
            return person.handle
        channel = self.channels.by_id(some_id)
        return some_id if channel is None else channel.name

"""A Slack workspace on this machine: people, channels, one installed app, and what happened.

Pure state and Slack's rules: it opens no socket (see `serve`) and imports nothing of the bot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, Unpack

from bot.sandbox.actor import Actor
from bot.sandbox.app_identity import DEFAULT_COMMANDS, DEFAULT_SCOPES, AppIdentity
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.clock import Clock, SystemClock
from bot.sandbox.json_values import JsonObject
from bot.sandbox.limits import Fault, Limits
from bot.sandbox.messages import Message
from bot.sandbox.payloads import event
from bot.sandbox.people import Flags, Person
from bot.sandbox.rendering import render_plain
from bot.sandbox.socket_mode import Violation
from bot.sandbox.state import ApiCall, State
from bot.sandbox.user_groups import UserGroup

Found = TypeVar("Found")

_EVENT_SCOPES = {
    "app_home_opened": None,
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
}


class Workspace:
    """Set it up, run it with `serve`, drive it with `as_person`. Safe from any thread."""

    def __init__(
        self,
        *,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        app_scopes: Iterable[str] = ("connections:write",),
        commands: Iterable[str] = DEFAULT_COMMANDS,
        events: Iterable[str] = (),
        home_tab: bool = False,
        clock: Clock | None = None,
        limits: Limits | None = None,
        identity: AppIdentity | None = None,
    ) -> None:
        """`scopes` are the bot token's, `app_scopes` the app token's, `commands` the registered
        slash commands (each needs the scope `commands`), `events` the bot events that the app
        subscribed to, `home_tab` whether its Home tab is enabled.

        Raises: ValueError for an event that is unknown or lacks its scope.
        """
        granted, subscribed = tuple(scopes), frozenset(events)
        for name in sorted(subscribed):
            if name not in _EVENT_SCOPES:
                raise ValueError(f"the workspace does not implement the event {name}")
            needed = _EVENT_SCOPES[name]
            if needed is not None and needed not in granted:
                raise ValueError(f"the event {name} needs the scope {needed}")
        self.state = State(
            identity=identity or AppIdentity(),
            clock=clock or SystemClock(),
            limits=limits or Limits(),
            scopes=granted,
            app_scopes=tuple(app_scopes),
            commands=tuple(commands),
            events=subscribed,
            has_home_tab=home_tab,
        )

    @property
    def bot_token(self) -> str:
        return self.state.identity.bot_token

    @property
    def app_token(self) -> str:
        return self.state.identity.app_token

    # people

    def add_person(self, handle: str, *, user_id: str | None = None, **flags: Unpack[Flags]) -> str:
        """Add an account; the result is its user id. Unless given, the id is a new one, the name
        is the handle and the address is made from it.

        Raises: ValueError when the id or the handle is taken."""
        with self.state.changed:
            if user_id is not None and self.state.people.by_id(user_id) is not None:
                raise ValueError(f"the id {user_id!r} is taken")
            person = Person(
                id=user_id or self.state.next_id("U"),
                handle=handle,
                name=handle.capitalize(),
                email=f"{handle}@meridian.example",
            )
            self.state.people.add(person)
            return self.state.people.set_flags(person.id, **flags).id

    def set_flags(self, who: str, **flags: Unpack[Flags]) -> None:
        """Change what `users.info` says of a person from now on."""
        with self.state.changed:
            self.state.people.set_flags(who, **flags)

    def leave_out(self, who: str, *fields: str) -> None:
        """Have `users.info` leave these fields out for a person, as Slack sometimes does."""
        with self.state.changed:
            self.state.people.leave_out(who, frozenset(fields))

    def add_user_group(
        self, group_id: str, members: Iterable[str], *, handle: str = "", name: str = ""
    ) -> str:
        """Add a user group (id S…), or change the one with this id; its members by handle or id.
        Unless given, its handle is made from the id and its name from the handle.

        Raises: ValueError when another group has the handle."""
        state = self.state
        with state.changed:
            handle = handle.removeprefix("@") or group_id.lower()
            group = UserGroup(
                id=group_id,
                handle=handle,
                name=name or handle.replace("-", " ").capitalize(),
                created_by="USLACKBOT",
                created_seconds=int(state.now_seconds()),
                members=tuple(state.people.get(member).id for member in members),
            )
            state.changed.notify_all()
            return state.user_groups.put(group).id

    def disable_user_group(self, group_id: str) -> None:
        """Switch a user group off, as an administrator does."""
        with self.state.changed:
            self.state.user_groups.disable(group_id, int(self.state.now_seconds()))

    def leave_paid_plan(self) -> None:
        """Have no user groups from now on, as a workspace on Slack's free plan."""
        with self.state.changed:
            self.state.user_groups.is_in_plan = False

    def as_person(self, who: str) -> Actor:
        """Drive the workspace as this person."""
        with self.state.changed:
            return Actor(self.state, self.state.people.get(who))

    # channels

    def add_channel(
        self,
        name: str,
        *,
        members: Iterable[str] = (),
        bot_is_member: bool = True,
        is_private: bool = False,
    ) -> str:
        """Add a channel; the result is its id."""
        state = self.state
        with state.changed:
            ids = [state.people.get(member).id for member in members]
            if bot_is_member:
                ids.append(state.identity.bot_user)
            channel = Channel(
                id=state.next_id("C"),
                name=name.removeprefix("#"),
                kind=ChannelKind.PRIVATE if is_private else ChannelKind.PUBLIC,
                creator=ids[0] if ids else state.identity.bot_user,
                created_seconds=int(state.now_seconds()),
                members=ids,
            )
            return state.channels.add(channel).id

    def archive(self, where: str) -> None:
        with self.state.changed:
            channel = self.state.channels.get(where)
            channel.is_archived = True
            self._tell("channel_archive", {"channel": channel.id, "user": channel.creator})

    def unarchive(self, where: str) -> None:
        with self.state.changed:
            self.state.channels.get(where).is_archived = False

    def add_to_channel(self, where: str, who: str) -> None:
        with self.state.changed:
            person, channel = self.state.people.get(who), self.state.channels.get(where)
            if not channel.has(person.id):
                channel.members.append(person.id)

    def remove_from_channel(self, where: str, who: str) -> None:
        """Take a person, or the app itself, out of a channel."""
        with self.state.changed:
            person, channel = self.state.people.get(who), self.state.channels.get(where)
            if not channel.has(person.id):
                return
            channel.members.remove(person.id)
            left: JsonObject = {"user": person.id, "channel": channel.id}
            left |= {"channel_type": "C", "team": person.team_id}
            self._tell("member_left_channel", left)

    def remove_bot(self, where: str) -> None:
        self.remove_from_channel(where, self.state.identity.bot_user)

    def delete_message(self, message: Message) -> None:
        """Delete a message, as its author's administrator can."""
        with self.state.changed:
            self.state.messages.remove(message.channel, message.ts)
            self.state.changed.notify_all()

    # trouble

    def rate_limit_next(self, method: str, *, times: int = 1, retry_after_seconds: int = 1) -> None:
        """Answer the next calls of a method with HTTP 429."""
        fault = Fault(error="ratelimited", http_status=429, retry_after_seconds=retry_after_seconds)
        with self.state.changed:
            self.state.faults.order(method, fault, times)

    def fail_next(self, method: str, error: str, *, times: int = 1, http_status: int = 200) -> None:
        """Answer the next calls of a method with an error of Slack's, nothing done."""
        with self.state.changed:
            self.state.faults.order(method, Fault(error=error, http_status=http_status), times)

    def revoke_token(self) -> None:
        """Uninstall the app: the bot token stops working."""
        with self.state.changed:
            self.state.is_token_revoked = True

    def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to make a new one, as Slack does every few hours."""
        self.state.socket_mode.ask_to_reconnect(reason)

    def drop_connections(self) -> None:
        """Close every Socket Mode connection without a word."""
        self.state.socket_mode.drop_all()

    # what happened

    @property
    def connection_count(self) -> int:
        """Open Socket Mode connections."""
        return self.state.socket_mode.connection_count

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the app did wrong where the wire could not tell it (late acks among them)."""
        with self.state.changed:
            return tuple(self.state.socket_mode.violations)

    @property
    def calls(self) -> tuple[ApiCall, ...]:
        """Every Web API call so far, oldest first."""
        with self.state.changed:
            return tuple(self.state.calls)

    def file(self, file_id: str) -> bytes:
        """What was uploaded under this id. Raises: KeyError when nothing was."""
        with self.state.changed:
            file = self.state.files.by_id(file_id)
            if file is None or file.data is None:
                raise KeyError(file_id)
            return file.data

    def messages(self, where: str) -> list[Message]:
        """Every lasting message of a channel, replies included, oldest first."""
        with self.state.changed:
            return self.state.messages.in_channel(self.state.channels.get(where).id)

    def render_plain(self, message: Message, *, tz: str = "UTC") -> str:
        """A message as plain text in a time zone."""
        with self.state.changed:
            return render_plain(message, names=self.state.name_of, tz=tz)

    def wait_for(
        self, predicate: Callable[[], Found | None], timeout_seconds: float = 5.0
    ) -> Found:
        """Wait until the predicate gives something truthy, and return that. It is asked again
        after every change, while the workspace stands still.

        Raises: TimeoutError.
        """
        found: list[Found] = []

        def look() -> bool:
            value = predicate()
            if value:
                found.append(value)
            return bool(found)

        with self.state.changed:
            if not self.state.changed.wait_for(look, timeout_seconds):
                raise TimeoutError(f"not within {timeout_seconds} s")
        return found[0]

    def _tell(self, name: str, inner: JsonObject) -> None:
        self.state.changed.notify_all()
        if name in self.state.events:
            ts = self.state.next_ts()
            inner = {"type": name, **inner, "event_ts": ts}
            self.state.socket_mode.publish(event(self.state, inner))

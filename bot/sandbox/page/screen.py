"""What is on one person's screen, as JSON for the page. Reads the workspace, changes nothing.

The caller holds the workspace's lock. Text is given as spans, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.json_values import Json, JsonObject, copied, object_of, text_of
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.page.guide import Guide, Step
from bot.sandbox.page.spans import Span, mrkdwn, plain
from bot.sandbox.people import Person
from bot.sandbox.rendering import Pings, message_pings
from bot.sandbox.state import State

MOST_MESSAGES = 200
"""The newest of each conversation that are drawn."""


@dataclass(frozen=True, kw_only=True)
class CommandHint:
    """What completion shows of a slash command, as the app's manifest has it."""

    name: str
    about: str
    usage: str


@dataclass(kw_only=True)
class Reading:
    """Up to where each person has read each conversation: user and channel id → timestamp."""

    marks: dict[tuple[str, str], str] = field(default_factory=dict)

    def is_unread(self, user: str, message: Message) -> bool:
        """Whether somebody else wrote it since they last looked."""
        read = self.marks.get((user, message.channel), "")
        return message.author != user and message.ts > read


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A screen: everything but the messages, and each message by its key."""

    around: JsonObject
    messages: Mapping[str, JsonObject]
    drawn: Mapping[str, Message]
    """The messages as they were drawn: a click is on the drawing that somebody saw."""


class Screen:
    """One person's screen; messages that did not change are not drawn again."""

    def __init__(
        self, state: State, user: str, *, reading: Reading, hints: Sequence[CommandHint]
    ) -> None:
        self._state = state
        self._user = user
        self._reading = reading
        self._hints = hints
        self._kept: dict[str, tuple[Message, JsonObject]] = {}

    def frame(self, guide: Guide) -> Frame:
        """The screen now. The caller holds the lock."""
        state = self._state
        person = state.people.get(self._user)
        visible = self._visible(person)
        fresh: dict[str, tuple[Message, JsonObject]] = {}
        for message in visible:
            key = f"{message.channel} {message.ts}"
            kept = self._kept.get(key)
            if kept is None or kept[0] is not message:
                kept = message, self._message(message, person)
            fresh[key] = kept
        self._kept = fresh
        modal = state.modals.top(person.id)
        home = state.homes.of(person.id)
        channels: list[Json] = [
            self._channel(c, person) for c in state.channels.everything() if c.has(person.id)
        ]
        people: list[Json] = [self._person(p) for p in state.people.everyone() if not p.is_bot]
        commands: list[Json] = [
            {"name": h.name, "about": h.about, "usage": h.usage} for h in self._hints
        ]
        steps: list[Json] = [_step(step) for step in guide.steps()]
        links: list[Json] = [{"label": link.label, "url": link.url} for link in guide.links]
        around: JsonObject = {
            "me": person.id,
            "workspace": state.identity.team_name,
            "app": {
                "handle": state.identity.bot_handle,
                "name": state.people.get(state.identity.bot_user).name,
            },
            "has_home": state.has_home_tab,
            "is_connected": state.socket_mode.connection_count > 0,
            "people": people,
            "channels": channels,
            "commands": commands,
            "modal": None if modal is None else self._view(modal, person),
            "home": None if home is None else self._view(home, person),
            "guide": {
                "title": guide.title,
                "about": guide.about,
                "percent": guide.percent,
                "links": links,
                "steps": steps,
            },
        }
        return Frame(
            around=around,
            messages={key: drawn for key, (_message, drawn) in fresh.items()},
            drawn={key: message for key, (message, _drawn) in fresh.items()},
        )

    def _visible(self, person: Person) -> list[Message]:
        state = self._state
        found: list[Message] = []
        for channel in state.channels.everything():
            if channel.has(person.id):
                found += state.messages.in_channel(channel.id)[-MOST_MESSAGES:]
        found += state.messages.ephemerals(person.id)[-MOST_MESSAGES:]
        return sorted(found, key=lambda m: m.ts)

    def _channel(self, channel: Channel, person: Person) -> JsonObject:
        messages = self._state.messages.in_channel(channel.id)
        unread = [m for m in messages if self._reading.is_unread(person.id, m)]
        is_direct = channel.kind is ChannelKind.DIRECT
        pinged = [m for m in unread if is_direct or self._is_pinged(message_pings(m), person)]
        return {
            "id": channel.id,
            "name": channel.name,
            "is_direct": is_direct,
            "is_private": channel.kind is ChannelKind.PRIVATE,
            "is_archived": channel.is_archived,
            "members": len(channel.members),
            "unread": len(unread),
            "pings": len(pinged),
        }

    def _is_pinged(self, pings: Pings, person: Person) -> bool:
        groups = (self._state.user_groups.by_id(group) for group in pings.groups)
        return (
            person.id in pings.users
            or bool(pings.channel_wide)
            or any(g is not None and person.id in g.members and not g.is_disabled for g in groups)
        )

    def _person(self, person: Person) -> JsonObject:
        waiting = 0
        direct = self._state.channels.direct_with(person.id)
        if direct is not None:
            messages = self._state.messages.in_channel(direct.id)
            waiting = sum(self._reading.is_unread(person.id, m) for m in messages)
        return {
            "id": person.id,
            "handle": person.handle,
            "name": person.name,
            "title": person.title,
            "is_gone": person.deleted,
            "waiting": waiting,
        }

    def _message(self, message: Message, person: Person) -> JsonObject:
        author = self._state.people.get(message.author)
        at = datetime.fromtimestamp(float(message.ts), tz=UTC).astimezone(ZoneInfo(person.tz))
        text: tuple[Span, ...] = ()
        if not message.blocks:
            text = self._spans(message.text, person) if message.is_mrkdwn else plain(message.text)
        return {
            "channel": message.channel,
            "ts": message.ts,
            "thread": message.thread_ts if message.is_reply else None,
            "author": author.id,
            "name": author.name,
            "is_app": message.from_app,
            "day": f"{at:%A, %B} {at.day}",
            "clock": f"{at:%H:%M}",
            "only_you": message.is_ephemeral,
            "text": _listed(text),
            "blocks": [self._drawn(block, person) for block in message.blocks],
        }

    def _view(self, view: View, person: Person) -> JsonObject:
        return {
            "id": view.id,
            "hash": view.hash,
            "title": view.title,
            "submit": text_of(object_of(view.payload, "submit"), "text"),
            "close": text_of(object_of(view.payload, "close"), "text") or "Cancel",
            "blocks": [self._drawn(block, person) for block in view.blocks],
            "values": copied(view.values),
        }

    def _drawn(self, value: Json, person: Person) -> Json:
        """Block Kit with every text object as spans; what a button carries stays here."""
        if isinstance(value, list):
            return [self._drawn(entry, person) for entry in value]
        if not isinstance(value, dict):
            return value
        kind = text_of(value, "type")
        if kind == "plain_text":
            return {"spans": _listed(plain(text_of(value, "text")))}
        if kind == "mrkdwn":
            return {"spans": _listed(self._spans(text_of(value, "text"), person))}
        made = {
            key: self._drawn(entry, person)
            for key, entry in value.items()
            if not (kind == "button" and key == "value")
        }
        file = object_of(value, "slack_file")
        if file:
            made["source"] = f"files/{text_of(file, 'id')}"
        return made

    def _spans(self, text: str, person: Person) -> tuple[Span, ...]:
        return mrkdwn(text, names=self._state.name_of, tz=person.tz)


def _listed(spans: tuple[Span, ...]) -> list[Json]:
    return [span.to_json() for span in spans]


def _step(step: Step) -> JsonObject:
    return {
        "title": step.title,
        "text": step.text,
        "is_done": step.is_done,
        "person": step.person,
        "place": step.place,
        "typed": step.typed,
        "button": None
        if step.button is None
        else {
            "id": step.button.id,
            "label": step.button.label,
            "is_danger": step.button.is_danger,
        },
    }

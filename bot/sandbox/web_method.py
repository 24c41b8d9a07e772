"""How a Web API method is declared and its arguments read: what is not declared is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.sandbox.api_error import ApiError, invalid_arguments
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.people import Person
from bot.sandbox.state import State


class Kind(StrEnum):
    """The type of an argument."""

    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    ARRAY = "array"
    OBJECT = "object"


class TokenKind(StrEnum):
    """Which token a method takes."""

    BOT = "bot"
    APP = "app"


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument. `only` lists the values that the workspace implements (as Slack spells
    them), where others exist; `broken` is the error for JSON that cannot be read."""

    kind: Kind
    required: bool = False
    only: tuple[Json, ...] | None = None
    broken: str = "invalid_arguments"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that passed token, scope and argument checks."""

    state: State
    method: str
    arguments: JsonObject

    def text(self, name: str) -> str:
        value = self.arguments.get(name)
        return value if isinstance(value, str) else ""

    def optional_text(self, name: str) -> str | None:
        value = self.arguments.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.arguments.get(name)
        return value if isinstance(value, bool) else default

    def number(self, name: str, default: int) -> int:
        value = self.arguments.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    def array(self, name: str) -> list[Json] | None:
        value = self.arguments.get(name)
        return value if isinstance(value, list) else None

    def object(self, name: str) -> JsonObject | None:
        value = self.arguments.get(name)
        return value if isinstance(value, dict) else None

    def require_scope(self, scope: str) -> None:
        """Raises: ApiError missing_scope."""
        require_scope(self.state.scopes, (scope,))

    def channel(self, name: str = "channel", *, family: str | None = None) -> Channel:
        """The conversation that the argument names, if the app may know of it. With `family`
        (`read`, `history`) its kind's scope is required. Raises: ApiError."""
        channel = self.state.channels.by_id(self.text(name))
        if channel is None:
            raise ApiError("channel_not_found")
        if family is not None:
            self.require_scope(f"{channel.kind.value}:{family}")
        is_hidden = channel.kind is ChannelKind.PRIVATE
        if is_hidden and not channel.has(self.state.identity.bot_user):
            raise ApiError("channel_not_found")
        return channel

    def person(self, name: str = "user") -> Person:
        """Raises: ApiError user_not_found."""
        person = self.state.people.by_id(self.text(name))
        if person is None:
            raise ApiError("user_not_found")
        return person

    def page(self, items: Sequence[Json], name: str, *, most: int = 1000) -> JsonObject:
        """One page of a list, by the arguments `limit` and `cursor`. Raises: ApiError."""
        limit = self.number("limit", 100)
        if not 1 <= limit <= most:
            raise ApiError("invalid_limit")
        start = _position(self.text("cursor"))
        if start > len(items):
            raise ApiError("invalid_cursor")
        end = start + limit
        listed: list[Json] = [*items[start:end]]
        following = _cursor(end) if end < len(items) else ""
        return {name: listed, "response_metadata": {"next_cursor": following}}


Handler = Callable[[Call], JsonObject]


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method: its handler, the scopes of which all are needed, the token and the arguments."""

    handler: Handler
    scopes: tuple[str, ...] = ()
    token: TokenKind = TokenKind.BOT
    arguments: Mapping[str, Argument] = field(default_factory=dict)


def require_scope(granted: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Raises: ApiError missing_scope, with what is needed and what the token has."""
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        fields: JsonObject = {"needed": ",".join(missing), "provided": ",".join(granted)}
        raise ApiError("missing_scope", fields=fields)


def verify_rate(wait_seconds: int | None) -> None:
    """Raises: ApiError ratelimited, with the seconds after which it may be tried again."""
    if wait_seconds is not None:
        raise ApiError("ratelimited", http_status=429, retry_after_seconds=wait_seconds)


def read_arguments(declared: Mapping[str, Argument], given: JsonObject) -> JsonObject:
    """Arguments by their declared types. Raises: ApiError naming every one that does not fit."""
    problems: list[str] = []
    read: JsonObject = {}
    for name in sorted(set(given) - set(declared)):
        problems.append(f"unsupported argument: {name}")
    for name, argument in declared.items():
        value = given.get(name)
        if value is None or (value == "" and argument.kind is not Kind.STRING):
            if argument.required:
                problems.append(f"missing required field: {name}")
            continue
        if value == "" and argument.required:
            problems.append(f"missing required field: {name}")
            continue
        try:
            read[name] = _read(argument, value)
        except ValueError as error:
            if argument.broken != "invalid_arguments":
                raise ApiError(argument.broken) from error
            problems.append(f"{error} [json-pointer:/{name}]")
            continue
        if argument.only is not None and read[name] not in argument.only:
            problems.append(f"unsupported value of argument: {name}")
    if problems:
        raise invalid_arguments(*problems)
    return read


def _read(argument: Argument, value: Json) -> Json:
    match argument.kind:
        case Kind.STRING:
            if not isinstance(value, str):
                raise ValueError("must be a string")
            return value
        case Kind.BOOLEAN:
            spelled = {"1": True, "true": True, "0": False, "false": False}
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value in spelled:
                return spelled[value]
            raise ValueError("must be a boolean")
        case Kind.INTEGER:
            if isinstance(value, bool) or not isinstance(value, int | str):
                raise ValueError("must be an integer")
            if isinstance(value, str) and not value.isascii():
                raise ValueError("must be an integer")
            return int(value)
        case Kind.ARRAY:
            parsed = _parsed(value)
            if not isinstance(parsed, list):
                raise ValueError("must be an array")
            return parsed
        case Kind.OBJECT:
            parsed = _parsed(value)
            if not isinstance(parsed, dict):
                raise ValueError("must be an object")
            return parsed


def _parsed(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    parsed: Json = json.loads(value)
    return parsed


def _cursor(position: int) -> str:
    return base64.b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind != "at":
            raise ValueError("not a cursor of this workspace")
        return int(number)
    except ValueError as error:
        raise ApiError("invalid_cursor") from error

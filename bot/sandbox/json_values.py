"""JSON as it travels on the wire, read with types; knows nothing of Slack."""

from __future__ import annotations

import copy
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"


def text_of(source: JsonObject, key: str, default: str = "") -> str:
    """The string under `key`, or `default` when it is absent or no string."""
    value = source.get(key)
    return value if isinstance(value, str) else default


def flag_of(source: JsonObject, key: str) -> bool:
    """Whether `key` holds true."""
    return source.get(key) is True


def object_of(source: JsonObject, key: str) -> JsonObject:
    """The object under `key`, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def objects_of(source: JsonObject, key: str) -> list[JsonObject]:
    """Every object in the list under `key`, or an empty list."""
    return objects_in(source.get(key))


def objects_in(value: Json) -> list[JsonObject]:
    """Every object in a list; anything else gives an empty list."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def copied(value: JsonObject) -> JsonObject:
    """A deep copy, so that no caller can change what the workspace keeps."""
    return copy.deepcopy(value)


def as_list(values: tuple[JsonObject, ...] | list[JsonObject]) -> list[Json]:
    """Objects as a JSON list, copied."""
    return [copy.deepcopy(value) for value in values]

"""Small checks that combine into Block Kit's tables; a check reports, it never repairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.json_values import Json, JsonObject, text_of

Rule = Callable[[Json, str, "Problems"], None]


@dataclass
class Problems:
    """Everything wrong with one payload, each with a JSON pointer, as Slack words it."""

    found: list[str] = field(default_factory=list)

    def add(self, what: str, pointer: str) -> None:
        self.found.append(f"{what} [json-pointer:{pointer}]")


def string(longest: int, *, shortest: int = 1) -> Rule:
    def check(value: Json, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must be a string", pointer)
        elif len(value) < shortest:
            problems.add(f"must be more than {shortest - 1} characters", pointer)
        elif len(value) > longest:
            problems.add(f"must be less than {longest + 1} characters", pointer)

    return check


def pattern(form: str, said: str) -> Rule:
    compiled = re.compile(form)

    def check(value: Json, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            problems.add(said, pointer)

    return check


def boolean(value: Json, pointer: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must be a boolean", pointer)


def integer(lowest: int, highest: int) -> Rule:
    def check(value: Json, pointer: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problems.add("must be an integer", pointer)
        elif not lowest <= value <= highest:
            problems.add(f"must be between {lowest} and {highest}", pointer)

    return check


def word(*allowed: str) -> Rule:
    def check(value: Json, pointer: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(f"must be one of: {', '.join(allowed)}", pointer)

    return check


def array(item: Rule, *, fewest: int, most: int) -> Rule:
    def check(value: Json, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must be an array", pointer)
            return
        if len(value) < fewest:
            problems.add(f"no fewer than {fewest} items allowed", pointer)
        if len(value) > most:
            problems.add(f"no more than {most} items allowed", pointer)
        for index, entry in enumerate(value):
            item(entry, f"{pointer}/{index}", problems)

    return check


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object: which properties it may have, which it must, and what else must hold."""

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    also: Callable[[JsonObject, str, Problems], None] | None = None

    def __call__(self, value: Json, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must be an object", pointer)
            return
        for name in self.required:
            if name not in value:
                problems.add(f"missing required field: {name}", pointer)
        for name, entry in value.items():
            rule = self.required.get(name) or self.optional.get(name)
            if rule is None:
                problems.add(f"no additional properties allowed: {name}", pointer)
            else:
                rule(entry, f"{pointer}/{name}", problems)
        if self.also is not None:
            self.also(value, pointer, problems)


def by_type(shapes: Mapping[str, Rule]) -> Rule:
    """Choose the shape by the object's `type`; a type that is not listed is refused."""

    def check(value: Json, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must be an object", pointer)
            return
        kind = text_of(value, "type")
        shape = shapes.get(kind)
        if shape is None:
            problems.add(f"unsupported type: {kind or 'none given'}", f"{pointer}/type")
        else:
            shape(value, pointer, problems)

    return check

"""pydantic's errors in the words of somebody who writes policies, each at its line.

Knows the schema only as a tree of keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from governance.adapters.policy_files.document import Document, Path
from governance.adapters.policy_files.problems import Finding
from governance.domain.suggestion import nearest

_KINDS = {
    str: "a word",
    bool: "true or false",
    int: "a number",
    float: "a number",
    dict: "keys and values",
    tuple: "a list",
}
_WANTED = {
    "string_type": ("a word", "Write one word or sentence"),
    "bool_type": ("true or false", "Write true or false"),
    "int_type": ("a whole number", "Write a whole number, such as 1"),
    "float_type": ("a number", "Write a decimal number, such as 0.7"),
    "tuple_type": ("a list", "Write [one, two], or one hyphen and item a line"),
    "dict_type": ("keys and values", "Write `key: value`, one a line, indented"),
    "model_type": ("keys and values", "Write `key: value`, one a line, indented"),
}
# Keys that belong to plans of other systems, and that would be dangerous to leave out silently.
_NOT_SUPPORTED = {
    "rollout": "a rollout plan needs a traffic adapter, and there is none",
    "canary": "a rollout plan needs a traffic adapter, and there is none",
    "include": "a policy file stands alone",
}


def refusals(
    document: Document, error: ValidationError, model: type[BaseModel]
) -> Iterable[Finding]:
    """One finding for each error that is not the echo of one found while reading."""
    for detail in error.errors(include_url=False):
        loc: Path = tuple(part for part in detail["loc"] if part != "[key]")
        path = document.real_path(loc)
        if any(path[:n] in document.refused for n in range(len(path) + 1)):
            continue
        if detail["type"] == "missing" and (*path, loc[-1]) in document.refused:
            continue
        if detail["type"] == "too_short" and detail["input"]:
            continue  # pydantic counts valid items alone; each invalid one is named by itself
        yield _finding(document, detail, loc, model)


def _finding(
    document: Document, detail: ErrorDetails, loc: Path, model: type[BaseModel]
) -> Finding:
    kind, given, ctx = detail["type"], detail["input"], detail.get("ctx", {})
    last = loc[-1] if loc else ""
    if kind == "said":
        at_key = "[key]" in detail["loc"]
        return document.finding(loc, ctx["what"], ctx["instead"], at_key=at_key)
    if kind == "extra_forbidden":
        return _unknown_key(document, loc, model)
    if kind == "missing":
        example = _example(model, loc)
        return document.finding(loc, f"`{last}` is missing here", f"Write {last}: {example}")
    if kind == "literal_error":
        return _not_one_of(document, loc, given, ctx["expected"])
    if kind in {"too_short", "string_too_short"}:
        instead = "Write what it holds, or delete the key if it may be left out"
        return document.finding(loc, f"{_name(loc)} is empty", instead)
    if kind == "string_too_long":
        return document.finding(
            loc, f"{_name(loc)} is longer than {ctx['max_length']} characters", "Shorten it"
        )
    if kind == "finite_number":
        return document.finding(
            loc, f"{_name(loc)} is no finite number", "Write a decimal number, such as 0.7"
        )
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound = ctx.get("ge", ctx.get("le"))
        way = "at least" if "ge" in ctx else "at most"
        return document.finding(
            loc, f"{given} is out of range", f"Write a number that is {way} {bound:g}"
        )
    if kind in _WANTED:
        wanted, instead = _WANTED[kind]
        is_kind = _KINDS.get(type(given), "something else")
        if kind == "string_type" and isinstance(given, bool | int | float):
            instead = f'Put it in quotes if it is a word: "{_as_written(given)}"'
        return document.finding(
            loc, f"{_name(loc)} has to be {wanted}, and this is {is_kind}", instead
        )
    # Everything the schema can raise is above; a new kind still reaches the reader, in English.
    return document.finding(loc, f"{_name(loc)}: {detail['msg']}", "See the JSON Schema")


def _name(loc: Path) -> str:
    words = [part for part in loc if isinstance(part, str) and part not in {"word", "list"}]
    inside = "an item of " if loc and isinstance(loc[-1], int) else ""
    return f"{inside}`{words[-1]}`" if words else "this file"


def _as_written(given: bool | float) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)


def _not_one_of(document: Document, loc: Path, given: object, expected: str) -> Finding:
    choices = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    is_stage = "from" in loc
    what = f"`{given}` is not a stage that it may come from" if is_stage else f"unknown `{given}`"
    close = nearest(str(given), choices)
    instead = f"Did you mean `{close}`?" if close else f"Write one of {', '.join(choices)}"
    return document.finding(loc, what, instead)


def _unknown_key(document: Document, loc: Path, model: type[BaseModel]) -> Finding:
    key = str(loc[-1])
    if key in _NOT_SUPPORTED:
        what = f"`{key}` is not supported: {_NOT_SUPPORTED[key]}"
        return document.finding(loc, what, "Delete it", at_key=True)
    known = _keys(_owner(model, loc))
    close = nearest(key, known)
    instead = f"Did you mean `{close}`?" if close else f"Known here: {', '.join(known)}"
    kind = "stage" if len(loc) > 1 and loc[-2] == "stages" else "key"
    return document.finding(loc, f"unknown {kind} `{key}`", instead, at_key=True)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _owner(model: type[BaseModel], loc: Path) -> type[BaseModel]:
    """The part of the schema that the last key of `loc` stands in."""
    current = model
    for part in loc[:-1]:
        for name, field in current.model_fields.items():
            if part == (field.alias or name):
                current = _part_of(field.annotation) or current
                break
    return current


def _part_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _part_of(argument)
        if found is not None:
            return found
    return None


def _example(model: type[BaseModel], loc: Path) -> str:
    for name, field in _owner(model, loc).model_fields.items():
        if loc[-1] == (field.alias or name) and field.examples:
            example = field.examples[0]
            return f"[{', '.join(example)}]" if isinstance(example, list) else str(example)
    return "…"

"""Blocks, and lists of blocks as a message or a modal takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.sandbox.block_kit.composition import any_text, mrkdwn, plain_text
from bot.sandbox.block_kit.elements import IMAGE, IN_ACTIONS, IN_INPUT, IN_SECTION
from bot.sandbox.block_kit.rules import (
    Problems,
    Rule,
    Shape,
    array,
    boolean,
    by_type,
    pattern,
    string,
    word,
)
from bot.sandbox.json_values import Json, JsonObject, object_of, objects_in, objects_of, text_of

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
# Slack publishes no figure; about 13,200 characters is what its servers were seen to take.
MESSAGE_CHARACTERS = 13_200

_BLOCK_ID: dict[str, Rule] = {"block_id": string(255)}


def _text_or_fields(block: JsonObject, pointer: str, problems: Problems) -> None:
    if "text" not in block and "fields" not in block:
        problems.add("must define either `text` or `fields`", pointer)


def _one_source(block: JsonObject, pointer: str, problems: Problems) -> None:
    if ("image_url" in block) == ("slack_file" in block):
        problems.add("must have one of: image_url, slack_file", pointer)


def _no_action_twice(block: JsonObject, pointer: str, problems: Problems) -> None:
    seen: set[str] = set()
    for index, element in enumerate(objects_of(block, "elements")):
        action_id = text_of(element, "action_id")
        if action_id and action_id in seen:
            said = f"action_id already exists: {action_id}"
            problems.add(said, f"{pointer}/elements/{index}/action_id")
        seen.add(action_id)


HEADER = Shape(required={"type": word("header"), "text": plain_text(150)}, optional=_BLOCK_ID)

SECTION = Shape(
    required={"type": word("section")},
    optional={
        **_BLOCK_ID,
        "text": any_text(3000),
        "fields": array(any_text(2000), fewest=1, most=10),
        "accessory": by_type(IN_SECTION),
        "expand": boolean,
    },
    also=_text_or_fields,
)

DIVIDER = Shape(required={"type": word("divider")}, optional=_BLOCK_ID)

CONTEXT = Shape(
    required={
        "type": word("context"),
        "elements": array(
            by_type({"image": IMAGE, "plain_text": plain_text(3000), "mrkdwn": mrkdwn(3000)}),
            fewest=1,
            most=10,
        ),
    },
    optional=_BLOCK_ID,
)

ACTIONS = Shape(
    required={
        "type": word("actions"),
        "elements": array(by_type(IN_ACTIONS), fewest=1, most=25),
    },
    optional=_BLOCK_ID,
    also=_no_action_twice,
)

IMAGE_BLOCK = Shape(
    required={"type": word("image"), "alt_text": string(2000)},
    optional={
        **_BLOCK_ID,
        "title": plain_text(2000),
        "image_url": pattern(r"https?://\S{1,2990}", "must be a web address"),
        "slack_file": Shape(required={"id": string(255)}),
    },
    also=_one_source,
)

INPUT = Shape(
    required={
        "type": word("input"),
        "label": plain_text(2000),
        "element": by_type(IN_INPUT),
    },
    optional={
        **_BLOCK_ID,
        "hint": plain_text(2000),
        "optional": boolean,
        "dispatch_action": boolean,
    },
)

IN_MESSAGES: Mapping[str, Rule] = {
    "header": HEADER,
    "section": SECTION,
    "divider": DIVIDER,
    "context": CONTEXT,
    "actions": ACTIONS,
    "image": IMAGE_BLOCK,
}
IN_MODALS: Mapping[str, Rule] = {**IN_MESSAGES, "input": INPUT}


def check_blocks(
    value: Json, pointer: str, problems: Problems, kinds: Mapping[str, Rule], most: int
) -> None:
    """The list as a whole: each block by its table, no block id twice."""
    array(by_type(kinds), fewest=0, most=most)(value, pointer, problems)
    seen: set[str] = set()
    for index, block in enumerate(objects_in(value)):
        block_id = text_of(block, "block_id")
        if block_id and block_id in seen:
            problems.add(f"block_id already exists: {block_id}", f"{pointer}/{index}/block_id")
        seen.add(block_id)


def message_problems(blocks: Sequence[Json]) -> tuple[str, ...]:
    """Everything that Slack would refuse about a message's blocks; empty when it is fine."""
    problems = Problems()
    check_blocks(list(blocks), "/blocks", problems, IN_MESSAGES, MESSAGE_BLOCKS)
    return tuple(problems.found)


def text_length(blocks: Sequence[Json]) -> int:
    """Characters in all text objects of the blocks, labels of buttons and options included."""
    return sum(_characters(block) for block in blocks)


def _characters(value: Json) -> int:
    if isinstance(value, list):
        return sum(_characters(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = len(text_of(value, "text")) if text_of(value, "type") in ("plain_text", "mrkdwn") else 0
    return own + sum(_characters(item) for item in value.values())


def input_ids(blocks: tuple[JsonObject, ...]) -> frozenset[str]:
    """Block ids of the inputs, the only blocks that can show an error."""
    return frozenset(
        text_of(block, "block_id")
        for block in blocks
        if text_of(block, "type") == "input" and object_of(block, "element")
    )

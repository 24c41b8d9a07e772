"""The own rules of a modal and of a Home around their blocks."""

from __future__ import annotations

from bot.sandbox.block_kit.composition import plain_text
from bot.sandbox.block_kit.rules import Problems, Shape, boolean, string, word
from bot.sandbox.block_kit.surface import IN_MODALS, MODAL_BLOCKS, check_blocks
from bot.sandbox.json_values import Json, JsonObject, objects_of, text_of


def _blocks(value: Json, pointer: str, problems: Problems) -> None:
    check_blocks(value, pointer, problems, IN_MODALS, MODAL_BLOCKS)


def _submit_with_inputs(view: JsonObject, pointer: str, problems: Problems) -> None:
    if "submit" in view:
        return
    if any(text_of(block, "type") == "input" for block in objects_of(view, "blocks")):
        problems.add("`submit` must be defined in a modal with an `input` block", pointer)


MODAL = Shape(
    required={"type": word("modal"), "title": plain_text(24), "blocks": _blocks},
    optional={
        "submit": plain_text(24),
        "close": plain_text(24),
        "private_metadata": string(3000, shortest=0),
        "callback_id": string(255, shortest=0),
        "external_id": string(255, shortest=0),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
    also=_submit_with_inputs,
)

HOME = Shape(
    required={"type": word("home"), "blocks": _blocks},
    optional={
        "private_metadata": string(3000, shortest=0),
        "callback_id": string(255, shortest=0),
        "external_id": string(255, shortest=0),
    },
)


def modal_problems(view: JsonObject) -> tuple[str, ...]:
    """Everything that Slack would refuse about a modal; empty when it is fine."""
    return _problems(MODAL, view)


def home_problems(view: JsonObject) -> tuple[str, ...]:
    """Everything that Slack would refuse about a Home; empty when it is fine."""
    return _problems(HOME, view)


def _problems(shape: Shape, view: JsonObject) -> tuple[str, ...]:
    problems = Problems()
    shape(view, "/view", problems)
    return tuple(problems.found)

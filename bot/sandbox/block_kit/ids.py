"""Gives blocks and elements the ids that Slack gives them when the app left them out."""

from __future__ import annotations

import secrets

from bot.sandbox.json_values import JsonObject, copied, object_of, objects_of, text_of

_INTERACTIVE = frozenset(
    {
        "button",
        "overflow",
        "static_select",
        "users_select",
        "datepicker",
        "checkboxes",
        "radio_buttons",
        "plain_text_input",
    }
)


def with_ids(blocks: list[JsonObject]) -> tuple[JsonObject, ...]:
    """Copies of valid blocks in which every block and interactive element has an id."""
    return tuple(_block(copied(block)) for block in blocks)


def _block(block: JsonObject) -> JsonObject:
    block.setdefault("block_id", secrets.token_urlsafe(4))
    for element in objects_of(block, "elements"):
        _element(element)
    for key in ("accessory", "element"):
        _element(object_of(block, key))
    return block


def _element(element: JsonObject) -> None:
    if text_of(element, "type") in _INTERACTIVE:
        element.setdefault("action_id", secrets.token_urlsafe(4))

"""What a message may contain: text and blocks, within Slack's limits, or Slack's refusal."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.api_error import ApiError
from bot.sandbox.block_kit import message_problems, text_length, with_ids
from bot.sandbox.block_kit.surface import MESSAGE_CHARACTERS
from bot.sandbox.json_values import Json, JsonObject, objects_in

MISSING_TEXT = "missing_text_in_message"


@dataclass(frozen=True, kw_only=True)
class Content:
    """Checked text and blocks; `warnings` are Slack's words for what it accepts unwillingly."""

    text: str
    blocks: tuple[JsonObject, ...]
    warnings: tuple[str, ...] = ()


def check_content(text: str | None, blocks: list[Json] | None, *, longest_text: int) -> Content:
    """Raises: ApiError no_text, msg_too_long, invalid_blocks, msg_blocks_too_long."""
    if not text and not blocks:
        raise ApiError("no_text")
    if text is not None and len(text) > longest_text:
        raise ApiError("msg_too_long")
    shown = blocks or []
    problems = message_problems(shown)
    if problems:
        raise ApiError("invalid_blocks", messages=problems)
    if text_length(shown) > MESSAGE_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    warnings = () if text else (MISSING_TEXT,)
    return Content(text=text or "", blocks=with_ids(objects_in(shown)), warnings=warnings)

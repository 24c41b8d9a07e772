"""What a message may contain: text and blocks, within Slack's limits, or Slack's refusal."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.api_error import ApiError
from bot.sandbox.block_kit import message_problems, text_length, with_ids
from bot.sandbox.block_kit.surface import MESSAGE_CHARACTERS
from bot.sandbox.files import Files
from bot.sandbox.json_values import Json, JsonObject, objects_in

MISSING_TEXT = "missing_text_in_message"


@dataclass(frozen=True, kw_only=True)
class Content:
    """Checked text and blocks; `warnings` are Slack's words for what it accepts unwillingly."""

    text: str
    blocks: tuple[JsonObject, ...]
    warnings: tuple[str, ...] = ()


def check_content(
    text: str | None, blocks: list[Json] | None, *, longest_text: int, files: Files
) -> Content:
    """Raises: ApiError no_text, msg_too_long, invalid_blocks, msg_blocks_too_long."""
    if not text and not blocks:
        raise ApiError("no_text")
    if text is not None and len(text) > longest_text:
        raise ApiError("msg_too_long")
    shown = blocks or []
    problems = message_problems(shown) + _unknown_pictures(shown, files)
    if problems:
        raise ApiError("invalid_blocks", messages=problems)
    if text_length(shown) > MESSAGE_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    warnings = () if text else (MISSING_TEXT,)
    return Content(text=text or "", blocks=with_ids(objects_in(shown)), warnings=warnings)


def _unknown_pictures(blocks: list[Json], files: Files) -> tuple[str, ...]:
    """Image blocks that name a file which is none, is not complete, or is no picture."""
    found: list[str] = []
    for index, block in enumerate(blocks):
        named = block.get("slack_file") if isinstance(block, dict) else None
        file_id = named.get("id") if isinstance(named, dict) else None
        if not isinstance(file_id, str):
            continue
        file = files.by_id(file_id)
        if file is None or not file.is_shown_as_image:
            found.append(f"invalid slack file [json-pointer:/blocks/{index}/slack_file]")
    return tuple(found)

"""The parts that blocks and elements are made of: text, options, confirmation dialogs."""

from __future__ import annotations

from bot.sandbox.block_kit.rules import Rule, Shape, array, boolean, by_type, string, word


def plain_text(longest: int) -> Rule:
    """A `plain_text` object; `verbatim` belongs to mrkdwn only."""
    return Shape(
        required={"type": word("plain_text"), "text": string(longest)},
        optional={"emoji": boolean},
    )


def mrkdwn(longest: int) -> Rule:
    """A `mrkdwn` object; `emoji` belongs to plain text only."""
    return Shape(
        required={"type": word("mrkdwn"), "text": string(longest)},
        optional={"verbatim": boolean},
    )


def any_text(longest: int = 3000) -> Rule:
    return by_type({"plain_text": plain_text(longest), "mrkdwn": mrkdwn(longest)})


def option(text: Rule) -> Rule:
    return Shape(
        required={"text": text, "value": string(150)},
        optional={"description": plain_text(75)},
    )


def plain_options(most: int) -> Rule:
    return array(option(plain_text(75)), fewest=1, most=most)


def rich_options(most: int) -> Rule:
    """Options of checkboxes and radio buttons, whose text may be mrkdwn."""
    return array(option(any_text(75)), fewest=1, most=most)


CONFIRM: Rule = Shape(
    required={
        "title": plain_text(100),
        "text": any_text(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
    },
    optional={"style": word("primary", "danger")},
)

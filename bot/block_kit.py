"""The smallest pieces of Block Kit, pure: text that a person or MLflow supplied is never markup."""

from __future__ import annotations

from collections.abc import Sequence

from bot.mrkdwn import folded, one_line, visible

Block = dict[str, object]
MENU_HOLDS = 100
"""Choices of one menu."""
SECTION_LIMIT = 3000
"""Characters of one section; more than that Slack refuses."""
DETAIL = 2900
"""Characters of one section, with room for a mark where text was folded."""


def section(text: str) -> Block:
    """A section of plain text."""
    return {"type": "section", "text": plain(folded(visible(text), SECTION_LIMIT))}


def marked(text: str) -> Block:
    """A section of mrkdwn that is ours; whatever a person or MLflow supplied in it is escaped."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def plain(text: str) -> Block:
    """A plain-text object; `:tada:` stays as written."""
    return {"type": "plain_text", "text": text, "emoji": False}


def option(text: str, value: str) -> Block:
    """One choice of a menu; what it shows holds 75 characters."""
    shown = visible(text)
    return {"text": plain(shown if len(shown) <= 75 else shown[:74] + "…"), "value": value}


def chunks(heading: str, lines: Sequence[str], *, most: int = 10) -> list[str]:
    """Lines in portions that fit a section; after `most` portions it says how many lines more the
    record has."""
    portions: list[str] = []
    current = heading
    for number, line in enumerate(lines):
        shown = folded(one_line(line), DETAIL - 100)
        if len(current) + len(shown) + 1 > DETAIL:
            portions.append(current)
            current = f"{heading} (continued)"
        if len(portions) == most:
            return [*portions, f"… and {len(lines) - number} more in the record"]
        current += f"\n{shown}"
    return [*portions, current]

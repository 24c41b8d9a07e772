"""Text of people and of MLflow, safe to show in Slack: literal, folded, never obeyed.

Slack pings and links by `<…>`; everything else that a stranger could hide behind (direction
overrides, zero-width and control characters) is made visible.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

_HIDDEN = ("Cc", "Cf", "Cs", "Co")


def visible(text: str) -> str:
    """Invisible characters as `\\u202e`; line breaks stay."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else f"\\u{ord(c):04x}"
        for c in text
    )


def escaped(text: str) -> str:
    """Literal in a mrkdwn text: no ping, no link, no code span that can be broken out of."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Slack has no escape for these; a word joiner in front keeps them from opening a format.
    return "".join(f"\u2060{c}" if c in "*~`" else c for c in shown)


def folded(text: str, limit: int, where: str = "the record") -> str:
    """The beginning of a long text for showing; the whole stands in `where`."""
    if len(text) <= limit:
        return text
    tail = f" … ({len(text)} characters; all of it is in {where})"
    return text[: limit - len(tail)] + tail


def one_line(text: str) -> str:
    """A line break inside a value is shown, so that no value can draw a line of its own."""
    return "⏎".join(text.splitlines()) if text.splitlines() else text


def folded_lines(lines: list[str], limit: int, where: str) -> str:
    """As many lines as fit, and how many more there are in `where`."""
    kept: list[str] = []
    room = limit - 60
    for number, line in enumerate(lines):
        shown = folded(one_line(line), 400, where)
        if len(shown) + 1 > room:
            kept.append(f"… and {len(lines) - number} more in {where}")
            break
        kept.append(shown)
        room -= len(shown) + 1
    return "\n".join(kept)


def moment(at: datetime) -> str:
    """A moment in each viewer's own time zone."""
    fallback = f"{at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"

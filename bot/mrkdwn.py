"""Text of people and of MLflow, safe to show in Slack: literal, folded, never obeyed.

Slack pings and links by `<…>`; everything else that a stranger could hide behind (direction
overrides, zero-width and control characters) is made visible.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

_HIDDEN = ("Cc", "Cf", "Cs", "Co")
LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ", "_": "ˍ"})
"""Mark of a format → what is shown in its place."""
_NEVER_INSIDE_A_WORD = {mark: shown for mark, shown in LOOKALIKES.items() if mark != ord("_")}
_OUTER_UNDERSCORES = re.compile(r"(?<!\w)_++|_++(?!\w)")


def visible(text: str) -> str:
    """Invisible characters as `\\u202e`; line breaks stay."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else f"\\u{ord(c):04x}"
        for c in text
    )


def escaped(text: str) -> str:
    """Literal in a mrkdwn text: no ping, no link, no code, no emphasis. Slack has no escape for the
    marks of a format, so letters that look like them stand in their place; an underscore inside a
    word is no such mark, and stays what it is in `credit_scoring`."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _OUTER_UNDERSCORES.sub(lambda run: run[0].translate(LOOKALIKES), shown).translate(
        _NEVER_INSIDE_A_WORD
    )


def folded(text: str, limit: int, where: str = "the record") -> str:
    """The beginning of a long text for showing, cut between two words unless one is longer than
    half of it; the whole stands in `where`."""
    if len(text) <= limit:
        return text
    tail = f" … ({len(text)} characters; all of it is in {where})"
    room = limit - len(tail)
    between = text.rfind(" ", room // 2, room + 1)
    return text[: between if between > 0 else room] + tail


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

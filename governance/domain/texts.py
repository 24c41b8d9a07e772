"""What people type: how long it may be, and what it may not hold. Refused whole, never cut."""

from __future__ import annotations

import unicodedata

from governance.domain.errors import Refused

REASON_LIMIT = 3000
"""Characters of a reason, a comment or an answer."""
_REFERENCE_LIMIT = 200


def refuse_long_text(field: str, text: str, limit: int) -> None:
    """Refuse text that is too long or holds control characters; it is never cut.

    Raises:
        Refused: `text_too_long` or `control_characters`.
    """
    if len(text) > limit:
        raise Refused(
            "text_too_long",
            f"The {field} has {len(text)} characters; at most {limit} fit. Link to the rest.",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise Refused("control_characters", f"The {field} holds control characters; type it again.")


def refuse_bad_reference(field: str, text: str) -> None:
    """The same of a reference, which is one line wherever it is shown.

    Raises:
        Refused: `line_break` too.
    """
    refuse_long_text(field, text, _REFERENCE_LIMIT)
    if text.splitlines() not in ([], [text]):
        raise Refused("line_break", f"The {field} holds a line break; write it in one line.")

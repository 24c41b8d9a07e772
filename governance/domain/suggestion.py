"""What somebody probably meant; never used to accept anything. Pure: no clock, no IO, no vendor."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word most like `word`, without regard to case; None when none is close."""
    by_folded = {k.casefold(): k for k in sorted(known)}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[close[0]] if close else None

"""Whether two globs can match one name. Errs on the side of yes: a tie is refused, not broken."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_TOKEN = re.compile(r"\[!?[^\[\]!]+\]|.", re.DOTALL)


def is_glob(pattern: str) -> bool:
    """A pattern without `*`, `?` or `[` is one model's exact name."""
    return any(c in pattern for c in "*?[")


def can_overlap(left: str, right: str) -> bool:
    """Whether some name matches both; two sets in brackets are taken to overlap."""
    return _meet(tuple(_TOKEN.findall(left)), tuple(_TOKEN.findall(right)))


def _meet(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    # reachable[j]: some text matches left[:i] and right[:j]; one row at a time.
    row = [True] + [False] * len(right)
    for j, theirs in enumerate(right, start=1):
        row[j] = row[j - 1] and theirs == "*"
    for mine in left:
        above, row = row, [row[0] and mine == "*"] + [False] * len(right)
        for j, theirs in enumerate(right, start=1):
            if mine == "*" or theirs == "*":
                row[j] = row[j - 1] or above[j]
            else:
                row[j] = above[j - 1] and _share_a_character(mine, theirs)
    return row[-1]


def _share_a_character(mine: str, theirs: str) -> bool:
    if len(mine) == 1 and mine != "?":
        return fnmatchcase(mine, theirs)
    if len(theirs) == 1 and theirs != "?":
        return fnmatchcase(theirs, mine)
    return True

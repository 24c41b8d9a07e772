"""One thing that `foureyes doctor` looked at: fine, to consider, or to repair."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import StrEnum

from bot.terminal import literal

_WIDTH = 80
_INDENT = " " * 9


class Level(StrEnum):
    """How it stands."""

    FINE = "ok"
    WARNING = "consider"
    WRONG = "REPAIR"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was looked at, what was found, and what to do; `remedy` is empty when all is well."""

    level: Level
    about: str
    found: str
    remedy: str = ""

    def text(self) -> str:
        """A few lines of at most 80 columns."""
        lines = [f"{self.level.value:<9}{self.about}: {self.found}"]
        if self.remedy:
            lines.append(f"{_INDENT}→ {self.remedy}")
        wrapped = [
            textwrap.fill(
                literal(line),
                _WIDTH,
                subsequent_indent=_INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
            for line in lines
        ]
        return "\n".join(wrapped)


def fine(about: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(level=Level.FINE, about=about, found=found)


def warning(about: str, found: str, remedy: str) -> Finding:
    """It works, and could be better."""
    return Finding(level=Level.WARNING, about=about, found=found, remedy=remedy)


def wrong(about: str, found: str, remedy: str) -> Finding:
    """It does not work until somebody does something."""
    return Finding(level=Level.WRONG, about=about, found=found, remedy=remedy)

"""How far the setting of the scene is: one line in the terminal, and a sentence for the page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TextIO

_WIDTH = 24


@dataclass
class Progress:
    """`total` steps; each says what it is about to do. Safe from several threads."""

    total: int
    tell: Callable[[str, int], None]
    """Hears what is being done now, and how many percent are done."""
    out: TextIO = sys.stdout

    def __post_init__(self) -> None:
        self._done = 0
        self._lock = Lock()
        self._in_place = self.out.isatty()

    def begin(self, what: str) -> None:
        """Say what is being done now."""
        with self._lock:
            percent = self._done * 100 // self.total
            full = self._done * _WIDTH // self.total
            self.tell(f"{what[0].upper()}{what[1:]} …", percent)
            bar = "█" * full + "░" * (_WIDTH - full)
            line = f"  {bar} {percent:3} %  {what}"
            self.out.write(f"\r\x1b[K{line}" if self._in_place else f"{line}\n")
            self.out.flush()

    def done(self) -> None:
        """One more step is done."""
        with self._lock:
            self._done += 1

    def end(self) -> None:
        """Everything is done: the line is finished."""
        with self._lock:
            if self._in_place:
                self.out.write("\r\x1b[K")
                self.out.flush()

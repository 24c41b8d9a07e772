"""Which part of the ids of a large table is compared next, and which part was found wrong.

Kept for all threads that ask the same address: what one look found wrong stays wrong for every
other until the same part holds.
"""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple


class Part(NamedTuple):
    """One of `parts` parts, from 0."""

    parts: int
    number: int


class Turns:
    """Safe from any thread."""

    def __init__(self) -> None:
        """Nothing is doubted."""
        self._next: dict[str, int] = {}
        self._doubts: dict[str, Part] = {}
        self._believed: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def doubt(self, of: str) -> Part | None:
        """The part that did not hold when it was compared last."""
        with self._lock:
            return self._doubts.get(of)

    def take(self, of: str, parts: int) -> Part:
        """The part to compare now; it comes again until it was told how it was."""
        with self._lock:
            return Part(parts, self._next.get(of, 0) % parts)

    def held(self, of: str, part: Part) -> None:
        """This part holds: no doubt about it is left, and the next one is compared next."""
        with self._lock:
            if self._doubts.get(of) == part:
                del self._doubts[of]
            self._next[of] = part.number + 1

    def failed(self, of: str, part: Part) -> None:
        """This part does not hold."""
        with self._lock:
            self._doubts[of] = part

    def believes(self, of: str, sizes: tuple[int, int]) -> bool:
        """Whether two tables of these sizes were found to fit together."""
        with self._lock:
            return self._believed.get(of) == sizes

    def believe(self, of: str, sizes: tuple[int, int]) -> None:
        """They fit."""
        with self._lock:
            self._believed[of] = sizes

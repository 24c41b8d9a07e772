"""What a figure has to hold: printed beside it, and the exit code of `make bench`.

A goal is a ratio of two figures of one run, so a slow machine slows both; never a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One figure against the most that it may be."""

    name: str
    measured: float
    at_most: float

    @property
    def is_met(self) -> bool:
        """Not a number is no figure, and meets nothing."""
        return self.measured <= self.at_most

    def __str__(self) -> str:
        word = "met" if self.is_met else "MISSED"
        return f"  {word:<7} {self.name}: {self.measured:.3g}, at most {self.at_most:.3g}"


def held(goals: Sequence[Goal]) -> int:
    """Print every goal; the exit code, 1 if one is missed or none was set."""
    print("\nGoals (ratios in this run)")
    for goal in goals:
        print(goal)
    missed = [goal for goal in goals if not goal.is_met]
    print(f"{len(goals) - len(missed)} of {len(goals)} goals are met")
    return 1 if missed or not goals else 0

"""Slack's `Retry-After`, kept: a kind of call that was answered with it is not made again before
then. Knows no method of Slack's; callers name their kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError


class Busy(Exception):
    """Slack has asked to wait; it is not asked again before then."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s")
        self.seconds = seconds


def retry_after_seconds(error: SlackApiError) -> float | None:
    """For how long Slack wants to be left alone; None when it is something else."""
    if error.response.status_code != 429 and error.response.get("error") != "ratelimited":
        return None
    told = str((error.response.headers or {}).get("Retry-After", "1"))
    return float(told) if told.isdigit() else 1.0


@dataclass
class Turns:
    """When each kind of call may be made again."""

    elapsed: Callable[[], float]
    """Seconds on a monotonic clock."""
    _not_before: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def take(self, kind: str) -> Iterator[None]:
        """Make one call of a kind inside this block.

        Raises:
            Busy: Slack has asked to wait with these.
        """
        wait = self._not_before.get(kind, float("-inf")) - self.elapsed()
        if wait > 0:
            raise Busy(wait)
        try:
            yield
        except SlackApiError as error:
            seconds = retry_after_seconds(error)
            if seconds is not None:
                self._not_before[kind] = self.elapsed() + seconds
            raise

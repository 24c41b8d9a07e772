"""The connection to Slack: tried until it works, and measured while it does not."""

from __future__ import annotations

import time
from threading import Lock

from bot.slack_link import SlackLink
from tests.cli.test_jobs import until


class Flaky:
    """A client that refuses a number of times before it connects; the wire itself is tested with
    the real client in `test_running_bot.py`."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.attempts = 0
        self.up = False
        self.closed = False
        self._lock = Lock()

    def is_connected(self) -> bool:
        """Whether it is up."""
        return self.up

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Refuse, or connect."""
        with self._lock:
            self.attempts += 1
            if self.attempts <= self.refusals:
                raise ConnectionRefusedError("nobody listens")
            self.up = True

    def close(self) -> None:
        """Take nothing in any more."""
        self.closed = True
        self.up = False


def test_it_connects_although_slack_is_down_at_first() -> None:
    """The bot's start never depends on Slack."""
    client = Flaky(refusals=1)
    link = SlackLink(client, elapsed=time.monotonic)
    link.start()
    until(link.connected)
    link.close()
    assert client.attempts == 2
    assert client.closed


def test_time_without_slack_counts_from_the_start_and_from_each_loss() -> None:
    """A moment with a connection starts the count again."""
    client = Flaky(refusals=0)
    link = SlackLink(client, elapsed=time.monotonic)
    time.sleep(0.02)
    assert link.seconds_without() >= 0.02
    link.start()
    until(link.connected)
    assert link.seconds_without() == 0.0
    until(lambda: link._lost_at is None)
    client.up = False
    until(lambda: link.seconds_without() > 0.02)
    link.close()

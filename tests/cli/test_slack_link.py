"""The connection to Slack: tried until it works, and measured while it does not."""

from __future__ import annotations

import logging
import time
from queue import Queue
from threading import Event, Lock
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient

from bot.sandbox import Workspace, serve
from bot.slack_link import SlackLink
from tests.cli.test_jobs import until


class State:
    """What a reader would look at."""

    terminated = False


class Flaky:
    """A client that refuses a number of times before it connects; the wire itself is tested with
    the real client in `test_running_bot.py`."""

    def __init__(self, refusals: int) -> None:
        self.current_session_state = State()
        self.message_queue: Queue[Any] = Queue()
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


class HeldReader(logging.Filter):
    """Holds the SDK's reader between its look at the session and its first frame, until the end
    was asked for: the order in which a bot that was stopped in its first second would hang."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Event()
        self.released = Event()

    def filter(self, record: logging.LogRecord) -> bool:
        """Wait where the reader says that it starts."""
        if record.getMessage().startswith("Starting to receive"):
            self.held.set()
            assert self.released.wait(10)
        return True


def test_an_end_in_the_first_moment_of_a_connection_ends() -> None:
    """The SDK's reader forgets an end that comes while it begins, and is waited for."""
    workspace = Workspace()
    reader = HeldReader()
    log = logging.Logger("slack-reader", logging.INFO)
    log.addFilter(reader)
    with serve(workspace) as server:
        client = SocketModeClient(
            app_token=workspace.app_token,
            web_client=WebClient(base_url=f"{server.origin}/api/"),
            logger=log,
        )
        link = SlackLink(client, elapsed=time.monotonic)
        link.start()
        assert reader.held.wait(10)
        waiting_for_reader = client.current_session_runner.shutdown

        def let_it_begin() -> None:
            reader.released.set()
            waiting_for_reader()  # type: ignore[no-untyped-call]  # the SDK's own

        client.current_session_runner.shutdown = let_it_begin  # type: ignore[method-assign]  # only the order is set
        assert link.close()

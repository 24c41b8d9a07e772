"""The Socket Mode connection: begun in the background, kept up, and measured.

Knows Slack's client and a clock; knows nothing of what comes in over the connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from queue import Queue
from threading import Event, Lock, Thread
from typing import Any, Protocol

_log = logging.getLogger("foureyes.slack")

PING_SECONDS = 3
"""An abrupt end of the connection is noticed within four of these (measured: 15 s at most)."""
_LOOK_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0
_CLOSE_SECONDS = 5.0
_CLOSE_LOOK_SECONDS = 0.05


class SessionState(Protocol):
    """What the client's reader looks at between two frames."""

    terminated: bool


class SocketClient(Protocol):
    """What is used of `slack_sdk.socket_mode.SocketModeClient`."""

    @property
    def current_session_state(self) -> SessionState:
        """What its reader looks at."""

    @property
    def message_queue(self) -> Queue[Any]:
        """What its processor waits at, for a second each time."""

    def is_connected(self) -> bool:
        """Whether a session is up."""

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Ask for a fresh address (one is good for one connection) and connect to it."""

    def close(self) -> None:
        """End the session and the client's threads."""


class SlackLink:
    """Connects with growing pauses until it works; from then on the client reconnects itself."""

    def __init__(self, client: SocketClient, *, elapsed: Callable[[], float]) -> None:
        self._client = client
        self._elapsed = elapsed
        self._stop = Event()
        self._lock = Lock()
        self._lost_at: float | None = elapsed()
        self._thread = Thread(target=self._keep_up, name="slack-link", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def connected(self) -> bool:
        """Whether a session is up now."""
        return self._client.is_connected()

    def seconds_without(self) -> float:
        """Since when there is no connection; 0 while there is one."""
        if self.connected():
            return 0.0
        with self._lock:
            return 0.0 if self._lost_at is None else self._elapsed() - self._lost_at

    def close(self) -> bool:
        """Take nothing in any more. False when the client's threads would not end in time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_LOOK_SECONDS * 2)
        return end_client(self._client, elapsed=self._elapsed)

    def _keep_up(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        ever = False
        while not self._stop.is_set():
            if self._client.is_connected():
                self._note(connected=True)
                ever, pause = True, _FIRST_PAUSE_SECONDS
                self._stop.wait(_LOOK_SECONDS)
                continue
            self._note(connected=False)
            if ever:
                self._stop.wait(_LOOK_SECONDS)
                continue
            try:
                self._client.connect_to_new_endpoint()
            except Exception as problem:  # whatever it is, the next try may succeed
                _log.warning("Slack does not answer (%s); next try in %.1f s", problem, pause)
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _note(self, *, connected: bool) -> None:
        with self._lock:
            before = self._lost_at
            if connected:
                self._lost_at = None
            elif before is None:
                self._lost_at = self._elapsed()
        if connected and before is not None:
            _log.info("connected to Slack")
        elif not connected and before is None:
            _log.warning("the connection to Slack was lost")


def end_client(client: SocketClient, *, elapsed: Callable[[], float]) -> bool:
    """Close a client in bounded time; False when its threads would not end."""
    closing = Thread(target=_close, args=(client,), name="slack-close", daemon=True)
    closing.start()
    give_up_at = elapsed() + _CLOSE_SECONDS
    while closing.is_alive() and elapsed() < give_up_at:
        # A reader that was about to begin puts the end back to False (slack_sdk 3.47,
        # `_run_current_session`) and would be waited for without end.
        client.current_session_state.terminated = True
        client.message_queue.put(None)  # wakes the processor; it takes None for nothing
        closing.join(_CLOSE_LOOK_SECONDS)
    return not closing.is_alive()


def _close(client: SocketClient) -> None:
    # The SDK's own reader may close its socket between the SDK's look at it and its call.
    with suppress(AttributeError):
        client.close()

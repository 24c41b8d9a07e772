"""The smallest Socket Mode app there is: it keeps every envelope and acknowledges as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_websocket

from bot.sandbox import RunningServer

Envelope = dict[str, Any]


def link(server: RunningServer) -> str:
    """A fresh WebSocket address, as apps.connections.open gives it."""
    client = WebClient(token=server.app_token, base_url=server.api_url)
    return str(client.apps_connections_open(app_token=server.app_token)["url"])


class RawApp:
    """Connected from construction to `close`. `answer` gives an ack's payload; None sends none.
    While `is_silent`, nothing is acknowledged."""

    def __init__(
        self,
        server: RunningServer,
        answer: Callable[[Envelope], Envelope | None] = lambda envelope: None,
        *,
        is_silent: bool = False,
    ) -> None:
        self._workspace = server.workspace
        self._answer = answer
        self.is_silent = is_silent
        self.envelopes: list[Envelope] = []
        self.others: list[Envelope] = []
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect_websocket(link(server), proxy=None)
        )
        self.others.append(json.loads(self.socket.recv(timeout=5)))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for raw in self.socket:
                message = json.loads(raw)
                if "envelope_id" not in message:
                    self.others.append(message)
                else:
                    self.envelopes.append(message)
                    if not self.is_silent:
                        self.ack(message)
                self._workspace.state.wake()
        except ConnectionClosed:
            return

    def ack(self, envelope: Envelope) -> None:
        reply: Envelope = {"envelope_id": envelope["envelope_id"]}
        payload = self._answer(envelope)
        if payload is not None:
            reply["payload"] = payload
        self.socket.send(json.dumps(reply))

    def wait_for(self, count: int) -> list[Envelope]:
        """The envelopes so far, once there are that many."""
        self._workspace.wait_for(lambda: len(self.envelopes) >= count)
        return self.envelopes

    def close(self) -> None:
        self._open.close()
        self._thread.join()

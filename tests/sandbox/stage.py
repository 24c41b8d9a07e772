"""Builders for the workspace's own tests; a Bolt app is the real thing, unpatched."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox import Limits, RunningServer, Workspace
from bot.slack_link import end_client

Connect = Callable[[App], SocketModeHandler]

CHANNEL = "#credit-models"
_NEVER_USED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The wire is plain. Without a context the SDK reads every certificate of the system."""
FAST = Limits(ack_seconds=0.3, posts_per_second=0)


def furnished(workspace: Workspace) -> Workspace:
    """Dana, Ana and Raj in #credit-models."""
    for handle in ("dana", "ana", "raj"):
        workspace.add_person(handle)
    workspace.add_channel(CHANNEL, members=["dana", "ana", "raj"])
    return workspace


@contextmanager
def connected(server: RunningServer, app: App) -> Iterator[SocketModeHandler]:
    """The app's Socket Mode handler, connected."""
    quiet = logging.getLogger("tests.sandbox.socket")
    quiet.setLevel(logging.CRITICAL)
    handler = SocketModeHandler(
        app,
        server.app_token,
        logger=quiet,
        web_client=WebClient(token=server.app_token, base_url=server.api_url, ssl=_NEVER_USED),
        ping_interval=1,
    )
    before = server.workspace.connection_count
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
    try:
        server.workspace.wait_for(lambda: server.workspace.connection_count > before)
        yield handler
    finally:
        # Closing from our side first spares the SDK's three seconds of waiting for its socket.
        handler.client.auto_reconnect_enabled = False
        server.workspace.drop_connections()
        assert end_client(handler.client, elapsed=time.monotonic)


def bolt_app(server: RunningServer) -> App:
    return App(
        client=WebClient(token=server.bot_token, base_url=server.api_url),
    )


def error_of(client: WebClient, method: str, **arguments: object) -> str:
    """The error code that a call is refused with; empty when it is answered ok."""
    try:
        client.api_call(method, json=arguments)
    except SlackApiError as error:
        return str(error.response["error"])
    return ""

"""How the workspace's server stops: nobody who had come is left waiting."""

from __future__ import annotations

import gc
import socket
import threading
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from bot.sandbox import Workspace, serve
from bot.sandbox.server import PromptServer
from tests.sandbox.stage import furnished

CALL = b"POST /api/auth.test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
UPGRADE = """\
Host: localhost\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
\r
"""
HEAD = CALL.replace(b"Length: 0", b"Length: 9\r\nExpect: 100-continue")


def is_let_go(wire: socket.socket) -> bool:
    """Whether the server ends its side: with an answer first, or with a reset."""
    try:
        while wire.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.fixture
def wire() -> socket.socket:
    """A client's end, not connected yet, that waits for at most a while."""
    made = socket.socket()
    made.settimeout(10)
    return made


def test_a_call_that_comes_just_when_the_server_stops_is_let_go(
    wire: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is accepted in the same turn of the loop in which the server begins to stop."""
    real_stop = PromptServer.stop
    is_busy, may_go_on = threading.Event(), threading.Event()

    def be_busy() -> None:
        is_busy.set()
        may_go_on.wait()

    def stop_with_a_caller(server: PromptServer) -> None:
        assert server.loop is not None
        server.loop.call_soon_threadsafe(be_busy)
        is_busy.wait()
        wire.connect(("127.0.0.1", running.port))
        wire.sendall(CALL)
        real_stop(server)
        may_go_on.set()

    monkeypatch.setattr(PromptServer, "stop", stop_with_a_caller)
    gc.disable()  # as a forgotten connection is closed when its garbage is collected
    try:
        with wire:
            with serve(furnished(Workspace())) as running:
                pass
            assert is_let_go(wire)
    finally:
        gc.enable()


def test_a_caller_in_the_middle_of_a_call_is_let_go(wire: socket.socket) -> None:
    """It never sends what it was told to go on with."""
    with wire:
        with serve(furnished(Workspace())) as running:
            wire.connect(("127.0.0.1", running.port))
            wire.sendall(HEAD)
            assert b"100 Continue" in wire.recv(4096)
        assert is_let_go(wire)


def test_an_app_that_never_says_goodbye_is_let_go(wire: socket.socket) -> None:
    """Its end of the WebSocket hears that it is to close, and stays silent."""
    with wire:
        with serve(furnished(Workspace())) as running:
            app = WebClient(token=running.app_token, base_url=running.api_url)
            link = urlsplit(app.apps_connections_open(app_token=running.app_token)["url"])
            wire.connect(("127.0.0.1", running.port))
            wire.sendall(f"GET {link.path}?{link.query} HTTP/1.1\r\n{UPGRADE}".encode())
            assert b"101 Switching Protocols" in wire.recv(4096)
        assert is_let_go(wire)

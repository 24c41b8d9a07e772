"""A furnished workspace that answers, and clients for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox import HandClock, RunningServer, Workspace, serve
from tests.sandbox.stage import FAST, Connect, bolt_app, connected, furnished


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A furnished workspace on the machine's clock, with a short ack window."""
    with serve(furnished(Workspace(limits=FAST))) as running:
        yield running


@pytest.fixture
def workspace(server: RunningServer) -> Workspace:
    return server.workspace


@pytest.fixture
def client(server: RunningServer) -> WebClient:
    return WebClient(token=server.bot_token, base_url=server.api_url)


@pytest.fixture
def app(server: RunningServer) -> App:
    return bolt_app(server)


@pytest.fixture
def connect(server: RunningServer) -> Iterator[Connect]:
    """Connect an app; every connection closes with the test."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(connected(server, app))

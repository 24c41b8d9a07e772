"""A furnished workspace with a page, and an app that answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox import (
    CommandHint,
    Link,
    Page,
    RunningServer,
    Step,
    StepButton,
    Workspace,
    serve,
)
from tests.page.tab import Tab, open_tab
from tests.sandbox.stage import FAST, Connect, bolt_app, connected, furnished


@dataclass
class ShortTour:
    """Two steps, one of them with a button."""

    title: str = "Try it"
    about: str = "You are everybody here."
    percent: int | None = None
    links: Sequence[Link] = (Link(label="MLflow", url="http://127.0.0.1:5000"),)
    pressed: list[str] = field(default_factory=list)

    def steps(self) -> Sequence[Step]:
        """The second is done when the button was pressed."""
        button = StepButton(id="break", label="Break it")
        return (
            Step(title="Ask", text="Type it.", person="dana", typed="/promote"),
            Step(title="Break", text="Press it.", is_done=bool(self.pressed), button=button),
        )

    def press(self, button_id: str) -> str:
        """Remembered."""
        self.pressed.append(button_id)
        return "Broken."


@pytest.fixture
def tour() -> ShortTour:
    return ShortTour()


@pytest.fixture
def page(tour: ShortTour) -> Page:
    hints = (CommandHint(name="/promote", about="Ask", usage="[model]"),)
    return Page(first_person="dana", guide=tour, hints=hints)


@pytest.fixture
def server(page: Page) -> Iterator[RunningServer]:
    workspace = furnished(Workspace(limits=FAST, events=("app_home_opened",), home_tab=True))
    with serve(workspace, page=page) as running:
        yield running


@pytest.fixture
def workspace(server: RunningServer) -> Workspace:
    return server.workspace


@pytest.fixture
def tab(server: RunningServer, page: Page) -> Iterator[Tab]:
    with open_tab(server, page) as opened:
        yield opened


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

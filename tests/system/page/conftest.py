"""A browser, and the ordinary `foureyes play` behind it; what is missing is named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.page.seat import DESK, PHONE, Screen, Seat

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_READY_SECONDS = 180.0
_LOOKS = Path(__file__).parents[3] / "build" / "pages"
PICTURES = "README_PICTURES"
"""The folder that the README's pictures are put into; `make pictures` sets it."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's browser; a failure that names the package, if there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail(
            "The page is tried in a real browser: install the system package chromium.",
            pytrace=False,
        )
    return program


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Started once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium)
        yield opened
        opened.close()


@contextmanager
def seated(browser: Browser, address: str, screen: Screen) -> Iterator[Seat]:
    """A tab with the page in it, and nobody's cookies."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=screen.scheme,
        has_touch=screen.is_touched,
        locale="en-GB",
        timezone_id="UTC",
    )
    seat = Seat(page=context.new_page(), screen=screen)
    seat.page.goto(address)
    seat.page.locator("#people button").first.wait_for()
    yield seat
    context.close()


@dataclass
class Playing:
    """`foureyes play`, as a person starts it. `told` are its lines so far."""

    process: subprocess.Popen[str]
    told: list[str] = field(default_factory=list)
    _has_ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.told.append(line.rstrip())
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def line(self, part: str) -> str:
        """Wait for a line that holds this."""

        def found() -> str:
            return next((line for line in self.told if part in line), "")

        with self._changed:
            self._changed.wait_for(lambda: found() != "" or self._has_ended, _READY_SECONDS)
            assert found(), "\n".join(self.told)
            return found()

    @property
    def address(self) -> str:
        """Where its page is."""
        return self.line("The workspace is at").split()[-1]

    @property
    def mlflow(self) -> str:
        """Where its MLflow is."""
        return self.line("MLflow is at").split()[-1]


@contextmanager
def playing(folder: Path) -> Iterator[Playing]:
    """Started, and ended by Ctrl-C as its person would."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "play", "--no-browser"],
        cwd=folder,
        env={**os.environ, "TZ": "UTC", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    started = Playing(process)
    try:
        yield started
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.stdout is not None
        process.stdout.close()
    assert code == 0, started.told
    assert "Everything it had started is gone" in started.line("Stopped.")


@pytest.fixture(scope="module", params=[DESK, PHONE], ids=lambda screen: screen.name)
def screen(request: pytest.FixtureRequest) -> Screen:
    """Everything is tried at a desk by day and on a phone by night."""
    chosen: Screen = request.param
    return chosen


@pytest.fixture(scope="module")
def play(screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    """One workspace for the whole story, with the ordinary bot and a real MLflow."""
    with playing(tmp_path_factory.mktemp(f"play-{screen.name}")) as started:
        yield started


@pytest.fixture(scope="module")
def tab(browser: Browser, play: Playing, screen: Screen) -> Iterator[Seat]:
    """One tab for the whole story: nothing of it needs a reload."""
    with seated(browser, play.address, screen) as seat:
        yield seat


@pytest.fixture
def seat(tab: Seat, request: pytest.FixtureRequest) -> Iterator[Seat]:
    """The tab, which must have complained of nothing when the test ends; how it looked then is
    kept in build/pages."""
    tab.trouble.clear()
    yield tab
    _LOOKS.mkdir(parents=True, exist_ok=True)
    tab.picture(_LOOKS, request.node.originalname)
    assert tab.trouble == []
    assert tab.too_wide() == []
    assert tab.nameless() == []
    assert tab.too_faint_in_any_light() == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: to the README's when that is asked for."""
    wanted = os.environ.get(PICTURES)
    return Path(wanted) if wanted else tmp_path_factory.mktemp("pictures")

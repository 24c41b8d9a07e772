"""`make play`: the workspace in a browser on this machine, with a real MLflow server and a real
bot behind it, until Ctrl-C. Sets the scene, opens one address, and then only watches.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.demo.cast import CAST, DANA, MIA, MODEL, command_hints, furnished
from bot.demo.processes import DemoBroken
from bot.demo.progress import Progress
from bot.demo.registry_view import RegistryView
from bot.demo.scenery import Scenery, scenery
from bot.demo.tour import Tour
from bot.sandbox import Page, RunningServer, serve

_TRAINED_BEFORE = (1, 2, 3)
"""v1 is put into Production before the bot looks for the first time: it is *adopted*."""
_STEPS = 6
_HEALTHY = 40
_WATCH_SECONDS = 0.5


def main(*, port: int, opens_browser: bool) -> int:
    """Play until Ctrl-C; 0 when it ended so."""
    began = time.monotonic()
    try:
        with _stoppable(), tempfile.TemporaryDirectory(prefix="foureyes-play-") as folder:
            workspace = furnished((*CAST, MIA), tz=_time_zone())
            tour = Tour(workspace)
            page = Page(first_person=DANA.handle, guide=tour, hints=command_hints())
            with serve(workspace, port, page=page) as slack:
                address = f"{slack.origin}{page.path}"
                print(f"The workspace is at  {address}", flush=True)
                if opens_browser:
                    _open(address)
                _play(Path(folder), slack, tour, began)
    except DemoBroken as broken:
        print(f"\nIt stopped: {broken}", file=sys.stderr)
        return 1
    except OSError as taken:
        print(f"\nIt could not start: {taken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Everything it had started is gone, and so is its folder.")
    return 0


def _play(folder: Path, slack: RunningServer, tour: Tour, began: float) -> None:
    progress = Progress(total=_STEPS, tell=tour.say)
    progress.begin("starting MLflow")
    loading = threading.Thread(
        target=importlib.import_module, args=("bot.demo.training",), daemon=True
    )
    loading.start()  # takes as long as MLflow takes to start
    with scenery(folder, slack) as around:
        progress.done()
        loading.join()
        from bot.demo.applicants import Applicants
        from bot.demo.feed import Feed
        from bot.demo.training import register_version

        def train(version: int) -> None:
            register_version(around.tracking_uri, version)

        starting = _set_scene(around, progress, train)
        progress.begin("starting the bot")
        starting.join()
        if around.bot is None:
            raise DemoBroken(f"the bot did not start; its log ends with\n{_log_of(around)}")
        progress.done()
        progress.end()
        feed = Feed(
            Applicants(
                database=around.bank,
                traffic=around.traffic,
                tracking_uri=around.tracking_uri,
                healthy=_HEALTHY,
            )
        )
        tour.begin(around, feed, train)
        print(f"Ready after {time.monotonic() - began:.0f} s. MLflow is at {around.tracking_uri}")
        print("Ctrl-C stops everything and removes it.", flush=True)
        try:
            _watch(around)
        finally:
            tour.end()
            feed.end()


def _set_scene(
    around: Scenery, progress: Progress, train: Callable[[int], None]
) -> threading.Thread:
    """Train what was there before, and start the bot as soon as it has something to adopt."""
    starting = threading.Thread(target=_start_bot, args=(around,), daemon=True)
    for version in _TRAINED_BEFORE:
        progress.begin(f"training v{version} on the German credit data")
        train(version)
        progress.done()
        if version == 1:
            RegistryView(around.tracking_uri).set_stage(MODEL, version, "Production")
            starting.start()
    return starting


def _start_bot(around: Scenery) -> None:
    try:
        around.start_bot()
    except DemoBroken:
        return  # there is no bot then, and whoever waits for it says so


def _watch(around: Scenery) -> None:
    while True:
        time.sleep(_WATCH_SECONDS)
        if around.bot is not None and around.bot.process.poll() is not None:
            raise DemoBroken(f"the bot ended by itself; its log ends with\n{_log_of(around)}")


def _log_of(around: Scenery) -> str:
    log = around.folder / "bot.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-15:])


def _open(address: str) -> None:
    """In a graphical browser, where there is a screen; a terminal's own browser shows nothing."""
    has_screen = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if has_screen and sys.stdout.isatty():
        webbrowser.open(address)


def _time_zone() -> str:
    """This machine's zone by its name, or UTC where it has none."""
    named = os.environ.get("TZ", "")
    if not named:
        link = Path("/etc/localtime")
        parts = link.resolve().parts if link.exists() else ()
        named = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else ""
    try:
        return ZoneInfo(named).key if named else "UTC"
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

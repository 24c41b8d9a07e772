"""Starts the demo of a wheel when a run begins, beside the other tests: it mostly waits. Its own
tests come last and read what it printed. In a run of several processes, whichever gets these tests
starts it then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_LONGEST_SECONDS = 240


@dataclass(frozen=True)
class Demo:
    """A running demo, in a folder of its own."""

    process: subprocess.Popen[str]
    folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def begin(cls) -> Demo:
        """Build the wheel and run it."""
        folder = tempfile.TemporaryDirectory(prefix="foureyes-wheel-")
        process = subprocess.Popen(
            [sys.executable, str(_HERE / "play_wheel.py"), folder.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return cls(process, folder)

    def told(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; what it printed."""
        stdout, stderr = self.process.communicate(timeout=_LONGEST_SECONDS)
        return subprocess.CompletedProcess("demo", self.process.returncode, stdout, stderr)

    def end(self) -> None:
        """As Ctrl-C ends it, if nobody waited for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=_LONGEST_SECONDS)
        self.folder.cleanup()


_DEMO = pytest.StashKey[Demo]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin, if the demo's tests are among what was chosen, and put them last."""
    own = [item for item in session.items if item.path.parent == _HERE]
    if _is_one_of_several() or session.config.option.collectonly:
        return
    if own:
        session.items = [item for item in session.items if item not in own] + own
        session.config.stash[_DEMO] = Demo.begin()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing of it is left."""
    demo = session.config.stash.get(_DEMO, None)
    if demo is not None:
        demo.end()


def _is_one_of_several() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


@pytest.fixture(scope="session")
def told(pytestconfig: pytest.Config) -> subprocess.CompletedProcess[str]:
    """What the demo of a built wheel prints, run where nothing of the checkout is."""
    if _DEMO not in pytestconfig.stash:
        pytestconfig.stash[_DEMO] = Demo.begin()
    return pytestconfig.stash[_DEMO].told()

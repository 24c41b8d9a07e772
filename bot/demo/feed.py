"""Applicants who keep coming in a thread of their own, with broken inputs from a moment on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bot.demo.applicants import Applicants

_BATCH = 5
_PAUSE_SECONDS = 0.15


@dataclass
class Feed:
    """Begins once; ends when all have come, or when it is stopped."""

    applicants: Applicants
    _thread: threading.Thread | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_running(self) -> bool:
        """Whether people apply now."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> str:
        """Let them come; the sentence for whoever pressed the button."""
        if self._thread is not None:
            return f"{self.applicants.arrived} people have applied. The inputs stay broken."
        self._thread = threading.Thread(target=self._run, name="applicants", daemon=True)
        self._thread.start()
        return (
            f"People apply now: {self.applicants.healthy} as they should be, then with broken "
            "inputs. Nobody has to do anything."
        )

    def end(self) -> None:
        """Nobody comes any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            if not self.applicants.arrive(_BATCH):
                return

"""One browser tab without a browser: the page's own protocol over its WebSocket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from bot.sandbox import Page, RunningServer

Found = TypeVar("Found")
Json = dict[str, Any]


class Tab:
    """Keeps what the frames told, as the page's script does."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._asked = 0
        self._done: dict[int, Json] = {}
        self.around: Json = {}
        self.messages: dict[str, Json] = {}
        self.frames = 0

    def read(self, timeout_seconds: float = 5.0) -> None:
        """One more message from the workspace."""
        told = json.loads(self._line.recv(timeout_seconds))
        if "done" in told:
            self._done[told["done"]] = told
            return
        if "person" in told:
            self.around, self.messages = {}, {}
            return
        self.frames += 1
        self.around = told.get("around", self.around)
        for message in told.get("put", []):
            self.messages[f"{message['channel']} {message['ts']}"] = message
        for key in told.get("gone", []):
            del self.messages[key]

    def until(self, look: Callable[[], Found | None]) -> Found:
        """Read until this gives something. Raises TimeoutError."""
        while not (found := look()):
            self.read()
        return found

    def do(self, verb: str, **gesture: object) -> Json:
        """Do something, and wait for its answer."""
        self._asked += 1
        number = self._asked
        self._line.send(json.dumps({"id": number, "do": verb, **gesture}))
        return self.until(lambda: self._done.get(number))

    def be(self, handle: str) -> None:
        """Sit down as somebody else."""
        self._line.send(json.dumps({"do": "be", "person": handle}))
        self.until(lambda: self.around and self.me()["handle"] == handle)

    def send_raw(self, text: str) -> None:
        """Whatever a broken script could send."""
        self._line.send(text)

    def me(self) -> Json:
        """Who sits here."""
        return self.person(self.around["me"])

    def person(self, who: str) -> Json:
        """Somebody by id or handle."""
        found = [p for p in self.around["people"] if who in (p["id"], p["handle"])]
        assert len(found) == 1, who
        return dict(found[0])

    def channel(self, name: str) -> Json:
        """A channel by its name; the app's direct message is `app`."""
        for channel in self.around["channels"]:
            if channel["is_direct"] if name == "app" else channel["name"] == name:
                return dict(channel)
        raise LookupError(name)

    def keys(self, part: str) -> list[str]:
        """Messages that hold a text, oldest first."""
        return sorted(key for key, message in self.messages.items() if part in text_of(message))


def text_of(drawn: object) -> str:
    """Everything that is written in a message or a view."""
    if isinstance(drawn, list):
        return " ".join(text_of(part) for part in drawn)
    if not isinstance(drawn, dict):
        return ""
    if drawn.get("kind") and "text" in drawn:
        return str(drawn["text"])
    return " ".join(text_of(part) for part in drawn.values())


@contextmanager
def open_tab(server: RunningServer, page: Page) -> Iterator[Tab]:
    """A tab that has its first frame."""
    address = f"ws://127.0.0.1:{server.port}{page.path}live"
    with connect(address, origin=Origin(server.origin), open_timeout=5) as line:
        tab = Tab(line)
        tab.until(lambda: tab.around)
        yield tab

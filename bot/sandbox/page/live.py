"""One open page: frames go out when something changed, gestures come in and are answered.

A frame holds what differs from the one before. Knows nothing of HTTP.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence

from bot.sandbox.json_values import Json, JsonObject, text_of
from bot.sandbox.messages import Message
from bot.sandbox.page.gestures import Gestures
from bot.sandbox.page.guide import Guide
from bot.sandbox.page.screen import CommandHint, Frame, Reading, Screen
from bot.sandbox.reader import ShownError
from bot.sandbox.state import State

_AT_MOST_EVERY_SECONDS = 0.05
_LOOK_AT_GUIDE_SECONDS = 0.5
"""A tour can move on without a change in the workspace."""

Send = Callable[[JsonObject], None]


class LivePage:
    """What one browser tab sees, as one person at a time. `send` may be called from any thread."""

    def __init__(
        self,
        state: State,
        user: str,
        *,
        reading: Reading,
        hints: Sequence[CommandHint],
        guide: Guide,
        send: Send,
    ) -> None:
        self._state = state
        self._reading = reading
        self._hints = hints
        self._guide = guide
        self._send = send
        self._closed = threading.Event()
        self._be(user)

    def _be(self, user: str) -> None:
        self._screen = Screen(self._state, user, reading=self._reading, hints=self._hints)
        self._gestures = Gestures(self._state, user, reading=self._reading, guide=self._guide)
        self._user = user
        self._sent = Frame(around={}, messages={}, drawn={})

    def keep_showing(self) -> None:
        """Send a frame after every change until closed; for a thread of its own."""
        with self._state.changed:
            while not self._closed.is_set():
                self._show()
                # Several changes at once are one frame.
                if not self._state.changed.wait(_LOOK_AT_GUIDE_SECONDS):
                    continue
                self._state.changed.wait_for(self._closed.is_set, _AT_MOST_EVERY_SECONDS)

    def close(self) -> None:
        """End `keep_showing`."""
        self._closed.set()
        self._state.wake()

    def receive(self, text: str) -> None:
        """Carry out one gesture, and send its answer; blocks as long as the app takes to ack."""
        try:
            gesture: Json = json.loads(text)
        except (ValueError, RecursionError):
            gesture = None
        if not isinstance(gesture, dict):
            return
        number = gesture.get("id")
        if text_of(gesture, "do") == "be":
            self._switch(text_of(gesture, "person"))
            return
        try:
            done = self._gestures.perform(gesture, self._drawn())
        except ShownError as error:
            self._send({"done": number, "error": error.shown})
            return
        self._send({"done": number, **done})

    def _drawn(self) -> Mapping[str, Message]:
        with self._state.changed:
            return self._sent.drawn

    def _switch(self, handle: str) -> None:
        with self._state.changed:
            person = self._state.people.find(handle)
            if person is None or person.is_bot:
                return
            self._be(person.id)
            self._send({"person": person.id})
            self._show()

    def _show(self) -> None:
        frame = self._screen.frame(self._guide)
        before, self._sent = self._sent, frame
        update: JsonObject = {}
        if frame.around != before.around:
            update["around"] = frame.around
        put = [drawn for key, drawn in frame.messages.items() if before.messages.get(key) != drawn]
        if put:
            update["put"] = [*put]
        gone = [key for key in before.messages if key not in frame.messages]
        if gone:
            update["gone"] = [*gone]
        if update:
            self._send(update)

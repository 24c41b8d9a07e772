"""What somebody does on the page, carried out as that person at their Slack client.

A gesture is JSON of the page's own script; whatever does not fit is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.sandbox.actor import Actor
from bot.sandbox.api_error import ApiError
from bot.sandbox.form import Answer, NoSuchInput
from bot.sandbox.json_values import JsonObject, flag_of, object_of, text_of
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.page.guide import Guide
from bot.sandbox.page.screen import Reading
from bot.sandbox.reader import ShownError
from bot.sandbox.state import State

LONGEST_TYPED = 12_000
"""Slack's client takes no longer message."""

Done = JsonObject


class Gestures:
    """Everything that one person can do."""

    def __init__(self, state: State, user: str, *, reading: Reading, guide: Guide) -> None:
        self._state = state
        self._actor = Actor(state, state.people.get(user))
        self._reading = reading
        self._guide = guide

    def perform(self, gesture: JsonObject, drawn: Mapping[str, Message]) -> Done:
        """Do it, and wait for what Slack shows of it. `drawn` are the messages that were on the
        screen.

        Raises: ShownError, with what Slack would show instead.
        """
        verbs: dict[str, Callable[[], Done]] = {
            "type": lambda: self._type(gesture, drawn),
            "click": lambda: self._click(gesture, drawn),
            "submit": lambda: self._submit(gesture),
            "close": lambda: self._close(gesture),
            "open": lambda: self._open(gesture),
            "read": lambda: self._read(gesture),
            "dismiss": lambda: self._dismiss(gesture, drawn),
            "press": lambda: self._press(gesture),
        }
        verb = verbs.get(text_of(gesture, "do"))
        if verb is None:
            raise ShownError("unknown_gesture", "This page does not know how to do that.")
        try:
            return verb()
        except NoSuchInput as error:
            raise ShownError("not_there", f"That is not on the screen any more: {error}.") from None
        except (ApiError, LookupError) as error:
            raise ShownError("not_there", f"That is not there any more: {error}.") from None

    def _type(self, gesture: JsonObject, drawn: Mapping[str, Message]) -> Done:
        text = text_of(gesture, "text")
        if not text.strip():
            raise ShownError("no_text", "There is nothing to send.")
        if len(text) > LONGEST_TYPED:
            raise ShownError(
                "msg_too_long",
                f"This is {len(text)} characters long; Slack sends at most {LONGEST_TYPED}.",
            )
        thread = drawn.get(text_of(gesture, "thread"))
        self._actor.type(text_of(gesture, "where"), text, thread=thread)
        return {}

    def _click(self, gesture: JsonObject, drawn: Mapping[str, Message]) -> Done:
        element, answer = text_of(gesture, "element"), _answer(gesture)
        view = self._view(gesture)
        if view is not None:
            entered = _answers(gesture)
            view = self._actor.enter(view, entered) if entered else view
            if answer is None:
                self._actor.click(view, element)
            else:
                self._actor.choose(view, element, answer)
            return {}
        message = drawn.get(text_of(gesture, "message"))
        if message is None:
            raise ShownError("message_not_found", "This message was deleted.")
        self._actor.choose_as_drawn(message, element, answer)
        return {}

    def _submit(self, gesture: JsonObject) -> Done:
        view = self._view(gesture)
        if view is None:
            raise ShownError("view_not_found", "This form is not on the screen any more.")
        submission = self._actor.fill_and_submit(view, _answers(gesture))
        errors: JsonObject = {**submission.errors}
        return {"errors": errors}

    def _close(self, gesture: JsonObject) -> Done:
        self._actor.close_modal(all_of_them=flag_of(gesture, "all"))
        return {}

    def _open(self, gesture: JsonObject) -> Done:
        self._actor.open_home("home" if text_of(gesture, "tab") == "home" else "messages")
        return {}

    def _read(self, gesture: JsonObject) -> Done:
        channel, upto = text_of(gesture, "where"), text_of(gesture, "upto")
        with self._state.changed:
            key = self._actor.id, channel
            if upto > self._reading.marks.get(key, ""):
                self._reading.marks[key] = upto
                self._state.changed.notify_all()
        return {}

    def _dismiss(self, gesture: JsonObject, drawn: Mapping[str, Message]) -> Done:
        message = drawn.get(text_of(gesture, "message"))
        with self._state.changed:
            if message is not None and message.visible_to == self._actor.id:
                self._state.messages.remove(message.channel, message.ts)
                self._state.changed.notify_all()
        return {}

    def _press(self, gesture: JsonObject) -> Done:
        return {"said": self._guide.press(text_of(gesture, "button"))}

    def _view(self, gesture: JsonObject) -> View | None:
        wanted = text_of(gesture, "view")
        with self._state.changed:
            for view in (self._state.modals.top(self._actor.id), self._actor.home()):
                if view is not None and view.id == wanted:
                    return view
        if wanted:
            raise ShownError("view_not_found", "This form is not on the screen any more.")
        return None


def _answer(gesture: JsonObject) -> Answer:
    return _as_answer(gesture.get("answer"))


def _answers(gesture: JsonObject) -> dict[str, Answer]:
    return {name: _as_answer(value) for name, value in object_of(gesture, "answers").items()}


def _as_answer(value: object) -> Answer:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [entry for entry in value if isinstance(entry, str)]
    return None

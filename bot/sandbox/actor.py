"""A person at their Slack client: types, clicks, fills in. Gets to see what Slack would show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.sandbox.api_error import ApiError
from bot.sandbox.block_kit.surface import input_ids
from bot.sandbox.channels import Channel, ChannelKind
from bot.sandbox.content import Content
from bot.sandbox.form import (
    Answer,
    NoSuchInput,
    client_errors,
    element_state,
    entered,
    find_element,
)
from bot.sandbox.json_values import JsonObject, copied, flag_of, object_of, text_of
from bot.sandbox.messages import Message
from bot.sandbox.modals import View
from bot.sandbox.payloads import (
    action_of,
    event,
    message_action,
    slash_command,
    view_action,
    view_closed,
    view_submission,
)
from bot.sandbox.people import Person
from bot.sandbox.reader import Reader, ShownError
from bot.sandbox.response_urls import put_answer, read_answer
from bot.sandbox.socket_mode import EnvelopeKind, NoAck, NoConnection
from bot.sandbox.views import push_view, update_view, view_wire


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What became of a submitted modal: sentences under inputs by block id (empty when it was
    taken), and the view that is shown now, if any."""

    errors: dict[str, str] = field(default_factory=dict)
    view: View | None = None

    @property
    def is_accepted(self) -> bool:
        return not self.errors


class Actor(Reader):
    """Drive the workspace as one person. Each verb returns once Slack shows its outcome."""

    def type(self, where: str, text: str, *, thread: Message | None = None) -> Message | None:
        """Send a message, or a slash command; the result is the message that appeared, or the
        answer that came with the command's ack. `where` is a channel, or @ and the app's handle.

        Raises: ShownError.
        """
        with self._state.changed:
            channel = self._place(where)
        if text.startswith("/"):
            if thread is not None:
                command = text.split()[0]
                raise ShownError("not_in_thread", f"{command} is not supported in threads. Sorry!")
            return self._command(channel, text)
        return self._plain(channel, text, thread)

    def click(self, target: Message | View, button: str, *, confirm: bool = True) -> None:
        """Press a button by its label or action id, if what is shown now still has it. A
        confirmation dialog is answered with `confirm`.

        Raises: ShownError; NoSuchInput when there is no such button.
        """
        current = self._current(target)
        block, element = find_element(current.blocks, button)
        if text_of(element, "type") != "button":
            raise NoSuchInput(f"{button!r} is no button; use choose")
        self._act(current, block, element, {}, confirm=confirm)

    def click_as_drawn(self, drawing: Message | View, button: str) -> None:
        """Press a button that was on this person's screen when the app drew it anew: the click was
        on its way, so it carries the old drawing's value. Raises: ShownError.
        """
        self.choose_as_drawn(drawing, button, None)

    def choose_as_drawn(self, drawing: Message | View, element_name: str, answer: Answer) -> None:
        """As `click_as_drawn`, for a menu, a picker or boxes too. Raises: ShownError."""
        self._current(drawing)
        block, element = find_element(drawing.blocks, element_name)
        chosen = {} if text_of(element, "type") == "button" else element_state(element, answer)
        self._act(drawing, block, element, chosen, confirm=True)

    def choose(
        self, target: Message | View, element_name: str, answer: Answer, *, confirm: bool = True
    ) -> None:
        """Choose in a menu, a picker or boxes outside of input blocks. Raises: as `click`."""
        current = self._current(target)
        block, element = find_element(current.blocks, element_name)
        chosen = element_state(element, answer)
        if isinstance(current, View):
            current = self.enter(current, {element_name: answer})
        self._act(current, block, element, chosen, confirm=confirm)

    def enter(self, target: View, answers: dict[str, Answer]) -> View:
        """Enter something into a view without submitting it: the app reads it with whatever is
        clicked there next. Raises: as `fill_and_submit`."""
        with self._state.changed:
            view = self._current_view(target)
            values = entered(view.blocks, view.values, answers)
            if view.is_home:
                return self._state.homes.put(replace(view, values=values))
            return self._state.modals.set_values(view, values)

    def fill_and_submit(self, modal: View, answers: dict[str, Answer] | None = None) -> Submission:
        """Enter answers by block id, action id, "block_id/action_id" or label, and submit.

        Raises: ShownError when the app does not answer; NoSuchInput.
        """
        with self._state.changed:
            view = self.enter(modal, answers or {})
            objections = client_errors(view.blocks, view.values)
            if objections:
                return Submission(errors=objections, view=view)
            person = self._active()
            payload = view_submission(self._state, person, view)
        answer = self._deliver(payload, accepts_answer=True)
        return self._after_submission(view, answer)

    def close_modal(self, *, all_of_them: bool = False) -> None:
        """Press Cancel, or the cross that closes every view."""
        state = self._state
        with state.changed:
            view = state.modals.top(self.id)
            if view is None:
                raise ShownError("no_view", "There is no modal open.")
            clears = all_of_them or flag_of(view.payload, "clear_on_close")
            if clears:
                state.modals.clear(self.id)
            else:
                state.modals.pop(self.id)
            state.changed.notify_all()
            if not flag_of(view.payload, "notify_on_close"):
                return
            payload = view_closed(state, self._active(), view, is_cleared=clears)
        try:
            state.socket_mode.send(EnvelopeKind.INTERACTIVE, payload, accepts_answer=False)
        except NoConnection:
            # Slack tells nobody: the view is closed whether or not the app hears of it.
            return

    def open_home(self, tab: str = "home") -> None:
        """Look at the app: at its tab `home` or `messages`."""
        state = self._state
        with state.changed:
            self._active()
            if "app_home_opened" not in state.events:
                return
            channel = state.direct_channel(self.id)
            inner: JsonObject = {
                "type": "app_home_opened",
                "user": self.id,
                "channel": channel.id,
                "tab": tab,
                "event_ts": state.next_ts(),
            }
            view = state.homes.of(self.id)
            if tab == "home" and view is not None:
                inner["view"] = view_wire(state, view)
            state.socket_mode.publish(event(state, inner))

    # how it works

    def _active(self) -> Person:
        person = self._state.people.get(self.id)
        if person.deleted:
            raise ShownError("account_inactive", "Your account has been deactivated.")
        return person

    def _may_write(self, channel: Channel) -> None:
        if channel.is_archived:
            raise ShownError("is_archived", f"#{channel.name} is archived.")
        if not channel.has(self.id):
            raise ShownError("not_in_channel", f"Join #{channel.name} to write there.")

    def _command(self, channel: Channel, typed: str) -> Message | None:
        state = self._state
        command, _, text = typed.partition(" ")
        with state.changed:
            person = self._active()
            self._may_write(channel)
            if command not in state.commands or "commands" not in state.scopes:
                raise ShownError(
                    "not_a_command",
                    f"{command} is not a valid command. In Slack, all messages that start with "
                    "the “/” character are interpreted as commands.",
                )
            payload = slash_command(state, person, channel, command, text.strip())
        try:
            delivery = state.socket_mode.send(
                EnvelopeKind.SLASH_COMMAND, payload, accepts_answer=True
            )
            answer = state.socket_mode.wait(delivery)
        except NoConnection as error:
            raise _command_failed(command, "dispatch_failed") from error
        except NoAck as error:
            raise _command_failed(command, "operation_timeout") from error
        if not answer:
            return None
        try:
            return put_answer(state, channel, self.id, read_answer(answer))
        except ApiError as error:
            state.socket_mode.blame("bad_command_answer", str(error))
            raise _command_failed(command, "dispatch_failed") from error

    def _plain(self, channel: Channel, text: str, thread: Message | None) -> Message:
        state = self._state
        with state.changed:
            self._active()
            self._may_write(channel)
            escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            thread_ts = None if thread is None else thread.thread_ts or thread.ts
            content = Content(text=escaped, blocks=())
            message = state.put_message(channel, content, author=self.id, thread_ts=thread_ts)
            family = "groups" if channel.kind is ChannelKind.PRIVATE else channel.kind.value
            name = "channels" if channel.kind is ChannelKind.PUBLIC else family
            hears = channel.has(state.identity.bot_user)
            if hears and f"message.{name}" in state.events:
                kinds = {"channels": "channel", "groups": "group", "im": "im"}
                inner = state.message_wire(message)
                inner |= {
                    "channel": channel.id,
                    "channel_type": kinds[name],
                    "event_ts": message.ts,
                }
                state.socket_mode.publish(event(state, inner))
            return message

    def _current(self, target: Message | View) -> Message | View:
        with self._state.changed:
            if isinstance(target, View):
                return self._current_view(target)
            message = self._state.messages.find(target.channel, target.ts)
            if message is None:
                raise ShownError("message_not_found", "This message was deleted.")
            return message

    def _current_view(self, view: View) -> View:
        home = self._state.homes.of(self.id)
        if home is not None and home.id == view.id:
            return home
        top = self._state.modals.top(self.id)
        if top is None or top.id != view.id:
            raise ShownError("view_not_found", f"“{view.title}” is not on the screen any more.")
        return top

    def _act(
        self,
        shown: Message | View,
        block: JsonObject,
        element: JsonObject,
        chosen: JsonObject,
        *,
        confirm: bool,
    ) -> None:
        state = self._state
        if "confirm" in element and not confirm:
            return
        with state.changed:
            person = self._active()
            action = action_of(state, block, element, copied(chosen))
            if isinstance(shown, View):
                payload = view_action(state, person, shown, action)
            else:
                channel = state.channels.get(shown.channel)
                if shown.visible_to not in (None, self.id):
                    raise ShownError("message_not_found", "Only another person sees that.")
                if not channel.has(self.id) and channel.kind is not ChannelKind.PUBLIC:
                    raise ShownError("channel_not_found", "You are not in that conversation.")
                payload = message_action(state, person, channel, shown, action)
        self._deliver(payload, accepts_answer=False)

    def _deliver(self, payload: JsonObject, *, accepts_answer: bool) -> JsonObject:
        hub = self._state.socket_mode
        try:
            delivery = hub.send(EnvelopeKind.INTERACTIVE, payload, accepts_answer=accepts_answer)
            return hub.wait(delivery)
        except NoConnection as error:
            raise ShownError("dispatch_failed", _TROUBLE) from error
        except NoAck as error:
            raise ShownError("operation_timeout", _TROUBLE) from error

    def _after_submission(self, view: View, answer: JsonObject) -> Submission:
        state = self._state
        with state.changed:
            try:
                errors = self._apply(view, answer)
            except ApiError as error:
                state.socket_mode.blame("bad_submission_answer", str(error))
                raise ShownError("invalid_response", _TROUBLE) from error
            state.changed.notify_all()
            return Submission(errors=errors, view=state.modals.top(self.id))

    def _apply(self, view: View, answer: JsonObject) -> dict[str, str]:
        modals = self._state.modals
        unknown = set(answer) - {"response_action", "errors", "view"}
        if unknown:
            raise ApiError("unknown_property", messages=tuple(sorted(unknown)))
        match answer.get("response_action"):
            case None if not answer:
                modals.pop(self.id)
            case "clear":
                modals.clear(self.id)
            case "update":
                update_view(self._state, view, object_of(answer, "view"))
            case "push":
                push_view(self._state, self.id, object_of(answer, "view"))
            case "errors":
                return _shown_errors(view, object_of(answer, "errors"))
            case other:
                raise ApiError("unknown_response_action", messages=(str(other),))
        return {}


_TROUBLE = "We had some trouble connecting. Try again?"


def _command_failed(command: str, code: str) -> ShownError:
    return ShownError(code, f"{command} failed with the error “{code}”")


def _shown_errors(view: View, errors: JsonObject) -> dict[str, str]:
    known = input_ids(view.blocks)
    strange = sorted(set(errors) - known)
    if strange or not errors:
        raise ApiError("errors_without_input", messages=tuple(strange))
    return {block_id: str(said) for block_id, said in errors.items()}

"""What stands in a modal's inputs: defaults, what a person enters, what Slack objects to."""

from __future__ import annotations

from bot.sandbox.block_kit.surface import input_ids
from bot.sandbox.json_values import (
    Json,
    JsonObject,
    copied,
    flag_of,
    object_of,
    objects_of,
    text_of,
)
from bot.sandbox.messages import elements_of

REQUIRED = "Please complete this required field."
Answer = str | list[str] | None


class NoSuchInput(LookupError):
    """The modal shows no such input or choice, so no person could enter that."""


def initial_values(blocks: tuple[JsonObject, ...]) -> JsonObject:
    """The state before anybody touched anything, as Slack reports it."""
    values: JsonObject = {}
    for block, element in elements_of(blocks):
        state = _initial(element)
        if state is not None:
            _put(values, block, element, state)
    return values


def _put(values: JsonObject, block: JsonObject, element: JsonObject, state: JsonObject) -> None:
    block_id, action_id = text_of(block, "block_id"), text_of(element, "action_id")
    values[block_id] = object_of(values, block_id) | {action_id: state}


def kept_values(blocks: tuple[JsonObject, ...], before: JsonObject) -> JsonObject:
    """The state after a redraw: inputs of the same ids and type keep their content."""
    values = initial_values(blocks)
    for block_id, slot in values.items():
        if not isinstance(slot, dict):
            continue
        for action_id, state in slot.items():
            old = object_of(object_of(before, block_id), action_id)
            if isinstance(state, dict) and text_of(old, "type") == text_of(state, "type"):
                slot[action_id] = copied(old)
    return values


def entered(
    blocks: tuple[JsonObject, ...], values: JsonObject, answers: dict[str, Answer]
) -> JsonObject:
    """The state after a person filled in `answers`: block id, action id or label → what.

    Raises: NoSuchInput.
    """
    filled = copied(values)
    for name, answer in answers.items():
        block, element = find_element(blocks, name)
        _put(filled, block, element, element_state(element, answer))
    return filled


def find_element(blocks: tuple[JsonObject, ...], name: str) -> tuple[JsonObject, JsonObject]:
    """The one element that carries this name. Raises: NoSuchInput."""
    found = [
        (block, element) for block, element in elements_of(blocks) if name in _names(block, element)
    ]
    if len(found) != 1:
        shown = sorted({n for b, e in elements_of(blocks) for n in _names(b, e) if n})
        said = "nothing is" if not found else f"{len(found)} things are"
        raise NoSuchInput(f"{said} called {name!r} here; there is: {', '.join(shown)}")
    return found[0]


def _names(block: JsonObject, element: JsonObject) -> tuple[str, ...]:
    block_id, action_id = text_of(block, "block_id"), text_of(element, "action_id")
    shown = text_of(object_of(block, "label"), "text") or text_of(
        object_of(element, "text"), "text"
    )
    own = (action_id, f"{block_id}/{action_id}", shown)
    return (*own, block_id) if text_of(block, "type") == "input" else own


def element_state(element: JsonObject, answer: Answer) -> JsonObject:
    """What Slack reports for an element after this was entered. Raises: NoSuchInput."""
    kind = text_of(element, "type")
    many = [answer] if isinstance(answer, str) else list(answer or ())
    one: Json = many[0] if many else None
    match kind:
        case "plain_text_input":
            return {"type": kind, "value": one or None}
        case "static_select" | "radio_buttons" | "overflow":
            return {"type": kind, "selected_option": _choice(element, many[0]) if many else None}
        case "checkboxes":
            return {"type": kind, "selected_options": [_choice(element, entry) for entry in many]}
        case "users_select":
            return {"type": kind, "selected_user": one}
        case "datepicker":
            return {"type": kind, "selected_date": one}
        case _:
            raise NoSuchInput(f"a {kind or 'text'} takes no input")


def _choice(element: JsonObject, wanted: str) -> JsonObject:
    options = objects_of(element, "options")
    for option in options:
        if wanted in (text_of(option, "value"), text_of(object_of(option, "text"), "text")):
            return copied(option)
    shown = ", ".join(text_of(object_of(option, "text"), "text") for option in options)
    raise NoSuchInput(f"no choice {wanted!r}; there is: {shown}")


def _initial(element: JsonObject) -> JsonObject | None:
    kind = text_of(element, "type")
    match kind:
        case "plain_text_input":
            return {"type": kind, "value": element.get("initial_value") or None}
        case "static_select" | "radio_buttons":
            return {"type": kind, "selected_option": element.get("initial_option")}
        case "checkboxes":
            return {"type": kind, "selected_options": element.get("initial_options") or []}
        case "users_select":
            return {"type": kind, "selected_user": element.get("initial_user")}
        case "datepicker":
            return {"type": kind, "selected_date": element.get("initial_date")}
        case _:
            return None


def client_errors(blocks: tuple[JsonObject, ...], values: JsonObject) -> dict[str, str]:
    """What Slack's client shows under inputs without asking the app: block id → sentence."""
    errors: dict[str, str] = {}
    inputs = input_ids(blocks)
    for block, element in elements_of(blocks):
        block_id = text_of(block, "block_id")
        if block_id not in inputs:
            continue
        state = object_of(object_of(values, block_id), text_of(element, "action_id"))
        content = [value for key, value in state.items() if key != "type"]
        if not any(content):
            if not flag_of(block, "optional"):
                errors[block_id] = REQUIRED
            continue
        said = _length_error(element, text_of(state, "value"))
        if said is not None:
            errors[block_id] = said
    return errors


def _length_error(element: JsonObject, value: str) -> str | None:
    if text_of(element, "type") != "plain_text_input":
        return None
    longest, shortest = element.get("max_length", 3000), element.get("min_length", 0)
    if isinstance(longest, int) and len(value) > longest:
        return f"Must be at most {longest} characters."
    if isinstance(shortest, int) and len(value) < shortest:
        return f"Must be at least {shortest} characters."
    return None

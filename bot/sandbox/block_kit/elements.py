"""Interactive elements and images, and which of them each place takes."""

from __future__ import annotations

from bot.sandbox.block_kit.composition import (
    CONFIRM,
    any_text,
    option,
    plain_options,
    plain_text,
    rich_options,
)
from bot.sandbox.block_kit.rules import (
    Problems,
    Rule,
    Shape,
    array,
    boolean,
    integer,
    pattern,
    string,
    word,
)
from bot.sandbox.json_values import Json, JsonObject, objects_in, text_of

_ACTION_ID: dict[str, Rule] = {"action_id": string(255)}
_DATE = pattern(r"\d{4}-\d{2}-\d{2}", "must be a date in the form YYYY-MM-DD")
_WEB_ADDRESS = pattern(r"https?://\S{1,2990}", "must be a web address of at most 3000 characters")


def _shape(kind: str, required: dict[str, Rule], optional: dict[str, Rule]) -> Shape:
    return Shape(required={"type": word(kind), **required}, optional=optional)


def _initial_among_options(value: JsonObject, pointer: str, problems: Problems) -> None:
    """Slack refuses an initial choice that is not, exactly, one of the options."""
    options = objects_in(value.get("options"))
    initial: list[Json] = []
    if "initial_option" in value:
        initial.append(value["initial_option"])
    chosen = value.get("initial_options")
    if isinstance(chosen, list):
        initial += chosen
    if any(choice not in options for choice in initial):
        problems.add("initial options must be among the options", pointer)
    values = [text_of(entry, "value") for entry in options]
    if len(set(values)) != len(values):
        problems.add("option values must be unique", f"{pointer}/options")


def _shortest_before_longest(value: JsonObject, pointer: str, problems: Problems) -> None:
    low, high = value.get("min_length"), value.get("max_length")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        problems.add("min_length must not exceed max_length", pointer)


BUTTON = _shape(
    "button",
    {"text": plain_text(75)},
    {
        **_ACTION_ID,
        "value": string(2000),
        "url": _WEB_ADDRESS,
        "style": word("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)

OVERFLOW = Shape(
    required={"type": word("overflow"), "options": plain_options(5)},
    optional={**_ACTION_ID, "confirm": CONFIRM},
    also=_initial_among_options,
)

STATIC_SELECT = Shape(
    required={"type": word("static_select"), "options": plain_options(100)},
    optional={
        **_ACTION_ID,
        "placeholder": plain_text(150),
        "initial_option": option(plain_text(75)),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
    also=_initial_among_options,
)

USERS_SELECT = _shape(
    "users_select",
    {},
    {
        **_ACTION_ID,
        "placeholder": plain_text(150),
        "initial_user": pattern(r"[UW][A-Z0-9]{8,}", "must be a user id"),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
)

DATEPICKER = _shape(
    "datepicker",
    {},
    {
        **_ACTION_ID,
        "placeholder": plain_text(150),
        "initial_date": _DATE,
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
)

CHECKBOXES = Shape(
    required={"type": word("checkboxes"), "options": rich_options(10)},
    optional={
        **_ACTION_ID,
        "initial_options": array(option(any_text(75)), fewest=1, most=10),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
    also=_initial_among_options,
)

RADIO_BUTTONS = Shape(
    required={"type": word("radio_buttons"), "options": rich_options(10)},
    optional={
        **_ACTION_ID,
        "initial_option": option(any_text(75)),
        "confirm": CONFIRM,
        "focus_on_load": boolean,
    },
    also=_initial_among_options,
)

PLAIN_TEXT_INPUT = Shape(
    required={"type": word("plain_text_input")},
    optional={
        **_ACTION_ID,
        "initial_value": string(3000, shortest=0),
        "multiline": boolean,
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
        "placeholder": plain_text(150),
        "focus_on_load": boolean,
    },
    also=_shortest_before_longest,
)

IMAGE = _shape("image", {"image_url": _WEB_ADDRESS, "alt_text": string(2000)}, {})

_CHOICES: dict[str, Rule] = {
    "static_select": STATIC_SELECT,
    "users_select": USERS_SELECT,
    "datepicker": DATEPICKER,
    "checkboxes": CHECKBOXES,
    "radio_buttons": RADIO_BUTTONS,
}
IN_ACTIONS: dict[str, Rule] = {"button": BUTTON, "overflow": OVERFLOW, **_CHOICES}
IN_SECTION: dict[str, Rule] = {**IN_ACTIONS, "image": IMAGE}
IN_INPUT: dict[str, Rule] = {"plain_text_input": PLAIN_TEXT_INPUT, **_CHOICES}

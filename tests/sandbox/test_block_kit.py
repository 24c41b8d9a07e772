"""Block Kit's limits: at each limit accepted, beyond it refused, and nothing unknown taken."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.block_kit import message_problems, modal_problems, text_length

Block = dict[str, Any]


def plain(length: int | str) -> Block:
    text = "x" * length if isinstance(length, int) else length
    return {"type": "plain_text", "text": text}


def mrkdwn(length: int) -> Block:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more: Any) -> Block:
    return {"type": "button", "text": plain("Approve"), **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def section(**more: Any) -> Block:
    return {"type": "section", "text": mrkdwn(1), **more}


def options(count: int) -> list[Block]:
    return [{"text": plain(str(n)), "value": str(n)} for n in range(count)]


def select(**more: Any) -> Block:
    return {"type": "static_select", "options": options(2), **more}


def confirm(title: int = 1, text: int = 1, yes: int = 1, no: int = 1) -> Block:
    return {
        "title": plain(title),
        "text": plain(text),
        "confirm": plain(yes),
        "deny": plain(no),
    }


def image(**more: Any) -> Block:
    return {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a", **more}


def field(element: Block | None = None, **more: Any) -> Block:
    chosen = element or {"type": "plain_text_input"}
    return {"type": "input", "label": plain("Reason"), "element": chosen, **more}


ACCEPTED: list[list[Block]] = [
    [{"type": "header", "text": plain(150)}],
    [{"type": "section", "text": mrkdwn(3000)}],
    [{"type": "section", "fields": [mrkdwn(2000)] * 10}],
    [section(accessory=button(), block_id="x" * 255)],
    [section(accessory=image())],
    [{"type": "divider"}] * 50,
    [{"type": "context", "elements": [mrkdwn(1), plain(1), image()] * 3 + [plain(1)]}],
    [actions(*[button()] * 25)],
    [actions(button(text=plain(75), value="x" * 2000, action_id="x" * 255, style="danger"))],
    [actions(button(confirm=confirm(100, 300, 30, 30)))],
    [actions(button(url="https://x.example/run/4"))],
    [actions(select(options=options(100), placeholder=plain(150)))],
    [actions({"type": "overflow", "options": options(5)})],
    [actions({"type": "checkboxes", "options": options(10)})],
    [actions({"type": "radio_buttons", "options": options(10)})],
    [actions({"type": "users_select", "placeholder": plain("Who?")})],
    [actions({"type": "datepicker", "initial_date": "2025-12-10"})],
    [image(title=plain("Curve"))],
    [actions(button(action_id="a"), block_id="1"), actions(button(action_id="a"), block_id="2")],
]

REFUSED: list[tuple[list[Any], str]] = [
    ([{"type": "header", "text": plain(151)}], "less than 151"),
    ([{"type": "header", "text": plain(0)}], "more than 0"),
    ([{"type": "header", "text": mrkdwn(1)}], "must be one of: plain_text"),
    ([{"type": "header"}], "missing required field: text"),
    ([{"type": "section", "text": mrkdwn(3001)}], "less than 3001"),
    ([{"type": "section"}], "must define either `text` or `fields`"),
    ([{"type": "section", "fields": [mrkdwn(1)] * 11}], "no more than 10 items"),
    ([{"type": "section", "fields": []}], "no fewer than 1 items"),
    ([{"type": "section", "fields": [mrkdwn(2001)]}], "less than 2001"),
    ([section(accessory={"type": "plain_text_input"})], "unsupported type: plain_text_input"),
    ([section(block_id="x" * 256)], "less than 256"),
    ([section(color="red")], "no additional properties allowed: color"),
    ([section(text={"type": "mrkdwn", "text": "x", "emoji": True})], "allowed: emoji"),
    ([section(text={"type": "plain_text", "text": "x", "verbatim": True})], "verbatim"),
    ([section(text={"type": "mrkdwn", "text": 4})], "must be a string"),
    ([section(text="x")], "must be an object"),
    ([{"type": "divider"}] * 51, "no more than 50 items"),
    ([{"type": "context", "elements": [mrkdwn(1)] * 11}], "no more than 10 items"),
    ([{"type": "context", "elements": [button()]}], "unsupported type: button"),
    ([actions()], "no fewer than 1 items"),
    ([actions(*[button()] * 26)], "no more than 25 items"),
    ([actions(image())], "unsupported type: image"),
    ([actions(button(text=plain(76)))], "less than 76"),
    ([actions(button(text=mrkdwn(1)))], "must be one of: plain_text"),
    ([actions(button(value="x" * 2001))], "less than 2001"),
    ([actions(button(action_id="x" * 256))], "less than 256"),
    ([actions(button(style="default"))], "must be one of: primary, danger"),
    ([actions(button(url="javascript:alert(1)"))], "must be a web address"),
    ([actions(button(disabled=True))], "no additional properties allowed: disabled"),
    ([actions({"type": "button"})], "missing required field: text"),
    ([actions(button(confirm=confirm(101)))], "less than 101"),
    ([actions(button(confirm=confirm(1, 301)))], "less than 301"),
    ([actions(button(confirm=confirm(1, 1, 31)))], "less than 31"),
    ([actions(button(confirm=confirm(1, 1, 1, 31)))], "less than 31"),
    ([actions(button(confirm={"title": plain(1)}))], "missing required field: deny"),
    ([actions(button(action_id="a"), button(action_id="a"))], "action_id already exists: a"),
    ([section(block_id="b"), section(block_id="b")], "block_id already exists: b"),
    ([actions(select(options=options(101)))], "no more than 100 items"),
    ([actions(select(options=[]))], "no fewer than 1 items"),
    ([actions(select(placeholder=plain(151)))], "less than 151"),
    ([actions(select(options=[{"text": plain(76), "value": "v"}]))], "less than 76"),
    ([actions(select(options=[{"text": plain(1), "value": "x" * 151}]))], "less than 151"),
    ([actions(select(options=options(1) * 2))], "option values must be unique"),
    (
        [actions(select(initial_option={"text": plain("9"), "value": "9"}))],
        "initial options must be among the options",
    ),
    ([actions({"type": "overflow", "options": options(6)})], "no more than 5 items"),
    ([actions({"type": "checkboxes", "options": options(11)})], "no more than 10 items"),
    ([actions({"type": "radio_buttons", "options": options(11)})], "no more than 10 items"),
    ([actions({"type": "datepicker", "initial_date": "10.12.2025"})], "YYYY-MM-DD"),
    ([actions({"type": "users_select", "initial_user": "@dana"})], "must be a user id"),
    ([image(alt_text="")], "more than 0"),
    ([image(image_url="ftp://x")], "must be a web address"),
    ([{"type": "table", "rows": []}], "unsupported type: table"),
    ([{"type": "markdown", "text": "x"}], "unsupported type: markdown"),
    ([{"type": "rich_text", "elements": []}], "unsupported type: rich_text"),
    ([{"text": plain(1)}], "unsupported type: none given"),
    ([field()], "unsupported type: input"),
    (["text"], "must be an object"),
]


@pytest.mark.parametrize("blocks", ACCEPTED)
def test_blocks_at_the_limit_are_accepted(blocks: list[Block]) -> None:
    """A limit is the last length or count that Slack takes."""
    assert message_problems(blocks) == ()


@pytest.mark.parametrize(("blocks", "said"), REFUSED)
def test_blocks_beyond_the_rules_are_refused(blocks: list[Any], said: str) -> None:
    """Each refusal says what is wrong and points at it."""
    problems = message_problems(blocks)
    assert any(said in problem and "json-pointer:/blocks/" in problem for problem in problems) or (
        "[json-pointer:/blocks]" in problems[0] and said in problems[0]
    )


def test_every_problem_is_reported_at_once() -> None:
    """Three mistakes, three messages."""
    blocks = [section(color="red"), {"type": "header"}, {"type": "table"}]
    assert len(message_problems(blocks)) == 3


def test_labels_count_towards_the_length_of_a_message() -> None:
    """All text objects count, in whatever element they stand."""
    assert text_length([section(text=plain(10)), actions(button(text=plain(5)))]) == 15


def modal(**more: Any) -> Block:
    return {"type": "modal", "title": plain("Promote"), "blocks": [{"type": "divider"}], **more}


MODALS_ACCEPTED: list[Block] = [
    modal(title=plain(24), close=plain(24), submit=plain(24)),
    modal(private_metadata="x" * 3000, callback_id="x" * 255, external_id="x" * 255),
    modal(blocks=[{"type": "divider"}] * 100, notify_on_close=True, clear_on_close=True),
    modal(blocks=[field(hint=plain("why"), optional=True)], submit=plain("Ask")),
    modal(blocks=[field(select()), field({"type": "datepicker"})], submit=plain("Ask")),
    modal(
        blocks=[field({"type": "plain_text_input", "multiline": True, "max_length": 3000})],
        submit=plain("Ask"),
    ),
]

MODALS_REFUSED: list[tuple[Block, str]] = [
    (modal(title=plain(25)), "less than 25"),
    (modal(submit=plain(25)), "less than 25"),
    (modal(close=plain(25)), "less than 25"),
    (modal(title="Promote"), "must be an object"),
    (modal(type="home"), "must be one of: modal"),
    (modal(private_metadata="x" * 3001), "less than 3001"),
    (modal(callback_id="x" * 256), "less than 256"),
    (modal(external_id="x" * 256), "less than 256"),
    (modal(blocks=[{"type": "divider"}] * 101), "no more than 100 items"),
    (modal(blocks=[field()]), "`submit` must be defined"),
    (modal(notify_on_close="yes"), "must be a boolean"),
    (modal(submit_disabled=True), "no additional properties allowed: submit_disabled"),
    ({"type": "modal", "blocks": []}, "missing required field: title"),
    ({"type": "modal", "title": plain(1)}, "missing required field: blocks"),
    (modal(blocks=[field(button())], submit=plain(1)), "unsupported type: button"),
    (modal(blocks=[field(label=mrkdwn(1))], submit=plain(1)), "must be one of: plain_text"),
    (modal(blocks=[field(label=plain(2001))], submit=plain(1)), "less than 2001"),
    (
        modal(blocks=[field({"type": "plain_text_input", "max_length": 3001})], submit=plain(1)),
        "must be between 1 and 3000",
    ),
    (
        modal(
            blocks=[field({"type": "plain_text_input", "min_length": 5, "max_length": 4})],
            submit=plain(1),
        ),
        "min_length must not exceed max_length",
    ),
    (
        modal(
            blocks=[field({"type": "plain_text_input", "initial_value": "x" * 3001})],
            submit=plain(1),
        ),
        "less than 3001",
    ),
]


@pytest.mark.parametrize("view", MODALS_ACCEPTED)
def test_modals_at_the_limit_are_accepted(view: Block) -> None:
    """A modal as large as Slack takes it."""
    assert modal_problems(view) == ()


@pytest.mark.parametrize(("view", "said"), MODALS_REFUSED)
def test_modals_beyond_the_rules_are_refused(view: Block, said: str) -> None:
    """Each refusal says what is wrong and points into the view."""
    assert any(said in p and "json-pointer:/view" in p for p in modal_problems(view))

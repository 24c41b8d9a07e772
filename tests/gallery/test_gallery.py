"""Slack takes every message and modal, smallest and largest; nobody is pinged by a name; and a
person can look through all of them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View

from bot.sandbox import pings
from bot.sandbox.block_kit import home_problems, message_problems, modal_problems
from bot.sandbox.json_values import Json, JsonObject
from bot.views import Drawn
from tests.gallery.exhibits import (
    CHANNEL,
    HALLS,
    OF_ABSENCE,
    OF_MODEL,
    TIMELINE,
    TOLD,
    Hall,
    Surface,
)
from tests.gallery.extremes import Size
from tests.gallery.page import page

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "build" / "messages.html"
LONGEST_MESSAGE = 13_200
NEEDS_A_WORLD = frozenset({"foureyes_words.answer", "glass_desk.refusal", "glass_desk.review"})
"""What asks the store for its words; what it draws hangs under the functions that it calls."""


def _id(value: object) -> str:
    return value.draws if isinstance(value, Hall) else str(value)


@pytest.mark.parametrize("size", list(Size), ids=_id)
@pytest.mark.parametrize("hall", HALLS, ids=_id)
def test_slack_takes_it(hall: Hall, size: Size) -> None:
    """By the workspace's rules and by the models of Slack's own SDK."""
    for caption, made in hall.exhibits(size):
        assert _problems(made) == (), caption


@pytest.mark.parametrize("size", list(Size), ids=_id)
@pytest.mark.parametrize("hall", HALLS, ids=_id)
def test_a_message_reads_aloud_and_pings_only_whom_it_means(hall: Hall, size: Size) -> None:
    """A complete text beside the blocks; on-call people of people.yaml, and nobody whom a name
    or a reason mentions."""
    for caption, made in hall.exhibits(size):
        if isinstance(made, Drawn):
            assert made.text.strip(), caption
            assert pings(made.text).users <= {"U0OTTO"}, caption
            assert not pings(made.text).channel_wide, caption


def test_nothing_that_is_drawn_is_missing() -> None:
    """Every public function of the bot that returns a message or a view."""
    assert {hall.draws for hall in HALLS} == set(_drawing_functions()) - NEEDS_A_WORLD


def test_no_notice_is_without_words() -> None:
    """Whatever a use case queues for a channel, a person or a thread."""
    known = {*CHANNEL, *TOLD, *OF_ABSENCE, *OF_MODEL, *TIMELINE}
    shown_elsewhere = {"alert", "alert_reminder", "ask", "changed", "opened"}
    assert set(_queued()) - known - shown_elsewhere == set()


def test_a_person_can_look_through_all_of_it() -> None:
    """One page, beside the other things that are built."""
    halls = [
        (f"{hall.draws} · {size.value}", list(hall.exhibits(size)))
        for hall in HALLS
        for size in Size
    ]
    html = page(halls)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(html, encoding="utf-8")
    assert html.count("<article>") == sum(len(exhibits) for _, exhibits in halls)
    assert "<!channel>" not in html


def _problems(made: Surface) -> tuple[str, ...]:
    if isinstance(made, Drawn):
        blocks: list[Json] = json.loads(json.dumps(made.blocks))
        for block in SdkBlock.parse_all(made.blocks):
            block.to_dict()
        too_long = _characters(made.blocks) > LONGEST_MESSAGE
        return (*message_problems(blocks), *(("msg_blocks_too_long",) if too_long else ()))
    view: JsonObject = json.loads(json.dumps(made))
    View(**view).to_dict()  # type: ignore[arg-type]  # the SDK reads its own wire form
    return home_problems(view) if made["type"] == "home" else modal_problems(view)


def _characters(value: object) -> int:
    if isinstance(value, dict):
        return sum(
            len(v) if k == "text" and isinstance(v, str) else _characters(v)
            for k, v in value.items()
        )
    return sum(_characters(v) for v in value) if isinstance(value, list) else 0


def _drawing_functions() -> Iterator[str]:
    """Public functions of `bot` that return a message, and of the modules of views a view."""
    for path in sorted((ROOT / "bot").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        draws_views = '"type": "modal"' in text or '"type": "home"' in text
        for node in ast.parse(text).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            returned = ast.unparse(node.returns) if node.returns else ""
            if returned == "Drawn" or (draws_views and returned == "Block"):
                yield f"{path.stem}.{node.name}"


def _queued() -> Iterator[str]:
    """Every word that a use case writes into a notice."""
    for path in sorted((ROOT / "governance" / "use_cases").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Notice":
                for keyword in node.keywords:
                    if keyword.arg == "what":
                        yield from (
                            str(part.value)
                            for part in ast.walk(keyword.value)
                            if isinstance(part, ast.Constant) and isinstance(part.value, str)
                        )

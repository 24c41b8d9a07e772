"""Modals, pure: values to views."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.block_kit import DETAIL, MENU_HOLDS, Block, chunks, option, plain, section
from bot.messages import form_words, request_words
from bot.messages.comparison_words import claim_lines
from bot.mrkdwn import folded
from bot.record_words import record_line
from bot.views import Shown, against, change_lines
from governance.domain.approval import Verdict
from governance.domain.canonical import Json
from governance.domain.promotion import Request

_OPTION_VALUE = 150
_VERDICT_TITLES = {
    Verdict.REJECT: ("Reject", "Why?"),
    Verdict.ASK_FOR_CHANGES: ("Ask for changes", "What is missing?"),
}


def comment_modal(verdict: Verdict, value: str, channel: str) -> Block:
    """Asks why; the comment is required."""
    title, label = _VERDICT_TITLES[verdict]
    return {
        "type": "modal",
        "callback_id": "decision",
        "title": plain(title),
        "submit": plain(title),
        "close": plain("Cancel"),
        "private_metadata": json.dumps(
            {**json.loads(value), "verdict": verdict.value, "channel": channel}
        ),
        "blocks": [
            {
                "type": "input",
                "block_id": "comment",
                "label": plain(label),
                "hint": plain(form_words.COMMENT_HINTS[verdict]),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "comment",
                    "multiline": True,
                    "max_length": 3000,
                },
            }
        ],
    }


def answer_modal(
    request: Request,
    asked: Sequence[str],
    shown: str,
    channel: str,
    newer: Sequence[tuple[int, str]],
    elsewhere: Sequence[str] = (),
) -> Block:
    """What was asked, a text to answer it, and the newer versions where there are any; `elsewhere`
    names newer ones that cannot be chosen yet. `shown` says which asks an answer is to."""
    blocks = [section(chunk) for chunk in chunks("What is asked", asked)]
    text: Block = {
        "type": "plain_text_input",
        "action_id": "answer",
        "multiline": True,
        "max_length": 3000,
    }
    version: Block = {
        "type": "static_select",
        "action_id": "version",
        "placeholder": plain(form_words.NO_NEWER_VERSION),
        "options": [option(text, str(number)) for number, text in newer[:MENU_HOLDS]],
    }
    choice: Block = {
        **_input("version", "Newer version", version),
        "optional": True,
        "hint": plain(form_words.VERSION_HINT),
    }
    return {
        "type": "modal",
        "callback_id": "answer",
        "title": plain("Answer"),
        "submit": plain("Answer"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps({"request": request.id, "shown": shown, "channel": channel}),
        "blocks": [
            *blocks,
            {
                **_input("answer", "Your answer", text),
                "hint": plain(form_words.ANSWER_HINT),
            },
            *_newer(request, choice if newer else None, elsewhere),
        ],
    }


def _newer(request: Request, choice: Block | None, elsewhere: Sequence[str]) -> list[Block]:
    if choice is None and not elsewhere:
        return [section(form_words.no_newer_version_yet(request.version))]
    found = [choice] if choice is not None else []
    if elsewhere:
        found += [section(chunk) for chunk in chunks(form_words.ELSEWHERE, elsewhere)]
    return found


_RECORDS = 40


def record_modal(model: str, events: Sequence[Mapping[str, Json]]) -> Block:
    """The newest records of a model, newest first; the command line has all of them."""
    lines = [record_line(event) for event in reversed(events[-_RECORDS:])]
    blocks = [section(chunk) for chunk in chunks(f"The record of {model} (UTC)", lines)]
    blocks.append(section(form_words.all_of_the_record(model)))
    return {
        "type": "modal",
        "title": plain("The record"),
        "close": plain("Close"),
        "blocks": blocks[:99],
    }


def details_modal(shown: Shown, picture: Block | None = None) -> Block:
    """Everything that the message folds, within the limits of a modal; `picture` is an image
    block, or None while Slack has none."""
    request = shown.request
    content = request.content
    sections: list[tuple[str, list[str]]] = [
        ("Where it stands", [request_words.request_state(request, shown.quorum)]),
        ("Warnings", request_words.warning_lines(request)),
        ("Reason", [request.reason]),
        (against(request), change_lines(shown)),
        (form_words.CLAIMS, claim_lines(request.snapshot)),
        ("Checks", [request_words.check_line(c) for c in request.checks]),
        ("Changes", request_words.round_lines(request, shown.asked, shown.answered, shown.roster)),
        ("Approvals", request_words.seat_lines(shown.quorum, shown.roster)),
        ("Files", [f"{f.path}  {f.sha256[:16]}…  {f.size_bytes} bytes" for f in content.files]),
        (
            "What a vote binds",
            [
                f"content {request.binding.content}",
                f"evidence {request.binding.evidence}",
                f"policy {request.binding.policy}",
                f"production {request.binding.expected_production or 'nothing'}",
            ],
        ),
    ]
    blocks: list[Block] = []
    for heading, lines in sections:
        if lines:
            blocks.extend(section(chunk) for chunk in chunks(heading, lines))
        if heading == against(request) and picture is not None:
            blocks.append(picture)
    return {
        "type": "modal",
        "title": plain("Details"),
        "close": plain("Close"),
        "blocks": blocks[:99],
    }


def loading_modal() -> Block:
    """Opened at once, because a trigger lasts three seconds."""
    return {
        "type": "modal",
        "title": plain("Promote"),
        "close": plain("Cancel"),
        "blocks": [section(form_words.LOADING)],
    }


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the promotion form offers."""

    models: tuple[str, ...]
    model: str | None
    versions: tuple[tuple[int, str], ...]
    """Number and description, newest first."""
    version: int | None
    stages: tuple[str, ...]
    stage: str | None
    channel: str


def fits_menu(name: str) -> bool:
    """An option's value holds 150 characters: a longer name is typed after the command instead."""
    return len(name) <= _OPTION_VALUE


def promote_modal(choices: Choices) -> Block:
    """The promotion form; choosing a model loads its versions."""
    short = [name for name in choices.models if fits_menu(name)]
    models = [option(name, name) for name in short[:MENU_HOLDS]]
    model: Block = {
        "type": "static_select",
        "action_id": "promote_model",
        "placeholder": plain("Model"),
        "options": models,
    }
    if choices.model in short:
        model["initial_option"] = option(choices.model, choices.model)
    blocks: list[Block] = [
        {"type": "actions", "block_id": "model", "elements": [model]},
    ]
    if choices.versions:
        versions = [option(text, str(number)) for number, text in choices.versions[:MENU_HOLDS]]
        chosen: Block = {
            "type": "static_select",
            "action_id": "version",
            "placeholder": plain("Version"),
            "options": versions,
        }
        for number, text in choices.versions[:MENU_HOLDS]:
            if number == choices.version:
                chosen["initial_option"] = option(text, str(number))
        stages = [option(form_words.NEXT_STAGE, "next")]
        stages += [option(stage, stage) for stage in choices.stages]
        stage_element: Block = {
            "type": "static_select",
            "action_id": "stage",
            "options": stages,
            "initial_option": next((o for o in stages if o["value"] == choices.stage), stages[0]),
        }
        blocks += [
            _input("version", "Version", chosen),
            _input("stage", "Stage", stage_element),
            _input(
                "reason",
                "Reason",
                {
                    "type": "plain_text_input",
                    "action_id": "reason",
                    "multiline": True,
                    "max_length": 3000,
                },
            ),
            {
                **_input("ticket", "Ticket", {"type": "plain_text_input", "action_id": "ticket"}),
                "optional": True,
            },
        ]
    elif choices.model is not None:
        blocks.append(section(form_words.NO_VERSIONS))
    view: Block = {
        "type": "modal",
        "callback_id": "promote_form",
        "title": plain("Promote"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps({"channel": choices.channel, "model": choices.model}),
        "blocks": blocks,
    }
    if choices.versions:
        view["submit"] = plain("Ask")
    return view


def sentence_modal(sentence: str) -> Block:
    """A modal that can only be read, whatever was clicked."""
    return {
        "type": "modal",
        "title": plain("Foureyes"),
        "close": plain("Close"),
        "blocks": [section(folded(sentence, DETAIL))],
    }


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}

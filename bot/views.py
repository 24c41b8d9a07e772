"""Values to Block Kit, pure. Whatever a person or MLflow supplied is plain text, never markup."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot import messages
from bot.mrkdwn import escaped, folded, folded_lines, moment, visible
from governance.domain.approval import Quorum, Verdict
from governance.domain.comparison import compare
from governance.domain.errors import Refused
from governance.domain.identity import Roster
from governance.domain.policy import ModelPolicy
from governance.domain.promotion import TAKES_VOTES, Request
from governance.use_cases.roll_back import Offer

Block = dict[str, object]
_SECTION = 2400
_DETAIL = 2900
_HEADER = 140
_BUTTON_VALUE = 2000
_OPTION_VALUE = 150
_VERDICT_TITLES = {
    Verdict.REJECT: ("Reject", "Why?", "The requester reads this, and it ends the request."),
    Verdict.ASK_FOR_CHANGES: ("Ask for changes", "What is missing?", "The request stays open."),
}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A message: its blocks, and the text for notifications and screen readers (mrkdwn)."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a request's message is drawn from."""

    request: Request
    quorum: Quorum
    policy: ModelPolicy | None
    roster: Roster


def request_message(shown: Shown) -> Drawn:
    """The request in the channel and in direct messages; buttons while it takes votes."""
    request = shown.request
    title = messages.request_title(request)
    state = messages.request_state(request, shown.quorum)
    checks = [messages.check_line(c) for c in request.checks] or ["No automated checks."]
    seats = messages.seat_lines(shown.quorum, shown.roster) or ["No approval is needed."]
    blocks: list[Block] = [
        {"type": "header", "text": _plain(folded(visible(title), _HEADER))},
        _section(state),
        _section(f"Reason: {request.reason}"),
        _section(f"{_against(request)}\n{_changes(shown, _SECTION - 200)}"),
        _section("Checks\n" + folded_lines(checks, _SECTION, "Details")),
        _section("Approvals\n" + folded_lines(seats, 1000, "Details")),
    ]
    warnings = messages.warning_lines(request)
    if warnings:
        blocks.append(_section("\n".join(warnings)))
    blocks.append(_context(shown))
    if request.state in TAKES_VOTES:
        blocks.append(_buttons(request))
    text = f"{escaped(folded(title, 300))}: {escaped(folded(state, 1000))}"
    return Drawn(text=text, blocks=blocks)


def _against(request: Request) -> str:
    if request.champion is None:
        return "Nothing is in Production to compare with"
    return f"What changed against v{request.champion.version} in Production"


def _change_lines(shown: Shown) -> list[str]:
    request = shown.request
    threshold = shown.policy.decision_threshold if shown.policy else None
    if request.champion is None:
        return messages.first_version_lines(request.snapshot, threshold)
    tags = shown.policy.named(request.target).tags if shown.policy else frozenset[str]()
    found = compare(request.champion, request.snapshot, tags=tags, threshold=threshold)
    return messages.change_lines(found, request.champion, request.snapshot, threshold)


def _changes(shown: Shown, limit: int) -> str:
    return folded_lines(_change_lines(shown), limit, "Details")


def _context(shown: Shown) -> Block:
    request = shown.request
    who = escaped(shown.roster.name_of(request.requester))
    ticket = f" · ticket {escaped(request.ticket)}" if request.ticket else ""
    return {
        "type": "context",
        "elements": [
            {
                "type": "mrkdwn",
                "text": f"Asked by {who}{ticket} · request {request.id} · expires "
                f"{moment(request.expires_at)}",
            }
        ],
    }


def button_value(request: Request) -> str:
    """What a button carries: which request, and which drawing of it. Never trusted further."""
    return json.dumps({"request": request.id, "drawing": request.drawing})


def _buttons(request: Request) -> Block:
    value = button_value(request)

    def button(label: str, action: str, style: str | None = None) -> Block:
        made: Block = {
            "type": "button",
            "text": _plain(label),
            "action_id": action,
            "value": value,
        }
        return {**made, "style": style} if style else made

    return {
        "type": "actions",
        "block_id": "decide",
        "elements": [
            button("Approve", "approve", "primary"),
            button("Reject", "reject", "danger"),
            button("Ask for changes", "ask_for_changes"),
            button("Details", "details"),
            {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    _option("Withdraw my vote", f"withdraw_vote {request.id}"),
                    _option("Withdraw this request", f"withdraw_request {request.id}"),
                ],
            },
        ],
    }


def comment_modal(verdict: Verdict, value: str, channel: str) -> Block:
    """Asks why; the comment is required."""
    title, label, hint = _VERDICT_TITLES[verdict]
    return {
        "type": "modal",
        "callback_id": "decision",
        "title": _plain(title),
        "submit": _plain(title),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps(
            {**json.loads(value), "verdict": verdict.value, "channel": channel}
        ),
        "blocks": [
            {
                "type": "input",
                "block_id": "comment",
                "label": _plain(label),
                "hint": _plain(hint),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "comment",
                    "multiline": True,
                    "max_length": 3000,
                },
            }
        ],
    }


def details_modal(shown: Shown) -> Block:
    """Everything that the message folds, within the limits of a modal."""
    request = shown.request
    content = request.content
    sections: list[tuple[str, list[str]]] = [
        ("Reason", [request.reason]),
        (_against(request), _change_lines(shown)),
        ("Checks", [messages.check_line(c) for c in request.checks]),
        ("Approvals", messages.seat_lines(shown.quorum, shown.roster)),
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
            blocks.extend(_section(chunk) for chunk in _chunks(heading, lines))
    return {
        "type": "modal",
        "title": _plain("Details"),
        "close": _plain("Close"),
        "blocks": blocks[:99],
    }


def _chunks(heading: str, lines: Sequence[str]) -> list[str]:
    """Lines in portions that fit a section; after ten portions the record has the rest."""
    portions: list[str] = []
    current = heading
    for number, line in enumerate(lines):
        shown = folded(line, _DETAIL - 100)
        if len(current) + len(shown) + 1 > _DETAIL:
            portions.append(current)
            current = f"{heading} (continued)"
        if len(portions) == 10:
            return [*portions, f"… and {len(lines) - number} more in the record"]
        current += f"\n{shown}"
    return [*portions, current]


def loading_modal() -> Block:
    """Opened at once, because a trigger lasts three seconds."""
    return {
        "type": "modal",
        "title": _plain("Promote"),
        "close": _plain("Cancel"),
        "blocks": [_section("Asking MLflow for models and versions…")],
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


def promote_modal(choices: Choices) -> Block:
    """The promotion form; choosing a model loads its versions."""
    # An option's value holds 150 characters: a longer name is typed after the command instead.
    short = [name for name in choices.models if len(name) <= _OPTION_VALUE]
    models = [_option(name, name) for name in short[:100]]
    model: Block = {
        "type": "static_select",
        "action_id": "promote_model",
        "placeholder": _plain("Model"),
        "options": models,
    }
    if choices.model in short:
        model["initial_option"] = _option(choices.model, choices.model)
    blocks: list[Block] = [
        {"type": "actions", "block_id": "model", "elements": [model]},
    ]
    if choices.versions:
        versions = [_option(text, str(number)) for number, text in choices.versions[:100]]
        chosen: Block = {
            "type": "static_select",
            "action_id": "version",
            "placeholder": _plain("Version"),
            "options": versions,
        }
        for number, text in choices.versions[:100]:
            if number == choices.version:
                chosen["initial_option"] = _option(text, str(number))
        stages = [_option("Next stage that policy allows", "next")]
        stages += [_option(stage, stage) for stage in choices.stages]
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
        blocks.append(_section("MLflow has no version of this model."))
    view: Block = {
        "type": "modal",
        "callback_id": "promote_form",
        "title": _plain("Promote"),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps({"channel": choices.channel, "model": choices.model}),
        "blocks": blocks,
    }
    if choices.versions:
        view["submit"] = _plain("Ask")
    return view


def sentence_modal(sentence: str) -> Block:
    """A modal that can only be read."""
    return {
        "type": "modal",
        "title": _plain("Promote"),
        "close": _plain("Close"),
        "blocks": [_section(folded(sentence, _DETAIL))],
    }


def offer_message(offer: Offer, offered_at: str, reason: str) -> Drawn:
    """The target and one button, or what there is instead."""
    text = messages.offer_text(offer)
    blocks: list[Block] = [_section(text)]
    if offer.target is not None:
        value = json.dumps(
            {
                "model": offer.model,
                "from": offer.current,
                "to": offer.target,
                "at": offered_at,
                "why": reason,
            },
            ensure_ascii=False,
        )
        if len(value) > _BUTTON_VALUE:
            raise Refused(
                "text_too_long",
                "The reason is too long for the button. Shorten it, or link to the rest.",
            )
        blocks.append(
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": _plain(f"Roll back v{offer.current} → v{offer.target}"),
                        "style": "danger",
                        "action_id": "roll_back",
                        "value": value,
                    }
                ],
            }
        )
    else:
        eligible = [f"/promote {offer.model} {v}" for v, _why in offer.options.reasons]
        if eligible:
            blocks.append(_section("To promote one of them: " + ", ".join(eligible[:10])))
    return Drawn(text=escaped(text), blocks=blocks)


def sentence(text: str, mentions: Mapping[str, str] | None = None) -> Drawn:
    """One sentence; `mentions` are Slack ids of people.yaml who are pinged in front of it."""
    shown = escaped(folded(text, _DETAIL))
    pinged = " ".join(f"<@{account}>" for account in (mentions or {}))
    blocks: list[Block] = []
    if pinged:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": pinged}})
    blocks.append(_section(folded(text, _DETAIL)))
    return Drawn(text=f"{pinged} {shown}".strip(), blocks=blocks)


def text_blocks(text: str) -> Drawn:
    """Several lines of plain text, in as many sections as they need."""
    lines = text.splitlines() or [""]
    chunks = _chunks(lines[0], lines[1:]) if len(lines) > 1 else [folded(lines[0], _DETAIL)]
    kept = chunks[:4]
    return Drawn(text=escaped(folded(text, 3000)), blocks=[_section(c) for c in kept])


def _section(text: str) -> Block:
    return {"type": "section", "text": _plain(folded(visible(text), 3000))}


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": _plain(label), "element": element}


def _option(text: str, value: str) -> Block:
    shown = visible(text)
    return {"text": _plain(shown if len(shown) <= 75 else shown[:74] + "…"), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}

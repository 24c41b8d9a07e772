"""Breaking glass as people meet it, pure: the button, what it means, and its review."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.block_kit import DETAIL, Block, option, plain, section
from bot.messages import glass_words
from bot.messages.request_words import seat_lines
from bot.mrkdwn import escaped, folded, folded_lines, moment, one_line, visible
from bot.views import Drawn, sentence
from governance.domain.approval import Quorum
from governance.domain.break_glass import Bypass
from governance.domain.identity import PersonId, Roster
from governance.domain.review import Review
from governance.use_cases.break_glass import Plan

_HEADER = 140
_SKIPPED = 1500
_REASON = 1500
_MARKS = 150
_PINGED = 50


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody would break glass for, as a button carries it. Never trusted further."""

    bypass: Bypass
    model: str
    version: int | None
    """None: the last known good one."""
    downgrade: bool = False

    def to_value(self) -> str:
        """The button's value."""
        return json.dumps(
            {
                "what": self.bypass.value,
                "model": self.model,
                "version": self.version,
                "downgrade": self.downgrade,
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True, kw_only=True)
class ShownReview:
    """What a review's message is drawn from."""

    review: Review
    quorum: Quorum
    roster: Roster
    pinged: tuple[PersonId, ...]
    """Everyone who was skipped, and who is on call; nobody in a direct message."""
    still_there: bool
    """Whether what was done is what MLflow shows, by the record."""


def refusal_with_glass(said: str, wanted: Wanted | None) -> Drawn:
    """A refusal; for a person whose role may, with the way past it."""
    drawn = sentence(said)
    if wanted is None:
        return drawn
    button: Block = {
        "type": "button",
        "text": plain(glass_words.BUTTON),
        "style": "danger",
        "action_id": "break_glass",
        "value": wanted.to_value(),
    }
    return Drawn(text=drawn.text, blocks=[*drawn.blocks, {"type": "actions", "elements": [button]}])


def glass_loading_modal() -> Block:
    """Opened at once, because a trigger lasts three seconds."""
    return {
        "type": "modal",
        "title": plain("Break glass"),
        "close": plain("Cancel"),
        "blocks": [section(glass_words.LOADING)],
    }


def glass_sentence_modal(said: str) -> Block:
    """Why there is nothing to confirm."""
    return {
        "type": "modal",
        "title": plain("Break glass"),
        "close": plain("Close"),
        "blocks": [section(folded(said, DETAIL))],
    }


def glass_modal(plan: Plan, roster: Roster, *, downgrade: bool, channel: str) -> Block:
    """What it means, in plain words; reason, incident and an explicit yes."""
    happens, skipped, told = glass_words.plan_lines(plan, roster)
    about = {
        "what": plan.bypass.value,
        "model": plan.model,
        "version": plan.version,
        "from": plan.from_version,
        "request": plan.request_id,
        "downgrade": downgrade,
        "channel": channel,
        # The first so many: whatever else is skipped then, is too much, and refused.
        "marks": sorted(plan.skipped.marks)[:_MARKS],
    }
    due = f"Review due {moment(plan.due_at)}. {escaped(glass_words.overdue_then())}"
    confirm: Block = {
        "type": "checkboxes",
        "action_id": "confirm",
        "options": [option(glass_words.CONFIRM, "yes")],
    }
    return {
        "type": "modal",
        "callback_id": "break_glass",
        "title": plain("Break glass"),
        "submit": plain("Break glass"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps(about, ensure_ascii=False),
        "blocks": [
            section(f"⚠️ {happens}"),
            section(folded_lines(skipped.splitlines(), _SKIPPED, "the record")),
            section(folded(told, _REASON)),
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "verbatim": True, "text": due}],
            },
            _text_input("reason", "Reason", glass_words.REASON_HINT, 3000, multiline=True),
            _text_input("incident", "Incident", glass_words.INCIDENT_HINT, 200, multiline=False),
            {
                "type": "input",
                "block_id": "confirm",
                "label": plain("Are you sure?"),
                "hint": plain(glass_words.CONFIRM_HINT),
                "element": confirm,
            },
        ],
    }


def demand_modal(review_id: str, channel: str) -> Block:
    """Asks why it has to go back; required."""
    return {
        "type": "modal",
        "callback_id": "demand_rollback",
        "title": plain("Demand rollback"),
        "submit": plain("Demand"),
        "close": plain("Cancel"),
        "private_metadata": json.dumps({"review": review_id, "channel": channel}),
        "blocks": [
            _text_input("comment", "Why?", glass_words.DEMAND_HINT, 3000, multiline=True),
        ],
    }


def review_message(shown: ShownReview) -> Drawn:
    """The break-glass and where its review stands; drawn again with each step."""
    review, roster = shown.review, shown.roster
    title = glass_words.title(review)
    accounts = _accounts(shown) if review.is_open else []
    pinged = " ".join(f"<@{account}>" for account in accounts[:_PINGED])
    if len(accounts) > _PINGED:
        pinged += f" {escaped(glass_words.more_told(len(accounts) - _PINGED))}"
    blocks: list[Block] = [{"type": "header", "text": plain(folded(visible(title), _HEADER))}]
    if pinged:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": pinged}})
    missing = tuple(str(role) for role in shown.quorum.missing)
    stands = glass_words.standing(review, missing, roster, still_there=shown.still_there)
    blocks += [
        section(glass_words.done(review, roster)),
        section(f"Reason: {folded(review.glass.reason, _REASON)}"),
        section(
            "Skipped\n" + folded_lines(list(review.glass.skipped.lines), _SKIPPED, "the record")
        ),
        section("Review\n" + folded_lines(seat_lines(shown.quorum, roster), 1000, "the record")),
        section(folded(stands, _REASON)),
        _context(review),
    ]
    buttons = review_buttons(review, still_there=shown.still_there)
    if buttons:
        blocks.append({"type": "actions", "block_id": "review", "elements": buttons})
    text = f"{pinged} {escaped(folded(f'{title}. {stands}', 1500))}".strip()
    return Drawn(text=text, blocks=blocks)


def _accounts(shown: ShownReview) -> list[str]:
    people = (shown.roster.people.get(p) for p in shown.pinged)
    return [str(account) for p in people if p for account in sorted(p.slack)[:1]]


def _context(review: Review) -> Block:
    parts = [
        f"Incident {escaped(one_line(review.glass.incident))}",
        f"broken {moment(review.glass.at)}",
        f"review due {moment(review.due_at)}",
        f"review {review.id}",
    ]
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "verbatim": True, "text": " · ".join(parts)}],
    }


def review_buttons(review: Review, *, still_there: bool) -> list[Block]:
    """What can be done about a review as it stands, wherever it is shown."""

    def button(label: str, action: str, style: str) -> Block:
        return {
            "type": "button",
            "text": plain(label),
            "action_id": action,
            "style": style,
            "value": review.id,
        }

    if review.is_open:
        return [
            button("Accept", "accept_review", "primary"),
            button("Demand rollback", "demand_rollback", "danger"),
        ]
    if review.demand is not None and review.back_to is not None and still_there:
        label = f"Roll back v{review.version} → v{review.back_to}"
        return [button(label, "roll_back_demanded", "danger")]
    return []


def _text_input(block: str, label: str, hint: str, most: int, *, multiline: bool) -> Block:
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "hint": plain(hint),
        "element": {
            "type": "plain_text_input",
            "action_id": block,
            "multiline": multiline,
            "max_length": most,
        },
    }

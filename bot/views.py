"""Values to Block Kit, pure. Whatever a person or MLflow supplied is plain text, never markup."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.block_kit import DETAIL, SECTION_LIMIT, Block, chunks, option, plain, section
from bot.messages import answer_words, away_words, request_words
from bot.messages.comparison_words import comparison_lines, first_version_lines
from bot.messages.glass_words import BUTTON, past_policy
from bot.mrkdwn import escaped, folded, folded_lines, moment, one_line, visible
from governance.domain.absence import Absence
from governance.domain.approval import Decision, Quorum
from governance.domain.errors import Refused
from governance.domain.evidence import Snapshot, Stage
from governance.domain.identity import Roster
from governance.domain.policy import ModelPolicy
from governance.domain.promotion import TAKES_VOTES, Request
from governance.ports import SentPicture
from governance.use_cases.roll_back import Offer
from governance.use_cases.rounds import Answered
from governance.use_cases.sides import compared, side_of

_SECTION = 2000
_STATE = 1500
_WARNINGS = 1500
_ROUNDS = 700
_HEADER = 140
_BUTTON_VALUE = 2000
_PARTS = 3
"""Sections of one long answer: a message holds about 13,200 characters."""


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
    asked: Sequence[Decision] = ()
    """Who asked for changes and was not answered yet."""
    answered: Sequence[Answered] = ()
    """What was asked before, with its answers."""
    away: Sequence[Absence] = ()
    """Of those whose role the request needs."""


def request_message(shown: Shown, picture: Block | None = None) -> Drawn:
    """The request in the channel and in direct messages; buttons while it takes votes. `picture`
    is an image block, or None while Slack has none."""
    request = shown.request
    title = request_words.request_title(request)
    state = request_words.request_state(request, shown.quorum)
    checks = [request_words.check_line(c) for c in request.checks] or [request_words.NO_CHECKS]
    seats = request_words.seat_lines(shown.quorum, shown.roster) or [request_words.NO_SEATS]
    seats += [f"🏖️ {away_words.away_line(absence, shown.roster)}" for absence in shown.away]
    blocks: list[Block] = [
        {"type": "header", "text": plain(folded(visible(title), _HEADER))},
        section(folded(state, _STATE, "Details")),
        section(f"Reason: {request.reason}"),
        section(f"{against(request)}\n{_changes(shown, _SECTION - 200)}"),
        *([picture] if picture else []),
        section("Checks\n" + folded_lines(checks, _SECTION, "Details")),
        section("Approvals\n" + folded_lines(seats, 1000, "Details")),
    ]
    rounds = request_words.round_lines(request, shown.asked, shown.answered, shown.roster)
    if rounds:
        blocks.append(section("Changes\n" + folded_lines(rounds, _ROUNDS, "Details")))
    warnings = request_words.warning_lines(request)
    if request.glass is not None:
        warnings.insert(0, past_policy(request.glass, shown.roster))
    if warnings:
        blocks.append(section(folded_lines(warnings, _WARNINGS, "Details")))
    blocks += commit_links(shown.policy, request.champion, request.snapshot)
    blocks.append(_context(shown))
    if request.state in TAKES_VOTES:
        blocks += [_answer_button(request)] if shown.asked else []
        blocks.append(_buttons(shown))
    text = f"{escaped(folded(title, 300))}: {escaped(folded(state, 1000))}"
    return Drawn(text=text, blocks=blocks)


def reminder_message(shown: Shown, *, is_what_was_shown: bool = True) -> Drawn:
    """A reminder in a direct message, with the buttons while the request takes votes, a seat is
    missing and the request is what it was when they were reminded; then how it ended, or that it
    changed: a vote binds what was shown, and a reminder does not show what changed."""
    request = shown.request
    if request.state not in TAKES_VOTES or not shown.quorum.missing:
        state = request_words.request_state(request, shown.quorum)
        return sentence(f"{request_words.request_title(request)}: {state}")
    if not is_what_was_shown:
        return sentence(request_words.reminded_of_something_else(request))
    said = sentence(request_words.reminded(request, shown.quorum, shown.roster))
    expires = f"Expires {moment(request.expires_at)} · request {request.id}"
    context: Block = {
        "type": "context",
        "elements": [{"type": "mrkdwn", "verbatim": True, "text": expires}],
    }
    text = f"{said.text} Expires {moment(request.expires_at)}."
    return Drawn(text=text, blocks=[*said.blocks, context, _buttons(shown)])


def against(request: Request) -> str:
    """The heading of what a request would change."""
    return request_words.against(request)


def change_lines(shown: Shown) -> list[str]:
    """What the request would change, for the message and for its details."""
    request, policy = shown.request, shown.policy
    threshold = policy.decision_threshold if policy else None
    after = side_of(request.snapshot, request.content, policy, shown.roster)
    if request.champion is None:
        return first_version_lines(after, threshold)
    before = side_of(request.champion, request.champion_content, policy, shown.roster)
    found = compared(before, after, policy)
    return comparison_lines(found, request.champion, request.snapshot, threshold)


def _changes(shown: Shown, limit: int) -> str:
    return folded_lines(change_lines(shown), limit, "Details")


def _context(shown: Shown) -> Block:
    request = shown.request
    who = escaped(shown.roster.name_of(request.requester))
    ticket = f" · ticket {escaped(one_line(request.ticket))}" if request.ticket else ""
    expires = f" · expires {moment(request.expires_at)}" if request.is_open else ""
    return {
        "type": "context",
        "elements": [
            {
                "type": "mrkdwn",
                "verbatim": True,
                "text": f"Asked by {who}{ticket} · request {request.id}{expires}",
            }
        ],
    }


def button_value(request: Request) -> str:
    """What a button carries: which request, and which drawing of it. Never trusted further."""
    return json.dumps({"request": request.id, "drawing": request.drawing})


def _answer_button(request: Request) -> Block:
    """For the requester; whoever else clicks it is told so."""
    button: Block = {
        "type": "button",
        "text": plain("Answer"),
        "action_id": "answer",
        "value": button_value(request),
    }
    return {"type": "actions", "block_id": "answer", "elements": [button]}


def changes_asked_message(request: Request, text: str) -> Drawn:
    """To the requester: what is asked, and the button to answer."""
    said = sentence(text)
    return Drawn(text=said.text, blocks=[*said.blocks, _answer_button(request)])


def changes_answered_message(shown: Shown, text: str) -> Drawn:
    """To whoever asked for changes: the answer, and the buttons while the request takes votes."""
    said = sentence(text)
    buttons = [_buttons(shown)] if shown.request.state in TAKES_VOTES else []
    return Drawn(text=said.text, blocks=[*said.blocks, *buttons])


def _buttons(shown: Shown) -> Block:
    request = shown.request
    menu = [
        option("Withdraw my vote", f"withdraw_vote {request.id}"),
        option("Withdraw this request", f"withdraw_request {request.id}"),
    ]
    glass = shown.policy.break_glass if shown.policy else None
    if glass is not None and request.target is Stage.PRODUCTION:
        menu.append(option(BUTTON, f"break_glass {request.id}"))
    return decision_buttons(request, "decide", menu)


def decision_buttons(request: Request, block_id: str, menu: Sequence[Block]) -> Block:
    """The buttons of a request, wherever it is shown; `menu` are options behind the dots."""
    value = button_value(request)

    def button(label: str, action: str, style: str | None = None) -> Block:
        made: Block = {
            "type": "button",
            "text": plain(label),
            "action_id": action,
            "value": value,
        }
        return {**made, "style": style} if style else made

    elements = [
        button("Approve", "approve", "primary"),
        button("Reject", "reject", "danger"),
        button("Ask for changes", "ask_for_changes"),
        button("Details", "details"),
    ]
    if menu:
        elements.append({"type": "overflow", "action_id": "more", "options": list(menu)})
    return {"type": "actions", "block_id": block_id, "elements": elements}


def offer_message(offer: Offer, offered_at: str, reason: str, owners: Sequence[str] = ()) -> Drawn:
    """The target and one button; or what there is instead, and whom to ask (`owners`, by name)."""
    text = answer_words.offer_text(offer)
    blocks: list[Block] = [section(text)]
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
                        "text": plain(f"Roll back v{offer.current} → v{offer.target}"),
                        "style": "danger",
                        "action_id": "roll_back",
                        "value": value,
                    }
                ],
            }
        )
    else:
        known = offer.options.never_approved[:10]
        if known:
            blocks.append(section(answer_words.others_to_promote(offer.model, known)))
        blocks.append(section(folded(answer_words.owners_decide(owners), DETAIL)))
    return Drawn(text=escaped(text), blocks=blocks)


def image_block(picture: SentPicture) -> Block:
    """A picture that Slack has."""
    return {
        "type": "image",
        "slack_file": {"id": picture.file_id},
        "alt_text": picture.alt_text,
    }


def picture_message(picture: SentPicture) -> Drawn:
    """A picture by itself, after the words that it belongs to; its own words for who hears it."""
    return Drawn(text=escaped(folded(picture.alt_text, 1000)), blocks=[image_block(picture)])


def sentence(text: str, mentions: Mapping[str, str] | None = None) -> Drawn:
    """One sentence; `mentions` are Slack ids of people.yaml who are pinged in front of it."""
    shown = escaped(folded(text, DETAIL))
    pinged = " ".join(f"<@{account}>" for account in (mentions or {}))
    blocks: list[Block] = []
    if pinged:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": pinged}})
    blocks.append(section(folded(text, DETAIL)))
    return Drawn(text=f"{pinged} {shown}".strip(), blocks=blocks)


def with_what_was_written(drawn: Drawn, words: str) -> Drawn:
    """An answer that nothing was done, and below it what somebody wrote into the form: that is
    gone, and they can copy it from here. Letter by letter, as only they read it: a joiner that is
    shown as `\\u200d` would be another word."""
    pieces = [words[at : at + SECTION_LIMIT] for at in range(0, len(words), SECTION_LIMIT)]
    written: list[Block] = [section(answer_words.YOU_WROTE)]
    written += [{"type": "section", "text": plain(piece)} for piece in pieces]
    return Drawn(text=drawn.text, blocks=[*drawn.blocks, *written])


def text_blocks(text: str) -> Drawn:
    """Several lines of plain text, in as many sections as they need."""
    lines = text.splitlines() or [""]
    parts = chunks(lines[0], lines[1:], most=_PARTS) if lines[1:] else [folded(lines[0], DETAIL)]
    return Drawn(text=escaped(folded(text, 3000)), blocks=[section(c) for c in parts])


def commit_links(
    policy: ModelPolicy | None, before: Snapshot | None, after: Snapshot
) -> list[Block]:
    """Where the code of both sides can be looked at; nothing without a repository."""
    links = []
    for snapshot in (before, after):
        if policy is None or snapshot is None:
            continue
        address = policy.commit_address(snapshot.git_commit)
        if address is not None:
            links.append(f"<{escaped(address)}|v{snapshot.version} {snapshot.git_commit[:8]}>")
    if not links:
        return []
    text = f"Code: {' · '.join(links)}"
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}]

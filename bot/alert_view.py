"""An alert as a message, pure: what was seen, what was done, and what to do next."""

from __future__ import annotations

import json

from bot.block_kit import Block, plain, section
from bot.messages.alert_words import alert_title, what_was_done
from bot.mrkdwn import escaped, folded, moment, visible
from bot.views import Drawn
from governance.domain.identity import Roster
from governance.domain.monitoring.alert import Alert, Outcome
from governance.domain.policy import ModelPolicy

_HEADER = 140


def alert_message(
    alert: Alert,
    policy: ModelPolicy | None,
    roster: Roster,
    *,
    picture: Block | None,
    may_go_back: bool = True,
) -> Drawn:
    """The alert as it stands; drawn again with each step. `picture` is an image block, or None
    where Slack did not take one; `may_go_back` is False where the record knows no version to go
    back to."""
    title = alert_title(alert)
    pinged = "" if alert.acknowledged_by else " ".join(_on_call(policy, roster))
    blocks: list[Block] = [{"type": "header", "text": plain(folded(visible(title), _HEADER))}]
    if pinged:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": pinged}})
    blocks.append(section(alert.sentence))
    if picture is not None:
        blocks.append(picture)
    blocks.append(section(what_was_done(alert)))
    blocks.append(_context(alert, roster))
    buttons = alert_buttons(alert, may_roll_back=may_go_back)
    if buttons:
        blocks.append({"type": "actions", "block_id": "alert", "elements": buttons})
    text = f"{pinged} {escaped(folded(f'{title}: {alert.sentence}', 1500))}".strip()
    return Drawn(text=text, blocks=blocks)


def _on_call(policy: ModelPolicy | None, roster: Roster) -> list[str]:
    people = [roster.people.get(p) for p in policy.on_call] if policy else []
    return [f"<@{account}>" for p in people if p for account in sorted(p.slack)[:1]]


def _context(alert: Alert, roster: Roster) -> Block:
    parts = [f"Monitor {escaped(alert.monitor)}", f"alert {alert.id}", moment(alert.raised_at)]
    if alert.acknowledged_by is not None:
        parts.append(f"acknowledged by {escaped(roster.name_of(alert.acknowledged_by))}")
    if alert.closed_at is not None:
        parts.append(f"over {moment(alert.closed_at)}")
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "verbatim": True, "text": " · ".join(parts)}],
    }


def alert_buttons(alert: Alert, *, may_roll_back: bool = True) -> list[Block]:
    """The buttons of an alert, wherever it is shown. In a channel nobody knows who will click, so
    rolling back is offered; whoever may not is told so."""
    value = json.dumps(
        {"alert": alert.id, "model": alert.model, "version": alert.version}, ensure_ascii=False
    )

    def button(label: str, action: str, style: str | None = None) -> Block:
        made: Block = {
            "type": "button",
            "text": plain(label),
            "action_id": action,
            "value": value,
        }
        return {**made, "style": style} if style else made

    found: list[Block] = []
    if alert.is_open and alert.acknowledged_by is None:
        found.append(button("Acknowledge", "acknowledge", "primary"))
    offered = alert.outcome in (Outcome.ONLY_ALERTED, Outcome.LIMITED) and may_roll_back
    if alert.is_open and offered:
        found.append(button("Roll back …", "offer_rollback", "danger"))
    found.append(button("Open the record", "open_record"))
    if alert.outcome is Outcome.ROLLED_BACK:
        found.append(button("Ask to promote again", "promote_again"))
    return found

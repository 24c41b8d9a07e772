"""A person's Home as a view, pure. At most 100 blocks: what is longer is folded, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.alert_view import alert_buttons
from bot.block_kit import Block, marked, option, plain, section
from bot.glass_view import review_buttons
from bot.messages import home_words as words
from bot.mlflow_ui import MlflowUi
from bot.views import button_value, decision_buttons
from governance.domain.identity import Roster
from governance.use_cases.home import Asked, DueReview, Home, OpenAlert, OwnedModel, Waiting

_WAITING = 16
"""Two blocks each."""
_REVIEWS = 3
"""Two blocks each."""
_ALERTS = 8
"""Two blocks each."""
_ASKED = 12
_MODELS = 15

Item = TypeVar("Item")


def home_view(home: Home, roster: Roster, ui: MlflowUi | None = None) -> Block:
    """What waits first, then what is wrong, then the rest."""
    waiting = _part(words.WAITING, home.waiting, _WAITING, lambda w: _waiting(w, roster))
    to_review = any(not review.is_own for review in home.reviews)
    nothing = [] if to_review else [_header(words.WAITING, None), section(words.NOTHING_WAITS)]
    blocks: list[Block] = [
        *(waiting or nothing),
        *_part(words.REVIEWS, home.reviews, _REVIEWS, lambda r: _review(r, roster)),
        *_part(words.ALERTS, home.alerts, _ALERTS, _alert),
        *_part(words.ASKED, home.asked, _ASKED, lambda a: [_asked(a, roster)]),
        *_part(words.MODELS, home.models, _MODELS, lambda m: [_model(m, ui)]),
    ]
    if home.lately:
        lines = [words.lately_line(happened, roster) for happened in home.lately]
        blocks += [_header(words.LATELY, None), *(marked(text) for text in _portions(lines))]
    footer: Block = {"type": "context", "elements": [plain(words.FOOTER)]}
    return {"type": "home", "blocks": [*blocks, footer]}


def sentence_home(sentence: str) -> Block:
    """Home for somebody who can do nothing here."""
    return {"type": "home", "blocks": [section(sentence)]}


def _part(
    title: str, items: Sequence[Item], most: int, draw: Callable[[Item], list[Block]]
) -> list[Block]:
    if not items:
        return []
    blocks = [_header(title, len(items))]
    for item in items[:most]:
        blocks += draw(item)
    if len(items) > most:
        blocks.append(section(words.and_more(len(items) - most, words.FOLDED[title])))
    return blocks


def _header(title: str, count: int | None) -> Block:
    return {"type": "header", "text": plain(title if not count else f"{title} · {count}")}


def _waiting(waiting: Waiting, roster: Roster) -> list[Block]:
    request = waiting.request
    menu = [option("Withdraw my vote", f"withdraw_vote {request.id}")]
    return [
        marked(words.waiting_text(waiting, roster)),
        decision_buttons(request, f"decide {request.id}", menu if waiting.said else []),
    ]


def _review(due: DueReview, roster: Roster) -> list[Block]:
    review = due.review
    drawn = marked(words.review_text(due, roster))
    if due.is_own:
        return [drawn]
    buttons = review_buttons(review, still_there=False)
    return [drawn, {"type": "actions", "block_id": f"review {review.id}", "elements": buttons}]


def _asked(asked: Asked, roster: Roster) -> Block:
    request = asked.request
    drawn = marked(words.asked_text(asked, roster))
    if not request.is_open:
        return {**drawn, "accessory": _details(button_value(request))}
    return {
        **drawn,
        "accessory": {
            "type": "overflow",
            "action_id": "more",
            "options": [option("Withdraw this request", f"withdraw_request {request.id}")],
        },
    }


def _details(value: str) -> Block:
    return {"type": "button", "action_id": "details", "text": plain("Details"), "value": value}


def _model(owned: OwnedModel, ui: MlflowUi | None) -> Block:
    text = words.model_text(owned)
    link = ui.link(owned.model, owned.production) if ui and owned.production else ""
    return marked(f"{text}\n{link}" if link and len(text) + len(link) < _SECTION else text)


def _alert(shown: OpenAlert) -> list[Block]:
    alert = shown.alert
    buttons = alert_buttons(alert, may_roll_back=shown.may_roll_back)
    return [
        marked(words.alert_text(alert)),
        {"type": "actions", "block_id": f"alert {alert.id}", "elements": buttons},
    ]


def _portions(lines: Sequence[str]) -> list[str]:
    """Whole lines in texts of at most 3,000 characters."""
    portions: list[str] = []
    current = ""
    for line in lines:
        if current and len(current) + len(line) + 1 > _SECTION:
            portions.append(current)
            current = ""
        current = f"{current}\n{line}" if current else line
    return [*portions, current]


_SECTION = 2900

"""What a person sees of a message, as plain text, and whom it would ping. Pure: no state."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.sandbox.json_values import (
    Json,
    JsonObject,
    object_of,
    objects_of,
    text_of,
)
from bot.sandbox.messages import Message

_TOKEN = re.compile(r"<([^<>]+)>")
DATE_TOKEN = re.compile(r"!date\^(\d+)\^([^^|]+)(?:\^[^|]*)?\|(.*)", re.DOTALL)

Names = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Pings:
    """Whom a text notifies: user ids, user group ids, and whether a whole channel."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    channel_wide: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups or self.channel_wide)


def pings(text: str) -> Pings:
    """Whom a mrkdwn text notifies; escaped text notifies nobody."""
    inner = [token.partition("|")[0] for token in _TOKEN.findall(text)]
    return Pings(
        users=frozenset(token[1:] for token in inner if token.startswith("@")),
        groups=frozenset(t.removeprefix("!subteam^") for t in inner if t.startswith("!subteam^")),
        channel_wide=frozenset(
            token[1:] for token in inner if token in ("!channel", "!here", "!everyone")
        ),
    )


def message_pings(message: Message) -> Pings:
    """Whom a message notifies through its text or any mrkdwn object in its blocks."""
    texts = _mrkdwn_in([*message.blocks])
    if message.is_mrkdwn:
        texts.append(message.text)
    found = [pings(text) for text in texts]
    return Pings(
        users=frozenset().union(*(p.users for p in found)),
        groups=frozenset().union(*(p.groups for p in found)),
        channel_wide=frozenset().union(*(p.channel_wide for p in found)),
    )


def unescape(text: str) -> str:
    """`&lt;`, `&gt;` and `&amp;` as the characters that people see."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def render_mrkdwn(text: str, *, names: Names, tz: str) -> str:
    """A mrkdwn text as plain text: mentions by name, links by label, dates in `tz`.

    Marks for bold, italics and code stay: they are what was written.
    """
    return unescape(_TOKEN.sub(lambda found: _token(found.group(1), names, tz), text))


def render_plain(message: Message, *, names: Names, tz: str) -> str:
    """A message as a person sees it, line by line; buttons as [Label]."""
    if not message.blocks:
        shown = render_mrkdwn(message.text, names=names, tz=tz)
        return shown if message.is_mrkdwn else unescape(message.text)
    return render_blocks(message.blocks, names=names, tz=tz)


def render_blocks(blocks: tuple[JsonObject, ...], *, names: Names, tz: str) -> str:
    """Blocks of a message or a modal, line by line."""
    lines = (_block(block, names, tz) for block in blocks)
    return "\n".join(line for line in lines if line)


def format_date(unix_seconds: int, form: str, *, tz: str) -> str:
    """A `<!date^…>` in one zone. "Today" and its like need a reader's clock: never used here."""
    moment = datetime.fromtimestamp(unix_seconds, tz=UTC).astimezone(ZoneInfo(tz))
    day, hour = moment.day, moment.strftime("%H:%M")
    long_date = f"{moment:%A}, {moment:%B} {day}{_ordinal(day)}, {moment:%Y}"
    spelled = {
        "{date_num}": f"{moment:%Y-%m-%d}",
        "{date}": f"{moment:%B} {day}{_ordinal(day)}, {moment:%Y}",
        "{date_short}": f"{moment:%b} {day}, {moment:%Y}",
        "{date_long}": long_date,
        "{date_pretty}": f"{moment:%B} {day}{_ordinal(day)}, {moment:%Y}",
        "{date_short_pretty}": f"{moment:%b} {day}, {moment:%Y}",
        "{date_long_pretty}": long_date,
        "{time}": hour,
        "{time_secs}": moment.strftime("%H:%M:%S"),
    }
    for token, shown in spelled.items():
        form = form.replace(token, shown)
    return form


def _ordinal(day: int) -> str:
    if day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _token(token: str, names: Names, tz: str) -> str:
    date = DATE_TOKEN.fullmatch(token)
    if date is not None:
        return format_date(int(date.group(1)), date.group(2), tz=tz)
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return f"@{label or names(target[1:])}"
    if target.startswith("#"):
        return f"#{label or names(target[1:])}"
    if target.startswith("!subteam^"):
        return f"@{label.removeprefix('@') or names(target.removeprefix('!subteam^'))}"
    if target.startswith("!"):
        return f"@{target[1:]}"
    return label or target


def _text(source: JsonObject, names: Names, tz: str) -> str:
    text = text_of(source, "text")
    if text_of(source, "type") == "mrkdwn":
        return render_mrkdwn(text, names=names, tz=tz)
    return text


def _block(block: JsonObject, names: Names, tz: str) -> str:
    match text_of(block, "type"):
        case "header":
            return _text(object_of(block, "text"), names, tz)
        case "section":
            parts = [_text(object_of(block, "text"), names, tz)]
            parts += [_text(field, names, tz) for field in objects_of(block, "fields")]
            if "accessory" in block:
                parts.append(_element(object_of(block, "accessory"), names, tz))
            return "\n".join(part for part in parts if part)
        case "divider":
            return "---"
        case "context" | "actions":
            return " ".join(_element(e, names, tz) for e in objects_of(block, "elements"))
        case "image":
            return f"({text_of(block, 'alt_text')})"
        case "input":
            label = text_of(object_of(block, "label"), "text")
            hint = text_of(object_of(block, "hint"), "text")
            shown = _element(object_of(block, "element"), names, tz)
            return f"{label}: {shown}" + (f" ({hint})" if hint else "")
        case _:
            return ""


def _element(element: JsonObject, names: Names, tz: str) -> str:
    match text_of(element, "type"):
        case "plain_text" | "mrkdwn":
            return _text(element, names, tz)
        case "button":
            return f"[{text_of(object_of(element, 'text'), 'text')}]"
        case "image":
            return f"({text_of(element, 'alt_text')})"
        case "plain_text_input":
            return f"[{text_of(element, 'initial_value')}]"
        case _:
            options = objects_of(element, "options")
            labels = [text_of(object_of(option, "text"), "text") for option in options]
            return f"[{' | '.join(labels)}]"


def _mrkdwn_in(value: Json) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _mrkdwn_in(item)]
    if not isinstance(value, dict):
        return []
    own = [text_of(value, "text")] if text_of(value, "type") == "mrkdwn" else []
    return own + [text for item in value.values() for text in _mrkdwn_in(item)]

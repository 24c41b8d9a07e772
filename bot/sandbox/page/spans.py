"""Slack's mrkdwn as spans: what is text, what is a mention, a link, a date or code. Pure.

Whoever draws a span puts its text on the page as text; nothing here is ever markup for a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.sandbox.json_values import Json, JsonObject
from bot.sandbox.rendering import DATE_TOKEN, Names, format_date, unescape


class Kind(StrEnum):
    """What a span is."""

    TEXT = "text"
    LINK = "link"
    MENTION = "mention"
    """Of a person, a user group, or a whole channel: it pings."""
    CHANNEL = "channel"
    DATE = "date"
    CODE = "code"
    BLOCK = "block"
    """Code on lines of its own."""


class Style(StrEnum):
    """How a span looks."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"


@dataclass(frozen=True, kw_only=True)
class Span:
    """One piece of a text. `url` is set for a link, and is http or https."""

    kind: Kind
    text: str
    url: str = ""
    styles: frozenset[Style] = field(default=frozenset())

    def to_json(self) -> JsonObject:
        """As the page reads it."""
        made: JsonObject = {"kind": self.kind.value, "text": self.text}
        if self.url:
            made["url"] = self.url
        if self.styles:
            listed: list[Json] = [*sorted(self.styles)]
            made["styles"] = listed
        return made


_HOLE = "\ufffc"
"""Stands for a token while emphasis is looked for (Unicode's object replacement character); one
that was written is a token of its own, so holes and tokens always number the same."""
_TOKEN = re.compile(
    r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>]+)>|(?P<hole>\ufffc)", re.DOTALL
)
_MARKS = {"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRIKE}
_EMPHASIS = re.compile(
    r"(?<![\w*_~])(?P<mark>[*_~])(?=\S)(?P<inner>(?:(?!(?P=mark))[^\n])+)(?<=\S)(?P=mark)(?!\w)"
)
_WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)


def plain(text: str) -> tuple[Span, ...]:
    """A plain text: one span, nothing in it means anything."""
    return (Span(kind=Kind.TEXT, text=text),) if text else ()


def mrkdwn(text: str, *, names: Names, tz: str) -> tuple[Span, ...]:
    """A mrkdwn text in a person's time zone. `names` tells what an id is called."""
    kept: list[Span] = []
    flat: list[str] = []
    end = 0
    for found in _TOKEN.finditer(text):
        flat += (text[end : found.start()], _HOLE)
        kept.append(_special(found, names, tz))
        end = found.end()
    flat.append(text[end:])
    return tuple(_filled(_emphasised("".join(flat), frozenset()), iter(kept)))


def _special(found: re.Match[str], names: Names, tz: str) -> Span:
    if (block := found["block"]) is not None:
        return Span(kind=Kind.BLOCK, text=unescape(block.strip("\n")))
    if (code := found["code"]) is not None:
        return Span(kind=Kind.CODE, text=unescape(code))
    if found["hole"] is not None:
        return Span(kind=Kind.TEXT, text=_HOLE)
    return _angle(found["angle"], names, tz)


def _angle(token: str, names: Names, tz: str) -> Span:
    date = DATE_TOKEN.fullmatch(token)
    if date is not None:
        return Span(kind=Kind.DATE, text=format_date(int(date.group(1)), date.group(2), tz=tz))
    target, _bar, label = token.partition("|")
    if target.startswith("@"):
        return Span(kind=Kind.MENTION, text=f"@{unescape(label) or names(target[1:])}")
    if target.startswith("#"):
        return Span(kind=Kind.CHANNEL, text=f"#{unescape(label) or names(target[1:])}")
    if target.startswith("!subteam^"):
        group = target.removeprefix("!subteam^")
        return Span(kind=Kind.MENTION, text=f"@{unescape(label).removeprefix('@') or names(group)}")
    if target.startswith("!"):
        return Span(kind=Kind.MENTION, text=f"@{target[1:]}")
    url = unescape(target)
    if _WEB.fullmatch(url) is None:
        return Span(kind=Kind.TEXT, text=unescape(f"<{token}>"))
    return Span(kind=Kind.LINK, text=unescape(label) or url, url=url)


def _emphasised(text: str, styles: frozenset[Style]) -> list[Span]:
    spans: list[Span] = []
    end = 0
    for found in _EMPHASIS.finditer(text):
        if found.start() > end:
            before = text[end : found.start()]
            spans.append(Span(kind=Kind.TEXT, text=before, styles=styles))
        style = _MARKS[found["mark"]]
        spans.extend(_emphasised(found["inner"], styles | {style}))
        end = found.end()
    if end < len(text):
        spans.append(Span(kind=Kind.TEXT, text=text[end:], styles=styles))
    return spans


def _filled(pieces: list[Span], kept: Iterator[Span]) -> Iterator[Span]:
    """The pieces with their tokens back in the holes, in order."""
    for piece in pieces:
        first, *others = piece.text.split(_HOLE)
        if first:
            yield replace(piece, text=unescape(first))
        for after in others:
            yield replace(next(kept), styles=piece.styles)
            if after:
                yield replace(piece, text=unescape(after))

"""Sentences about new versions, as plain text; whoever shows them as mrkdwn escapes them."""

from __future__ import annotations

from bot.messages.endings import ended
from governance.domain.evidence import ModelName, Stage, Version
from governance.use_cases.news import News


def title(news: News) -> str:
    """What is new."""
    if news.newest is not None and news.count == 1:
        return f"New: {news.model} v{news.newest}"
    if news.count == 1:
        return f"New, and not readable: {news.model} v{news.unreadable[0][0]}"
    newest = f", the newest is v{news.newest}" if news.newest is not None else ""
    return f"{news.count} new versions of {news.model}{newest}"


def compared_with(news: News) -> str:
    """What the newest is held against."""
    if news.production is None:
        return f"What v{news.newest} is: nothing is in Production to compare it with"
    if news.production == news.newest:
        return f"What v{news.newest} is: it is in Production already"
    return f"What v{news.newest} would change against v{news.production} in Production"


def checks_title(news: News) -> str:
    """Of the policy's checks."""
    stage = news.target.value if news.target else "the next stage"
    return f"What policy checks for {stage}, as it stood when v{news.newest} was noticed"


def no_checks(why_not: str) -> str:
    """Where none could be made, or policy has none."""
    return why_not or "Policy checks nothing here."


def promote_label(version: Version, target: Stage | None = None) -> str:
    """A button; a form follows."""
    return f"Promote v{version} to {target.value} …" if target else f"Promote v{version} …"


def not_kept(version: Version) -> str:
    """A version whose snapshot is not there; it is only ever kept together with the notice."""
    return f"v{version}: what it looked like was not kept."


def unreadable(model: ModelName, version: Version, why: str) -> str:
    """A version whose run is gone, or whose storage does not answer."""
    return (
        f"v{version} was registered and cannot be read: {ended(why)} If its training was "
        "interrupted, it has to be registered again; once it can be read, "
        f"/promote {model} {version} works."
    )


def older(model: ModelName, count: int) -> str:
    """Versions of a large batch that are only counted."""
    word = "version" if count == 1 else "versions"
    return f"And {count} older {word}, not looked at here: /model {model} OLD NEW compares any two."


def folded_others(model: ModelName, count: int) -> str:
    """Other versions that got no button of their own."""
    return f"And {count} more that can be promoted: /promote {model} VERSION."

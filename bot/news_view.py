"""The announcement of new versions as a message, pure: the newest in full, the others in a line
each, every one with a way to promote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.block_kit import Block, plain, section
from bot.messages import news_words, request_words
from bot.messages.comparison_words import answer, comparison_lines, first_version_lines
from bot.mrkdwn import escaped, folded, folded_lines, one_line, visible
from bot.views import Drawn, commit_links
from governance.domain.evidence import Content, ModelName, Snapshot, Version
from governance.domain.identity import Roster
from governance.domain.policy import ModelPolicy, policy_for
from governance.ports import Rules, Transaction
from governance.use_cases.news import News
from governance.use_cases.sides import compared, side_of

_HEADER = 140
_CHANGES = 1500
_CHECKS = 1200
_LINE = 300
_OTHERS = 10
_BUTTON_VALUE = 2000


@dataclass(frozen=True, kw_only=True)
class ShownNews:
    """What the announcement is drawn from."""

    news: News
    snapshots: Mapping[Version, Snapshot]
    """Of the versions that are named, as they were kept."""
    champion_content: Content | None
    policy: ModelPolicy | None
    roster: Roster

    @property
    def champion(self) -> Snapshot | None:
        """What it is compared with; None where there is nothing else in Production."""
        if self.news.production is None or self.news.production == self.news.newest:
            return None
        return self.snapshots.get(self.news.production)


def shown_news(tx: Transaction, rules: Rules, news: News) -> ShownNews:
    """Read what the announcement names."""
    named = [v for v in (news.newest, news.production, *news.others) if v is not None]
    kept = {v: tx.saved_snapshot(news.model, v) for v in named}
    champion = kept.get(news.production) if news.production is not None else None
    return ShownNews(
        news=news,
        snapshots={v: found[0] for v, found in kept.items() if found is not None},
        champion_content=champion[1] if champion else None,
        policy=policy_for(rules.policies, news.model),
        roster=rules.roster,
    )


def news_message(shown: ShownNews) -> Drawn:
    """One message, however many versions came at once."""
    news = shown.news
    title = news_words.title(news)
    blocks: list[Block] = [{"type": "header", "text": plain(folded(visible(title), _HEADER))}]
    first = ""
    if news.newest is not None:
        lines = _lines(shown, news.newest)
        first = lines[0]
        blocks += _newest(shown, news.newest, lines)
    for version in news.others[:_OTHERS]:
        blocks.append(_other(shown, version))
    rest = []
    if len(news.others) > _OTHERS:
        rest.append(news_words.folded_others(news.model, len(news.others) - _OTHERS))
    rest += [news_words.unreadable(news.model, v, why) for v, why in news.unreadable]
    if news.unread:
        rest.append(news_words.older(news.model, news.unread))
    if rest:
        blocks.append(section(folded_lines(rest, _CHECKS, "MLflow")))
    text = f"{title}. {first}".strip()
    return Drawn(text=escaped(folded(one_line(text), 1000)), blocks=blocks)


def _newest(shown: ShownNews, version: Version, lines: list[str]) -> list[Block]:
    news = shown.news
    where = f"/model {news.model} {news.production} {version}" if shown.champion else "MLflow"
    checks = [request_words.check_line(c) for c in news.checks] or [
        news_words.no_checks(news.why_not)
    ]
    blocks = [
        section(f"{news_words.compared_with(news)}\n{folded_lines(lines, _CHANGES, where)}"),
        section(
            f"{news_words.checks_title(news)}\n"
            + folded_lines(checks, _CHECKS, f"/promote {news.model} {version}")
        ),
    ]
    snapshot = shown.snapshots.get(version)
    if snapshot is not None:
        blocks += commit_links(shown.policy, shown.champion, snapshot)
    label = news_words.promote_label(version, news.target)
    button = _button(news.model, version, label, style="primary")
    return [*blocks, {"type": "actions", "block_id": "news", "elements": [button]}]


def _other(shown: ShownNews, version: Version) -> Block:
    line = folded(one_line(f"v{version}: {_lines(shown, version)[0]}"), _LINE, "MLflow")
    label = news_words.promote_label(version)
    return {**section(line), "accessory": _button(shown.news.model, version, label)}


def _lines(shown: ShownNews, version: Version) -> list[str]:
    """The answer, then what matters most; of a version without a champion, what it is."""
    snapshot, policy = shown.snapshots.get(version), shown.policy
    if snapshot is None:
        return [news_words.not_kept(version)]
    threshold = policy.decision_threshold if policy else None
    after = side_of(snapshot, None, policy, shown.roster)
    champion = shown.champion
    if champion is None:
        return first_version_lines(after, threshold)
    before = side_of(champion, shown.champion_content, policy, shown.roster)
    found = compared(before, after, policy)
    if version != shown.news.newest:
        return [answer(found)]
    return comparison_lines(found, champion, snapshot, threshold)


def _button(model: ModelName, version: Version, label: str, style: str | None = None) -> Block:
    value = json.dumps({"model": model, "version": version}, ensure_ascii=False)
    button: Block = {
        "type": "button",
        "text": plain(label),
        "action_id": "promote_version",
        "value": value if len(value) <= _BUTTON_VALUE else "{}",
    }
    return {**button, "style": style} if style else button

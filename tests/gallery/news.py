"""The smallest and the largest announcement of new versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.news_view import ShownNews
from governance.domain.evidence import Stage, Version
from governance.use_cases.news import News
from tests.builders import MODEL, a_content, a_policy, a_snapshot
from tests.gallery.extremes import LONG, LONG_NAME, Size, request, roster

_NEWEST, _CHAMPION = Version(2**31 - 1), Version(9)


def announcements(size: Size) -> Iterator[tuple[str, ShownNews]]:
    """One version or a batch, with and without something to compare with."""
    if size is Size.SMALLEST:
        yield from _small()
        return
    others = tuple(Version(n) for n in range(119, 100, -1))
    frozen = request(size).snapshot
    news = News(
        model=LONG_NAME,
        newest=_NEWEST,
        production=_CHAMPION,
        target=Stage.PRODUCTION,
        checks=request(size).checks,
        others=others,
        unreadable=tuple((Version(n), LONG) for n in range(50, 70)),
        unread=12345,
    )
    champion = request(size).champion
    assert champion is not None
    shown = ShownNews(
        news=news,
        snapshots={
            _CHAMPION: champion,
            **{v: replace(frozen, version=v) for v in (_NEWEST, *others)},
        },
        champion_content=a_content(9),
        policy=replace(a_policy(), repository=f"https://git.example/{'x' * 200}"),
        roster=roster(size),
    )
    yield "a batch", shown
    yield "a batch without a champion", replace(shown, news=replace(news, production=None))
    yield "nowhere to go", replace(shown, news=replace(news, checks=(), why_not=LONG, target=None))
    yield "none of them readable", replace(shown, news=replace(news, newest=None, others=()))


def _small() -> Iterator[tuple[str, ShownNews]]:
    news = News(model=MODEL, newest=Version(4))
    shown = ShownNews(
        news=news,
        snapshots={Version(4): a_snapshot(4)},
        champion_content=None,
        policy=a_policy(),
        roster=roster(Size.SMALLEST),
    )
    yield "a first version", shown
    yield "nothing kept, no policy any more", replace(shown, snapshots={}, policy=None)
    gone = News(model=MODEL, unreadable=((Version(4), "Its run was deleted."),))
    yield "one whose run is gone", replace(shown, news=gone)

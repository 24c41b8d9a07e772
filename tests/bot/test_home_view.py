"""Home in its smallest and largest form: within Slack's limits, with nothing hidden in silence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from bot.block_kit import Block
from bot.home_view import home_view, sentence_home
from bot.messages import home_words
from bot.sandbox import pings
from bot.sandbox.block_kit import home_problems
from bot.sandbox.json_values import JsonObject
from governance.domain.evidence import ModelName, Version
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.verdict import Verdict as Health
from governance.ports import Drill
from governance.use_cases.home import Home, OwnedModel, Watched
from tests.builders import NOON, a_roster
from tests.gallery.homes import EMPTY, the_largest


def wire(view: Block) -> JsonObject:
    """As it goes over the wire."""
    made: JsonObject = json.loads(json.dumps(view))
    return made


def marked_texts(found: object) -> list[Mapping[str, object]]:
    """Every mrkdwn text in a view."""
    if isinstance(found, Mapping):
        own = [found] if found.get("type") == "mrkdwn" else []
        return [*own, *(t for part in found.values() for t in marked_texts(part))]
    return [t for part in found for t in marked_texts(part)] if isinstance(found, list) else []


def texts(view: Mapping[str, object]) -> str:
    """Everything that is read."""
    return json.dumps(view, ensure_ascii=False)


@pytest.mark.parametrize("made", [lambda: EMPTY, the_largest], ids=["smallest", "largest"])
def test_slack_takes_home_in_every_size(made: Callable[[], Home]) -> None:
    """Slack's hundred blocks and its 250 kB; the rest is judged in the gallery."""
    view = wire(home_view(made(), a_roster()))
    assert home_problems(view) == ()
    assert len(json.dumps(view["blocks"])) < 250_000
    assert isinstance(view["blocks"], list)
    assert len(view["blocks"]) <= 100


def test_what_does_not_fit_is_counted() -> None:
    """In each part: nobody believes that the page is all there is."""
    text = texts(home_view(the_largest(), a_roster()))
    assert "Waiting for you · 200" in text
    for more in ("184 more", "192 more", "188 more", "185 more"):
        assert more in text


def test_nothing_that_a_person_wrote_is_markup() -> None:
    """No ping, no link, no bold that they did not mean to be ours."""
    shown = [str(text["text"]) for text in marked_texts(home_view(the_largest(), a_roster()))]
    assert len(shown) > 50
    for text in shown:
        assert not pings(text)
        for markup in ("<!channel>", "<@U0RAJ>", "<https://evil|Approve>", "\u202e"):
            assert markup not in text


def test_the_worst_monitor_comes_first_and_the_healthy_ones_are_counted() -> None:
    """What is bad is not to be looked for."""
    monitors = tuple(
        Watched(name=name, acts=Action.ALERT, verdict=health, sentence="s.")
        for name, health in (
            ("fine", Health.HEALTHY),
            ("unsure", Health.INCONCLUSIVE),
            ("blind", Health.ERROR),
            ("bad", Health.REGRESSED),
            ("good", Health.HEALTHY),
        )
    )
    owned = OwnedModel(
        model=ModelName("m"),
        production=Version(4),
        since=NOON,
        monitors=monitors,
        drill=None,
        open_alerts=0,
    )
    lines = home_words.model_text(owned).splitlines()
    assert [line.split()[1].rstrip(":") for line in lines[1:4]] == ["bad", "blind", "unsure"]
    assert lines[4] == "✅ 2 of 5 monitors healthy"


@pytest.mark.parametrize("passed", [True, False])
def test_a_drill_that_failed_says_what_would_not_work(passed: bool) -> None:
    """Before it is needed."""
    drill = Drill(
        model=ModelName("m"),
        drilled_at=NOON - timedelta(hours=3),
        passed=passed,
        findings=(("the target is there", passed, "v3 is gone"),),
    )
    owned = OwnedModel(
        model=ModelName("m"),
        production=Version(4),
        since=NOON,
        monitors=(),
        drill=drill,
        open_alerts=0,
    )
    text = home_words.model_text(owned)
    assert ("would NOT work: the target is there: v3 is gone" in text) != passed
    assert ("A rollback would work" in text) == passed


def test_whoever_can_do_nothing_here_reads_why() -> None:
    """One sentence, and no button."""
    for sentence in (home_words.nobody("U0MALLORY"), home_words.barred("guests cannot act")):
        view = wire(sentence_home(sentence))
        assert home_problems(view) == ()
        assert "action_id" not in texts(view)

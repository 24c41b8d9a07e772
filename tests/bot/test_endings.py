"""Words of people, and reasons that were stored, end before the words of Foureyes begin."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.messages import alert_words, answer_words, channel_words, request_words
from bot.messages.endings import ended
from governance.domain.canonical import Json
from governance.domain.monitoring.alert import Outcome
from tests.builders import a_request, a_roster
from tests.gallery.exhibits import CHANNEL, TOLD
from tests.gallery.extremes import Size, alert

WORDS = "so that code can be compared"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (WORDS, f"{WORDS}."),
        (f"{WORDS}\n", f"{WORDS}."),
        ("0.617 (against 0.778)", "0.617 (against 0.778)."),
        ("Which data?", "Which data?"),
        ("He said “no.”", "He said “no.”"),
        ("", ""),
    ],
)
def test_a_text_gets_the_full_stop_that_it_lacks(text: str, sentence: str) -> None:
    """And no second one."""
    assert ended(text) == sentence


@pytest.mark.parametrize("what", TOLD)
def test_what_a_direct_message_quotes_does_not_run_into_what_foureyes_says(what: str) -> None:
    """A comment, an answer or a reason without a full stop."""
    said = request_words.told(what, _unended(TOLD[what]), a_request(), a_roster())
    assert not _runs_on(said)


@pytest.mark.parametrize("what", CHANNEL)
def test_what_the_channel_hears_of_a_reason_does_not_run_on(what: str) -> None:
    """A reason of a person, or what MLflow said."""
    facts = {**_unended(CHANNEL[what]), "traffic_problem": WORDS}
    assert not _runs_on(channel_words.channel(what, "m", facts, a_roster()))


@pytest.mark.parametrize("what", ["monitor_blind", "monitor_comes_and_goes"])
def test_why_a_monitor_cannot_see_does_not_run_on(what: str) -> None:
    """It is what the source said."""
    facts: dict[str, Json] = {"monitor": "auc", "why": WORDS}
    assert not _runs_on(channel_words.told_of_model(what, "m", facts))


@pytest.mark.parametrize("outcome", Outcome)
def test_what_an_alert_notes_does_not_run_on(outcome: Outcome) -> None:
    """Nor its own sentence, when it is repeated."""
    made = replace(alert(Size.SMALLEST, outcome), note=WORDS, served=WORDS, sentence=WORDS)
    assert not _runs_on(alert_words.reminder(made))


def test_why_a_version_is_quarantined_does_not_run_on() -> None:
    """It is what somebody wrote at two in the morning."""
    request = replace(a_request(), quarantined=WORDS)
    assert not _runs_on(" ".join(request_words.warning_lines(request)))


def test_why_nothing_was_done_does_not_run_on() -> None:
    """In each answer that gives a reason first."""
    for wrapped in (
        answer_words.not_done,
        answer_words.trying_again,
        answer_words.given_up,
        answer_words.rollback_stands,
    ):
        assert not _runs_on(wrapped(WORDS))


def _unended(facts: object) -> dict[str, Json]:
    assert isinstance(facts, dict)
    texts = ("why", "comment", "answer", "asked", "difference")
    return {key: WORDS if key in texts else value for key, value in facts.items()}


def _runs_on(said: str) -> bool:
    """Whether these words are followed by anything but the end of their sentence."""
    return any(after[:1] not in ("", ".") or after[:2] == ".." for after in said.split(WORDS)[1:])

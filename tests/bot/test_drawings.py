"""Pictures beside words, in Slack: the words come first, and nothing that goes wrong with a picture
holds them up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox import Message
from governance.domain.evidence import Version
from governance.domain.monitoring.spec import ScoredBaseline, Watching
from governance.domain.promotion import Request
from tests.bot.office import Office, open_office
from tests.builders import MODEL, a_policy, some_rules
from tests.stories.watching import SOURCE, a_monitor

DATABASES = ("sqlite",)

SCORES = "validation_scores.csv"
SCORED = ScoredBaseline(artifact=SCORES, score="score", bad="bad")
ROC = "ROC and calibration curves of credit_scoring v4 against v3"
BARS = "Metrics of credit_scoring v4 against v3"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """A bot that draws."""
    with open_office(database_url, tmp_path / "heads", draws_comparisons=True) as office:
        yield office
        assert office.slack.violations == ()


def scored(office: Office, *versions: int) -> None:
    """The policy names a file of scores, and these runs have it."""
    monitor = a_monitor(baseline=SCORED)
    watching = Watching(sources=(SOURCE,), monitors=(monitor,))
    office.desk.rules.rules = some_rules(replace(a_policy(), watching=watching))
    for version in versions:
        rows = [f"{(n * version) % 97 / 100:.2f},{int(n % 3 == 0)}" for n in range(120)]
        content = "\n".join(["score,bad", *rows]).encode()
        office.desk.registry.files[MODEL, Version(version), SCORES] = content


def asked(office: Office) -> tuple[Request, Message]:
    """A request, as its first message shows it."""
    request = office.desk.promote()
    office.conversation.send_due()
    return request, office.request()


def now_shows(office: Office, message: Message, *parts: str, name: str = "dana") -> str:
    """Send what is due, as the ticker does, until a message holds all of these."""
    person = office.person(name)

    def look() -> str | None:
        latest = person.latest(message)
        text = "" if latest is None else person.sees(latest)
        return text if all(part in text for part in parts) else None

    for _tick in range(60):
        office.conversation.send_due()
        with suppress(TimeoutError):
            return office.slack.wait_for(look, timeout_seconds=0.5)
    raise AssertionError(f"{person.sees(message)} never became {parts}")


def test_the_picture_is_added_to_the_words_and_to_every_copy(office: Office) -> None:
    """The channel and the direct messages of those who are asked."""
    scored(office, 3, 4)
    _request, message = asked(office)
    text = now_shows(office, message, ROC, "v4: AUC")
    assert text.index("What changed against v3") < text.index(ROC) < text.index("Checks")
    office.reads("ana", ROC)
    office.reads("raj", ROC)


def test_without_scores_the_metrics_are_drawn_against_the_limits_of_policy(
    office: Office,
) -> None:
    """Also where only one of the runs has them."""
    scored(office, 4)
    _request, message = asked(office)
    now_shows(office, message, BARS, "policy asks for at least 0.7: kept")


def test_a_vote_keeps_the_picture_and_uploads_none_anew(office: Office) -> None:
    """It is kept in the store, so a second replica shows the same one."""
    _request, message = asked(office)
    now_shows(office, message, BARS)
    office.person("ana").click(office.request(), "Approve")
    now_shows(office, message, "1 of 2 approvals", BARS)
    office.replica().send_due()
    now_shows(office, message, "1 of 2 approvals", BARS)
    assert len(office.slack.state.files) == 1


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_words_go_without_a_picture_that_slack_does_not_take(
    office: Office, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And people decide by the words; it is no defect."""
    office.slack.fail_next(step, "internal_error", times=9)
    request, message = asked(office)
    office.person("ana").click(office.request(), "Approve")
    office.person("raj").click(office.request(), "Approve")
    text = now_shows(office, message, "Done.")
    assert BARS not in text
    assert office.desk.request(request.id).state.value == "completed"
    assert "a picture broke" not in caplog.text


def test_a_picture_that_slack_does_not_know_yet_follows(office: Office) -> None:
    """The first redrawing with it fails; the words are there, and then the picture."""
    office.slack.fail_next("chat.update", "invalid_blocks", times=1)
    _request, message = asked(office)
    now_shows(office, message, BARS)


def test_without_matplotlib_there_are_words_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The extra is not installed; nobody's log fills with that."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    _request, message = asked(office)
    office.person("ana").click(office.request(), "Approve")
    assert BARS not in now_shows(office, message, "1 of 2 approvals")
    office.person("dana").type("#credit-models", f"/model {MODEL} 3 4")
    office.reads("dana", "v3 → v4")
    assert "picture" not in caplog.text


def test_details_show_the_picture_of_the_message(office: Office) -> None:
    """The words open at once."""
    _request, message = asked(office)
    now_shows(office, message, BARS)
    dana = office.person("dana")
    dana.click(office.request(), "Details")
    office.slack.wait_for(lambda: (modal := dana.modal()) is not None and BARS in dana.sees(modal))


def test_two_versions_that_somebody_compares_are_drawn_for_this_person(office: Office) -> None:
    """After the words, and for nobody else."""
    scored(office, 3, 4)
    office.person("ana").type("#credit-models", f"/model {MODEL} 3 4")
    office.reads("ana", "v3 → v4")
    office.reads("ana", ROC)
    assert not any(ROC in office.person("raj").sees(m) for m in office.person("raj").ephemerals())


def test_a_model_s_card_is_followed_by_its_timeline(office: Office) -> None:
    """With the rollback."""
    office.desk.clock.advance(days=1)
    office.desk.promoted()
    office.desk.clock.advance(days=1)
    office.desk.roll_back()
    office.person("ana").type("#credit-models", f"/model {MODEL}")
    office.reads("ana", "Production: v3")
    office.reads(
        "ana",
        "v3 from 2026-03-04 12:00 UTC, restored by a rollback, still there. v4 from 2026-03-03 "
        "12:00 UTC, until 2026-03-04 12:00 UTC, rolled back.",
    )


def test_a_card_whose_picture_fails_is_answered_all_the_same(office: Office) -> None:
    """The words are the answer."""
    office.slack.fail_next("files.getUploadURLExternal", "internal_error", times=9)
    office.person("ana").type("#credit-models", f"/model {MODEL}")
    office.reads("ana", "Production: v3")

"""A new version as people meet it: the announcement in the channel, and the form behind its
button."""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox import Message
from governance.domain.errors import Refused
from governance.domain.evidence import Stage, Version
from tests.bot.office import Office
from tests.builders import MODEL, a_content, a_metric, a_snapshot
from tests.sandbox.stage import CHANNEL
from tests.stories.test_news_stories import unreadable


def arrives(office: Office, *numbers: int, **changes: object) -> None:
    """A pipeline registers versions, and the next look notices them."""
    for number in numbers:
        snapshot = replace(
            a_snapshot(
                number,
                stage=Stage.NONE,
                metrics=(a_metric(text="0.81", run_id=f"run{number}"),),
                parameters={"C": "0.1", "decision_threshold": "0.5"},
            ),
            registered_at=office.desk.clock.now,
        )
        changed = replace(snapshot, **changes)  # type: ignore[arg-type]  # a table of changes
        office.desk.registry.add(changed, a_content(number))
    office.desk.look_around()
    office.conversation.send_due()


def sees(office: Office, containing: str) -> str:
    """What the channel reads."""
    return office.person("dana").sees(office.channel_says(containing))


def announcements(office: Office) -> list[Message]:
    """All of them."""
    dana = office.person("dana")
    return [m for m in dana.messages(CHANNEL) if "Promote" in dana.sees(m)]


def test_the_channel_reads_what_would_change_and_what_policy_says(office: Office) -> None:
    """The answer first, then the numbers, the checks and the button."""
    arrives(office, 6)
    text = sees(office, "New: credit_scoring v6")
    assert "What v6 would change against v3 in Production" in text
    assert "Changed: parameters." in text
    assert "auc_validation: 0.78 → 0.81 (▲ +0.03, better)" in text
    assert text.index("Changed: parameters.") < text.index("auc_validation")
    assert "What policy checks for Staging, as it stood when v6 was noticed" in text
    assert "✅" in text
    assert "[Promote v6 to Staging …]" in text


def test_it_is_said_once_however_often_anybody_looks(office: Office) -> None:
    """Also by a second replica that sends the same outbox."""
    arrives(office, 6)
    office.desk.look_around()
    office.replica().send_due()
    office.conversation.send_due()
    assert len(announcements(office)) == 1


def test_the_button_opens_the_form_filled_in_and_a_reason_asks_for_it(office: Office) -> None:
    """Model, version and next stage are chosen; the reason is what is missing."""
    arrives(office, 6)
    dana = office.person("dana")
    dana.click(office.channel_says("New: credit_scoring v6"), "Promote v6 to Staging …")
    modal = office.slack.wait_for(dana.modal)
    shown = dana.sees(modal)
    for part in ("credit_scoring", "v6 · None · auc_validation 0.81", "Staging"):
        assert part in shown
    refused = dana.fill_and_submit(modal, {"reason": "   "})
    assert "Say why this version" in str(refused.errors)
    assert dana.fill_and_submit(modal, {"reason": "better AUC"}).is_accepted
    office.channel_says("credit_scoring v6 → Staging")
    office.slack.wait_for(
        lambda: office.desk.registry.snapshot(MODEL, Version(6)).stage is Stage.STAGING
    )
    opened = [e for e in office.desk.events() if e["kind"] == "request_opened"]
    assert [(e["person"], e["version"], e["why"]) for e in opened] == [("dana", 6, "better AUC")]


def test_the_form_opens_while_mlflow_is_down(office: Office) -> None:
    """From what the store knows."""
    arrives(office, 6)
    office.desk.registry.is_down = True
    dana = office.person("dana")
    dana.click(office.channel_says("New: credit_scoring v6"), "Promote v6 to Staging …")
    assert "v6 · None" in dana.sees(office.slack.wait_for(dana.modal))


def test_the_form_knows_when_the_version_went_on_since(office: Office) -> None:
    """Its next stage is another one then."""
    arrives(office, 6)
    office.desk.staged(6)
    dana = office.person("dana")
    dana.click(office.channel_says("New: credit_scoring v6"), "Promote v6 to Staging …")
    modal = office.slack.wait_for(dana.modal)
    assert "v6 · Staging" in dana.sees(modal)
    assert dana.fill_and_submit(modal, {"reason": "better AUC"}).is_accepted
    office.channel_says("credit_scoring v6 → Production")


def test_a_batch_is_one_message_and_every_version_has_its_button(office: Office) -> None:
    """The newest in full, the others in one line."""
    arrives(office, 6, 7, 8)
    text = sees(office, "3 new versions of credit_scoring, the newest is v8")
    assert len(announcements(office)) == 1
    assert "v7: Changed: parameters." in text
    dana = office.person("dana")
    dana.click(office.channel_says("3 new versions"), "Promote v7 …")
    modal = office.slack.wait_for(dana.modal)
    assert dana.fill_and_submit(modal, {"reason": "the simplest of them"}).is_accepted
    office.channel_says("credit_scoring v7 → Staging")


def test_a_version_that_cannot_be_read_is_said_with_the_next_step(office: Office) -> None:
    """And it offers no button."""
    office.desk.registry.add(a_snapshot(6, stage=Stage.NONE), a_content(6))
    unreadable(office.desk, 6, Refused("no_run", "Its run was deleted."))
    office.desk.look_around()
    office.conversation.send_due()
    text = sees(office, "New, and not readable: credit_scoring v6")
    assert "Its run was deleted." in text
    assert "has to be registered again" in text
    assert announcements(office) == []


def test_a_stranger_may_open_the_form_and_gets_no_further(office: Office) -> None:
    """The button decides nothing."""
    arrives(office, 6)
    mallory = office.person("mallory")
    mallory.click(office.channel_says("New: credit_scoring v6"), "Promote v6 to Staging …")
    modal = office.slack.wait_for(mallory.modal)
    mallory.fill_and_submit(modal, {"reason": "let me in"})
    office.reads("mallory", "people.yaml")
    assert office.desk.registry.snapshot(MODEL, Version(6)).stage is Stage.NONE

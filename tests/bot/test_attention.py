"""What people find in their direct messages: whom a request waits for, and nobody else."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox import Message
from governance.domain.identity import PersonId
from governance.domain.working_hours import working_hours
from governance.ports import Notice, NoticeKind, Transaction
from governance.use_cases.attention import Reminding, look_after
from tests.bot.office import Office
from tests.builders import MODEL, some_rules
from tests.stories.test_attention_stories import with_a_lead

REMINDING = Reminding(first=timedelta(hours=4), hours=working_hours("Mon-Fri 09:00-17:00"))


def attend(office: Office, *, hours: float = 0) -> None:
    """So much later the ticker looks, and what is due is sent."""
    office.desk.clock.advance(hours=hours)
    assert look_after(office.desk.world, REMINDING) == []
    office.conversation.send_due()


def found(office: Office, name: str, containing: str) -> list[Message]:
    """Direct messages that say this, oldest first."""
    person = office.person(name)
    return [m for m in person.direct_messages() if containing in person.sees(m)]


def test_a_reminder_names_what_is_missing_and_can_be_clicked(office: Office) -> None:
    """In a message of its own; the click counts, and the buttons go from every copy."""
    office.desk.promote()
    attend(office)
    attend(office, hours=4)
    vera = office.person("vera")
    (reminder,) = found(office, "vera", "A reminder")
    said = vera.sees(reminder)
    assert f"Dana still waits for your decision on {MODEL} v4 → Production" in said
    assert "Missing: one from risk and one from validator." in said
    assert "Expires" in said
    assert not found(office, "dana", "A reminder")
    assert not found(office, "otto", "A reminder")
    vera.click(reminder, "Approve")
    office.slack.wait_for(lambda: _votes(office) == 1)
    office.conversation.send_due()
    office.person("raj").click(found(office, "raj", "A reminder")[0], "Approve")
    office.slack.wait_for(lambda: office.desk.production() == (4,))
    office.conversation.send_due()
    for name in ("vera", "ana", "raj", "rosa"):
        person = office.person(name)
        office.slack.wait_for(
            lambda: len([m for m in person.direct_messages() if "Done." in person.sees(m)]) == 2  # noqa: B023  waited for here
        )
        copies = person.direct_messages()
        assert any("Done." in person.sees(m) for m in copies)
        assert not any(m.buttons for m in copies)


def test_the_reminder_before_loses_its_buttons(office: Office) -> None:
    """There is one place to click, and it is the newest; sent twice, it stands once."""
    office.desk.promote()
    attend(office)
    attend(office, hours=4)
    attend(office, hours=24)
    older, newer = (m for m in office.person("vera").direct_messages() if "remind" in _text(m))
    assert "you were reminded again below" in office.person("vera").sees(older)
    assert not older.buttons
    assert "Approve" in newer.buttons
    before = office.person("vera").direct_messages()
    with office.desk.store.transaction() as tx:
        tx.notify(_reminder_again(tx))
    office.conversation.send_due()
    assert office.person("vera").direct_messages() == before


def test_a_reminder_does_not_take_votes_on_what_it_never_showed(office: Office) -> None:
    """The version changed in MLflow: the request says so, and is where to decide."""
    request = office.desk.promote()
    attend(office)
    attend(office, hours=4)
    vera = office.person("vera")
    (reminder,) = found(office, "vera", "A reminder")
    office.desk.registry.change(MODEL, 4, parameters={"C": "2.0"})
    office.desk.look_around()
    office.conversation.send_due()
    assert office.desk.request(request.id).drawing != request.drawing
    now = vera.latest(reminder)
    assert now is not None
    assert "has changed since you were reminded" in vera.sees(now)
    assert not now.buttons
    vera.click_as_drawn(reminder, "Approve")
    office.reads("vera", "drawn before something changed")
    assert _votes(office) == 0
    vera.click(office.request(), "Approve")
    office.slack.wait_for(lambda: _votes(office) == 1)


def test_an_escalation_is_said_and_its_people_are_asked(office: Office) -> None:
    """On the request, in its thread, and in a direct message to Lea alone of those who are new."""
    office.slack.add_person("lea", user_id="U0LEA")
    office.slack.add_person("lex", user_id="U0LEX")
    office.desk.rules.rules = some_rules(*with_a_lead())
    office.desk.promote(by="lex")
    attend(office)
    assert not found(office, "lea", "asks for your decision")
    attend(office, hours=4)
    dana = office.person("dana")
    message = office.request()
    assert "risk: missing (lead may decide too by now)" in dana.sees(message)
    assert "Needs one from risk or lead and one from validator" in dana.sees(message)
    thread = " ".join(dana.sees(m) for m in dana.thread(message))
    assert "The seat of risk was still empty after 4 h: lead may fill it too" in thread
    (asked,) = found(office, "lea", "asks for your decision")
    assert not found(office, "lex", "asks for your decision")
    office.person("lea").click(asked, "Approve")
    office.slack.wait_for(
        lambda: "risk: Lea (as lead)" in dana.sees(dana.latest(message) or message)
    )


def _votes(office: Office) -> int:
    with office.desk.store.read() as tx:
        return sum(len(tx.decisions(r.id)) for r in tx.requests(MODEL))


def _text(message: Message) -> str:
    return message.text.casefold()


def _reminder_again(tx: Transaction) -> Notice:
    """As after a crash between Slack's answer and the commit."""
    (request,) = tx.open_requests()
    return Notice(
        kind=NoticeKind.ASK,
        what="reminder",
        model=MODEL,
        request_id=request.id,
        person=PersonId("vera"),
        facts={"number": 2},
    )

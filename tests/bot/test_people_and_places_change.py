"""People leave, and modals come late: each has an outcome that somebody reads."""

from __future__ import annotations

import pytest

from governance.domain.evidence import Stage
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from tests.bot.office import Office
from tests.bot.test_alerts import raised
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL

ASK = f"/promote {MODEL} 4 production better"


def test_an_approver_who_leaves_before_execution_does_not_count_and_another_is_asked(
    office: Office,
) -> None:
    """Raj approved last, and his account was gone when the version was to be moved: the vote is
    void and recorded, the request goes on, and Rosa's vote completes it."""
    request = office.desk.promote()
    office.conversation.send_due()
    office.desk.vote(request, "raj")
    office.slack.set_flags("raj", deleted=True)
    office.person("ana").click(office.request(), "Approve")
    office.slack.wait_for(lambda: EventKind.VOTES_VOIDED.value in office.desk.kinds())
    assert office.desk.production() == (3,)
    (voided,) = [e for e in office.desk.events() if e["kind"] == EventKind.VOTES_VOIDED.value]
    assert "deactivated" in str(voided["why"])
    office.person("rosa").click(office.request(), "Approve")
    office.reads("dana", "completed")
    assert office.desk.production() == (4,)


def test_a_requester_who_leaves_stops_neither_the_request_nor_its_messages(
    office: Office,
) -> None:
    """What was to be told to her is kept with the reason; everybody else is told."""
    request = office.desk.promote()
    office.conversation.send_due()
    office.slack.set_flags("dana", deleted=True)
    office.person("ana").click(office.request("otto"), "Approve")
    office.slack.wait_for(lambda: "1 of 2" in office.person("otto").sees(office.request("otto")))
    office.person("raj").click(office.request("otto"), "Approve")
    otto = office.person("otto")
    office.slack.wait_for(
        lambda: any(
            "Done." in otto.sees(m) for m in otto.messages(CHANNEL) if f"{MODEL} v4" in otto.sees(m)
        )
    )
    assert office.desk.request(request.id).state is State.COMPLETED
    office.slack.wait_for(lambda: not _waiting(office))


def test_who_left_is_not_written_to_and_stops_nobodys_question(office: Office) -> None:
    """Raj's account is gone when the request opens; Ana, Rosa and Vera are asked."""
    office.slack.set_flags("raj", deleted=True)
    office.person("dana").type(CHANNEL, ASK)
    for name in ("ana", "rosa", "vera"):
        office.reads(name, "asks for your decision")
    office.slack.wait_for(lambda: not _waiting(office))
    assert not office.person("raj").direct_messages()


@pytest.mark.parametrize("button", ["Reject", "Ask for changes"])
@pytest.mark.parametrize("end", ["withdrawn", "completed", "expired"])
def test_a_modal_that_is_submitted_after_the_end_says_so(
    office: Office, button: str, end: str
) -> None:
    """Raj wrote for a while. Nothing is counted, the attempt is recorded, and he reads why."""
    request = office.desk.promote()
    office.conversation.send_due()
    raj = office.person("raj")
    raj.click(office.request(), button)
    modal = office.slack.wait_for(raj.modal)
    if end == "withdrawn":
        office.desk.withdraw(request, "dana")
    elif end == "completed":
        office.desk.vote(request, "ana")
        office.desk.vote(request, "rosa")
        office.desk.push_on()
    else:
        office.desk.clock.advance(days=2)
        office.desk.push_on()
    over = office.desk.request(request.id)
    assert over.state.value == end
    assert raj.fill_and_submit(modal, {"comment": "The bads first."}).is_accepted
    office.reads("raj", f"This request is {end}; votes no longer count.")
    assert office.desk.request(request.id) == over
    assert office.desk.kinds()[-1] == EventKind.DECISION_REFUSED.value


def test_a_promotion_form_that_is_submitted_after_somebody_else_asked_says_so(
    office: Office,
) -> None:
    """The same version is open already; nothing is opened twice."""
    dana = office.person("dana")
    dana.type(CHANNEL, f"/promote {MODEL} 4")
    form = office.slack.wait_for(
        lambda: v if (v := dana.modal()) and "Reason" in dana.sees(v) else None
    )
    office.desk.promote(by="otto")
    submitted = dana.fill_and_submit(
        form, {"version": "4", "stage": "Production", "reason": "tuned"}
    )
    assert submitted.is_accepted
    office.reads("dana", "is open already")
    with office.desk.store.read() as tx:
        assert len(tx.open_requests()) == 1


def test_the_newest_alert_is_told_to_on_call_when_the_channel_is_gone(office: Office) -> None:
    """An archived channel does not swallow what somebody has to see at night."""
    office.desk.promoted()
    office.conversation.send_due()
    office.slack.archive(CHANNEL)
    raised(office, act=False)
    office.conversation.send_due()
    office.reads("otto", "Nobody has acknowledged this yet")


def _waiting(office: Office) -> int:
    office.desk.clock.advance(seconds=1)
    with office.desk.store.read() as tx:
        return len(tx.due_notices(50))


def test_owners_are_mentioned_when_their_model_was_changed_elsewhere(office: Office) -> None:
    """It is them who have to say why, and where; beside whoever is on call."""
    office.desk.look_around()
    office.desk.registry.change(MODEL, 4, stage=Stage.ARCHIVED)
    office.desk.look_around()
    office.conversation.send_due()
    said = office.person("ana").sees(office.channel_says("outside Foureyes"))
    assert "@otto" in said
    assert "@dana" in said
    assert "in a reply in this thread" in said

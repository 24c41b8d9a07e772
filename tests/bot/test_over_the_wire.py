"""People in the workspace, real Bolt over Socket Mode, a store, and a registry in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.sandbox import message_pings
from governance.domain.evidence import Stage
from governance.domain.ledger import EventKind
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL


def test_two_clicks_promote_and_the_message_says_so(office: Office) -> None:
    """Typed, clicked twice, in Production; buttons gone, thread and direct messages kept."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    office.reads("vera", "asks for your decision")
    office.reads("raj", "asks for your decision")
    assert "expires" in office.person("dana").sees(message)
    office.person("ana").click(message, "Approve")
    office.person("raj").click(message, "Approve")
    office.reads("dana", "completed")
    assert office.desk.production() == (4,)
    done = office.slack.wait_for(
        lambda: m if (m := office.person("dana").latest(message)) and not m.buttons else None
    )
    assert "Done." in office.person("dana").sees(done)
    assert "expires" not in office.person("dana").sees(done)
    thread = " ".join(office.person("dana").sees(m) for m in office.person("dana").thread(message))
    assert "Ana approved." in thread
    assert "Raj approved." in thread
    assert not office.person("otto").direct_messages()


def test_the_maker_is_told_why_a_click_does_not_count(office: Office) -> None:
    """Ephemeral, and recorded."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    office.person("dana").click(office.request(), "Approve")
    office.reads("dana", "Not counted: Dana opened this request")
    assert EventKind.DECISION_REFUSED.value in office.desk.kinds()


def test_an_account_of_nobody_is_told_so(office: Office) -> None:
    """Mallory is in the channel, and not in people.yaml."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    office.person("mallory").click(office.request(), "Approve")
    office.reads("mallory", "belongs to nobody in people.yaml")


@pytest.mark.parametrize(
    ("flag", "told"),
    [("is_restricted", "guests"), ("is_stranger", "guests"), ("team", "another workspace")],
)
def test_outsiders_cannot_vote(office: Office, flag: str, told: str) -> None:
    """Whatever role people.yaml gives them."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    if flag == "team":
        office.slack.set_flags("ana", team_id="T0ELSEWHERE")
    elif flag == "is_stranger":
        office.slack.set_flags("ana", is_stranger=True)
    else:
        office.slack.set_flags("ana", is_restricted=True)
    office.person("ana").click(message, "Approve")
    office.reads("ana", told)


def test_somebody_of_another_workspace_opens_no_details(office: Office) -> None:
    """They see the message in a shared channel, and nothing behind it."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    office.slack.set_flags("mallory", team_id="T0ELSEWHERE")
    mallory = office.person("mallory")
    mallory.click(office.request(), "Details")
    modal = office.slack.wait_for(mallory.modal)
    assert "Only people of this workspace can open that." in mallory.sees(modal)
    assert "auc_validation" not in mallory.sees(modal)


def test_a_rejection_asks_why_in_a_modal(office: Office) -> None:
    """An empty comment is answered under the input; a real one reaches the requester."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    raj = office.person("raj")
    raj.click(office.request(), "Reject")
    modal = office.slack.wait_for(raj.modal)
    assert "silence" in " ".join(raj.fill_and_submit(modal, {"comment": "   "}).errors.values())
    assert raj.fill_and_submit(modal, {"comment": "Show me the bads."}).is_accepted
    office.reads("dana", "Show me the bads.")


def test_a_click_on_an_older_drawing_is_told_and_not_counted(office: Office) -> None:
    """The evidence changed while the click was on its way."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    old = office.request()
    office.desk.registry.change(MODEL, 4, parameters={"C": "2.0"})
    office.desk.look_around()
    office.conversation.send_due()
    office.person("ana").click_as_drawn(old, "Approve")
    office.reads("ana", "your click is not counted")


def test_rollback_is_one_command_and_one_button(office: Office) -> None:
    """The person on call; the channel hears it, and only on_call is pinged."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    otto.click(office.reads("otto", "The last known good version is v3"), "Roll back v4 → v3")
    told = office.channel_says("MLflow Production is v3 (was v4)")
    assert office.desk.production() == (3,)
    assert message_pings(told).users == {"U0OTTO"}


def test_promote_alone_opens_a_form_that_helps(office: Office) -> None:
    """Models and versions come from the registry; the reason is required."""
    dana = office.person("dana")
    dana.type(CHANNEL, "/promote")
    form = office.slack.wait_for(
        lambda: v if (v := dana.modal()) and "Reason" in dana.sees(v) else None
    )
    submitted = dana.fill_and_submit(
        form, {"version": "4", "stage": Stage.PRODUCTION.value, "reason": "tuned"}
    )
    assert submitted.is_accepted, submitted.errors
    assert "tuned" in dana.sees(office.request())


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/promote credit_scoring four because", "is no version number"),
        ("/promote credit_scorin 4 staging because", "No policy governs"),
        ("/promote credit_scoring 77 staging because", "no version 77"),
        ("/rollback", "Say which model"),
        ("/model credit_scoring 3 4", "v3 → v4"),
        ("/model credit_scoring", "v3 since 2026-03-02 12:00 UTC, found there at first sight"),
        ("/fe-promote credit_scoring 77 staging x", "no version 77"),
    ],
)
def test_words_are_answered_with_what_exists(office: Office, typed: str, answer: str) -> None:
    """A sentence, whatever was typed."""
    office.person("dana").type(CHANNEL, typed)
    office.reads("dana", answer)


def test_the_card_of_a_model_says_who_approved_what_is_in_production(office: Office) -> None:
    """And after a rollback, how the restored one came there."""
    office.desk.promoted()
    office.person("dana").type(CHANNEL, f"/model {MODEL}")
    office.reads("dana", "approved by Ana (validator), Raj (risk)")
    office.desk.roll_back()
    office.desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    office.desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    office.desk.look_around()
    office.person("dana").type(CHANNEL, f"/model {MODEL}")
    office.reads("dana", "put there outside Foureyes")


def test_markup_in_a_reason_pings_nobody(office: Office) -> None:
    """Shown literally, in the channel and in direct messages."""
    reason = "<!channel> <@U0RAJ> <https://evil|Approve> `x` *y*"
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production {reason}")
    message = office.request()
    assert not message_pings(message)
    assert "<!channel>" in office.person("dana").sees(message)


def test_a_hundred_clicks_at_once_are_all_acked_and_none_is_lost(office: Office) -> None:
    """Every ack in time; the person who clicks again and again has voted once."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    message = office.request()
    ana = office.person("ana")
    with ThreadPoolExecutor(100) as clicking:
        list(clicking.map(lambda _n: ana.click_as_drawn(message, "Approve"), range(100)))
    office.slack.wait_for(lambda: len(ana.ephemerals()) >= 99, timeout_seconds=30)
    assert office.desk.kinds().count(EventKind.DECISION_MADE.value) == 1


def test_an_inbox_row_of_a_dead_process_is_worked_off_later(office: Office) -> None:
    """A vote counts; a modal is not opened, and the person is told to click again."""
    request = office.desk.promote()
    vote = {"user": "U0ANA", "channel": "", "request": request.id, "drawing": request.drawing}
    with office.desk.store.transaction() as tx:
        text = str({**vote, "verdict": "approve"}).replace("'", '"')
        tx.accept("vote", "k1", text)
        tx.accept("open_comment", "k2", str({"user": "U0RAJ", "channel": ""}).replace("'", '"'))
    office.desk.clock.advance(seconds=30)
    assert office.conversation.work_off() == 2
    with office.desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["ana"]
    office.reads("raj", "Please click again")

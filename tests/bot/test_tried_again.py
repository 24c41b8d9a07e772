"""What somebody decided is counted although Slack or MLflow did not answer at that moment; what was
only asked is not repeated behind anybody's back."""

from __future__ import annotations

from threading import Event

import pytest

from governance.domain.approval import Verdict
from governance.domain.promotion import Request, State
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL

ASK = f"/promote {MODEL} 4 production better"


def votes(office: Office, request: Request) -> list[tuple[str, str]]:
    """Who said what."""
    with office.desk.store.read() as tx:
        return [(str(d.person), d.verdict.value) for d in tx.decisions(request.id)]


def inbox_is_empty(office: Office) -> bool:
    """Everything was worked off."""
    with office.desk.store.read() as tx:
        return tx.inbox_age_seconds() == 0.0


def later(office: Office, seconds: float = 5) -> None:
    """What the ticker does, after a while."""
    office.desk.clock.advance(seconds=seconds)
    office.conversation.work_off()


@pytest.mark.parametrize("trouble", ["rate limit", "internal_error"])
def test_a_vote_is_counted_once_slack_says_who_it_was(office: Office, trouble: str) -> None:
    """The person reads that it is stored, clicks nothing again, and it counts once."""
    request = office.desk.promote()
    office.conversation.send_due()
    if trouble == "rate limit":
        office.slack.rate_limit_next("users.info", retry_after_seconds=9)
    else:
        office.slack.fail_next("users.info", trouble, times=2)
    office.person("ana").click(office.request(), "Approve")
    office.reads("ana", "What you did is stored and is tried again")
    assert votes(office, request) == []
    for _time in range(4):
        later(office)
    assert votes(office, request) == [("ana", "approve")]
    ana = office.person("ana")
    assert len([m for m in ana.ephemerals() if "tried again" in ana.sees(m)]) == 1


def test_slack_is_left_alone_as_long_as_it_asked(office: Office) -> None:
    """`Retry-After` is kept, also by the ticker."""
    request = office.desk.promote()
    office.conversation.send_due()
    office.slack.rate_limit_next("users.info", retry_after_seconds=30)
    office.person("ana").click(office.request(), "Approve")
    office.reads("ana", "is tried again")
    asked = len([c for c in office.slack.calls if c.method == "users.info"])
    later(office, 29)
    assert len([c for c in office.slack.calls if c.method == "users.info"]) == asked
    later(office, 2)
    assert votes(office, request) == [("ana", "approve")]


def test_two_votes_at_once_that_both_meet_a_rate_limit_are_both_counted(office: Office) -> None:
    """And the version goes to Production."""
    request = office.desk.promote()
    office.conversation.send_due()
    for _time in range(2):
        office.slack.rate_limit_next("users.info", retry_after_seconds=1)
    message = office.request()
    office.person("ana").click(message, "Approve")
    office.person("raj").click(message, "Approve")
    office.reads("ana", "is tried again")
    office.reads("raj", "is tried again")
    for _time in range(4):
        later(office)
    assert {who for who, _what in votes(office, request)} == {"ana", "raj"}
    assert office.desk.request(request.id).state is State.COMPLETED


def test_a_rejection_keeps_its_comment(office: Office) -> None:
    """It was accepted from the modal, so it is not lost."""
    request = office.desk.promote()
    office.conversation.send_due()
    raj = office.person("raj")
    raj.click(office.request(), "Reject")
    modal = office.slack.wait_for(raj.modal)
    office.slack.fail_next("users.info", "internal_error", times=1)
    assert raj.fill_and_submit(modal, {"comment": "The bads first."}).is_accepted
    office.reads("raj", "is tried again")
    for _time in range(3):
        later(office)
    ended = office.desk.request(request.id)
    assert (ended.state, ended.note) == (State.REJECTED, "The bads first.")


def test_a_vote_is_given_up_after_half_an_hour_and_the_person_is_told(office: Office) -> None:
    """Rather than counted when nobody thinks of it any more."""
    request = office.desk.promote()
    office.conversation.send_due()
    office.slack.fail_next("users.info", "internal_error", times=99)
    office.person("ana").click(office.request(), "Approve")
    office.reads("ana", "is tried again")
    for _minute in range(31):
        later(office, 61)
    office.reads("ana", "tried again for half an hour, so nothing was done")
    assert votes(office, request) == []
    with office.desk.store.read() as tx:
        assert tx.waiting_items(9) == ()


def test_a_rollback_click_before_mlflow_answers_again_is_carried_out_within_its_time(
    office: Office,
) -> None:
    """One click at 2 a.m. is enough."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    offered = office.reads("otto", "The last known good version is v3")
    office.desk.registry.is_down = True
    otto.click(offered, "Roll back v4 → v3")
    office.reads("otto", "is tried again")
    later(office)
    office.desk.registry.is_down = False
    for _time in range(3):
        later(office, 10)
    assert office.desk.production() == (3,)


def test_a_rollback_click_is_not_carried_out_after_its_five_minutes(office: Office) -> None:
    """Nobody knows any more what it was about."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    offered = office.reads("otto", "The last known good version is v3")
    office.desk.registry.is_down = True
    otto.click(offered, "Roll back v4 → v3")
    office.reads("otto", "is tried again")
    office.desk.clock.advance(minutes=6)
    office.desk.registry.is_down = False
    later(office)
    office.reads("otto", "older than 5 minutes")
    assert office.desk.production() == (4,)


def test_a_rollback_that_mlflow_did_not_answer_is_said_to_stand(office: Office) -> None:
    """The order is recorded; nobody is told to click again, and it is finished once."""
    office.desk.promoted()
    otto = office.person("otto")
    otto.type(CHANNEL, f"/rollback {MODEL} approvals spiked")
    offered = office.reads("otto", "The last known good version is v3")
    office.desk.registry.fail_before = 1
    otto.click(offered, "Roll back v4 → v3")
    office.reads("otto", "The rollback is ordered and recorded")
    office.desk.push_on()
    office.conversation.send_due()
    office.channel_says("Rolled back: MLflow Production is v3")
    assert office.desk.kinds().count("rollback_done") == 1


@pytest.mark.parametrize("typed", [ASK, f"/rollback {MODEL} why", f"/model {MODEL}"])
def test_what_was_only_asked_is_not_repeated_later(office: Office, typed: str) -> None:
    """The sentence says that nothing was done."""
    who = "otto" if typed.startswith("/rollback") else "dana"
    if typed != ASK:
        office.desk.promoted()
    office.desk.registry.is_down = True
    office.person(who).type(CHANNEL, typed)
    office.reads(who, "Nothing was done; try again")
    office.desk.clock.advance(seconds=1)  # what is not done has an age then
    office.slack.wait_for(lambda: inbox_is_empty(office) or None)
    office.desk.registry.is_down = False
    before = office.desk.kinds()
    for _time in range(3):
        later(office, 30)
    assert office.desk.kinds() == before


def test_whoever_decided_nothing_new_is_told_so_after_a_retry(office: Office) -> None:
    """The same vote twice, the first of which was tried again."""
    request = office.desk.promote()
    office.conversation.send_due()
    office.slack.fail_next("users.info", "internal_error", times=1)
    ana = office.person("ana")
    ana.click(office.request(), "Approve")
    office.reads("ana", "is tried again")
    ana.click(office.request(), "Approve")
    office.slack.wait_for(lambda: "1 of 2" in ana.sees(office.request()))
    later(office)
    assert votes(office, request) == [("ana", Verdict.APPROVE.value)]


def test_whoever_waits_for_mlflow_is_told_once_and_nobody_else_takes_the_work_up(
    office: Office,
) -> None:
    """The answer follows; a second worker, another replica's say, leaves it alone."""
    answered = Event()
    entered = Event()

    def slowly() -> None:
        entered.set()
        assert answered.wait(timeout=30)

    office.desk.registry.before_answer = slowly
    office.person("dana").type(CHANNEL, f"/model {MODEL}")
    assert entered.wait(timeout=30)
    for _second in range(200):
        office.desk.clock.advance(seconds=1)
        office.conversation.work_off()
    dana = office.person("dana")
    assert len([m for m in dana.ephemerals() if "Working on it" in dana.sees(m)]) == 1
    office.desk.registry.before_answer = None
    answered.set()
    office.reads("dana", "Production: v3")
    assert len([m for m in dana.ephemerals() if "Production: v3" in dana.sees(m)]) == 1

"""A request's message and every copy of it show the same state, with buttons that do the same; what
somebody deleted is posted again, and a channel that is gone takes no copy with it."""

from __future__ import annotations

import pytest

from bot.sandbox import Message
from governance.domain.approval import Verdict
from governance.domain.promotion import Request, State
from governance.use_cases.attention import look_after
from tests.bot.office import Office
from tests.bot.test_attention import REMINDING
from tests.builders import MODEL, a_content, a_snapshot
from tests.sandbox.stage import CHANNEL

DATABASES = ("sqlite",)

ASKED = ("ana", "raj", "rosa", "vera")


def asked(office: Office) -> Request:
    """A request whose message and copies stand."""
    request = office.desk.promote()
    office.conversation.send_due()
    return request


def copy_of(office: Office, name: str) -> Message:
    """The newest direct message of somebody that is about the request."""
    person = office.person(name)
    return office.slack.wait_for(
        lambda: next(
            (m for m in reversed(person.direct_messages()) if f"{MODEL} v4" in person.sees(m)), None
        )
    )


def states(office: Office) -> dict[str, str]:
    """The state line of the channel's message and of each person's copy."""
    dana = office.person("dana")
    (main,) = [m for m in dana.messages(CHANNEL) if f"{MODEL} v4 → Production" in dana.sees(m)]
    shown = {"channel": dana.sees(main)}
    shown |= {name: office.person(name).sees(copy_of(office, name)) for name in ASKED}
    return {where: _state(text) for where, text in shown.items()}


def _state(text: str) -> str:
    lines = text.splitlines()
    title = next(n for n, line in enumerate(lines) if line.strip() == f"{MODEL} v4 → Production")
    return next(line for line in lines[title + 1 :] if line.strip())


def test_every_copy_shows_the_same_state(office: Office) -> None:
    """At every step of the way, to the end."""
    request = asked(office)
    steps = (
        lambda: office.desk.vote(request, "ana"),
        lambda: office.desk.vote(request, "raj", Verdict.ASK_FOR_CHANGES, "Name the data."),
        lambda: office.desk.withdraw_vote(request, "ana"),
        lambda: office.desk.vote(request, "vera"),
        lambda: office.desk.vote(request, "raj"),
        lambda: office.desk.push_on(),
    )
    seen = []
    for step in steps:
        step()
        office.conversation.send_due()
        shown = states(office)
        assert len(set(shown.values())) == 1, shown
        seen.append(shown["channel"])
    assert seen[0].startswith("1 of 2")
    assert seen[2].startswith("0 of 2")
    assert seen[-1].startswith("Done.")
    for name in ASKED:
        assert not copy_of(office, name).buttons


def test_a_reminder_is_a_copy_too(office: Office) -> None:
    """Its buttons go with the others'."""
    request = asked(office)
    assert look_after(office.desk.world, REMINDING) == []
    office.desk.clock.advance(hours=4)
    assert look_after(office.desk.world, REMINDING) == []
    office.conversation.send_due()
    vera = office.person("vera")
    reminder = office.reads("vera", "A reminder")
    assert "Approve" in reminder.buttons
    office.desk.withdraw(request, "dana")
    office.conversation.send_due()
    shown = vera.latest(reminder)
    assert shown is not None
    assert not shown.buttons


@pytest.mark.parametrize("button", ["Approve", "Reject", "Ask for changes", "Details", "more"])
def test_every_button_of_a_direct_message_does_what_it_does_in_the_channel(
    office: Office, button: str
) -> None:
    """Votes, modals and the menu."""
    request = asked(office)
    ana = office.person("ana")
    copy = copy_of(office, "ana")
    if button == "more":
        office.desk.vote(request, "ana")
        ana.choose(copy, "more", "Withdraw my vote")
        office.reads("ana", "Your vote is withdrawn")
        assert _verdicts(office, request) == []
        return
    ana.click(copy, button)
    if button == "Approve":
        office.slack.wait_for(lambda: _verdicts(office, request) == ["approve"])
        return
    modal = office.slack.wait_for(ana.modal)
    if button == "Details":
        assert "auc_validation" in ana.sees(modal)
        return
    assert ana.fill_and_submit(modal, {"comment": "No."}).is_accepted
    wanted = "reject" if button == "Reject" else "ask_for_changes"
    office.slack.wait_for(lambda: _verdicts(office, request) == [wanted])


def test_a_refusal_in_a_direct_message_is_read_there(office: Office) -> None:
    """Where it was clicked, and nowhere else."""
    request = asked(office)
    copy = copy_of(office, "ana")
    office.desk.withdraw(request, "dana")
    office.person("ana").click_as_drawn(copy, "Approve")
    told = office.reads("ana", "This request is withdrawn; votes no longer count")
    assert told.channel == copy.channel


def test_a_copy_that_was_deleted_is_posted_again(office: Office) -> None:
    """In the same direct message, with its buttons, and kept up to date from then on."""
    request = asked(office)
    old = copy_of(office, "vera")
    office.slack.delete_message(old)
    office.desk.vote(request, "ana")
    office.conversation.send_due()
    new = copy_of(office, "vera")
    assert (new.channel, new.ts == old.ts) == (old.channel, False)
    assert "Approve" in new.buttons
    assert len(set(states(office).values())) == 1
    office.desk.withdraw(request, "dana")
    office.conversation.send_due()
    assert not copy_of(office, "vera").buttons


def test_a_deleted_message_is_posted_again_with_its_thread(office: Office) -> None:
    """What is said after the deletion stands under the new one."""
    request = asked(office)
    office.slack.delete_message(office.request())
    office.desk.vote(request, "ana")
    office.desk.vote(request, "raj", Verdict.ASK_FOR_CHANGES, "Name the data.")
    office.conversation.send_due()
    dana = office.person("dana")
    thread = [dana.sees(m) for m in dana.thread(office.request())]
    assert any("Ana approved" in line for line in thread)
    assert any("Raj asks for changes" in line for line in thread)


@pytest.mark.parametrize("trouble", ["archived", "bot removed"])
def test_a_channel_that_is_lost_leaves_every_copy_up_to_date(office: Office, trouble: str) -> None:
    """The owner is told what to do; votes go on in direct messages, to Production; and when the
    channel is back, the next change is drawn there."""
    request = asked(office)
    main = office.request()
    if trouble == "archived":
        office.slack.archive(CHANNEL)
    else:
        office.slack.remove_bot(CHANNEL)
    office.person("ana").click(copy_of(office, "ana"), "Approve")
    office.reads("dana", f"cannot post about {MODEL}")
    shown = states(office)
    assert {shown[name].split(".")[0] for name in ASKED} == {"1 of 2 approvals"}
    if trouble == "archived":
        office.slack.unarchive(CHANNEL)
    else:
        office.slack.add_to_channel(CHANNEL, office.client.auth_test()["user_id"])
    office.person("raj").click(copy_of(office, "raj"), "Approve")
    office.reads("dana", "completed")
    office.slack.wait_for(lambda: len(set(states(office).values())) == 1)
    assert "Done." in office.person("dana").sees(office.person("dana").latest(main) or main)
    assert office.desk.request(request.id).state is State.COMPLETED


def _verdicts(office: Office, request: Request) -> list[str]:
    with office.desk.store.read() as tx:
        return [d.verdict.value for d in tx.decisions(request.id)]


@pytest.mark.parametrize("which", ["channel", "direct message"])
def test_what_was_deleted_is_posted_again_although_nothing_else_happens(
    office: Office, which: str
) -> None:
    """The ticker sees it, and draws it once; what stands is left alone."""
    asked(office)
    ana = office.person("ana")
    assert office.conversation.look_after_messages() == 0
    old = office.request() if which == "channel" else copy_of(office, "ana")
    office.slack.delete_message(old)
    assert office.conversation.look_after_messages() == 1
    office.conversation.send_due()
    new = office.request() if which == "channel" else copy_of(office, "ana")
    assert new.ts != old.ts
    assert new.channel == old.channel
    before = len(office.slack.calls)
    assert office.conversation.look_after_messages() == 0
    assert office.conversation.send_due() == 0
    assert {c.method for c in office.slack.calls[before:]} == {"chat.getPermalink"}
    ana.click(new, "Approve")
    office.slack.wait_for(lambda: "1 of 2" in ana.sees(office.request()))


def test_every_open_request_has_its_turn_and_none_that_is_over(office: Office) -> None:
    """A few at a time, so that Slack is not flooded."""
    requests = []
    for version in range(10, 22):
        office.desk.registry.add(a_snapshot(version), a_content(version))
        office.desk.staged(version)
        requests.append(office.desk.promote(version))
    office.conversation.send_due(500)
    office.desk.withdraw(requests.pop(), "dana")
    office.conversation.send_due(500)
    dana = office.person("dana")
    for message in dana.messages(CHANNEL):
        office.slack.delete_message(message)
    assert [office.conversation.look_after_messages() for _round in range(3)] == [5, 5, 1]
    office.conversation.send_due(500)
    assert len(dana.messages(CHANNEL)) == len(requests)
    assert office.conversation.look_after_messages() == 0


def test_slack_that_does_not_answer_deletes_nothing(office: Office) -> None:
    """Only what Slack says is not there is posted again."""
    asked(office)
    for error in ("internal_error", "channel_not_found"):
        office.slack.fail_next("chat.getPermalink", error, times=9)
        assert office.conversation.look_after_messages() == 0
    office.slack.rate_limit_next("chat.getPermalink", retry_after_seconds=30)
    assert office.conversation.look_after_messages() == 0

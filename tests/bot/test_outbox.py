"""What people are told arrives: late, in order, and once, whatever Slack or one notice does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.sandbox import Message
from governance.domain.promotion import Request, State
from governance.ports import Notice, NoticeKind, SentMessage
from tests.bot.office import Office
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL


def _asked(office: Office) -> tuple[Request, Message]:
    """A request whose message stands in the channel."""
    request = office.desk.promote()
    office.conversation.send_due()
    return request, office.request()


def _seen(office: Office, message: Message) -> str:
    dana = office.person("dana")
    return dana.sees(dana.latest(message) or message)


def _votes(office: Office, request: Request) -> int:
    with office.desk.store.read() as tx:
        return len(tx.decisions(request.id))


def _lines(office: Office) -> list[str]:
    """What the channel says, oldest first."""
    return [office.person("dana").sees(m) for m in office.person("dana").messages(CHANNEL)]


def _say(office: Office, *loads: str) -> None:
    """Notices for the model's channel, one per word."""
    for word in loads:
        with office.desk.store.transaction() as tx:
            tx.notify(_loaded(word))


def _loaded(word: str) -> Notice:
    return Notice(
        kind=NoticeKind.CHANNEL,
        what="policy_loaded",
        model=MODEL,
        facts={"digest": "d" * 64, "lines": [word], "by": "Dana"},
    )


def test_a_rate_limit_delays_and_keeps_the_order(office: Office) -> None:
    """Nothing overtakes what Slack made wait."""
    office.slack.rate_limit_next("chat.postMessage", retry_after_seconds=7)
    _say(office, "first", "second", "third")
    office.conversation.send_due()
    assert _lines(office) == []
    office.desk.clock.advance(seconds=6)
    office.conversation.send_due()
    assert _lines(office) == []
    office.desk.clock.advance(seconds=1)
    office.conversation.send_due()
    assert [w for line in _lines(office) for w in ("first", "second", "third") if w in line] == [
        "first",
        "second",
        "third",
    ]


def test_what_slack_does_not_take_for_a_while_waits(office: Office) -> None:
    """Its own fault, told by its own words; tried again later, with growing pauses."""
    office.slack.fail_next("chat.postMessage", "internal_error", times=3)
    _say(office, "patience")
    for _ in range(5):
        office.conversation.send_due()
        office.desk.clock.advance(minutes=5)
    assert len(_lines(office)) == 1


def test_a_removed_token_loses_no_message(office: Office) -> None:
    """The operator installs the app again, and everything is said."""
    office.slack.fail_next("chat.postMessage", "account_inactive")
    _say(office, "later")
    office.conversation.send_due()
    office.desk.clock.advance(minutes=5)
    office.conversation.send_due()
    assert "later" in _lines(office)[0]


def test_an_archived_channel_stops_no_promotion_and_the_owners_are_told(office: Office) -> None:
    """Approvers have their direct messages."""
    office.slack.archive(CHANNEL)
    request = office.desk.promote()
    office.conversation.send_due()
    office.reads("dana", f"cannot post about {MODEL}")
    raj = office.person("raj")
    asked = office.slack.wait_for(
        lambda: next((m for m in raj.direct_messages() if "Approve" in m.buttons), None)
    )
    raj.click(asked, "Approve")
    office.slack.wait_for(lambda: _votes(office, request) == 1)
    office.desk.vote(request, "ana")
    office.desk.push_on()
    assert office.desk.request(request.id).state is State.COMPLETED


def test_a_bot_that_was_removed_posts_again_when_it_is_invited(office: Office) -> None:
    """With the state that the request has then."""
    office.slack.remove_bot(CHANNEL)
    request = office.desk.promote()
    office.conversation.send_due()
    assert _lines(office) == []
    office.slack.add_to_channel(CHANNEL, office.client.auth_test()["user_id"])
    office.desk.vote(request, "ana")
    office.conversation.send_due()
    assert "Ana" in _seen(office, office.request())


def test_a_deleted_message_is_posted_again(office: Office) -> None:
    """Somebody tidied up; the request still needs its buttons."""
    request, message = _asked(office)
    office.slack.delete_message(message)
    office.desk.vote(request, "ana")
    office.conversation.send_due()
    assert office.request().ts != message.ts


def test_an_approver_who_left_does_not_stop_the_others_copies(office: Office) -> None:
    """Raj's account is gone; Vera's buttons go all the same."""
    request, _message = _asked(office)
    vera = office.person("vera")
    copy = office.reads("vera", "asks for your decision")
    with office.desk.store.transaction() as tx:
        tx.save_message(
            f"request {request.id} to raj", SentMessage(channel="D0GONE", ts="1.000001")
        )
    office.desk.withdraw(request, "dana")
    office.conversation.send_due()
    shown = office.slack.wait_for(lambda: vera.latest(copy))
    assert "Approve" not in shown.buttons


def test_two_replicas_send_everything_once(office: Office) -> None:
    """Both look at the same moment."""
    other = office.replica()
    words = [f"word{n:02}" for n in range(20)]
    _say(office, *words)
    with ThreadPoolExecutor(2) as both:
        for conversation in (office.conversation, other) * 3:
            both.submit(conversation.send_due)
    office.conversation.send_due()
    assert [w for line in _lines(office) for w in words if w in line] == words
    other.drain()


def test_what_another_replica_drew_meanwhile_is_drawn_over(office: Office) -> None:
    """One replica drew the request, the other Ana's vote; her withdrawal looks as at first."""
    other = office.replica()
    request, message = _asked(office)
    office.desk.vote(request, "ana")
    other.send_due()
    assert "1 of 2 approvals" in _seen(office, message)
    office.desk.withdraw_vote(request, "ana")
    office.conversation.send_due()
    assert "0 of 2 approvals" in _seen(office, message)
    other.drain()


def test_a_notice_that_cannot_be_drawn_stops_nobody_elses(
    office: Office,
) -> None:
    """A defect of ours: tried again, then given up with its reason, and the owners hear of it."""
    with office.desk.store.transaction() as tx:
        tx.notify(Notice(kind=NoticeKind.CHANNEL, what="rolled_back", model=MODEL, facts={}))
    _say(office, "behind it")
    request, _message = _asked(office)
    assert request.is_open
    for _ in range(12):
        office.desk.clock.advance(minutes=6)
        office.conversation.send_due()
    assert any("behind it" in line for line in _lines(office))
    office.reads("dana", f"cannot post about {MODEL}")


def test_a_code_that_nobody_listed_blocks_nothing_for_ever(office: Office) -> None:
    """Tried a few times, then given up, and the approvers are asked all the same."""
    code = "restricted_action_read_only_channel"
    office.slack.fail_next("chat.postMessage", code, times=9)
    office.desk.promote()
    for _ in range(12):
        office.conversation.send_due()
        office.desk.clock.advance(minutes=6)
    office.reads("raj", "asks for your decision")
    office.reads("dana", f"cannot post about {MODEL}")

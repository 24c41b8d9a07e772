"""The app's Home as people meet it, over the real wire: what is theirs, with the buttons of the
message, drawn again after whatever changes it, and within Slack's limits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from bot.sandbox import View
from governance.domain.approval import Verdict
from governance.domain.identity import PersonId
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from tests.bot.office import Office
from tests.bot.test_alerts import raised
from tests.builders import MODEL
from tests.sandbox.stage import CHANNEL

DATABASES = ("sqlite",)


def opened(office: Office, *names: str) -> None:
    """They look at the app's Home, each once."""
    for name in names:
        office.person(name).open_home()
        office.home(name)


def sees(office: Office, name: str) -> str:
    """What somebody's Home says now."""
    view = office.person(name).home()
    assert view is not None
    return office.person(name).sees(view)


def published(office: Office) -> list[str]:
    """Whose Home was drawn, in order."""
    return [
        str(c.arguments["user_id"])
        for c in office.slack.calls
        if c.method == "views.publish" and c.error is None
    ]


def buttons(view: View) -> Sequence[str]:
    """The action ids on a Home, in order."""
    elements = [e for b in view.blocks for e in _elements(b)]
    return [str(e["action_id"]) for e in elements]


def _elements(block: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = block.get("elements")
    listed = found if isinstance(found, list) else []
    accessory = block.get("accessory")
    return [e for e in [*listed, accessory] if isinstance(e, dict) and "action_id" in e]


def test_home_shows_each_person_what_waits_for_them(office: Office) -> None:
    """A validator and a risk officer are asked; who made it is not, nor who has no seat."""
    office.desk.promote()
    opened(office, "ana", "raj", "dana", "otto")
    for name in ("ana", "raj"):
        view = office.home(name, f"{MODEL} v4 → Production")
        assert "Waiting for you · 1" in sees(office, name)
        assert buttons(view) == ["approve", "reject", "ask_for_changes", "details"]
    for name in ("dana", "otto"):
        assert "Nothing waits for you" in sees(office, name)
        assert "approve" not in buttons(office.home(name))
    assert "You asked for · 1" in sees(office, "dana")
    assert "You asked for" not in sees(office, "ana")


def test_both_approve_in_home_and_the_version_goes_to_production(office: Office) -> None:
    """The buttons do what those of the message do, and every Home tells of it."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    office.request()
    opened(office, "ana", "raj", "dana")
    office.person("ana").click(office.home("ana", "v4 → Production"), "Approve")
    office.home("raj", "1 of 2 approvals")
    office.home("ana", "Nothing waits for you")
    office.person("raj").click(office.home("raj"), "Approve")
    office.home("dana", "Done.")
    assert office.desk.production() == (4,)
    shown = office.home("dana", "v4 in Production since")
    assert "credit_scoring v4 went to Production" in office.person("dana").sees(shown)


@pytest.mark.parametrize(
    ("button", "verdict"),
    [("Reject", Verdict.REJECT), ("Ask for changes", Verdict.ASK_FOR_CHANGES)],
)
def test_a_reason_is_asked_for_in_home_too(office: Office, button: str, verdict: Verdict) -> None:
    """In a modal, as from the message."""
    request = office.desk.promote()
    opened(office, "raj", "dana")
    raj = office.person("raj")
    raj.click(office.home("raj", "v4 → Production"), button)
    modal = office.slack.wait_for(raj.modal)
    assert raj.fill_and_submit(modal, {"comment": "Name the data set."}).is_accepted
    if verdict is Verdict.REJECT:
        office.home("raj", "Nothing waits for you")
        office.home("dana", "Rejected. Name the data set.")
        return
    office.home("raj", "You asked for changes; you can still decide.")
    office.home("dana", "Raj asks for changes: Name the data set.")
    with office.desk.store.read() as tx:
        assert [d.verdict for d in tx.decisions(request.id)] == [verdict]


def test_details_open_from_home(office: Office) -> None:
    """Everything that the message folds."""
    office.desk.promote()
    opened(office, "ana")
    ana = office.person("ana")
    ana.click(office.home("ana", "v4 → Production"), "Details")
    assert "auc_validation" in ana.sees(office.slack.wait_for(ana.modal))


def test_the_requester_withdraws_in_home(office: Office) -> None:
    """And whoever was asked is not asked any more."""
    request = office.desk.promote()
    opened(office, "dana", "ana")
    office.person("dana").choose(office.home("dana", "0 of 2"), "more", "Withdraw this request")
    office.home("ana", "Nothing waits for you")
    office.home("dana", "Withdrawn.")
    assert office.desk.request(request.id).state is State.WITHDRAWN


def test_a_click_on_an_older_drawing_of_home_is_not_counted(office: Office) -> None:
    """The evidence changed while the click was on its way; Home shows the current one."""
    request = office.desk.promote()
    opened(office, "ana")
    old = office.home("ana", "v4 → Production")
    office.desk.registry.change(MODEL, 4, parameters={"C": "2.0"})
    office.desk.look_around()
    office.person("ana").click_as_drawn(old, "Approve")
    office.reads("ana", "your click is not counted")
    office.person("ana").click(office.home("ana"), "Approve")
    office.home("ana", "Nothing waits for you")
    with office.desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["ana"]


def test_whoever_is_barred_is_not_asked_in_home(office: Office) -> None:
    """Vera is a validator, and MLflow names her as the author."""
    office.desk.registry.change(MODEL, 4, tags={"git_email": "vera@example.com"})
    office.desk.promote(by="otto")
    opened(office, "vera", "ana")
    assert "Nothing waits for you" in sees(office, "vera")
    office.home("ana", "v4 → Production")


def test_an_account_of_nobody_reads_who_can_change_that(office: Office) -> None:
    """No request is shown, and no button."""
    office.desk.promote()
    opened(office, "mallory")
    view = office.home("mallory", "belongs to nobody in people.yaml")
    assert MODEL not in office.person("mallory").sees(view)
    assert buttons(view) == []


def test_a_guest_is_shown_nothing(office: Office) -> None:
    """Whatever role people.yaml gives the account."""
    office.desk.promote()
    office.slack.set_flags("ana", is_restricted=True)
    opened(office, "ana")
    view = office.home("ana", "guests of the workspace cannot act")
    assert MODEL not in office.person("ana").sees(view)


def test_home_waits_for_slack_to_say_who_it_is(office: Office) -> None:
    """Nothing is shown on a guess, and nobody is told about the delay."""
    office.desk.promote()
    office.slack.fail_next("users.info", "internal_error")
    ana = office.person("ana")
    ana.open_home()
    office.slack.wait_for(lambda: [c for c in office.slack.calls if c.method == "users.info"])
    assert ana.home() is None
    for _time in range(500):  # the worker may still be about to put it off
        office.desk.clock.advance(seconds=5)
        if office.conversation.work_off():
            break
        time.sleep(0.02)
    office.home("ana", "v4 → Production")
    assert not ana.ephemerals()


def test_alerts_are_shown_to_whom_they_concern_with_what_they_may_do(office: Office) -> None:
    """Otto is on call and may roll back; Dana owns the model and may not; Ana has no part in it."""
    office.desk.promoted()
    raised(office, act=False)
    opened(office, "otto", "dana", "ana")
    at_otto = office.home("otto", "Open alerts · 1")
    assert {"acknowledge", "offer_rollback", "open_record"} <= set(buttons(at_otto))
    at_dana = office.home("dana", "Open alerts · 1")
    assert "offer_rollback" not in buttons(at_dana)
    assert "Open alerts" not in sees(office, "ana")
    office.person("dana").click(at_dana, "Acknowledge")
    for _time in range(100):
        view = office.home("otto")
        if "acknowledge" not in buttons(view):
            break
    assert "acknowledge" not in buttons(office.home("otto"))
    assert EventKind.ALERT_ACKNOWLEDGED.value in office.desk.kinds()


def test_a_rollback_is_offered_from_home_in_a_direct_message(office: Office) -> None:
    """One more button, as from the alert's message."""
    office.desk.promoted()
    raised(office, act=False)
    opened(office, "otto")
    otto = office.person("otto")
    otto.click(office.home("otto", "Open alerts"), "offer_rollback")
    otto.click(office.reads("otto", "The last known good version is v3"), "Roll back v4 → v3")
    office.home("otto", "Otto rolled credit_scoring back to v3")
    assert office.desk.production() == (3,)


def test_an_answer_to_a_click_on_home_comes_when_slack_takes_it(office: Office) -> None:
    """Two direct messages in a second are one too many; the person waits, and is answered."""
    office.desk.promoted()
    raised(office, act=False)
    opened(office, "otto")
    office.conversation.send_due()
    office.slack.rate_limit_next("chat.postMessage", times=2, retry_after_seconds=1)
    otto = office.person("otto")
    otto.click(office.home("otto", "Open alerts"), "offer_rollback")
    office.reads("otto", "The last known good version is v3")


def test_only_what_looks_otherwise_is_drawn_again(office: Office) -> None:
    """A record that concerns somebody else draws nobody's Home anew."""
    opened(office, "ana", "otto")
    before = published(office)
    office.desk.promote()
    office.home("ana", "v4 → Production")
    assert published(office)[len(before) :] == ["U0ANA"]


def test_many_records_at_once_are_drawn_together(office: Office) -> None:
    """Twenty votes and withdrawals within a second are one drawing for each who sees them."""
    request = office.desk.promote()
    opened(office, "dana")
    office.home("dana", "0 of 2")
    before = len(published(office))
    for _time in range(10):
        office.desk.vote(request, "ana")
        office.conversation.refresh_homes()
        office.desk.withdraw_vote(request, "ana")
        office.conversation.refresh_homes()
    office.desk.vote(request, "ana")
    office.home("dana", "1 of 2 approvals")
    assert len(published(office)) - before <= 2


def test_slack_is_left_alone_as_long_as_it_asks_and_the_newest_is_drawn(office: Office) -> None:
    """`Retry-After` is kept for every Home, and nothing of what happened meanwhile is lost."""
    request = office.desk.promote()
    opened(office, "ana", "dana")
    office.slack.rate_limit_next("views.publish", retry_after_seconds=30)
    office.desk.vote(request, "ana")
    office.desk.clock.advance(seconds=2)
    for _time in range(500):
        office.conversation.refresh_homes()  # nothing while the bot's own drawer is at it
        if any(c.error == "ratelimited" for c in office.slack.calls):
            break
        time.sleep(0.02)
    asked = len([c for c in office.slack.calls if c.method == "views.publish"])
    office.desk.clock.advance(seconds=29)
    assert office.conversation.refresh_homes() == 0
    assert len([c for c in office.slack.calls if c.method == "views.publish"]) == asked
    office.home("ana", "Nothing waits for you")
    office.home("dana", "1 of 2 approvals")


def test_slack_that_is_down_delays_a_home(office: Office) -> None:
    """It is drawn once Slack takes it."""
    opened(office, "ana")
    office.slack.fail_next("views.publish", "internal_error", times=1)
    office.desk.promote()
    office.desk.clock.advance(seconds=2)
    office.conversation.refresh_homes()
    assert "Nothing waits for you" in sees(office, "ana")
    office.desk.clock.advance(minutes=1)
    office.home("ana", "v4 → Production")


def test_a_home_that_slack_does_not_take_stops_nobody(office: Office) -> None:
    """Ana's is refused for what is in it: Raj's goes on, and hers when it looks otherwise."""
    opened(office, "ana", "raj")
    office.slack.fail_next("views.publish", "invalid_blocks", times=1)
    request = office.desk.promote()
    office.home("raj", "v4 → Production")
    assert "Nothing waits for you" in sees(office, "ana")
    office.desk.vote(request, "raj")
    office.home("ana", "1 of 2 approvals")


def test_whoever_left_the_company_is_drawn_nothing_and_stops_nobody(office: Office) -> None:
    """Ana's account is gone; Raj's Home goes on."""
    opened(office, "ana", "raj")
    office.slack.set_flags("ana", deleted=True)
    office.desk.promote()
    office.home("raj", "v4 → Production")
    with office.desk.store.read() as tx:
        assert [h.account for h in tx.open_homes(tx.now.min.replace(tzinfo=tx.now.tzinfo))] == [
            "U0RAJ"
        ]


def test_two_replicas_draw_a_home_once(office: Office) -> None:
    """What one drew, the other leaves alone."""
    other = office.replica()
    opened(office, "ana")
    office.desk.promote()
    office.home("ana", "v4 → Production")
    drawn = len(published(office))
    office.desk.clock.advance(minutes=5)
    assert other.refresh_homes() == 0
    assert len(published(office)) == drawn
    other.drain()


def test_the_messages_tab_draws_nothing(office: Office) -> None:
    """Only the Home tab shows Home."""
    office.person("ana").open_home("messages")
    opened(office, "raj", "dana")
    office.desk.promote()
    office.home("raj", "v4 → Production")
    assert office.person("ana").home() is None


def test_a_person_who_loses_the_role_is_not_asked_any_more(office: Office) -> None:
    """People are looked at as they are now."""
    office.desk.promote()
    opened(office, "ana")
    office.home("ana", "v4 → Production")
    office.desk.with_roles("ana", "data_scientist")
    office.desk.clock.advance(minutes=2)
    office.home("ana", "Nothing waits for you")
    assert PersonId("ana") in office.desk.rules.rules.roster.people

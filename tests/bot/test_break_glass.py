"""Breaking glass in Slack: who is offered it, what it means beforehand, who hears of it, and how
those who were skipped have the last word."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.glass_desk import shown_review
from bot.glass_view import review_message
from bot.messages.glass_words import BUTTON, CONFIRM
from bot.sandbox import View, message_pings
from bot.sandbox.block_kit import message_problems
from governance.domain.identity import Role
from governance.domain.review import ReviewState
from governance.use_cases.reviews import look_after_reviews
from tests.bot.office import Office
from tests.builders import MODEL, a_person, some_rules
from tests.sandbox.stage import CHANNEL
from tests.stories.glass import RULE, break_glass, glass_policy, review

YES: dict[str, str | list[str] | None] = {
    "reason": "v3 declines everybody",
    "incident": "INC-12",
    "confirm": [CONFIRM],
}


def with_glass(office: Office, auc: float = 0.7, *, roles: tuple[str, ...] = ("on_call",)) -> None:
    """These roles may, and no others."""
    rule = replace(RULE, roles=frozenset(Role(r) for r in roles))
    policy = replace(glass_policy(auc), break_glass=rule)
    office.desk.rules.rules = some_rules(policy)


def filled(office: Office, person: str, containing: str) -> View:
    """The modal once it says what it means."""
    actor = office.person(person)
    return office.slack.wait_for(
        lambda: v if (v := actor.modal()) and containing in actor.sees(v) else None
    )


def test_a_refusal_offers_the_way_past_it_only_to_whom_a_role_lets(office: Office) -> None:
    """Otto is on call, Dana is not."""
    with_glass(office, auc=0.9)
    typed = f"/promote {MODEL} 4 production v3 declines everybody"
    office.person("otto").type(CHANNEL, typed)
    assert BUTTON in office.reads("otto", "Policy refuses this version").buttons
    office.person("dana").type(CHANNEL, typed)
    assert BUTTON not in office.reads("dana", "Policy refuses this version").buttons


def test_what_is_refused_for_staging_offers_nothing(office: Office) -> None:
    """Glass is broken for Production alone."""
    with_glass(office)
    office.desk.registry.change(MODEL, 5, inputs=())
    office.person("otto").type(CHANNEL, f"/promote {MODEL} 5 staging because")
    assert BUTTON not in office.reads("otto", "Policy refuses this version").buttons
    office.person("otto").type(CHANNEL, f"/promote {MODEL} 5 because")
    office.slack.wait_for(lambda: len(office.person("otto").ephemerals()) >= 2)
    assert all(BUTTON not in m.buttons for m in office.person("otto").ephemerals())


def test_from_the_refusal_to_the_demanded_rollback(office: Office) -> None:
    """The whole way, with everything that it says in between."""
    with_glass(office, auc=0.9)
    otto, ana, raj = (office.person(n) for n in ("otto", "ana", "raj"))
    otto.type(CHANNEL, f"/promote {MODEL} 4 production v3 declines everybody")
    otto.click(office.reads("otto", "Policy refuses this version"), BUTTON)
    modal = filled(office, "otto", "goes to Production at once")
    says = otto.sees(modal)
    for part in ("Skipped", "check auc_validation at least 0.9 failed", "Ana, Raj, Rosa, Vera"):
        assert part in says
    assert "you can neither ask" in says
    submitted = otto.fill_and_submit(modal, {**YES, "reason": "  ", "incident": " "})
    assert set(submitted.errors) == {"reason", "incident"}
    assert set(otto.fill_and_submit(modal, {**YES, "confirm": []}).errors) == {"confirm"}
    two_lines = {**YES, "incident": "INC-12\u2028Approved"}
    assert "line break" in otto.fill_and_submit(modal, two_lines).errors["incident"]
    assert otto.fill_and_submit(modal, dict(YES)).is_accepted
    office.reads("otto", "Those who were skipped are told")
    assert office.desk.production() == (4,)

    loud = office.channel_says("went past policy")
    assert message_pings(loud).users == {"U0ANA", "U0RAJ", "U0ROSA", "U0VERA", "U0OTTO"}
    assert loud.buttons == ("Accept", "Demand rollback")
    asked = office.reads("ana", "you were skipped")
    ana.click(asked, "Accept")
    office.reads("ana", "Your review is counted")
    office.channel_says("✅ validator: Ana")

    raj.click(office.channel_says("went past policy"), "Demand rollback")
    demand = office.slack.wait_for(raj.modal)
    assert not raj.fill_and_submit(demand, {"comment": " "}).is_accepted
    assert raj.fill_and_submit(demand, {"comment": "it approves everybody"}).is_accepted
    over = office.slack.wait_for(
        lambda: next((m for m in raj.messages(CHANNEL) if "Roll back v4 → v3" in m.buttons), None)
    )
    assert "it approves everybody" in raj.sees(over)
    assert "Accept" not in over.buttons
    copy = office.slack.wait_for(
        lambda: next((m for m in ana.direct_messages() if "Roll back v4 → v3" in m.buttons), None)
    )
    assert office.desk.production() == (4,)
    ana.click(copy, "Roll back v4 → v3")
    office.reads("ana", "needs the role on_call")
    otto.click(over, "Roll back v4 → v3")
    office.reads("otto", "MLflow Production is v3")
    office.slack.wait_for(
        lambda: not any("Roll back v4 → v3" in m.buttons for m in raj.messages(CHANNEL))
    )


def test_an_open_request_can_be_carried_out_past_policy_by_its_menu(office: Office) -> None:
    """Whoever may not is told so in the same place."""
    with_glass(office)
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    request = office.request()
    office.person("ana").choose(request, "more", BUTTON)
    filled(office, "ana", "needs the role on_call")
    otto = office.person("otto")
    otto.choose(request, "more", BUTTON)
    modal = filled(office, "otto", "1 approval from risk")
    assert otto.fill_and_submit(modal, dict(YES)).is_accepted
    office.reads("dana", "completed")
    assert office.desk.production() == (4,)
    assert "Break-glass by Otto (incident INC-12): carried out past policy. Skipped: 1" in (
        otto.sees(office.channel_says("Done. MLflow shows v4"))
    )
    thread = " ".join(otto.sees(m) for m in otto.thread(request))
    assert "Now executing. Break-glass (incident INC-12): v3 declines everybody" in thread


def test_a_form_that_was_filled_before_production_moved_does_nothing(office: Office) -> None:
    """Its request is over by now, and what it showed is not what would be done."""
    with_glass(office)
    office.desk.staged(4)
    office.desk.staged(5)
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    otto = office.person("otto")
    otto.choose(office.request(), "more", BUTTON)
    modal = filled(office, "otto", "1 approval from risk")
    assert json.loads(str(modal.payload["private_metadata"]))["downgrade"] is False
    office.desk.promoted(5)
    assert otto.fill_and_submit(modal, dict(YES)).is_accepted
    office.reads("otto", "is superseded by now")
    assert office.desk.production() == (5,)


def test_without_break_glass_in_the_policy_no_menu_offers_it(office: Office) -> None:
    """Absent: nobody may."""
    office.person("dana").type(CHANNEL, f"/promote {MODEL} 4 production better")
    said = str(office.request().blocks)
    assert "Withdraw my vote" in said
    assert BUTTON not in said


def test_a_rollback_by_somebody_without_the_role(office: Office) -> None:
    """Dana, at 2 a.m.; Otto reviews it."""
    with_glass(office, roles=("data_scientist",))
    office.desk.promoted()
    dana = office.person("dana")
    dana.type(CHANNEL, f"/rollback {MODEL}")
    dana.click(office.reads("dana", "On call: Otto"), BUTTON)
    modal = filled(office, "dana", "is rolled back at once, v4 → v3")
    assert dana.fill_and_submit(modal, dict(YES)).is_accepted
    office.reads("dana", "MLflow Production is v3")
    assert office.desk.production() == (3,)
    office.person("otto").click(office.reads("otto", "you were skipped"), "Accept")
    office.channel_says("Accepted by Otto")
    office.reads("dana", "Your break-glass was reviewed")
    assert review(office.desk).state is ReviewState.ACCEPTED


def test_an_order_that_lay_for_too_long_is_not_carried_out(office: Office) -> None:
    """The bot was down between the click and now."""
    with_glass(office)
    otto = office.person("otto")
    otto.type(CHANNEL, f"/promote {MODEL} 5 production because")
    otto.click(office.reads("otto", "Production takes versions from Staging"), BUTTON)
    filled(office, "otto", "goes to Production at once")
    with office.desk.store.transaction() as tx:
        at = tx.now.isoformat()
        order = (
            '{"user": "U0OTTO", "channel": "", "what": "promotion", "model": "credit_scoring", '
            '"version": "5", "from": "3", "downgrade": "no", "marks": "[]", "reason": "x", '
            f'"incident": "y", "at": "{at}"}}'
        )
        tx.accept("break_glass", "k1", order)
    office.desk.clock.advance(minutes=6)
    assert office.conversation.work_off() == 1
    office.reads("otto", "confirmed more than 5 minutes ago")
    assert office.desk.production() == (3,)


def test_a_review_by_hundreds_is_posted_and_names_fifty(office: Office) -> None:
    """Slack takes so much text in one section; each of the others hears of it directly."""
    with_glass(office)
    roster = office.desk.rules.rules.roster
    more = [a_person(f"p{n}", "risk", account=f"U0123456{n:03d}") for n in range(250)]
    roster = replace(roster, people={**roster.people, **{p.id: p for p in more}})
    office.desk.rules.rules = replace(office.desk.rules.rules, roster=roster)
    break_glass(office.desk)
    with office.desk.store.read() as tx:
        shown = shown_review(tx, office.desk.rules.rules, review(office.desk).id, pinged=True)
    drawn = review_message(shown)
    assert not message_problems(json.loads(json.dumps(drawn.blocks)))
    assert "and 205 more, each told directly" in drawn.text
    assert "<@U0OTTO>" in drawn.text


def test_an_overdue_review_reaches_those_who_can_end_it(office: Office) -> None:
    """By direct message, beside the message in the channel."""
    with_glass(office)
    break_glass(office.desk)
    office.desk.clock.advance(hours=24)
    look_after_reviews(office.desk.world)
    office.conversation.send_due()
    office.reads("raj", "Not reviewed in time")
    office.reads("dana", "Not reviewed in time")
    office.channel_says("Review overdue: needs one from")


def test_the_card_of_a_model_and_the_home_of_a_reviewer_say_what_is_due(office: Office) -> None:
    """With the buttons in Home."""
    with_glass(office)
    break_glass(office.desk)
    dana, ana = office.person("dana"), office.person("ana")
    dana.type(CHANNEL, f"/model {MODEL}")
    card = dana.sees(office.reads("dana", "by break-glass of Otto (INC-12)"))
    assert "by Otto (incident INC-12), review due 2026-03-03 12:00 UTC" in card
    assert "break-glass by otto (incident INC-12), review due" in card
    ana.open_home()
    waiting = office.home("ana", "Reviews of break-glass")
    assert "Nothing waits" not in ana.sees(waiting)
    ana.click(waiting, "Accept")
    office.reads("ana", "Your review is counted")
    assert "Reviews of break-glass" not in ana.sees(office.home("ana", "Nothing waits"))

"""Somebody is away: who may decide for them, who may not, and that everybody sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from governance.domain.approval import Verdict
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import Stage
from governance.domain.identity import PersonId, Role, SlackAccount
from governance.domain.ledger import EventKind
from governance.domain.policy import Seats
from governance.domain.promotion import State
from governance.ports import NoticeKind
from governance.use_cases.audit import render_trail, trail
from governance.use_cases.away import Leave, come_back, end_what_is_over, go_away
from tests.builders import MODEL, a_policy, a_rule, a_snapshot, some_rules
from tests.stories.desk import Desk

LAST_DAY = date(2026, 3, 6)
_MADE_BY_DANA = a_snapshot().author_claims
_MADE_BY_ANA = a_snapshot(author="ana").author_claims


@pytest.fixture(autouse=True)
def people(desk: Desk) -> None:
    """Otto may stand in for Ana, Vera and Dana; Raj may stand in for Ana; Vera for Otto."""
    named(desk, ana={"otto", "raj"}, vera={"otto"}, dana={"otto"}, otto={"vera"})


def named(desk: Desk, **stand_ins: set[str]) -> None:
    """Change people.yaml."""
    roster = desk.rules.rules.roster
    changed = {
        PersonId(name): replace(
            roster.people[PersonId(name)], stand_ins=frozenset(PersonId(s) for s in others)
        )
        for name, others in stand_ins.items()
    }
    roster = replace(roster, people={**roster.people, **changed})
    desk.rules.rules = replace(desk.rules.rules, roster=roster)


def away(
    desk: Desk,
    name: str,
    stand_in: str | None = "otto",
    last_day: date = LAST_DAY,
    *,
    account: str | None = None,
) -> None:
    """Somebody goes away."""
    actor = desk.actor(name, account)
    leave = Leave(last_day=last_day, stand_in=PersonId(stand_in) if stand_in else None)
    go_away(desk.world, leave, actor=actor, standing=desk.accounts.standing(actor.account))


def back(desk: Desk, name: str) -> None:
    """And comes back."""
    come_back(desk.world, actor=desk.actor(name))


def asked(desk: Desk) -> set[str]:
    """Who is asked since the last time."""
    return {str(n.person) for n in desk.notices() if n.kind is NoticeKind.ASK}


def test_a_stand_in_fills_the_seat_of_who_is_away_and_the_trail_says_so(desk: Desk) -> None:
    """Recorded with the vote and with the transition."""
    away(desk, "ana")
    request = desk.promote()
    assert asked(desk) == {"otto", "raj", "rosa", "vera"}
    desk.vote(request, "otto")
    desk.vote(request, "raj")
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    decided = [e for e in desk.events() if e["kind"] == EventKind.DECISION_MADE.value]
    assert isinstance(decided[0]["facts"], dict)
    assert decided[0]["facts"]["standing_in"] == [["ana", ["validator"], "2026-03-06"]]
    with desk.store.read() as tx:
        assert "approved by otto for ana (validator), raj (risk)" in render_trail(trail(tx, MODEL))


def test_an_absence_that_began_later_counts_for_a_request_that_is_open(desk: Desk) -> None:
    """Ana herself hands on what she could do; the stand-in is asked, the channel is told."""
    request = desk.promote()
    desk.notices()
    away(desk, "ana")
    notices = desk.notices()
    assert "otto" in {str(n.person) for n in notices if n.kind is NoticeKind.ASK}
    assert [(n.what, n.facts["stand_in"]) for n in notices if n.kind is NoticeKind.CHANNEL] == [
        ("away", "otto")
    ]
    assert [(n.what, n.person) for n in notices if n.kind is NoticeKind.TELL] == [
        ("stands_in_away", "otto")
    ]
    desk.vote(request, "otto")


@pytest.mark.parametrize("what", ["role", "stand-in"])
def test_what_people_yaml_gave_after_a_request_opened_does_not_count_for_it(
    desk: Desk, what: str
) -> None:
    """Neither a role that is lent nor the permission to stand in."""
    if what == "role":
        desk.with_roles("ana", "on_call")
        named(desk, ana={"otto"}, vera=set())
    else:
        named(desk, ana=set(), vera=set())
    request = desk.promote()
    desk.with_roles("ana", "validator")
    named(desk, ana={"otto"})
    away(desk, "ana")
    with pytest.raises(Refused, match="Otto is none"):
        desk.vote(request, "otto")


def test_a_stand_in_is_barred_where_either_is(desk: Desk) -> None:
    """Otto stands in for Ana and for Dana, who asks: for no seat; and where he asks himself."""
    away(desk, "ana")
    away(desk, "dana")
    request = desk.promote()
    assert "otto" not in asked(desk)
    with pytest.raises(Refused, match="Otto stands in for Dana, who opened this request"):
        desk.vote(request, "otto")
    desk.with_roles("otto", "on_call", "risk")
    with pytest.raises(Refused, match="Otto stands in for Dana"):
        desk.vote(request, "otto")
    back(desk, "dana")
    desk.withdraw(request, "dana")
    own = desk.promote(by="otto")
    with pytest.raises(Refused, match="Otto opened this request"):
        desk.vote(own, "otto")


def test_a_stand_in_has_nothing_from_an_author(desk: Desk) -> None:
    """Ana made the version and is away."""
    desk.registry.change(MODEL, 4, author_claims=a_snapshot(author="ana").author_claims)
    away(desk, "ana")
    request = desk.promote()
    assert "otto" not in asked(desk)
    with pytest.raises(Refused, match="stands in for Ana, who made this version"):
        desk.vote(request, "otto")


@pytest.mark.parametrize("own", ["on_call", "validator"])
@pytest.mark.parametrize("look", ["before the transition", "every minute"])
def test_a_stand_ins_vote_falls_when_who_is_away_is_named_as_an_author(
    desk: Desk, look: str, own: str
) -> None:
    """Ana is named after Otto voted for her: whoever has her voice has her conflict, for any seat,
    also with a role of their own."""
    desk.with_roles("otto", own)
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    if look == "before the transition":
        desk.vote(request, "raj")
    desk.registry.change(MODEL, 4, author_claims=(*_MADE_BY_DANA, *_MADE_BY_ANA))
    if look == "before the transition":
        desk.push_on()
    else:
        desk.look_around()
    stands = desk.request(request.id)
    assert (stands.state, desk.production()) == (State.PENDING, (3,))
    assert stands.makers == {"dana", "ana"}
    with desk.store.read() as tx:
        assert "otto" not in {d.person for d in tx.decisions(request.id)}
    (told,) = [n for n in desk.notices() if n.what == "vote_voided"]
    assert told.person == "otto"
    assert "MLflow names Ana, for whom they stood in, as an author by now" in str(told.facts["why"])


def test_a_stand_in_who_is_away_too_keeps_the_conflict_and_loses_the_voice(desk: Desk) -> None:
    """Otto says that he is away, and is nevertheless named by Dana, who asks."""
    desk.with_roles("otto", "risk")
    away(desk, "ana")
    away(desk, "dana")
    request = desk.promote()
    away(desk, "otto", None)
    with pytest.raises(Refused, match="Otto stands in for Dana, who opened this request"):
        desk.vote(request, "otto")
    back(desk, "dana")
    desk.vote(request, "otto")
    with desk.store.read() as tx:
        (vote,) = tx.decisions(request.id)
    assert [(s.absent, s.roles) for s in vote.standing_in] == [("ana", frozenset())]


@pytest.mark.parametrize("since", ["opening", "the absence", "the vote"])
def test_a_voice_is_lent_only_with_an_account_that_may_decide_itself(
    desk: Desk, since: str
) -> None:
    """An account that was added to people.yaml after the request opened, one that was taken away
    before Otto decided, and one that was taken away afterwards."""
    if since == "opening":
        request = desk.promote()
        _accounts_of_ana(desk, "U0ANA", "U0OTHER")
        away(desk, "ana", account="U0OTHER")
    else:
        _accounts_of_ana(desk, "U0ANA", "U0OTHER")
        away(desk, "ana", account="U0OTHER")
        if since == "the absence":
            _accounts_of_ana(desk, "U0ANA")
        request = desk.promote()
    if since == "the vote":
        desk.vote(request, "otto")
        desk.vote(request, "raj")
        _accounts_of_ana(desk, "U0ANA")
        desk.push_on()
        assert (desk.request(request.id).state, desk.production()) == (State.PENDING, (3,))
        return
    assert "otto" not in asked(desk)
    with pytest.raises(Refused, match="Otto is none"):
        desk.vote(request, "otto")


def _accounts_of_ana(desk: Desk, *accounts: str) -> None:
    roster = desk.rules.rules.roster
    ana = replace(
        roster.people[PersonId("ana")], slack=frozenset(SlackAccount(a) for a in accounts)
    )
    roster = replace(roster, people={**roster.people, ana.id: ana})
    desk.rules.rules = replace(desk.rules.rules, roster=roster)


def test_nothing_is_handed_on(desk: Desk) -> None:
    """Ana → Otto → Vera: Otto is away too, so nobody has Ana's voice; Ana is told."""
    away(desk, "ana")
    desk.notices()
    away(desk, "otto", "vera")
    gone = [n for n in desk.notices() if n.what == "stand_in_gone"]
    assert [n.person for n in gone] == ["ana"]
    seats = (Seats(role=Role("validator"), count=2), Seats(role=Role("risk"), count=1))
    desk.rules.rules = replace(
        some_rules(a_policy(a_rule(Stage.STAGING), a_rule(seats=seats))),
        roster=desk.rules.rules.roster,
    )
    request = desk.promote()
    desk.vote(request, "vera")
    with desk.store.read() as tx:
        (vote,) = tx.decisions(request.id)
    assert [s.absent for s in vote.standing_in] == ["otto"]
    with pytest.raises(Refused, match="Otto is none"):
        desk.vote(request, "otto")
    with pytest.raises(Refused, match="whoever is away stands in for nobody"):
        away(desk, "ana", "otto")


def test_one_voice_of_ana(desk: Desk) -> None:
    """Two validators are needed: Otto for Ana and Ana herself are one of them; hers comes first."""
    seats = (Seats(role=Role("validator"), count=2),)
    desk.rules.rules = replace(
        some_rules(a_policy(a_rule(Stage.STAGING), a_rule(seats=seats))),
        roster=desk.rules.rules.roster,
    )
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    desk.vote(request, "ana")
    assert desk.request(request.id).state is State.PENDING
    desk.vote(request, "vera")
    desk.push_on()
    with desk.store.read() as tx:
        assert "approved by ana (validator), vera (validator)" in render_trail(trail(tx, MODEL))


def test_a_second_stand_in_has_no_second_voice(desk: Desk) -> None:
    """Otto decided for Ana before she named Raj; what Otto decided stays decided."""
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    back(desk, "ana")
    away(desk, "ana", "raj")
    desk.vote(request, "raj")
    assert desk.request(request.id).state is State.APPROVED
    with desk.store.read() as tx:
        roles = {d.person: [s.roles for s in d.standing_in] for d in tx.decisions(request.id)}
    assert roles[PersonId("raj")] == [frozenset()]


def test_what_ana_says_herself_takes_the_place_of_what_was_said_for_her(desk: Desk) -> None:
    """Also when she asks for changes."""
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    assert desk.vote(request, "raj").state is State.APPROVED
    again = desk.vote(request, "ana", Verdict.ASK_FOR_CHANGES, "Which data?")
    assert again.state is State.PENDING


@pytest.mark.parametrize(
    ("verdict", "then"),
    [
        (Verdict.ASK_FOR_CHANGES, "answered"),
        (Verdict.ASK_FOR_CHANGES, "withdrawn"),
        (Verdict.APPROVE, "withdrawn"),
    ],
)
def test_what_was_said_for_ana_never_comes_back_once_she_decided_herself(
    desk: Desk, verdict: Verdict, then: str
) -> None:
    """However her own decision ends: Otto's is over for good, and he is told."""
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    desk.vote(request, "ana", verdict, "Which data?")
    (told,) = [n for n in desk.notices() if n.what == "vote_voided"]
    assert (told.person, told.facts["why"]) == ("otto", "Ana decided themselves")
    desk.vote(request, "raj")
    if then == "answered":
        desk.answer(request, "The last quarter.")
    else:
        desk.withdraw_vote(request, "ana")
    desk.push_on()
    assert (desk.request(request.id).state, desk.production()) == (State.PENDING, (3,))
    with desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["raj"]


def test_a_stand_in_with_a_role_of_their_own_keeps_that_alone(desk: Desk) -> None:
    """Otto decides as risk himself and as validator for Ana, who then says something herself."""
    desk.with_roles("otto", "risk")
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    desk.vote(request, "ana")
    desk.withdraw_vote(request, "ana")
    with desk.store.read() as tx:
        (vote,) = tx.decisions(request.id)
    assert (vote.person, [s.roles for s in vote.standing_in]) == ("otto", [frozenset()])
    (told,) = [n for n in desk.notices() if n.what == "voice_ended"]
    assert (told.person, told.facts) == ("otto", {"absent": "ana"})
    assert desk.kinds().count(EventKind.VOICE_ENDED.value) == 1
    desk.vote(request, "raj")
    assert desk.request(request.id).state is State.PENDING
    assert desk.vote(request, "vera").state is State.APPROVED


def test_ana_has_one_voice_to_reject_with(desk: Desk) -> None:
    """Two rejections end a request: Otto's for her and her own are one."""
    desk.rules.rules = replace(
        some_rules(a_policy(a_rule(Stage.STAGING), a_rule(rejections_to_end=2))),
        roster=desk.rules.rules.roster,
    )
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto", Verdict.REJECT, "no")
    assert desk.vote(request, "ana", Verdict.REJECT, "no").state is State.PENDING
    assert desk.vote(request, "vera", Verdict.REJECT, "no").state is State.REJECTED


@pytest.mark.parametrize("lost", ["role", "permission", "account"])
def test_a_vote_for_somebody_falls_with_what_it_rests_on(desk: Desk, lost: str) -> None:
    """Ana loses her role, people.yaml no longer names Otto, or Ana left Slack."""
    away(desk, "ana")
    request = desk.promote()
    desk.vote(request, "otto")
    desk.vote(request, "raj")
    if lost == "role":
        desk.with_roles("ana", "on_call")
    elif lost == "permission":
        named(desk, ana={"raj"})
    else:
        desk.accounts.gone.add("U0ANA")
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.request(request.id).state is State.PENDING


def test_an_absence_ends_by_itself_and_what_was_decided_stays(desk: Desk) -> None:
    """Midnight in Amsterdam is 23:00 UTC; Otto's vote counts, a new one would not."""
    desk.accounts.zones["U0ANA"] = "Europe/Amsterdam"
    away(desk, "ana", last_day=date(2026, 3, 3))
    request = desk.promote()
    desk.vote(request, "otto")
    desk.clock.advance(hours=35, minutes=-1)
    assert end_what_is_over(desk.world) == 0
    desk.clock.advance(minutes=1)
    assert end_what_is_over(desk.world) == 1
    assert end_what_is_over(desk.world) == 0
    desk.withdraw_vote(request, "otto")
    with pytest.raises(Refused, match="Otto is none"):
        desk.vote(request, "otto")
    ended = [e for e in desk.events() if e["kind"] == EventKind.ABSENCE_ENDED.value]
    assert [e["why"] for e in ended] == ["the last day is over"]


@pytest.mark.parametrize(
    ("stand_in", "days", "why"),
    [
        ("rosa", 1, "people.yaml does not name rosa under your stand_ins"),
        ("ana", 1, "does not name ana"),
        ("otto", -1, "An absence ends between today and"),
        ("otto", 91, "90 days ahead"),
    ],
)
def test_an_absence_that_is_none_is_refused_and_recorded(
    desk: Desk, stand_in: str, days: int, why: str
) -> None:
    """Nothing changes."""
    with pytest.raises(Refused, match=why):
        away(desk, "ana", stand_in, desk.clock.now.date() + timedelta(days=days))
    assert desk.kinds()[-1] == EventKind.ABSENCE_REFUSED.value
    with desk.store.read() as tx:
        assert tx.absences() == ()


def test_the_same_absence_told_again_is_told_to_nobody(desk: Desk) -> None:
    """Nothing is recorded and nothing posted; another day or stand-in is news."""
    away(desk, "ana")
    desk.notices()
    before = desk.kinds()
    with pytest.raises(Conflict, match="already so"):
        away(desk, "ana")
    assert (desk.kinds(), desk.notices()) == (before, [])
    away(desk, "ana", "raj")
    away(desk, "ana", "raj", LAST_DAY + timedelta(days=1))
    assert desk.kinds().count(EventKind.ABSENCE_BEGAN.value) == 3


def test_who_is_away_is_neither_asked_nor_reminded_and_asked_when_back(desk: Desk) -> None:
    """Ana has no stand-in."""
    away(desk, "ana", None)
    request = desk.promote()
    assert "ana" not in asked(desk)
    back(desk, "ana")
    assert asked(desk) == {"ana"}
    desk.vote(request, "ana")
    with pytest.raises(Refused, match="You are not away"):
        back(desk, "ana")

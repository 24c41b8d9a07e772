"""A round of changes: asked, answered in words or with a newer version, and looked at again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from governance.domain.approval import Verdict
from governance.domain.errors import Conflict, Refused
from governance.domain.evidence import AuthorClaim, Stage
from governance.domain.identity import Role
from governance.domain.ledger import EventKind
from governance.domain.policy import Seats
from governance.domain.promotion import Request, State
from governance.ports import NoticeKind
from governance.use_cases.audit import verify
from tests.builders import (
    MODEL,
    a_content,
    a_metric,
    a_policy,
    a_rule,
    a_snapshot,
    some_rules,
)
from tests.stories.desk import Desk

ASKED = "Which data was held out?"
SAID = "The last quarter; see the ticket."


@pytest.fixture
def asked(desk: Desk) -> Request:
    """Ana asks for changes on v4."""
    request = desk.vote(desk.promote(), "ana", Verdict.ASK_FOR_CHANGES, ASKED)
    desk.notices()
    return request


def test_nothing_is_carried_out_while_what_was_asked_is_unanswered(
    desk: Desk, asked: Request
) -> None:
    """Vera and Raj fill every seat: it stays pending, and goes on with the answer."""
    desk.vote(asked, "vera")
    assert desk.vote(asked, "raj").state is State.PENDING
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.answer(asked, SAID).state is State.APPROVED
    desk.push_on()
    assert desk.production() == (4,)


def test_to_ask_for_changes_takes_an_approved_request_back(desk: Desk) -> None:
    """It is held for its soak time when Rosa asks."""
    desk.rules.rules = some_rules(a_policy(a_rule(Stage.STAGING), a_rule(soak=timedelta(days=1))))
    desk.staged(5)
    request = desk.promote(5)
    desk.vote(request, "ana")
    assert desk.vote(request, "raj").state is State.HELD
    again = desk.vote(request, "rosa", Verdict.ASK_FOR_CHANGES, ASKED)
    assert again.state is State.PENDING
    assert again.note == "An answer to Rosa is missing, from Dana."


def test_whoever_asked_takes_it_back_by_approving_or_withdrawing(
    desk: Desk, asked: Request
) -> None:
    """No answer is needed then."""
    desk.vote(asked, "raj")
    assert desk.vote(asked, "ana").state is State.APPROVED
    desk.withdraw_vote(asked, "ana")
    desk.vote(asked, "ana", Verdict.ASK_FOR_CHANGES, ASKED)
    desk.withdraw_vote(asked, "ana")
    assert desk.vote(asked, "vera").state is State.APPROVED


def test_what_was_asked_stays_when_the_evidence_changes(desk: Desk, asked: Request) -> None:
    """Whoever writes to MLflow gets rid of an approval by it, and of no question."""
    desk.vote(asked, "raj")
    desk.registry.change(MODEL, 4, metrics=(a_metric(text="0.91"),))
    desk.look_around()
    again = desk.request(asked.id)
    assert again.drawing != asked.drawing
    assert again.note.endswith(
        "1 vote is void. What was asked for is still to be answered. Look again."
    )
    told = [n.person for n in desk.notices() if n.what == "vote_voided"]
    assert told == ["raj"]
    desk.vote(again, "raj")
    assert desk.vote(again, "vera").state is State.PENDING
    assert verify(desk.store, desk.heads).ok
    assert desk.answer(asked, SAID).state is State.APPROVED


def test_naming_whoever_asked_as_an_author_answers_nothing(desk: Desk, asked: Request) -> None:
    """Ana may approve it no more; what she asked is answered by Dana, and not by a tag."""
    claims = tuple(AuthorClaim(name=n, where="run") for n in ("dana", "ana"))
    desk.registry.change(MODEL, 4, author_claims=claims)
    desk.look_around()
    assert desk.request(asked.id).makers == {"dana", "ana"}
    desk.vote(asked, "raj")
    assert desk.vote(asked, "vera").state is State.PENDING
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.answer(asked, SAID).state is State.APPROVED


def test_an_answer_is_recorded_told_and_asks_again(desk: Desk, asked: Request) -> None:
    """Ana is told with what she asked, and asked to decide anew; it stands on the request."""
    answered = desk.answer(asked, SAID)
    notices = desk.notices()
    (told,) = [n for n in notices if n.what == "changes_answered"]
    assert (told.person, told.facts["answer"], told.facts["asked"]) == ("ana", SAID, ASKED)
    assert [n.person for n in notices if n.kind is NoticeKind.ASK] == ["ana"]
    assert [n.what for n in notices if n.kind is NoticeKind.TIMELINE] == ["answered"]
    assert [(a.text, a.to) for a in answered.answers] == [(SAID, ("ana",))]
    (event,) = [e for e in desk.events() if e["kind"] == EventKind.CHANGES_ANSWERED.value]
    assert (event["person"], event["why"]) == ("dana", SAID)
    assert event["facts"] == {"asked_by": ["ana"], "followed_by": None}
    with desk.store.read() as tx:
        assert tx.decisions(asked.id) == ()
        assert [p.ended_why for p in tx.past_decisions(asked.id)] == ["answered by the requester"]


def test_one_answer_ends_what_several_asked_and_keeps_the_approvals(desk: Desk) -> None:
    """Two asked; Raj's approval stands."""
    seats = (Seats(role=Role("validator"), count=2), Seats(role=Role("risk"), count=1))
    desk.rules.rules = some_rules(a_policy(a_rule(Stage.STAGING), a_rule(seats=seats)))
    request = desk.promote()
    desk.vote(request, "ana", Verdict.ASK_FOR_CHANGES, ASKED)
    desk.vote(request, "vera", Verdict.ASK_FOR_CHANGES, "How many bads?")
    desk.vote(request, "raj")
    desk.answer(request, SAID)
    with desk.store.read() as tx:
        assert [d.person for d in tx.decisions(request.id)] == ["raj"]
    desk.vote(request, "ana")
    assert desk.vote(request, "vera").state is State.APPROVED


@pytest.mark.parametrize(
    ("by", "text", "why"),
    [
        ("otto", SAID, "Only Dana, who opened this request, answers"),
        ("ana", SAID, "Only Dana, who opened this request, answers"),
        ("dana", "  ", "Say what is new"),
        ("dana", "x" * 3001, "at most 3000 fit"),
        ("dana", "a\x00b", "control characters"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_recorded(
    desk: Desk, asked: Request, by: str, text: str, why: str
) -> None:
    """What was asked stays."""
    with pytest.raises(Refused, match=why):
        desk.answer(asked, text, by=by)
    assert desk.kinds()[-1] == EventKind.ANSWER_REFUSED.value
    with desk.store.read() as tx:
        assert len(tx.decisions(asked.id)) == 1


def test_there_is_nothing_to_answer_twice_or_after_the_end(desk: Desk, asked: Request) -> None:
    """Each is said."""
    desk.answer(asked, SAID)
    with pytest.raises(Refused, match="Nobody asks for changes on this request any more"):
        desk.answer(asked, SAID)
    desk.vote(asked, "ana", Verdict.ASK_FOR_CHANGES, ASKED)
    desk.clock.now = asked.expires_at
    with pytest.raises(Refused, match="has expired"):
        desk.answer(asked, SAID)


@pytest.mark.parametrize("way", ["words", "version"])
@pytest.mark.parametrize("what", ["somebody else", "something else", "once more"])
def test_an_answer_ends_only_what_the_requester_was_shown(
    desk: Desk, asked: Request, way: str, what: str
) -> None:
    """Something else is asked while Dana writes: she is told to read it, and all of it stays."""
    desk.staged(5)
    shown = desk.asks_of(asked.id)
    desk.clock.advance(minutes=1)
    if what == "somebody else":
        desk.vote(asked, "vera", Verdict.ASK_FOR_CHANGES, "This leaks the target.")
    else:
        desk.withdraw_vote(asked, "ana")
        text = ASKED if what == "once more" else "This leaks the target."
        desk.vote(asked, "ana", Verdict.ASK_FOR_CHANGES, text)
    before = desk.asks_of(asked.id)
    ways: dict[str, Callable[[], object]] = {
        "words": lambda: desk.answer(asked, SAID, shown=shown),
        "version": lambda: desk.promote(5, reason=SAID, follows=asked.id, shown=shown),
    }
    with pytest.raises(Conflict, match="not counted") as told:
        ways[way]()
    assert told.value.code == "stale_round"
    assert (desk.asks_of(asked.id), desk.request(asked.id).state) == (before, State.PENDING)
    assert desk.answer(asked, SAID, shown=before).answers


# --- a newer version ----------------------------------------------------------------------------


def test_a_newer_version_answers_in_a_request_that_names_the_one_it_follows(
    desk: Desk, asked: Request
) -> None:
    """The old one ends with the link, and Ana is told on the new one."""
    desk.staged(5)
    newer = desk.promote(5, reason="Trained without the last quarter.", follows=asked.id)
    old = desk.request(asked.id)
    assert (newer.follows, old.followed_by) == (asked.id, newer.id)
    assert old.state is State.SUPERSEDED
    assert old.note == f"v5 follows in request {newer.id}, in answer to what was asked."
    notices = desk.notices()
    (told,) = [n for n in notices if n.what == "changes_followed"]
    assert (told.person, told.request_id, told.facts["before"]) == ("ana", newer.id, 4)
    assert "ana" in [n.person for n in notices if n.kind is NoticeKind.ASK]
    opened = [e for e in desk.events() if e["kind"] == EventKind.REQUEST_OPENED.value][-1]
    assert isinstance(opened["facts"], dict)
    assert opened["facts"]["follows"] == asked.id
    desk.vote(newer, "ana")
    desk.vote(newer, "raj")
    desk.push_on()
    assert desk.production() == (5,)


@pytest.mark.parametrize(
    ("by", "version", "target", "why"),
    [
        ("otto", 5, Stage.PRODUCTION, "Only Dana, who opened this request, answers"),
        ("dana", 3, Stage.PRODUCTION, "already in Production"),
        ("dana", 2, Stage.PRODUCTION, "v2 is no newer version than v4"),
        ("dana", 6, Stage.STAGING, "An answer is a newer version of credit_scoring for Production"),
    ],
)
def test_what_is_no_newer_version_does_not_follow(
    desk: Desk, asked: Request, by: str, version: int, target: Stage, why: str
) -> None:
    """The request stays open with what was asked, and no other is opened."""
    desk.staged(5)
    for number, stage in ((2, Stage.STAGING), (6, Stage.NONE)):
        desk.registry.add(a_snapshot(number, stage=stage), a_content(number))
    if version == 2:
        desk.staged(2)
    with pytest.raises(Refused, match=why):
        desk.promote(version, by=by, target=target, follows=asked.id, downgrade=version == 2)
    assert desk.request(asked.id).state is State.PENDING
    with desk.store.read() as tx:
        assert [r.id for r in tx.open_requests()] == [asked.id]


def test_a_newer_version_follows_only_where_changes_are_asked_for(desk: Desk) -> None:
    """Else it is a request of its own."""
    request = desk.promote()
    desk.staged(5)
    with pytest.raises(Refused, match="Nobody asks for changes"):
        desk.promote(5, follows=request.id)

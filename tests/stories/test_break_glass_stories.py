"""An emergency: one person goes past policy, everybody hears of it, and those who were skipped have
the last word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from governance.domain.break_glass import Bypass
from governance.domain.errors import Conflict, IntegrityViolation, Refused
from governance.domain.evidence import Content, ModelName, Stage, Version
from governance.domain.identity import Role, UserGroup
from governance.domain.ledger import EventKind
from governance.domain.policy import Seats
from governance.domain.promotion import State
from governance.domain.review import Answer, ReviewState
from governance.use_cases.audit import render_trail, trail, verify
from governance.use_cases.break_glass import Plea, could_break_glass
from governance.use_cases.break_glass_rollback import break_glass_to_roll_back
from governance.use_cases.reviews import look_after_reviews
from tests.builders import MODEL, a_content, a_policy, a_rule, a_snapshot, some_rules
from tests.fakes import Crash
from tests.stories.desk import Desk
from tests.stories.glass import (
    WHY,
    a_day_later,
    break_glass,
    break_glass_back,
    demands,
    glass_policy,
    plan,
    plan_back,
    review,
    says,
    told,
    with_glass,
)
from tests.stories.test_home_stories import home

# --- a promotion ----------------------------------------------------------------------------------


def test_one_person_puts_a_version_into_production_and_everybody_skipped_is_told(
    desk: Desk,
) -> None:
    """Recorded before it is done, read back, and due for review by those who were skipped."""
    with_glass(desk)
    planned = plan(desk)
    assert planned.skipped.lines == ("1 approval from risk", "1 approval from validator")
    assert planned.reviewers == ("ana", "raj", "rosa", "vera")
    desk.notices()
    done = break_glass(desk)
    assert done.state is State.COMPLETED
    assert desk.production() == (4,)
    kinds = desk.kinds()
    order = [
        EventKind.REQUEST_OPENED,
        EventKind.GLASS_BROKEN,
        EventKind.TRANSITION_INTENDED,
        EventKind.TRANSITION_DONE,
        EventKind.REVIEW_OPENED,
    ]
    assert sorted(order, key=lambda k: kinds.index(k.value)) == order
    broken = next(e for e in desk.events() if e["kind"] == EventKind.GLASS_BROKEN.value)
    assert (broken["person"], broken["why"]) == ("otto", WHY)
    due = review(desk)
    assert (due.state, due.due_at) == (ReviewState.DUE, planned.due_at)
    asked = [n.person for n in desk.notices() if n.what == "ask"]
    assert asked == ["ana", "raj", "rosa", "vera"]
    assert verify(desk.store, desk.heads).ok


def test_a_version_that_was_rolled_back_is_shown_as_that(desk: Desk) -> None:
    """In the form, and to those who review it: nobody waved it through since."""
    with_glass(desk)
    desk.promoted()
    desk.clock.advance(minutes=1)
    desk.roll_back()
    quarantined = [line for line in plan(desk).skipped.lines if "v4 is quarantined: " in line]
    assert len(quarantined) == 1
    assert "Rolled back" in quarantined[0]
    break_glass(desk)
    assert quarantined[0] in review(desk).glass.skipped.lines


def test_a_check_that_failed_is_passed_by_name_and_kept_with_the_request(desk: Desk) -> None:
    """What the approvers would have seen stays to be seen."""
    with_glass(desk, auc=0.9)
    with pytest.raises(Refused) as refusal:
        desk.promote()
    assert could_break_glass(
        desk.world, Bypass.PROMOTION, refusal.value.code, MODEL, desk.actor("otto")
    )
    done = break_glass(desk)
    assert done.state is State.COMPLETED
    assert any("auc_validation is 0.78" in c.finding for c in done.checks)
    assert "check auc_validation at least 0.9 failed: auc_validation is 0.78" in (
        review(desk).glass.skipped.lines
    )


def test_a_version_that_never_was_in_staging_can_go_at_once(desk: Desk) -> None:
    """Named among what is skipped; the reviewers are those of Production."""
    with_glass(desk)
    done = break_glass(desk, 5)
    assert done.state is State.COMPLETED
    lines = review(desk).glass.skipped.lines
    assert "Production takes versions from Staging: it is in stage None" in lines


def test_makers_may_break_glass_and_never_review_it(desk: Desk) -> None:
    """Dana trained v4."""
    with_glass(desk)
    break_glass(desk, by="dana")
    with pytest.raises(Refused, match="Dana broke the glass"):
        says(desk, "dana")
    assert desk.kinds()[-1] == EventKind.REVIEW_REFUSED.value


def test_an_open_request_keeps_its_votes_and_only_the_empty_seat_reviews(desk: Desk) -> None:
    """Ana approved; risk is skipped, and Ana does not sit there too."""
    with_glass(desk)
    request = desk.promote()
    desk.vote(request, "ana")
    assert plan(desk).skipped.lines == ("1 approval from risk",)
    done = break_glass(desk)
    assert (done.id, done.state) == (request.id, State.COMPLETED)
    with pytest.raises(Refused, match="Ana filled another seat"):
        says(desk, "ana")
    with pytest.raises(Refused, match="Dana opened this request"):
        says(desk, "dana")
    assert says(desk, "raj").state is ReviewState.ACCEPTED


def test_a_request_that_waits_for_the_soak_is_reviewed_by_all_its_seats(desk: Desk) -> None:
    """Nobody was skipped, a check was: those who approved look once more."""
    with_glass(desk)
    rules = (a_rule(Stage.STAGING), a_rule(soak=timedelta(days=1)))
    policy = replace(a_policy(*rules), break_glass=glass_policy().break_glass)
    desk.rules.rules = some_rules(policy)
    desk.staged(4)
    request = desk.promote()
    desk.vote(request, "ana")
    assert desk.vote(request, "raj").state is State.HELD
    done = break_glass(desk)
    assert done.state is State.COMPLETED
    assert len(review(desk).glass.skipped.lines) == 1
    says(desk, "ana")
    assert says(desk, "raj").state is ReviewState.ACCEPTED


def test_files_that_changed_since_people_looked_stop_it(desk: Desk) -> None:
    """The request ends as it would at any execution."""
    with_glass(desk)
    request = desk.promote()
    shown = plan(desk).skipped.marks
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="other weights")
    done = break_glass(desk, shown=shown)
    assert (done.id, done.state) == (request.id, State.VOIDED)
    assert desk.production() == (3,)


def test_what_changed_while_files_were_read_is_looked_at_again(desk: Desk) -> None:
    """Somebody logs another number in between: nothing is done that nobody saw."""
    with_glass(desk)
    shown = plan(desk).skipped.marks
    before = desk.registry.content

    def slow(
        model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        desk.registry.change(MODEL, 4, parameters={"C": "9"})
        return before(model, version, progress=progress)

    desk.registry.content = slow  # type: ignore[method-assign]  # a registry that is slow
    with pytest.raises(Conflict, match="changed while its files were read"):
        break_glass(desk, shown=shown)
    assert desk.production() == (3,)


# --- what it does not pass ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "code"), [("raj", "may_not_break_glass"), ("mallory", "unknown_account")]
)
def test_who_may_not_is_refused_and_recorded(desk: Desk, by: str, code: str) -> None:
    """By role, and only people of people.yaml."""
    with_glass(desk)
    with pytest.raises(Refused) as refusal:
        break_glass(desk, by=by, shown=frozenset())
    assert refusal.value.code == code
    assert desk.kinds()[-1] == EventKind.BREAK_GLASS_REFUSED.value
    assert desk.production() == (3,)


def test_a_policy_without_the_key_lets_nobody(desk: Desk) -> None:
    """It fails closed."""
    with pytest.raises(Refused, match="lets nobody break glass"):
        break_glass(desk, shown=frozenset())
    assert not could_break_glass(
        desk.world, Bypass.PROMOTION, "checks_failed", MODEL, desk.actor("otto")
    )


@pytest.mark.parametrize("code", ["unknown_author", "downgrade", "several_in_production"])
def test_some_refusals_stand_for_everybody(desk: Desk, code: str) -> None:
    """Who made it cannot be skipped: the reviewers could be the makers."""
    with_glass(desk)
    assert not could_break_glass(desk.world, Bypass.PROMOTION, code, MODEL, desk.actor("otto"))


def test_a_version_whose_author_nobody_knows_is_refused(desk: Desk) -> None:
    """As ever."""
    with_glass(desk)
    desk.registry.add(a_snapshot(6, author="stranger"), a_content(6))
    with pytest.raises(Refused, match="Nobody is known to have made"):
        break_glass(desk, 6)


@pytest.mark.parametrize(
    ("reason", "incident", "code"),
    [
        (" ", "INC-12", "reason_missing"),
        ("x", "\n", "incident_missing"),
        ("x" * 3001, "INC-12", "text_too_long"),
        ("x", "I" * 201, "text_too_long"),
        ("x\x00", "INC-12", "control_characters"),
        ("x", "INC-12\nApproved by Ana", "line_break"),
        ("x", "INC-12\u2028Approved by Ana", "line_break"),
    ],
)
def test_reason_and_incident_are_required_and_taken_whole(
    desk: Desk, reason: str, incident: str, code: str
) -> None:
    """Never cut."""
    with_glass(desk)
    with pytest.raises(Refused) as refusal:
        break_glass(desk, reason=reason, incident=incident)
    assert refusal.value.code == code
    assert desk.production() == (3,)


def test_more_than_was_shown_is_not_skipped(desk: Desk) -> None:
    """A vote was withdrawn between looking and confirming."""
    with_glass(desk)
    request = desk.promote()
    desk.vote(request, "ana")
    shown = plan(desk).skipped.marks
    desk.withdraw_vote(request, "ana")
    with pytest.raises(Conflict, match="More would be skipped"):
        break_glass(desk, shown=shown)
    assert desk.production() == (3,)
    desk.vote(request, "ana")
    desk.vote(request, "raj")  # by now policy allows it by itself
    desk.push_on()
    assert desk.production() == (4,)


def test_what_nobody_could_review_nobody_does_alone(desk: Desk) -> None:
    """Raj and Rosa are the only ones for two seats of risk, and Rosa would break it."""
    rule = a_rule(seats=(Seats(role=Role("risk"), count=2),))
    policy = replace(a_policy(a_rule(Stage.STAGING), rule), break_glass=glass_policy().break_glass)
    desk.rules.rules = some_rules(policy)
    desk.with_roles("rosa", "risk", "on_call")
    with pytest.raises(Refused, match="Nobody is left"):
        plan(desk, by="rosa")
    assert plan(desk, by="otto").reviewers == ("raj", "rosa")


def test_a_record_that_contradicts_its_heads_stops_a_promotion_and_no_rollback(
    desk: Desk, database_url: str
) -> None:
    """Glass or not; the rollback is marked."""
    with_glass(desk)
    desk.promoted()
    planned = plan(desk, 5)
    _forge(desk)
    with pytest.raises(IntegrityViolation):
        break_glass(desk, 5, shown=planned.skipped.marks)
    assert desk.production() == (4,)
    restored = break_glass_back(desk)
    assert restored.record_in_doubt
    assert desk.production() == (3,)


def _forge(desk: Desk) -> None:
    """A head of a longer log than there is."""
    newest = desk.heads.newest()
    assert newest is not None
    desk.heads.append(replace(newest.head, size=newest.head.size + 50))


# --- killed, lost, failed -------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
def test_killed_on_the_way_it_is_finished_and_reviewed_once(
    desk: Desk, where: str, version: int
) -> None:
    """The reconciler goes on from what MLflow shows, also of v5, which never was in Staging."""
    with_glass(desk)
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        break_glass(desk, version)
    with desk.store.read() as tx:
        assert tx.reviews(MODEL) == ()
    desk.clock.advance(minutes=5)
    desk.push_on()
    desk.push_on()
    assert desk.production() == (version,)
    assert desk.kinds().count(EventKind.REVIEW_OPENED.value) == 1
    assert review(desk).opened_at == desk.clock.now


@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
def test_a_rollback_that_was_killed_is_finished_and_reviewed_once(desk: Desk, where: str) -> None:
    """The same, for the other direction."""
    with_glass(desk)
    desk.promoted()
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        break_glass_back(desk)
    desk.clock.advance(minutes=5)
    desk.push_on()
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.kinds().count(EventKind.REVIEW_OPENED.value) == 1


def test_mlflow_that_does_not_answer_is_tried_again(desk: Desk) -> None:
    """The order stands, and says what it waits for."""
    with_glass(desk)
    desk.registry.fail_before = 1
    waiting = break_glass(desk)
    assert waiting.state is State.EXECUTING
    assert "tried again" in waiting.note
    desk.push_on()
    assert desk.production() == (4,)
    assert review(desk).state is ReviewState.DUE


def test_what_mlflow_refuses_has_nothing_to_review_and_is_told(desk: Desk) -> None:
    """The version went while it was being carried out."""
    with_glass(desk)
    desk.registry.fail_before = 1
    break_glass(desk)
    desk.notices()
    del desk.registry.snapshots[MODEL, Version(4)]
    desk.push_on()
    with desk.store.read() as tx:
        assert tx.reviews(MODEL) == ()
        (request,) = tx.requests(MODEL)
    assert request.state is State.FAILED
    assert len(told(desk, "break_glass_failed")) == 1


# --- the review -----------------------------------------------------------------------------------


def test_every_skipped_seat_accepts_and_only_then_it_is_a_rollback_target(desk: Desk) -> None:
    """Until then, nobody has approved v4: a rollback does not lead there."""
    with_glass(desk)
    desk.clock.advance(minutes=1)
    break_glass(desk)
    assert says(desk, "ana").state is ReviewState.DUE
    with desk.store.read() as tx:
        assert "until its review is accepted" in tx.quarantined(MODEL)[Version(4)]
    desk.staged(5)
    desk.promoted(5)
    assert desk.offer().target == 3
    assert says(desk, "raj").state is ReviewState.ACCEPTED
    assert desk.offer().target == 4
    assert [n.facts["state"] for n in told(desk, "review_over")] == ["accepted"]


def test_a_demand_is_never_automatic_and_gives_whoever_may_one_target(desk: Desk) -> None:
    """v4 stays until somebody clicks; then it is quarantined as after every rollback."""
    with_glass(desk)
    break_glass(desk)
    says(desk, "ana")
    with pytest.raises(Refused, match="Say why"):
        says(desk, "raj", Answer.DEMAND_ROLLBACK, " ")
    demanded = demands(desk, "raj")
    assert (demanded.state, demanded.back_to) == (ReviewState.ROLLBACK_DEMANDED, 3)
    assert desk.production() == (4,)
    with pytest.raises(Refused, match="review is over"):
        says(desk, "rosa")
    desk.clock.advance(minutes=1)
    desk.roll_back()
    assert desk.production() == (3,)
    with desk.store.read() as tx:
        assert "Rolled back" in tx.quarantined(MODEL)[Version(4)]


def test_a_version_that_was_rolled_back_meanwhile_is_not_unbarred_by_acceptance(
    desk: Desk,
) -> None:
    """A monitor or a person was first; what was done is reviewed all the same."""
    with_glass(desk)
    break_glass(desk)
    desk.clock.advance(minutes=1)
    desk.roll_back()
    says(desk, "ana")
    assert says(desk, "raj").state is ReviewState.ACCEPTED
    with desk.store.read() as tx:
        assert Version(4) in tx.quarantined(MODEL)


def test_an_overdue_review_stops_the_next_request_and_the_next_break_glass(desk: Desk) -> None:
    """Of that person alone, in a sentence that says what to do; a rollback is never stopped."""
    with_glass(desk)
    break_glass(desk, by="dana")
    desk.clock.advance(hours=23, minutes=59)
    assert desk.promote(5, target=Stage.STAGING).state
    desk.clock.advance(minutes=1)
    desk.registry.add(a_snapshot(6, stage=Stage.NONE), a_content(6))
    with pytest.raises(Refused, match=r"v4 of credit_scoring .*Ask risk and validator"):
        desk.promote(6, target=Stage.STAGING)
    with pytest.raises(Refused, match="you can neither ask nor break glass"):
        plan(desk, 6, by="dana")
    with pytest.raises(Refused, match="you can neither ask nor break glass"):
        break_glass(desk, 6, by="dana", shown=frozenset())
    assert desk.promote(6, by="otto", target=Stage.STAGING).state
    says(desk, "ana")
    says(desk, "raj")
    desk.registry.add(a_snapshot(7, stage=Stage.NONE), a_content(7))
    assert desk.promote(7, target=Stage.STAGING).state


def test_an_overdue_review_is_told_of_every_day_until_it_is_made(desk: Desk) -> None:
    """Those who may review it, the owners, and who is on call."""
    with_glass(desk)
    break_glass(desk)
    assert look_after_reviews(desk.world) == 0
    desk.notices()
    assert a_day_later(desk) == 1
    assert review(desk).state is ReviewState.OVERDUE
    heard = [n.person for n in told(desk, "review_overdue")]
    assert heard == ["ana", "raj", "rosa", "vera", "otto", "dana"]
    desk.clock.advance(hours=23)
    assert look_after_reviews(desk.world) == 0
    desk.clock.advance(hours=1)
    assert look_after_reviews(desk.world) == 1
    assert [n.person for n in told(desk, "review_overdue")] == heard
    assert desk.kinds().count(EventKind.REVIEW_REPEATED.value) == 2
    says(desk, "ana")
    says(desk, "raj")
    assert a_day_later(desk) == 0


def test_a_reviewer_who_left_the_user_group_of_the_role_fills_no_seat(desk: Desk) -> None:
    """Of the one who clicks and of those who did before; a group takes a role away at once."""
    with_glass(desk)
    group = UserGroup("@validators")
    roster = replace(desk.rules.rules.roster, user_groups={Role("validator"): group})
    desk.rules.rules = replace(desk.rules.rules, roster=roster)
    desk.accounts.groups[group] = {"U0ANA"}
    break_glass(desk)
    with pytest.raises(Refused, match="counts only in the user group @validators"):
        says(desk, "vera")
    says(desk, "ana")
    desk.accounts.groups[group] = {"U0VERA"}
    assert says(desk, "raj").state is ReviewState.DUE
    assert says(desk, "vera").state is ReviewState.ACCEPTED


def test_each_person_sees_the_reviews_that_they_could_make_and_their_own(desk: Desk) -> None:
    """In App Home, by the account that they had when the glass was broken."""
    with_glass(desk)
    break_glass(desk)

    def seen(name: str) -> tuple[int, int]:
        reviews = home(desk, name).reviews
        return sum(not r.is_own for r in reviews), sum(r.is_own for r in reviews)

    assert [seen(n) for n in ("ana", "vera", "raj", "dana", "otto")] == [
        (1, 0),
        (1, 0),
        (1, 0),
        (0, 0),
        (0, 1),
    ]
    says(desk, "ana")
    assert (seen("vera"), seen("raj")) == ((0, 0), (1, 0))
    assert not home(desk, "raj", "U0RAJNEW").reviews
    says(desk, "raj")
    assert (seen("raj"), seen("otto")) == ((0, 0), (0, 0))


# --- a rollback -----------------------------------------------------------------------------------


def test_somebody_without_the_role_rolls_back_and_one_who_has_it_reviews_it(desk: Desk) -> None:
    """Dana at 2 a.m.; Otto looks at it in the morning."""
    with_glass(desk)
    desk.promoted()
    with pytest.raises(Refused) as refusal:
        desk.offer("dana")
    assert could_break_glass(
        desk.world, Bypass.ROLLBACK, refusal.value.code, MODEL, desk.actor("dana")
    )
    planned = plan_back(desk)
    assert (planned.from_version, planned.version, planned.reviewers) == (4, 3, ("otto",))
    restored = break_glass_back(desk)
    assert restored.production.staged == (3,)
    assert desk.kinds().index(EventKind.GLASS_BROKEN.value) < desk.kinds().index(
        EventKind.ROLLBACK_INTENDED.value
    )
    assert says(desk, "otto").state is ReviewState.ACCEPTED


def test_a_rollback_that_nobody_could_review_is_not_made_alone(desk: Desk) -> None:
    """Otto, the only one who could, lost the role between looking and confirming."""
    with_glass(desk)
    desk.promoted()
    marks = plan_back(desk).skipped.marks
    desk.with_roles("otto", "data_scientist")
    actor = desk.actor("dana")
    with pytest.raises(Refused, match="Nobody is left to review this as on_call"):
        break_glass_to_roll_back(
            desk.world,
            MODEL,
            Version(4),
            Version(3),
            Plea(reason=WHY, incident="INC-12", shown=marks),
            actor=actor,
            standing=desk.accounts.standing(actor.account),
        )
    assert desk.production() == (4,)


def test_a_target_that_is_none_is_reviewed_by_all_whom_a_promotion_needs(desk: Desk) -> None:
    """v5 was never in Production; nothing makes it one for the next rollback."""
    with_glass(desk)
    desk.promoted()
    planned = plan_back(desk, 5, by="otto")
    assert "the target is not eligible: it was never in Production" in planned.skipped.lines
    break_glass_back(desk, 5, by="otto")
    assert desk.production() == (5,)
    says(desk, "vera")
    assert says(desk, "rosa").state is ReviewState.ACCEPTED


def test_to_a_quarantined_version_and_not_to_one_that_is_gone(desk: Desk) -> None:
    """It stays quarantined; what MLflow does not have is refused."""
    with_glass(desk)
    desk.promoted()
    desk.clock.advance(minutes=1)
    desk.roll_back()
    desk.clock.advance(minutes=1)
    break_glass_back(desk, 4, by="otto", from_version=3)
    assert desk.production() == (4,)
    with desk.store.read() as tx:
        assert set(tx.quarantined(MODEL)) == {Version(3), Version(4)}
    with pytest.raises(Refused, match="no version 77"):
        plan_back(desk, 77, by="otto")


def test_what_policy_allows_needs_no_glass(desk: Desk) -> None:
    """Otto may roll back to v3 by himself."""
    with_glass(desk)
    desk.promoted()
    with pytest.raises(Refused, match="allows this by itself"):
        plan_back(desk, by="otto")


# --- what stays to be read ------------------------------------------------------------------------


def test_the_trail_tells_who_broke_glass_and_what_became_of_it(desk: Desk) -> None:
    """From the record alone."""
    with_glass(desk)
    desk.clock.advance(minutes=1)

    def told_now() -> str:
        with desk.store.read() as tx:
            return render_trail(trail(tx, MODEL)).splitlines()[-1]

    break_glass(desk)
    due = "break-glass by otto (incident INC-12), review due 2026-03-03 12:01"
    assert told_now().endswith(due)
    says(desk, "ana")
    assert told_now().endswith(f"{due}; accepted by ana")
    a_day_later(desk)
    assert told_now().endswith("review overdue since 2026-03-03 12:01; accepted by ana")
    says(desk, "raj")
    assert told_now().endswith("break-glass by otto (incident INC-12), accepted by ana, raj")
    desk.staged(5)
    break_glass(desk, 5)
    demands(desk, "raj")
    assert told_now().endswith("rollback demanded by raj")

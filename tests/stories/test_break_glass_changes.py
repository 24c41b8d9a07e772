"""Between looking at a break-glass and reviewing it, the world moves on: what was shown is what is
done, and nobody reviews what they had a hand in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.domain.approval import RequestId
from governance.domain.errors import Conflict, Refused, Unavailable
from governance.domain.evidence import AuthorClaim, ModelName, Stage, Version
from governance.domain.identity import PersonId, Role, UserGroup
from governance.domain.promotion import State
from governance.ports import ProductionState
from governance.use_cases.tables import table_problems
from tests.builders import MODEL, a_content, a_policy, a_rule, a_snapshot, some_rules
from tests.stories.desk import Desk
from tests.stories.glass import (
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
from tests.stories.test_away_stories import away, back, named
from tests.stories.test_home_stories import home

# --- what was shown is what is done ---------------------------------------------------------------


def test_a_version_that_was_approved_meanwhile_is_not_replaced(desk: Desk) -> None:
    """The modal said v3 → v4; by now v5 is there, and nobody looked at v5 → v4."""
    with_glass(desk)
    desk.staged(4)
    desk.staged(5)
    shown = plan(desk, 4)
    assert shown.from_version == 3
    desk.promoted(5)
    with pytest.raises(Conflict, match="Production is v5 by now, and was v3 when you looked"):
        break_glass(desk, 4, shown=shown.skipped.marks, downgrade=True)
    assert desk.production() == (5,)


def test_what_is_open_for_a_version_replaces_nothing_that_was_not_shown(desk: Desk) -> None:
    """The same where a request is carried out: it is refused, and the request left as it is."""
    with_glass(desk)
    request = desk.promote()
    shown = plan(desk).skipped.marks
    with pytest.raises(Conflict, match="Production is v3 by now, and was v2"):
        break_glass(desk, shown=shown, from_version=2)
    assert desk.production() == (3,)
    assert desk.request(request.id).state is State.PENDING


def test_an_order_for_a_request_that_is_over_opens_no_other(desk: Desk) -> None:
    """Its approvers were to be skipped; a new request would skip more than that."""
    with_glass(desk)
    desk.staged(4)
    desk.staged(5)
    request = desk.promote(4)
    shown = plan(desk, 4)
    assert shown.request_id == request.id
    desk.promoted(5)
    with pytest.raises(Refused, match=f"Request {request.id}.* is superseded by now") as refusal:
        break_glass(
            desk, 4, shown=shown.skipped.marks, request=request.id, from_version=5, downgrade=True
        )
    assert refusal.value.code == "request_over"
    assert desk.production() == (5,)


def test_staging_that_was_entered_outside_is_among_what_a_request_skips(desk: Desk) -> None:
    """As where none is open: somebody took v4 out of Staging and put it back in MLflow."""
    with_glass(desk)
    desk.staged(4)
    desk.promote()
    desk.registry.change(MODEL, 4, stage=Stage.NONE)
    desk.look_around()
    desk.registry.change(MODEL, 4, stage=Stage.STAGING)
    desk.look_around()
    break_glass(desk)
    assert any(
        line.startswith("the rule for Staging: ") for line in review(desk).glass.skipped.lines
    )


# --- who counts -----------------------------------------------------------------------------------


def _with_group(desk: Desk, *members: str) -> None:
    roster = replace(desk.rules.rules.roster, user_groups={Role("risk"): UserGroup("@risk")})
    desk.rules.rules = replace(desk.rules.rules, roster=roster)
    desk.accounts.groups["@risk"] = set(members)


def test_a_seat_of_somebody_who_left_the_user_group_is_skipped_and_said_so(desk: Desk) -> None:
    """Rosa approved for risk and left; an execution would ask again, so a break-glass skips it."""
    with_glass(desk)
    rules = (a_rule(Stage.STAGING), a_rule(soak=timedelta(days=1)))
    desk.rules.rules = some_rules(replace(a_policy(*rules), break_glass=glass_policy().break_glass))
    _with_group(desk, "U0RAJ", "U0ROSA")
    desk.staged(4)
    request = desk.promote()
    desk.vote(request, "rosa")
    desk.vote(request, "ana")
    desk.accounts.groups["@risk"] = {"U0RAJ"}
    assert "1 approval from risk" in plan(desk).skipped.lines
    assert break_glass(desk).state is State.COMPLETED
    assert "1 approval from risk" in review(desk).glass.skipped.lines
    assert [(s.label, s.count) for s in review(desk).seats] == [("risk", 1)]


def test_who_was_stood_in_for_does_not_review_the_other_seat(desk: Desk) -> None:
    """Vera sat there with Ana's voice; one voice does not sit and review."""
    with_glass(desk)
    desk.with_roles("ana", "validator", "risk")
    desk.with_roles("vera", "data_scientist")
    named(desk, ana={"vera"})
    away(desk, "ana", "vera")
    desk.vote(desk.promote(), "vera")
    break_glass(desk)
    assert review(desk).glass.barred[PersonId("ana")] == "filled another seat of this request"
    back(desk, "ana")
    with pytest.raises(Refused, match="Ana filled another seat"):
        says(desk, "ana")


def test_whom_mlflow_names_as_an_author_by_now_does_not_review(desk: Desk) -> None:
    """Ana was no author when the request was opened, and is one when it is carried out."""
    with_glass(desk)
    request = desk.promote()
    claims = desk.registry.snapshots[MODEL, Version(4)].author_claims
    desk.registry.change(
        MODEL, 4, author_claims=(*claims, AuthorClaim(name="ana", where="mlflow.user"))
    )
    assert break_glass(desk).id == request.id
    with pytest.raises(Refused, match="Ana made this version"):
        says(desk, "ana")
    says(desk, "vera")
    assert says(desk, "raj").closed_at is not None
    with desk.store.read() as tx:
        assert table_problems(tx) == ()


def test_a_stand_in_of_who_broke_the_glass_or_made_the_version_does_not_review(desk: Desk) -> None:
    """They have both people's conflicts, as for a vote; nobody shows them the buttons, either."""
    with_glass(desk)
    named(desk, otto={"ana"}, dana={"raj"})
    break_glass(desk)
    assert home(desk, "ana").reviews
    away(desk, "otto", "ana")
    away(desk, "dana", "raj")
    assert not home(desk, "ana").reviews
    with pytest.raises(Refused, match="Ana stands in for Otto, who broke the glass"):
        says(desk, "ana")
    with pytest.raises(Refused, match="Raj stands in for Dana, who made this version"):
        demands(desk, "raj")
    away(desk, "ana", None)  # named all the same
    with pytest.raises(Refused, match="Ana stands in for Otto, who broke the glass"):
        says(desk, "ana")
    back(desk, "ana")
    a_day_later(desk)
    assert {"ana", "raj"}.isdisjoint({str(n.person) for n in told(desk, "review_overdue")})
    back(desk, "otto")
    says(desk, "ana")
    assert says(desk, "rosa").closed_at is not None


# --- cut on the way -------------------------------------------------------------------------------


def _half(desk: Desk) -> RequestId:
    """Its stage is set, and MLflow does not answer for the alias."""

    def set_stage_alone(model: ModelName, version: Version) -> ProductionState:
        desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
        desk.registry.change(model, version, stage=Stage.PRODUCTION)
        raise Unavailable("registry_unavailable", "MLflow does not answer.")

    shown = plan(desk).skipped.marks
    desk.registry.set_production = set_stage_alone  # type: ignore[method-assign]  # half a switch
    cut = break_glass(desk, shown=shown)
    assert cut.state is State.EXECUTING
    return cut.id


def test_half_a_switch_is_finished_although_its_files_are_gone(desk: Desk) -> None:
    """It is in Production by its stage, so it is reviewed, quarantined and owed."""
    with_glass(desk)
    set_production = desk.registry.set_production
    cut = _half(desk)
    desk.registry.set_production = set_production  # type: ignore[method-assign]  # it answers again
    del desk.registry.contents[MODEL, Version(4)]
    desk.push_on()
    assert desk.request(cut).state is State.COMPLETED
    assert desk.registry.production(MODEL).alias == 4
    assert review(desk).request_id == cut
    with desk.store.read() as tx:
        assert Version(4) in tx.quarantined(MODEL)


def test_half_a_switch_that_mlflow_refuses_to_finish_is_reviewed_all_the_same(desk: Desk) -> None:
    """Its run was deleted; it stays in Production by its stage."""
    with_glass(desk)
    cut = _half(desk)

    def refuse(model: ModelName, version: Version) -> ProductionState:
        raise Refused("no_such_run", f"MLflow has no run of v{version} of {model}.")

    desk.registry.set_production = refuse  # type: ignore[method-assign]  # half a switch
    desk.push_on()
    assert desk.request(cut).state is State.COMPLETED
    assert review(desk).request_id == cut


# --- a rollback to what is no target is a promotion -----------------------------------------------


@pytest.mark.parametrize("seen_before", [False, True])
def test_an_author_whom_nobody_knows_stops_it(desk: Desk, *, seen_before: bool) -> None:
    """The reviewers could be the makers, whatever the way into Production is called."""
    with_glass(desk)
    desk.registry.add(a_snapshot(6, stage=Stage.NONE, author="ghost"), a_content(6))
    if seen_before:
        desk.look_around()
    with pytest.raises(Refused, match="Nobody is known to have made"):
        plan_back(desk, 6)
    assert desk.production() == (3,)


def test_who_made_a_version_that_was_never_seen_does_not_review_it(desk: Desk) -> None:
    """MLflow is asked who made it, since nothing was kept of it."""
    with_glass(desk)
    desk.registry.add(a_snapshot(6, stage=Stage.NONE, author="raj"), a_content(6))
    break_glass_back(desk, 6, from_version=3)
    with pytest.raises(Refused, match="Raj made this version"):
        says(desk, "raj")


def test_the_checks_of_a_promotion_are_among_what_it_skips(desk: Desk) -> None:
    """A promotion of v5 would have failed this one."""
    with_glass(desk, auc=0.9)
    failed = "check auc_validation at least 0.9 failed: auc_validation is 0.78"
    assert failed in plan_back(desk, 5, by="otto").skipped.lines
    break_glass_back(desk, 5, by="otto", from_version=3)
    assert failed in review(desk).glass.skipped.lines

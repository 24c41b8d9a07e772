"""Killed anywhere: after a restart exactly one transition, and a complete record."""

from __future__ import annotations

import pytest

from governance.domain.errors import Refused
from governance.domain.evidence import Stage, Version
from governance.domain.ledger import EventKind
from governance.domain.promotion import State
from governance.use_cases.audit import verify
from tests.builders import MODEL
from tests.fakes import Crash
from tests.stories.desk import Desk


def _approved(desk: Desk) -> str:
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    return request.id


@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
def test_killed_around_the_mlflow_call_ends_in_one_transition(desk: Desk, where: str) -> None:
    """Intent first, read back, outcome once."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        desk.push_on()
    assert desk.request(request.id).state is State.EXECUTING
    desk.clock.advance(minutes=10)
    desk.push_on()
    assert desk.request(request.id).state is State.COMPLETED
    assert desk.registry.transitions == [(MODEL, Version(4), Stage.PRODUCTION)]
    assert desk.kinds().count(EventKind.TRANSITION_DONE.value) == 1
    assert verify(desk.store, desk.heads).ok


@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
def test_killed_around_a_rollback_ends_in_one_rollback(desk: Desk, where: str) -> None:
    """The same for a rollback."""
    desk.promoted()
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        desk.roll_back()
    desk.clock.advance(minutes=10)
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1


def test_saved_but_reported_lost_is_not_done_twice(desk: Desk) -> None:
    """MLflow moved the stage, and its answer was lost."""
    _approved(desk)
    desk.registry.fail_after = 1
    desk.push_on()
    desk.push_on()
    assert len(desk.registry.transitions) == 1
    assert desk.kinds().count(EventKind.TRANSITION_DONE.value) == 1


def test_our_own_unfinished_transition_is_no_drift(desk: Desk) -> None:
    """The look comes between MLflow's change and our outcome."""
    _approved(desk)
    desk.registry.fail_after = 1
    desk.push_on()
    desk.look_around()
    assert EventKind.CHANGED_ELSEWHERE.value not in desk.kinds()


def test_production_changed_while_the_bot_was_dead_fails_the_transition(desk: Desk) -> None:
    """Somebody put v5 there; it is not pushed over."""
    request = desk.promote()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.registry.crash_before = 1
    with pytest.raises(Crash):
        desk.push_on()
    desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    desk.clock.advance(minutes=10)
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.FAILED
    assert "v5" in ended.note
    assert desk.registry.transitions == []


def test_a_version_in_production_at_first_sight_is_adopted_and_no_drift(desk: Desk) -> None:
    """Recorded once; a second look finds nothing new."""
    desk.look_around()
    desk.look_around()
    assert desk.kinds() == [EventKind.VERSION_ADOPTED.value, EventKind.VERSIONS_NOTICED.value]


def test_a_stage_changed_elsewhere_is_recorded_and_told_once(desk: Desk) -> None:
    """v5 promoted directly in MLflow."""
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    desk.look_around()
    desk.look_around()
    assert desk.kinds().count(EventKind.CHANGED_ELSEWHERE.value) == 1
    told = [n for n in desk.notices() if n.what == "changed_elsewhere"]
    assert len(told) == 1
    assert "v5 went from None to Production" in str(told[0].facts["difference"])


def test_an_alias_moved_elsewhere_is_recorded_and_told(desk: Desk) -> None:
    """The stage stayed."""
    desk.registry.aliases[MODEL] = Version(4)
    desk.look_around()
    told = [n for n in desk.notices() if n.what == "changed_elsewhere"]
    assert "the alias moved from v3 to v4" in str(told[0].facts["difference"])


def test_a_version_adopted_by_a_promotion_before_the_first_look_is_a_target(desk: Desk) -> None:
    """Adoption comes before anything is changed."""
    desk.promoted()
    assert desk.kinds().index(EventKind.VERSION_ADOPTED.value) < desk.kinds().index(
        EventKind.TRANSITION_DONE.value
    )
    assert desk.roll_back().to_version == 3


def test_a_version_put_into_staging_by_hand_goes_no_further(desk: Desk) -> None:
    """Noticed by the promotion itself, whenever the last look was."""
    desk.registry.change(MODEL, 5, stage=Stage.STAGING)
    with pytest.raises(Refused, match="put into Staging outside Foureyes") as refused:
        desk.promote(5)
    assert refused.value.code == "staged_elsewhere"
    assert desk.kinds()[-2:] == [
        EventKind.CHANGED_ELSEWHERE.value,
        EventKind.REQUEST_REFUSED.value,
    ]


def test_a_version_taken_out_of_staging_and_put_back_by_hand_is_not_carried_out(desk: Desk) -> None:
    """Between the request and its execution."""
    request = desk.promote(4)
    for stage in (Stage.NONE, Stage.STAGING):
        desk.registry.change(MODEL, 4, stage=stage)
        desk.look_around()
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.push_on()
    ended = desk.request(request.id)
    assert ended.state is State.VOIDED
    assert "outside Foureyes" in ended.note
    assert desk.registry.transitions == []

"""2 a.m.: who may, what it goes back to, and what is left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.messages.answer_words import offer_text
from bot.messages.request_words import warning_lines
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Stage, Version
from governance.domain.ledger import EventKind, Head
from governance.domain.promotion import Request, State
from governance.domain.tenure import Ending
from governance.use_cases import reconcile, restore, roll_back
from governance.use_cases.audit import trail, verify
from tests.builders import MODEL, a_content, a_snapshot
from tests.fakes import Crash
from tests.stories.desk import Desk


def test_an_authorised_person_alone_puts_the_last_good_version_back(desk: Desk) -> None:
    """v4 → v3, which was adopted; read back, recorded, told in the channel."""
    desk.promoted()
    restored = desk.roll_back()
    assert restored.production.staged == (3,)
    assert desk.production() == (3,)
    done = next(e for e in desk.events() if e["kind"] == EventKind.ROLLBACK_DONE.value)
    assert (done["person"], done["why"]) == ("otto", "approvals spiked")
    told = [n for n in desk.notices() if n.what == "rolled_back"]
    assert [(n.facts["from"], n.facts["to"], n.facts["by"]) for n in told] == [(4, 3, "otto")]
    assert verify(desk.store, desk.heads).ok


def test_offer_names_the_target_by_the_record(desk: Desk) -> None:
    """The last known good, and nothing is changed."""
    desk.promoted()
    offer = roll_back.offer(
        desk.world, MODEL, actor=desk.actor("otto"), standing=desk.accounts.standing("U0OTTO")
    )
    assert (offer.current, offer.target) == (4, 3)
    assert desk.production() == (4,)


def test_somebody_whom_policy_does_not_name_may_not_roll_back(desk: Desk) -> None:
    """The refusal names who is on call, and is recorded."""
    desk.promoted()
    with pytest.raises(Refused, match="On call: Otto"):
        desk.roll_back(by="dana")
    assert desk.kinds()[-1] == EventKind.ROLLBACK_REFUSED.value
    assert desk.production() == (4,)


def test_the_bad_version_is_quarantined_until_it_is_approved_again(desk: Desk) -> None:
    """A rollback to it is refused; a new promotion lifts it."""
    desk.promoted()
    desk.roll_back()
    with desk.store.read() as tx:
        assert set(tx.quarantined(MODEL)) == {Version(4)}
    with pytest.raises(Refused, match="quarantined"):
        desk.roll_back(from_version=3, to_version=4)
    desk.staged(4)
    request = desk.promote(4)
    (warning,) = warning_lines(request)
    assert "v4 is quarantined" in warning
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    desk.push_on()
    assert warning_lines(desk.request(request.id)) == []
    with desk.store.read() as tx:
        assert tx.quarantined(MODEL) == {}


def test_a_click_binds_from_and_to(desk: Desk) -> None:
    """Production is no longer v4."""
    desk.promoted()
    desk.roll_back()
    with pytest.raises(Refused, match="no longer v4"):
        desk.roll_back()


@pytest.mark.parametrize(("seconds", "refused"), [(300, False), (301, True)])
def test_a_click_older_than_five_minutes_is_refused(
    desk: Desk, seconds: int, refused: bool
) -> None:
    """The boundary itself still counts."""
    desk.promoted()
    offered_at = desk.clock.now
    desk.clock.advance(seconds=seconds)
    if refused:
        with pytest.raises(Refused, match="older than 5 minutes"):
            desk.roll_back(offered_at=offered_at)
        assert desk.production() == (4,)
    else:
        desk.roll_back(offered_at=offered_at)
        assert desk.production() == (3,)


def test_open_requests_of_the_model_stop(desk: Desk) -> None:
    """Their people are told."""
    desk.promoted()
    request = desk.promote(5, target=Stage.STAGING)
    desk.roll_back()
    assert desk.request(request.id).state is State.VOIDED


def test_a_version_that_never_was_in_production_is_no_target(desk: Desk) -> None:
    """Any other target is a promotion."""
    desk.promoted()
    with pytest.raises(Refused, match="/promote credit_scoring 5"):
        desk.roll_back(to_version=5)


def test_no_known_good_version_is_said(desk: Desk) -> None:
    """v3 was adopted, and nothing was there before it."""
    offer = roll_back.offer(
        desk.world, MODEL, actor=desk.actor("otto"), standing=desk.accounts.standing("U0OTTO")
    )
    assert offer.target is None


def test_mlflow_lost_in_the_middle_is_finished_by_the_reconciler(desk: Desk) -> None:
    """The intent stands; the transition happens once."""
    desk.promoted()
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    desk.push_on()
    assert desk.production() == (3,)
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1


def test_a_rollback_that_was_made_but_reported_lost_is_recorded_once(desk: Desk) -> None:
    """Saved but reported lost."""
    desk.promoted()
    desk.registry.fail_after = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    desk.look_around()
    desk.push_on()
    desk.push_on()
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1
    assert EventKind.CHANGED_ELSEWHERE.value not in desk.kinds()


def test_a_broken_record_does_not_stop_a_rollback_and_marks_it(desk: Desk) -> None:
    """Promotions stop, rollback works."""
    desk.promoted()
    with desk.store.read() as tx:
        head = tx.head()
    desk.heads.append(replace(head, size=head.size + 9))
    assert desk.roll_back().record_in_doubt
    done = next(e for e in desk.events() if e["kind"] == EventKind.ROLLBACK_DONE.value)
    facts = done["facts"]
    assert isinstance(facts, dict)
    assert facts["record_in_doubt"] is True


def test_a_rollback_that_was_finished_later_tells_the_whole_time_and_the_doubt(desk: Desk) -> None:
    """MLflow was lost at the switch; what was known when it was ordered stays known."""
    desk.promoted()
    desk.heads.path.write_text("")
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    desk.clock.advance(seconds=90)
    desk.push_on()
    facts = next(e for e in desk.events() if e["kind"] == EventKind.ROLLBACK_DONE.value)["facts"]
    assert isinstance(facts, dict)
    assert (facts["seconds"], facts["record_in_doubt"]) == ("90.000", True)
    told = next(n for n in desk.notices() if n.what == "rolled_back")
    assert (told.facts["seconds"], told.facts["record_in_doubt"]) == ("90.00", True)


def test_a_version_that_somebody_chose_is_not_called_the_last_known_good(desk: Desk) -> None:
    """Not where it is offered, and not in the trail."""
    desk.clock.advance(minutes=1)
    desk.promoted(4)
    desk.staged(5)
    desk.clock.advance(minutes=1)
    desk.promoted(5)
    found = desk.offer(version=3)
    assert offer_text(found) == (
        "credit_scoring: Production is v5. v3 was good before; v4 is the last known good one."
    )
    desk.clock.advance(minutes=1)
    desk.roll_back(from_version=5, to_version=3)
    with desk.store.read() as tx:
        assert trail(tx, MODEL)[-1].why == "restored, as chosen"


def test_files_are_compared_after_the_switch(desk: Desk) -> None:
    """A rollback does not wait for a digest; a difference is told."""
    desk.promoted(4)
    desk.staged(5)
    desk.promoted(5)
    desk.roll_back(from_version=5, to_version=4)
    assert restore.verify_restored(desk.world, MODEL, Version(4)) is None
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="other")
    told = restore.verify_restored(desk.world, MODEL, Version(4))
    assert told is not None
    assert "not those that were approved" in told


def test_tenures_tell_how_each_stay_ended(desk: Desk) -> None:
    """v3 well, v4 badly."""
    desk.promoted()
    desk.clock.advance(hours=1)
    desk.roll_back()
    with desk.store.read() as tx:
        stays = [t for t in tx.tenures(MODEL) if t.stage is Stage.PRODUCTION]
    assert [(t.version, t.ending) for t in stays] == [
        (3, Ending.PROMOTION),
        (4, Ending.ROLLBACK),
        (3, None),
    ]
    assert stays[1].ended_at == stays[2].started_at
    assert stays[1].ended_at == stays[1].started_at + timedelta(hours=1)
    with desk.store.read() as tx:
        assert trail(tx, MODEL)[-1].why == "restored as last known good"


def _last_vote_dies(desk: Desk, version: int, where: str) -> Request:
    """Approved, and the process ends before or after MLflow was changed."""
    desk.staged(version)
    request = desk.promote(version)
    desk.vote(request, "ana")
    desk.vote(request, "raj")
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        desk.push_on()
    desk.clock.advance(minutes=10)
    return request


def test_a_promotion_that_mlflow_shows_is_rolled_back_before_its_outcome_was_recorded(
    desk: Desk,
) -> None:
    """The offer finds the version before, although nobody had recorded yet that its time ended."""
    request = _last_vote_dies(desk, 4, "crash_after")
    done_before = desk.kinds().count(EventKind.TRANSITION_DONE.value)
    found = desk.offer()
    assert (found.current, found.target) == (4, 3)
    assert desk.request(request.id).state is State.COMPLETED
    desk.roll_back()
    desk.push_on()
    desk.look_around()
    assert desk.production() == (3,)
    kinds = desk.kinds()
    assert kinds.count(EventKind.TRANSITION_DONE.value) == done_before + 1
    assert kinds.count(EventKind.ROLLBACK_DONE.value) == 1
    assert EventKind.CHANGED_ELSEWHERE.value not in kinds


def test_a_promotion_whose_alias_was_not_set_yet_is_rolled_back_too(desk: Desk) -> None:
    """The stage moved, and the process ended before the alias."""
    _last_vote_dies(desk, 4, "crash_after")
    desk.registry.aliases[MODEL] = Version(3)
    assert desk.roll_back().to_version == 3
    assert (desk.production(), desk.registry.aliases[MODEL]) == ((3,), 3)


def test_a_promotion_that_mlflow_has_not_seen_does_not_come_after_the_rollback(
    desk: Desk,
) -> None:
    """It was begun, and it has failed: nothing is promoted behind the back of who is on call."""
    desk.promoted()
    request = _last_vote_dies(desk, 5, "crash_before")
    desk.roll_back()
    desk.push_on()
    assert desk.production() == (3,)
    ended = desk.request(request.id)
    assert ended.state is State.FAILED
    assert "is being rolled back to v3" in ended.note


def test_restored_files_are_compared_with_those_that_were_approved(desk: Desk) -> None:
    """Not with what a later request saw, which nobody approved."""
    desk.promoted(4)
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="wEights")
    desk.staged(5)
    desk.promoted(5)
    with desk.store.transaction() as tx:
        tx.save_snapshot(a_snapshot(4), a_content(4, body="wEights"))
    desk.roll_back(from_version=5, to_version=4)
    said = restore.verify_restored(desk.world, MODEL, Version(4))
    assert said == "The files of v4 are not those that were approved."


def test_heads_that_cannot_be_read_stop_promotions_and_no_rollback(desk: Desk) -> None:
    """A folder stands where the file was; the rollback is marked."""
    desk.promoted()
    request = desk.promote(5, target=Stage.STAGING)
    assert request.state is State.APPROVED
    desk.heads.path.unlink()
    desk.heads.path.mkdir()
    desk.push_on()
    assert desk.request(request.id).state is State.APPROVED
    assert desk.roll_back().record_in_doubt
    assert desk.production() == (3,)
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1


def test_heads_that_cannot_be_written_stop_no_rollback(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, at two in the morning: the record is stored, and vouched for later."""
    desk.promoted()

    def full(_head: Head, *, resumed: bool = False) -> None:
        raise Unavailable("heads_unwritable", "No space left.")

    monkeypatch.setattr(desk.heads, "append", full)
    desk.roll_back()
    assert desk.production() == (3,)
    assert desk.kinds().count(EventKind.ROLLBACK_DONE.value) == 1
    monkeypatch.undo()
    desk.look_around()
    assert EventKind.CHANGED_ELSEWHERE.value not in desk.kinds()
    assert verify(desk.store, desk.heads).ok


def test_a_version_put_there_by_hand_a_moment_ago_is_rolled_back(desk: Desk) -> None:
    """Nobody waits for the next look: what MLflow shows is recorded first."""
    desk.registry.change(MODEL, 3, stage=Stage.ARCHIVED)
    desk.registry.change(MODEL, 5, stage=Stage.PRODUCTION)
    found = desk.offer()
    assert (found.current, found.target) == (5, 3)
    assert EventKind.CHANGED_ELSEWHERE.value in desk.kinds()


def test_no_promotion_overtakes_a_rollback_that_was_ordered(desk: Desk) -> None:
    """MLflow lost the call; then the last vote on v5 arrived. The rollback is finished, not v5."""
    desk.promoted()
    desk.staged(5)
    request = desk.promote(5)
    desk.vote(request, "ana")
    desk.registry.fail_before = 1
    with pytest.raises(Unavailable):
        desk.roll_back()
    with pytest.raises(Refused, match="voided"):
        desk.vote(request, "raj")
    ended = desk.request(request.id)
    assert ended.state is State.VOIDED
    assert "is being rolled back to v3" in ended.note
    desk.push_on()
    assert desk.production() == (Version(3),)
    assert desk.kinds()[-1] != "rollback_failed"
    assert desk.kinds().count("rollback_done") == 1


def test_an_approved_request_waits_for_the_transition_that_is_being_finished(desk: Desk) -> None:
    """Two approved requests for one model: the second does not overtake the first, whose outcome is
    not known yet."""
    first = desk.promote(4)
    desk.staged(5)
    second = desk.promote(5)
    for request in (first, second):
        desk.vote(request, "ana")
    desk.vote(first, "raj")
    desk.registry.fail_before = 1
    desk.push_on()
    assert desk.request(first.id).state is State.EXECUTING
    desk.vote(second, "raj")
    assert execute_quietly(desk, second) is None
    assert desk.production() == (Version(3),)
    desk.push_on()
    assert desk.request(first.id).state is State.COMPLETED
    assert desk.request(second.id).state in (State.SUPERSEDED, State.VOIDED)
    assert desk.production() == (Version(4),)


def execute_quietly(desk: Desk, request: Request) -> Request | None:
    """An attempt; None when another transition is in the way."""
    return reconcile.attempt(desk.world, request.id, reconcile.Tick())

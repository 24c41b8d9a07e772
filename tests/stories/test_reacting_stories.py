"""Two monitors at once, a person at the same second, MLflow gone, killed in the middle: one
rollback, a complete record, and nobody left in doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.domain.errors import Conflict, Refused, Unavailable
from governance.domain.evidence import Version
from governance.domain.identity import PersonId
from governance.domain.ledger import EventKind
from governance.domain.monitoring.alert import Alert, Outcome
from governance.domain.monitoring.spec import Action, Reminders
from governance.domain.monitoring.verdict import Verdict
from governance.ports import NoticeKind
from governance.use_cases import alerts
from governance.use_cases.findings import end_alerts
from governance.use_cases.watch import Watch
from tests.builders import MODEL, a_content
from tests.fakes import Crash
from tests.stories.watching import BrokenSources, WatchedDesk, a_monitor

REMINDERS = Reminders(on_call_after=timedelta(minutes=15), owners_after=timedelta(hours=1))


def rollbacks(watched: WatchedDesk) -> list[str]:
    """What the record says of rollbacks, in order."""
    return [k for k in watched.desk.kinds() if k.startswith("rollback")]


def went_bad(watched: WatchedDesk) -> None:
    """Applicants enough for every rule, all of them scored at random."""
    watched.arrive(900, auc=0.5)


def only_alert(watched: WatchedDesk) -> Alert:
    """The one that is open."""
    (alert,) = watched.alerts()
    return alert


def test_two_monitors_at_once_make_one_rollback(watched: WatchedDesk) -> None:
    """Both alerts say what became of the version."""
    watched.watched_by(a_monitor(), a_monitor(name="second"))
    went_bad(watched)
    watched.look()
    assert rollbacks(watched) == ["rollback_intended", "rollback_done"]
    outcomes = {a.monitor: a.outcome for a in watched.alerts()}
    assert outcomes["auc"] is Outcome.ROLLED_BACK
    assert set(outcomes) <= {"auc", "second"}
    assert outcomes.get("second", Outcome.MOVED) is Outcome.MOVED


def test_restored_files_that_are_not_those_approved_are_told(watched: WatchedDesk) -> None:
    """After the switch, and once: the rollback does not wait for a digest."""
    desk = watched.desk
    desk.staged(5)
    desk.promoted(5)
    desk.registry.contents[MODEL, Version(4)] = a_content(4, body="other")
    watched.arrive(900, auc=0.5, version=5)
    watched.look()
    watched.react()
    assert rollbacks(watched) == ["rollback_intended", "rollback_done"]
    told = [n for n in desk.notices() if n.what == "restored_differs"]
    assert [n.facts["version"] for n in told] == [4]


def test_a_person_who_was_faster_is_not_followed_by_a_second_rollback(
    watched: WatchedDesk,
) -> None:
    """Otto clicked between the verdict and the reaction."""
    desk = watched.desk
    went_bad(watched)
    desk.registry.is_down = True
    with pytest.raises(Unavailable):
        watched.look()
    desk.registry.is_down = False
    desk.roll_back()
    watched.react()
    assert rollbacks(watched) == ["rollback_intended", "rollback_done"]
    with desk.store.read() as tx:
        assert tx.pending_alerts() == ()
    assert desk.production() == (Version(3),)
    assert only_alert(watched).outcome is Outcome.MOVED


def test_mlflow_gone_at_that_moment_is_tried_again(watched: WatchedDesk) -> None:
    """The alert is out at once, the rollback when MLflow is back."""
    desk = watched.desk
    went_bad(watched)
    desk.registry.is_down = True
    with pytest.raises(Unavailable):
        watched.look()
    assert only_alert(watched).outcome is Outcome.PENDING
    assert any(n.kind is NoticeKind.ALERT for n in desk.notices())
    with pytest.raises(Unavailable):
        watched.react()
    desk.registry.is_down = False
    watched.react()
    assert only_alert(watched).outcome is Outcome.ROLLED_BACK
    assert desk.production() == (Version(3),)


@pytest.mark.parametrize("where", ["crash_before", "crash_after"])
def test_killed_around_the_switch_it_is_finished_once(watched: WatchedDesk, where: str) -> None:
    """Before or after MLflow moved; the alert learns of it in the same transaction."""
    desk = watched.desk
    went_bad(watched)
    setattr(desk.registry, where, 1)
    with pytest.raises(Crash):
        watched.look()
    desk.clock.advance(minutes=10)  # the dead holder's lease
    desk.push_on()
    watched.react()
    assert rollbacks(watched) == ["rollback_intended", "rollback_done"]
    alert = only_alert(watched)
    assert (alert.outcome, alert.to_version) == (Outcome.ROLLED_BACK, 3)
    assert desk.production() == (Version(3),)


def test_killed_between_verdict_and_reaction_it_is_taken_up(watched: WatchedDesk) -> None:
    """The alert and the state were one transaction; whoever starts next goes on."""
    desk = watched.desk
    went_bad(watched)
    desk.registry.is_down = True
    with pytest.raises(Unavailable):
        watched.look()
    desk.registry.is_down = False
    watched.react()
    watched.react()
    assert rollbacks(watched) == ["rollback_intended", "rollback_done"]


def test_a_second_rollback_within_a_day_needs_a_person(watched: WatchedDesk) -> None:
    """v5 goes bad hours after v4 did: it is told, and stays."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    desk.staged(5)
    desk.promoted(5)
    watched.arrive(900, auc=0.5, version=5)
    watched.look()
    limited = [a for a in watched.alerts() if a.version == Version(5)]
    assert [a.outcome for a in limited] == [Outcome.LIMITED]
    assert desk.production() == (Version(5),)
    assert EventKind.AUTOMATIC_ROLLBACK_WITHHELD.value in desk.kinds()
    desk.roll_back(from_version=5, to_version=3)
    assert desk.production() == (Version(3),)


def test_without_a_known_good_version_it_says_so_loudly(watched: WatchedDesk) -> None:
    """Nothing is put back by guess."""
    desk = watched.desk
    went_bad(watched)
    del desk.registry.snapshots[MODEL, Version(3)]
    watched.look()
    alert = only_alert(watched)
    assert alert.outcome is Outcome.NO_TARGET
    assert "v3: deleted in MLflow" in alert.note
    assert "no known good version" in alert.note
    assert desk.production() == (Version(4),)


def test_open_requests_of_the_model_stop_and_their_people_are_told(watched: WatchedDesk) -> None:
    """What they compared against is gone."""
    desk = watched.desk
    desk.staged(5)
    request = desk.promote(5)
    went_bad(watched)
    watched.look()
    ended = desk.request(request.id)
    assert not ended.is_open
    assert "rolled back" in ended.note
    told = [n for n in desk.notices() if n.kind is NoticeKind.TELL and n.request_id == request.id]
    assert PersonId("dana") in {n.person for n in told}


def test_it_is_never_rolled_forward(watched: WatchedDesk) -> None:
    """v3 going bad after the rollback brings v4 not back: it is quarantined."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    desk.clock.advance(days=2)
    watched.arrive(900, auc=0.5, version=3)
    watched.look()
    assert desk.production() == (Version(3),)
    assert [a.outcome for a in watched.alerts() if a.version == 3] == [Outcome.NO_TARGET]


def test_the_alert_is_over_when_the_restored_version_is_healthy(watched: WatchedDesk) -> None:
    """The thread says so, once; it is over when somebody has acknowledged it, and is repeated until
    then."""
    desk = watched.desk
    watched.watched_by(a_monitor(), reminders=REMINDERS)
    went_bad(watched)
    watched.look()
    watched.arrive(300, auc=0.8, version=3)
    watched.look()
    end_alerts(desk.world)
    end_alerts(desk.world)
    alert = only_alert(watched)
    assert alert.recovered_at is not None
    lines = [n for n in desk.notices() if n.kind is NoticeKind.ALERT_LINE]
    assert ["Healthy again with v3" in str(n.facts["why"]) for n in lines] == [True]
    assert alerts.remind(desk.world) == 1
    alerts.acknowledge(desk.world, alert.id, actor=desk.actor("otto"), standing=None)
    assert watched.alerts() == ()


def test_an_acknowledged_alert_is_over_once_the_restored_version_is_healthy(
    watched: WatchedDesk,
) -> None:
    """In whichever order the two happen."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    alert = only_alert(watched)
    alerts.acknowledge(desk.world, alert.id, actor=desk.actor("otto"), standing=None)
    end_alerts(desk.world)
    assert only_alert(watched).is_open
    watched.arrive(300, auc=0.8, version=3)
    watched.look()
    end_alerts(desk.world)
    assert watched.alerts() == ()


def test_a_few_outcomes_do_not_make_a_version_healthy_again(watched: WatchedDesk) -> None:
    """Six of the restored version, or none of its new stay, whatever it did before."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    watched.look()
    end_alerts(desk.world)
    watched.arrive(6, auc=0.8, version=3)
    watched.look()
    end_alerts(desk.world)
    assert only_alert(watched).recovered_at is None
    assert watched.state(version=3).verdict is Verdict.INCONCLUSIVE


def test_a_version_that_was_approved_anew_is_judged_by_its_new_stay(watched: WatchedDesk) -> None:
    """What it did before it was rolled back is not held against it; when it goes bad again, that is
    another alert."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    first = only_alert(watched)
    assert desk.production() == (Version(3),)
    desk.clock.advance(days=3)
    desk.staged(4)
    desk.promoted(4)
    assert desk.production() == (Version(4),)
    watched.look()
    end_alerts(desk.world)
    assert desk.production() == (Version(4),)
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    assert watched.alerts() == ()
    watched.arrive(900, auc=0.5)
    watched.look()
    assert desk.production() == (Version(3),)
    assert only_alert(watched).id != first.id


@pytest.mark.parametrize(("hours", "production"), [(23.9, Version(5)), (24.1, Version(3))])
def test_one_automatic_rollback_in_24_hours(
    watched: WatchedDesk, hours: float, production: Version
) -> None:
    """Before and after."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    rolled_back_at = desk.clock.now
    desk.staged(5)
    desk.promoted(5)
    watched.arrive(900, auc=0.5, version=5)
    desk.clock.now = rolled_back_at + timedelta(hours=hours)
    watched.look()
    assert desk.production() == (production,)


def test_a_monitor_that_may_roll_back_now_does_so_although_its_alert_is_open(
    watched: WatchedDesk,
) -> None:
    """The owner read the alert, and let the policy act."""
    watched.watched_by(a_monitor(then=Action.ALERT))
    went_bad(watched)
    watched.look()
    assert only_alert(watched).outcome is Outcome.ONLY_ALERTED
    watched.watched_by(a_monitor())
    watched.look()
    assert only_alert(watched).outcome is Outcome.ROLLED_BACK
    assert watched.desk.production() == (Version(3),)


def test_an_alert_about_a_version_that_left_is_closed(watched: WatchedDesk) -> None:
    """Nobody will see it healthy again."""
    watched.watched_by(a_monitor(then=Action.ALERT))
    went_bad(watched)
    watched.look()
    watched.desk.roll_back()
    end_alerts(watched.desk.world)
    assert watched.alerts() == ()


def test_two_replicas_look_once(watched: WatchedDesk) -> None:
    """The second gets nothing to look at until the next time."""
    watched.arrive(100, auc=0.8)
    watched.desk.clock.advance(minutes=6)
    Watch(watched.desk.world).look_now()
    looked_at = watched.state().looked_at
    watched.desk.clock.advance(minutes=1)
    Watch(watched.desk.world).look_now()
    assert watched.state().looked_at == looked_at


def test_what_a_monitor_remembers_survives_and_can_be_replayed(watched: WatchedDesk) -> None:
    """Looked at in pieces or all at once, the evidence is the same to the last digit."""
    for _piece in range(4):
        watched.arrive(60, auc=0.8)
        watched.look()
    in_pieces = watched.state()
    watched.watched_by(a_monitor(every=timedelta(minutes=6)))
    watched.look()
    at_once = watched.state()
    assert at_once.progress["betting"] == in_pieces.progress["betting"]
    assert at_once.numbers == in_pieces.numbers


def test_a_monitor_that_is_described_otherwise_begins_anew(watched: WatchedDesk) -> None:
    """What it had seen belonged to another question."""
    watched.arrive(200, auc=0.8)
    watched.look()
    before = watched.state()
    watched.watched_by(a_monitor(every=timedelta(minutes=7)))
    watched.look()
    assert watched.state().spec != before.spec
    assert watched.state().verdict is Verdict.HEALTHY


# --- people -----------------------------------------------------------------------------------


def test_an_alert_that_nobody_acknowledges_is_repeated_until_somebody_does(
    watched: WatchedDesk,
) -> None:
    """On call first, the owners later, nobody any more after a click."""
    desk = watched.desk
    watched.watched_by(a_monitor(), reminders=REMINDERS)
    went_bad(watched)
    watched.look()

    def reminded(minutes: int) -> set[str]:
        desk.clock.advance(minutes=minutes)
        alerts.remind(desk.world)
        found = [n for n in desk.notices() if n.what == "alert_reminder"]
        return {str(n.person) for n in found}

    assert reminded(14) == set()
    assert reminded(1) == {"otto"}
    assert reminded(10) == set()
    assert reminded(35) == {"otto", "dana"}
    alert = only_alert(watched)
    done = alerts.acknowledge(desk.world, alert.id, actor=desk.actor("otto"), standing=None)
    assert done.acknowledged_by == "otto"
    assert reminded(600) == set()
    assert EventKind.ALERT_ACKNOWLEDGED.value in desk.kinds()


def test_only_whom_it_concerns_can_acknowledge(watched: WatchedDesk) -> None:
    """A validator has other duties; and the second click is told who was first."""
    desk = watched.desk
    went_bad(watched)
    watched.look()
    alert = only_alert(watched)
    with pytest.raises(Refused, match="neither on call"):
        alerts.acknowledge(desk.world, alert.id, actor=desk.actor("ana"), standing=None)
    alerts.acknowledge(desk.world, alert.id, actor=desk.actor("otto"), standing=None)
    with pytest.raises(Conflict, match="Otto acknowledged"):
        alerts.acknowledge(desk.world, alert.id, actor=desk.actor("dana"), standing=None)


# --- sources in trouble ------------------------------------------------------------------------


def told_of_monitors(watched: WatchedDesk) -> list[str]:
    """What owners were told since the last time that was asked."""
    return [n.what for n in watched.desk.notices() if n.what.startswith("monitor")]


def test_a_source_in_trouble_is_told_once_and_moves_nothing(watched: WatchedDesk) -> None:
    """However bad the version: what cannot be believed rolls nothing back."""
    went_bad(watched)
    watched.feed.run("UPDATE predictions SET score = 7 WHERE application_id = 'a000001'")
    for _time in range(3):
        watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert watched.desk.production() == (Version(4),)
    told = [n for n in watched.desk.notices() if n.what == "monitor_blind"]
    assert [n.person for n in told] == ["dana"]
    assert "not between 0 and 1" in str(told[0].facts["why"])
    watched.feed.write(watched.applicants)
    watched.look()
    assert told_of_monitors(watched) == ["monitor_sees_again"]
    assert watched.desk.production() == (Version(3),)


def test_owners_hear_of_one_trouble_once_whatever_it_blinds(watched: WatchedDesk) -> None:
    """Two monitors look at a table that is gone: one message, and one when both see again."""
    watched.watched_by(a_monitor(), a_monitor(name="second"))
    watched.arrive(120, auc=0.8)
    watched.look()
    watched.feed.run("DROP TABLE predictions")
    for _time in range(3):
        watched.look()
    assert watched.state("auc").verdict is watched.state("second").verdict is Verdict.ERROR
    assert watched.desk.kinds().count(EventKind.MONITOR_BLIND.value) == 2
    watched.feed.write(watched.applicants)
    for _time in range(2):
        watched.look()
    assert watched.desk.kinds().count(EventKind.MONITOR_SEES_AGAIN.value) == 2
    told = [(n.what, n.person) for n in watched.desk.notices() if n.what.startswith("monitor")]
    assert told == [("monitor_blind", "dana"), ("monitor_sees_again", "dana")]


def test_another_trouble_is_told_and_other_words_for_the_same_are_not(
    watched: WatchedDesk,
) -> None:
    """A source that does not answer says so in other words each time; bad scores are news."""
    watched.arrive(120, auc=0.8)
    assert watched.desk.sources is not None
    broken = BrokenSources(watched.desk.sources())
    watched.desk.sources = lambda: broken  # type: ignore[assignment]  # it passes on
    for why in ("no answer within 30 seconds", "4 questions have no answer", "OperationalError"):
        broken.problem = why
        watched.look()
        assert why in watched.state().sentence
    broken.problem = ""
    watched.feed.run("UPDATE predictions SET score = 7")
    for _time in range(2):
        watched.look()
    told = [str(n.facts["why"]) for n in watched.desk.notices() if n.what == "monitor_blind"]
    assert len(told) == 2
    assert "no answer within" in told[0]
    assert "not between 0 and 1" in told[1]


def test_a_trouble_that_comes_and_goes_is_told_as_that_and_once_a_day(
    watched: WatchedDesk,
) -> None:
    """Gone at every second look: three messages the first day, however often it turns."""
    watched.arrive(120, auc=0.8)
    watched.look()
    for _time in range(4):
        watched.feed.run("DROP TABLE predictions")
        watched.look()
        watched.feed.write(watched.applicants)
        watched.look()
    first_day = ["monitor_blind", "monitor_sees_again", "monitor_comes_and_goes"]
    told = told_of_monitors(watched)
    assert told == first_day
    assert watched.desk.kinds().count(EventKind.MONITOR_BLIND.value) == 4
    watched.desk.clock.advance(days=1)
    watched.feed.run("DROP TABLE predictions")
    watched.look()
    told = told_of_monitors(watched)
    assert told == ["monitor_blind"]


def test_a_trouble_that_came_and_went_and_stays_is_told_when_its_day_is_over(
    watched: WatchedDesk,
) -> None:
    """Once: nobody takes it for over because nothing was said."""
    watched.arrive(120, auc=0.8)
    watched.look()
    for _time in range(2):
        watched.feed.write(watched.applicants)
        watched.look()
        watched.feed.run("DROP TABLE predictions")
        watched.look()
    told = told_of_monitors(watched)
    assert told[-1] == "monitor_comes_and_goes"
    watched.look()
    assert told_of_monitors(watched) == []
    watched.desk.clock.advance(days=1)
    for _time in range(3):
        watched.look()
    told = told_of_monitors(watched)
    assert told == ["monitor_blind"]


def test_another_trouble_is_told_although_one_comes_and_goes(watched: WatchedDesk) -> None:
    """Whoever lets a table flicker does not keep the owners from hearing of bad scores."""
    watched.arrive(120, auc=0.8)
    watched.look()
    for _time in range(2):
        watched.feed.run("DROP TABLE predictions")
        watched.look()
        watched.feed.write(watched.applicants)
        watched.look()
    watched.desk.notices()
    watched.feed.run("UPDATE predictions SET score = 7")
    watched.look()
    told = [n for n in watched.desk.notices() if n.what.startswith("monitor")]
    assert [n.what for n in told] == ["monitor_blind"]
    assert "not between 0 and 1" in str(told[0].facts["why"])
    watched.feed.write(watched.applicants)
    watched.look()
    told = [n for n in watched.desk.notices() if n.what.startswith("monitor")]
    assert [n.what for n in told] == ["monitor_sees_again"]


@pytest.mark.parametrize(
    "spoil",
    [
        "DROP TABLE predictions",
        "DROP TABLE outcomes",
        "DELETE FROM predictions",
        "DELETE FROM outcomes",
        "UPDATE predictions SET score = NULL",
        "UPDATE outcomes SET is_bad = 5",
        "INSERT INTO outcomes (application_id, is_bad) VALUES ('nobody', 1)",
        "INSERT INTO predictions SELECT * FROM predictions",
        "ALTER TABLE predictions RENAME COLUMN score TO probability",
        "UPDATE predictions SET model_version = 'v' || application_id",
    ],
)
def test_missing_data_never_passes_and_never_rolls_back(watched: WatchedDesk, spoil: str) -> None:
    """Gone, empty, null, of nobody, twice, renamed, a million versions: the owner is told once."""
    watched.arrive(120, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    went_bad(watched)
    watched.feed.run(spoil)
    for _time in range(3):
        watched.look()
    assert watched.state().verdict is Verdict.ERROR
    told = [n for n in watched.desk.notices() if n.what == "monitor_blind"]
    assert [n.person for n in told] == ["dana"]
    assert watched.alerts() == ()
    assert watched.desk.production() == (Version(4),)


def test_a_version_whose_predictions_never_come_is_an_error(watched: WatchedDesk) -> None:
    """At once where others' come, after its time where none do; the owner is told once."""
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    watched.arrive(61, auc=0.8, version=3)
    watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert "only predictions of other versions" in watched.state().sentence
    watched.applicants.clear()
    watched.feed.write([])
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    watched.desk.clock.advance(days=7)
    watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert "no prediction of v4 of credit_scoring has arrived" in watched.state().sentence
    told = told_of_monitors(watched)
    assert told == ["monitor_blind", "monitor_sees_again", "monitor_blind"]


def test_predictions_or_outcomes_that_stop_are_an_error_and_never_healthy(
    watched: WatchedDesk,
) -> None:
    """Seven days without anything new."""
    watched.arrive(300, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    watched.desk.clock.advance(days=6)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    watched.desk.clock.advance(days=2)
    watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert "no prediction" in watched.state().sentence
    known = len(watched.applicants)
    watched.arrive(10, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    for _day in range(16):
        watched.arrive(1, auc=0.8)
        watched.feed.write(
            [replace(a, bad=None) if n >= known else a for n, a in enumerate(watched.applicants)]
        )
        watched.desk.clock.advance(days=1)
        watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert "no outcome has arrived" in watched.state().sentence


def test_a_clock_that_goes_back_blinds_nobody(watched: WatchedDesk) -> None:
    """By an hour: what was due in five minutes is not due in 65, and nothing fires."""
    watched.arrive(300, auc=0.8)
    watched.look()
    before = watched.state()
    watched.desk.clock.advance(hours=-1)
    Watch(watched.desk.world).look_now()
    after = watched.state()
    assert after.looked_at == watched.desk.clock.now
    assert replace(after, looked_at=before.looked_at) == before

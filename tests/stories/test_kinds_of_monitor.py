"""Every metric, rule and baseline that a policy can name, from rows in a database to the alert."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from governance.adapters.sql_store.transaction import SqlTransaction
from governance.domain.evidence import Metric as LoggedMetric
from governance.domain.evidence import Version
from governance.domain.monitoring.alert import Outcome
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    DelongSpec,
    FirstOutcomes,
    FixedBaseline,
    Metric,
    MlflowSource,
    MonitorSpec,
    PsiSpec,
    ScoredBaseline,
    SteadySpec,
    TableSource,
    ThresholdSpec,
    ValidationBaseline,
    Watching,
)
from governance.domain.monitoring.state import MonitorKey
from governance.domain.monitoring.verdict import Verdict
from governance.ports import MetricPoint
from governance.use_cases import judge
from governance.use_cases.findings import end_alerts
from governance.use_cases.watch import Watch
from tests.builders import MODEL, a_metric, a_policy, some_rules
from tests.stories.watching import SOURCE, CountedSources, WatchedDesk, a_monitor

DATABASES = ("sqlite",)
"""What a monitor keeps is tried on both by the stories of what it does."""
_HALF_A_DAY = timedelta(hours=12)


def a_window(drop: float = 0.05) -> ThresholdSpec:
    """More than `drop` worse over half a day, on 100 goods and 50 bads at least."""
    return ThresholdSpec(drop=drop, window=_HALF_A_DAY, minimum_goods=100, minimum_bads=50)


def an_alarm(metric: Metric | MlflowSource, **changes: object) -> MonitorSpec:
    """A monitor that only alerts, named after its metric."""
    name = metric.metric if isinstance(metric, MlflowSource) else metric.value
    return a_monitor(name=name, metric=metric, then=Action.ALERT, **changes)


# --- rules ----------------------------------------------------------------------------------------


def test_a_threshold_waits_for_its_counts_and_then_acts(watched: WatchedDesk) -> None:
    """Few outcomes are inconclusive, however bad."""
    watched.watched_by(a_monitor(rule=a_window()))
    watched.arrive(100, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    assert "Too few outcomes" in watched.state().sentence
    assert watched.desk.production() == (Version(4),)
    watched.arrive(300, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.REGRESSED
    assert watched.desk.production() == (Version(3),)


def test_delong_acts_only_when_two_windows_agree(watched: WatchedDesk) -> None:
    """One bad window is a warning that nobody gets; the second one makes it sure."""
    rule = DelongSpec(
        drop=0.05, z=2.33, window=timedelta(hours=10), minimum_goods=100, minimum_bads=50
    )
    watched.watched_by(a_monitor(rule=rule))
    watched.arrive(600, auc=0.8)
    watched.arrive(600, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    watched.arrive(600, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.REGRESSED
    assert watched.desk.production() == (Version(3),)


def test_psi_alerts_when_other_people_apply(watched: WatchedDesk) -> None:
    """Held against the version's own first scores; no outcome is needed."""
    spec = an_alarm(
        Metric.SCORE_PSI,
        baseline=FirstOutcomes(count=500),
        rule=PsiSpec(limit=0.1, window=_HALF_A_DAY, minimum_rows=200),
        bad=Bad.RISES,
    )
    watched.watched_by(spec)
    watched.arrive(400, auc=0.8)
    watched.look()
    assert watched.state("score_psi").verdict is Verdict.INCONCLUSIVE
    assert "400 of 500" in watched.state("score_psi").sentence
    watched.arrive(800, auc=0.8)
    watched.look()
    assert watched.state("score_psi").verdict is Verdict.HEALTHY
    watched.feed.write(
        [replace(a, score=min((a.score or 0) + 0.2, 1.0)) for a in watched.applicants[500:]]
    )
    watched.desk.clock.advance(minutes=6)
    watched.look()
    assert [a.outcome for a in watched.alerts()] == [Outcome.ONLY_ALERTED]
    assert watched.alerts()[0].sentence.startswith("PSI of the score rose to")


def test_the_approval_rate_alerts_without_an_outcome(watched: WatchedDesk) -> None:
    """Half are approved as in the validation, then nearly all."""
    spec = an_alarm(
        Metric.APPROVAL_RATE,
        baseline=FixedBaseline(value=0.5),
        rule=SteadySpec(tolerance=0.05, alpha=0.05, horizon=1000),
        bad=Bad.MOVES,
    )
    watched.watched_by(spec)
    watched.arrive(400, auc=0.8)
    watched.look()
    assert watched.state("approval_rate").verdict is Verdict.HEALTHY
    watched.arrive(150, auc=0.8, approved=0.9)
    watched.feed.run("DELETE FROM outcomes")
    watched.look()
    (alert,) = watched.alerts()
    assert alert.sentence.startswith("Approval rate rose 0.")


def test_without_the_column_approvals_are_scores_below_the_threshold(watched: WatchedDesk) -> None:
    """The threshold is the version's own, as its run records it."""
    bare = replace(SOURCE, predictions=replace(SOURCE.predictions, approved=None))
    spec = an_alarm(
        Metric.APPROVAL_RATE,
        baseline=FixedBaseline(value=0.6),
        rule=SteadySpec(tolerance=0.05, alpha=0.05, horizon=1000),
        bad=Bad.MOVES,
    )
    _policy(watched, (bare,), spec)
    watched.arrive(200, auc=0.8)
    watched.look()
    below = sum((a.score or 0) < 0.5 for a in watched.applicants) / 200
    assert watched.state("approval_rate").numbers["value"] == pytest.approx(below)


def test_psi_looks_at_its_window_alone(watched: WatchedDesk) -> None:
    """Other people applied long ago; those of the last hours are as before."""
    spec = an_alarm(
        Metric.SCORE_PSI,
        baseline=FirstOutcomes(count=500),
        rule=PsiSpec(limit=0.1, window=_HALF_A_DAY, minimum_rows=200),
        bad=Bad.RISES,
    )
    watched.watched_by(spec)
    watched.arrive(2_000, auc=0.8)
    moved = [
        replace(a, score=min((a.score or 0) + 0.3, 1.0)) if 500 <= n < 1_200 else a
        for n, a in enumerate(watched.applicants)
    ]
    watched.feed.write(moved)
    watched.look()
    assert watched.state("score_psi").verdict is Verdict.HEALTHY


def test_what_was_scored_before_the_release_does_not_count(watched: WatchedDesk) -> None:
    """A shadow run of the same version left bad rows in the same table."""
    released = watched.desk.clock.now
    watched.arrive(900, auc=0.5)
    shifted = timedelta(days=3)
    watched.applicants = [
        replace(a, at=(a.at or released) - shifted, id=f"s{a.id}") for a in watched.applicants
    ]
    watched.arrive(120, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    assert watched.state().numbers["goods"] + watched.state().numbers["bads"] == 120
    assert watched.desk.production() == (Version(4),)


# --- metrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "base", "bad"),
    [
        (Metric.PRECISION, 0.55, Bad.FALLS),
        (Metric.RECALL, 0.65, Bad.FALLS),
        (Metric.BRIER, 0.16, Bad.RISES),
    ],
)
def test_what_a_threshold_metric_or_brier_sees(
    watched: WatchedDesk, metric: Metric, base: float, bad: Bad
) -> None:
    """All three get worse when scores become chance."""
    spec = an_alarm(metric, baseline=FixedBaseline(value=base), rule=a_window(0.06), bad=bad)
    watched.watched_by(spec)
    watched.arrive(600, auc=0.8)
    watched.look()
    assert watched.state(metric.value).verdict is Verdict.HEALTHY, watched.state(metric.value)
    watched.arrive(800, auc=0.5)
    watched.look()
    assert [a.monitor for a in watched.alerts()] == [metric.value]


def test_a_threshold_that_nobody_recorded_is_an_error(watched: WatchedDesk) -> None:
    """The owner reads who has to log it."""
    watched.desk.registry.change(MODEL, 4, parameters={})
    spec = an_alarm(Metric.PRECISION, baseline=FixedBaseline(value=0.5), rule=a_window())
    watched.watched_by(spec)
    watched.arrive(400, auc=0.8)
    watched.look()
    assert watched.state("precision").verdict is Verdict.ERROR
    assert "records no decision threshold" in watched.state("precision").sentence


def test_a_metric_of_mlflow_alerts_by_its_newest_value(watched: WatchedDesk) -> None:
    """What somebody logged before the release does not count."""
    spec = an_alarm(
        MlflowSource(metric="ks_live"),
        source=None,
        baseline=FixedBaseline(value=0.4),
        rule=ThresholdSpec(drop=0.05, window=_HALF_A_DAY, minimum_goods=0, minimum_bads=0),
    )
    watched.watched_by(spec)
    clock = watched.desk.clock
    key = (MODEL, Version(4), "ks_live")
    before = MetricPoint(at=clock.now - timedelta(days=1), step=1, value=0.1)
    watched.desk.registry.points[key] = (before,)
    watched.look()
    assert watched.state("ks_live").verdict is Verdict.INCONCLUSIVE
    well = MetricPoint(at=clock.now, step=2, value=0.41)
    watched.desk.registry.points[key] = (before, well)
    watched.look()
    assert watched.state("ks_live").verdict is Verdict.HEALTHY
    badly = MetricPoint(at=clock.now, step=3, value=0.3)
    watched.desk.registry.points[key] = (before, well, badly)
    watched.look()
    assert [a.monitor for a in watched.alerts()] == ["ks_live"]
    assert watched.desk.production() == (Version(4),)


def test_a_logged_metric_that_is_no_number_is_an_error(watched: WatchedDesk) -> None:
    """NaN neither passes nor acts."""
    spec = an_alarm(
        MlflowSource(metric="ks_live"),
        source=None,
        baseline=FixedBaseline(value=0.4),
        rule=ThresholdSpec(drop=0.05, window=_HALF_A_DAY, minimum_goods=0, minimum_bads=0),
    )
    watched.watched_by(spec)
    point = MetricPoint(at=watched.desk.clock.now, step=1, value=float("nan"))
    watched.desk.registry.points[MODEL, Version(4), "ks_live"] = (point,)
    watched.look()
    assert watched.state("ks_live").verdict is Verdict.ERROR
    assert watched.alerts() == ()


# --- baselines ------------------------------------------------------------------------------------


def test_a_validation_metric_with_its_counts_may_act(watched: WatchedDesk) -> None:
    """Its doubt is Hanley and McNeil's."""
    watched.desk.registry.change(
        MODEL, 4, metrics=_metrics(auc_validation=0.8, n_goods=7000, n_bads=3000)
    )
    named = ValidationBaseline(metric="auc_validation", goods="n_goods", bads="n_bads")
    watched.watched_by(a_monitor(baseline=named))
    watched.arrive(600, auc=0.5)
    watched.look()
    assert watched.desk.production() == (Version(3),)


def test_scores_of_the_validation_may_act(watched: WatchedDesk) -> None:
    """A file of the run; its doubt is DeLong's."""
    watched.arrive(2000, auc=0.8, version=9)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["score", "bad"])
    writer.writerows((a.score, a.bad) for a in watched.applicants)
    watched.desk.registry.files[MODEL, Version(4), "validation.csv"] = text.getvalue().encode()
    named = ScoredBaseline(artifact="validation.csv", score="score", bad="bad")
    watched.watched_by(a_monitor(baseline=named))
    watched.arrive(800, auc=0.5)
    watched.look()
    assert watched.desk.production() == (Version(3),)


def test_a_versions_own_first_outcomes_are_not_counted_against_it(watched: WatchedDesk) -> None:
    """The baseline is where it began; only what came after bets."""
    watched.watched_by(a_monitor(baseline=FirstOutcomes(count=1000)))
    watched.arrive(500, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    watched.arrive(600, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    assert watched.state().numbers["goods"] + watched.state().numbers["bads"] == 100
    betting = watched.state().progress["betting"]
    assert isinstance(betting, Mapping)
    assert int(str(betting["goods"])) + int(str(betting["bads"])) == 100
    watched.arrive(1200, auc=0.5)
    watched.look()
    assert watched.desk.production() == (Version(3),)


@pytest.mark.parametrize(
    "named",
    [
        FixedBaseline(value=0.8),
        ValidationBaseline(metric="auc_validation"),
        ValidationBaseline(metric="auc_training", goods="n_goods", bads="n_bads", in_sample=True),
    ],
)
def test_a_baseline_without_counts_or_in_sample_moves_nothing(
    watched: WatchedDesk, named: FixedBaseline | ValidationBaseline
) -> None:
    """Even when it got past the check of the policy."""
    watched.desk.registry.change(
        MODEL,
        4,
        metrics=_metrics(auc_validation=0.8, auc_training=0.99, n_goods=7000, n_bads=3000),
    )
    watched.watched_by(a_monitor(baseline=named, rule=a_window()))
    watched.arrive(600, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.ERROR
    assert "no rollback may rest on it" in watched.state().sentence
    assert watched.desk.production() == (Version(4),)


# --- late labels ----------------------------------------------------------------------------------


def test_outcomes_count_at_equal_maturity(watched: WatchedDesk) -> None:
    """Early bads are not held against a version before the goods had the same time."""
    _policy(watched, (replace(SOURCE, matured_after=timedelta(days=2)),), a_monitor())
    watched.arrive(800, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE
    watched.desk.clock.advance(days=2)
    watched.look()
    assert watched.desk.production() == (Version(3),)


# --- what a look costs, and whom it holds up ------------------------------------------------------


def test_while_nothing_arrives_nothing_is_measured_again(watched: WatchedDesk) -> None:
    """One question for each source: has anything come?"""
    counted = _counted(watched)
    watched.watched_by(a_monitor(), a_monitor(name="alarm", then=Action.ALERT))
    watched.arrive(300, auc=0.8)
    watched.look()
    watched.look()
    before = watched.state()
    counted.asked.clear()
    watched.look()
    assert counted.asked == ["mark"]
    assert watched.state().verdict is Verdict.HEALTHY
    assert before.looked_at is not None
    assert (watched.state().looked_at or before.looked_at) > before.looked_at


def test_a_window_lets_go_of_old_rows_although_nothing_comes(watched: WatchedDesk) -> None:
    """The verdict of yesterday is not the verdict of today."""
    watched.watched_by(a_monitor(rule=a_window(), then=Action.ALERT))
    watched.arrive(700, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    watched.desk.clock.advance(hours=11)
    watched.look()
    assert watched.state().verdict is Verdict.INCONCLUSIVE


def test_what_has_piled_up_is_read_look_by_look_until_all_is_read(
    watched: WatchedDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitor that is new to a busy model: nothing has to arrive for it to go on."""
    monkeypatch.setattr(judge, "PAGE", 25)
    monkeypatch.setattr(judge, "PAGES_A_LOOK", 4)
    watched.watched_by(a_monitor(then=Action.ALERT))
    watched.arrive(200, auc=0.8)
    watched.arrive(900, auc=0.5)
    read = []
    for _look in range(11):
        watched.look()
        betting = watched.state().progress["betting"]
        assert isinstance(betting, Mapping)
        read.append(int(str(betting["goods"])) + int(str(betting["bads"])))
        if watched.alerts():
            break
    assert read == [100 * (n + 1) for n in range(len(read))]
    assert len(read) > 2
    assert [a.monitor for a in watched.alerts()] == ["auc"]


def test_late_outcomes_are_bet_on_and_a_replay_finds_the_same(watched: WatchedDesk) -> None:
    """Half of them come after the first look: nothing is passed over."""
    known = watched.applicants
    watched.arrive(300, auc=0.8)
    dice = random.Random(5)
    watched.feed.write(
        [replace(a, approved=True, bad=None if dice.random() < 0.5 else a.bad) for a in known]
    )
    watched.look()
    watched.feed.write([replace(a, approved=True) for a in known])
    watched.look()
    in_pieces = watched.state()
    assert in_pieces.numbers["goods"] + in_pieces.numbers["bads"] == 300
    watched.watched_by(a_monitor(every=timedelta(minutes=6)))
    watched.look()
    assert watched.state().progress["betting"] == in_pieces.progress["betting"]


def test_a_rate_that_is_as_before_again_is_seen_so(watched: WatchedDesk) -> None:
    """After its alarm the detector begins anew: the alert stands until enough decisions are well by
    themselves, and a second incident is a second alert."""
    spec = an_alarm(
        Metric.APPROVAL_RATE,
        baseline=FixedBaseline(value=0.5),
        rule=SteadySpec(tolerance=0.05, alpha=0.05, horizon=1000),
        bad=Bad.MOVES,
    )
    watched.watched_by(spec)
    watched.arrive(200, auc=0.8, approved=0.5)
    watched.arrive(150, auc=0.8, approved=0.95)
    watched.look()
    said = watched.state("approval_rate").sentence
    assert [a.recovered_at for a in watched.alerts()] == [None]
    watched.arrive(20, auc=0.8, approved=0.5)
    watched.look()
    assert watched.state("approval_rate").verdict is Verdict.REGRESSED
    assert watched.state("approval_rate").sentence == said
    watched.arrive(300, auc=0.8, approved=0.5)
    watched.look()
    assert watched.state("approval_rate").verdict is Verdict.HEALTHY
    end_alerts(watched.desk.world)
    (alert,) = watched.alerts()
    assert alert.recovered_at is not None
    watched.arrive(150, auc=0.8, approved=0.95)
    watched.look()
    assert [a.id == alert.id for a in watched.alerts()] == [False]


def test_an_outcome_that_came_late_is_seen(watched: WatchedDesk) -> None:
    """No prediction is new, and yet there is something to measure."""
    counted = _counted(watched)
    known = watched.applicants
    watched.arrive(300, auc=0.8)
    watched.feed.write([replace(a, bad=None) if n % 2 else a for n, a in enumerate(known)])
    watched.look()
    watched.look()
    counted.asked.clear()
    watched.feed.write(known)
    watched.look()
    assert set(counted.asked) > {"mark"}


def test_what_matures_is_seen_although_nothing_arrived(watched: WatchedDesk) -> None:
    """Time alone brings it."""
    counted = _counted(watched)
    _policy(watched, (replace(SOURCE, matured_after=timedelta(hours=1)),), a_monitor())
    watched.arrive(120, auc=0.8)
    watched.look()
    counted.asked.clear()
    watched.look()
    assert "matured_rows" in counted.asked


def test_monitors_of_one_model_read_the_same_counts_once(watched: WatchedDesk) -> None:
    """Three monitors, one statement for what they share."""
    counted = _counted(watched)
    watched.watched_by(
        *(a_monitor(name=f"m{n}", rule=a_window(0.01 * n), then=Action.ALERT) for n in (5, 6, 7))
    )
    watched.arrive(300, auc=0.8)
    watched.look()
    assert counted.asked.count("outcomes") == 1
    assert watched.state("m7").verdict is Verdict.HEALTHY


def test_quiet_looks_are_kept_together_and_change_nothing_else(watched: WatchedDesk) -> None:
    """One statement at the next tick, whatever the number of monitors; each has its next look."""
    watched.watched_by(a_monitor(), a_monitor(name="alarm", every=timedelta(minutes=30)))
    watched.arrive(300, auc=0.8)
    watched.look()
    watched.look()
    before = watched.state()
    saved: list[int] = []
    store = watched.desk.store
    with store.transaction() as tx:
        original = type(tx).save_quiet_looks

    def counting(self: SqlTransaction, looked: Mapping[MonitorKey, datetime]) -> None:
        saved.append(len(looked))
        original(self, looked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlTransaction, "save_quiet_looks", counting)
        watched.desk.clock.advance(minutes=60)
        Watch(watched.desk.world).look_now()
    assert saved == [2]
    now = watched.desk.clock.now
    with store.read() as tx:
        states = {s.key.monitor: (s, at) for s, at in tx.monitor_states(MODEL)}
    assert {name: at for name, (_s, at) in states.items()} == {
        "auc": now + timedelta(minutes=5),
        "alarm": now + timedelta(minutes=30),
    }
    assert states["auc"][0].looked_at == now
    assert replace(states["auc"][0], looked_at=before.looked_at) == before


# --- helpers --------------------------------------------------------------------------------------


def _policy(watched: WatchedDesk, sources: Sequence[TableSource], *monitors: MonitorSpec) -> None:
    watching = Watching(sources=tuple(sources), monitors=monitors)
    watched.desk.rules.rules = some_rules(replace(a_policy(), watching=watching))


def _counted(watched: WatchedDesk) -> CountedSources:
    assert watched.desk.sources is not None
    counted = CountedSources(watched.desk.sources())
    watched.desk.sources = lambda: counted  # type: ignore[assignment]  # it passes on
    return counted


def _metrics(**values: float) -> tuple[LoggedMetric, ...]:
    return tuple(a_metric(name, str(value)) for name, value in values.items())

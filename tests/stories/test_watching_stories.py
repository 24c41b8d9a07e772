"""From applicants in a database to the version before in Production, and to nobody's alarm when
nothing is wrong."""

from __future__ import annotations

from governance.domain.evidence import Version
from governance.domain.ledger import EventKind
from governance.domain.monitoring.alert import Outcome
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.verdict import Verdict
from governance.use_cases.audit import render_trail, trail
from tests.builders import MODEL
from tests.stories.watching import WatchedDesk, a_monitor


def test_a_version_that_went_bad_is_rolled_back_with_its_reason(watched: WatchedDesk) -> None:
    """The record says what fell, from, to; the trail as the auditor reads it."""
    watched.arrive(300, auc=0.8)
    watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    watched.arrive(600, auc=0.5)
    watched.look()
    assert watched.state().verdict is Verdict.REGRESSED
    assert watched.desk.production() == (Version(3),)
    alert = watched.alerts()[0]
    assert (alert.outcome, alert.version, alert.to_version) == (Outcome.ROLLED_BACK, 4, 3)
    kinds = [k for k in watched.desk.kinds() if k.startswith(("alert", "rollback"))]
    assert kinds == [
        EventKind.ALERT_RAISED.value,
        EventKind.ROLLBACK_INTENDED.value,
        EventKind.ROLLBACK_DONE.value,
    ]
    with watched.desk.store.read() as tx:
        told = render_trail(trail(tx, MODEL))
        assert tx.quarantined(MODEL).keys() == {Version(4)}
    assert "Rolled back" in told
    assert "AUC fell" in told
    assert "below baseline (automatic)" in told
    assert "restored as last known good" in told


def test_nothing_is_done_while_nothing_is_wrong(watched: WatchedDesk) -> None:
    """Looked at again and again."""
    for _day in range(6):
        watched.arrive(100, auc=0.8)
        watched.look()
    assert watched.state().verdict is Verdict.HEALTHY
    assert watched.alerts() == ()
    assert watched.desk.production() == (Version(4),)


def test_a_monitor_that_only_alerts_moves_nothing(watched: WatchedDesk) -> None:
    """One alert, however often it is looked at."""
    watched.watched_by(a_monitor(then=Action.ALERT))
    watched.arrive(900, auc=0.5)
    for _time in range(3):
        watched.look()
    assert [a.outcome for a in watched.alerts()] == [Outcome.ONLY_ALERTED]
    assert watched.desk.production() == (Version(4),)

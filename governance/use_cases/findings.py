"""What looks found: kept, told, and acted on. Each finding is one transaction with its record."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from governance.domain.errors import Conflict, FoureyesError, Refused
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.monitoring.rules import is_well
from governance.domain.monitoring.spec import Action
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.monitoring.verdict import Verdict
from governance.domain.monitoring.words import metric_in_words
from governance.ports import Mark, MetricSources, Transaction
from governance.use_cases import alerts, automatic
from governance.use_cases.due import Due, due_monitors
from governance.use_cases.look import look
from governance.use_cases.measure import Eyes, Watched
from governance.use_cases.restore import verify_restored
from governance.use_cases.shared_reads import SharedReads
from governance.use_cases.trouble import stayed, tell_of_trouble, tell_that_it_stayed
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.watch")


def look_at(
    world: World, sources: MetricSources, batch: Sequence[tuple[Due, MonitorState]]
) -> Mapping[MonitorKey, datetime]:
    """Look at monitors of one model, keep what was found, and act on what regressed. Returns the
    monitors that found what they had found before, each with its next look: nothing of them is
    kept yet.

    Raises:
        Unavailable: the store.
    """
    with world.store.read() as tx:
        now = tx.now
    eyes = Eyes(registry=world.registry, sources=SharedReads(sources))
    marks = _marks(sources, batch)
    quiet: dict[MonitorKey, datetime] = {}
    for due, state in batch:
        watched = Watched(
            model=due.key.model,
            version=due.key.version,
            released_at=due.stay.started_at,
            decision_threshold=due.policy.decision_threshold,
        )
        mark = None if due.source is None else marks.get(due.source.name)
        found = look(eyes, watched, due.spec, due.source, state, now=now, mark=mark)
        verdict_at = world.elapsed()
        if _is_quiet(state, found):
            _remind(world, due, found)
            quiet[due.key] = now + due.spec.every
            continue
        raised = _keep(world, due, state, found)
        if raised is not None and raised.outcome is Outcome.PENDING:
            _react(world, raised.id, verdict_at)
    return quiet


def _is_quiet(before: MonitorState, found: MonitorState) -> bool:
    """Nothing to keep and nothing to tell. What regressed is never quiet: somebody may have closed
    its alert."""
    if found.verdict is Verdict.REGRESSED:
        return False
    return replace(found, looked_at=before.looked_at) == before


def _remind(world: World, due: Due, found: MonitorState) -> None:
    """A trouble that is as before may be one that the owners take for over."""
    if not found.problem:
        return
    with world.store.read() as tx:
        if not stayed(tx, due, found):
            return
    with world.store.transaction() as tx:
        tell_that_it_stayed(tx, due, found)


def _marks(sources: MetricSources, batch: Sequence[tuple[Due, MonitorState]]) -> Mapping[str, Mark]:
    """What is there, asked once for all monitors of a source; a source in trouble has none, and
    each look then says what the trouble is."""
    found: dict[str, Mark] = {}
    for due, _state in batch:
        if due.source is None or due.source.name in found:
            continue
        with suppress(FoureyesError):
            found[due.source.name] = sources.mark(due.source, due.key.model, due.key.version)
    return found


def _react(world: World, alert_id: AlertId, verdict_at: float) -> None:
    try:
        restored = automatic.react(world, alert_id, verdict_at=verdict_at)
    except (Conflict, Refused) as problem:
        _log.warning("an automatic rollback waits: %s", problem.sentence)
        return
    if restored is not None:
        verify_restored(world, restored.model, restored.to_version)


def _keep(world: World, due: Due, before: MonitorState, found: MonitorState) -> Alert | None:
    """One transaction: the state, what the owners are told of a source in trouble, the alert.
    Nothing of a stay that ended meanwhile is kept."""
    with world.store.transaction() as tx:
        running = tx.in_production().get(due.key.model)
        if running != due.stay:
            return None
        if found.problem != before.problem:
            tell_of_trouble(tx, due, before, found)
        tx.save_look(found, tx.now + due.spec.every)
        if found.verdict is not Verdict.REGRESSED:
            return None
        return _raise(tx, due, found)


def _raise(tx: Transaction, due: Due, found: MonitorState) -> Alert | None:
    act = due.spec.then is Action.ROLL_BACK
    for open_one in tx.open_alerts(due.key.model):
        if alerts.is_left_behind(open_one, due.stay):
            alerts.close(tx, open_one, _why_left_behind(open_one))
        elif (open_one.version, open_one.monitor) == (due.key.version, due.key.monitor):
            if open_one.recovered_at is not None:
                alerts.close(tx, open_one, "It regressed again: see the new alert.")
            elif act and open_one.wanted is Action.ALERT:
                alerts.close(tx, open_one, "The policy rolls back now: see the new alert.")
    return alerts.raise_alert(
        tx,
        Alert(
            id=AlertId(0),
            model=due.key.model,
            version=due.key.version,
            monitor=due.spec.name,
            metric=metric_in_words(due.spec.metric),
            bad=due.spec.bad,
            wanted=due.spec.then,
            raised_at=tx.now,
            sentence=found.sentence,
            numbers=found.numbers,
            series=found.series,
            outcome=Outcome.PENDING if act else Outcome.ONLY_ALERTED,
        ),
        due.policy,
    )


# --- when it is over ------------------------------------------------------------------------------


def end_alerts(world: World) -> None:
    """Every few seconds: alerts whose version is well again, and alerts about versions or stays
    that are over, which nobody will see healthy again."""
    rules = world.rules.current()
    with world.store.read() as tx:
        open_ones = [a for a in tx.open_alerts() if a.outcome is not Outcome.PENDING]
        if not open_ones:
            return
        production = tx.in_production()
        states = {
            state.key: state
            for model in sorted({a.model for a in open_ones})
            for state, _next in tx.monitor_states(model)
        }
    due = {d.key: d for d in due_monitors(rules, production)}
    for alert in open_ones:
        stay = production.get(alert.model)
        if stay is None or alerts.is_left_behind(alert, stay):
            with world.store.transaction() as tx:
                alerts.close(tx, alert, _why_left_behind(alert))
            continue
        key = MonitorKey(alert.model, stay.version, alert.monitor)
        state, watched = states.get(key), due.get(key)
        if state is None or watched is None or alert.recovered_at is not None:
            continue
        # A state of an earlier stay, or of another rule, says nothing.
        if state.spec == watched.digest and is_well(state.finding, alert.bad):
            with world.store.transaction() as tx:
                why = f"Healthy again with v{stay.version}. {state.sentence}"
                alerts.recovered(tx, alert, why)


def _why_left_behind(alert: Alert) -> str:
    return f"The stay of v{alert.version} in Production that it was about is over."

"""Monitors at their times: what is due is claimed, looked at, and kept; what regressed is alerted
and rolled back.

One slow source holds up no other model: looks run in lanes, one for each address and one more for
what was slow there, and a look that died is taken up again when its lease is over.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from governance.domain.canonical import Digest, digest_of
from governance.domain.errors import Conflict, FoureyesError, Refused
from governance.domain.evidence import ModelName
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.monitoring.rules import is_well
from governance.domain.monitoring.spec import Action, MonitorSpec, TableSource
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.monitoring.verdict import Verdict
from governance.domain.monitoring.words import metric_in_words
from governance.domain.policy import ModelPolicy, policy_for
from governance.domain.tenure import Tenure
from governance.ports import (
    Mark,
    MetricSources,
    Notice,
    NoticeKind,
    Rules,
    Transaction,
    WantedLook,
)
from governance.use_cases import alerts, automatic
from governance.use_cases.look import look
from governance.use_cases.measure import Eyes, Watched
from governance.use_cases.restore import verify_restored
from governance.use_cases.shared_reads import SharedReads
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.watch")

_LEASE = timedelta(minutes=1)
"""Whoever claimed a look and died keeps others from it so long. Two looks at once do no harm: what
they remember is replayed from the data, and an alert is raised once."""
_LANE_WIDTH = 4
"""Looks at once in one lane: a slow table does not hold up its whole database."""
_SLOW_SECONDS = 5.0
"""A model whose looks took longer is looked at in the slow lane of its address from then on."""
_MLFLOW_LANE = "mlflow"


@dataclass(frozen=True, kw_only=True)
class Due:
    """One monitor to look at now."""

    key: MonitorKey
    stay: Tenure
    """The version's stay in Production that is watched."""
    policy: ModelPolicy
    spec: MonitorSpec
    source: TableSource | None

    @property
    def address(self) -> str:
        """Where it looks; looks of one address share a lane."""
        return _MLFLOW_LANE if self.source is None else self.source.url

    @property
    def digest(self) -> Digest:
        """Of everything that the verdict depends on beside the data: a change in the policy, and
        each stay in Production, begins anew."""
        return digest_of(
            {
                "monitor": repr(self.spec),
                "source": repr(self.source),
                "threshold": self.policy.decision_threshold,
                "since": self.stay.started_at.isoformat(),
            }
        )

    @property
    def wanted(self) -> WantedLook:
        """As the store is asked for it."""
        return WantedLook(spec=self.digest, every=self.spec.every)


class Watch:
    """The eyes of one process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._running: dict[tuple[ModelName, str], Future[None]] = {}
        self._slow: set[tuple[ModelName, str]] = set()
        self._quiet: dict[MonitorKey, datetime] = {}
        self._is_stopped = False
        self._lock = Lock()

    def tick(self) -> int:
        """Claim what is due and hand it to its lane; returns how many monitors were handed over.
        Two queries when nothing is due.

        Raises:
            Unavailable: the store.
        """
        if self._world.sources is None:
            return 0
        self._keep_quiet_looks()
        wanted = self._wanted()
        if not wanted:
            return 0
        sources = self._world.sources()
        claimed = self._claim(wanted)
        batches: dict[tuple[ModelName, str], list[tuple[Due, MonitorState]]] = {}
        for key, state in claimed.items():
            due = wanted[key]
            batches.setdefault((key.model, due.address), []).append((due, state))
        for (model, address), batch in batches.items():
            self._hand_over(model, address, batch, sources)
        return len(claimed)

    def look_now(self) -> None:
        """Look at everything that is due in this thread; for tests, the demo and commands."""
        if self._world.sources is None:
            return
        wanted = self._wanted()
        sources = self._world.sources()
        claimed = self._claim(wanted)
        for model in sorted({key.model for key in claimed}):
            batch = [(wanted[k], state) for k, state in claimed.items() if k.model == model]
            self._note(look_at(self._world, sources, batch))
        self._keep_quiet_looks()

    def stop(self) -> None:
        """Begin nothing new; what runs is taken up after its lease when it is cut off."""
        with self._lock:
            self._is_stopped = True
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.shutdown(wait=False, cancel_futures=True)

    def is_idle(self, patience: timedelta) -> bool:
        """Wait for the looks that run; False when one still runs after `patience`."""
        with self._lock:
            running = {look for look in self._running.values() if not look.done()}
        return not wait(running, timeout=patience.total_seconds()).not_done

    def _claim(self, wanted: Mapping[MonitorKey, Due]) -> Mapping[MonitorKey, MonitorState]:
        with self._world.store.transaction() as tx:
            return tx.claim_looks({key: due.wanted for key, due in wanted.items()}, _LEASE)

    def _wanted(self) -> Mapping[MonitorKey, Due]:
        rules = self._world.rules.current()
        with self._world.store.read() as tx:
            now = tx.now
            due = due_monitors(rules, tx.in_production())
            if not due:
                return {}
            looks = tx.looks()
        with self._lock:
            # A look that takes longer than its lease is not begun a second time beside itself.
            busy = {where for where, look in self._running.items() if not look.done()}
        return {
            d.key: d
            for d in due
            if (d.key.model, d.address) not in busy
            and (
                (known := looks.get(d.key)) is None or d.wanted.is_due(known, now=now, lease=_LEASE)
            )
        }

    def _hand_over(
        self,
        model: ModelName,
        address: str,
        batch: Sequence[tuple[Due, MonitorState]],
        sources: MetricSources,
    ) -> None:
        where = (model, address)
        with self._lock:
            if self._is_stopped:
                return  # claimed, and taken up when the lease is over
            lane = f"{address} slow" if where in self._slow else address
            pool = self._lanes.get(lane)
            if pool is None:
                pool = ThreadPoolExecutor(_LANE_WIDTH, thread_name_prefix=f"watch-{lane}")
                self._lanes[lane] = pool
            self._running[where] = pool.submit(self._look_at, where, batch, sources)

    def _look_at(
        self,
        where: tuple[ModelName, str],
        batch: Sequence[tuple[Due, MonitorState]],
        sources: MetricSources,
    ) -> None:
        began = self._world.elapsed()
        try:
            self._note(look_at(self._world, sources, batch))
        except FoureyesError as problem:
            _log.warning("looking at %s: %s: %s", where[0], problem.code, problem.sentence)
        except Exception:  # a defect with one model must not end its lane unseen
            _log.exception("looking at %s broke", where[0])
        with self._lock:
            if self._world.elapsed() - began > _SLOW_SECONDS:
                self._slow.add(where)
            else:
                self._slow.discard(where)

    def _note(self, quiet: Mapping[MonitorKey, datetime]) -> None:
        """Looks that found what was found before are kept together, at the next tick."""
        with self._lock:
            self._quiet.update(quiet)

    def _keep_quiet_looks(self) -> None:
        with self._lock:
            quiet, self._quiet = self._quiet, {}
        if not quiet:
            return
        with self._world.store.transaction() as tx:
            tx.save_quiet_looks(quiet)


def due_monitors(rules: Rules, production: Mapping[ModelName, Tenure]) -> tuple[Due, ...]:
    """Every monitor of every version in Production, due or not."""
    found: list[Due] = []
    for model, stay in production.items():
        policy = policy_for(rules.policies, model)
        if policy is None:
            continue
        for spec in policy.watching.monitors:
            found.append(
                Due(
                    key=MonitorKey(model, stay.version, spec.name),
                    stay=stay,
                    policy=policy,
                    spec=spec,
                    source=None if spec.source is None else policy.watching.source(spec.source),
                )
            )
    return tuple(found)


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
            quiet[due.key] = now + due.spec.every
            continue
        raised = _keep(world, due, found)
        if raised is not None and raised.outcome is Outcome.PENDING:
            _react(world, raised.id, verdict_at)
    return quiet


def _is_quiet(before: MonitorState, found: MonitorState) -> bool:
    """Nothing to keep and nothing to tell. What regressed is never quiet: somebody may have closed
    its alert."""
    if found.verdict is Verdict.REGRESSED:
        return False
    trouble = found.sentence if found.verdict is Verdict.ERROR else ""
    return trouble == found.problem and replace(found, looked_at=before.looked_at) == before


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


def _keep(world: World, due: Due, found: MonitorState) -> Alert | None:
    """One transaction: the state, what the owners are told of a source in trouble, the alert.
    Nothing of a stay that ended meanwhile is kept."""
    with world.store.transaction() as tx:
        running = tx.in_production().get(due.key.model)
        if running != due.stay:
            return None
        found = _tell_of_trouble(tx, due, found)
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


def _tell_of_trouble(tx: Transaction, due: Due, found: MonitorState) -> MonitorState:
    """The owners hear of a source in trouble once, and once that it is seen again."""
    trouble = found.sentence if found.verdict is Verdict.ERROR else ""
    if trouble == found.problem:
        return found
    kind = EventKind.MONITOR_BLIND if trouble else EventKind.MONITOR_SEES_AGAIN
    tx.record(
        Event(
            kind=kind,
            at=tx.now,
            actor=alerts.WATCHER,
            model=due.key.model,
            version=due.key.version,
            why=trouble,
            facts={"monitor": due.spec.name},
        )
    )
    for owner in sorted(due.policy.owners):
        tx.notify(
            Notice(
                kind=NoticeKind.TELL,
                what="monitor_blind" if trouble else "monitor_sees_again",
                model=due.key.model,
                person=owner,
                facts={"monitor": due.spec.name, "why": trouble},
            )
        )
    return replace(found, problem=trouble)


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

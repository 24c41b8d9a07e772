"""Monitors at their times: what is due is claimed, looked at, and kept; what regressed is alerted
and rolled back.

One slow source holds up no other model: looks run in lanes, one for each source, and a look that
died is taken up again when its lease is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock

from governance.domain.canonical import Digest, digest_of
from governance.domain.errors import Conflict, FoureyesError, Refused
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.ledger import Event, EventKind
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
from governance.domain.monitoring.spec import Action, MonitorSpec, TableSource
from governance.domain.monitoring.state import MonitorKey, MonitorState
from governance.domain.monitoring.verdict import Verdict
from governance.domain.monitoring.words import metric_in_words
from governance.domain.policy import ModelPolicy, policy_for
from governance.ports import Mark, MetricSources, Notice, NoticeKind, Rules, Transaction
from governance.use_cases import alerts, automatic
from governance.use_cases.look import Eyes, Watched, look
from governance.use_cases.restore import verify_restored
from governance.use_cases.shared_reads import SharedReads
from governance.use_cases.world import World

_log = logging.getLogger("foureyes.watch")

_LEASE = timedelta(minutes=1)
"""Whoever claimed a look and died keeps others from it so long. Two looks at once do no harm: what
they remember is replayed from the data, and an alert is raised once."""
_LANE_WIDTH = 4
"""Looks at once in one lane: a slow table does not hold up its whole database."""
_MLFLOW_LANE = "mlflow"


@dataclass(frozen=True, kw_only=True)
class Due:
    """One monitor to look at now."""

    key: MonitorKey
    policy: ModelPolicy
    spec: MonitorSpec
    source: TableSource | None

    @property
    def lane(self) -> str:
        """Looks of one lane share a source."""
        return _MLFLOW_LANE if self.source is None else self.source.url

    @property
    def digest(self) -> Digest:
        """Of everything that the verdict depends on in the policy: a change begins anew."""
        return digest_of(
            {
                "monitor": repr(self.spec),
                "source": repr(self.source),
                "threshold": self.policy.decision_threshold,
            }
        )


class Watch:
    """The eyes of one process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._running: set[Future[None]] = set()
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
        wanted = self._wanted()
        if not wanted:
            return 0
        sources = self._world.sources()
        with self._world.store.transaction() as tx:
            claimed = tx.claim_looks({key: due.digest for key, due in wanted.items()}, _LEASE)
        batches: dict[tuple[ModelName, str], list[tuple[Due, MonitorState]]] = {}
        for key, state in claimed.items():
            due = wanted[key]
            batches.setdefault((key.model, due.lane), []).append((due, state))
        for (model, lane), batch in batches.items():
            self._hand_over(model, lane, batch, sources)
        return len(claimed)

    def look_now(self) -> None:
        """Look at everything that is due in this thread; for tests, the demo and commands."""
        if self._world.sources is None:
            return
        wanted = self._wanted()
        sources = self._world.sources()
        with self._world.store.transaction() as tx:
            claimed = tx.claim_looks({key: due.digest for key, due in wanted.items()}, _LEASE)
        for model in sorted({key.model for key in claimed}):
            batch = [(wanted[k], state) for k, state in claimed.items() if k.model == model]
            look_at(self._world, sources, batch)

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
            running = {look for look in self._running if not look.done()}
        return not wait(running, timeout=patience.total_seconds()).not_done

    def _wanted(self) -> Mapping[MonitorKey, Due]:
        rules = self._world.rules.current()
        with self._world.store.read() as tx:
            now = tx.now
            due = due_monitors(rules, tx.in_production())
            if not due:
                return {}
            looks = tx.looks()
        return {
            d.key: d
            for d in due
            if (known := looks.get(d.key)) is None
            or known.next_look_at <= now
            or known.spec != d.digest
        }

    def _hand_over(
        self,
        model: ModelName,
        lane: str,
        batch: Sequence[tuple[Due, MonitorState]],
        sources: MetricSources,
    ) -> None:
        with self._lock:
            if self._is_stopped:
                return  # claimed, and taken up when the lease is over
            pool = self._lanes.get(lane)
            if pool is None:
                pool = ThreadPoolExecutor(_LANE_WIDTH, thread_name_prefix=f"watch-{lane}")
                self._lanes[lane] = pool
            self._running = {look for look in self._running if not look.done()}
            self._running.add(
                pool.submit(_guarded, lambda: look_at(self._world, sources, batch), model)
            )


def _guarded(run: Callable[[], None], model: ModelName) -> None:
    try:
        run()
    except FoureyesError as problem:
        _log.warning("looking at %s: %s: %s", model, problem.code, problem.sentence)
    except Exception:  # a defect with one model must not end its lane unseen
        _log.exception("looking at %s broke", model)


def due_monitors(rules: Rules, production: Mapping[ModelName, Version]) -> tuple[Due, ...]:
    """Every monitor of every version in Production, due or not."""
    found: list[Due] = []
    for model, version in production.items():
        policy = policy_for(rules.policies, model)
        if policy is None:
            continue
        for spec in policy.watching.monitors:
            found.append(
                Due(
                    key=MonitorKey(model, version, spec.name),
                    policy=policy,
                    spec=spec,
                    source=None if spec.source is None else policy.watching.source(spec.source),
                )
            )
    return tuple(found)


def look_at(
    world: World, sources: MetricSources, batch: Sequence[tuple[Due, MonitorState]]
) -> None:
    """Look at monitors of one model, keep what was found, and act on what regressed.

    Raises:
        Unavailable: the store.
    """
    model = batch[0][0].key.model
    with world.store.read() as tx:
        now = tx.now
        tenures = tx.tenures(model)
    eyes = Eyes(registry=world.registry, sources=SharedReads(sources))
    marks = _marks(sources, batch)
    for due, state in batch:
        released_at = next(
            (
                t.started_at
                for t in reversed(tenures)
                if t.version == due.key.version
                and t.stage is Stage.PRODUCTION
                and t.ended_at is None
            ),
            None,
        )
        if released_at is None:
            continue  # it left Production meanwhile: nothing is watched any more
        watched = Watched(
            model=model,
            version=due.key.version,
            released_at=released_at,
            decision_threshold=due.policy.decision_threshold,
        )
        mark = None if due.source is None else marks.get(due.source.name)
        found = look(eyes, watched, due.spec, due.source, state, now=now, mark=mark)
        verdict_at = world.elapsed()
        raised = _keep(world, due, state, found)
        if raised is not None and raised.outcome is Outcome.PENDING:
            _react(world, raised.id, verdict_at)


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
    """One transaction: the state, what the owners are told of a source in trouble, the alert."""
    with world.store.transaction() as tx:
        found = _tell_of_trouble(tx, due, found)
        tx.save_look(found, tx.now + due.spec.every)
        if found.verdict is Verdict.HEALTHY:
            _close_healthy(tx, due, found)
        if found.verdict is not Verdict.REGRESSED:
            return None
        running = tx.in_production().get(due.key.model)
        if running != due.key.version:
            return None
        act = due.spec.then is Action.ROLL_BACK
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


def _close_healthy(tx: Transaction, due: Due, found: MonitorState) -> None:
    for alert in tx.open_alerts(due.key.model):
        if alert.monitor == due.spec.name and due.key.version in alert.concerns:
            version = due.key.version
            alerts.close(tx, alert, f"Healthy again with v{version}. {found.sentence}")


def close_left_behind(world: World) -> None:
    """Alerts about versions that are no longer in Production, and were not rolled back from by
    us: nobody will see them healthy again."""
    with world.store.read() as tx:
        production = tx.in_production()
        stale = [
            a
            for a in tx.open_alerts()
            if a.outcome is not Outcome.PENDING and production.get(a.model) not in a.concerns
        ]
    for alert in stale:
        with world.store.transaction() as tx:
            alerts.close(tx, alert, f"v{alert.version} is no longer in Production.")

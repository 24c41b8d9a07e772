"""From the verdict to Production changed in MLflow, and what a tick over 1,000 models costs."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Lock, current_thread, local

from ibis.expr.types import Table
from mlflow import MlflowClient
from sqlalchemy import Engine, event

from bot.demo.processes import mlflow_server
from governance.adapters.head_file import HeadFile
from governance.adapters.metric_sources import IbisSources
from governance.adapters.mlflow_registry import MlflowRegistry
from governance.adapters.sql_store import open_store
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.monitoring.alert import Outcome
from governance.domain.monitoring.spec import (
    Action,
    Bad,
    EProcessSpec,
    FixedBaseline,
    Metric,
    MonitorSpec,
    ThresholdSpec,
    Watching,
)
from governance.domain.policy import PolicySet
from governance.domain.tenure import Ending, Origin, Tenure
from governance.ports import Registry, Rules
from governance.use_cases.watch import Watch
from governance.use_cases.world import World
from tests.benchmarks.goals import Goal
from tests.builders import MODEL, a_policy, some_rules
from tests.fakes import FakeAccounts, FakeRegistry, FixedRules
from tests.mlflow_server import RealMlflow
from tests.sources.feed import (
    Feed,
    Scored,
    SqliteFeed,
    a_source,
    some_applicants,
)
from tests.stories.desk import HandClock
from tests.stories.watching import a_monitor

ROUNDS = 15
MODELS = 1000
_FOR_EVER = timedelta(days=36500)
_PATIENCE = timedelta(hours=1)
_MOST_STATEMENTS_WHEN_IDLE = 6


def main() -> list[Goal]:
    """Print both."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    return [*_react(), *_ticks()]


# --- verdict to Production ----------------------------------------------------------------------


def _react() -> list[Goal]:
    """Real outcomes of a version that scores at random; the seconds are those that the alert
    itself tells: from the verdict to Production read back."""
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as name, mlflow_server(Path(name) / "mlflow") as uri:
        folder = Path(name)
        real = RealMlflow(uri)
        real.client.create_registered_model(MODEL)
        real.add_version(MODEL)
        real.add_version(MODEL)
        clock = HandClock()
        feed = SqliteFeed(folder)
        sources = IbisSources(feed.environ)
        watching = Watching(sources=(a_source(),), monitors=(a_monitor(),))
        world = replace(
            _world(folder, MlflowRegistry(uri), clock),
            sources=lambda: sources,
            rules=FixedRules(some_rules(replace(a_policy(), watching=watching))),
        )
        for _ in range(ROUNDS):
            world.registry.set_production(MODEL, Version(2))
            clock.advance(days=2)
            _stand_at_two(world)
            _go_bad(feed, clock)
            ours.append(_seconds_of_the_alert(world))
            if not world.registry.is_in_production(world.registry.production(MODEL), Version(1)):
                raise SystemExit("MLflow does not show the version before")
            world.registry.set_production(MODEL, Version(2))
            began = time.perf_counter()
            _bare(real.client)
            bare.append(time.perf_counter() - began)
        sources.close()
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    print(
        f"verdict regressed to Production changed in MLflow, as the alert says it: median "
        f"{statistics.median(ours):.3f} s, max {max(ours):.3f} s; bare calls "
        f"{statistics.median(bare):.3f} s; ratio {ratio:.2f}"
    )
    return [
        Goal(name="verdict to Production, against the bare calls", measured=ratio, at_most=2.0),
        Goal(
            name="verdict to Production, share of one second",
            measured=statistics.median(ours),
            at_most=1.0,
        ),
    ]


def _stand_at_two(world: World) -> None:
    """v2 comes to Production, once more, and v1 was there before."""
    with world.store.transaction() as tx:
        for version in (1, 2):
            tx.lift_quarantine(MODEL, Version(version))
            tx.begin_tenure(
                Tenure(
                    model=MODEL,
                    version=Version(version),
                    stage=Stage.PRODUCTION,
                    started_at=tx.now,
                    origin=Origin.ADOPTED,
                    request_id=None,
                )
            )
            if version == 1:
                tx.end_tenure(MODEL, Version(1), Stage.PRODUCTION, Ending.PROMOTION, tx.now)


def _go_bad(feed: Feed, clock: HandClock) -> None:
    """Six hundred applicants whom v2 scored at random since."""
    dice = random.Random(7)
    rows = []
    for number in range(600):
        clock.advance(seconds=5)
        score, bad = dice.random(), dice.random() < 0.3
        rows.append(
            Scored(
                id=f"a{number:04d}",
                at=clock.now,
                version=2,
                score=score,
                approved=score < 0.5,
                bad=int(bad),
            )
        )
    feed.write(rows)
    clock.advance(seconds=5)


def _seconds_of_the_alert(world: World) -> float:
    """One look finds it, and rolls back."""
    Watch(world).look_now()
    with world.store.read() as tx:
        newest = max(tx.open_alerts(MODEL), key=lambda alert: alert.id)
    if newest.outcome is not Outcome.ROLLED_BACK or newest.seconds is None:
        raise SystemExit(f"nothing was rolled back: {newest}")
    return newest.seconds


def _bare(client: MlflowClient) -> None:
    """What has to be asked and said in any case."""
    client.search_model_versions(f"name='{MODEL}'")
    client.transition_model_version_stage(MODEL, "1", "Production", archive_existing_versions=True)
    client.set_registered_model_alias(MODEL, "champion", "1")
    client.search_model_versions(f"name='{MODEL}'")
    client.get_registered_model(MODEL)


# --- a tick ---------------------------------------------------------------------------------------


def _ticks() -> list[Goal]:
    """Many models with three monitors each; their applicants are in one table of one database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feed = SqliteFeed(folder)
        feed.write(some_applicants(300))
        sources = IbisSources(feed.environ)
        clock = HandClock()
        world = replace(
            _world(folder, FakeRegistry(), clock),
            sources=lambda: sources,
            rules=FixedRules(_many_policies()),
        )
        clock.advance(days=2)  # what matures while it is measured would be something new
        _all_in_production(world)
        watch = Watch(world)
        first = _tick(watch, "all are due for the first time")
        clock.advance(minutes=6)
        again = _tick(watch, "all are due and nothing has arrived")
        idle = _tick(watch, "none is due")
        watch.stop()
    if (first.looks, again.looks, idle.looks) != (MODELS * 3, MODELS * 3, 0):
        raise SystemExit(f"other monitors were looked at: {first}, {again}, {idle}")
    return [
        Goal(
            name="a tick when nothing has arrived, against the first",
            measured=again.seconds / first.seconds,
            at_most=0.5,
        ),
        Goal(
            name="a tick when none is due, against one in which all are",
            measured=idle.seconds / again.seconds,
            at_most=0.05,
        ),
        Goal(
            name="statements of a tick when none is due",
            measured=idle.store + idle.source,
            at_most=_MOST_STATEMENTS_WHEN_IDLE,
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class _Tick:
    looks: int
    seconds: float
    store: int
    source: int


def _tick(watch: Watch, when: str) -> _Tick:
    """One tick in the bot's own lanes, until its last look is over and kept."""
    with _load() as load:
        began = time.perf_counter()
        looks = watch.tick()
        handed = time.perf_counter() - began
        if not watch.is_idle(_PATIENCE):
            raise SystemExit("the looks did not end")
        if looks:
            watch.keep_quiet_looks()
        seconds = time.perf_counter() - began
    print(
        f"a tick over {MODELS:,} models with 3 monitors each, {when}: {looks:,} looks; the "
        f"ticker is free after {handed:.2f} s, all is done after {seconds:.2f} s; store: "
        f"{load.statements['store']:,} statements, {load.seconds['store']:.2f} s; source: "
        f"{load.statements['source']:,} statements, {load.seconds['source']:.2f} s in "
        f"{load.threads} threads"
    )
    return _Tick(
        looks=looks,
        seconds=seconds,
        store=load.statements["store"],
        source=load.statements["source"],
    )


def _all_in_production(world: World) -> None:
    with world.store.transaction() as tx:
        for number in range(MODELS):
            tx.begin_tenure(
                Tenure(
                    model=ModelName(f"model_{number:04d}"),
                    version=Version(3),
                    stage=Stage.PRODUCTION,
                    started_at=tx.now - timedelta(days=3650),
                    origin=Origin.ADOPTED,
                    request_id=None,
                )
            )


def _many_policies() -> Rules:
    rules = some_rules()
    window = ThresholdSpec(drop=0.9, window=_FOR_EVER, minimum_goods=1, minimum_bads=0)
    monitors = tuple(
        MonitorSpec(
            name=name,
            metric=metric,
            source="applications",
            baseline=FixedBaseline(value=0.78, goods=7000, bads=3000),
            rule=rule,
            bad=Bad.FALLS,
            every=timedelta(minutes=5),
            then=Action.ALERT,
        )
        for name, metric, rule in (
            ("auc", Metric.AUC, EProcessSpec(tolerance=0.01, alpha=0.01)),
            ("brier", Metric.BRIER, window),
            ("approvals", Metric.APPROVAL_RATE, window),
        )
    )
    source = a_source(fresh_within=_FOR_EVER, outcomes_within=timedelta())
    policy = replace(
        a_policy(),
        pattern="model_*",
        watching=Watching(sources=(source,), monitors=monitors),
    )
    return replace(
        rules, policies=PolicySet(policies={"model_*": policy}, digest=rules.policies.digest)
    )


@dataclass
class _Load:
    """Statements and the seconds that they took: to the store by SQLAlchemy, to the source by
    Ibis, which waits for the interpreter too."""

    statements: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    names: set[str] = field(default_factory=set)

    @property
    def threads(self) -> int:
        """How many asked the source."""
        return len(self.names)


@contextmanager
def _load() -> Iterator[_Load]:
    """What is asked while the block lasts."""
    load, lock, begun = _Load(), Lock(), local()

    def before(*_arguments: object) -> None:
        begun.at = time.perf_counter()

    def after(*_arguments: object) -> None:
        note("store", begun.at)

    def note(where: str, since: float) -> None:
        with lock:
            load.statements[where] += 1
            load.seconds[where] += time.perf_counter() - since
            if where == "source":
                load.names.add(current_thread().name)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    asked = Table.to_pyarrow

    def source(table: Table, *arguments: object, **named: object) -> object:
        began = time.perf_counter()
        try:
            return asked(table, *arguments, **named)
        finally:
            note("source", began)

    Table.to_pyarrow = source
    try:
        yield load
    finally:
        Table.to_pyarrow = asked
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def _world(folder: Path, registry: Registry, clock: HandClock | None = None) -> World:
    heads = HeadFile(folder / "heads")
    store = open_store(f"sqlite:///{folder / 'record.db'}", heads, clock=clock)
    store.upgrade()
    return World(
        store=store,
        registry=registry,
        rules=FixedRules(some_rules()),
        accounts=FakeAccounts(),
        heads=heads,
        elapsed=time.monotonic,
        holder="bench",
        pause=time.sleep,
        lock_patience=timedelta(seconds=1),
    )


if __name__ == "__main__":
    main()

"""From the verdict to Production changed in MLflow, and what a tick over 1,000 models costs."""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ibis.expr.types import Table
from mlflow import MlflowClient
from sqlalchemy import Engine, event

from bot.demo.processes import mlflow_server
from governance.adapters.head_file import HeadFile
from governance.adapters.metric_sources import IbisSources
from governance.adapters.mlflow_registry import MlflowRegistry
from governance.adapters.sql_store import open_store
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.monitoring.alert import Alert, AlertId, Outcome
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
from governance.use_cases import alerts, automatic
from governance.use_cases.watch import Watch
from governance.use_cases.world import World
from tests.builders import MODEL, a_policy, some_rules
from tests.fakes import FakeAccounts, FakeRegistry, FixedRules
from tests.mlflow_server import RealMlflow
from tests.sources.feed import ADDRESS, SqliteFeed, a_source, some_applicants
from tests.stories.desk import HandClock

ROUNDS = 15
_FOR_EVER = timedelta(days=36500)
MODELS = 1000


def main() -> None:
    """Print both."""
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    _react()
    _tick()


# --- verdict to Production ----------------------------------------------------------------------


def _react() -> None:
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder) / "mlflow") as uri:
        real = RealMlflow(uri)
        real.client.create_registered_model(MODEL)
        real.add_version(MODEL)
        real.add_version(MODEL)
        clock = HandClock()
        world = _world(Path(folder), MlflowRegistry(uri), clock)
        ours: list[float] = []
        bare: list[float] = []
        for number in range(ROUNDS):
            world.registry.set_production(MODEL, Version(2))
            clock.advance(days=2)
            alert = _verdict(world, number)
            began = time.perf_counter()
            restored = automatic.react(world, alert.id)
            ours.append(time.perf_counter() - began)
            if restored is None or restored.to_version != 1:
                raise SystemExit("nothing was rolled back")
            world.registry.set_production(MODEL, Version(2))
            began = time.perf_counter()
            _bare(real.client)
            bare.append(time.perf_counter() - began)
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    print(
        f"verdict to Production changed in MLflow: median {statistics.median(ours):.3f} s, "
        f"max {max(ours):.3f} s; bare calls {statistics.median(bare):.3f} s; "
        f"ratio {ratio:.2f} (goal: under 1 s)"
    )


def _verdict(world: World, number: int) -> Alert:
    """v2 has regressed, two days after the time before."""
    policy = a_policy()
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
        raised = alerts.raise_alert(
            tx,
            Alert(
                id=AlertId(0),
                model=MODEL,
                version=Version(2),
                monitor=f"auc {number}",
                metric="AUC",
                bad=Bad.FALLS,
                wanted=Action.ROLL_BACK,
                raised_at=tx.now,
                sentence="AUC fell 0.1 below baseline: …",
                numbers={},
                series=(),
                outcome=Outcome.PENDING,
            ),
            policy,
        )
    if raised is None:
        raise SystemExit("no alert")
    return raised


def _bare(client: MlflowClient) -> None:
    """What has to be asked and said in any case."""
    client.search_model_versions(f"name='{MODEL}'")
    client.transition_model_version_stage(MODEL, "1", "Production", archive_existing_versions=True)
    client.set_registered_model_alias(MODEL, "champion", "1")
    client.search_model_versions(f"name='{MODEL}'")
    client.get_registered_model(MODEL)


# --- a tick ---------------------------------------------------------------------------------------


def _tick() -> None:
    """A thousand models with three monitors each; their applicants are in one table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feed = SqliteFeed(folder)
        feed.write(some_applicants(300))
        world = _world(folder, FakeRegistry())
        sources = IbisSources({ADDRESS: feed.environ[ADDRESS]})
        world = replace(world, sources=lambda: sources, rules=FixedRules(_many_policies()))
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
        watch = Watch(world)
        with _counted() as first:
            began = time.perf_counter()
            watch.look_now()
            looked = time.perf_counter() - began
        print(
            f"1,000 models with 3 monitors, all due: {looked:.1f} s for 3,000 looks, "
            f"{first['store']:,} statements to the store, {first['source']:,} to the source"
        )
        with world.store.transaction() as tx:
            everything = [
                state
                for number in range(MODELS)
                for state, _next in tx.monitor_states(ModelName(f"model_{number:04d}"))
            ]
            for state in everything:
                tx.save_look(state, tx.now)
        with _counted() as again:
            began = time.perf_counter()
            watch.look_now()
            looked = time.perf_counter() - began
        print(
            f"the same when all are due and nothing has arrived: {looked:.1f} s, "
            f"{again['store']:,} statements to the store, {again['source']:,} to the source"
        )
        with _counted() as second:
            began = time.perf_counter()
            watch.look_now()
            idle = time.perf_counter() - began
        print(
            f"the same when nothing is due: {idle:.3f} s, {second['store']} statements to the "
            f"store, {second['source']} to the source"
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


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Statements while the block lasts: to the store by SQLAlchemy, to the source by Ibis."""
    counts: Counter[str] = Counter()

    def store(*_arguments: object) -> None:
        counts["store"] += 1

    event.listen(Engine, "before_cursor_execute", store)
    asked = Table.to_pyarrow

    def source(table: Table, *arguments: object, **named: object) -> object:
        counts["source"] += 1
        return asked(table, *arguments, **named)

    Table.to_pyarrow = source
    try:
        yield counts
    finally:
        Table.to_pyarrow = asked
        event.remove(Engine, "before_cursor_execute", store)


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

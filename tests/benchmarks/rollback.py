"""From the order to Production changed in MLflow, against the same calls made bare."""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from mlflow import MlflowClient

from bot.demo.processes import mlflow_server
from governance.adapters.head_file import HeadFile
from governance.adapters.mlflow_registry import MlflowRegistry
from governance.adapters.sql_store import open_store
from governance.domain.evidence import ModelName, Stage, Version
from governance.domain.identity import Actor, PersonId
from governance.domain.tenure import Origin, Tenure
from governance.use_cases.roll_back import Order, roll_back
from governance.use_cases.world import World
from tests.benchmarks.goals import Goal
from tests.builders import some_rules
from tests.fakes import FakeAccounts, FixedRules
from tests.mlflow_server import RealMlflow

ROUNDS = 15
MODEL = ModelName("credit_scoring")


def main() -> list[Goal]:
    """Print seconds and the ratio, alternating both ways in one run."""
    warnings.simplefilter("ignore", FutureWarning)
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder) / "mlflow") as uri:
        real = RealMlflow(uri)
        real.client.create_registered_model(MODEL)
        real.add_version(MODEL)
        real.add_version(MODEL)
        world = _world(Path(folder), uri)
        registry = world.registry
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            registry.set_production(MODEL, Version(2))
            _stand_at_two(world)
            ours.append(_timed(lambda: _roll_back(world)))
            registry.set_production(MODEL, Version(2))
            bare.append(_timed(lambda: _bare(real.client)))
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    print(
        f"rollback, order to MLflow read back: median {statistics.median(ours):.3f} s, "
        f"max {max(ours):.3f} s; bare calls {statistics.median(bare):.3f} s; "
        f"ratio {ratio:.2f}"
    )
    return [
        Goal(name="rollback, against the bare calls", measured=ratio, at_most=1.5),
        Goal(name="rollback, share of one second", measured=statistics.median(ours), at_most=1.0),
    ]


def _world(folder: Path, uri: str) -> World:
    heads = HeadFile(folder / "heads")
    store = open_store(f"sqlite:///{folder / 'record.db'}", heads)
    store.upgrade()
    return World(
        store=store,
        registry=MlflowRegistry(uri),
        rules=FixedRules(some_rules()),
        accounts=FakeAccounts(),
        heads=heads,
        elapsed=time.monotonic,
        holder="bench",
        pause=time.sleep,
        lock_patience=timedelta(seconds=1),
    )


def _stand_at_two(world: World) -> None:
    """v1 was approved and succeeded by v2, once more."""
    with world.store.transaction() as tx:
        for version in (1, 2):
            tx.lift_quarantine(MODEL, Version(version))
            tx.begin_tenure(
                Tenure(
                    model=MODEL,
                    version=Version(version),
                    stage=Stage.PRODUCTION,
                    started_at=tx.now,
                    origin=Origin.PROMOTION,
                    request_id=None,
                )
            )


def _roll_back(world: World) -> None:
    roll_back(
        world,
        Order(model=MODEL, from_version=Version(2), to_version=Version(1), why="bench"),
        actor=Actor(person=PersonId("otto"), account="U0OTTO", via="bench"),
        standing=None,
    )


def _bare(client: MlflowClient) -> None:
    """The same reads, transition, alias and read-back."""
    _read(client)
    client.transition_model_version_stage(MODEL, "1", "Production", archive_existing_versions=True)
    client.set_registered_model_alias(MODEL, "champion", "1")
    _read(client)


def _read(client: MlflowClient) -> None:
    client.search_model_versions(f"name='{MODEL}'")
    client.get_registered_model(MODEL)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

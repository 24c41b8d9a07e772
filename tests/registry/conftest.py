"""Both implementations of the registry port, each with a model of two versions."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from governance.adapters.mlflow_registry import MlflowRegistry
from governance.domain.evidence import ModelName, Stage, Version
from governance.ports import MetricPoint, Registry
from tests.builders import MODEL, NOON, a_content, a_snapshot
from tests.fakes import FakeRegistry
from tests.mlflow_server import RealMlflow

ONE, TWO = Version(1), Version(2)


class Elsewhere(Protocol):
    """What others do to the registry, past the port."""

    def move(self, version: Version, stage: Stage) -> None:
        """Move one version, archiving nothing."""

    def point_alias(self, version: Version) -> None:
        """Move the alias alone."""

    def overwrite_file(self, version: Version) -> None:
        """Put other bytes under a version, of the same size."""

    def log_point(self, version: Version, metric: str, value: float, step: int) -> None:
        """Log a metric to the version's run, a second after the step before."""

    def log_file(self, version: Version, path: str, text: str) -> None:
        """Put a file beside the version, in its run."""

    def go_down(self) -> Registry:
        """The registry as it answers when nothing is behind it."""


@dataclass(frozen=True)
class Tried:
    """One implementation on trial."""

    registry: Registry
    model: ModelName
    elsewhere: Elsewhere


@dataclass(frozen=True)
class _BesideFake:
    registry: FakeRegistry

    def move(self, version: Version, stage: Stage) -> None:
        self.registry.change(MODEL, version, stage=stage)

    def point_alias(self, version: Version) -> None:
        self.registry.aliases[MODEL] = version

    def overwrite_file(self, version: Version) -> None:
        self.registry.contents[MODEL, version] = a_content(version, body="wEights")

    def log_point(self, version: Version, metric: str, value: float, step: int) -> None:
        before = self.registry.points.get((MODEL, version, metric), ())
        point = MetricPoint(at=NOON + timedelta(seconds=step), step=step, value=value)
        self.registry.points[MODEL, version, metric] = (*before, point)

    def log_file(self, version: Version, path: str, text: str) -> None:
        self.registry.files[MODEL, version, path] = text.encode()

    def go_down(self) -> Registry:
        return replace(self.registry, is_down=True)


@dataclass(frozen=True)
class _BesideMlflow:
    server: RealMlflow
    model: ModelName

    def move(self, version: Version, stage: Stage) -> None:
        self.server.client.transition_model_version_stage(self.model, str(version), stage.value)

    def point_alias(self, version: Version) -> None:
        self.server.client.set_registered_model_alias(self.model, "champion", str(version))

    def log_point(self, version: Version, metric: str, value: float, step: int) -> None:
        run = self.server.client.get_model_version(self.model, str(version)).run_id
        at = NOON + timedelta(seconds=step)
        self.server.client.log_metric(run, metric, value, int(at.timestamp() * 1000), step)

    def log_file(self, version: Version, path: str, text: str) -> None:
        run = self.server.client.get_model_version(self.model, str(version)).run_id
        self.server.client.log_text(run, text, path)

    def overwrite_file(self, version: Version) -> None:
        content = MlflowRegistry(self.server.uri).content(self.model, version, progress=silent)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "model.bin").write_text("wEights")
            self.server.client.log_model_artifacts(content.model_id, folder)

    def go_down(self) -> Registry:
        return MlflowRegistry("http://127.0.0.1:9")


def silent(_done: int, _total: int) -> None:
    """Nobody watches."""


def _fake() -> Tried:
    registry = FakeRegistry()
    for number in (1, 2):
        registry.add(a_snapshot(number, stage=Stage.NONE), a_content(number))
    return Tried(registry, MODEL, _BesideFake(registry))


def _real(server: RealMlflow) -> Tried:
    model = ModelName(server.new_model())
    return Tried(MlflowRegistry(server.uri), model, _BesideMlflow(server, model))


@pytest.fixture(params=["fake", "mlflow"])
def tried(request: pytest.FixtureRequest) -> Tried:
    """Each in turn."""
    if request.param == "fake":
        return _fake()
    server: RealMlflow = request.getfixturevalue("real_mlflow")
    return _real(server)

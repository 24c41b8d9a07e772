"""One real MLflow server for the whole run, and versions that are registered without training."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from bot.demo.processes import start_mlflow
from tests.shared_servers import Started, shared_server

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MLMODEL = """\
signature:
  inputs: '[{"type": "double", "name": "credit_amount", "required": true}]'
  outputs: '[{"type": "double", "name": "p_bad", "required": true}]'
"""
_REQUIREMENTS = """\
# made by a pipeline
mlflow==3.17
scikit-learn==1.7.2  # the estimator

"""


@dataclass(frozen=True)
class RealMlflow:
    """A server, and its own client."""

    uri: str

    @property
    def client(self) -> MlflowClient:
        """MLflow's client, past the adapter."""
        from mlflow import MlflowClient  # seconds, which not every process of a run needs

        return MlflowClient(tracking_uri=self.uri)

    def new_model(self, versions: int = 2) -> str:
        """A registered model under a name of its own, with its versions."""
        name = f"model_{uuid4().hex[:8]}"
        self.client.create_registered_model(name)
        for _ in range(versions):
            self.add_version(name)
        return name

    def add_version(self, name: str, *, metric: float = 0.8, body: str = "weights") -> int:
        """A finished LoggedModel with its run, registered."""
        client = self.client
        run = client.create_run("0", tags={"mlflow.user": "dana"})
        client.log_param(run.info.run_id, "C", "1.0")
        model = client.create_logged_model("0", name="model", source_run_id=run.info.run_id)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "MLmodel").write_text(_MLMODEL)
            (Path(folder) / "model.bin").write_text(body)
            (Path(folder) / "requirements.txt").write_text(_REQUIREMENTS)
            client.log_model_artifacts(model.model_id, folder)
        client.finalize_logged_model(model.model_id, "READY")
        client.log_metric(run.info.run_id, "auc_validation", metric, model_id=model.model_id)
        version = client.create_model_version(
            name,
            source=f"models:/{model.model_id}",
            run_id=run.info.run_id,
            model_id=model.model_id,
        )
        return int(version.version)


@pytest.fixture(scope="session")
def real_mlflow() -> RealMlflow:
    """One for the whole run; every test makes a model of its own."""
    return RealMlflow(shared_server("mlflow", _start_mlflow))


def _start_mlflow(folder: Path) -> Started:
    program, address = start_mlflow(folder)
    pid = program.process.pid
    # It is not for this process to wait for: others use it when this one has ended.
    program.process.returncode = 0
    return Started(address=address, pid=pid, ends_by=Signals.SIGKILL)

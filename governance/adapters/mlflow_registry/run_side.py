"""What stands beside a version in its run: metrics over time, and single files."""

from __future__ import annotations

import math

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from governance.adapters.mlflow_registry.errors import translated
from governance.adapters.mlflow_registry.files import VersionFiles
from governance.adapters.mlflow_registry.metrics import moment_of
from governance.domain.errors import Refused
from governance.ports import MetricPoint


def metric_points(
    client: MlflowClient, version: ModelVersion, name: str
) -> tuple[MetricPoint, ...]:
    """Every value of a run's metric, oldest first.

    Raises:
        Refused: `no_run`, or `source_wrong` for a value that is no finite number. Unavailable.
    """
    with translated("the metric", _no_run(version), invalid_is_missing=True):
        found = client.get_metric_history(version.run_id or "", name)
    if any(not math.isfinite(m.value) for m in found):
        raise Refused(
            "source_wrong",
            f"{name} of v{version.version} of {version.name} holds a value that is no finite "
            "number. Whoever logs it has to put this right.",
        )
    points = [
        MetricPoint(at=moment_of(m.timestamp), step=m.step, value=float(m.value)) for m in found
    ]
    return tuple(sorted(points, key=lambda p: (p.at, p.step)))


def run_file(client: MlflowClient, version: ModelVersion, path: str, *, max_bytes: int) -> bytes:
    """One file among a run's artifacts.

    Raises:
        Refused: `no_run`, `no_such_file` or `too_large`. Unavailable.
    """
    with translated("the run", _no_run(version), invalid_is_missing=True):
        run = client.get_run(version.run_id or "")
    files = VersionFiles([run.info.artifact_uri], tracking_uri=client.tracking_uri)
    item = next((f for f in files.listed() if f.path == path), None)
    if item is None:
        raise Refused(
            "no_such_file",
            f"The run of v{version.version} of {version.name} has no artifact {path}. Whoever "
            "trains it has to log it.",
        )
    if item.size_bytes > max_bytes:
        raise _too_large(path, item.size_bytes, max_bytes)
    with files.fetched(item) as fetched:
        if fetched.size_bytes > max_bytes:
            raise _too_large(path, fetched.size_bytes, max_bytes)
        return fetched.local.read_bytes()


def _no_run(version: ModelVersion) -> Refused:
    return Refused(
        "no_run", f"The run of v{version.version} of {version.name} was deleted or never named."
    )


def _too_large(path: str, size: int, max_bytes: int) -> Refused:
    return Refused("too_large", f"{path} has {size} bytes; at most {max_bytes} are read.")

"""Everything that MLflow says about one version, as one frozen snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.entities.model_registry import ModelVersion

from governance.adapters.mlflow_registry.errors import translated
from governance.adapters.mlflow_registry.files import repository, signature
from governance.domain.errors import Refused
from governance.domain.evidence import (
    AuthorClaim,
    Dataset,
    Metric,
    MetricOrigin,
    ModelName,
    Snapshot,
    Stage,
    Version,
)

_COMMIT = "mlflow.source.git.commit"
_USER = "mlflow.user"


def read_snapshot(client: MlflowClient, version: ModelVersion) -> Snapshot:
    """Read run, LoggedModel and description of a version.

    Raises:
        Refused: `no_run` when its run was deleted. Unavailable.
    """
    run = _run(client, version)
    model = _logged_model(client, version.source or "")
    inputs, outputs = signature(repository(client, version.source or ""))
    tags: dict[str, str] = {
        **dict(run.data.tags),
        **(dict(model.tags) if model else {}),
        **dict(version.tags),
    }
    return Snapshot(
        model=ModelName(version.name),
        version=Version(int(version.version)),
        stage=Stage(version.current_stage),
        aliases=tuple(sorted(version.aliases)),
        run_id=version.run_id or "",
        model_id=model.model_id if model else "",
        source=version.source or "",
        registered_at=moment_of(version.creation_timestamp),
        description=version.description or "",
        metrics=_metrics(client, run, model),
        parameters={**dict(run.data.params), **(dict(model.params or {}) if model else {})},
        tags={k: v for k, v in tags.items() if not k.startswith("mlflow.log-model")},
        datasets=_datasets(run),
        inputs=inputs,
        outputs=outputs,
        git_commit=tags.get(_COMMIT, ""),
        author_claims=_authors(run, model, version),
    )


def _run(client: MlflowClient, version: ModelVersion) -> Run:
    name = f"v{version.version} of {version.name}"
    gone = Refused(
        "no_run",
        f"The run that made {name} cannot be read, so nobody can see what it claims. Register the "
        "version again from a run that exists.",
    )
    if not version.run_id:
        raise gone
    with translated("the run", gone):
        run = client.get_run(version.run_id)
    if run.info.lifecycle_stage == "deleted":
        raise gone
    return run


def _logged_model(client: MlflowClient, source: str) -> LoggedModel | None:
    if not source.startswith("models:/m-"):
        return None
    gone = Refused(
        "no_model", "The LoggedModel of this version is gone from MLflow: register it again."
    )
    with translated("the LoggedModel", gone):
        return client.get_logged_model(source.removeprefix("models:/"))


def _metrics(client: MlflowClient, run: Run, model: LoggedModel | None) -> tuple[Metric, ...]:
    runs: dict[str, Run] = {run.info.run_id: run}
    found: list[Metric] = []
    for logged in (model.metrics or []) if model else []:
        source = logged.run_id or run.info.run_id
        if source not in runs:
            with translated("a validation run", Refused("no_run", "A run is gone.")):
                runs[source] = client.get_run(source)
        found.append(
            _metric(logged.key, logged.value, MetricOrigin.LOGGED_MODEL, runs[source], logged)
        )
    for name, value in sorted(run.data.metrics.items()):
        found.append(_metric(name, value, MetricOrigin.RUN, run, None))
    return tuple(found)


def _metric(
    name: str, value: float, origin: MetricOrigin, run: Run, logged: object | None
) -> Metric:
    stamp = getattr(logged, "timestamp", None)
    return Metric(
        name=name,
        text=repr(float(value)),
        origin=origin,
        run_id=run.info.run_id,
        run_user=_user(run),
        run_started_at=_moment(run.info.start_time),
        logged_at=_moment(stamp),
    )


def _user(run: Run) -> str:
    return str(run.data.tags.get(_USER) or run.info.user_id or "")


def _datasets(run: Run) -> tuple[Dataset, ...]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return tuple(
        Dataset(
            name=item.dataset.name,
            digest=item.dataset.digest,
            context=_context(item.tags),
        )
        for item in inputs
    )


def _context(tags: Iterable[object]) -> str:
    for tag in tags:
        if getattr(tag, "key", "") == "mlflow.data.context":
            return str(getattr(tag, "value", ""))
    return ""


def _authors(run: Run, model: LoggedModel | None, version: ModelVersion) -> tuple[AuthorClaim, ...]:
    named: dict[tuple[str, str], None] = {}
    model_tags: Mapping[str, str] = model.tags if model else {}
    for name, where in (
        (run.info.user_id, "run.info.user_id"),
        (run.data.tags.get(_USER), "mlflow.user"),
        (model_tags.get(_USER), "mlflow.user of the model"),
        (version.user_id, "model_version.user_id"),
    ):
        if name:
            named[str(name), where] = None
    return tuple(AuthorClaim(name=name, where=where) for name, where in named)


def moment_of(milliseconds: int) -> datetime:
    """MLflow's milliseconds since 1970 as an aware moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else moment_of(milliseconds)

"""Everything that MLflow says about one version, as one frozen snapshot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.entities.model_registry import ModelVersion

from governance.adapters.mlflow_registry import mlmodel
from governance.adapters.mlflow_registry.errors import translated
from governance.adapters.mlflow_registry.files import Listed, VersionFiles
from governance.adapters.mlflow_registry.metrics import (
    NOBODY,
    USER_TAG,
    metrics_of,
    moment_of,
)
from governance.adapters.mlflow_registry.source import locations_of, logged_model, origin_of
from governance.domain.errors import Refused
from governance.domain.evidence import (
    AuthorClaim,
    Dataset,
    ModelName,
    Snapshot,
    Stage,
    Version,
)

_REQUIREMENTS = "requirements.txt"
_REQUIREMENTS_BYTES = 64 << 10
_COMMIT = "mlflow.source.git.commit"


def read_snapshot(client: MlflowClient, version: ModelVersion) -> Snapshot:
    """Read run, LoggedModel and description of a version.

    Raises:
        Refused: `no_run` when its run was deleted, `no_model` when its LoggedModel was,
            `source_not_readable`, `unreadable_mlmodel`. Unavailable.
    """
    run = _run(client, version)
    origin = origin_of(client, version.source or "")
    model = logged_model(client, origin)
    locations = locations_of(client, origin, model)
    files = VersionFiles(locations, tracking_uri=client.tracking_uri)
    at_the_top = {f.path: f for f in files.listed(below=False)}
    inputs, outputs = _signature(files, at_the_top.get(mlmodel.FILE))
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
        metrics=metrics_of(client, run, model),
        parameters={**dict(run.data.params), **(dict(model.params or {}) if model else {})},
        # MLflow 2 kept a copy of the MLmodel file in such a tag; it claims nothing of its own.
        tags={k: v for k, v in tags.items() if not k.startswith("mlflow.log-model")},
        datasets=_datasets(run),
        inputs=inputs,
        outputs=outputs,
        git_commit=tags.get(_COMMIT, ""),
        author_claims=_authors(run, model, version),
        requirements=_requirements(files, at_the_top.get(_REQUIREMENTS)),
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


def _signature(files: VersionFiles, stated: Listed | None) -> mlmodel.Signature:
    """None for a version without an MLmodel file; one that does not answer is no such version."""
    if stated is None:
        return None, None
    if stated.size_bytes > mlmodel.MAX_BYTES:
        raise mlmodel.unreadable(f"it is larger than {mlmodel.MAX_BYTES >> 20} MB")
    with files.fetched(stated) as file, file.local.open("rb") as text:
        return mlmodel.signature_in(text.read(mlmodel.MAX_BYTES + 1))


def _requirements(files: VersionFiles, stated: Listed | None) -> tuple[str, ...] | None:
    """The lines of requirements.txt without comments; None where there is none, or one so large
    that nobody would compare it."""
    if stated is None or stated.size_bytes > _REQUIREMENTS_BYTES:
        return None
    with files.fetched(stated) as file, file.local.open("rb") as opened:
        text = opened.read(_REQUIREMENTS_BYTES + 1)
    if len(text) > _REQUIREMENTS_BYTES:
        return None
    lines = text.decode("utf-8", errors="replace").splitlines()
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return tuple(line for line in bare if line)


def _datasets(run: Run) -> tuple[Dataset, ...]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return tuple(
        Dataset(
            name=item.dataset.name,
            digest=item.dataset.digest,
            context=_context(item.tags),
            rows=_rows(item.dataset.profile),
            columns=mlmodel.columns_of_data(item.dataset.schema),
        )
        for item in inputs
    )


def _rows(profile: str | None) -> int | None:
    """How many rows a data set says it has; MLflow's own kinds of data sets say it differently,
    and some not at all."""
    try:
        stated = json.loads(profile or "null")
    except (ValueError, RecursionError):
        return None
    rows = stated.get("num_rows") if isinstance(stated, dict) else None
    return rows if isinstance(rows, int) and not isinstance(rows, bool) else None


def _context(tags: Iterable[object]) -> str:
    for tag in tags:
        if getattr(tag, "key", "") == "mlflow.data.context":
            return str(getattr(tag, "value", ""))
    return ""


def _authors(run: Run, model: LoggedModel | None, version: ModelVersion) -> tuple[AuthorClaim, ...]:
    named: dict[tuple[str, str], None] = {}
    model_tags: Mapping[str, str] = model.tags if model else {}
    user_id = run.info.user_id
    for name, where in (
        (None if user_id == NOBODY else user_id, "run.info.user_id"),
        (run.data.tags.get(USER_TAG), USER_TAG),
        (model_tags.get(USER_TAG), f"{USER_TAG} of the model"),
        (version.user_id, "model_version.user_id"),
    ):
        if name:
            named[str(name), where] = None
    return tuple(AuthorClaim(name=name, where=where) for name, where in named)

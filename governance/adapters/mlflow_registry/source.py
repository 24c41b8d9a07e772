"""Where the files of a version are, told by MLflow's own client for the server that was named.

MLflow's `models:` and `runs:` repositories are not asked: the first looks in the process's default
store, and the second takes an outage for an empty folder.
"""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run

from governance.adapters.mlflow_registry.errors import translated
from governance.domain.errors import Refused

_LOGGED_MODEL = "models:/m-"
_MOST_COPIES = 10


def origin_of(client: MlflowClient, source: str) -> str:
    """Where a version came from in the first place: a version that was copied from another
    model (`models:/NAME/VERSION`) has that one's source.

    Raises:
        Refused: `source_not_readable` when the version that it was copied from is gone, or when
            the source can point elsewhere tomorrow (an alias, a stage, `latest`). Unavailable.
    """
    for _ in range(_MOST_COPIES):
        if not source.startswith("models:/") or source.startswith(_LOGGED_MODEL):
            return source
        name, _, version = source.removeprefix("models:/").rpartition("/")
        if not name or not version.isdecimal():
            raise unreadable(source, "it names no fixed version, so it may be another tomorrow")
        gone = unreadable(source, "the version that it was copied from is gone")
        with translated("the version it was copied from", gone, invalid_is_missing=True):
            source = client.get_model_version(name, version).source or ""
    raise unreadable(source, "it was copied too often")


def logged_model(client: MlflowClient, origin: str) -> LoggedModel | None:
    """The LoggedModel that `origin` names; None for a source of another kind.

    Raises:
        Refused: `no_model` when it was deleted. Unavailable.
    """
    if not origin.startswith(_LOGGED_MODEL):
        return None
    gone = Refused(
        "no_model", "The LoggedModel of this version is gone from MLflow: register it again."
    )
    with translated("the LoggedModel", gone):
        return client.get_logged_model(origin.removeprefix("models:/"))


def locations_of(client: MlflowClient, origin: str, model: LoggedModel | None) -> tuple[str, ...]:
    """The folders that make up what would be served; `model` is what `logged_model` answered.

    A `runs:/RUN/NAME` is the run's folder NAME and, over it, that run's LoggedModel of this name:
    so MLflow puts them together when it loads one.

    Raises:
        Refused: `source_not_readable`. Unavailable.
    """
    if model is not None:
        return (str(model.artifact_location),)
    if not origin.startswith("runs:/"):
        return (origin,)
    run_id, _, path = origin.removeprefix("runs:/").strip("/").partition("/")
    gone = unreadable(origin, "the run that holds them is gone")
    with translated("the run that holds its files", gone, invalid_is_missing=True):
        run = client.get_run(run_id)
    name, _, rest = path.partition("/")
    of_model = _model_of_run(client, run, name) if name else None
    folders = [_below(str(run.info.artifact_uri), path)]
    if of_model is not None:
        folders.append(_below(str(of_model.artifact_location), rest))
    return tuple(folders)


def _model_of_run(client: MlflowClient, run: Run, name: str) -> LoggedModel | None:
    if "'" in name:
        raise unreadable("runs:/", "MLflow's search takes no name with such characters")
    token: str | None = None
    while True:
        with translated("the LoggedModels of its run"):
            page = client.search_logged_models(
                [run.info.experiment_id], filter_string=f"name = '{name}'", page_token=token
            )
        for model in page:
            if model.source_run_id == run.info.run_id:
                return model
        token = page.token
        if not token:
            return None


def _below(location: str, path: str) -> str:
    return f"{location.rstrip('/')}/{path}" if path else location


def unreadable(location: str, why: str) -> Refused:
    """Files that nobody can read now, and that asking again does not bring back."""
    return Refused(
        "source_not_readable",
        f"The files of this version ({scheme_of(location)}:) cannot be read: {why}. What cannot be "
        "read cannot be approved. The platform team has to see to that.",
    )


def scheme_of(location: str) -> str:
    """What kind of storage a location names; all that a sentence may say of it."""
    return location.partition(":")[0] if ":" in location else "file"

"""The registry port over MLflow: bounded waiting, both stage and alias, read back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.ports import ProductionState, VersionSummary

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DEFAULT_MAX_BYTES = 2 << 30
_PAGE = 200


class MlflowRegistry:
    """Implements `governance.ports.Registry`.

    `write_stage` and `write_alias` say by which means a version is in production; at least one
    of them. `timeout_seconds` bounds each HTTP request; none is repeated.
    """

    def __init__(
        self,
        tracking_uri: str,
        *,
        write_stage: bool = True,
        write_alias: bool = True,
        alias: str = "champion",
        timeout_seconds: int = 5,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        if not write_stage and not write_alias:
            raise Refused(
                "nothing_to_write",
                "FOUREYES_WRITE_STAGE and FOUREYES_WRITE_ALIAS are both off: then no promotion "
                "would change anything.",
            )
        # Read by MLflow's client at each request. Its default of 7 repeats takes 4 minutes.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(timeout_seconds)
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        self._write_stage = write_stage
        self._write_alias = write_alias
        self._alias = alias
        self._max_bytes = max_bytes
        self._client = _make_client(tracking_uri)

    def server_version(self) -> str:
        """The server's version, from its own /version."""
        from mlflow.utils.rest_utils import http_request

        with _translated("its version"):
            host = self._client._tracking_client.store.get_host_creds()
            answer = http_request(host, "/version", "GET")
        if answer.status_code != 200:
            raise Unavailable("registry_unavailable", "MLflow does not tell its version.")
        return str(answer.text).strip()

    def models(self) -> tuple[ModelName, ...]:
        """All registered models, by name."""
        names: list[ModelName] = []
        token: str | None = None
        while True:
            with _translated("the list of models"):
                page = self._client.search_registered_models(max_results=_PAGE, page_token=token)
            names.extend(ModelName(model.name) for model in page)
            token = page.token
            if not token:
                return tuple(sorted(names))

    def versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        """Every version, ascending."""
        found = self._all_versions(model)
        if not found:
            with _translated("the model", _no_such_model(model)):
                self._client.get_registered_model(model)
        from governance.adapters.mlflow_registry.reading import moment_of

        return tuple(
            VersionSummary(
                version=Version(int(v.version)),
                stage=Stage(v.current_stage),
                run_id=v.run_id or "",
                registered_at=moment_of(v.creation_timestamp),
            )
            for v in sorted(found, key=lambda v: int(v.version))
        )

    def snapshot(self, model: ModelName, version: Version) -> Snapshot:
        """Read everything about one version now."""
        from governance.adapters.mlflow_registry.reading import read_snapshot

        return read_snapshot(self._client, self._version(model, version))

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """SHA-256 of every file of a version, never from a cache."""
        from governance.adapters.mlflow_registry.files import manifest, repository

        found = self._version(model, version)
        source = found.source or ""
        return Content(
            run_id=found.run_id or "",
            model_id=source.removeprefix("models:/") if source.startswith("models:/m-") else "",
            source=source,
            files=manifest(
                repository(self._client, source), max_bytes=self._max_bytes, progress=progress
            ),
        )

    def production(self, model: ModelName) -> ProductionState:
        """What is in production now, by stage and by alias. MLflow's search leaves aliases
        out, so they are asked for beside it."""
        found = self._all_versions(model)
        staged = sorted(int(v.version) for v in found if v.current_stage == Stage.PRODUCTION.value)
        return ProductionState(
            staged=tuple(Version(v) for v in staged),
            alias=self._aliased(model) if found else None,
        )

    def _aliased(self, model: ModelName) -> Version | None:
        with _translated("the aliases", _no_such_model(model)):
            aliases = self._client.get_registered_model(model).aliases
        version = aliases.get(self._alias)
        return None if version is None else Version(int(version))

    def is_in_production(self, state: ProductionState, version: Version) -> bool:
        """Alone in production by every means that is written."""
        by_stage = not self._write_stage or state.staged == (version,)
        by_alias = not self._write_alias or state.alias == version
        return by_stage and by_alias

    def set_production(self, model: ModelName, version: Version) -> ProductionState:
        """Make `version` the only one in production; repeated once when the read-back shows
        that another client's transition came in between (two can both end in Production)."""
        self._write_production(model, version)
        state = self.production(model)
        if not self.is_in_production(state, version):
            self._write_production(model, version)
            state = self.production(model)
        return state

    def set_staging(self, model: ModelName, version: Version) -> Stage:
        """Move one version to Staging; nothing is archived."""
        with _translated("the move to Staging", _no_such_version(model, version)):
            moved = self._client.transition_model_version_stage(
                model, str(version), Stage.STAGING.value, archive_existing_versions=False
            )
        return Stage(moved.current_stage)

    def _write_production(self, model: ModelName, version: Version) -> None:
        missing = _no_such_version(model, version)
        with _translated("the transition", missing):
            if self._write_stage:
                self._client.transition_model_version_stage(
                    model, str(version), Stage.PRODUCTION.value, archive_existing_versions=True
                )
            if self._write_alias:
                self._client.set_registered_model_alias(model, self._alias, str(version))

    def _version(self, model: ModelName, version: Version) -> ModelVersion:
        with _translated("the version", _no_such_version(model, version)):
            return self._client.get_model_version(model, str(version))

    def _all_versions(self, model: ModelName) -> list[ModelVersion]:
        if "'" in model or "\\" in model:
            raise _no_such_model(model)
        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            with _translated("the list of versions"):
                page = self._client.search_model_versions(
                    f"name='{model}'", max_results=_PAGE, page_token=token
                )
            found.extend(page)
            token = page.token
            if not token:
                return found


def _make_client(tracking_uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    # MLflow announces the end of stages at every call; the port can already do without.
    warnings.filterwarnings("ignore", message=".*stages.*", category=FutureWarning)
    return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


@contextmanager
def _translated(what: str, missing: Refused | None = None) -> Iterator[None]:
    from governance.adapters.mlflow_registry.errors import translated

    with translated(what, missing):
        yield


def _no_such_model(model: ModelName) -> Refused:
    return Refused("no_such_model", f"MLflow has no registered model named {model}.")


def _no_such_version(model: ModelName, version: Version) -> Refused:
    return Refused(
        "no_such_version", f"MLflow has no version {version} of {model}, or it was deleted."
    )

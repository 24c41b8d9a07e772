"""The registry port over MLflow: bounded waiting, both stage and alias, read back."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from governance.adapters.mlflow_registry.deadline import together, within
from governance.adapters.mlflow_registry.known_digests import KnownDigests
from governance.domain.errors import Refused, Unavailable
from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.ports import MetricPoint, ProductionState, VersionSummary

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DEFAULT_MAX_BYTES = 2 << 30
CALL_SECONDS = 9.0
"""The port promises 10; the rest is for what happens around a call."""
DRILL_TAG = "foureyes.drill"
"""Of a registered model: when it was last proven that Foureyes may write."""
_PAGE = 200
_HIGHEST_VERSION = 2**31 - 1
_VERSION_TEXT = re.compile(r"\d+\.\d+[\w.+-]*")


class MlflowRegistry:
    """Implements `governance.ports.Registry`.

    `write_stage` and `write_alias` say by which means a version is in production; at least one
    of them. `timeout_seconds` bounds the silence of one HTTP request, for the whole process,
    and no request is repeated; `call_seconds` bounds each call of the port, and all calls inside
    `together`, save `content`, which takes as long as the files are large.
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
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        if not write_stage and not write_alias:
            raise Refused(
                "nothing_to_write",
                "FOUREYES_WRITE_STAGE and FOUREYES_WRITE_ALIAS are both off: then no promotion "
                "would change anything.",
            )
        if urlsplit(tracking_uri).password is not None:
            # MLflow's own errors, which end up in logs, hold the whole address.
            raise Refused(
                "secret_in_address",
                "MLFLOW_TRACKING_URI holds a password: use MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD.",
            )
        # Read by MLflow's client at each request. Its default of 7 repeats takes 4 minutes.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(timeout_seconds)
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        self._write_stage = write_stage
        self._write_alias = write_alias
        self._alias = alias
        self._max_bytes = max_bytes
        self._call_seconds = call_seconds
        self._known_digests = KnownDigests()
        self._client = _make_client(tracking_uri)

    def together(self) -> AbstractContextManager[None]:
        """Calls inside this block end within `call_seconds` altogether."""
        return together(self._call_seconds)

    def server_version(self) -> str:
        """The server's version, from its own /version."""
        return within(self._call_seconds, self._server_version)

    def models(self) -> tuple[ModelName, ...]:
        """All registered models, by name."""
        return within(self._call_seconds, self._models)

    def versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        """Every version, ascending."""
        return within(self._call_seconds, lambda: self._versions(model))

    def snapshot(self, model: ModelName, version: Version) -> Snapshot:
        """Read everything about one version now."""
        return within(self._call_seconds, lambda: self._snapshot(model, version))

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """SHA-256 of every file of a version, never from a cache. A server that falls silent
        for `timeout_seconds` ends it; how long it takes otherwise depends on the files."""
        return self._content(model, version, progress, known=None)

    def content_to_show(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """As `content`; what was read before and bears the same tag is not read again."""
        return self._content(model, version, progress, known=self._known_digests)

    def _content(
        self,
        model: ModelName,
        version: Version,
        progress: Callable[[int, int], None],
        *,
        known: KnownDigests | None,
    ) -> Content:
        from governance.adapters.mlflow_registry.files import VersionFiles, manifest
        from governance.adapters.mlflow_registry.source import (
            locations_of,
            logged_model,
            origin_of,
        )

        found = within(self._call_seconds, lambda: self._version(model, version))
        origin = origin_of(self._client, found.source or "")
        source_model = logged_model(self._client, origin)
        files = VersionFiles(
            locations_of(self._client, origin, source_model),
            tracking_uri=self._client.tracking_uri,
        )
        return Content(
            run_id=found.run_id or "",
            model_id=source_model.model_id if source_model else "",
            source=found.source or "",
            files=manifest(files, max_bytes=self._max_bytes, progress=progress, known=known),
        )

    def production(self, model: ModelName) -> ProductionState:
        """What is in production now, by stage and by alias. MLflow's search leaves aliases
        out, so they are asked for beside it."""
        return within(self._call_seconds, lambda: self._production(model))

    def is_in_production(self, state: ProductionState, version: Version) -> bool:
        """Alone in production by every means that is written."""
        by_stage = not self._write_stage or state.staged == (version,)
        by_alias = not self._write_alias or state.alias == version
        return by_stage and by_alias

    def set_production(self, model: ModelName, version: Version) -> ProductionState:
        """Make `version` the only one in production; repeated once when the read-back shows
        that another client's transition came in between (two can both end in Production)."""
        return within(self._call_seconds, lambda: self._set_production(model, version))

    def set_staging(self, model: ModelName, version: Version) -> Stage:
        """Move one version to Staging and read it back; nothing is archived."""
        return within(self._call_seconds, lambda: self._set_staging(model, version))

    def metric_points(
        self, model: ModelName, version: Version, metric: str
    ) -> tuple[MetricPoint, ...]:
        """Every value of a metric of the version's run, oldest first."""
        from governance.adapters.mlflow_registry.run_side import metric_points

        return within(
            self._call_seconds,
            lambda: metric_points(self._client, self._version(model, version), metric),
        )

    def run_file(self, model: ModelName, version: Version, path: str, *, max_bytes: int) -> bytes:
        """One file among the artifacts of the version's run."""
        from governance.adapters.mlflow_registry.run_side import run_file

        found = within(self._call_seconds, lambda: self._version(model, version))
        return run_file(self._client, found, path, max_bytes=max_bytes)

    def prove_writable(self, model: ModelName, proof: str) -> None:
        """Write a tag of the registered model that decides nothing."""

        def write() -> None:
            with _translated("a tag", _no_such_model(model), invalid_is_missing=True):
                self._client.set_registered_model_tag(model, DRILL_TAG, proof)

        within(self._call_seconds, write)

    # --- each inside its time ---------------------------------------------------------------

    def _snapshot(self, model: ModelName, version: Version) -> Snapshot:
        from governance.adapters.mlflow_registry.reading import read_snapshot

        found = self._version(model, version)
        snapshot = read_snapshot(self._client, found)
        return replace(snapshot, stage=self._stage(found, self._leading_alias(model)))

    def _server_version(self) -> str:
        from mlflow.utils.rest_utils import augmented_raise_for_status, http_request

        from governance.adapters.mlflow_registry.errors import no_mlflow

        with _translated("its version"):
            host = self._client._tracking_client.store.get_host_creds()
            answer = http_request(host, "/version", "GET")
            augmented_raise_for_status(answer)
        told = str(answer.text).strip()
        if not _VERSION_TEXT.fullmatch(told):
            raise no_mlflow("its version")
        return told

    def _models(self) -> tuple[ModelName, ...]:
        names: list[ModelName] = []
        token: str | None = None
        while True:
            with _translated("the list of models"):
                page = self._client.search_registered_models(max_results=_PAGE, page_token=token)
            names.extend(ModelName(model.name) for model in page)
            token = page.token
            if not token:
                return tuple(sorted(names))

    def _versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        from governance.adapters.mlflow_registry.metrics import moment_of

        found = self._all_versions(model)
        if not found:
            self._verify_model(model)
        alias = self._leading_alias(model) if found else None
        return tuple(
            VersionSummary(
                version=Version(int(v.version)),
                stage=self._stage(v, alias),
                run_id=v.run_id or "",
                registered_at=moment_of(v.creation_timestamp),
            )
            for v in sorted(found, key=lambda v: int(v.version))
        )

    def _production(self, model: ModelName) -> ProductionState:
        found = self._all_versions(model)
        alias = self._aliased(model) if found else None
        staged = sorted(int(v.version) for v in found if self._stage(v, alias) is Stage.PRODUCTION)
        return ProductionState(
            staged=tuple(Version(v) for v in staged),
            alias=alias,
            replaced_in=Stage.ARCHIVED if self._write_stage else Stage.NONE,
        )

    def _stage(self, found: ModelVersion, alias: Version | None) -> Stage:
        """MLflow's, where stages are written. Else a version is in Production by the alias; where
        nothing bears it yet, by what stages said before."""
        stage = Stage(found.current_stage)
        if self._write_stage or alias is None:
            return stage
        if int(found.version) == alias:
            return Stage.PRODUCTION
        return Stage.NONE if stage is Stage.PRODUCTION else stage

    def _leading_alias(self, model: ModelName) -> Version | None:
        """Asked for only where it says the stage."""
        return None if self._write_stage else self._aliased(model)

    def _aliased(self, model: ModelName) -> Version | None:
        with _translated("the aliases", _no_such_model(model)):
            aliases = self._client.get_registered_model(model).aliases
        version = aliases.get(self._alias)
        return None if version is None else Version(int(version))

    def _set_production(self, model: ModelName, version: Version) -> ProductionState:
        try:
            self._write_production(model, version)
        except Unavailable as refusal:
            # Of two clients that make a new alias at once, MLflow refuses one with a broken
            # constraint. The read-back below decides; what is refused again is raised.
            if refusal.code != "registry_error":
                raise
        state = self._production(model)
        if not self.is_in_production(state, version):
            self._write_production(model, version)
            state = self._production(model)
        return state

    def _write_production(self, model: ModelName, version: Version) -> None:
        if self._write_stage:
            self._transition(model, version, Stage.PRODUCTION, archive_others=True)
        elif self._version(model, version).current_stage == Stage.STAGING.value:
            self._transition(model, version, Stage.NONE, archive_others=False)
        if self._write_alias:
            with self._moving("the alias", model, version):
                self._client.set_registered_model_alias(model, self._alias, str(version))

    def _set_staging(self, model: ModelName, version: Version) -> Stage:
        self._transition(model, version, Stage.STAGING, archive_others=False)
        return Stage(self._version(model, version).current_stage)

    def _transition(
        self, model: ModelName, version: Version, stage: Stage, *, archive_others: bool
    ) -> None:
        with self._moving(f"the move to {stage.value}", model, version):
            self._client.transition_model_version_stage(
                model, str(version), stage.value, archive_existing_versions=archive_others
            )

    @contextmanager
    def _moving(self, what: str, model: ModelName, version: Version) -> Iterator[None]:
        missing = _no_such_version(model, version)
        if not 0 < version <= _HIGHEST_VERSION:  # a larger one is an error inside the server
            raise missing
        with _translated(what, missing):
            yield

    def _version(self, model: ModelName, version: Version) -> ModelVersion:
        missing = _no_such_version(model, version)
        try:
            if not 0 < version <= _HIGHEST_VERSION:
                raise missing
            with _translated("the version", missing, invalid_is_missing=True):
                return self._client.get_model_version(model, str(version))
        except Refused:
            self._verify_model(model)  # MLflow says the same of both
            raise

    def _verify_model(self, model: ModelName) -> None:
        with _translated("the model", _no_such_model(model), invalid_is_missing=True):
            self._client.get_registered_model(model)

    def _all_versions(self, model: ModelName) -> list[ModelVersion]:
        quote = '"' if "'" in model else "'"
        if quote in model or "\\" in model:
            raise Refused(
                "no_such_model",
                f"MLflow cannot be asked for {model}: its search takes no name with such "
                "characters. Register the model under a plain name.",
            )
        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            with _translated("the list of versions"):
                page = self._client.search_model_versions(
                    f"name={quote}{model}{quote}", max_results=_PAGE, page_token=token
                )
            found.extend(page)
            token = page.token
            if not token:
                return found


def _make_client(tracking_uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    # MLflow announces the end of stages at every call; the port can already do without.
    warnings.filterwarnings(
        "ignore", message=".*transition_model_version_stage", category=FutureWarning
    )
    return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


@contextmanager
def _translated(
    what: str, missing: Refused | None = None, *, invalid_is_missing: bool = False
) -> Iterator[None]:
    from governance.adapters.mlflow_registry.errors import translated

    with translated(what, missing, invalid_is_missing=invalid_is_missing):
        yield


def _no_such_model(model: ModelName) -> Refused:
    return Refused("no_such_model", f"MLflow has no registered model named {model}.")


def _no_such_version(model: ModelName, version: Version) -> Refused:
    return Refused(
        "no_such_version", f"MLflow has no version {version} of {model}, or it was deleted."
    )

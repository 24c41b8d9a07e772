"""The model registry, as the use cases need it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from governance.domain.evidence import Content, ModelName, Snapshot, Stage, Version
from governance.ports.watching import MetricPoint


@dataclass(frozen=True, kw_only=True)
class ProductionState:
    """What the registry says is in production: by stage, and by the alias.

    Where only the alias is written, the version that bears it is the one in stage Production.
    """

    staged: tuple[Version, ...]
    """Every version in stage Production, ascending; more than one is a fault to heal."""
    alias: Version | None
    replaced_in: Stage = Stage.ARCHIVED
    """The stage of a version that another one replaced."""

    @property
    def current(self) -> Version | None:
        """The version that goes when another comes: by stage, else by the alias. Of several in
        stage Production it is one that does not bear the alias, since it came in beside it."""
        if not self.versions:
            return None
        return next((v for v in reversed(self.staged) if v != self.alias), self.versions[-1])

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version that is in production: by stage, else by the alias."""
        if self.staged or self.alias is None:
            return self.staged
        return (self.alias,)


@dataclass(frozen=True, kw_only=True)
class VersionSummary:
    """One row of a model's version list."""

    version: Version
    stage: Stage
    run_id: str
    registered_at: datetime


class Registry(Protocol):
    """The model registry. No call lasts longer than 10 s; none is retried blindly."""

    def together(self) -> AbstractContextManager[None]:
        """Calls inside this block last no longer than 10 s altogether, because a person waits for
        what they answer; `content` and `content_to_show` belong outside."""

    def server_version(self) -> str:
        """The server's version. Raises Unavailable."""

    def models(self) -> tuple[ModelName, ...]:
        """All registered models, by name."""

    def versions(self, model: ModelName) -> tuple[VersionSummary, ...]:
        """Every version, ascending. Raises Refused `no_such_model`, Unavailable."""

    def snapshot(self, model: ModelName, version: Version) -> Snapshot:
        """Read everything about one version now.

        Raises Refused `no_such_model` or `no_such_version`, Unavailable. A run that was deleted
        is Refused `no_run`: what cannot be read cannot be bound.
        """

    def content(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """SHA-256 of every file of a version, streamed, never from a cache.

        `progress(done_bytes, total_bytes)` is called as it goes. Raises Refused `too_large` or
        `source_not_readable`, Unavailable.
        """

    def content_to_show(
        self, model: ModelName, version: Version, *, progress: Callable[[int, int], None]
    ) -> Content:
        """As `content`, for what people are shown: a file that was read before and has the same
        path, size and ETag is not read again. An execution never relies on it."""

    def production(self, model: ModelName) -> ProductionState:
        """What is in production now, from the list of versions, not from 'latest'.
        A model that is not registered has nothing in production."""

    def is_in_production(self, state: ProductionState, version: Version) -> bool:
        """Whether `version` alone is in production by every means that this registry is set to
        write (stage, alias, or both)."""

    def set_production(self, model: ModelName, version: Version) -> ProductionState:
        """Make `version` the only one in production: stage with all others there archived, and
        the alias. Idempotent; reads back and repeats once if not exactly one is there.

        Raises Refused `no_such_version`, Unavailable (the outcome is then unknown: read).
        """

    def set_staging(self, model: ModelName, version: Version) -> Stage:
        """Move one version to Staging; nothing is archived, no alias set. Idempotent; returns
        the stage read back."""

    def metric_points(
        self, model: ModelName, version: Version, metric: str
    ) -> tuple[MetricPoint, ...]:
        """Every value of a metric of the version's run, oldest first; values that are no finite
        number raise Refused `source_wrong`. Raises Refused `no_run`, Unavailable."""

    def run_file(self, model: ModelName, version: Version, path: str, *, max_bytes: int) -> bytes:
        """One file among the artifacts of the version's run. Raises Refused `no_such_file` or
        `too_large`, Unavailable."""

    def prove_writable(self, model: ModelName, proof: str) -> None:
        """Write a tag of the registered model that decides nothing, as a transition would write:
        with the same credentials, to the same server. Raises Refused, Unavailable."""

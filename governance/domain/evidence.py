"""What a version is and what is claimed about it, and the digests an approval binds.

Pure: no clock, no IO, no vendor. Everything here was read once from the registry and is frozen;
a metric, an author or a tag is a claim of whoever logged it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from governance.domain.canonical import Digest, Json, digest_of

ModelName = NewType("ModelName", str)
Version = NewType("Version", int)


class Stage(StrEnum):
    """MLflow's stages, in MLflow's spelling."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class MetricOrigin(StrEnum):
    """Where a metric was read."""

    LOGGED_MODEL = "logged_model"
    RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One logged number. `text` is Python's repr of the float, so that it is hashed exactly."""

    name: str
    text: str
    origin: MetricOrigin
    run_id: str
    run_user: str
    run_started_at: datetime | None
    logged_at: datetime | None

    @property
    def number(self) -> float | None:
        """The value, or None when it is not a finite number."""
        try:
            value = float(self.text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a signature."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One data set that the run recorded; `digest` is MLflow's, 8 hex digits."""

    name: str
    digest: str
    context: str = ""
    rows: int | None = None
    columns: tuple[Column, ...] | None = None
    """As the run describes them; None where it does not."""


@dataclass(frozen=True, kw_only=True)
class ColumnProfile:
    """The values that one input column had in training, as the run claims."""

    name: str
    words: str
    """`250 to 18424`, or the values themselves, sorted: `car, education, radio`."""


@dataclass(frozen=True, kw_only=True)
class AuthorClaim:
    """A name that MLflow gives for whoever made a version, and where it stands."""

    name: str
    where: str
    """`run.info.user_id`, `mlflow.user`, or `tag NAME`."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version as the registry showed it at one moment."""

    model: ModelName
    version: Version
    stage: Stage
    aliases: tuple[str, ...]
    run_id: str
    model_id: str
    source: str
    registered_at: datetime
    description: str
    metrics: tuple[Metric, ...]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    """Tags of run, LoggedModel and version together; the version's win over the model's, those
    over the run's."""
    datasets: tuple[Dataset, ...]
    inputs: tuple[Column, ...] | None
    outputs: tuple[Column, ...] | None
    git_commit: str
    author_claims: tuple[AuthorClaim, ...]
    requirements: tuple[str, ...] | None = None
    """The lines of its `requirements.txt`; what binds them is that file's digest."""
    profile: tuple[ColumnProfile, ...] | None = None
    """From the file of the run that a policy names; shown, and bound by nothing."""
    profile_problem: str = ""
    """Why that file could not be understood."""

    def metric(self, name: str) -> Metric | None:
        """The metric that checks and people read.

        The value that the version's own run left on the LoggedModel comes first, then the run's
        own, then the newest that another run left on the LoggedModel: a later `log_metric` on
        the run does not change what its LoggedModel says.
        """
        named = [m for m in self.metrics if m.name == name]
        on_model = [m for m in named if m.origin is MetricOrigin.LOGGED_MODEL]
        own = [m for m in on_model if m.run_id == self.run_id]
        on_run = [m for m in named if m.origin is MetricOrigin.RUN]
        for group in (own, on_run, on_model):
            if group:
                return max(group, key=_logged_order)
        return None


def _logged_order(metric: Metric) -> tuple[float, str]:
    moment = metric.logged_at or metric.run_started_at
    return (moment.timestamp() if moment else 0.0, metric.run_id)


@dataclass(frozen=True, kw_only=True)
class FileDigest:
    """One file of a version: its path below the model, SHA-256 in hex, size in bytes."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Content:
    """What would be served: the version's identity and every byte of its files."""

    run_id: str
    model_id: str
    source: str
    files: tuple[FileDigest, ...]

    @property
    def digest(self) -> Digest:
        """The content digest that an approval binds."""
        return digest_of(
            {
                "files": sorted([f.path, f.sha256] for f in self.files),
                "model_id": self.model_id,
                "run_id": self.run_id,
                "source": self.source,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Named:
    """Which metrics and tags a policy names, and so binds; the rest may go on changing."""

    metrics: frozenset[str]
    tags: frozenset[str]


def evidence_of(snapshot: Snapshot, named: Named) -> Mapping[str, Json]:
    """The part of a snapshot that an approval binds, by name, ready to hash and to compare."""
    metrics: dict[str, Json] = {}
    for name in sorted(named.metrics):
        found = snapshot.metric(name)
        metrics[name] = found.text if found else None
    return {
        "datasets": sorted([d.name, d.digest, d.context] for d in snapshot.datasets),
        "inputs": _columns(snapshot.inputs),
        "outputs": _columns(snapshot.outputs),
        "metrics": [[name, text] for name, text in metrics.items()],
        "parameters": [[k, v] for k, v in sorted(snapshot.parameters.items())],
        "tags": [[name, snapshot.tags.get(name)] for name in sorted(named.tags)],
    }


def evidence_digest(snapshot: Snapshot, named: Named) -> Digest:
    """The evidence digest that an approval binds (metrics and tags that policy names,
    parameters, data sets, signature)."""
    return digest_of(evidence_of(snapshot, named))


def _columns(columns: tuple[Column, ...] | None) -> Json:
    if columns is None:
        return None
    return [[c.name, c.type, c.required] for c in columns]

"""The files of a version: every byte hashed, the model's own description read. Nothing is
loaded, unpickled or run."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from governance.adapters.mlflow_registry.errors import translated
from governance.domain.errors import Refused
from governance.domain.evidence import Column, FileDigest

_CHUNK_BYTES = 1 << 20
_MLMODEL_MAX_BYTES = 5 << 20
_CLIENT_PACKAGES = {
    "s3": "boto3",
    "gs": "google-cloud-storage",
    "wasbs": "azure-storage-blob",
    "abfss": "azure-storage-file-datalake",
}


def repository(client: MlflowClient, source: str) -> ArtifactRepository:
    """Where the files of a version are.

    Raises:
        Refused: `source_not_readable`, naming the client package that is missing.
    """
    location = source
    if source.startswith("models:/m-"):
        model_id = source.removeprefix("models:/")
        with translated("its model", _unreadable(source, "its LoggedModel is gone")):
            location = client.get_logged_model(model_id).artifact_location
    try:
        return get_artifact_repository(location, tracking_uri=client.tracking_uri)
    except ImportError as error:
        scheme = location.partition(":")[0]
        package = _CLIENT_PACKAGES.get(scheme, f"a client for {scheme}")
        raise _unreadable(source, f"the package {package} is not installed") from error
    except MlflowException as error:
        raise _unreadable(source, "MLflow knows no way to read it") from error


def _unreadable(source: str, why: str) -> Refused:
    scheme = source.partition(":")[0]
    return Refused(
        "source_not_readable",
        f"The files of this version ({scheme}:) cannot be read: {why}. What cannot be read cannot "
        "be approved. The platform team has to see to that.",
    )


def manifest(
    found: ArtifactRepository, *, max_bytes: int, progress: Callable[[int, int], None]
) -> tuple[FileDigest, ...]:
    """SHA-256 of every file, one at a time, with bounded memory and disk.

    Raises:
        Refused: `too_large` before anything is read; `source_not_readable` for no file at all.
    """
    with translated("the list of files"):
        listed = sorted(_walk(found, ""))
    if not listed:
        raise Refused(
            "source_not_readable", "This version has no files, so there is nothing to approve."
        )
    total = sum(size for _path, size in listed)
    if total > max_bytes:
        raise Refused(
            "too_large",
            f"This version has {total} bytes, and at most {max_bytes} are read "
            "(FOUREYES_MAX_BYTES). The platform team can raise that.",
        )
    digests: list[FileDigest] = []
    done = 0
    with tempfile.TemporaryDirectory(prefix="foureyes-") as folder:
        for path, size in listed:
            with translated("a file"):
                local = Path(found.download_artifacts(path, dst_path=folder))
            sha256, read = _hash(local)
            local.unlink()
            digests.append(FileDigest(path=path, sha256=sha256, size_bytes=read))
            done += size
            progress(done, total)
    return tuple(digests)


def _walk(found: ArtifactRepository, folder: str) -> Iterator[tuple[str, int]]:
    for item in found.list_artifacts(folder or None):
        if item.is_dir:
            yield from _walk(found, item.path)
        else:
            yield item.path, int(item.file_size or 0)


def _hash(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


Signature = tuple[tuple[Column, ...] | None, tuple[Column, ...] | None]


def signature(found: ArtifactRepository) -> Signature:
    """Input and output columns from the MLmodel file; None where it names none."""
    with tempfile.TemporaryDirectory(prefix="foureyes-") as folder:
        try:
            local = Path(found.download_artifacts("MLmodel", dst_path=folder))
        except MlflowException:
            return None, None
        except OSError:
            return None, None
        if local.stat().st_size > _MLMODEL_MAX_BYTES:
            raise Refused("too_large", "The MLmodel file is larger than 5 MB: that is none.")
        try:
            described = yaml.safe_load(local.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            return None, None
    stated = described.get("signature") if isinstance(described, dict) else None
    if not isinstance(stated, dict):
        return None, None
    return _columns(stated.get("inputs")), _columns(stated.get("outputs"))


def _columns(stated: object) -> tuple[Column, ...] | None:
    if not isinstance(stated, str):
        return None
    try:
        items = yaml.safe_load(stated)  # JSON inside YAML; every JSON text is YAML too
    except yaml.YAMLError:
        return None
    if not isinstance(items, list):
        return None
    return tuple(
        Column(
            name=str(item.get("name", f"#{number}")),
            type=str(item.get("type")) if isinstance(item.get("type"), str) else "tensor",
            required=bool(item.get("required", True)),
        )
        for number, item in enumerate(items)
        if isinstance(item, dict)
    )

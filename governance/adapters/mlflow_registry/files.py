"""The files of a version: found, listed, fetched one at a time and hashed.

Nothing is loaded, unpickled or run. What cannot be read is an error, never "nothing there".
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.tracking._tracking_service.utils import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from governance.adapters.mlflow_registry.deadline import within
from governance.adapters.mlflow_registry.errors import is_of_http, status_of, translated
from governance.adapters.mlflow_registry.known_digests import FileTag, KnownDigests
from governance.adapters.mlflow_registry.source import scheme_of, unreadable
from governance.domain.errors import FoureyesError, Refused, Unavailable
from governance.domain.evidence import FileDigest

_CHUNK_BYTES = 1 << 20
_FILE_SECONDS = 60.0
_SLOWEST_BYTES_PER_SECOND = 100_000
_UNLISTED_BYTES = 64 << 20
_CLIENT_PACKAGES = {
    "s3": "boto3",
    "r2": "boto3",
    "b2": "boto3",
    "gs": "google-cloud-storage",
    "wasbs": "azure-storage-blob",
    "abfss": "azure-storage-file-datalake",
    "hdfs": "pyarrow",
    "dbfs": "databricks-sdk",
}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One file as the storage lists it; the size is what the storage says, 0 when it does not."""

    path: str
    size_bytes: int
    place: int
    """Which of the locations it is in."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One file on this machine, for as long as the block around it lasts."""

    local: Path
    size_bytes: int


class VersionFiles:
    """The files of one version, wherever MLflow keeps them."""

    def __init__(self, locations: Sequence[str], *, tracking_uri: str) -> None:
        """`locations` is what `source.locations_of` answered; where two hold a file of the same
        path, the later one counts.

        Raises:
            Refused: `source_not_readable`. Unavailable.
        """
        self._places = [(_open(at, tracking_uri), at) for at in locations]

    def listed(self, *, below: bool = True) -> tuple[Listed, ...]:
        """Every file by path, or without `below` those at the top only."""
        found: dict[str, Listed] = {}
        for number, (repository, location) in enumerate(self._places):
            with _reading("the list of files", location):
                for path, size in _walk(repository, "", below=below):
                    found[path] = Listed(path=path, size_bytes=size, place=number)
        return tuple(found[path] for path in sorted(found))

    @contextmanager
    def fetched(self, item: Listed) -> Iterator[Fetched]:
        """One file in a temporary folder, which goes with it."""
        repository, location = self._places[item.place]
        with tempfile.TemporaryDirectory(prefix="foureyes-", ignore_cleanup_errors=True) as folder:
            with _reading("a file", location):
                local = within(
                    _seconds_for(item),
                    lambda: Path(repository.download_artifacts(item.path, dst_path=folder)),
                )
            yield Fetched(local=local, size_bytes=local.stat().st_size)

    def tag(self, item: Listed) -> FileTag | None:
        """What the storage says of a file without giving it; None when that identifies nothing."""
        repository, location = self._places[item.place]
        if not isinstance(repository, HttpArtifactRepository):
            return None
        with _reading("what a file is", location):
            answer = http_request(
                get_default_host_creds(repository.artifact_uri), f"/{item.path}", "HEAD"
            )
        etag = str(answer.headers.get("ETag") or "")
        if answer.status_code != 200 or not etag.startswith('"'):
            return None
        return FileTag(
            location=repository.artifact_uri,
            path=item.path,
            size_bytes=item.size_bytes,
            etag=etag,
        )


def _seconds_for(item: Listed) -> float:
    """A storage that gives a byte now and then would hold a request for ever."""
    return _FILE_SECONDS + (item.size_bytes or _UNLISTED_BYTES) / _SLOWEST_BYTES_PER_SECOND


def _open(location: str, tracking_uri: str) -> ArtifactRepository:
    _refuse_other_hosts(location, tracking_uri)
    with _reading("where its files are", location):
        try:
            return get_artifact_repository(location, tracking_uri=tracking_uri)
        except MlflowException as error:
            if "Could not find a registered artifact repository" in str(error):
                raise unreadable(location, "MLflow knows no way to read it") from error
            raise


def _refuse_other_hosts(location: str, tracking_uri: str) -> None:
    """Whoever registers a version writes its source: MLflow's client would send the credentials
    of Foureyes to any host that stands there."""
    named = urlsplit(location)
    if named.scheme in ("ftp", "sftp"):
        raise unreadable(location, "no credentials are sent to a host that a version names")
    if named.scheme not in ("http", "https", "mlflow-artifacts", "dbfs") or not named.netloc:
        return
    if named.netloc != urlsplit(tracking_uri).netloc:
        raise unreadable(location, "it names another host than MLFLOW_TRACKING_URI does")


def _walk(repository: ArtifactRepository, folder: str, *, below: bool) -> Iterator[tuple[str, int]]:
    for item in repository.list_artifacts(folder or None):
        if not item.is_dir:
            yield item.path, int(item.file_size or 0)
        elif below:
            yield from _walk(repository, item.path, below=True)


def manifest(
    files: VersionFiles,
    *,
    max_bytes: int,
    progress: Callable[[int, int], None],
    known: KnownDigests | None,
) -> tuple[FileDigest, ...]:
    """SHA-256 of every file, one at a time: in memory one piece, on disk one file. With `known`,
    a file that was read before and bears the same tag is not read again.

    Raises:
        Refused: `too_large` before anything is read, and as soon as more was read than listed;
            `source_not_readable` for no file at all.
    """
    listed = files.listed()
    if not listed:
        raise Refused(
            "source_not_readable",
            "This version has no files, so there is nothing to approve. Log the model, and "
            "register that.",
        )
    total = sum(f.size_bytes for f in listed)
    _verify_size(total, max_bytes)
    digests: list[FileDigest] = []
    done = 0
    for item in listed:
        digest = _digest(files, item, known)
        done += digest.size_bytes
        total = max(total, done)  # a storage that lists no sizes
        _verify_size(done, max_bytes)
        digests.append(digest)
        progress(done, total)
    return tuple(digests)


def _digest(files: VersionFiles, item: Listed, known: KnownDigests | None) -> FileDigest:
    tag = files.tag(item) if known is not None else None
    if known is not None and tag is not None:
        sha256 = known.get(tag)
        if sha256 is not None:
            return FileDigest(path=item.path, sha256=sha256, size_bytes=item.size_bytes)
    with files.fetched(item) as file:
        digest = FileDigest(path=item.path, sha256=_sha256(file.local), size_bytes=file.size_bytes)
    if known is not None and tag is not None and digest.size_bytes == tag.size_bytes:
        known.keep(tag, digest.sha256)
    return digest


def _verify_size(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise Refused(
            "too_large",
            f"This version has {size_bytes} bytes, and at most {max_bytes} are read "
            "(FOUREYES_MAX_BYTES). The platform team can raise that.",
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _reading(what: str, location: str) -> Iterator[None]:
    """MLflow's errors and those of whatever storage stands behind it.

    Raises:
        Refused: `source_not_readable`. Unavailable: also `storage_unavailable`.
    """
    try:
        with translated(what, unreadable(location, "the storage has no such files")):
            try:
                yield
            except OSError as error:
                if is_of_http(error):
                    raise
                raise Unavailable(
                    "storage_unavailable",
                    f"The files of this version ({what}) could not be read, or not be kept for a "
                    f"moment: {error.strerror or type(error).__name__}. The platform team has to "
                    "look at the storage, and at the temporary folder of Foureyes.",
                ) from error
    except FoureyesError as ours:
        if status_of(ours.__cause__) == 404:
            raise unreadable(location, "a file is gone") from ours
        raise
    except ImportError as error:
        package = _CLIENT_PACKAGES.get(scheme_of(location), error.name or "for this storage")
        raise unreadable(
            location, f"the package {package} is not installed where Foureyes runs"
        ) from error
    except Exception as error:
        # Every storage has a client with errors of its own; they share no base.
        raise Unavailable(
            "storage_unavailable",
            f"The storage that holds the files of this version ({scheme_of(location)}:) does not "
            f"give them ({what}, {type(error).__name__}). The platform team has to look at the "
            "storage and at the credentials that Foureyes has for it.",
        ) from error

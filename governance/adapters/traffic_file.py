"""Which version is served, in one JSON file that routers and services follow.

A reader sees the old or the new file whole, at any moment and after any crash, and needs no lock.
Writers take turns through a lock file beside it, whichever thread or process they are in. A file
that is none of ours is never overwritten.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from governance.domain.errors import Unavailable
from governance.domain.evidence import ModelName, Version

_Served = Mapping[ModelName, "_Entry"]

_MOST_VERSION = 2**31 - 1
"""As MLflow keeps it."""
_ASK_AGAIN_SECONDS = 0.01


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TrafficFile:
    """Implements `governance.ports.Traffic` over one file, made by the first `serve`:

        {"models": {"credit_scoring": {"version": 2, "since": "2026-03-02T09:30:00.000000Z"}}}

    `since` is when this version was first written. Beside the file live `.NAME.lock`, which must
    not be deleted while anything runs, and for moments `.NAME.new`. The folder must be on a disk
    whose locks all writers share.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = _utc_now,
        lock_patience_seconds: float = 5.0,
    ) -> None:
        """`now` answers aware moments. Whoever cannot have the lock for so long gives up: a writer
        that hangs must not hang a rollback."""
        # A replaced link would leave its readers with the old file.
        self.path = path.resolve()
        self._now = now
        self._lock_patience_seconds = lock_patience_seconds

    def serve(self, model: ModelName, version: Version) -> None:
        """Write it, or make sure that what is written will last. Raises Unavailable
        `traffic_unreadable` for a file that is none of ours, `traffic_unwritable` otherwise."""
        if not 1 <= version <= _MOST_VERSION:
            raise ValueError(f"{version} is no version")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                served = self._read()
                kept = served.get(model)
                if kept is None or kept.version != version:
                    entry = _Entry(version=version, since=_text_of(self._now()))
                    _replace(self.path, _bytes_of({**served, model: entry}))
                # Also when nothing changed: the call before may have failed just here.
                _fsync_folder(self.path.parent)
        except OSError as error:
            raise Unavailable(
                "traffic_unwritable",
                f"The traffic file {self.path.name} cannot be written "
                f"({error.strerror or type(error).__name__}), so nobody can be sure to be told "
                f"that version {version} of {model} is served. The platform team has to look.",
            ) from error

    def serving(self, model: ModelName) -> Version | None:
        """Read without a lock. Raises Unavailable `traffic_unreadable`."""
        entry = self._read().get(model)
        return None if entry is None else entry.version

    def _read(self) -> _Served:
        try:
            return _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _unreadable(self.path, error.strerror or type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise _unreadable(self.path, "it is not as Foureyes writes it") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A lock per open file: two threads of one process exclude each other as well, and the
        system gives back what a killed process held."""
        lock = os.open(_beside(self.path, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        try:
            give_up_at = time.monotonic() + self._lock_patience_seconds
            while not _took(lock):
                if time.monotonic() >= give_up_at:
                    raise OSError(errno.ETIMEDOUT, "another writer holds its lock")
                time.sleep(_ASK_AGAIN_SECONDS)
            yield
        finally:
            os.close(lock)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    version: Version
    since: str
    """Kept as it was written."""


def _took(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replace(path: Path, data: bytes) -> None:
    """The whole new file under another name, on the disk, and only then under its own. A crash
    leaves at most that other name, which the next writer removes."""
    new = _beside(path, "new")
    try:
        with suppress(FileNotFoundError):
            new.unlink()  # what a crash left, perhaps as another user
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(new, flags, 0o644)
        try:
            with suppress(FileNotFoundError):
                # Whoever may read the old one may read the new one.
                os.fchmod(descriptor, path.stat().st_mode & 0o777)
            if os.write(descriptor, data) < len(data):
                # A disk that fills up takes the beginning without an error.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(new, path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{ending}")


def _bytes_of(served: _Served) -> bytes:
    models = {
        name: {"version": served[name].version, "since": served[name].since}
        for name in sorted(served)
    }
    # Escapes instead of other alphabets: a reader with another encoding reads the same.
    return (json.dumps({"models": models}, indent=2) + "\n").encode("ascii")


def _parsed(data: bytes) -> _Served:
    """Exactly what `_bytes_of` writes, in any order and spacing. Raises ValueError: a field that
    we do not know would be lost at the next writing, so it makes the file none of ours."""
    whole = json.loads(data.decode("utf-8"), object_pairs_hook=_without_doubles)
    if not isinstance(whole, dict) or set(whole) != {"models"}:
        raise ValueError("no models")
    models = whole["models"]
    if not isinstance(models, dict):
        raise ValueError("no models")
    return {ModelName(name): _entry(fields) for name, fields in models.items()}


def _entry(fields: object) -> _Entry:
    if not isinstance(fields, dict) or set(fields) != {"version", "since"}:
        raise ValueError("no entry")
    version, since = fields["version"], fields["since"]
    # True is an int to Python.
    if type(version) is not int or not 1 <= version <= _MOST_VERSION:
        raise ValueError("no version")
    if not isinstance(since, str) or datetime.fromisoformat(since).tzinfo is None:
        raise ValueError("no moment")
    return _Entry(version=Version(version), since=since)


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _text_of(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def _unreadable(path: Path, reason: str) -> Unavailable:
    return Unavailable(
        "traffic_unreadable",
        f"The traffic file {path.name} cannot be read ({reason}), and it is left as it is. The "
        "platform team has to repair it, or to move it away so that a new one is made.",
    )

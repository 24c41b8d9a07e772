"""Heads of the log in a file outside the database: appended and fsynced, never rewritten.

One line each: size, root in hex, and `resumed` where an operator recorded a gap.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from governance.domain.errors import IntegrityViolation, Unavailable
from governance.domain.ledger import Hash, Head, KeptHead
from governance.ports import HEADS_UNREADABLE, HEADS_UNWRITABLE


class HeadFile:
    """Implements `governance.ports.KeptHeads` over one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = threading.Lock()
        self._seen = _Seen()

    def append(self, head: Head, *, resumed: bool = False) -> None:
        """Append one line and fsync; a line that a crash cut is closed first."""
        line = f"{head.size} {head.root.hex()}{' resumed' if resumed else ''}\n"
        try:
            is_new = not self.path.exists()
            if is_new:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o660)
            try:
                if _is_cut(descriptor):
                    line = "\n" + line
                if os.write(descriptor, line.encode("ascii")) < len(line):
                    # A disk that fills up takes the beginning of a line without an error.
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                _fsync_folder(self.path.parent)
        except OSError as error:
            raise Unavailable(
                HEADS_UNWRITABLE,
                f"The file of heads cannot be written ({error.strerror}). The record was stored, "
                "but nothing outside the database vouches for it yet. The platform team has to "
                "look at FOUREYES_HEADS.",
            ) from error

    def all(self) -> Sequence[KeptHead]:
        """Every kept head in order."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _no_reading(error) from error
        return _parsed(text, after_line=0)

    def newest(self) -> KeptHead | None:
        """The largest head since the last resumption. Only what is new in the file is read, so
        it costs the same however long the file has become."""
        with self._reading:
            try:
                self._seen = _seen_now(self.path, self._seen)
            except FileNotFoundError:
                self._seen = _Seen()
            except OSError as error:
                raise _no_reading(error) from error
            return self._seen.newest


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What was read of a file: up to which byte and line, and the newest head in it."""

    identity: tuple[int, int] = (0, 0)
    """Device and inode: another file is read from its beginning."""
    offset: int = 0
    lines: int = 0
    newest: KeptHead | None = None


def _seen_now(path: Path, before: _Seen) -> _Seen:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino)
        if identity != before.identity or status.st_size < before.offset:
            before = _Seen(identity=identity)
        file.seek(before.offset)
        added = file.read()
    newest = before.newest
    for head in _parsed(added, after_line=before.lines):
        if newest is None or head.resumed or head.head.size > newest.head.size:
            newest = head
    whole = added.rfind(b"\n") + 1  # what a crash cut is read again when it is whole
    return _Seen(
        identity=identity,
        offset=before.offset + whole,
        lines=before.lines + added.count(b"\n"),
        newest=newest,
    )


def _is_cut(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(text: bytes, *, after_line: int) -> tuple[KeptHead, ...]:
    lines = text.split(b"\n")
    cut = lines.pop()  # nothing, or what a crash left
    kept: list[KeptHead] = []
    for number, line in enumerate(lines, after_line + 1):
        head = _head(line, number)
        if head is not None:
            kept.append(head)
        elif not _could_be_cut(line):
            raise _unreadable(number)
    if not _could_be_cut(cut):
        raise _unreadable(after_line + len(lines) + 1)
    return tuple(kept)


def _head(line: bytes, number: int) -> KeptHead | None:
    words = line.decode("ascii", errors="replace").split(" ")
    if (
        len(words) not in (2, 3)
        or not words[0].isdigit()
        or len(words[0]) > 15
        or len(words[1]) != 64
    ):
        return None
    try:
        root = bytes.fromhex(words[1])
    except ValueError:
        return None
    if len(words) == 3 and words[2] != "resumed":
        return None
    head = Head(size=int(words[0]), root=Hash(root))
    return KeptHead(line=number, head=head, resumed=len(words) == 3)


def _could_be_cut(line: bytes) -> bool:
    """The beginning of a line that a crash cut, closed by the next append: what it would have
    said is said by the head after it."""
    return len(line) < 96 and all(c in b"0123456789abcdef resumed" for c in line)


def _no_reading(error: OSError) -> Unavailable:
    return Unavailable(
        HEADS_UNREADABLE,
        f"The file of heads cannot be read ({error.strerror}). The platform team has to look at "
        "FOUREYES_HEADS.",
    )


def _unreadable(number: int) -> IntegrityViolation:
    return IntegrityViolation(
        "heads_unreadable", f"Line {number} of the file of heads is none of ours."
    )

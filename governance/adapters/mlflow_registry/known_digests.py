"""Digests of files that were read before, by what their storage says of them. For showing alone:
whoever can write a file can also keep its size and its tag."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

_MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class FileTag:
    """What identifies a file to its storage: where, how large, and its strong ETag (RFC 9110
    §8.8.3)."""

    location: str
    path: str
    size_bytes: int
    etag: str


class KnownDigests:
    """The newest ten thousand; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: OrderedDict[FileTag, str] = OrderedDict()

    def get(self, tag: FileTag) -> str | None:
        """SHA-256 in hex, if this very file was read before."""
        with self._lock:
            found = self._digests.get(tag)
            if found is not None:
                self._digests.move_to_end(tag)
            return found

    def keep(self, tag: FileTag, sha256: str) -> None:
        """Remember it; the one that was not asked for longest goes."""
        with self._lock:
            self._digests[tag] = sha256
            self._digests.move_to_end(tag)
            if len(self._digests) > _MOST:
                self._digests.popitem(last=False)

"""One spelling for every value that is hashed. Pure: no clock, no IO, no vendor.

Keys are ASCII and sorted, there are no floats, integers stay below 2^53, and the text is UTF-8
without spaces: inside this schema the bytes equal RFC 8785 (JSON Canonicalization Scheme).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NewType

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Digest = NewType("Digest", str)
"""SHA-256 in lower-case hex, 64 characters."""

_LARGEST_EXACT_INTEGER = 2**53


def canonical_bytes(value: Json) -> bytes:
    """Return the one UTF-8 spelling of `value`.

    Raises:
        ValueError: a float, a key that is not ASCII, an integer of 2^53 or more, or a lone
            surrogate; none of these has the same spelling everywhere.
    """
    _refuse_ambiguous(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def digest_of(value: Json) -> Digest:
    """SHA-256 over the canonical bytes of `value`."""
    return Digest(hashlib.sha256(canonical_bytes(value)).hexdigest())


def _refuse_ambiguous(value: object) -> None:
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if abs(value) >= _LARGEST_EXACT_INTEGER:
            raise ValueError(f"integer {value} is not exact in every JSON reader")
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"key {key!r} is not ASCII text")
            _refuse_ambiguous(item)
        return
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for item in value:
            _refuse_ambiguous(item)
        return
    raise ValueError(f"{type(value).__name__} has no single spelling")

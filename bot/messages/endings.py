"""Words of a person, or a stored reason, in front of ours: they end before ours begin."""

from __future__ import annotations

from governance.domain.canonical import Json

_ENDS = ".!?…:;。！？"
_CLOSING = ")]}\"'”’»"


def ended(text: Json) -> str:
    """The text as a sentence: with a full stop where it ends in no punctuation of its own."""
    bare = str(text).rstrip()
    said = bare.rstrip(_CLOSING)
    return bare if not bare or said.endswith(tuple(_ENDS)) else f"{bare}."

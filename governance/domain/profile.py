"""The profile of a version's input columns: a small JSON file that its run logged.

`{"credit_amount": {"min": 250, "max": 18424}, "purpose": {"values": ["car", "radio"]}}`.
Pure: bytes in, values out; what cannot be understood is refused whole.
"""

from __future__ import annotations

import json
import math

from governance.domain.errors import Refused
from governance.domain.evidence import ColumnProfile

MAX_BYTES = 1 << 20
_VALUES_NAMED = 50


def profile_in(text: bytes) -> tuple[ColumnProfile, ...]:
    """Read a profile, ordered by column.

    Raises:
        Refused: `bad_profile`, with what is wrong.
    """
    try:
        stated = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad("it is no JSON") from error
    if not isinstance(stated, dict):
        raise _bad("it is no table of columns")
    return tuple(
        ColumnProfile(name=name, words=_words(name, stated[name])) for name in sorted(stated)
    )


def _words(name: str, stated: object) -> str:
    if isinstance(stated, dict):
        if stated.keys() == {"min", "max"}:
            return f"{_number(name, stated['min'])} to {_number(name, stated['max'])}"
        values = stated.get("values")
        if stated.keys() == {"values"} and isinstance(values, list):
            words = sorted(str(value) for value in values)
            more = f" and {len(words) - _VALUES_NAMED} more" if len(words) > _VALUES_NAMED else ""
            return ", ".join(words[:_VALUES_NAMED]) + more
    raise _bad(f"{name} has neither min and max nor values")


def _number(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(f"min or max of {name} is no finite number")
    return f"{value:.6g}"


def _bad(why: str) -> Refused:
    return Refused(
        "bad_profile",
        f"The profile of the input columns cannot be understood: {why}. Whoever trains the model "
        "has to log it as the README shows.",
    )

"""Input and output columns from a version's MLmodel file. Pure: text in, columns out.

The file is read as data; no model is loaded. What is there and cannot be understood is refused
whole, never read in part: a column that is left out could be one that a policy bars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import yaml

from governance.domain.errors import Refused
from governance.domain.evidence import Column

FILE = "MLmodel"
MAX_BYTES = 5 << 20

_NOTHING = ("null", "~", "")
"""How YAML spells that there is no value."""

Signature = tuple[tuple[Column, ...] | None, tuple[Column, ...] | None]

_DEEPEST = 50
"""PyYAML's reader in C overflows its stack on deep nesting, which ends the process."""


def signature_in(text: bytes) -> Signature:
    """Inputs and outputs; None for whichever the file does not name.

    Raises:
        Refused: `unreadable_mlmodel`.
    """
    if len(text) > MAX_BYTES:
        raise unreadable(f"it is larger than {MAX_BYTES >> 20} MB")
    try:
        _refuse_bombs(text)
        # Words stay words: nothing here needs YAML's numbers, dates or tags.
        described = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # makes text alone
    except Refused:
        raise
    except Exception as error:  # whoever wrote the file chose what breaks
        raise unreadable("it is no YAML") from error
    if not isinstance(described, dict):
        raise unreadable("it is no table of fields")
    stated = described.get("signature")
    if stated is None or stated in _NOTHING:
        return None, None
    if not isinstance(stated, dict):
        raise unreadable("its signature is no table of fields")
    return _columns(stated.get("inputs"), "inputs"), _columns(stated.get("outputs"), "outputs")


def columns_of_data(schema: str | None) -> tuple[Column, ...] | None:
    """The columns of a data set that a run recorded; None where it states none that can be
    understood: they are shown, and nothing is decided by them."""
    try:
        stated = json.loads(schema or "null")
    except (ValueError, RecursionError):
        return None
    columns = stated.get("mlflow_colspec") if isinstance(stated, dict) else None
    try:
        return _columns(json.dumps(columns), "columns") if columns else None
    except Refused:
        return None


def _refuse_bombs(text: bytes) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise unreadable("it holds aliases")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise unreadable("it is nested too deeply")


def unreadable(why: str) -> Refused:
    """The file is there and says nothing that can be relied on."""
    return Refused(
        "unreadable_mlmodel",
        f"The MLmodel file of this version cannot be understood: {why}. Log the model with "
        "MLflow's own log_model, and register that.",
    )


def _columns(stated: object, which: str) -> tuple[Column, ...] | None:
    if stated is None or stated in _NOTHING:
        return None
    if not isinstance(stated, str):
        raise unreadable(f"the {which} of its signature are no text")
    try:
        items = json.loads(stated)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"the {which} of its signature are no JSON") from error
    if items is None:
        return None
    if not isinstance(items, list):
        raise unreadable(f"the {which} of its signature are no list")
    return tuple(_column(item, number, which) for number, item in enumerate(items))


def _column(item: object, number: int, which: str) -> Column:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        raise unreadable(f"number {number} of the {which} of its signature has no type")
    name = item.get("name")
    required = item.get("required", True)
    if not isinstance(name, str | None) or not isinstance(required, bool):
        raise unreadable(f"number {number} of the {which} of its signature is no column")
    return Column(
        # MLflow leaves the name out of a model's only tensor or column.
        name=f"#{number}" if name is None else name,
        type=_type(item),
        required=required,
    )


def _type(item: Mapping[str, object]) -> str:
    """The word for a plain type; with whatever says more for tensors, arrays and objects."""
    more = {k: v for k, v in item.items() if k not in ("name", "required", "type")}
    if not more:
        return str(item["type"])
    return f"{item['type']} {json.dumps(more, sort_keys=True, separators=(',', ':'))}"

"""What of a statement stays when it is asked again with other texts and moments to compare with.

Pure: no engine is asked. What is not understood has no shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.grounds import Concrete
from ibis.expr.types import Expr

_COMPARES = (ops.Comparison, ops.InValues)
_PLAIN = (str, int, float, bool, type(None))
_AGAIN, _MANY, _NAMED, _COMPARED, _SOURCE = object(), object(), object(), object(), object()


class NotUnderstood(Exception):
    """Something of which nobody here can say whether two of it are the same."""


class Shape:
    """A statement without the values that it compares with."""

    def __init__(self, expr: Expr, source: object) -> None:
        """`source` is the engine that is asked. Raises NotUnderstood."""
        self.values: dict[ops.Literal, int] = {}
        """As they are met, from 0; equal ones are one, as they are for Ibis."""
        self._source = source
        self._met: dict[int, int] = {}
        self._read: list[object] = []
        self._part(expr.op())
        self.key = tuple(self._read)
        """Equal only for statements that are the same but for their values. Each part begins with
        its kind, and that says how much follows. Holds nothing of Ibis but its classes."""

    def _part(self, part: object, *, is_compared: bool = False) -> None:
        kind, read = type(part), self._read
        if is_compared and isinstance(part, ops.Literal) and _may_change(part):
            read += (_COMPARED, self.values.setdefault(part, len(self.values)))
            self._part(part.dtype)
        elif isinstance(part, Concrete):
            if id(part) in self._met:
                read += (_AGAIN, self._met[id(part)])
                return
            self._met[id(part)] = len(self._met)
            read.append(kind)
            is_compared = isinstance(part, _COMPARES)
            for inner in part.__args__:
                self._part(inner, is_compared=is_compared)
        elif kind in _PLAIN:
            read += (kind, repr(part))  # 1 equals True, and 0.0 equals -0.0
        elif isinstance(part, tuple):
            read += (_MANY, len(part))
            for inner in part:
                self._part(inner, is_compared=is_compared)
        elif isinstance(part, Mapping):
            read += (_NAMED, len(part))
            for name, inner in part.items():
                self._part(name)
                self._part(inner)
        elif part is self._source:
            read.append(_SOURCE)
        else:
            raise NotUnderstood(kind.__name__)


def exchanged(expr: Expr, others: Mapping[ops.Literal, ops.Literal]) -> Expr:
    """The same statement with other values to compare with; elsewhere they stay."""

    def exchange(part: object) -> object:
        if isinstance(part, tuple):
            return tuple(exchange(inner) for inner in part)
        return others.get(part, part) if isinstance(part, ops.Literal) else part

    def change(node: ops.Node, parts: Mapping[str, object] | None) -> ops.Node:
        if isinstance(node, _COMPARES):
            found = parts or dict(zip(node.__argnames__, node.__args__, strict=True))
            parts = {name: exchange(part) for name, part in found.items()}
        return node.__recreate__(parts) if parts else node

    return expr.op().replace(change).to_expr()


def _may_change(literal: ops.Literal) -> bool:
    """Whether two of its type are equal only if they are spelled the same, and differ in nothing
    but their spelling."""
    value, kind = literal.value, literal.dtype
    if type(value) is datetime:
        return type(kind) is dt.Timestamp and kind.timezone in (None, "UTC")
    return type(value) is str and type(kind) is dt.String
